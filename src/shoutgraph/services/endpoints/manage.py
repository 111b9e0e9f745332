"""Endpoints and their secrets: made, changed, stopped, and told again of what was told before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shoutgraph.domain import clock, cursors, endpoints as rules, errors, ids, journal, pages
from shoutgraph.domain.endpoints import DisabledReason, Endpoint, EndpointState, Place, Secret
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.outbound.courier import Courier
from shoutgraph.storage import endpoints as rows, epochs, journal as journal_rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

CHANGED = "webhook.changed"
SCOPE_OF_PAGES = "webhook endpoints"
PATH = ("input", "webhookEndpointId")


@dataclass(frozen=True, slots=True)
class Wish:
    """What an endpoint is to be; None leaves a field as it is."""

    url: str | None = None
    label: str | None = None
    event_types: tuple[str, ...] | None = None
    state: EndpointState | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """An endpoint, and its new secret: shown in the first answer and never again."""

    endpoint: Endpoint
    secret: str | None
    replayed: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an endpoint was told, as people are shown it."""

    place: Place
    cursor: str
    behind: int


def courier_of(tools: Tools) -> Courier:
    """Who carries webhooks.

    Raises:
        ProviderUnavailableError: nobody does in this process.
    """
    if tools.courier is None:
        raise errors.ProviderUnavailableError("This process sends no webhooks.")
    return tools.courier


async def create(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Made:
    """Makes an endpoint, which is told of what happens from now on.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage webhooks.
        ValidationError: a field breaks a rule, or there are too many endpoints.
        ProviderUnavailableError: this process sends no webhooks.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.WEBHOOKS_MANAGE)
    courier, url, label = courier_of(tools), wish.url or "", wish.label or ""
    types = tuple(sorted(set(wish.event_types or ())))
    courier.check(url)
    rules.check_terms(label=label, event_types=types)
    salt = tools.new_secret()

    def work(tx: Tx) -> Endpoint:
        _check_room(tx)
        made = Endpoint(
            id=tools.new_id(ids.ENDPOINT),
            revision=1,
            url=url,
            label=label.strip(),
            event_types=types,
            state=EndpointState.ACTIVE,
            reason=None,
            created_by=viewer.principal,
            created_at=tx.now,
            changed_at=tx.now,
        )
        rows.insert(tx, made, _secret(courier, made.id, 1, salt, tx.now))
        tell(tools, tx, made)
        return made

    done = await once(tools, asked, work, rows.get)
    return _made(courier, done, salt)


async def update(
    tools: Tools, viewer: Viewer, asked: Request, endpoint_id: str, wish: Wish, *, expected_revision: int | None
) -> Done[Endpoint]:
    """Changes an endpoint, or whether it is told. One that is active again goes on where it stood, at once.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage webhooks.
        NotFoundError: there is no such endpoint.
        ValidationError: a field breaks a rule, or there are too many endpoints.
        StaleRevisionError: the endpoint changed since the viewer read it.
        ProviderUnavailableError: this process sends no webhooks.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.WEBHOOKS_MANAGE)
    if wish.url is not None:
        courier_of(tools).check(wish.url)
    types = None if wish.event_types is None else tuple(sorted(set(wish.event_types)))
    rules.check_terms(label="-" if wish.label is None else wish.label, event_types=types or ())

    def work(tx: Tx) -> Endpoint:
        found = _get(tx, endpoint_id, expected_revision)
        state = found.state if wish.state is None else wish.state
        if found.state is EndpointState.DISABLED is not state:
            _check_room(tx)
        reason = (found.reason or DisabledReason.STAFF) if state is EndpointState.DISABLED else None
        url, label = wish.url or found.url, found.label if wish.label is None else wish.label.strip()
        wanted = found.event_types if types is None else types
        changed = replace(found, url=url, label=label, event_types=wanted, state=state, reason=reason)
        if changed == found:
            return found
        changed = replace(changed, revision=found.revision + 1, changed_at=tx.now)
        rows.save(tx, changed)
        rows.settle(tx, found.id)
        tell(tools, tx, changed)
        return changed

    return await once(tools, asked, work, rows.get)


