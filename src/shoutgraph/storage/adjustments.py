"""What was given back of orders after their end: who proposed it, who let it go, and who bore it. Units: coins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, ids, money, pages
from shoutgraph.domain.adjustments import (
    NOTE_CHARS_MAX,
    OF_ORDER_MAX,
    Adjustment,
    AdjustmentKind,
    AdjustmentReason,
    AdjustmentState,
)
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words, one_of
from shoutgraph.storage.state_pages import StatePages
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

PARTS: Final = "paid_coins + promo_coins"


class AdjustmentRow(SQLModel, table=True):
    """An adjustment as it stands."""

    __tablename__: ClassVar[str] = "adjustment"
    __table_args__ = (
        one_of("kind", AdjustmentKind),
        one_of("state", AdjustmentState),
        one_of("reason", AdjustmentReason),
        sa.CheckConstraint(f"length(note) BETWEEN 1 AND {NOTE_CHARS_MAX}", name="adjustment_note"),
        sa.CheckConstraint("length(proposed_by) > 0 AND length(decided_by) > 0", name="adjustment_named"),
        sa.CheckConstraint(f"coins BETWEEN 1 AND {money.AMOUNT_MAX}", name="adjustment_coins"),
        sa.CheckConstraint(
            "paid_coins >= 0 AND promo_coins >= 0 AND creator_coins >= 0 AND fee_coins >= 0", name="adjustment_counts"
        ),
        sa.CheckConstraint(
            f"{PARTS} = CASE WHEN state = 'DONE' THEN coins ELSE 0 END"
            " AND creator_coins + fee_coins = CASE WHEN kind = 'REFUND' THEN coins ELSE 0 END",
            name="adjustment_parts",
        ),
        sa.CheckConstraint("kind = 'GOODWILL' OR (state = 'DONE' AND decided_by IS NULL)", name="adjustment_refund"),
        sa.CheckConstraint(
            "kind = 'REFUND' OR state <> 'DONE' OR decided_by <> proposed_by", name="adjustment_two_people"
        ),
        sa.CheckConstraint(
            "(state = 'PROPOSED') = (decided_at IS NULL)"
            " AND (kind = 'REFUND' OR (decided_by IS NULL) = (decided_at IS NULL))",
            name="adjustment_decided",
        ),
        sa.Index("adjustment_fan", "fan_id", "id"),
        sa.Index("adjustment_year", "creator_id", "decided_at"),
        sa.Index("adjustment_order", "order_id", "id"),
        sa.Index("adjustment_state", "state", "id"),
        sa.Index(
            "adjustment_open",
            "order_id",
            unique=True,
            sqlite_where=sa.text("state = 'PROPOSED'"),
            postgresql_where=sa.text("state = 'PROPOSED'"),
        ),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_column=sa.Column(Text, primary_key=True, nullable=False))
    order_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("orders.id"), nullable=False))
    fan_id: str = Field(sa_type=Text)
    creator_id: str = Field(sa_type=Text)
    kind: AdjustmentKind = Field(sa_type=Words(AdjustmentKind))
    state: AdjustmentState = Field(sa_type=Words(AdjustmentState))
    reason: AdjustmentReason = Field(sa_type=Words(AdjustmentReason))
    note: str | None = Field(sa_type=Text)
    coins: int = Field(sa_type=Integer)
    proposed_by: str = Field(sa_type=Text)
    proposed_at: datetime = Field(sa_type=Micros)
    paid_coins: int = Field(sa_type=Integer)
    promo_coins: int = Field(sa_type=Integer)
    creator_coins: int = Field(sa_type=Integer)
    fee_coins: int = Field(sa_type=Integer)
    decided_by: str | None = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=Micros)


_T: Final = columns.table_of(AdjustmentRow)
_NAMES: Final = tuple(column.name for column in _T.c)


def insert(tx: Tx, adjustment: Adjustment) -> None:
    """Stores an adjustment, in the unit of work that posts it if it is done at once."""
    tx.run(_INSERT, **{name: getattr(adjustment, name) for name in _NAMES})


def decide(tx: Tx, adjustment: Adjustment) -> None:
    """Stores what was decided."""
    changed = tx.run(
        _DECIDE,
        of=adjustment.id,
        state=adjustment.state,
        paid=adjustment.paid_coins,
        promo=adjustment.promo_coins,
        by=adjustment.decided_by,
        at=adjustment.decided_at,
    )
    assert changed == 1, "an adjustment is decided once"


def get(tx: Tx, adjustment_id: str) -> Adjustment:
    """An adjustment. A unit of work that writes holds it from now on; its order comes first.

    Raises:
        NotFoundError: there is no such adjustment.
    """
    row = tx.one(_GET, id=adjustment_id)
    if row is None:
        raise errors.NotFoundError("There is no such adjustment.", path=("input", "adjustmentId"))
    return Adjustment(*row)


def orders_of(tx: Tx, adjustment_ids: Sequence[str]) -> dict[str, str]:
    """Which orders adjustments are of, by their ids."""
    return dict(tx.all(_ORDERS, ids=list(adjustment_ids)))


def list_of_order(tx: Tx, order_id: str) -> tuple[Adjustment, ...]:
    """The adjustments of an order, the oldest first. Whoever decides upon them holds the order."""
    return tuple(Adjustment(*row) for row in tx.all(_OF_ORDERS, order_ids=[order_id], size=OF_ORDER_MAX))


def list_of_orders(tx: Tx, order_ids: Sequence[str]) -> dict[str, tuple[Adjustment, ...]]:
    """The adjustments of orders, of each the oldest first."""
    found: dict[str, tuple[Adjustment, ...]] = {}
    for row in tx.all(_OF_ORDERS, order_ids=list(order_ids), size=OF_ORDER_MAX * len(order_ids)):
        found[row[1]] = (*found.get(row[1], ()), Adjustment(*row))
    return found


def list_of_page(tx: Tx, args: pages.PageArgs, state: AdjustmentState | None) -> list[Adjustment]:
    """Up to one adjustment more than the page holds, newest first, in the direction asked. The key is `(id,)`."""
    return [Adjustment(*row) for row in _PAGES.rows(tx, args, state)]


def erase_of_user(tx: Tx, user_id: ids.UserId) -> None:
    """Blanks what staff wrote about a fan's orders; what was given back stays."""
    tx.run(_BLANK, user_id=user_id)


