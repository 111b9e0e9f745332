"""Orders: the columns that the ledger's laws read."""

from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import money
from shoutgraph.storage import columns

LIVE: Final = (
    "SCREENING",
    "AWAITING_ACCEPTANCE",
    "IN_PRODUCTION",
    "IN_REVIEW",
    "CHANGES_REQUIRED",
    "DELIVERED",
    "REDO_REQUESTED",
    "DISPUTED",
)
"""States in which the escrow holds the price; in all others it holds nothing."""

FINAL: Final = ("COMPLETED", "DECLINED", "EXPIRED", "CANCELLED", "REJECTED", "REFUNDED", "SPLIT")
"""States that an order never leaves."""

STATES: Final = ("DRAFT", *LIVE, *FINAL)

_STRICT: dict[str, Any] = {"sqlite_strict": True}


def _listed(states: tuple[str, ...]) -> str:
    return ", ".join(f"'{state}'" for state in states)


class OrderRow(SQLModel, table=True):
    """An order. Its state and price are tied to its escrow at COMMIT, through `order_ok`."""

    __tablename__: ClassVar[str] = "orders"
    __table_args__ = (
        sa.CheckConstraint(f"state IN ({_listed(STATES)})", name="order_state"),
        sa.CheckConstraint(f"price_coins BETWEEN 0 AND {money.AMOUNT_MAX}", name="order_price"),
        _STRICT,
    )
    id: str = Field(
        sa_column=sa.Column(
            columns.Text,
            sa.ForeignKey("order_ok.id", deferrable=True, initially="DEFERRED"),
            primary_key=True,
            nullable=False,
        )
    )
    revision: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    state: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    fan_id: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    creator_id: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    price_coins: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
