"""Pages of the catalogue: each sort walks an index of its own, from the place where the last page ended.

Filters are tested along the walk. Where one of them may leave few creators, an index first says how many: if they are
few, they are sorted instead, since a walk would pass by everyone else. What a search text matches is always sorted, at
most `MATCHES_MAX` creators. Only creators with an active offer are listed.
"""

from collections.abc import Callable, Set as AbstractSet
from functools import lru_cache
from typing import Any, Final, Self

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from shoutgraph.domain import catalogue, pages, reputation
from shoutgraph.domain.catalogue import CreatorFilter, CreatorSort, Sort
from shoutgraph.domain.creators import Creator
from shoutgraph.storage.columns import Integer, Text, Truth
from shoutgraph.storage.creators import COLUMNS, CREATORS as _T, OFFERS as _O, creator_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

MATCHES_MAX: Final = 10_001
"""Creators that a search text finds at most, the oldest first: one more than is counted exactly."""
FEW: Final = 2_000
"""Up to so many creators are sorted rather than looked for in a walk."""
SHAPES_MAX: Final = 1_024
"""Different combinations of sort, direction and filters whose SQL text is kept."""

_KEYS: Final[dict[Sort, tuple[sa.Column[Any], ...]]] = {
    Sort.FEATURED: (_T.c.featured, _T.c.rating_hundredths, _T.c.id),
    Sort.PRICE: (_T.c.price_from_coins, _T.c.id),
    Sort.RATING: (_T.c.rating_hundredths, _T.c.rating_count, _T.c.id),
    Sort.NEWEST: (_T.c.created_at, _T.c.id),
    Sort.NAME: (_T.c.name_sort, _T.c.id),
    Sort.RESPONSE_TIME: (_T.c.response_sort_s, _T.c.id),
}
_SEARCH: Final = sa.table("creator_fts", sa.column("rowid", Integer), sa.column("creator_fts", Text))
"""Creators' numbers and the words they are found under: an FTS5 table on SQLite, a view on PostgreSQL."""

Shape = frozenset[str]
"""Which conditions a filter has; each combination is one SQL text."""
Leads = AbstractSet[str]
"""Columns whose conditions may choose the index that begins with them."""
_RARE: Final = {
    "featured": _T.c.featured,
    "price_max": _T.c.price_from_coins,
    "rating_min": _T.c.rating_hundredths,
    "response_time_max": _T.c.response_sort_s,
}
"""Conditions that may leave few creators, with the column that an index of a sort begins with."""
_EVERY: Final = frozenset(column.name for keys in _KEYS.values() for column in keys)


def list_of_page(tx: Tx, args: pages.PageArgs, only: CreatorFilter, sort: CreatorSort) -> list[Creator]:
    """Up to one creator more than the page holds, in the direction asked for."""
    params = _params(tx, only)
    statement = _page(sort.by, sort.descending != args.backward, args.key is not None, frozenset(params))
    key = {} if args.key is None else {f"key_{at}": value for at, value in enumerate(args.key)}
    return [creator_of(*row) for row in tx.all(statement, size=args.size + 1, **key, **params)]


def count_up_to(tx: Tx, only: CreatorFilter, limit: int) -> int:
    """How many creators match, counted up to a limit."""
    params = _params(tx, only)
    row = tx.one(_count(frozenset(params)), limit=limit, **params)
    assert row is not None, "a count has a row"
    return row[0]


@lru_cache(SHAPES_MAX)
def _page(sort: Sort, descending: bool, after: bool, shape: Shape) -> Statement[Any]:  # noqa: FBT001 - a cache key
    def build() -> sa.ClauseElement:
        size = sa.bindparam("size", type_=Integer)
        ordered = _ordered(sort, descending, after)
        walk = ordered.where(*_conditions(shape, {_KEYS[sort][0].name}))
        rare = _rare(sort, shape)
        if rare is None:
            return walk.limit(size)
        few = rare.limit(sa.literal_column(str(FEW + 1))).cte("few").prefix_with("MATERIALIZED")
        are_few = sa.select(sa.func.count()).select_from(few).scalar_subquery() <= sa.literal_column(str(FEW))
        nothing: sa.ColumnElement[int] = sa.literal_column("0")
        those = ordered.where(
            _Among(_T.c.number, sa.select(few.c.number).scalar_subquery()), *_conditions(shape, set())
        )
        those = those.limit(sa.case((are_few, size), else_=nothing))
        walked = walk.limit(sa.case((are_few, nothing), else_=size))
        return sa.union_all(sa.select(those.subquery("those")), sa.select(walked.subquery("walked")))

    return Statement(build)


