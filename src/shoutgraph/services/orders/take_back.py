"""Taking back what a creator earned with an order once it has matured: what is available, the reserve, then a debt."""

from shoutgraph.domain import earnings as rules
from shoutgraph.domain.earnings import EarningKind
from shoutgraph.domain.maturing import TakenBack
from shoutgraph.domain.orders.order import Order
from shoutgraph.storage import creators, earnings
from shoutgraph.storage.tx import Tx


def draw(tx: Tx, order: Order, coins: int) -> TakenBack:
    """Draws coins from what the order's creator has: with this order's earning first, then the oldest.

    Whoever draws holds the order; the creator is held here, so that no payout takes the same coins, then each earning.
    Says who owes what is missing.
    """
    creator = creators.get(tx, order.creator_id)
    own = earnings.find_of_subject(tx, EarningKind.ORDER, order.id)
    names = [] if own is None else [own.id]
    names += [each.id for each in earnings.list_of_free(tx, order.creator_id)]
    names += [each.id for each in earnings.list_of_reserved(tx, order.creator_id)]
    found = [each for each in earnings.list_of(tx, list(dict.fromkeys(names))) if each is not None]
    changed, drawn = rules.draw(found, coins)
    earnings.save(tx, changed)
    return TakenBack(creator.id, creator.user_id, drawn)
