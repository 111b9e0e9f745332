"""Up to when each provider was asked for everything that it has, and how the days' totals compared."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import leases
from shoutgraph.domain.leases import Lease
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.statements import Statement, upsert
from shoutgraph.storage.tx import Tx

TOTALS_MAX: Final = 1_000


class SweepRow(SQLModel, table=True):
    """Where the sweep of one instance stands."""

    __tablename__: ClassVar[str] = "sweep"
    __table_args__ = (
        sa.CheckConstraint("failures >= 0", name="sweep_counts"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    instance: str = Field(sa_type=Text, primary_key=True)
    since: datetime = Field(sa_type=Micros)
    due_at: datetime = Field(sa_type=Micros)
    leased_until: datetime | None = Field(sa_type=Micros)
    answered_at: datetime | None = Field(sa_type=Micros)
    failures: int = Field(sa_type=Integer)


class TotalRow(SQLModel, table=True):
    """What the cash books and the rows said of an instance on a day."""

    __tablename__: ClassVar[str] = "money_total"
    __table_args__ = ({"sqlite_strict": True, "sqlite_with_rowid": False},)
    day: str = Field(sa_type=Text, primary_key=True)
    instance: str = Field(sa_type=Text, primary_key=True)
    currency: str = Field(sa_type=Text, primary_key=True)
    books_units: int = Field(sa_type=Integer)
    known_units: int = Field(sa_type=Integer)
    unbooked_minor: int = Field(sa_type=Integer)
    at: datetime = Field(sa_type=Micros)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A turn to ask one provider. `since` is what it was asked up to."""

    instance: str
    since: datetime
    failures: int
    lease: Lease


@dataclass(frozen=True, slots=True)
class Place:
    """Where the sweep of an instance stands: up to when it is known, when it is due, and its failures in a row."""

    instance: str
    since: datetime
    due_at: datetime
    answered_at: datetime | None
    failures: int


@dataclass(frozen=True, slots=True)
class Total:
    """One instance and currency on a day: the ledger's cash account, what top-ups and payouts say, what waits.

    Units: book units, and minor units for what providers have and the books wait with.
    """

    day: str
    instance: str
    currency: str
    books_units: int
    known_units: int
    unbooked_minor: int

    @property
    def differs(self) -> bool:
        """Whether the books say something else than the rows that they stand for."""
        return self.books_units != self.known_units


_S: Final = columns.table_of(SweepRow)
_T: Final = columns.table_of(TotalRow)


def begin(tx: Tx, instance: str, *, since: datetime) -> bool:
    """Lets an instance be swept from a time on; False if it is already."""
    if tx.one(_FIND, instance=instance) is not None:
        return False
    fresh = {"since": since, "due_at": tx.now, "leased_until": None, "answered_at": None, "failures": 0}
    return tx.run(_BEGIN, instance=instance, **fresh) == 1


def claim(tx: Tx, instance: str, *, lease: timedelta) -> Sweep | None:
    """Takes the turn of an instance, or None where it is not due or another worker has it."""
    ours = leases.taken(tx.now, lasting=lease)
    row = tx.one(_CLAIM, of=instance, now=ours.since, until=ours.until)
    return None if row is None else Sweep(instance, row[0], row[1], ours)


def finish(tx: Tx, sweep: Sweep, *, since: datetime, due_at: datetime, answered: bool) -> None:
    """Ends a turn: up to when everything is known now, and when to ask next."""
    failures = 0 if answered else sweep.failures + 1
    of, until = sweep.instance, sweep.lease.until
    statement = _ANSWERED if answered else _FINISH
    given = {"now": tx.now} if answered else {}
    tx.run(statement, of=of, until=until, since=since, due_at=due_at, failures=failures, **given)


def list_of(tx: Tx) -> tuple[Place, ...]:
    """Where every sweep stands."""
    return tuple(Place(*row) for row in tx.all(_LIST))


def keep_total(tx: Tx, total: Total) -> None:
    """Stores a day's comparison; a later one of the same day takes its place."""
    tx.run(
        _KEEP,
        day=total.day,
        instance=total.instance,
        currency=total.currency,
        books_units=total.books_units,
        known_units=total.known_units,
        unbooked_minor=total.unbooked_minor,
        at=tx.now,
    )


def has_totals(tx: Tx, day: str) -> bool:
    """Whether this day was compared."""
    return bool(tx.all(_HAS_TOTALS, day=day))


def list_of_totals(tx: Tx) -> tuple[Total, ...]:
    """The newest comparisons, the newest day first."""
    return tuple(Total(*row) for row in tx.all(_TOTALS))


_TOTAL_NAMES: Final = ("day", "instance", "currency", "books_units", "known_units", "unbooked_minor")
_ONE: Final = _S.c.instance == sa.bindparam("of")
_FIND: Final = Statement[Any](lambda: sa.select(_S.c.since).where(_S.c.instance == sa.bindparam("instance")))
_BEGIN: Final = Statement[Any](lambda: sa.insert(_S).values({c.name: sa.bindparam(c.name) for c in _S.c}))
_CLAIM: Final = Statement[tuple[datetime, int]](
    lambda: (
        sa.update(_S)
        .where(
            _ONE,
            _S.c.due_at <= sa.bindparam("now"),
            _S.c.leased_until.is_(None) | (_S.c.leased_until <= sa.bindparam("now")),
        )
        .values(leased_until=sa.bindparam("until"))
        .returning(_S.c.since, _S.c.failures)
    )
)


def _finish() -> sa.Update:
    values: dict[str, Any] = {name: sa.bindparam(name) for name in ("since", "due_at", "failures")}
    ours = _S.c.leased_until == sa.bindparam("until")
    return sa.update(_S).where(_ONE, ours).values(values | {"leased_until": sa.null()})


_FINISH: Final = Statement[Any](_finish)
_ANSWERED: Final = Statement[Any](lambda: _finish().values(answered_at=sa.bindparam("now")))
_PLACE: Final = ("instance", "since", "due_at", "answered_at", "failures")
_LIST: Final = Statement[Any](lambda: sa.select(*(_S.c[name] for name in _PLACE)).order_by(_S.c.instance))
_KEEP: Final = Statement[Any](lambda: upsert(_T, "day", "instance", "currency"))
_HAS_TOTALS: Final = Statement[Any](lambda: sa.select(_T.c.day).where(_T.c.day == sa.bindparam("day")).limit(1))
_TOTALS: Final = Statement[Any](
    lambda: (
        sa.select(*(_T.c[name] for name in _TOTAL_NAMES))
        .order_by(_T.c.day.desc(), _T.c.instance, _T.c.currency)
        .limit(TOTALS_MAX)
    )
)