def _rare(sort: Sort, shape: Shape) -> sa.Select[tuple[int]] | None:
    """Who meets the one condition that may leave few creators; None where there is none, or the walk leads there."""
    if "words" in shape:
        return None
    if "facets" in shape:
        return sa.select(_SEARCH.c.rowid.label("number")).where(_found("facets"))
    for name, column in _RARE.items():
        if name in shape and _KEYS[sort][0] is not column:
            return sa.select(_T.c.number).where(_T.c.price_from_coins.is_not(None), _CONDITIONS[name]({column.name}))
    return None


def _ordered(sort: Sort, descending: bool, after: bool) -> sa.Select[Any]:  # noqa: FBT001 - as of a cache key
    keys = [sa.type_coerce(key, Text if key.name in {"id", "name_sort"} else Integer) for key in _KEYS[sort]]
    query = sa.select(*COLUMNS)
    if after:
        here = sa.tuple_(*keys)
        place = sa.tuple_(*(sa.bindparam(f"key_{at}", type_=key.type) for at, key in enumerate(keys)))
        query = query.where(here < place if descending else here > place)
    return query.order_by(*(key.desc() if descending else key.asc() for key in keys))


@lru_cache(SHAPES_MAX)
def _count(shape: Shape) -> Statement[tuple[int]]:
    def build() -> sa.ClauseElement:
        found: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(_T).where(*_conditions(shape, _EVERY))
        if "facets" in shape:
            found = found.where(_T.c.number.in_(sa.select(_SEARCH.c.rowid).where(_found("facets"))))
        return sa.select(sa.func.count()).select_from(found.limit(sa.bindparam("limit")).subquery())

    return Statement(build)


def _params(tx: Tx, only: CreatorFilter) -> dict[str, object]:
    """The values of the conditions that this filter has, by their names."""
    params: dict[str, object] = {
        name: value
        for name in ("country", "occasion", "price_min", "price_max", "rating_min", "featured")
        if (value := getattr(only, name)) is not None
    }
    if only.category is not None:
        params["category"] = f"%|{only.category}|%"
    if only.language is not None:
        params |= {"language": f"%|{only.language}|%", "dialect": f"%|{only.language}-%"}
    if only.response_time_max is not None:  # nobody of whom too little is known answers in any time
        params["response_time_max"] = min(only.response_time_max, reputation.UNKNOWN_S - 1)
    if only.badge is not None:
        params["badge"] = f"%|{only.badge}|%"
    if only.open_only:
        params["now"] = tx.now
    words, facets = catalogue.words_wanted(only), catalogue.facets_wanted(only)
    if words:
        params["words"] = (words, facets)
    elif facets:
        params["facets"] = (words, facets)
    return params


def _conditions(shape: Shape, indexed: Leads) -> list[sa.ColumnElement[bool]]:
    """The conditions of a shape; the first says what every sort's index is about."""
    found: list[sa.ColumnElement[bool]] = [_T.c.price_from_coins.is_not(None)]
    found += [condition(indexed) for name, condition in _CONDITIONS.items() if name in shape]
    if shape & {"occasion", "price_min", "price_max"}:
        found.append(_has_offer(shape))
    return found


def _tested(column: sa.Column[Any], indexed: Leads) -> sa.ColumnElement[Any]:
    """The column itself where an index that begins with it helps; else a term that tempts no planner to that index."""
    if column.name in indexed:
        return column
    return sa.type_coerce(column, Integer) + sa.literal_column("0")


def _has_offer(shape: Shape) -> sa.ColumnElement[bool]:
    """Whether one active offer has the occasion and the price."""
    query: sa.Select[Any] = sa.select(sa.literal_column("1"))
    query = query.where(_O.c.creator_id == _T.c.id, _O.c.active == sa.literal_column("1"))
    if "occasion" in shape:
        query = query.where(_O.c.occasion == sa.bindparam("occasion"))
    if "price_min" in shape:
        query = query.where(_O.c.price_coins >= sa.bindparam("price_min", type_=Integer))
    if "price_max" in shape:
        query = query.where(_O.c.price_coins <= sa.bindparam("price_max", type_=Integer))
    return sa.exists(query.correlate(_T))


