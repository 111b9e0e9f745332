"""What an order is decided upon, in as few statements as holding rows allows.

Where several processes write, the offer and its creator are held first, the wallet next, and only then is read what
nobody can change any more beside. Where one writes, nobody changes anything beside, so it is all read at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import ids
from shoutgraph.domain.capacity import Places
from shoutgraph.domain.creators import Creator, Offer
from shoutgraph.domain.features import Feature
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.spending import Standing
from shoutgraph.domain.wallets import Lock
from shoutgraph.storage import creators, features, policies, spending, waitlist, wallets
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a fan stands who would order: with the creator, with their wallet, and with themselves."""

    fan_id: ids.UserId
    places: Places
    lock: Lock | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Sale:
    """What is sold, by whom, under which policy, whether rules say for whom, and the fan's stand where it is known."""

    offer: Offer
    creator: Creator
    policy: Policy
    ruled: bool
    stand: Stand | None = None


def find_sale(tx: Tx, offer_id: str, fan_id: ids.UserId) -> Sale | None:
    """What an order of this offer would be decided upon, or None where there is no such offer.

    A unit of work that writes holds the offer and its creator from now on.
    """
    if tx.shared:
        row = tx.one(_SALE, offer_id=offer_id)
        return None if row is None else _sale(row)
    row = tx.one(_BOTH, offer_id=offer_id, **_asked(tx, fan_id))
    return None if row is None else _sale(row[: len(_SOLD)], _stand(fan_id, row[len(_SOLD) :]))


def foresee_sale(tx: Tx, offer_id: str) -> None:
    """Asks ahead what `find_sale` will ask."""
    tx.foresee(_SALE, offer_id=offer_id)


def stand(tx: Tx, sale: Sale, fan_id: ids.UserId) -> Stand:
    """Where a fan stands. Whoever goes by the places holds the creator; by the rest, the wallet."""
    if sale.stand is not None:
        return sale.stand
    row = tx.one(_STAND, offer_id=sale.offer.id, **_asked(tx, fan_id))
    assert row is not None, "the offer is there, and who orders is a user"
    return _stand(fan_id, row)


def foresee_stand(tx: Tx, offer_id: str, fan_id: ids.UserId) -> None:
    """Asks ahead what `stand` will ask."""
    tx.foresee(_STAND, offer_id=offer_id, **_asked(tx, fan_id))


def _asked(tx: Tx, fan_id: ids.UserId) -> dict[str, object]:
    return {"fan_id": fan_id, "now": tx.now, **spending.windows(tx, fan_id)}


def _sale(row: Sequence[Any], stand: Stand | None = None) -> Sale:
    *sold, body, ruled = row
    return Sale(*creators.read_offer_with_creator(sold), policies.read_newest(body), ruled, stand)


def _stand(fan_id: ids.UserId, row: Sequence[Any]) -> Stand:
    lock = None if row[0] is None else Lock(*row[:_LOCK])
    places = waitlist.read_places(row[_LOCK:_PLACES])
    return Stand(fan_id, places, lock, spending.read_standing(fan_id, row[_PLACES:]))


_OFFERS: Final = creators.OFFERS
_CREATORS: Final = creators.CREATORS
_USERS: Final = spending.USERS
_ID: Final = _OFFERS.c.id == sa.bindparam("offer_id")
_SOLD: Final = (
    *creators.OFFER_WITH_CREATOR,
    policies.NEWEST.label("policy"),
    features.is_ruled(Feature.SHOUTOUTS).label("ruled"),
)
_STANDS: Final = (
    *wallets.LOCK_COLUMNS,
    *waitlist.places_columns(_OFFERS.c.creator_id, _OFFERS),
    *spending.STANDING_COLUMNS,
)
_LOCK: Final = len(wallets.LOCK_COLUMNS)
_PLACES: Final = len(_STANDS) - len(spending.STANDING_COLUMNS)


def _standing(of: sa.FromClause) -> sa.FromClause:
    """Joins where the fan stands to whatever the offer comes from."""
    entry, mine = waitlist.mine_of(_OFFERS.c.creator_id)
    with_fan = of.outerjoin(entry, mine).join(_USERS, _USERS.c.id == sa.bindparam("user_id"))
    return spending.join_guard(with_fan).outerjoin(wallets.LOCKS, wallets.LOCKS.c.user_id == _USERS.c.id)


def _sold() -> sa.FromClause:
    return _OFFERS.join(_CREATORS, _CREATORS.c.id == _OFFERS.c.creator_id)


_SALE: Final = Statement[Any](lambda: sa.select(*_SOLD).select_from(_sold()).where(_ID), holds=(_OFFERS, _CREATORS))
_STAND: Final = Statement[Any](lambda: sa.select(*_STANDS).select_from(_standing(_OFFERS)).where(_ID))
_BOTH: Final = Statement[Any](lambda: sa.select(*_SOLD, *_STANDS).select_from(_standing(_sold())).where(_ID))
