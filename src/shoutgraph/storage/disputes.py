"""What the two sides say in a dispute: personal words, kept apart from the order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import ids
from shoutgraph.domain.orders.order import NOTE_CHARS_MAX, Side, Statement as Said
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

STATEMENTS_MAX: Final = 50
"""The most statements of one order that are read, and so the most that are taken."""


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


_T = columns.table_of(StatementRow)
_APPEND: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_LIST: Final = Statement[tuple[str, Side, str, datetime]](
    lambda: (
        sa.select(_T.c.order_id, _T.c.side, _T.c.text, _T.c.at)
        .where(columns.any_of(_T.c.order_id, "order_ids"))
        .order_by(_T.c.order_id, _T.c.revision)
        .limit(sa.bindparam("size"))
    )
)


def append(tx: Tx, order_id: ids.OrderId, *, revision: int, side: Side, text: str) -> None:
    """Keeps a statement under the order's revision that it makes."""
    tx.put(_APPEND, order_id=order_id, revision=revision, side=side, text=text, at=tx.now)


def list_of_orders(tx: Tx, order_ids: Sequence[str]) -> dict[str, tuple[Said, ...]]:
    """What was said about each order, in order."""
    found: dict[str, tuple[Said, ...]] = {}
    for order_id, side, text, at in tx.all(_LIST, order_ids=order_ids, size=STATEMENTS_MAX * len(order_ids)):
        found[order_id] = (*found.get(order_id, ()), Said(side, text, at))
    return found
