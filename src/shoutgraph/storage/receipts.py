"""Receipts of stores, for as long as their store has not answered: a lost answer is asked for again with the same one.

A proof is what a device holds of a purchase; it is deleted as soon as it is known what became of it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import ids
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class ReceiptRow(SQLModel, table=True):
    """A receipt that waits for its store."""

    __tablename__: ClassVar[str] = "topup_receipt"
    __table_args__ = ({"sqlite_strict": True, "sqlite_with_rowid": False},)

    topup_id: str = Field(sa_column=sa.Column(columns.Text, primary_key=True, nullable=False))
    product: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    proof: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    created_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is presented to the store: the device's proof, and the product that it must be for."""

    product: str
    proof: str

    def __repr__(self) -> str:
        """Names the product only: a proof is nothing to log."""
        return f"Receipt({self.product!r})"


_T: Final = columns.table_of(ReceiptRow)
_ONE: Final = _T.c.topup_id == sa.bindparam("of")
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_FIND: Final = Statement[tuple[str, str]](lambda: sa.select(_T.c.product, _T.c.proof).where(_ONE))
_FORGET: Final = Statement[Any](lambda: sa.delete(_T).where(_ONE))


def insert(tx: Tx, topup_id: ids.TopupId, receipt: Receipt) -> None:
    """Keeps the receipt of a new top-up."""
    tx.put(_INSERT, topup_id=topup_id, product=receipt.product, proof=receipt.proof, created_at=tx.now)


def find(tx: Tx, topup_id: ids.TopupId) -> Receipt | None:
    """The receipt that is still waited for, or None."""
    row = tx.one(_FIND, of=topup_id)
    return None if row is None else Receipt(*row)


def forget(tx: Tx, topup_id: ids.TopupId) -> None:
    """Deletes a receipt that is needed no more."""
    tx.put(_FORGET, of=topup_id)
