"""Onboarding: a provider gets to know a recipient. What is asked for is stored first, and asked once under one key.

An answer that was lost is asked for again under the same key, for which what the recipient told is kept; it is
forgotten as soon as the provider has taken it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import countries, errors, ids, onboarding as rules
from shoutgraph.domain.features import Feature
from shoutgraph.domain.onboarding import Onboarding, RecipientSeen, Sight, Wanted
from shoutgraph.domain.recipients import Recipient, RecipientState, check_place, check_recipient
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Viewer
from shoutgraph.plugins.payouts import Payouts
from shoutgraph.services.payouts import apply
from shoutgraph.services.payouts.sights import TIMEOUT
from shoutgraph.storage import creators, features, payout_holds, recipients
from shoutgraph.storage.recipients import Claimed
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once, side_by_side

CHANGED: Final = "recipient.changed"
REMOVED: Final = "recipient.removed"
URL_CHARS_MAX: Final = 2_000
LOOK: Final = timedelta(seconds=70)
"""What a look takes at the very most."""
LEASE: Final = 2 * LOOK
ANSWER_DUE: Final = timedelta(seconds=90)
"""After this an answer is overdue, and asked for again."""


@dataclass(frozen=True, slots=True)
class Introduction:
    """Whom a provider is to know: what the creator calls it, and the answers to the provider's requirements."""

    provider_code: str
    label: str
    country: str
    currency: str
    return_url: str
    answers: Mapping[str, str] = field(repr=False)


def requirements(
    tools: Tools, viewer: Viewer, provider_code: str, country: str, currency: str
) -> tuple[sdk.Requirement, ...] | None:
    """What a recipient there has to tell; None where no such money is sent there, nothing where nothing is asked.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator.
        ValidationError: it is no country.
        NotFoundError: there is no such provider.
    """
    viewer.require_creator()
    _check_country(country, ("country",))
    way = tools.providers.payouts.get(provider_code)
    if way is None:
        raise errors.NotFoundError("There is no such provider.", path=("providerCode",))
    if not way.caps.onboarding:
        return ()
    return way.requirements(country, currency) or None


async def introduce(tools: Tools, viewer: Viewer, asked: Request, wish: Introduction) -> Done[Recipient]:
    """Stores where a creator's money is to go, and makes it known to the provider.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator.
        ValidationError: an answer, the label, the country or the address to return to does not fit.
        FeatureUnavailableError: payouts are off for the viewer.
        LimitExceededError: there are too many recipients.
        ProviderUnavailableError: there is no such provider, it asks nothing, or it cannot say now.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    creator_id, user_id = viewer.require_creator(), viewer.require_user()
    check_recipient(label=wish.label)
    _check_country(wish.country, ("input", "country"))
    _check_url(wish.return_url)

    def work(tx: Tx) -> Recipient:
        features.require(tx, Feature.PAYOUTS, user_id)
        way = _way(tools, wish.provider_code)
        if not way.caps.onboarding:
            raise errors.ProviderUnavailableError("This provider asks nothing.", path=("input", "providerCode"))
        wanted = _asked(way, wish.country, wish.currency)
        rules.check_answers(wish.answers, tuple(Wanted(each.name, each.pattern, each.required) for each in wanted))
        require_place(tx, creator_id)
        recipient = Recipient(
            id=tools.new_id(ids.RECIPIENT),
            creator_id=creator_id,
            instance=wish.provider_code,
            label=wish.label,
            ref="",
            state=RecipientState.NEEDS_ACTION,
            created_at=tx.now,
        )
        recipients.insert(tx, recipient)
        intent = Onboarding(
            recipient_id=recipient.id,
            creator_id=creator_id,
            instance=wish.provider_code,
            key=recipient.id,
            country=wish.country,
            currency=wish.currency,
            return_url=wish.return_url,
            created_at=tx.now,
            updated_at=tx.now,
            answers=dict(wish.answers),
        )
        recipients.insert_onboarding(tx, intent, look_at=tx.now + ANSWER_DUE)
        return recipients.get(tx, recipient.id, creator_id)

    done = await once(tools, asked, work, lambda tx, found_id: recipients.get_ever(tx, found_id, creator_id))
    if done.replayed:
        return done
    return Done(await _told(tools, done.value.id, creator_id))


async def refresh(tools: Tools, viewer: Viewer, asked: Request, recipient_id: str) -> Done[Recipient]:
    """Looks at a recipient now, and gets a new link where the provider still needs something.

    One whose provider asks nothing stays as it is.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator.
        NotFoundError: there is no such recipient of this creator.
        ValidationError: the text is no recipient's id.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    creator_id = viewer.require_creator()
    ids.parse(ids.RECIPIENT, recipient_id, path=("input", "recipientId"))

    def work(tx: Tx) -> Recipient:
        return recipients.get(tx, recipient_id, creator_id)

    done = await once(tools, asked, work, lambda tx, found_id: recipients.get_ever(tx, found_id, creator_id))
    if done.replayed:
        return done
    return Done(await _told(tools, recipient_id, creator_id))


