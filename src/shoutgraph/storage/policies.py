"""Policy versions: written once, never changed; an order names the one it was submitted under."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Final

import orjson
import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import policies
from shoutgraph.domain.policies import Policy, Screening
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

CACHED_MAX: Final = 64


class PolicyRow(SQLModel, table=True):
    """One version of the rules, as canonical JSON text."""

    __tablename__: ClassVar[str] = "policy"
    __table_args__ = (sa.CheckConstraint("version > 0", name="policy_version"), {"sqlite_strict": True})
    version: int = Field(sa_column=sa.Column(columns.Integer, primary_key=True))
    body: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))


_T = columns.table_of(PolicyRow)
_CURRENT: Final = Statement[tuple[str]](lambda: sa.select(_T.c.body).order_by(_T.c.version.desc()).limit(1))
_GET: Final = Statement[tuple[str]](lambda: sa.select(_T.c.body).where(_T.c.version == sa.bindparam("version")))
_LIST: Final = Statement[tuple[int, str]](
    lambda: sa.select(_T.c.version, _T.c.body).where(columns.any_of(_T.c.version, "versions"))
)
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))


def current(tx: Tx) -> Policy:
    """The newest version; the first one before any is stored."""
    row = tx.one(_CURRENT)
    return policies.FIRST if row is None else _read(row[0])


def foresee_current(tx: Tx) -> None:
    """Asks ahead what `current` will ask."""
    tx.foresee(_CURRENT)


def get(tx: Tx, version: int) -> Policy:
    """The version that an order names."""
    if version == policies.FIRST.version:
        return policies.FIRST
    row = tx.one(_GET, version=version)
    assert row is not None, "an order names a version that is stored"
    return _read(row[0])


def list_of(tx: Tx, versions: Sequence[int]) -> list[Policy]:
    """The versions that orders name, in the order asked."""
    stored = [version for version in versions if version != policies.FIRST.version]
    found = {policies.FIRST.version: policies.FIRST}
    if stored:
        found |= {version: _read(body) for version, body in tx.all(_LIST, versions=stored)}
    return [found[version] for version in versions]


def insert(tx: Tx, policy: Policy) -> None:
    """Stores the next version."""
    tx.run(_INSERT, version=policy.version, body=columns.to_json(asdict(policy)), at=tx.now)


@lru_cache(maxsize=CACHED_MAX)
def _read(body: str) -> Policy:
    values = orjson.loads(body)
    return Policy(**(values | {"screening": Screening(values["screening"])}))
