"""Creators and their offers.

The database keeps in step by triggers: a creator's cheapest active offer, the sum and number of their ratings, and the
text that the catalogue searches; response time and badges are those of their reputation. Units: coins, seconds, days.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import catalogue, creators, errors, ids, reputation
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import Creator, Offer
from shoutgraph.domain.orders.order import Occasion
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import columns, values
from shoutgraph.storage.columns import Integer, Micros, Tags, Text, Truth, Words, one_of, truth
from shoutgraph.storage.statements import Hold, Statement
from shoutgraph.storage.tx import Tx

_AVERAGE: Final = "CASE WHEN rating_count = 0 THEN 0 ELSE (200 * rating_sum + rating_count) / (2 * rating_count) END"
_LISTED: Final = "price_from_coins IS NOT NULL"


def _sort_index(name: str, *by: str) -> sa.Index:
    listed = sa.text(_LISTED)
    return sa.Index(f"creator_{name}", *by, "id", sqlite_where=listed, postgresql_where=listed)


class CreatorRow(SQLModel, table=True):
    """A creator. `number` is the row's place in the search index, `facets` the words under which it is found there.

    Lists sort by `name_sort` and the average.
    """

    __tablename__ = "creator"
    __table_args__ = (
        sa.CheckConstraint("revision > 0 AND length(country) = 2 AND open_orders_max > 0", name="creator_shape"),
        sa.CheckConstraint(
            f"rating_count >= 0 AND rating_sum BETWEEN rating_count AND {creators.STARS_MAX} * rating_count",
            name="rating",
        ),
        truth("open"),
        truth("featured"),
        _sort_index("featured_first", "featured", "rating_hundredths"),
        _sort_index("cheapest", "price_from_coins"),
        _sort_index("best", "rating_hundredths", "rating_count"),
        _sort_index("newest", "created_at"),
        _sort_index("by_name", "name_sort"),
        _sort_index("fastest", "response_sort_s"),
        {"sqlite_strict": True},
    )

    number: int | None = Field(default=None, sa_type=Integer, primary_key=True)
    id: str = Field(sa_type=Text, unique=True)
    revision: int = Field(sa_type=Integer)
    user_id: str = Field(sa_type=Text, unique=True, foreign_key="users.id")
    handle: str = Field(sa_type=Text, unique=True)
    name: str = Field(sa_type=Text)
    country: str = Field(sa_type=Text)
    categories: str = Field(sa_type=Tags(Category))
    languages: str = Field(sa_type=Tags(str))
    bio: str = Field(sa_type=Text)
    avatar_url: str | None = Field(sa_type=Text)
    open_orders_max: int | None = Field(sa_type=Integer)
    open: bool = Field(sa_type=Truth)
    paused_until: datetime | None = Field(sa_type=Micros)
    featured: bool = Field(sa_type=Truth)
    rating_sum: int = Field(sa_type=Integer)
    rating_count: int = Field(sa_type=Integer)
    price_from_coins: int | None = Field(sa_type=Integer)
    created_at: datetime = Field(sa_type=Micros)
    takes_gifts: bool = Field(
        sa_column=sa.Column(Truth, truth("takes_gifts"), server_default=sa.text("1"), nullable=False)
    )
    named_in_proofs: bool = Field(
        sa_column=sa.Column(Truth, truth("named_in_proofs"), server_default=sa.text("0"), nullable=False)
    )
    response_sort_s: int = Field(
        sa_column=sa.Column(
            Integer,
            sa.CheckConstraint("response_sort_s >= 0"),
            server_default=sa.text(str(reputation.UNKNOWN_S)),
            nullable=False,
        )
    )
    badges: str = Field(sa_column=sa.Column(Tags(reputation.Badge), server_default=sa.text("'|'"), nullable=False))
    name_sort: str = Field(sa_type=Text)
    facets: str = Field(sa_type=Text)
    rating_hundredths: int = Field(sa_column=sa.Column(Integer, sa.Computed(_AVERAGE, persisted=True), nullable=False))


class OfferRow(SQLModel, table=True):
    """Something a creator sells. Never deleted: orders name it."""

    __tablename__ = "offer"
    __table_args__ = (
        sa.CheckConstraint("revision > 0 AND price_coins > 0 AND express_coins > 0", name="offer_price"),
        sa.CheckConstraint("duration_max_s > 0 AND delivery_days > 0", name="offer_promise"),
        one_of("occasion", Occasion),
        truth("active"),
        sa.Index("offer_creator", "creator_id", "active", "price_coins", "occasion"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    revision: int = Field(sa_type=Integer)
    creator_id: str = Field(sa_type=Text, foreign_key="creator.id")
    occasion: Occasion = Field(sa_type=Words(Occasion))
    title: str = Field(sa_type=Text)
    price_coins: int = Field(sa_type=Integer)
    duration_max_s: int = Field(sa_type=Integer)
    delivery_days: int = Field(sa_type=Integer)
    express_coins: int | None = Field(sa_type=Integer)
    active: bool = Field(sa_type=Truth)
    created_at: datetime = Field(sa_type=Micros)
    business_coins: int | None = Field(sa_column=sa.Column(Integer, sa.CheckConstraint("business_coins >= 0")))


CREATORS: Final = columns.table_of(CreatorRow)
OFFERS: Final = columns.table_of(OfferRow)
COLUMNS: Final = tuple(CREATORS.c[name] for name in Creator.__slots__)
"""The columns of a creator in the order of its value."""
creator_of: Final = values.maker(Creator)
_offer_of: Final = values.maker(Offer)

_KEPT: Final = frozenset({"rating_sum", "rating_count", "price_from_coins", "response_sort_s", "badges"})
"""Columns that change on their own, outside revisions."""
_WRITTEN: Final = tuple(name for name in Creator.__slots__ if name not in _KEPT)
_DERIVED: Final = ("name_sort", "facets")
_OFFER: Final = tuple(OFFERS.c[name] for name in Offer.__slots__)

_INSERT: Final = Statement[Any](
    lambda: sa.insert(CREATORS).values(
        {name: sa.bindparam(name) for name in (*_WRITTEN, *_DERIVED)} | {"rating_sum": 0, "rating_count": 0}
    )
)
_SAVE: Final = Statement[Any](
    lambda: (
        sa.update(CREATORS)
        .where(CREATORS.c.id == sa.bindparam("of"), CREATORS.c.revision == sa.bindparam("previous_revision"))
        .values({name: sa.bindparam(name) for name in (*_WRITTEN, *_DERIVED) if name != "id"})
    )
)
_GET: Final = Statement[Any](lambda: sa.select(*COLUMNS).where(CREATORS.c.id == sa.bindparam("id")), holds=CREATORS)
_HOLD: Final = Statement[Any](
    lambda: sa.select(*COLUMNS).where(columns.any_of(CREATORS.c.id, "ids")).order_by(CREATORS.c.id), holds=CREATORS
)
_JUDGED: Final = Statement[Any](
    lambda: (
        sa.update(CREATORS)
        .where(CREATORS.c.id == sa.bindparam("of"))
        .values({name: sa.bindparam(f"to_{name}") for name in ("response_sort_s", "badges", "facets")})
    )
)
_FIND_BY_HANDLE: Final = Statement[Any](lambda: sa.select(*COLUMNS).where(CREATORS.c.handle == sa.bindparam("handle")))
_FIND_BY_USER: Final = Statement[Any](lambda: sa.select(*COLUMNS).where(CREATORS.c.user_id == sa.bindparam("user_id")))
_FIND_ID: Final = Statement[tuple[ids.CreatorId]](
    lambda: sa.select(CREATORS.c.id).where(CREATORS.c.user_id == sa.bindparam("user_id"))
)
_LIST: Final = Statement[Any](lambda: sa.select(*COLUMNS).where(columns.any_of(CREATORS.c.id, "ids")))

OFFER_WITH_CREATOR: Final = (*_OFFER, *COLUMNS)
_INSERT_OFFER: Final = Statement[Any](
    lambda: sa.insert(OFFERS).values({name: sa.bindparam(name) for name in Offer.__slots__})
)
_SAVE_OFFER: Final = Statement[Any](
    lambda: (
        sa.update(OFFERS)
        .where(OFFERS.c.id == sa.bindparam("of"), OFFERS.c.revision == sa.bindparam("previous_revision"))
        .values({name: sa.bindparam(name) for name in Offer.__slots__ if name != "id"})
    )
)
_GET_OFFER: Final = Statement[Any](lambda: sa.select(*_OFFER).where(OFFERS.c.id == sa.bindparam("id")), holds=OFFERS)
_LIST_OFFERS: Final = Statement[Any](lambda: sa.select(*_OFFER).where(columns.any_of(OFFERS.c.id, "ids")))
_OFFERS_OF: Final = Statement[Any](
    lambda: (
        sa.select(*_OFFER)
        .where(columns.any_of(OFFERS.c.creator_id, "creator_ids"))
        .order_by(OFFERS.c.creator_id, OFFERS.c.active.desc(), OFFERS.c.price_coins, OFFERS.c.id)
    )
)
_COUNT_OFFERS: Final = Statement[tuple[int]](
    lambda: sa.select(sa.func.count()).where(OFFERS.c.creator_id == sa.bindparam("creator_id"))
)
_OFFER_WITH_CREATOR: Final = Statement[Any](
    lambda: (
        sa.select(*OFFER_WITH_CREATOR)
        .join(CREATORS, CREATORS.c.id == OFFERS.c.creator_id)
        .where(OFFERS.c.id == sa.bindparam("id"))
    ),
    holds=(OFFERS, CREATORS),  # as the trigger takes them that keeps a creator's cheapest price
)


def insert(tx: Tx, creator: Creator) -> None:
    """Stores a new creator."""
    tx.put(_INSERT, **_params(creator))


def save(tx: Tx, creator: Creator) -> None:
    """Stores the next revision of a creator.

    Raises:
        StaleRevisionError: another revision was stored meanwhile.
    """
    params = _params(creator)
    if not tx.run(_SAVE, of=params.pop("id"), previous_revision=creator.revision - 1, **params):
        raise errors.StaleRevisionError(current_revision=get(tx, creator.id).revision)


def get(tx: Tx, creator_id: str) -> Creator:
    """A creator. A unit of work that writes holds them from now on.

    Raises:
        NotFoundError: there is no such creator.
    """
    row = tx.one(_GET, id=creator_id)
    if row is None:
        raise errors.NotFoundError("There is no such creator.", path=("input", "creatorId"))
    return creator_of(*row)


def foresee(tx: Tx, creator_id: str) -> None:
    """Asks ahead what `get` will ask, and so holds the creator."""
    tx.foresee(_GET, id=creator_id)


def hold(tx: Tx, creator_id: str) -> None:
    """Holds a creator, for what is counted or summed over all that is theirs; what only reads holds nothing."""
    if tx.hold is not Hold.NO:
        tx.one(_GET, id=creator_id)


def hold_all(tx: Tx, creator_ids: Sequence[str]) -> list[Creator]:
    """Those of these creators that there are, held in the order of their ids by a unit of work that writes."""
    return [creator_of(*row) for row in tx.all(_HOLD, ids=sorted(creator_ids))]


def show(tx: Tx, creator: Creator) -> None:
    """Puts a creator's response time and badges on the row that lists sort and filter by; the reputation has them."""
    facets = " ".join(catalogue.indexed(creator))
    tx.put(
        _JUDGED, of=creator.id, to_response_sort_s=creator.response_sort_s, to_badges=creator.badges, to_facets=facets
    )