class _Asked(sa.types.TypeDecorator[tuple[tuple[str, ...], tuple[str, ...]]]):
    """What the search index is asked, in its own language: beginnings of words and whole ones, and all are needed.

    They are letters, digits and marks, so that they are words inside any quotes.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str:  # noqa: ANN401 - a pair of tuples
        """A text of FTS5, or of a tsquery."""
        beginnings, wholes = value
        if dialect.name == "sqlite":
            return " AND ".join([f'"{word}" *' for word in beginnings] + [f'"{word}"' for word in wholes])
        return " & ".join([f"'{word}':*" for word in beginnings] + [f"'{word}'" for word in wholes])


class _Truth(FunctionElement[bool]):
    """A condition that each database says in its own way."""

    inherit_cache = True
    type = sa.Boolean()

    def self_group(self, against: object = None) -> Self:  # noqa: ARG002 - SQLAlchemy's
        """Stays as it is: for SQLite, SQLAlchemy would add `= 1` to a truth, and no index would be used."""
        return self


class _Found(_Truth):
    """Whether the search index has the row under what is asked."""

    inherit_cache = True


class _Among(_Truth):
    """Whether a number is among a few, which are found first: PostgreSQL would rather walk a sort and join them."""

    inherit_cache = True


@compiles(_Found, "sqlite")
def _match(element: _Found, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    index, asked = element.clauses
    return f"{compiler.process(index, **kw)} MATCH {compiler.process(asked, **kw)}"


@compiles(_Found, "postgresql")
def _meets(element: _Found, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    index, asked = element.clauses
    return f"{compiler.process(index, **kw)} @@ CAST({compiler.process(asked, **kw)} AS tsquery)"


@compiles(_Among, "sqlite")
def _in(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    number, few = element.clauses
    return f"{compiler.process(number, **kw)} IN {compiler.process(few, **kw)}"


@compiles(_Among, "postgresql")
def _any(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    number, few = element.clauses
    return f"{compiler.process(number, **kw)} = ANY(ARRAY{compiler.process(few, **kw)})"


def _found(param: str) -> sa.ColumnElement[bool]:
    return _Found(_SEARCH.c.creator_fts, sa.bindparam(param, type_=_Asked))


def _matches(_: Leads) -> sa.ColumnElement[bool]:
    matches = sa.select(_SEARCH.c.rowid).where(_found("words")).order_by(_SEARCH.c.rowid)
    return _Among(_T.c.number, matches.limit(sa.literal_column(str(MATCHES_MAX))).scalar_subquery())


def _takes_orders(_: Leads) -> sa.ColumnElement[bool]:
    again = sa.or_(_T.c.paused_until.is_(None), _T.c.paused_until <= sa.bindparam("now"))
    return sa.and_(_T.c.open == sa.literal_column("1"), again)


def _speaks(_: Leads) -> sa.ColumnElement[bool]:
    languages = sa.type_coerce(_T.c.languages, Text)
    return sa.or_(languages.ilike(sa.bindparam("language")), languages.ilike(sa.bindparam("dialect")))


_CONDITIONS: Final[dict[str, Callable[[Leads], sa.ColumnElement[bool]]]] = {
    "words": _matches,
    "featured": lambda indexed: _tested(_T.c.featured, indexed) == sa.bindparam("featured", type_=Truth),
    "country": lambda _: _T.c.country == sa.bindparam("country"),
    "rating_min": lambda indexed: _tested(_T.c.rating_hundredths, indexed) >= sa.bindparam("rating_min", type_=Integer),
    "price_max": lambda indexed: _tested(_T.c.price_from_coins, indexed) <= sa.bindparam("price_max", type_=Integer),
    "response_time_max": lambda indexed: (
        _tested(_T.c.response_sort_s, indexed) <= sa.bindparam("response_time_max", type_=Integer)
    ),
    "badge": lambda _: sa.type_coerce(_T.c.badges, Text).like(sa.bindparam("badge")),
    "now": _takes_orders,
    "category": lambda _: sa.type_coerce(_T.c.categories, Text).like(sa.bindparam("category")),
    "language": _speaks,
}
