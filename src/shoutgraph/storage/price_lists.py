"""Versions of all prices: who published which list for when, and what it said.

The list itself is canonical text, and read only where it takes effect or somebody asks for a market of it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, pages, price_lists
from shoutgraph.domain.packages import PriceList
from shoutgraph.domain.price_lists import ListState, Version
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, JsonText, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

DUE_MAX: Final = 10
VERSIONS_END: Final = 2**62
"""Beyond every version, so that a page is always read from a key on."""


class PriceListRow(SQLModel, table=True):
    """One version of all prices."""

    __tablename__ = "price_list"
    __table_args__ = (
        sa.CheckConstraint("version > 0", name="price_list_version"),
        sa.CheckConstraint("effective_from >= published_at", name="price_list_not_before"),
        sa.CheckConstraint("(state = 'SCHEDULED') = (decided_at IS NULL)", name="price_list_decided"),
        sa.CheckConstraint("ended_at IS NULL OR state = 'APPLIED'", name="price_list_ended"),
        one_of("state", ListState),
        columns.partial_index("price_list_due", "effective_from", where="state = 'SCHEDULED'"),
        {"sqlite_strict": True},
    )

    version: int = Field(sa_type=Integer, primary_key=True)
    state: ListState = Field(sa_type=Words(ListState))
    effective_from: datetime = Field(sa_type=Micros)
    published_at: datetime = Field(sa_type=Micros)
    published_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    packages_count: int = Field(sa_type=Integer)
    units_count: int = Field(sa_type=Integer)
    warnings: list[list[Any]] = Field(sa_type=JsonText)
    decided_at: datetime | None = Field(sa_type=Micros)
    ended_at: datetime | None = Field(sa_type=Micros)
    body: str = Field(sa_type=Text)


_T: Final = columns.table_of(PriceListRow)
_SHOWN: Final = tuple(column for column in _T.c if column.name != "body")
_NAMES: Final = tuple(column.name for column in _SHOWN)


def insert(tx: Tx, version: Version, prices: PriceList) -> None:
    """Stores the next version. A number that a neighbour took is not ours."""
    values: dict[str, object] = {name: getattr(version, name) for name in _NAMES}
    values |= {"warnings": price_lists.warnings_to_plain(version.warnings)}
    tx.run(_INSERT, **values, body=columns.to_json(price_lists.to_plain(prices)))


def decide(tx: Tx, version: int, state: ListState) -> None:
    """Says that a scheduled list took effect or was withdrawn."""
    changed = tx.run(_DECIDE, of=version, state=state, at=tx.now)
    assert changed == 1, "a scheduled list is decided once"


def end_others(tx: Tx, version: int) -> None:
    """Says that every other list has ended."""
    tx.run(_END, but=version, at=tx.now)


def find_newest(tx: Tx) -> Version | None:
    """The newest version, or None before any was published."""
    row = tx.one(_NEWEST)
    return None if row is None else _version(row)


def get(tx: Tx, version: int) -> Version:
    """A version.

    Raises:
        NotFoundError: there is none of this number.
    """
    row = tx.one(_GET, version=version)
    if row is None:
        raise errors.NotFoundError("There is no such price list.", path=("input", "version"))
    return _version(row)


def get_prices(tx: Tx, version: int) -> PriceList:
    """What a version says.

    Raises:
        NotFoundError: there is none of this number.
    """
    row = tx.one(_BODY, version=version)
    if row is None:
        raise errors.NotFoundError("There is no such price list.", path=("version",))
    return price_lists.from_plain(orjson.loads(row[0]))


def list_of_due(tx: Tx) -> list[int]:
    """The scheduled versions whose time has come, in their order."""
    return [row[0] for row in tx.all(_DUE, now=tx.now)]


def list_of_page(tx: Tx, args: pages.PageArgs) -> list[Version]:
    """Up to one version more than the page holds, newest first. The key is `(version,)`."""
    key = args.key[0] if args.key is not None else 0 if args.backward else VERSIONS_END
    return [_version(row) for row in tx.all(_PAGES[args.backward], size=args.size + 1, key=key)]


def _version(row: Sequence[Any]) -> Version:
    values = dict(zip(_NAMES, row, strict=True))
    return Version(**(values | {"warnings": price_lists.warnings_from_plain(values["warnings"])}))


def _page(*, backward: bool) -> Statement[Any]:
    key, order = sa.bindparam("key", type_=Integer), _T.c.version.asc() if backward else _T.c.version.desc()
    beyond = _T.c.version > key if backward else _T.c.version < key
    return Statement(lambda: sa.select(*_SHOWN).where(beyond).order_by(order).limit(sa.bindparam("size")))


_SCHEDULED: Final[sa.ColumnElement[Any]] = sa.literal_column(f"'{ListState.SCHEDULED}'")
_APPLIED: Final[sa.ColumnElement[Any]] = sa.literal_column(f"'{ListState.APPLIED}'")
_PAGES: Final = {backward: _page(backward=backward) for backward in (False, True)}
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_DECIDE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.version == sa.bindparam("of"), _T.c.state == _SCHEDULED)
        .values(state=sa.bindparam("state"), decided_at=sa.bindparam("at"))
    )
)
_END: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.version != sa.bindparam("but"), _T.c.state == _APPLIED, _T.c.ended_at.is_(None))
        .values(ended_at=sa.bindparam("at"))
    )
)
_NEWEST: Final = Statement[Any](lambda: sa.select(*_SHOWN).order_by(_T.c.version.desc()).limit(1))
_GET: Final = Statement[Any](lambda: sa.select(*_SHOWN).where(_T.c.version == sa.bindparam("version")))
_BODY: Final = Statement[tuple[str]](lambda: sa.select(_T.c.body).where(_T.c.version == sa.bindparam("version")))
_DUE: Final = Statement[tuple[int]](
    lambda: (
        sa.select(_T.c.version)
        .where(_T.c.state == _SCHEDULED, _T.c.effective_from <= sa.bindparam("now"))
        .order_by(_T.c.version)
        .limit(DUE_MAX)
    )
)
