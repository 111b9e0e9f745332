"""Orders and their briefs.

The database ties an order's state to its escrow at COMMIT: a live order's escrow holds `price_coins`, any other's
holds nothing, through `order_ok`. A brief is personal data, in a row of its own that can be erased.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, ids, money, pages
from shoutgraph.domain.orders.order import (
    Brief,
    Occasion,
    Order,
    OrderFilter,
    RedoGround,
    Side,
    Terms,
    Usage,
    Visibility,
)
from shoutgraph.domain.orders.states import LIVE, State
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Truth, Words
from shoutgraph.storage.statements import Hold, Statement
from shoutgraph.storage.tx import Tx

_STRICT: dict[str, Any] = {"sqlite_strict": True}
_OPEN: Final = columns.is_one_of("state", LIVE)
"""The condition of the index on open orders, word for word, so that the count uses it."""


class OrderRow(SQLModel, table=True):
    """An order as it stands; its history is in the journal."""

    __tablename__: ClassVar[str] = "orders"
    __table_args__ = (
        columns.one_of("state", State),
        columns.truth("redo"),
        columns.truth("extended"),
        sa.CheckConstraint(f"price_coins BETWEEN 1 AND {money.AMOUNT_MAX}", name="order_price"),
        sa.CheckConstraint("promo_coins BETWEEN 0 AND price_coins", name="order_promo"),
        sa.CheckConstraint("refunded_coins >= 0 AND revision > 0", name="order_counts"),
        sa.Index("orders_fan", "fan_id", "id"),
        sa.Index("orders_bought", "fan_id", "submitted_at"),
        sa.Index("orders_creator", "creator_id", "id"),
        sa.Index("orders_state", "state", "state_at", "id"),
        sa.Index("orders_updated", "updated_at", "id"),
        columns.partial_index("orders_frozen", "creator_id", where="frozen_at IS NOT NULL"),
        columns.partial_index("orders_open", "creator_id", where=_OPEN),
        _STRICT,
    )
    id: str = Field(
        sa_column=sa.Column(
            Text, sa.ForeignKey("order_ok.id", deferrable=True, initially="DEFERRED"), primary_key=True, nullable=False
        )
    )
    revision: int = Field(sa_column=sa.Column(Integer, nullable=False))
    state: State = Field(sa_column=sa.Column(Words(State), nullable=False))
    fan_id: str = Field(sa_column=sa.Column(Text, nullable=False))
    creator_id: str = Field(sa_column=sa.Column(Text, nullable=False))
    offer_id: str = Field(sa_column=sa.Column(Text, nullable=False))
    policy_version: int = Field(sa_column=sa.Column(Integer, nullable=False))
    fee_bps: int = Field(sa_column=sa.Column(Integer, nullable=False))
    base_coins: int = Field(sa_column=sa.Column(Integer, nullable=False))
    express_coins: int = Field(sa_column=sa.Column(Integer, nullable=False))
    duration_max_s: int = Field(sa_column=sa.Column(Integer, nullable=False))
    delivery_s: int = Field(sa_column=sa.Column(Integer, nullable=False))
    business_coins: int = Field(
        sa_column=sa.Column(
            Integer, sa.CheckConstraint("business_coins >= 0"), server_default=sa.text("0"), nullable=False
        )
    )
    campaign_id: str | None = Field(sa_column=sa.Column(Text))
    list_coins: int | None = Field(sa_column=sa.Column(Integer, sa.CheckConstraint("list_coins > 0")))
    accept_s: int | None = Field(sa_column=sa.Column(Integer, sa.CheckConstraint("accept_s > 0")))
    price_coins: int = Field(sa_column=sa.Column(Integer, nullable=False))
    promo_coins: int = Field(sa_column=sa.Column(Integer, nullable=False))
    created_at: datetime = Field(sa_column=sa.Column(Micros, nullable=False))
    updated_at: datetime = Field(sa_column=sa.Column(Micros, nullable=False))
    state_at: datetime = Field(sa_column=sa.Column(Micros, nullable=False))
    submitted_at: datetime | None = Field(sa_column=sa.Column(Micros))
    accepted_at: datetime | None = Field(sa_column=sa.Column(Micros))
    uploaded_at: datetime | None = Field(sa_column=sa.Column(Micros))
    delivered_at: datetime | None = Field(sa_column=sa.Column(Micros))
    closed_at: datetime | None = Field(sa_column=sa.Column(Micros))
    close_reason: str | None = Field(sa_column=sa.Column(Text))
    reason: str | None = Field(sa_column=sa.Column(Text))
    note: str | None = Field(sa_column=sa.Column(Text))
    video_id: str | None = Field(sa_column=sa.Column(Text))
    passed_video_id: str | None = Field(sa_column=sa.Column(Text))
    redo: bool = Field(sa_column=sa.Column(Truth, nullable=False))
    redo_ground: RedoGround | None = Field(sa_column=sa.Column(Words(RedoGround)))
    redo_item: str | None = Field(sa_column=sa.Column(Text))
    extension_s: int | None = Field(sa_column=sa.Column(Integer))
    extension_offered_at: datetime | None = Field(sa_column=sa.Column(Micros))
    extended: bool = Field(sa_column=sa.Column(Truth, nullable=False))
    delivery_due_at: datetime | None = Field(sa_column=sa.Column(Micros))
    delivery_left_s: int | None = Field(sa_column=sa.Column(Integer))
    waiting_for: Side | None = Field(sa_column=sa.Column(Words(Side)))
    refunded_coins: int = Field(sa_column=sa.Column(Integer, nullable=False))
    frozen_at: datetime | None = Field(sa_column=sa.Column(Micros))


class BriefRow(SQLModel, table=True):
    """What the fan asked for: personal data, erased without touching the order."""

    __tablename__: ClassVar[str] = "brief"
    __table_args__ = (_STRICT,)
    order_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("orders.id"), primary_key=True, nullable=False))
    body: Any = Field(sa_column=sa.Column(columns.JsonText, nullable=False))


_T = columns.table_of(OrderRow)
_BRIEF = columns.table_of(BriefRow)
_COLUMNS: Final = tuple(_T.c)
_NAMES: Final = tuple(column.name for column in _COLUMNS)
_CHANGING: Final = tuple(
    name for name in _NAMES if name not in {"id", "fan_id", "creator_id", "offer_id", "created_at"}
)
_TERMS: Final = slice(_NAMES.index("policy_version"), _NAMES.index("price_coins"))
_VALUES: Final = attrgetter(
    *_NAMES[: _TERMS.start], *(f"terms.{name}" for name in _NAMES[_TERMS]), *_NAMES[_TERMS.stop :]
)

_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_SAVE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of_id"), _T.c.revision == sa.bindparam("of_revision"))
        .values({name: sa.bindparam(name) for name in _CHANGING})
    )
)
_GET: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(_T.c.id == sa.bindparam("id")), holds=_T)
_HOLD: Final = Statement[Any](
    lambda: sa.select(_T.c.id).where(columns.any_of(_T.c.id, "ids")).order_by(_T.c.id), holds=_T
)
_LIST: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(columns.any_of(_T.c.id, "ids")))
_COUNT_OPEN: Final = Statement[tuple[int]](
    lambda: (
        sa.select(sa.func.count()).select_from(_T).where(_T.c.creator_id == sa.bindparam("creator_id"), sa.text(_OPEN))
    )
)
_INSERT_BRIEF: Final = Statement[Any](
    lambda: sa.insert(_BRIEF).values(order_id=sa.bindparam("order_id"), body=sa.bindparam("body"))
)
_SAVE_BRIEF: Final = Statement[Any](
    lambda: sa.update(_BRIEF).where(_BRIEF.c.order_id == sa.bindparam("of")).values(body=sa.bindparam("body"))
)
_INSERT_WITH_BRIEF: Final = Statement[Any](
    lambda: (
        sa.insert(_T)
        .values({name: sa.bindparam(name) for name in _NAMES})
        .add_cte(
            sa.insert(_BRIEF).values(order_id=sa.bindparam("id", type_=Text), body=sa.bindparam("body")).cte("kept")
        )
    )
)
"""Both at once, where each statement has a way to go; SQLite writes one table at a time."""
_LIST_BRIEFS: Final = Statement[tuple[str, dict[str, Any]]](
    lambda: sa.select(_BRIEF.c.order_id, _BRIEF.c.body).where(columns.any_of(_BRIEF.c.order_id, "ids"))
)


def insert(tx: Tx, order: Order, brief: Brief) -> None:
    """Stores a new order with its brief."""
    if tx.shared:
        tx.put(_INSERT_WITH_BRIEF, **_params(order), body=_brief_body(brief))
    else:
        tx.put(_INSERT, **_params(order))
        tx.put(_INSERT_BRIEF, order_id=order.id, body=_brief_body(brief))


def save(tx: Tx, order: Order) -> None:
    """Stores the next revision of an order.

    Raises:
        StaleRevisionError: another revision was stored meanwhile.
    """
    values = _params(order)
    changing = {name: values[name] for name in _CHANGING}
    if not tx.run(_SAVE, of_id=order.id, of_revision=order.revision - 1, **changing):
        raise errors.StaleRevisionError(current_revision=get(tx, order.id).revision)


def get(tx: Tx, order_id: str) -> Order:
    """An order, for jobs and providers' notices. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is no such order.
    """
    row = tx.one(_GET, id=order_id)
    if row is None:
        raise errors.NotFoundError("There is no such order.", path=("input", "orderId"))
    return _order(row)


def get_visible(tx: Tx, order_id: str, viewer: Viewer) -> Order:
    """An order that this viewer may see.

    Raises:
        NotFoundError: there is no such order, or the viewer is not part of it and reads no others.
    """
    order = get(tx, order_id)
    if not visible(order, viewer):
        raise errors.NotFoundError("There is no such order.", path=("input", "orderId"))
    return order


def hold(tx: Tx, order_ids: Sequence[str]) -> None:
    """Holds orders before something else is held of which their coins came; what only reads holds nothing."""
    if tx.hold is not Hold.NO:
        tx.all(_HOLD, ids=order_ids)


def list_visible(tx: Tx, order_ids: Sequence[str], viewer: Viewer) -> list[Order | None]:
    """Orders by id in the order asked, None where there is none that this viewer may see."""
    found = {row[0]: _order(row) for row in tx.all(_LIST, ids=list(order_ids))}
    return [order if (order := found.get(i)) and visible(order, viewer) else None for i in order_ids]


def visible(order: Order, viewer: Viewer) -> bool:
    """Whether the viewer is the fan, the creator (after submit), reads all orders, or moderates them."""
    if viewer.user_id is not None and order.fan_id == viewer.user_id:
        return True
    if viewer.has(Scope.ORDERS_READ, Scope.MODERATION):
        return True
    mine = viewer.creator_id is not None and order.creator_id == viewer.creator_id
    return mine and order.submitted_at is not None


def list_briefs(tx: Tx, order_ids: Sequence[str]) -> list[Brief | None]:
    """The briefs of orders in the order asked, None where erased."""
    found = {row[0]: _brief(row[1]) for row in tx.all(_LIST_BRIEFS, ids=list(order_ids))}
    return [found.get(order_id) for order_id in order_ids]


def find_brief(tx: Tx, order_id: str) -> Brief | None:
    """The brief of an order, None where erased."""
    (found,) = list_briefs(tx, [order_id])
    return found


def save_brief(tx: Tx, order_id: str, brief: Brief) -> None:
    """Stores a brief as it now is. Whoever does holds its order."""
    tx.put(_SAVE_BRIEF, of=order_id, body=_brief_body(brief))


def count_open(tx: Tx, creator_id: ids.CreatorId) -> int:
    """How many live orders a creator has. Whoever goes by it holds the creator, so that nobody else places one."""
    row = tx.one(_COUNT_OPEN, creator_id=creator_id)
    assert row is not None, "a count has a row"
    return row[0]


def list_of_page(tx: Tx, args: pages.PageArgs, only: OrderFilter, *, sort: str, descending: bool) -> list[Order]:
    """Up to one order more than the page holds, in the direction asked, by `created_at` or another sort column."""
    params: dict[str, object] = {
        name: value for name in _FILTERS if (value := getattr(only, name, None)) not in {None, ()}
    }
    if len(only.states) == 1:  # the index leads through one state in the order of its queue, but not through several
        del params["states"]
        params["state"] = only.states[0]
    shape = _Shape(sort, descending != args.backward, args.key is not None, frozenset(params))
    params |= {f"key_{at}": value for at, value in enumerate(args.key or ())}
    return [_order(row) for row in tx.all(_page(shape), size=args.size + 1, **params)]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What makes the text of a page query; its values are parameters."""

    sort: str
    descending: bool
    after: bool
    filters: frozenset[str]


