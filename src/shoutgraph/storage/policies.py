"""Policy versions: written once, never changed; an order names the one it was submitted under."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Final

import orjson
import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, pages, policies, publishing
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.publishing import Published
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

CACHED_MAX: Final = 64
VERSIONS_END: Final = 2**62
"""Beyond every version, so that a page is always read from a key on."""


class PolicyRow(SQLModel, table=True):
    """One version of the rules, as canonical JSON text, and who published it why."""

    __tablename__: ClassVar[str] = "policy"
    __table_args__ = (sa.CheckConstraint("version > 0", name="policy_version"), {"sqlite_strict": True})
    version: int = Field(sa_column=sa.Column(columns.Integer, primary_key=True))
    body: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    changed: list[str] | None = Field(sa_column=sa.Column(columns.JsonText))
    published_by: str | None = Field(sa_column=sa.Column(columns.Text))
    reason: str | None = Field(sa_column=sa.Column(columns.Text))


_T = columns.table_of(PolicyRow)
_STORY: Final = (_T.c.body, _T.c.changed, _T.c.at, _T.c.published_by, _T.c.reason)
_NEWEST: Final = sa.select(_T.c.body).order_by(_T.c.version.desc()).limit(1)
NEWEST: Final = _NEWEST.scalar_subquery()
"""The newest version as a column beside what is decided by it."""
_CURRENT: Final = Statement[tuple[str]](lambda: _NEWEST)
_GET: Final = Statement[tuple[str]](lambda: sa.select(_T.c.body).where(_T.c.version == sa.bindparam("version")))
_LIST: Final = Statement[tuple[int, str]](
    lambda: sa.select(_T.c.version, _T.c.body).where(columns.any_of(_T.c.version, "versions"))
)
_AT: Final = Statement[tuple[str]](
    lambda: sa.select(_T.c.body).where(_T.c.at <= sa.bindparam("at")).order_by(_T.c.version.desc()).limit(1)
)
_GET_PUBLISHED: Final = Statement[Any](lambda: sa.select(*_STORY).where(_T.c.version == sa.bindparam("version")))
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))


def current(tx: Tx) -> Policy:
    """The newest version; the first one before any is stored."""
    row = tx.one(_CURRENT)
    return read_newest(None if row is None else row[0])


def foresee_current(tx: Tx) -> None:
    """Asks ahead what `current` will ask."""
    tx.foresee(_CURRENT)


def read_newest(body: str | None) -> Policy:
    """The newest version, read by `NEWEST`."""
    return policies.FIRST if body is None else _read(body)


def get(tx: Tx, version: int) -> Policy:
    """The version that an order names."""
    if version == policies.FIRST.version:
        return policies.FIRST
    row = tx.one(_GET, version=version)
    assert row is not None, "an order names a version that is stored"
    return _read(row[0])


def in_force_at(tx: Tx, at: datetime) -> Policy:
    """The version that was in force at a time."""
    row = tx.one(_AT, at=at)
    return policies.FIRST if row is None else _read(row[0])


def list_of(tx: Tx, versions: Sequence[int]) -> list[Policy]:
    """The versions that orders name, in the order asked."""
    stored = [version for version in versions if version != policies.FIRST.version]
    found = {policies.FIRST.version: policies.FIRST}
    if stored:
        found |= {version: _read(body) for version, body in tx.all(_LIST, versions=stored)}
    return [found[version] for version in versions]


def insert(tx: Tx, policy: Policy) -> None:
    """Stores the next version."""
    insert_published(tx, Published(policy))


def insert_published(tx: Tx, published: Published) -> None:
    """Stores the next version, and who published it why. A version that a neighbour took is not ours."""
    policy = published.policy
    changed = list(published.changed) or None
    words = {"changed": changed, "published_by": published.by, "reason": published.reason}
    tx.run(_INSERT, version=policy.version, body=columns.to_json(asdict(policy)), at=tx.now, **words)


def get_published(tx: Tx, version: int) -> Published:
    """A version, and how it came to be.

    Raises:
        NotFoundError: there is no such version.
    """
    if version == policies.FIRST.version:
        return publishing.FIRST
    row = tx.one(_GET_PUBLISHED, version=version)
    if row is None:
        raise errors.NotFoundError("There is no such version of the policy.", path=("version",))
    return _published(row)


def list_of_page(tx: Tx, args: pages.PageArgs) -> list[Published]:
    """Up to one version more than the page holds, newest first; the first one is code. The key is `(version,)`."""
    start = args.key[0] if args.key is not None else 0 if args.backward else VERSIONS_END
    rows = tx.all(_PAGES[args.backward], size=args.size + 1, key=start)
    found = [_published(row) for row in rows]
    key = None if args.key is None else args.key[0]
    first_fits = key is None or (isinstance(key, int) and (key < 1 if args.backward else key > 1))
    if args.backward:
        return [*([publishing.FIRST] if first_fits else []), *found][: args.size + 1]
    return [*found, *([publishing.FIRST] if first_fits else [])][: args.size + 1]


def _page(*, backward: bool) -> Statement[Any]:
    key, order = sa.bindparam("key", type_=columns.Integer), _T.c.version.asc() if backward else _T.c.version.desc()
    beyond = _T.c.version > key if backward else _T.c.version < key
    return Statement(lambda: sa.select(*_STORY).where(beyond).order_by(order).limit(sa.bindparam("size")))


_PAGES: Final = {backward: _page(backward=backward) for backward in (False, True)}


def _published(row: Sequence[Any]) -> Published:
    body, changed, *rest = row
    return Published(_read(body), tuple(changed or ()), *rest)


@lru_cache(maxsize=CACHED_MAX)
def _read(body: str) -> Policy:
    return publishing.from_plain(orjson.loads(body))
