"""Users: who is behind a token, and what people change of themselves."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.domain import ages, errors, ids, journal, users
from shoutgraph.domain.ages import Attested, Birth
from shoutgraph.domain.users import Principal, Scope, User, UserChanges, Viewer
from shoutgraph.storage import (
    ages as age_rows,
    audit,
    closures,
    creators as creator_rows,
    journal as journal_rows,
    users as user_rows,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

REMEMBERED_MAX: Final = 10_000
"""People whose ids are remembered between requests."""

ATTESTED: Final = "age.attested"
BIRTH_PATH: Final = ("input", "birthDate")

TRUSTED: Final = timedelta(seconds=10)
"""How long somebody who was found is not looked for again, and so how soon an erasure is felt by old tokens."""

_Identity = tuple[ids.UserId, ids.CreatorId | None, datetime, datetime | None]
"""Who they are, when that was looked up, and until when they were signed out."""


class Identities:
    """Who principals are.

    That a token's subject is a user is remembered for some seconds, that a user is a creator as long.
    That a user is no creator yet is asked again each time.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._known: OrderedDict[str, _Identity] = OrderedDict()

    async def identify(self, principal: Principal) -> Viewer:
        """The viewer behind a valid token; a provider's person is registered when first seen.

        Raises:
            UnauthenticatedError: the token names no user, and no tool with a scope either.
        """
        if principal.issuer is None and ids.prefix_of(principal.subject) != ids.USER:
            return _tool(principal)
        key = principal.full_subject or principal.subject
        now = self._tools.clock()
        user_id, creator_id, seen_at, signed_out_at = self._known.get(key) or (None, None, now, None)
        if user_id is None or not timedelta(0) <= now - seen_at < TRUSTED:
            user_id, signed_out_at = await self._look_up(principal)
            seen_at = now
        if creator_id is None:
            creator_id = await self._tools.store.read(lambda tx: creator_rows.find_id_by_user(tx, user_id))
        self._known[key] = (user_id, creator_id, seen_at, signed_out_at)
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)
        if signed_out_at is not None and (principal.issued_at is None or principal.issued_at <= signed_out_at):
            raise errors.UnauthenticatedError("This account was closed: sign in anew.")
        return Viewer(user_id, creator_id, principal.scopes, principal=user_id, expires_at=principal.expires_at)

    async def _look_up(self, principal: Principal) -> tuple[ids.UserId, datetime | None]:
        user_id, signed_out_at = await self._tools.store.read(lambda tx: _find(tx, principal))
        if user_id is None and principal.issuer is None:
            raise errors.UnauthenticatedError("The token names no user.")
        if user_id is None:
            user_id = await self._tools.store.write(
                lambda tx: _find(tx, principal)[0] or self._provision(tx, principal)
            )
        return user_id, signed_out_at

    def _provision(self, tx: Tx, principal: Principal) -> ids.UserId:
        user_id = ids.UserId(self._tools.new_id(ids.USER))
        user_rows.insert(tx, users.provision(principal, user_id=user_id, now=tx.now))
        born = principal.birth_date
        if born is not None:
            try:
                birth = _birth(tx, user_id, born, Attested.IDENTITY, by=str(principal.issuer))
            except errors.ValidationError:
                return user_id  # what a provider says of a person is a hint
            _keep(self._tools, tx, birth)
        return user_id


async def register(
    tools: Tools, viewer: Viewer, *, display_name: str, country: str, birth_date: str | None = None
) -> User:
    """Registers a user of this deployment's own tokens.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
        ValidationError: the name or the country breaks a rule (an `ExceptionGroup` where both do), or nobody is born
            then.
    """
    viewer.require(Scope.ADMIN)

    def work(tx: Tx) -> User:
        user_id = ids.UserId(tools.new_id(ids.USER))
        user = users.register(user_id=user_id, display_name=display_name, country=country, now=tx.now)
        user_rows.insert(tx, user)
        if birth_date is not None:
            _keep(tools, tx, _birth(tx, user_id, birth_date, Attested.STAFF, by=viewer.principal))
        return user

    return await tools.store.write(work)


