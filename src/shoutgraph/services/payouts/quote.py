"""What it would come to to be paid: the exchange, and what the provider says it costs, where it says so before."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import errors, ids
from shoutgraph.domain.exchanges import AMOUNT_MAX_MINOR
from shoutgraph.domain.recipients import Recipient, RecipientState
from shoutgraph.domain.users import Viewer
from shoutgraph.services.payouts import exchange
from shoutgraph.services.payouts.exchange import Desk, Terms
from shoutgraph.services.payouts.sights import TIMEOUT
from shoutgraph.storage import policies, recipients
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

PATH: Final = ("recipientId",)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What coins come to, until when their exchange holds, and what the provider says; None where it gives no quote."""

    terms: Terms
    holds_until: datetime | None
    quote: sdk.Quote | None


async def quote(tools: Tools, viewer: Viewer, *, coins: int, recipient_id: str) -> Estimate:
    """What sending these coins to one's own recipient comes to now, and what arrives. Nothing is sent.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator.
        NotFoundError: there is no such recipient of this creator.
        ValidationError: the text is no recipient's id, money cannot go there, the coins are none, or nobody has said
            what the account's currency is worth, or the coins are more than any payout sends.
        LimitExceededError: it is more than is exchanged at once.
    """
    creator_id = viewer.require_creator()
    ids.parse(ids.RECIPIENT, recipient_id, path=PATH)
    if coins <= 0:
        raise errors.ValidationError("A quote is for at least one coin.", code="OUT_OF_RANGE", path=("coins",))

    def query(tx: Tx) -> tuple[Recipient, Desk]:
        recipient, policy = recipients.get(tx, recipient_id, creator_id), policies.current(tx)
        way = tools.providers.payouts.get(recipient.instance)
        caps = sdk.PayoutCaps(currencies=frozenset()) if way is None else way.caps
        return recipient, exchange.open_desk(tx, recipient, caps, policy, path=PATH)

    recipient, desk = await tools.store.read(query)
    terms = desk.terms(coins)
    if max(terms.gross.minor, terms.amount.minor) > AMOUNT_MAX_MINOR:
        raise errors.ValidationError("No payout sends as much.", code="OUT_OF_RANGE", path=("coins",))
    until = None if terms.exchange is None else tools.clock() + timedelta(seconds=desk.policy.payout_quote_s)
    way = tools.providers.payouts.get(recipient.instance)
    if way is None or not way.caps.quotes:
        return Estimate(terms, until, None)
    if recipient.state is not RecipientState.READY:
        msg = "The provider still needs something from you before money can go there."
        raise errors.ValidationError(msg, code="RECIPIENT_NOT_READY", path=PATH)
    call = sdk.Call(tools.new_id(ids.CALL), recipient.id, TIMEOUT)
    asked = sdk.Money(terms.amount.minor, terms.amount.currency)
    seen = await way.quote(sdk.QuoteRequest(call, asked, recipient.ref))
    return Estimate(terms, until, seen if isinstance(seen, sdk.Quote) else None)
