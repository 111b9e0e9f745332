"""Money that a provider has and the books do not know, until a person settles it."""

from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import ids
from shoutgraph.domain.money import Money
from shoutgraph.domain.strays import Stray, StrayKind
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

LIST_MAX: Final = 10_000


class StrayRow(SQLModel, table=True):
    """An object of a provider under a name of ours that the books do not know."""

    __tablename__: ClassVar[str] = "stray"
    __table_args__ = (
        columns.one_of("kind", StrayKind),
        sa.CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="stray_amount"),
        sa.CheckConstraint("(settled_at IS NULL) = (note IS NULL)", name="stray_settled"),
        columns.partial_index("stray_creator", "creator_id", where="creator_id IS NOT NULL AND settled_at IS NULL"),
        columns.partial_index("stray_open", "made_at", where="settled_at IS NULL"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    instance: str = Field(sa_column=sa.Column(columns.Text, primary_key=True, nullable=False))
    operation_id: str = Field(sa_column=sa.Column(columns.Text, primary_key=True, nullable=False))
    kind: StrayKind = Field(sa_column=sa.Column(columns.Words(StrayKind), nullable=False))
    key: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    ref: str | None = Field(sa_column=sa.Column(columns.Text, nullable=True))
    seen: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    amount_minor: int | None = Field(sa_column=sa.Column(columns.Integer, nullable=True))
    currency: str | None = Field(sa_column=sa.Column(columns.Text, nullable=True))
    creator_id: str | None = Field(sa_column=sa.Column(columns.Text, nullable=True))
    made_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    found_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    settled_at: datetime | None = Field(sa_column=sa.Column(columns.Micros, nullable=True))
    note: str | None = Field(sa_column=sa.Column(columns.Text, nullable=True))


_T = columns.table_of(StrayRow)
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_ONE: Final = (_T.c.instance == sa.bindparam("instance_")) & (_T.c.operation_id == sa.bindparam("operation"))
_SEE: Final = Statement[Any](
    lambda: sa.update(_T).where(_ONE).values(seen=sa.bindparam("seen"), found_at=sa.bindparam("at"))
)
_LOOKED: Final = Statement[Any](lambda: sa.update(_T).where(_ONE).values(found_at=sa.bindparam("at")))
_SETTLE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_ONE, _T.c.settled_at.is_(None))
        .values(settled_at=sa.bindparam("at"), note=sa.bindparam("note"))
    )
)
_LIST: Final = Statement[Any](
    lambda: sa.select(_T).order_by(_T.c.made_at, _T.c.instance, _T.c.operation_id).limit(LIST_MAX)
)
_OPEN: Final = Statement[Any](
    lambda: sa.select(_T).where(_T.c.settled_at.is_(None)).order_by(_T.c.made_at).limit(sa.bindparam("size"))
)
_FIND: Final = Statement[Any](lambda: sa.select(_T).where(_ONE))
_NAME: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.operation_id == sa.bindparam("operation"), _T.c.kind == StrayKind.PAYOUT, _T.c.creator_id.is_(None))
        .values(creator_id=sa.bindparam("creator"))
    )
)
_OPEN_OF_CREATOR: Final = Statement[tuple[str]](
    lambda: (
        sa.select(_T.c.operation_id)
        .where(_T.c.creator_id == sa.bindparam("creator"), _T.c.settled_at.is_(None))
        .limit(1)
    )
)


def keep(tx: Tx, stray: Stray) -> None:
    """Stores what was found; of what is known already, only what its provider says of it now."""
    amount = stray.amount
    if tx.run(_SEE, instance_=stray.instance, operation=stray.operation_id, seen=stray.seen, at=tx.now):
        return
    tx.run(
        _INSERT,
        instance=stray.instance,
        operation_id=stray.operation_id,
        kind=stray.kind,
        key=stray.key,
        ref=stray.ref,
        seen=stray.seen,
        amount_minor=None if amount is None else amount.minor,
        currency=None if amount is None else amount.currency,
        creator_id=stray.creator_id,
        made_at=stray.made_at,
        found_at=tx.now,
        settled_at=None,
        note=None,
    )


def note_look(tx: Tx, *, instance: str, operation_id: str) -> None:
    """Says that its provider was asked for it now, and answered."""
    tx.run(_LOOKED, instance_=instance, operation=operation_id, at=tx.now)


def list_of(tx: Tx) -> tuple[Stray, ...]:
    """What was found, the oldest first."""
    return tuple(of_row(*row) for row in tx.all(_LIST))


def list_of_open(tx: Tx, *, limit: int) -> tuple[Stray, ...]:
    """What nobody has settled, the oldest first."""
    return tuple(of_row(*row) for row in tx.all(_OPEN, size=limit))


def find(tx: Tx, *, instance: str, operation_id: str) -> Stray | None:
    """What was found at a provider under this name, or None."""
    row = tx.one(_FIND, instance_=instance, operation=operation_id)
    return None if row is None else of_row(*row)


def name_creator(tx: Tx, operation_id: str, creator_id: ids.CreatorId) -> None:
    """Says whom a payout was for."""
    tx.run(_NAME, operation=operation_id, creator=creator_id)


def settle(tx: Tx, *, instance: str, operation_id: str, note: str) -> bool:
    """Says how a stray was settled; False if none of this name is open."""
    return tx.run(_SETTLE, instance_=instance, operation=operation_id, at=tx.now, note=note) == 1


def may_have_been_paid(tx: Tx, creator_id: ids.CreatorId) -> bool:
    """Whether a provider has a payout to this creator that the books do not know, and nobody settled it."""
    return bool(tx.all(_OPEN_OF_CREATOR, creator=creator_id))


def of_row(*row: Any) -> Stray:  # noqa: ANN401 - the columns, in their order
    """A stray as its row says it."""
    instance, operation_id, kind, key, ref, seen, minor, currency, creator_id, made_at, _, settled_at, note = row
    amount = None if minor is None else Money(minor, currency)
    return Stray(instance, operation_id, kind, key, ref, seen, amount, made_at, creator_id, settled_at, note)
