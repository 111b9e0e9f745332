"""What it would cost to be paid, where the provider says so before."""

from dataclasses import dataclass
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import errors, ids
from shoutgraph.domain.recipients import RecipientState
from shoutgraph.domain.users import Viewer
from shoutgraph.services.payouts.sights import TIMEOUT
from shoutgraph.storage import policies, recipients
from shoutgraph.tools import Tools

PATH: Final = ("recipientId",)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What coins are worth, and what the provider says of sending that; None where it gives no quote."""

    amount: sdk.Money
    quote: sdk.Quote | None


async def quote(tools: Tools, viewer: Viewer, *, coins: int, recipient_id: str) -> Estimate:
    """What sending these coins to one's own recipient costs now, and what arrives. Nothing is sent.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator.
        NotFoundError: there is no such recipient of this creator.
        ValidationError: the text is no recipient's id, money cannot go there, or the coins are none.
    """
    creator_id = viewer.require_creator()
    ids.parse(ids.RECIPIENT, recipient_id, path=PATH)
    if coins <= 0:
        raise errors.ValidationError("A quote is for at least one coin.", code="OUT_OF_RANGE", path=("coins",))
    recipient = await tools.store.read(lambda tx: recipients.get(tx, recipient_id, creator_id))
    policy = await tools.store.read(policies.current)
    way = tools.providers.payouts.get(recipient.instance)
    amount = sdk.Money(policy.par_minor(coins), policy.book_currency)
    if way is None or not way.caps.quotes:
        return Estimate(amount, None)
    if recipient.state is not RecipientState.READY:
        msg = "The provider still needs something from you before money can go there."
        raise errors.ValidationError(msg, code="RECIPIENT_NOT_READY", path=PATH)
    call = sdk.Call(tools.new_id(ids.CALL), recipient.id, TIMEOUT)
    seen = await way.quote(sdk.QuoteRequest(call, amount, recipient.ref))
    return Estimate(amount, seen if isinstance(seen, sdk.Quote) else None)