async def rotate(
    tools: Tools, viewer: Viewer, asked: Request, endpoint_id: str, *, overlap: timedelta = rules.OVERLAP
) -> Made:
    """Makes the next secret of an endpoint; the one before it signs too until the overlap ends, older ones no more.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage webhooks.
        NotFoundError: there is no such endpoint.
        ValidationError: the overlap is negative or too long.
        ProviderUnavailableError: this process sends no webhooks.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.WEBHOOKS_MANAGE)
    if not timedelta() <= overlap <= rules.OVERLAP_MAX:
        days = rules.OVERLAP_MAX.days
        raise errors.ValidationError(f"An overlap takes up to {days} days.", path=("input", "overlapSeconds"))
    courier, salt = courier_of(tools), tools.new_secret()

    def work(tx: Tx) -> Endpoint:
        found = _get(tx, endpoint_id, None)
        known = rows.secrets_of(tx, [found.id], now=tx.now).get(found.id, ())
        for at, secret in enumerate(known):
            rows.end_secret(tx, secret, at=tx.now + overlap if at == 0 else tx.now)
        number = rows.newest_number(tx, found.id) + 1
        rows.insert_secret(tx, _secret(courier, found.id, number, salt, tx.now))
        changed = replace(found, revision=found.revision + 1, changed_at=tx.now)
        rows.save(tx, changed)
        tell(tools, tx, changed)
        return changed

    done = await once(tools, asked, work, rows.get)
    return _made(courier, done, salt)


async def replay(
    tools: Tools, viewer: Viewer, asked: Request, endpoint_id: str, *, after: str, skip: bool = False
) -> Done[Endpoint]:
    """Has an endpoint told again of everything after a cursor, in order and under the ids of before.

    Args:
        skip: whether the cursor may be ahead of what it was told, so that events are left out.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage webhooks.
        NotFoundError: there is no such endpoint.
        ValidationError: the cursor is none, ahead of the journal, or would leave events out.
        ResyncError: the journal was restored to a time before the cursor.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.WEBHOOKS_MANAGE)
    wanted = cursors.read_cursor(after, path=("input", "after"))

    def work(tx: Tx) -> Endpoint:
        found, epoch = _get(tx, endpoint_id, None), epochs.current(tx)
        if wanted.mark != epoch.mark:
            raise errors.ResyncError(restored_to=clock.to_text(epoch.after.at))
        if wanted.seq > tx.head.seq:
            msg = "This cursor is ahead of the journal."
            raise errors.ValidationError(msg, code="CURSOR_AHEAD", path=("input", "after"))
        place = rows.places_of(tx, [found.id])[found.id]
        if wanted.seq > place.seq and not skip:
            msg = "This cursor is ahead of what the endpoint was told; skip leaves those events out."
            raise errors.ValidationError(msg, code="WOULD_SKIP", path=("input", "after"))
        changed = replace(found, revision=found.revision + 1, changed_at=tx.now)
        rows.save(tx, changed)
        rows.move(tx, found.id, seq=wanted.seq)
        tell(tools, tx, changed)
        return changed

    return await once(tools, asked, work, rows.get)


async def page(tools: Tools, viewer: Viewer, args: PageArgs) -> Page[Endpoint]:
    """A page of endpoints, the newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage webhooks.
    """
    viewer.require(Scope.WEBHOOKS_MANAGE)
    found = await tools.store.read(lambda tx: rows.list_of_page(tx, args))
    return pages.cut(found, args, scope=pages.scope_of(SCOPE_OF_PAGES), key_of=lambda each: (each.id,))


async def list_by_id(tools: Tools, viewer: Viewer, endpoint_ids: Sequence[str]) -> list[Endpoint | None]:
    """Endpoints in the order asked, None where the viewer may not see them."""
    if not viewer.has(Scope.WEBHOOKS_MANAGE):
        return [None] * len(endpoint_ids)
    return await tools.store.read(lambda tx: rows.list_of(tx, endpoint_ids))


async def standings_of(tools: Tools, viewer: Viewer, of: Sequence[Endpoint]) -> list[Standing]:
    """How far endpoints were told, in the order asked.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage webhooks.
    """
    viewer.require(Scope.WEBHOOKS_MANAGE)
    return await tools.store.read(lambda tx: _standings(tx, of))


def list_with_standings(tx: Tx, args: PageArgs) -> list[tuple[Endpoint, Standing]]:
    """Up to one endpoint more than the page holds, the newest first, and how far each was told."""
    found = rows.list_of_page(tx, args)
    return list(zip(found, _standings(tx, found), strict=True))


async def secrets_of(tools: Tools, viewer: Viewer, of: Sequence[Endpoint]) -> list[tuple[Secret, ...]]:
    """The secrets that sign for endpoints now, the newest first, in the order asked; never what they are.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage webhooks.
    """
    viewer.require(Scope.WEBHOOKS_MANAGE)
    now = tools.clock()
    found = await tools.store.read(lambda tx: rows.secrets_of(tx, [each.id for each in of], now=now))
    return [found.get(each.id, ()) for each in of]


def tell(tools: Tools, tx: Tx, endpoint: Endpoint) -> None:
    """Tells whoever follows that an endpoint changed; the caller holds it."""
    body: journal.Body = {
        "state": endpoint.state.value,
        "reason": None if endpoint.reason is None else endpoint.reason.value,
        "revision": endpoint.revision,
    }
    line = journal.NewEvent(tools.new_id(ids.EVENT), endpoint.id, CHANGED, body, topic_seq=endpoint.revision)
    journal_rows.append(tx, line)


def _standings(tx: Tx, of: Sequence[Endpoint]) -> list[Standing]:
    mark, head = epochs.current(tx).mark, tx.head.seq
    found = rows.places_of(tx, [each.id for each in of])
    places = [found[each.id] for each in of]
    return [Standing(each, cursors.write_cursor(cursors.Place(mark, each.seq)), head - each.seq) for each in places]


def _get(tx: Tx, endpoint_id: str, expected_revision: int | None) -> Endpoint:
    found = rows.get(tx, endpoint_id)
    if expected_revision not in {None, found.revision}:
        raise errors.StaleRevisionError(current_revision=found.revision)
    return found


def _check_room(tx: Tx) -> None:
    rows.hold_all(tx)
    if rows.count_open(tx) >= rules.ENDPOINTS_MAX:
        msg = f"There are {rules.ENDPOINTS_MAX} endpoints already; disable one."
        raise errors.ValidationError(msg, code="TOO_MANY")


def _secret(courier: Courier, endpoint_id: str, number: int, salt: str, now: datetime) -> Secret:
    digest = rules.digest_of(courier.secret(endpoint_id, salt))
    return Secret(endpoint_id, number, salt, digest, created_at=now, expires_at=None)


def _made(courier: Courier, done: Done[Endpoint], salt: str) -> Made:
    text = None if done.replayed else rules.write_secret(courier.secret(done.value.id, salt))
    return Made(done.value, text, done.replayed)
