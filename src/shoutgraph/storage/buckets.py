"""Buckets of points that several processes share: for each, when it will be full again.

Nobody is named here: keys are digests. Rows are of no use once they lie in the past, and are removed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql  # its form of ON CONFLICT is SQLite's too
from sqlmodel import Field, SQLModel

from shoutgraph.domain import clock
from shoutgraph.domain.buckets import DEBT_US_MAX
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

KEYS_MAX: Final = 1_000
"""How many buckets one unit of work settles or removes."""


class RateBucketRow(SQLModel, table=True):
    """One bucket."""

    __tablename__: ClassVar[str] = "rate_bucket"
    __table_args__ = (
        sa.CheckConstraint("length(key) BETWEEN 16 AND 64", name="rate_bucket_key"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    key: str = Field(sa_type=Text, primary_key=True)
    full_at: datetime = Field(sa_type=Micros)


_T: Final = columns.table_of(RateBucketRow)


def spend(tx: Tx, micros: Mapping[str, int]) -> dict[str, int]:
    """Spends from buckets, and says in how long each is full again. Units: microseconds.

    Args:
        micros: how long it takes to regain what was spent, by key; `KEYS_MAX` at most.
    """
    now = clock.to_micros(tx.now)
    rows = [
        {"key": key, "start": now + micros[key], "now": now, "spent": micros[key], "latest": now + DEBT_US_MAX}
        for key in sorted(micros)
    ]
    tx.many(_SPEND, rows)
    found = tx.all(_FIND, keys=[row["key"] for row in rows])
    return {key: clock.to_micros(full_at) - now for key, full_at in found}


def forget(tx: Tx) -> int:
    """Removes buckets that are full; says how many."""
    return tx.run(_FORGET, now=clock.to_micros(tx.now), size=KEYS_MAX)


_FULL_AT: Final = sa.type_coerce(_T.c.full_at, Integer)


def _micros(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=Integer)


def _spending() -> sa.ClauseElement:
    insert = postgresql.insert(_T).values(key=sa.bindparam("key", type_=Text), full_at=_micros("start"))
    since = sa.case((_micros("now") < _FULL_AT, _FULL_AT), else_=_micros("now"))
    later = since + _micros("spent")
    capped = sa.case((later < _micros("latest"), later), else_=_micros("latest"))
    return insert.on_conflict_do_update(index_elements=[_T.c.key], set_={"full_at": capped})


def _forgetting() -> sa.ClauseElement:
    past = sa.select(_T.c.key).where(_micros("now") > _FULL_AT).order_by(_T.c.key).limit(sa.bindparam("size"))
    return sa.delete(_T).where(_T.c.key.in_(past), _micros("now") > _FULL_AT)


_SPEND: Final = Statement[Any](_spending)
_FORGET: Final = Statement[Any](_forgetting)
_FIND: Final = Statement[tuple[str, datetime]](
    lambda: sa.select(_T.c.key, _T.c.full_at).where(columns.any_of(_T.c.key, "keys"))
)
