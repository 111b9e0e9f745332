"""Money that a provider has and the books do not know, until a person settles it."""

from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain.money import Money
from shoutgraph.domain.strays import Stray, StrayKind
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Statement, upsert
from shoutgraph.storage.tx import Tx

LIST_MAX: Final = 10_000


class StrayRow(SQLModel, table=True):
    """An object of a provider under a name of ours that the books do not know."""

    __tablename__: ClassVar[str] = "stray"
    __table_args__ = (
        columns.one_of("kind", StrayKind),
        sa.CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="stray_amount"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    instance: str = Field(sa_column=sa.Column(columns.Text, primary_key=True, nullable=False))
    operation_id: str = Field(sa_column=sa.Column(columns.Text, primary_key=True, nullable=False))
    kind: StrayKind = Field(sa_column=sa.Column(columns.Words(StrayKind), nullable=False))
    ref: str | None = Field(sa_column=sa.Column(columns.Text, nullable=True))
    seen: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    amount_minor: int | None = Field(sa_column=sa.Column(columns.Integer, nullable=True))
    currency: str | None = Field(sa_column=sa.Column(columns.Text, nullable=True))
    creator_id: str | None = Field(sa_column=sa.Column(columns.Text, nullable=True))
    made_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    found_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))


_T = columns.table_of(StrayRow)
_SAVE: Final = Statement[Any](lambda: upsert(_T, "instance", "operation_id"))
_LIST: Final = Statement[Any](
    lambda: sa.select(_T).order_by(_T.c.made_at, _T.c.instance, _T.c.operation_id).limit(LIST_MAX)
)


def save(tx: Tx, stray: Stray) -> None:
    """Stores what was found, as it is now."""
    amount = stray.amount
    tx.run(
        _SAVE,
        instance=stray.instance,
        operation_id=stray.operation_id,
        kind=stray.kind,
        ref=stray.ref,
        seen=stray.seen,
        amount_minor=None if amount is None else amount.minor,
        currency=None if amount is None else amount.currency,
        creator_id=stray.creator_id,
        made_at=stray.made_at,
        found_at=tx.now,
    )


def list_of(tx: Tx) -> tuple[Stray, ...]:
    """What was found, the oldest first."""
    return tuple(_stray(*row) for row in tx.all(_LIST))


def _stray(*row: Any) -> Stray:  # noqa: ANN401 - the columns, in their order
    instance, operation_id, kind, ref, seen, minor, currency, creator_id, made_at, _ = row
    amount = None if minor is None else Money(minor, currency)
    return Stray(instance, operation_id, kind, ref, seen, amount, made_at, creator_id)
