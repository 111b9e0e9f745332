"""Erasures and exports: what people asked of what is kept about them. Rows stay as proof, and name ids only."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors
from shoutgraph.domain.privacy import Blocker, Erasure, ErasureState, Export, ExportState
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, JsonText, Micros, Text, Words, one_of, partial_index
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

DUE_MAX: Final = 50
"""The most that one round of a job takes up."""


class ErasureRow(SQLModel, table=True):
    """Somebody's wish to be erased."""

    __tablename__: ClassVar[str] = "erasure"
    __table_args__ = (
        one_of("state", ErasureState),
        sa.CheckConstraint("(ended_at IS NOT NULL) = (state IN ('DONE', 'CANCELLED'))", name="erasure_ended_at"),
        sa.Index("erasure_user", "user_id", "id"),
        sa.Index(
            "erasure_open",
            "user_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        partial_index("erasure_due", "due_at", where="ended_at IS NULL"),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_type=Text, primary_key=True)
    user_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("users.id"), nullable=False))
    state: ErasureState = Field(sa_type=Words(ErasureState))
    requested_at: datetime = Field(sa_type=Micros)
    due_at: datetime = Field(sa_type=Micros)
    blockers: list[str] = Field(sa_type=JsonText)
    ended_at: datetime | None = Field(sa_type=Micros)


class ExportRow(SQLModel, table=True):
    """A copy of what is kept about somebody."""

    __tablename__: ClassVar[str] = "data_export"
    __table_args__ = (
        one_of("state", ExportState),
        sa.CheckConstraint("(state = 'READY') <= (expires_at IS NOT NULL)", name="data_export_expires"),
        sa.Index("data_export_user", "user_id", "id"),
        sa.Index(
            "data_export_open",
            "user_id",
            unique=True,
            sqlite_where=sa.text("state = 'REQUESTED'"),
            postgresql_where=sa.text("state = 'REQUESTED'"),
        ),
        partial_index("data_export_due", "due_at", where="due_at IS NOT NULL"),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_type=Text, primary_key=True)
    user_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("users.id"), nullable=False))
    state: ExportState = Field(sa_type=Words(ExportState))
    requested_at: datetime = Field(sa_type=Micros)
    tries: int = Field(sa_type=Integer)
    due_at: datetime | None = Field(sa_type=Micros)
    ready_at: datetime | None = Field(sa_type=Micros)
    expires_at: datetime | None = Field(sa_type=Micros)
    size_bytes: int | None = Field(sa_type=Integer)
    sha256: str | None = Field(sa_type=Text)


_E: Final = columns.table_of(ErasureRow)
_X: Final = columns.table_of(ExportRow)


def insert_erasure(tx: Tx, erasure: Erasure) -> None:
    """Stores a new wish."""
    tx.run(_INSERT_ERASURE, **_plain(erasure))


def save_erasure(tx: Tx, erasure: Erasure) -> None:
    """Stores what a wish is now."""
    values = _plain(erasure)
    kept = {name: values[name] for name in ("state", "due_at", "blockers", "ended_at")}
    assert tx.run(_SAVE_ERASURE, of=erasure.id, **kept) == 1, "a wish that was read is there"


def get_erasure(tx: Tx, erasure_id: str) -> Erasure:
    """A wish. A unit of work that writes holds it.

    Raises:
        NotFoundError: there is none.
    """
    row = tx.one(_GET_ERASURE, id=erasure_id)
    if row is None:
        raise errors.NotFoundError("There is no such erasure.", path=("input", "erasureId"))
    return _erasure(row)


def newest_erasure(tx: Tx, user_id: str) -> Erasure | None:
    """The last wish of somebody, or None."""
    rows = tx.all(_NEWEST_ERASURE, user_id=user_id)
    return _erasure(rows[0]) if rows else None


def leaves(tx: Tx, user_id: str) -> bool:
    """Whether somebody is being erased, or was. Whoever goes by it holds the user."""
    newest = newest_erasure(tx, user_id)
    return newest is not None and newest.state in {ErasureState.ERASING, ErasureState.DONE}


def list_of_due_erasures(tx: Tx) -> list[str]:
    """Wishes that are due or under way, the longest due first."""
    return [row[0] for row in tx.all(_DUE_ERASURES, now=tx.now)]


def put_off_erasures(tx: Tx, erasure_ids: Sequence[str], *, until: datetime) -> None:
    """Looks at wishes later that have not ended."""
    tx.run(_PUT_OFF_ERASURES, ids=list(erasure_ids), until=until)


def list_of_erasures(tx: Tx, erasure_ids: Sequence[str]) -> list[Erasure | None]:
    """Wishes by id in the order asked, None where there is none."""
    found = {row[0]: _erasure(row) for row in tx.all(_LIST_ERASURES, ids=list(erasure_ids))}
    return [found.get(each) for each in erasure_ids]


def insert_export(tx: Tx, export: Export) -> None:
    """Stores a new export."""
    tx.run(_INSERT_EXPORT, **asdict(export))


