"""Epochs of the journal, and what the database says of its own journal beside an anchor."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain.anchors import FIRST, Epoch, Standing
from shoutgraph.domain.journal import Head
from shoutgraph.storage import columns, journal
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

EPOCHS_MAX: Final = 1_000
"""The most restores that one database remembers; a restore is an accident."""

HASHES_MAX: Final = 1_000
"""The most lines that are compared in one query."""


class EpochRow(SQLModel, table=True):
    """One restore: the line at which the journal went on, and the newest line that is known to be lost."""

    __tablename__: ClassVar[str] = "epoch"
    __table_args__ = (
        sa.CheckConstraint("length(after_hash) = 32", name="epoch_after_hash"),
        sa.CheckConstraint("lost_seq > after_seq", name="epoch_lost"),
        {"sqlite_strict": True},
    )
    number: int = Field(sa_column=sa.Column(columns.Integer, primary_key=True, autoincrement=False))
    after_seq: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    after_hash: bytes = Field(sa_column=sa.Column(columns.Blob, nullable=False))
    after_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    began_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    lost_seq: int | None = Field(sa_column=sa.Column(columns.Integer, nullable=True))


_T = columns.table_of(EpochRow)
_EVENT = columns.table_of(journal.EventRow)
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_CURRENT: Final = Statement[Any](lambda: sa.select(_T).order_by(_T.c.number.desc()).limit(1))
_ALL: Final = Statement[Any](lambda: sa.select(_T).order_by(_T.c.number).limit(EPOCHS_MAX))
_FIRST_LINE: Final = Statement[tuple[bytes]](lambda: sa.select(_EVENT.c.hash).where(_EVENT.c.seq == 1))
_HASHES: Final = Statement[tuple[int, bytes]](
    lambda: sa.select(_EVENT.c.seq, _EVENT.c.hash).where(columns.any_of(_EVENT.c.seq, "seqs"))
)


def current(tx: Tx) -> Epoch:
    """The epoch that runs."""
    row = tx.one(_CURRENT)
    return FIRST if row is None else _epoch(row)


def standing(tx: Tx) -> Standing:
    """What the database says of its own journal."""
    first = tx.one(_FIRST_LINE)
    epochs = tuple(_epoch(row) for row in tx.all(_ALL))
    return Standing(None if first is None else first[0], journal.head(tx), epochs)


def list_of_hashes(tx: Tx, seqs: Sequence[int]) -> dict[int, bytes]:
    """The hashes of lines by their numbers; those that are not there are left out."""
    assert len(seqs) <= HASHES_MAX, "a query looks at a bounded number of lines"
    return dict(tx.all(_HASHES, seqs=list(seqs)))


def begin(tx: Tx, *, after: Head | None = None, above: int = 0, lost_seq: int | None = None) -> Epoch:
    """Begins the next epoch: cursors of before belong to another history.

    Args:
        after: the last line of the epoch before, the newest one if it is not given.
        above: the highest number of an epoch that others have heard of.
        lost_seq: the newest line that is known to be lost.
    """
    head = after or journal.head(tx)
    lost = lost_seq if lost_seq is not None and lost_seq > head.seq else None
    epoch = Epoch(max(current(tx).number, above) + 1, head, tx.now, lost)
    tx.run(
        _INSERT,
        number=epoch.number,
        after_seq=head.seq,
        after_hash=head.hash,
        after_at=head.at,
        began_at=epoch.began_at,
        lost_seq=epoch.lost_seq,
    )
    return epoch


def _epoch(row: Sequence[Any]) -> Epoch:
    number, after_seq, after_hash, after_at, began_at, lost_seq = row
    return Epoch(number, Head(after_seq, after_hash, after_at), began_at, lost_seq)