def find_by_handle(tx: Tx, handle: str) -> Creator | None:
    """The creator with this handle, or None."""
    meant = creators.read_handle(handle)
    row = tx.one(_FIND_BY_HANDLE, handle=meant) if creators.can_be_handle(meant) else None
    return None if row is None else creator_of(*row)


def find_by_user(tx: Tx, user_id: str) -> Creator | None:
    """The creator profile of a user, or None."""
    row = tx.one(_FIND_BY_USER, user_id=user_id)
    return None if row is None else creator_of(*row)


def find_id_by_user(tx: Tx, user_id: str) -> ids.CreatorId | None:
    """The id of a user's creator profile, or None."""
    row = tx.one(_FIND_ID, user_id=user_id)
    return None if row is None else row[0]


def list_of(tx: Tx, creator_ids: Sequence[str]) -> list[Creator | None]:
    """Creators in the order asked, None where there is none."""
    found = {row[0]: creator_of(*row) for row in tx.all(_LIST, ids=list(creator_ids))}
    return [found.get(creator_id) for creator_id in creator_ids]


def insert_offer(tx: Tx, offer: Offer) -> None:
    """Stores a new offer."""
    tx.put(_INSERT_OFFER, **_offer_params(offer))


def save_offer(tx: Tx, offer: Offer) -> None:
    """Stores the next revision of an offer.

    Raises:
        StaleRevisionError: another revision was stored meanwhile.
    """
    params = _offer_params(offer)
    if not tx.run(_SAVE_OFFER, of=params.pop("id"), previous_revision=offer.revision - 1, **params):
        raise errors.StaleRevisionError(current_revision=get_offer(tx, offer.id).revision)