def export_of_user(tx: Tx, user_id: ids.UserId) -> list[dict[str, object]]:
    """What a fan was given back, as plain values."""
    rows = tx.all(_OF_FAN, user_id=user_id, size=EXPORTED_MAX)
    return [
        {
            "id": each.id,
            "orderId": each.order_id,
            "kind": each.kind.value,
            "status": each.state.value,
            "reason": each.reason.value,
            "note": each.note,
            "coins": each.coins,
            "at": each.proposed_at.isoformat(),
        }
        for each in (Adjustment(*row) for row in rows)
    ]


EXPORTED_MAX: Final = 10_000
"""The most adjustments of one fan that are exported."""


_PAGES: Final = StatePages(_T, ids.ADJUSTMENT)
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_DECIDE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"))
        .values(
            state=sa.bindparam("state"),
            paid_coins=sa.bindparam("paid"),
            promo_coins=sa.bindparam("promo"),
            decided_by=sa.bindparam("by"),
            decided_at=sa.bindparam("at"),
        )
    )
)
_GET: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.id == sa.bindparam("id")), holds=_T)
_ORDERS: Final = Statement[tuple[str, str]](
    lambda: sa.select(_T.c.id, _T.c.order_id).where(columns.any_of(_T.c.id, "ids"))
)
_OF_ORDERS: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(columns.any_of(_T.c.order_id, "order_ids"))
        .order_by(_T.c.order_id, _T.c.id)
        .limit(sa.bindparam("size"))
    )
)
_OF_FAN: Final = Statement[Any](
    lambda: sa.select(*_T.c).where(_T.c.fan_id == sa.bindparam("user_id")).order_by(_T.c.id).limit(sa.bindparam("size"))
)
_BLANK: Final = Statement[Any](
    lambda: sa.update(_T).where(_T.c.fan_id == sa.bindparam("user_id"), _T.c.note.is_not(None)).values(note=sa.null())
)
