"""Campaigns, and the orders that were placed in them, each with its number.

Whoever writes here holds the creator. A number is given once and is never above the campaign's limit: the database
refuses any other, so there are never more orders in a campaign than it takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import campaigns, errors, money, pages
from shoutgraph.domain.campaigns import KEEPERS, Campaign, Piece, Standing
from shoutgraph.domain.users import Viewer
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Tags, Text, Words
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_STRICT: dict[str, Any] = {"sqlite_strict": True}


class CampaignRow(SQLModel, table=True):
    """A campaign; its terms never change."""

    __tablename__: ClassVar[str] = "campaign"
    __table_args__ = (
        sa.CheckConstraint("revision > 0 AND ends_at > starts_at", name="campaign_window"),
        sa.CheckConstraint("price_coins > 0 AND (price_coins IS NULL OR discount_bps IS NULL)", name="campaign_price"),
        sa.CheckConstraint(f"discount_bps BETWEEN 1 AND {campaigns.DISCOUNT_MAX_BPS}", name="campaign_discount"),
        sa.CheckConstraint("accept_s > 0 AND delivery_s > 0 AND orders_max > 0", name="campaign_limits"),
        sa.CheckConstraint(f"fee_bps BETWEEN 0 AND {money.BPS - 1}", name="campaign_fee"),
        sa.CheckConstraint("length(name) <= 80 AND length(note) <= 1000", name="campaign_words"),
        sa.CheckConstraint(
            "decided_by <> proposed_by AND (decided_by IS NULL) = (decided_at IS NULL)", name="campaign_decided"
        ),
        sa.CheckConstraint(
            "(standing = 'PROPOSED') = (fee_bps IS NOT NULL AND decided_by IS NULL)", name="campaign_standing"
        ),
        columns.one_of("standing", Standing),
        sa.Index("campaign_creator", "creator_id", "ends_at", "id"),
        sa.Index("campaign_ends", "ends_at", "id"),
        _STRICT,
    )
    id: str = Field(sa_column=sa.Column(Text, primary_key=True, nullable=False))
    revision: int = Field(sa_column=sa.Column(Integer, nullable=False))
    creator_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("creator.id"), nullable=False))
    name: str = Field(sa_column=sa.Column(Text, nullable=False))
    starts_at: datetime = Field(sa_column=sa.Column(Micros, nullable=False))
    ends_at: datetime = Field(sa_column=sa.Column(Micros, nullable=False))
    offer_ids: str = Field(sa_column=sa.Column(Tags(str), nullable=False))
    price_coins: int | None = Field(sa_column=sa.Column(Integer))
    discount_bps: int | None = Field(sa_column=sa.Column(Integer))
    accept_s: int | None = Field(sa_column=sa.Column(Integer))
    delivery_s: int | None = Field(sa_column=sa.Column(Integer))
    fee_bps: int | None = Field(sa_column=sa.Column(Integer))
    orders_max: int | None = Field(sa_column=sa.Column(Integer))
    countries: str = Field(sa_column=sa.Column(Tags(str), nullable=False))
    standing: Standing = Field(sa_column=sa.Column(Words(Standing), nullable=False))
    proposed_by: str = Field(sa_column=sa.Column(Text, nullable=False))
    created_at: datetime = Field(sa_column=sa.Column(Micros, nullable=False))
    decided_by: str | None = Field(sa_column=sa.Column(Text))
    decided_at: datetime | None = Field(sa_column=sa.Column(Micros))
    note: str | None = Field(sa_column=sa.Column(Text))
    ended_at: datetime | None = Field(sa_column=sa.Column(Micros))


class PieceRow(SQLModel, table=True):
    """An order in a campaign. Append-only."""

    __tablename__: ClassVar[str] = "campaign_order"
    __table_args__ = (
        sa.CheckConstraint("number > 0", name="campaign_order_number"),
        sa.UniqueConstraint("campaign_id", "number", name="campaign_order_once"),
        _STRICT,
    )
    order_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("orders.id"), primary_key=True, nullable=False))
    campaign_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("campaign.id"), nullable=False))
    number: int = Field(sa_column=sa.Column(Integer, nullable=False))
    placed_at: datetime = Field(sa_column=sa.Column(Micros, nullable=False))


_T: Final = columns.table_of(CampaignRow)
_PIECE: Final = columns.table_of(PieceRow)
_NAMES: Final = tuple(column.name for column in _T.c)
_CHANGING: Final = (
    "revision", "ends_at", "orders_max", "standing", "decided_by", "decided_at", "note", "ended_at",
)  # fmt: skip
_CREATORS: Final = sa.table("creator", sa.column("id", Text), sa.column("user_id", Text))


@dataclass(frozen=True, slots=True)
class Listing:
    """Which campaigns: of one creator or of all; those that take orders now by their end, or all, the newest first."""

    creator_id: str | None = None
    active: bool = False


def insert(tx: Tx, campaign: Campaign) -> None:
    """Stores a new campaign."""
    tx.put(_INSERT, **{name: getattr(campaign, name) for name in _NAMES})


def save(tx: Tx, campaign: Campaign) -> None:
    """Stores the next revision of a campaign.

    Raises:
        StaleRevisionError: another revision was stored meanwhile.
    """
    values = {name: getattr(campaign, name) for name in _CHANGING}
    if not tx.run(_SAVE, of_id=campaign.id, of_revision=campaign.revision - 1, **values):
        raise errors.StaleRevisionError(current_revision=get(tx, campaign.id).revision)


def insert_piece(tx: Tx, piece: Piece) -> None:
    """Keeps that an order was placed in a campaign. Whoever numbers it holds the creator."""
    tx.put(_INSERT_PIECE, **{name: getattr(piece, name) for name in Piece.__slots__})


def get(tx: Tx, campaign_id: str, *, path: tuple[str, ...] = campaigns.PATH) -> Campaign:
    """A campaign, with how many orders are in it; the caller names it at `path`. Whoever goes by it holds the creator.

    Raises:
        NotFoundError: there is no such campaign.
    """
    row = tx.one(_GET, id=campaign_id)
    if row is None:
        raise errors.NotFoundError("There is no such campaign.", path=path)
    return Campaign(*row)


def foresee(tx: Tx, campaign_id: str) -> None:
    """Asks ahead what `get` will ask."""
    tx.foresee(_GET, id=campaign_id)


def list_visible(tx: Tx, campaign_ids: Sequence[str], viewer: Viewer) -> list[Campaign | None]:
    """Campaigns in the order asked, None where there is none that this viewer may see."""
    found = {row[0]: Campaign(*row) for row in tx.all(_LIST, ids=list(campaign_ids))}
    return [each if (each := found.get(i)) is not None and each.visible(viewer) else None for i in campaign_ids]


def list_of_pieces(tx: Tx, order_ids: Sequence[str]) -> dict[str, Piece]:
    """Which campaigns orders were placed in, and as which number, by order."""
    return {row[0]: Piece(*row) for row in tx.all(_PIECES, ids=list(order_ids))}


def count_open(tx: Tx, creator_id: str) -> int:
    """How many campaigns of a creator have not ended. Whoever goes by it holds the creator."""
    row = tx.one(_COUNT_OPEN, creator_id=creator_id, now=tx.now)
    assert row is not None, "a count has a row"
    return row[0]


def list_open_of(tx: Tx, creator_id: str) -> list[Campaign]:
    """The campaigns of a creator that have not ended. Whoever goes by it holds the creator."""
    return [Campaign(*row) for row in tx.all(_OPEN_OF, creator_id=creator_id, now=tx.now)]


def list_active_of(tx: Tx, creator_ids: Sequence[str]) -> list[tuple[Campaign, ...]]:
    """The campaigns of creators that take orders now, those that end first first; a few of each."""
    by_creator: dict[str, list[Campaign]] = {creator_id: [] for creator_id in creator_ids}
    for row in tx.all(_ACTIVE_OF, creator_ids=list(by_creator), now=tx.now):
        campaign = Campaign(*row)
        by_creator[campaign.creator_id].append(campaign)
    return [tuple(by_creator[creator_id][: campaigns.SHOWN_MAX]) for creator_id in creator_ids]


def list_of_page(tx: Tx, args: pages.PageArgs, listing: Listing, viewer: Viewer) -> list[Campaign]:
    """Up to one campaign more than the page holds that this viewer may see, in the direction asked."""
    every = viewer.has(*KEEPERS)
    params: dict[str, object] = {} if every or listing.active else {"mine": viewer.creator_id or ""}
    if listing.creator_id is not None:
        params["creator_id"] = listing.creator_id
    if listing.active:
        params["now"] = tx.now
    key = {f"key_{at}": value for at, value in enumerate(args.key or ())}
    statement = _page(frozenset(params), args.backward, args.key is not None)
    return [Campaign(*row) for row in tx.all(statement, size=args.size + 1, **params, **key)]


def erase_of_user(tx: Tx, user_id: str) -> int:
    """Blanks what a creator called their campaigns. Says how many rows it touched."""
    return tx.run(_BLANK, of_user=user_id)


def export_of_user(tx: Tx, user_id: str) -> list[dict[str, Any]]:
    """The campaigns of a creator."""
    return [dict(zip(_NAMES, row, strict=True)) for row in tx.all(_EXPORT, user_id=user_id)]


def _campaigns() -> sa.Select[Any]:
    return sa.select(*_T.c, _count())


def _count() -> sa.ScalarSelect[int]:
    """How many orders are in a campaign: the highest number, since they are given one by one."""
    newest = sa.select(sa.func.coalesce(sa.func.max(_PIECE.c.number), 0))
    return newest.where(_PIECE.c.campaign_id == _T.c.id).correlate(_T).scalar_subquery()


def _not_over() -> tuple[sa.ColumnElement[bool], ...]:
    return (
        _T.c.creator_id == sa.bindparam("creator_id"),
        _T.c.ends_at > sa.bindparam("now"),
        _T.c.ended_at.is_(None),
        _T.c.standing != Standing.DENIED,
    )


def _active() -> tuple[sa.ColumnElement[bool], ...]:
    now = sa.bindparam("now", type_=Micros)
    return (
        _T.c.ends_at > now,
        _T.c.starts_at <= now,
        _T.c.standing == Standing.APPROVED,
        _T.c.ended_at.is_(None),
        sa.or_(_T.c.orders_max.is_(None), _T.c.orders_max > _count()),
    )


@cache
def _page(given: frozenset[str], backward: bool, after: bool) -> Statement[Any]:  # noqa: FBT001 - a cache key
    def build() -> sa.ClauseElement:
        active = "now" in given
        keys: list[sa.ColumnElement[Any]] = [sa.type_coerce(_T.c.ends_at, Integer), _T.c.id] if active else [_T.c.id]
        descending = active is backward
        query = _campaigns().order_by(*(key.desc() if descending else key.asc() for key in keys))
        if active:
            query = query.where(*_active())
        if "creator_id" in given:
            query = query.where(_T.c.creator_id == sa.bindparam("creator_id"))
        if "mine" in given:
            mine = _T.c.creator_id == sa.bindparam("mine")
            query = query.where(sa.or_(_T.c.standing == Standing.APPROVED, mine))
        if after:
            place = sa.tuple_(*(sa.bindparam(f"key_{at}", type_=key.type) for at, key in enumerate(keys)))
            query = query.where(sa.tuple_(*keys) < place if descending else sa.tuple_(*keys) > place)
        return query.limit(sa.bindparam("size"))

    return Statement(build)


_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_SAVE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of_id"), _T.c.revision == sa.bindparam("of_revision"))
        .values({name: sa.bindparam(name) for name in _CHANGING})
    )
)
_INSERT_PIECE: Final = Statement[Any](
    lambda: sa.insert(_PIECE).values({name: sa.bindparam(name) for name in Piece.__slots__})
)
_GET: Final = Statement[Any](lambda: _campaigns().where(_T.c.id == sa.bindparam("id")))
_LIST: Final = Statement[Any](lambda: _campaigns().where(columns.any_of(_T.c.id, "ids")))
_PIECES: Final = Statement[Any](
    lambda: sa.select(*(_PIECE.c[name] for name in Piece.__slots__)).where(columns.any_of(_PIECE.c.order_id, "ids"))
)
_COUNT_OPEN: Final = Statement[tuple[int]](lambda: sa.select(sa.func.count()).select_from(_T).where(*_not_over()))
_OPEN_OF: Final = Statement[Any](lambda: _campaigns().where(*_not_over()).order_by(_T.c.id))
_ACTIVE_OF: Final = Statement[Any](
    lambda: (
        _campaigns()
        .where(columns.any_of(_T.c.creator_id, "creator_ids"), *_active())
        .order_by(_T.c.creator_id, _T.c.ends_at, _T.c.id)
    )
)
_OF_USER: Final = sa.select(_CREATORS.c.id)
_BLANK: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.creator_id.in_(_OF_USER.where(_CREATORS.c.user_id == sa.bindparam("of_user"))))
        .values(name="")
    )
)
_EXPORT: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(_T.c.creator_id.in_(_OF_USER.where(_CREATORS.c.user_id == sa.bindparam("user_id"))))
        .order_by(_T.c.id)
    )
)
