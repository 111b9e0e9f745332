"""Reputation: what happened with a creator's orders day by day, and what the last 60 days come to.

The days follow from the journal (`services.reputation`), the sum of a window from its days: the database refuses any
other. A creator's row shows the response time and the badges of the sum, for lists. Units: seconds, days since 1970.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import reputation
from shoutgraph.domain.reputation import Badge, Counts, Reputation
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Tags, Text
from shoutgraph.storage.statements import Statement, upsert
from shoutgraph.storage.tx import Tx

_SHAPE: Final = " AND ".join(f"{name} >= 0" for name in reputation.NAMES) + " AND late <= delivered"


class DayRow(SQLModel, table=True):
    """What happened with a creator's orders in a day. Days on which nothing did have no row."""

    __tablename__: ClassVar[str] = "reputation_day"
    __table_args__ = (
        sa.CheckConstraint(_SHAPE, name="reputation_day_counts"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    creator_id: str = Field(sa_type=Text, primary_key=True, foreign_key="creator.id")
    day: int = Field(sa_type=Integer, primary_key=True)
    accepted: int = Field(sa_type=Integer)
    declined: int = Field(sa_type=Integer)
    unanswered: int = Field(sa_type=Integer)
    waited_s: int = Field(sa_type=Integer)
    delivered: int = Field(sa_type=Integer)
    late: int = Field(sa_type=Integer)
    overdue: int = Field(sa_type=Integer)
    withdrawn: int = Field(sa_type=Integer)
    refused: int = Field(sa_type=Integer)
    redone: int = Field(sa_type=Integer)
    completed: int = Field(sa_type=Integer)
    refunded: int = Field(sa_type=Integer)


class ReputationRow(SQLModel, table=True):
    """What the days of a window come to. `changes_on` is the day on which it changes by the passing of time alone."""

    __tablename__: ClassVar[str] = "reputation"
    __table_args__ = (
        sa.CheckConstraint(_SHAPE, name="reputation_counts"),
        sa.CheckConstraint(f"until - since = {reputation.WINDOW_DAYS - 1}", name="reputation_window"),
        sa.Index("reputation_changes", "changes_on"),
        sa.Index("reputation_policy", "policy_version"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    creator_id: str = Field(sa_type=Text, primary_key=True, foreign_key="creator.id")
    since: int = Field(sa_type=Integer)
    until: int = Field(sa_type=Integer)
    policy_version: int = Field(sa_type=Integer)
    sample_min: int = Field(sa_type=Integer)
    accepted: int = Field(sa_type=Integer)
    declined: int = Field(sa_type=Integer)
    unanswered: int = Field(sa_type=Integer)
    waited_s: int = Field(sa_type=Integer)
    delivered: int = Field(sa_type=Integer)
    late: int = Field(sa_type=Integer)
    overdue: int = Field(sa_type=Integer)
    withdrawn: int = Field(sa_type=Integer)
    refused: int = Field(sa_type=Integer)
    redone: int = Field(sa_type=Integer)
    completed: int = Field(sa_type=Integer)
    refunded: int = Field(sa_type=Integer)
    response_sort_s: int = Field(sa_type=Integer)
    badges: str = Field(sa_type=Tags(Badge))
    changes_on: int | None = Field(sa_type=Integer)


_DAY: Final = columns.table_of(DayRow)
_T: Final = columns.table_of(ReputationRow)
_SUMS: Final = tuple(sa.cast(sa.func.sum(_DAY.c[name]), Integer) for name in reputation.NAMES)
_HEAD: Final = ("creator_id", "since", "until", "policy_version", "sample_min")
_LIST: Final = Statement[Any](
    lambda: sa.select(*(_T.c[name] for name in (*_HEAD, *reputation.NAMES, "badges"))).where(
        columns.any_of(_T.c.creator_id, "ids")
    )
)
_KEEP: Final = Statement[Any](lambda: upsert(_T, "creator_id"))
_WINDOW: Final = Statement[Any](
    lambda: (
        sa.select(_DAY.c.creator_id, sa.func.min(_DAY.c.day), *_SUMS)
        .where(
            columns.any_of(_DAY.c.creator_id, "ids"),
            _DAY.c.day.between(sa.bindparam("since"), sa.bindparam("until")),
        )
        .group_by(_DAY.c.creator_id)
    )
)
_CHANGING: Final = Statement[tuple[str]](
    lambda: (
        sa.select(_T.c.creator_id)
        .where(_T.c.changes_on <= sa.bindparam("today"))
        .order_by(_T.c.changes_on)
        .limit(sa.bindparam("size"))
    )
)
_OUTDATED: Final = Statement[tuple[str]](
    lambda: (
        sa.select(_T.c.creator_id)
        .where(_T.c.policy_version < sa.bindparam("version"))
        .order_by(_T.c.policy_version)
        .limit(sa.bindparam("size"))
    )
)
_ALL_DAYS: Final = Statement[Any](lambda: sa.select(*_DAY.c).order_by(_DAY.c.creator_id, _DAY.c.day))
_CLEAR: Final = Statement[Any](lambda: sa.delete(_DAY))


def add(tx: Tx, days: Mapping[tuple[str, int], Counts]) -> None:
    """Adds to the days of creators."""
    tx.many(
        _ADD,
        [{"creator_id": who, "day": day} | _values(counts) for (who, day), counts in sorted(days.items())],
    )


def window(tx: Tx, creator_ids: Sequence[str], *, today: int) -> dict[str, tuple[int, Counts]]:
    """The first day that counts and the sum of each creator who has any in the window that ends today."""
    since = reputation.first_day(today)
    rows = tx.all(_WINDOW, ids=list(creator_ids), since=since, until=today)
    return {row[0]: (row[1], Counts(*row[2:])) for row in rows}


def keep(tx: Tx, judged: Sequence[tuple[Reputation, int | None]]) -> None:
    """Stores what windows come to, each with the oldest day in it that counts."""
    tx.many(_KEEP, [_row(found, first) for found, first in judged])


def list_of(tx: Tx, creator_ids: Sequence[str]) -> dict[str, Reputation]:
    """What is kept of creators; who was never asked for anything has nothing."""
    rows = tx.all(_LIST, ids=list(creator_ids))
    return {row[0]: Reputation(row[0], row[1], row[2], row[3], row[4], Counts(*row[5:-1]), row[-1]) for row in rows}


def list_of_stale(tx: Tx, *, today: int, version: int, size: int) -> list[str]:
    """Whose window has moved past a day that counted, or was judged by an older policy."""
    changing = [row[0] for row in tx.all(_CHANGING, today=today, size=size)]
    return changing or [row[0] for row in tx.all(_OUTDATED, version=version, size=size)]


def all_days(tx: Tx) -> dict[tuple[str, int], Counts]:
    """Every day of every creator, for a proof."""
    return {(row[0], row[1]): Counts(*row[2:]) for row in tx.each(_ALL_DAYS)}


def replace_days(tx: Tx, days: Mapping[tuple[str, int], Counts]) -> None:
    """Puts these days in the place of all that are there."""
    tx.run(_CLEAR)
    add(tx, days)


def _row(found: Reputation, first: int | None) -> dict[str, object]:
    return {
        **{name: getattr(found, name) for name in (*_HEAD, "response_sort_s", "badges")},
        **_values(found.counts),
        "changes_on": None if first is None else first + reputation.WINDOW_DAYS,
    }


def _values(counts: Counts) -> dict[str, object]:
    return {name: getattr(counts, name) for name in reputation.NAMES}


def _add() -> sa.ClauseElement:
    insert = sa.dialects.postgresql.insert(_DAY).values({c.name: sa.bindparam(c.name) for c in _DAY.c})
    more = {name: _DAY.c[name] + insert.excluded[name] for name in reputation.NAMES}
    return insert.on_conflict_do_update(index_elements=[_DAY.c.creator_id, _DAY.c.day], set_=more)


_ADD: Final = Statement[Any](_add)
