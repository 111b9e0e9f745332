"""One shape for every statement: SQLAlchemy Core on the tables, made into SQL text once per dialect.

SQLAlchemy's execution costs more than SQLite's; compiled text with its bind and result processors, run on the DBAPI
connection, does not. So a room's statements are constants of its module:

    _FIND = Statement(lambda: sa.select(T.c.id, T.c.state).where(T.c.id == sa.bindparam("id")))

and are run with `tx.one(_FIND, id=...)`. Lists are bound by `columns.any_of`, never by `in_` of Python values, since
that would be another text for each length. Source: docs/adr/0005-storage.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import Any, Generic

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql  # its form of ON CONFLICT is SQLite's too
from sqlalchemy.sql import visitors
from typing_extensions import TypeVar

Row = tuple[Any, ...]
R = TypeVar("R", bound=Row, default=Row)

_Processor = Callable[[Any], Any]


class Hold(StrEnum):
    """How a unit of work holds the rows it decides upon."""

    NO = "it only reads, or it is the only one that writes"
    TRY = "it has something already, so it never waits for a row: it fails, and is run again"
    WAIT = "it has nothing yet, so it may wait"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement's text in one dialect, and how its values go in and come out.

    `only_reads` says that it neither changes nor holds anything; a function that SQLAlchemy does not know may do both.
    `packed` is the text of the same query whose rows come as one JSON value, where that is cheaper for many.
    """

    sql: str
    bind: Callable[[Mapping[str, object]], Any]
    read: Callable[[list[Row]], list[Row]] | None
    tables: frozenset[str]
    only_reads: bool
    packed: str | None


class Statement(Generic[R]):
    """A statement that is built and compiled when it is first run, and then only run.

    `holds` names the tables whose rows a writing unit of work holds once it has read them, in the order in which they
    are taken.
    """

    __slots__ = ("_build", "_holds", "_prepared")

    def __init__(
        self, build: Callable[[], sa.ClauseElement], *, holds: sa.Table | Sequence[sa.Table] | None = None
    ) -> None:
        self._build = build
        self._holds = holds
        self._prepared: dict[tuple[str, Hold], Prepared] = {}

    def prepared(self, dialect: sa.Dialect, hold: Hold = Hold.NO) -> Prepared:
        """The compiled form for this dialect."""
        found = self._prepared.get((dialect.name, hold))
        if found is None:
            found = self._prepared[dialect.name, hold] = self._prepare(dialect, hold)
        return found

    def _prepare(self, dialect: sa.Dialect, hold: Hold) -> Prepared:
        if hold is not Hold.NO and self._holds is None:
            return self.prepared(dialect)
        statement = self._build()
        if hold is not Hold.NO:
            assert isinstance(statement, sa.Select), "only what a query reads is held"
            statement = statement.with_for_update(key_share=True, nowait=hold is Hold.TRY, of=self._holds)
        return _prepare(statement, dialect)


def upsert(table: sa.Table, *key: str) -> sa.ClauseElement:
    """Inserts a row, or overwrites the one with the same key; every column is a parameter of its name."""
    insert = postgresql.insert(table).values({column.name: sa.bindparam(column.name) for column in table.c})
    return _overwriting(insert, table, key)


def upsert_rows(table: sa.Table, count: int, *key: str) -> sa.ClauseElement:
    """Inserts so many rows or overwrites those with the same keys; `name_0` is the first one's parameter."""
    rows = [{c.name: sa.bindparam(f"{c.name}_{place}", type_=c.type) for c in table.c} for place in range(count)]
    return _overwriting(postgresql.insert(table).values(rows), table, key)


def _overwriting(insert: postgresql.Insert, table: sa.Table, key: Sequence[str]) -> sa.ClauseElement:
    others = {column.name: insert.excluded[column.name] for column in table.c if column.name not in key}
    return insert.on_conflict_do_update(index_elements=[table.c[name] for name in key], set_=others)


