"""How far each plugin has heard the news of money: a place in the journal, held by one worker at a time."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import leases
from shoutgraph.domain.leases import Lease
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class NewsRow(SQLModel, table=True):
    """Where one plugin stands."""

    __tablename__: ClassVar[str] = "news_cursor"
    __table_args__ = (
        sa.CheckConstraint("seq >= 0 AND failures >= 0", name="news_cursor_counts"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    plugin: str = Field(sa_type=Text, primary_key=True)
    seq: int = Field(sa_type=Integer)
    failures: int = Field(sa_type=Integer)
    due_at: datetime = Field(sa_type=Micros)
    leased_until: datetime | None = Field(sa_type=Micros)


_T: Final = columns.table_of(NewsRow)


def begin(tx: Tx, plugin: str) -> bool:
    """Lets a plugin hear what happens from now on; False if it does already."""
    if tx.one(_FIND, plugin=plugin) is not None:
        return False
    return tx.run(_BEGIN, plugin=plugin, seq=tx.head.seq, failures=0, due_at=tx.now, leased_until=None) == 1


def claim(tx: Tx, plugin: str, *, lease: timedelta) -> tuple[int, int, Lease] | None:
    """Takes a plugin's place in the journal: its number, its failures, and the lease; None if it is not our turn."""
    ours = leases.taken(tx.now, lasting=lease)
    row = tx.one(_CLAIM, of=plugin, now=ours.since, until=ours.until)
    return None if row is None else (row[0], row[1], ours)


def advance(tx: Tx, plugin: str, *, seq: int, lease: Lease) -> bool:
    """Keeps how far a plugin has heard; False if the lease is another's now."""
    return tx.run(_ADVANCE, of=plugin, to=seq, until=lease.until) == 1


def give_back(tx: Tx, plugin: str, *, failures: int, due_at: datetime, lease: Lease) -> None:
    """Ends a turn, and says when the next one is."""
    tx.run(_GIVE_BACK, of=plugin, failures=failures, due_at=due_at, until=lease.until)


def list_of(tx: Tx) -> tuple[tuple[str, int, int, datetime], ...]:
    """Every plugin's place: its name, the last number it heard, its failures in a row, when its next turn is."""
    return tuple(tx.all(_LIST))


_ONE: Final = _T.c.plugin == sa.bindparam("of")
_OURS: Final = _T.c.leased_until == sa.bindparam("until")
_FIND: Final = Statement[Any](lambda: sa.select(_T.c.seq).where(_T.c.plugin == sa.bindparam("plugin")))
_BEGIN: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_CLAIM: Final = Statement[tuple[int, int]](
    lambda: (
        sa.update(_T)
        .where(
            _ONE,
            _T.c.due_at <= sa.bindparam("now"),
            _T.c.leased_until.is_(None) | (_T.c.leased_until <= sa.bindparam("now")),
        )
        .values(leased_until=sa.bindparam("until"))
        .returning(_T.c.seq, _T.c.failures)
    )
)
_ADVANCE: Final = Statement[Any](lambda: sa.update(_T).where(_ONE, _OURS).values(seq=sa.bindparam("to")))
_GIVE_BACK: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_ONE, _OURS)
        .values(failures=sa.bindparam("failures"), due_at=sa.bindparam("due_at"), leased_until=sa.null())
    )
)
_LIST: Final = Statement[tuple[str, int, int, datetime]](
    lambda: sa.select(_T.c.plugin, _T.c.seq, _T.c.failures, _T.c.due_at).order_by(_T.c.plugin)
)
