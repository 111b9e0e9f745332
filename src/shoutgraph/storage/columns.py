"""The column types of every table, and the one way to filter by a list.

They fit SQLite's STRICT tables and PostgreSQL alike: text, 64-bit integers and bytes. Times are microseconds since
1970, truths are 0 or 1, and structured values are canonical JSON text, so that a hash over a row is the same
everywhere. Source: docs/adr/0003-ledger.md.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar, cast

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import SQLModel

from shoutgraph.domain import clock

Text: Final = sa.Text()
Integer: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Blob: Final = sa.LargeBinary()

TAGS_CACHED: Final = 4_096
"""Different lists of tags in a column whose reading is remembered."""

_TRUTHS: Final[dict[int | None, bool | None]] = {None: None, 0: False, 1: True}

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T", bound=str)
Json = Mapping[str, "JsonValue"]
JsonValue = str | int | bool | None | Sequence["JsonValue"] | Json


def _time_of(value: int | None) -> datetime | None:
    """Most stored values that need reading are times, so this is one call, and not one around another."""
    return None if value is None else clock.from_micros(value)


def _micros_of(value: datetime | None) -> int | None:
    """The way back; a naive time fails on the subtraction."""
    return None if value is None else clock.to_micros(value)


def _unless_none(turn: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """How a value is read or written where NULL is None."""
    return lambda value: None if value is None else turn(value)


class _Micros(sa.types.TypeDecorator[datetime]):
    """An aware UTC time as microseconds since 1970."""

    impl = Integer
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        """Takes the aware UTC time."""
        _ = dialect
        return _micros_of

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:
        """Gives the aware UTC time."""
        _ = dialect, coltype
        return _time_of


class _Truth(sa.types.TypeDecorator[bool]):
    """A truth as 0 or 1; the column adds the CHECK."""

    impl = Integer
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        """0 or 1."""
        _ = dialect
        return _unless_none(int)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:
        """Gives the truth."""
        _ = dialect, coltype
        return _TRUTHS.__getitem__


class _Json(sa.types.TypeDecorator[Any]):
    """A structured value as canonical JSON text."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        """Canonical text: sorted keys, no spaces."""
        _ = dialect
        return _unless_none(to_json)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:
        """Gives the value."""
        _ = dialect, coltype
        return _unless_none(orjson.loads)


class _Day(sa.types.TypeDecorator[date]):
    """A day without a time, as `2001-02-28`."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        """The day's text."""
        _ = dialect
        return _unless_none(date.isoformat)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:
        """Gives the day."""
        _ = dialect, coltype
        return _unless_none(date.fromisoformat)


class Words(sa.types.TypeDecorator[E], Generic[E]):
    """One word of a `StrEnum`, as its text."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        super().__init__()
        self.words = words

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        """The word's text."""
        _ = dialect
        return _unless_none(attrgetter("value"))

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:
        """Gives the word."""
        _ = dialect, coltype
        words: dict[str | None, E | None] = {word.value: word for word in self.words}
        return (words | {None: None}).__getitem__


class Tags(sa.types.TypeDecorator[tuple[T, ...]], Generic[T]):
    """A short list of plain words as text between bars, `|de|en|`, so that one row holds it and LIKE finds a word."""

    impl = Text
    cache_ok = True

    def __init__(self, word: type[T]) -> None:
        super().__init__()
        self.word = word

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        """The words between bars."""
        _ = dialect
        return _unless_none(lambda words: "|" + "".join(f"{word}|" for word in words))

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:
        """Gives the words."""
        _ = dialect, coltype
        return functools.lru_cache(TAGS_CACHED)(self._read)

    def _read(self, text: str | None) -> tuple[T, ...] | None:
        return None if text is None else tuple(self.word(part) for part in text.split("|") if part)


Micros: Final = _Micros()
Truth: Final = _Truth()
JsonText: Final = _Json()
Day: Final = _Day()

YES: Final[sa.ColumnElement[bool]] = sa.literal_column("1", Truth)
NO: Final[sa.ColumnElement[bool]] = sa.literal_column("0", Truth)
"""What a truth column is compared with: SQLAlchemy's own `true()` is a boolean on PostgreSQL, and no number."""


def to_json(value: object) -> str:
    """Canonical JSON text: keys sorted, no spaces, UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def truth(name: str) -> sa.CheckConstraint:
    """The CHECK of a truth column."""
    return sa.CheckConstraint(f"{name} IN (0, 1)")


def one_of(name: str, words: type[StrEnum]) -> sa.CheckConstraint:
    """The CHECK of a column that holds a word of an enum."""
    listed = ", ".join(f"'{word.value}'" for word in words)
    return sa.CheckConstraint(f"{name} IN ({listed})")


def is_one_of(name: str, words: Iterable[StrEnum]) -> str:
    """The condition that a column holds one of these words, as text for an index and for the queries that use it."""
    return f"{name} IN (" + ", ".join(f"'{word}'" for word in words) + ")"


def partial_index(name: str, *names: str, where: str) -> sa.Index:
    """An index over the rows that a condition picks, in either dialect."""
    return sa.Index(name, *names, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def table_of(row: type[SQLModel]) -> sa.Table:
    """The Core table that a SQLModel row declares."""
    return cast("sa.Table", row.__table__)  # type: ignore[attr-defined]


class _ListOf(sa.types.TypeDecorator[Any]):
    """A list bound as one parameter: JSON text on SQLite, the driver's own array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def __init__(self, item: sa.types.TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """What the parameter is declared as."""
        return dialect.type_descriptor(self.impl_instance if dialect.name == "sqlite" else sa.ARRAY(self.item))

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        """Turns each item into what the column stores, and the whole into one value."""
        each = self.item.dialect_impl(dialect).bind_processor(dialect)

        def listed(values: Any) -> list[object]:  # noqa: ANN401 - any sequence
            return [each(value) for value in values] if each else list(values)

        if dialect.name == "sqlite":
            return lambda values: orjson.dumps(listed(values)).decode()
        return listed


class _AnyOf(FunctionElement[bool]):
    """Whether a column's value is in a list that is bound as one parameter."""

    inherit_cache = True
    type = sa.Boolean()

    def self_group(self, against: object = None) -> "_AnyOf":  # noqa: ARG002 - SQLAlchemy's
        """Stays as it is: for SQLite, SQLAlchemy would add `= 1` to a truth, and no index would be used."""
        return self


@compiles(_AnyOf, "sqlite")
def _in_json_each(element: _AnyOf, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    column, values = element.clauses
    listed = f"SELECT value FROM json_each({compiler.process(values, **kw)})"  # noqa: S608 - a parameter's place
    return f"{compiler.process(column, **kw)} IN ({listed})"


@compiles(_AnyOf, "postgresql")
def _equals_any(element: _AnyOf, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    column, values = element.clauses
    return f"{compiler.process(column, **kw)} = ANY({compiler.process(values, **kw)})"


def any_of(column: sa.ColumnElement[Any], param: str) -> sa.ColumnElement[bool]:
    """Whether the column's value is in the list given as this parameter; of any length, one statement text."""
    return _AnyOf(column, sa.bindparam(param, type_=_ListOf(column.type)))