def _prepare(statement: sa.ClauseElement, dialect: sa.Dialect) -> Prepared:
    if isinstance(statement, sa.Insert) and not statement._returning:  # noqa: SLF001 - no public question
        statement = statement.inline()  # else some dialects add RETURNING on their own
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, sa.sql.compiler.SQLCompiler), "a statement is DML or a query"
    if compiled.post_compile_params:
        msg = "A list of values would be another SQL text for each length: use columns.any_of."
        raise TypeError(msg)
    parts = tuple(visitors.iterate(statement))
    columns = tuple(getattr(statement, "exported_columns", ()))
    only_reads = " FOR NO KEY UPDATE" not in compiled.string and not any(
        isinstance(part, sa.UpdateBase) or type(part) is sa.Function for part in parts
    )
    return Prepared(
        sql=compiled.string,
        bind=_binder(compiled, dialect),
        read=_reader(columns, dialect),
        tables=frozenset(part.name for part in parts if isinstance(part, sa.Table | sa.sql.expression.TableClause)),
        only_reads=only_reads,
        packed=_packed(compiled.string, columns) if only_reads and dialect.name == "sqlite" else None,
    )


def unpacked(text: str) -> list[Row]:
    """The rows of a packed query."""
    return list(map(tuple, orjson.loads(text)))


def _packed(sql: str, columns: Sequence[Any]) -> str | None:
    """The same query, its rows as one JSON value in their order, or None where JSON does not hold a column.

    The driver gives the interpreter away for each row and waits to have it back; this way it does so once a query.
    """
    if not columns or not all(isinstance(_stored(column.type), sa.Text | sa.Integer) for column in columns):
        return None
    names = ", ".join(f"c{at}" for at in range(len(columns)))
    return f"WITH packed({names}) AS ({sql}) SELECT json_group_array(json_array({names})) FROM packed"  # noqa: S608


def _stored(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """What a column of this type holds."""
    return kind.impl_instance if isinstance(kind, sa.types.TypeDecorator) else kind


def _binder(compiled: sa.sql.compiler.SQLCompiler, dialect: sa.Dialect) -> Callable[[Mapping[str, object]], Any]:
    names = compiled.positiontup
    assert names is not None, "parameters are bound by place, in every dialect"
    params = [compiled.binds[name] for name in names]
    processors = [param.type.dialect_impl(dialect).bind_processor(dialect) for param in params]
    given = {name for name, param in zip(names, params, strict=True) if param.required}
    takers = [_taker(*each) for each in zip(names, params, processors, strict=True)]
    take: Callable[[Mapping[str, object]], Any]
    if len(given) > 1 and given.issuperset(names) and not any(processors):
        take = itemgetter(*names)
    else:

        def take(params: Mapping[str, object]) -> tuple[object, ...]:
            return tuple([taker(params) for taker in takers])

    def bind(params: Mapping[str, object]) -> Any:  # noqa: ANN401 - what the driver takes
        if len(params) == len(given) and given.issuperset(params):
            return take(params)
        msg = f"this statement takes {sorted(given)}, not {sorted(params)}"
        raise TypeError(msg)

    return bind


def _taker(name: str, param: sa.BindParameter[Any], process: _Processor | None) -> _Processor:
    """How one place is filled: from the parameters, or with a constant of the statement."""
    if not param.required:
        constant = process(param.effective_value) if process else param.effective_value
        return lambda _: constant
    if process is None:
        return itemgetter(name)
    return lambda params: process(params[name])


def _reader(columns: Sequence[Any], dialect: sa.Dialect) -> Callable[[list[Row]], list[Row]] | None:
    processors = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    slots = [(at, process) for at, process in enumerate(processors) if process]
    if not slots:
        return None

    def read(rows: list[Row]) -> list[Row]:
        """Column by column, since one call a column and row is what it costs."""
        if len(rows) == 1:
            row = list(rows[0])
            for at, process in slots:
                row[at] = process(row[at])
            return [tuple(row)]
        values: list[Any] = list(zip(*rows, strict=True))
        if not values:
            return []
        for at, process in slots:
            values[at] = map(process, values[at])
        return list(zip(*values, strict=True))

    return read