async def remove(tools: Tools, viewer: Viewer, asked: Request, recipient_id: str) -> Done[Recipient]:
    """Removes where a creator's money goes: nothing is sent there any more, and its reference is forgotten.

    Payouts that went there keep saying so; the provider is told nothing.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator.
        NotFoundError: there is no such recipient of this creator, or not any more.
        ValidationError: the text is no recipient's id, or a payout is on its way there.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    creator_id = viewer.require_creator()
    ids.parse(ids.RECIPIENT, recipient_id, path=("input", "recipientId"))

    def work(tx: Tx) -> Recipient:
        creators.hold(tx, creator_id)  # so that no payout there is asked for beside
        recipients.get(tx, recipient_id, creator_id)
        if payout_holds.is_under_way_to(tx, creator_id, recipient_id):
            msg = "A payout is on its way there: cancel it, or wait until it has ended."
            raise errors.ValidationError(msg, code="RECIPIENT_IN_USE", path=("input", "recipientId"))
        recipients.find_onboarding(tx, recipient_id)  # held, so that no look says more of it
        recipients.remove(tx, recipient_id)
        apply.note(tools, tx, recipient_id, REMOVED, {"creator": creator_id})
        return recipients.get_ever(tx, recipient_id, creator_id)

    return await once(tools, asked, work, lambda tx, found_id: recipients.get_ever(tx, found_id, creator_id))


async def look_due(tools: Tools, *, limit: int) -> int:
    """Looks at recipients that are due, so many together; gives how many."""
    if not await tools.store.read(recipients.has_due):
        return 0
    claimed = await tools.store.write(lambda tx: recipients.claim_due(tx, lease=LEASE, limit=limit))
    done = await side_by_side(
        "look at",
        claimed,
        lambda each: _look(tools, each.onboarding, each),
        name=lambda each: each.onboarding.recipient_id,
    )
    return len(done)


def notified(tools: Tools, tx: Tx, instance: str, notice: sdk.Notice) -> bool:
    """Applies what a provider tells of a recipient, in the unit of work that claims it; a hint asks for a look."""
    ref = notice.target.ref
    before = None if ref is None else recipients.find_by_ref(tx, instance=instance, ref=ref)
    if before is None:
        return False
    if notice.observation is None:
        recipients.look_soon(tx, before.recipient_id)
        return True
    sight = _sight_of(notice.observation)
    if sight is None:
        return False
    _keep(tools, tx, before, sight, None)
    return True


async def _told(tools: Tools, recipient_id: str, creator_id: ids.CreatorId) -> Recipient:
    before = await tools.store.read(lambda tx: recipients.find_onboarding(tx, recipient_id))
    if before is not None:
        await _look(tools, before, None)
    return await tools.store.read(lambda tx: recipients.get_ever(tx, recipient_id, creator_id))


async def _look(tools: Tools, before: Onboarding, claimed: Claimed | None) -> None:
    if claimed is not None and not claimed.lease.leaves(LOOK, now=tools.clock()):
        return  # others take it up, when the lease has run out
    way = tools.providers.payouts.get(before.instance)
    if way is None:
        sight: Sight | None = Sight(RecipientSeen.UNKNOWN)
    else:
        sight = _sight_of(await _ask(tools, way, before))
    assert sight is not None, "an answer of the fence is one of a recipient"

    def work(tx: Tx) -> None:
        now = recipients.find_onboarding(tx, before.recipient_id)
        assert now is not None, "recipients are never deleted"
        _keep(tools, tx, now, sight, claimed)

    await tools.store.write(work)


async def _ask(tools: Tools, way: Payouts, before: Onboarding) -> sdk.RecipientOutcome:
    """Asks about a recipient that the provider knows, or makes it known; once more where its page has closed."""
    call = sdk.Call(before.recipient_id, before.key, TIMEOUT)
    if before.ref is not None:
        seen = await way.recipient_status(before.ref, call)
        if not isinstance(seen, sdk.NeedsAction) or seen.expires_at > tools.clock():
            return seen
    elif before.answers is None:
        return sdk.Unknown("forgotten")
    request = sdk.OnboardRequest(
        call=call,
        recipient_id=before.recipient_id,
        country=before.country,
        currency=before.currency,
        values=before.answers or {},
        return_url=before.return_url,
        refresh_url=before.return_url,
    )
    return await way.onboard(request)


def _keep(tools: Tools, tx: Tx, before: Onboarding, sight: Sight, claimed: Claimed | None) -> None:
    (known,) = recipients.list_of(tx, [before.recipient_id])
    if known is None or known.removed_at is not None:
        return  # whatever its provider says of it now concerns nobody
    after = rules.given_up(rules.observe(before, sight, now=tx.now), now=tx.now)
    looks = claimed.looks + 1 if claimed is not None and after.state is before.state else 0
    due = rules.next_look(after, looks=looks, now=tx.now)
    recipients.save_onboarding(tx, after, look_at=due, looks=looks, lease=None if claimed is None else claimed.lease)
    if after.state is not before.state:
        body = {"status": after.state.value, "previous": before.state.value, "creator": after.creator_id}
        apply.note(tools, tx, after.recipient_id, CHANGED, body)


def _sight_of(seen: object) -> Sight | None:
    match seen:
        case sdk.Ready(ref=ref):
            return Sight(RecipientSeen.READY, ref)
        case sdk.NeedsAction(ref=ref, action=action, expires_at=expires_at):
            url = action.url if isinstance(action, sdk.Redirect) else None
            return Sight(RecipientSeen.NEEDS_ACTION, ref, url=url, expires_at=expires_at)
        case sdk.Restricted(ref=ref, code=code):
            return Sight(RecipientSeen.RESTRICTED, ref, code)
        case sdk.Declined(code=code):
            return Sight(RecipientSeen.DECLINED, code=code)
        case sdk.NotExecuted() | sdk.Unknown():
            return Sight(RecipientSeen.UNKNOWN)
        case _:
            return None


def _way(tools: Tools, provider_code: str) -> Payouts:
    way = tools.providers.payouts.get(provider_code)
    if way is None:
        raise errors.ProviderUnavailableError("There is no such provider.", path=("input", "providerCode"))
    return way


def _asked(way: Payouts, country: str, currency: str) -> tuple[sdk.Requirement, ...]:
    found = way.requirements(country, currency)
    if not found or currency not in way.caps.currencies:
        raise errors.ProviderUnavailableError("This provider sends no such money there.", path=("input", "country"))
    return found


def require_place(tx: Tx, creator_id: ids.CreatorId) -> None:
    """Refuses one recipient too many; of two that come at once, the second sees the first.

    Raises:
        LimitExceededError: the creator has as many recipients as are allowed.
    """
    creators.hold(tx, creator_id)
    check_place(recipients.list_of_creator(tx, creator_id))


def _check_country(country: str, path: tuple[str, ...]) -> None:
    if not countries.is_country(country):
        msg = "This is no ISO 3166-1 country code in capitals, such as DE."
        raise errors.ValidationError(msg, code="INVALID_COUNTRY", path=path)


def _check_url(url: str) -> None:
    if not url.startswith(("https://", "http://")) or len(url) > URL_CHARS_MAX or not url.isprintable():
        msg = f"This is no web address of at most {URL_CHARS_MAX} characters."
        raise errors.ValidationError(msg, code="INVALID_URL", path=("input", "returnUrl"))
