"""Folds: how far in the journal something was counted that follows from it.

Who counts holds the place, and moves it on in the unit of work that keeps what was counted: each line counts once,
however many workers there are and wherever they die.
"""

from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class FoldRow(SQLModel, table=True):
    """One fold, and the number of the last line that it counted."""

    __tablename__: ClassVar[str] = "fold"
    __table_args__ = (
        sa.CheckConstraint("seq >= 0", name="fold_seq"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    name: str = Field(sa_type=Text, primary_key=True)
    seq: int = Field(sa_type=Integer)


_T: Final = columns.table_of(FoldRow)
_GET: Final = Statement[tuple[int]](lambda: sa.select(_T.c.seq).where(_T.c.name == sa.bindparam("name")), holds=_T)
_BEGIN: Final = Statement[Any](lambda: sa.insert(_T).values(name=sa.bindparam("name"), seq=sa.bindparam("seq")))
_ADVANCE: Final = Statement[Any](
    lambda: sa.update(_T).where(_T.c.name == sa.bindparam("of")).values(seq=sa.bindparam("to"))
)


def place(tx: Tx, name: str) -> int:
    """The last line that a fold counted, 0 before the first. A unit of work that writes holds it from now on."""
    row = tx.one(_GET, name=name)
    return 0 if row is None else row[0]


def begin(tx: Tx, name: str) -> None:
    """Gives a new fold its place before the first line, so that it can be held."""
    if tx.one(_GET, name=name) is None:
        tx.run(_BEGIN, name=name, seq=0)


def advance(tx: Tx, name: str, *, seq: int) -> None:
    """Keeps how far a fold came."""
    tx.put(_ADVANCE, of=name, to=seq)
