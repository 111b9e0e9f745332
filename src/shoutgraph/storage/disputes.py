"""What the two sides say about a video: personal words, kept apart from the order and erased without touching it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain.orders.order import NOTE_CHARS_MAX, RedoGround, Side, Statement as Said
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

STATEMENTS_OF_SIDE_MAX: Final = 25
STATEMENTS_MAX: Final = 2 * STATEMENTS_OF_SIDE_MAX + 4
"""The most statements of one order that are read, and so the most that are taken: answers, and what led to them."""


class StatementRow(SQLModel, table=True):
    """One statement of one side."""

    __tablename__: ClassVar[str] = "dispute_statement"
    __table_args__ = (
        columns.one_of("side", Side),
        sa.CheckConstraint(f"length(text) BETWEEN 1 AND {NOTE_CHARS_MAX}", name="dispute_statement_text"),
        {"sqlite_strict": True},
    )
    order_id: str = Field(sa_column=sa.Column(columns.Text, sa.ForeignKey("orders.id"), primary_key=True))
    revision: int = Field(sa_column=sa.Column(columns.Integer, primary_key=True))
    side: Side = Field(sa_column=sa.Column(columns.Words(Side), nullable=False))
    text: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    ground: RedoGround | None = Field(
        sa_column=sa.Column(columns.Words(RedoGround), columns.one_of("ground", RedoGround))
    )
    item: str | None = Field(sa_column=sa.Column(columns.Text))


_T = columns.table_of(StatementRow)
_APPEND: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_LIST: Final = Statement[Any](
    lambda: (
        sa.select(_T.c.order_id, *(_T.c[name] for name in Said.__slots__))
        .where(columns.any_of(_T.c.order_id, "order_ids"))
        .order_by(_T.c.order_id, _T.c.revision)
        .limit(sa.bindparam("size"))
    )
)
_COUNT: Final = Statement[tuple[int]](
    lambda: sa.select(sa.func.count()).where(
        _T.c.order_id == sa.bindparam("order_id"), _T.c.side == sa.bindparam("side", type_=_T.c.side.type)
    )
)


def append(tx: Tx, order_id: str, said: Said) -> None:
    """Keeps a statement under the order's revision that it makes."""
    tx.put(_APPEND, order_id=order_id, **{name: getattr(said, name) for name in Said.__slots__})


def count(tx: Tx, order_id: str, side: Side) -> int:
    """How much a side has said about an order. Whoever goes by it holds the order."""
    row = tx.one(_COUNT, order_id=order_id, side=side)
    assert row is not None, "a count has a row"
    return row[0]


def list_of_orders(tx: Tx, order_ids: Sequence[str]) -> dict[str, tuple[Said, ...]]:
    """What was said about each order, in order."""
    found: dict[str, tuple[Said, ...]] = {}
    for order_id, *said in tx.all(_LIST, order_ids=order_ids, size=STATEMENTS_MAX * len(order_ids)):
        found[order_id] = (*found.get(order_id, ()), Said(*said))
    return found
