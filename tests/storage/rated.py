"""Ratings as storage sees them: completed orders between two people, and what was said of each."""

from datetime import timedelta

from shoutgraph.domain import ids
from shoutgraph.domain.orders.order import Order, Terms
from shoutgraph.domain.orders.rating import Rating
from shoutgraph.domain.orders.states import State
from shoutgraph.storage import ratings
from shoutgraph.storage.orders import _INSERT, _params
from shoutgraph.storage.tx import Tx

EDITABLE = timedelta(days=14)


def complete(tx: Tx, number: int, creator_id: ids.CreatorId) -> Order:
    """A completed order that cost nothing any more."""
    order = Order(
        id=ids.OrderId(f"order_{number:026d}"),
        revision=1,
        state=State.COMPLETED,
        fan_id=ids.UserId("user_fan"),
        creator_id=creator_id,
        offer_id=ids.OfferId("offer_1"),
        terms=Terms(1, 3_000, 250, 0, 60, 86_400),
        price_coins=250,
        promo_coins=0,
        created_at=tx.now,
        updated_at=tx.now,
        state_at=tx.now,
        closed_at=tx.now,
    )
    tx.run(_INSERT, **_params(order))
    return order


def rate(tx: Tx, number: int, creator_id: ids.CreatorId, *, stars: int) -> Rating:
    """A new rating of a new order."""
    order = complete(tx, number, creator_id)
    rating = Rating(
        id=ids.RatingId(f"rating_{number:026d}"),
        revision=1,
        order_id=order.id,
        creator_id=creator_id,
        fan_id=order.fan_id,
        stars=stars,
        hidden=False,
        created_at=tx.now,
        updated_at=tx.now,
        editable_until=tx.now + EDITABLE,
        opinion="So.",
    )
    ratings.insert(tx, rating)
    return rating