def get_offer(tx: Tx, offer_id: str) -> Offer:
    """An offer, active or not. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is no such offer.
    """
    row = tx.one(_GET_OFFER, id=offer_id)
    if row is None:
        raise errors.NotFoundError("There is no such offer.", path=("input", "offerId"))
    return _offer_of(*row)


def get_offer_with_creator(
    tx: Tx, offer_id: str, *, path: tuple[str, ...] = ("input", "offerId")
) -> tuple[Offer, Creator]:
    """An offer, active or not, and whose it is, in one statement; `path` is where the caller names it.

    A unit of work that writes holds both from now on.

    Raises:
        NotFoundError: there is no such offer.
    """
    row = tx.one(_OFFER_WITH_CREATOR, id=offer_id)
    if row is None:
        raise errors.NotFoundError("There is no such offer.", path=path)
    return read_offer_with_creator(row)


def read_offer_with_creator(row: Sequence[Any]) -> tuple[Offer, Creator]:
    """An offer and whose it is, read by `OFFER_WITH_CREATOR`."""
    return _offer_of(*row[: len(_OFFER)]), creator_of(*row[len(_OFFER) :])


def list_of_offers(tx: Tx, offer_ids: Sequence[str], viewer: Viewer) -> list[Offer | None]:
    """Offers in the order asked, None where there is none that this viewer may see."""
    found = {
        row[0]: offer for row in tx.all(_LIST_OFFERS, ids=list(offer_ids)) if visible(offer := _offer_of(*row), viewer)
    }
    return [found.get(offer_id) for offer_id in offer_ids]