@cache
def _page(shape: _Shape) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        keys: list[sa.ColumnElement[Any]] = [_T.c.id]
        if shape.sort != "created_at":
            keys.insert(0, sa.type_coerce(_T.c[shape.sort], Integer))
        query = sa.select(*_COLUMNS).limit(sa.bindparam("size"))
        query = query.order_by(*(key.desc() if shape.descending else key.asc() for key in keys))
        if shape.after:
            place = sa.tuple_(*(sa.bindparam(f"key_{at}", type_=key.type) for at, key in enumerate(keys)))
            query = query.where(sa.tuple_(*keys) < place if shape.descending else sa.tuple_(*keys) > place)
        return query.where(*(condition() for name, condition in _FILTERS.items() if name in shape.filters))

    return Statement(build)


_FILTERS: Final[dict[str, Callable[[], sa.ColumnElement[bool]]]] = {
    "state": lambda: _T.c.state == sa.bindparam("state"),
    "states": lambda: columns.any_of(_T.c.state, "states"),
    "updated_since": lambda: _T.c.updated_at >= sa.bindparam("updated_since"),
    "fan_id": lambda: _T.c.fan_id == sa.bindparam("fan_id"),
    "creator_id": lambda: sa.and_(_T.c.creator_id == sa.bindparam("creator_id"), _T.c.submitted_at.is_not(None)),
}


def _params(order: Order) -> dict[str, object]:
    return dict(zip(_NAMES, _VALUES(order), strict=True))


def _order(row: Sequence[Any]) -> Order:
    return Order(*(*row[: _TERMS.start], Terms(*row[_TERMS]), *row[_TERMS.stop :]))


def _brief_body(brief: Brief) -> dict[str, object]:
    return {name: getattr(brief, name) for name in Brief.__slots__}


def _brief(body: dict[str, Any]) -> Brief:
    return Brief(
        occasion=Occasion(body["occasion"]),
        recipient_name=body["recipient_name"],
        instructions=body["instructions"],
        language=body["language"],
        for_self=body["for_self"],
        pronunciation=body["pronunciation"],
        must_say=tuple(body["must_say"]),
        must_not_say=tuple(body["must_not_say"]),
        usage=Usage(body["usage"]),
        visibility=Visibility(body["visibility"]),
        pronouns=body.get("pronouns"),
        hidden=body.get("hidden", False),
    )