async def update(
    tools: Tools,
    viewer: Viewer,
    changes: UserChanges,
    *,
    expected_revision: int | None,
    birth_date: str | None = None,
) -> User:
    """Changes what the viewer is called, or where they live; says once when they were born.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        StaleRevisionError: the user changed since the viewer read it.
        ValidationError: the name or the country breaks a rule (an `ExceptionGroup` where both do), nobody is born then,
            or another date of birth is known.
    """
    user_id = viewer.require_user()

    def work(tx: Tx) -> User:
        user = user_rows.get(tx, user_id)
        if expected_revision not in {None, user.revision}:
            raise errors.StaleRevisionError(current_revision=user.revision)
        changed = users.update(user, changes)
        user_rows.save(tx, changed)
        if birth_date is not None:
            said = _birth(tx, user_id, birth_date, Attested.SELF, by=viewer.principal)
            birth = ages.told(age_rows.find(tx, user_id), said)
            if birth is not None:
                _keep(tools, tx, birth)
        return changed

    return await tools.store.write(work)


async def correct_birth_date(tools: Tools, viewer: Viewer, user_id: str, birth_date: str) -> User:
    """Says when a person was born, in the place of what was known: after a look at a document, say.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
        NotFoundError: there is no such user.
        ValidationError: the text is no user's id, or nobody is born then.
    """
    viewer.require(Scope.ADMIN)
    ids.parse(ids.USER, user_id, path=("input", "userId"))

    def work(tx: Tx) -> User:
        user = user_rows.get(tx, user_id, path=("input", "userId"))
        before, after = age_rows.find(tx, user.id), _birth(tx, user.id, birth_date, Attested.STAFF, by=viewer.principal)
        _keep(tools, tx, after)
        audit.note(tx, user.id, *[{} if each is None else _vouched(each) for each in (before, after)])
        return user

    return await tools.store.write(work)


async def births_of(tools: Tools, viewer: Viewer, user_ids: Sequence[str]) -> list[Birth | None]:
    """When users were born, None where nobody said or this viewer may not know."""
    allowed = [user_id for user_id in user_ids if user_id == viewer.user_id or viewer.has(Scope.ADMIN)]
    found = await tools.store.read(lambda tx: age_rows.list_of(tx, allowed)) if allowed else []
    by_id = dict(zip(allowed, found, strict=True))
    return [by_id.get(user_id) for user_id in user_ids]


async def list_visible(tools: Tools, viewer: Viewer, user_ids: Sequence[str]) -> list[User | None]:
    """Users by id, None where there is none that this viewer may see: themselves, or anyone for an administrator."""
    allowed = [user_id for user_id in user_ids if user_id == viewer.user_id or viewer.has(Scope.ADMIN)]
    found = await tools.store.read(lambda tx: user_rows.list_of(tx, allowed)) if allowed else []
    by_id = dict(zip(allowed, found, strict=True))
    return [by_id.get(user_id) for user_id in user_ids]


def _vouched(birth: Birth) -> dict[str, object]:
    """What a line of the trail tells of a date of birth: everything but the date, which can be erased."""
    return {"attested": birth.attested, "attested_by": birth.attested_by, "attested_at": birth.at}


def _birth(tx: Tx, user_id: ids.UserId, text: str, attested: Attested, *, by: str) -> Birth:
    return Birth(user_id, ages.read(text, today=tx.now.date(), path=BIRTH_PATH), attested, by, tx.now)


def _keep(tools: Tools, tx: Tx, birth: Birth) -> None:
    """Stores a date of birth. The event says who vouches, never the date."""
    age_rows.save(tx, birth)
    body = {"user": birth.user_id, "attested": birth.attested.value, "by": birth.attested_by}
    journal_rows.append(tx, journal.NewEvent(tools.new_id(ids.EVENT), birth.user_id, ATTESTED, body))


def _find(tx: Tx, principal: Principal) -> tuple[ids.UserId | None, datetime | None]:
    subject = principal.full_subject
    user = user_rows.find(tx, principal.subject) if subject is None else user_rows.find_by_subject(tx, subject)
    if user is not None and user.erased_at is not None:
        raise errors.UnauthenticatedError("This account was erased.")
    if user is None:
        return None, None
    closure = None if user.closed_at is None else closures.find(tx, user.id)
    return user.id, None if closure is None else closure.signed_out_at


def _tool(principal: Principal) -> Viewer:
    """An internal tool: it has scopes, and no affairs of its own."""
    if not principal.scopes:
        raise errors.UnauthenticatedError("The token names no user.")
    return Viewer(scopes=principal.scopes, principal=principal.subject, expires_at=principal.expires_at)