def list_of_offers_by_creator(tx: Tx, creator_ids: Sequence[str], viewer: Viewer) -> list[tuple[Offer, ...]]:
    """Each creator's offers that this viewer may see: active ones first, the cheapest first."""
    by_creator: dict[str, list[Offer]] = {creator_id: [] for creator_id in creator_ids}
    for offer in _seen(tx.all(_OFFERS_OF, creator_ids=list(by_creator)), viewer):
        by_creator[offer.creator_id].append(offer)
    return [tuple(by_creator[creator_id]) for creator_id in creator_ids]


def count_offers(tx: Tx, creator_id: ids.CreatorId) -> int:
    """How many offers a creator has, active or not. Whoever goes by it holds the creator."""
    row = tx.one(_COUNT_OFFERS, creator_id=creator_id)
    assert row is not None, "a count has a row"
    return row[0]


def visible(offer: Offer, viewer: Viewer) -> bool:
    """Whether the viewer may see the offer: an active one, one of their own, or any for staff of the catalogue."""
    return offer.active or offer.creator_id == viewer.creator_id or viewer.has(Scope.CATALOGUE_MANAGE)


def _seen(rows: Iterable[Any], viewer: Viewer) -> Iterable[Offer]:
    return (offer for row in rows if visible(offer := _offer_of(*row), viewer))


def _params(creator: Creator) -> dict[str, Any]:
    params = {name: getattr(creator, name) for name in _WRITTEN}
    return params | {"name_sort": creators.sort_name(creator.name), "facets": " ".join(catalogue.indexed(creator))}


def _offer_params(offer: Offer) -> dict[str, Any]:
    return {name: getattr(offer, name) for name in Offer.__slots__}