def save_export(tx: Tx, export: Export) -> None:
    """Stores what an export is now."""
    values = asdict(export)
    for name in ("id", "user_id", "requested_at"):
        del values[name]
    assert tx.run(_SAVE_EXPORT, of=export.id, **values) == 1, "an export that was read is there"


def get_export(tx: Tx, export_id: str) -> Export:
    """An export. A unit of work that writes holds it.

    Raises:
        NotFoundError: there is none.
    """
    row = tx.one(_GET_EXPORT, id=export_id)
    if row is None:
        raise errors.NotFoundError("There is no such export.")
    return Export(*row)


def newest_export(tx: Tx, user_id: str) -> Export | None:
    """The last export of somebody, or None."""
    rows = tx.all(_NEWEST_EXPORT, user_id=user_id)
    return Export(*rows[0]) if rows else None


def list_of_due_exports(tx: Tx) -> list[Export]:
    """Exports that are to be made, or whose file is to go, the longest due first."""
    return [Export(*row) for row in tx.all(_DUE_EXPORTS, now=tx.now)]


def list_of_exports(tx: Tx, export_ids: Sequence[str]) -> list[Export | None]:
    """Exports by id in the order asked, None where there is none."""
    found = {row[0]: Export(*row) for row in tx.all(_LIST_EXPORTS, ids=list(export_ids))}
    return [found.get(each) for each in export_ids]


def list_of_kept_exports(tx: Tx, user_id: str) -> list[Export]:
    """The exports of somebody whose files may be there."""
    return [Export(*row) for row in tx.all(_KEPT_EXPORTS, user_id=user_id)]


def _plain(erasure: Erasure) -> dict[str, Any]:
    return asdict(erasure) | {"blockers": [each.value for each in erasure.blockers]}


def _erasure(row: Sequence[Any]) -> Erasure:
    erasure_id, user_id, state, requested_at, due_at, blockers, ended_at = row
    return Erasure(erasure_id, user_id, state, requested_at, due_at, tuple(map(Blocker, blockers)), ended_at)


def _insert(table: sa.Table) -> Statement[Any]:
    return Statement(lambda: sa.insert(table).values({c.name: sa.bindparam(c.name) for c in table.c}))


def _save(table: sa.Table, *names: str) -> Statement[Any]:
    values: dict[str, Any] = {name: sa.bindparam(name) for name in names}
    return Statement(lambda: sa.update(table).where(table.c.id == sa.bindparam("of")).values(values))


def _get(table: sa.Table) -> Statement[Any]:
    return Statement(lambda: sa.select(*table.c).where(table.c.id == sa.bindparam("id")), holds=table)


def _newest(table: sa.Table) -> Statement[Any]:
    return Statement(
        lambda: (
            sa.select(*table.c)
            .where(table.c.user_id == sa.bindparam("user_id"))
            .order_by(table.c.requested_at.desc(), table.c.id.desc())
            .limit(1)
        )
    )


def _list(table: sa.Table) -> Statement[Any]:
    return Statement(lambda: sa.select(*table.c).where(columns.any_of(table.c.id, "ids")))


_INSERT_ERASURE: Final = _insert(_E)
_SAVE_ERASURE: Final = _save(_E, "state", "due_at", "blockers", "ended_at")
_GET_ERASURE: Final = _get(_E)
_NEWEST_ERASURE: Final = _newest(_E)
_LIST_ERASURES: Final = _list(_E)
_DUE_ERASURES: Final = Statement[tuple[str]](
    lambda: (
        sa.select(_E.c.id)
        .where(_E.c.ended_at.is_(None), _E.c.due_at <= sa.bindparam("now"))
        .order_by(_E.c.due_at)
        .limit(DUE_MAX)
    )
)
_PUT_OFF_ERASURES: Final = Statement[Any](
    lambda: (
        sa.update(_E)
        .where(columns.any_of(_E.c.id, "ids"), _E.c.ended_at.is_(None))
        .values(due_at=sa.bindparam("until"))
    )
)
_INSERT_EXPORT: Final = _insert(_X)
_SAVE_EXPORT: Final = _save(_X, "state", "tries", "due_at", "ready_at", "expires_at", "size_bytes", "sha256")
_GET_EXPORT: Final = _get(_X)
_NEWEST_EXPORT: Final = _newest(_X)
_LIST_EXPORTS: Final = _list(_X)
_DUE_EXPORTS: Final = Statement[Any](
    lambda: sa.select(*_X.c).where(_X.c.due_at <= sa.bindparam("now")).order_by(_X.c.due_at).limit(DUE_MAX)
)
_KEPT_EXPORTS: Final = Statement[Any](
    lambda: (
        sa.select(*_X.c)
        .where(_X.c.user_id == sa.bindparam("user_id"), _X.c.due_at.is_not(None))
        .order_by(_X.c.id)
        .limit(DUE_MAX)
    )
)
