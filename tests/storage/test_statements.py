"""Statements are compiled once and refuse what would not be one text."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from tests.storage.databases import START

from shoutgraph.storage import columns, sqlite
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

POSTGRESQL = postgresql.dialect(paramstyle="format")


class Colour(StrEnum):
    RED = "RED"
    BLUE = "BLUE"


THING = sa.Table(
    "thing",
    sa.MetaData(),
    sa.Column("id", columns.Integer, primary_key=True),
    sa.Column("name", columns.Text),
    sa.Column("at", columns.Micros),
    sa.Column("colour", columns.Words(Colour), columns.one_of("colour", Colour)),
    sa.Column("good", columns.Truth, columns.truth("good")),
    sa.Column("body", columns.JsonText),
    sa.Column("bytes", columns.Blob),
    sqlite_strict=True,
)
INSERT = Statement(lambda: sa.insert(THING).values({column.name: sa.bindparam(column.name) for column in THING.c}))
ALL = Statement(lambda: sa.select(THING).order_by(THING.c.id))
NAMED = Statement(lambda: sa.select(THING.c.id).where(columns.any_of(THING.c.name, "names")).order_by(THING.c.id))
RED = Statement(lambda: sa.select(THING.c.id).where(THING.c.colour == Colour.RED, THING.c.name == sa.bindparam("name")))


def thing(number: int, **others: object) -> dict[str, object]:
    return {
        "id": number,
        "name": "n",
        "at": START,
        "colour": Colour.RED,
        "good": True,
        "body": None,
        "bytes": b"",
        **others,
    }


@pytest.fixture
def tx() -> Tx:
    session = sqlite.connect_scratch()
    session.raw.execute(str(sa.schema.CreateTable(THING).compile(dialect=sqlite.DIALECT)))
    return Tx(session.raw, session.dialect, START)


def test_values_come_back_as_they_went_in(tx: Tx) -> None:
    values = thing(1, body={"b": [1, None], "a": "ü"}, bytes=b"\x00\xff", at=START + timedelta(microseconds=7))
    assert tx.run(INSERT, **values) == 1
    assert tx.all(ALL) == [tuple(values.values())]
    nothing = dict.fromkeys(values) | {"id": 2}
    tx.run(INSERT, **nothing)
    assert tx.all(ALL)[1] == tuple(nothing.values())


def test_structured_values_are_stored_as_canonical_text(tx: Tx) -> None:
    tx.run(INSERT, **thing(1, body={"b": 1, "a": {"d": True, "c": "ü"}}))
    raw = Statement(lambda: sa.text("SELECT body, good, at, typeof(at) FROM thing"))
    assert tx.all(raw) == [('{"a":{"c":"ü","d":true},"b":1}', 1, int(START.timestamp() * 1_000_000), "integer")]


def test_a_time_of_another_zone_is_kept_and_a_naive_time_is_refused(tx: Tx) -> None:
    elsewhere = START.astimezone(timezone(timedelta(hours=9)))
    tx.run(INSERT, **thing(1, at=elsewhere))
    found = tx.all(ALL)[0][2]
    assert found == START
    assert found.tzinfo is UTC
    with pytest.raises(TypeError):
        tx.run(INSERT, **thing(2, at=datetime(2026, 3, 1)))  # noqa: DTZ001 - the point


def test_the_database_refuses_a_word_and_a_truth_that_do_not_exist(tx: Tx) -> None:
    tx.run(INSERT, **thing(1))
    for change in ("UPDATE thing SET colour = 'GREEN'", "UPDATE thing SET good = 2"):
        with pytest.raises(sqlite.DatabaseError, match="CHECK"):
            tx.run(Statement(lambda change=change: sa.text(change)))


def test_a_list_of_any_length_is_one_parameter_of_one_text(tx: Tx) -> None:
    for number, name in enumerate(("a", "b", "c"), start=1):
        tx.run(INSERT, **thing(number, name=name))
    assert tx.all(NAMED, names=["c", "a", "x"]) == [(1,), (3,)]
    assert tx.all(NAMED, names=[]) == []
    assert tx.all(NAMED, names=["b"] * 2_000) == [(2,)]
    colours = Statement(lambda: sa.select(THING.c.id).where(columns.any_of(THING.c.colour, "colours")))
    assert tx.all(colours, colours=[Colour.BLUE]) == []
    assert len(tx.all(colours, colours=[Colour.RED])) == 3


def test_a_list_of_values_inside_the_text_is_refused(tx: Tx) -> None:
    with pytest.raises(TypeError, match="any_of"):
        tx.all(Statement(lambda: sa.select(THING.c.id).where(THING.c.id.in_([1, 2]))))


def test_constants_of_a_statement_are_bound_once(tx: Tx) -> None:
    tx.run(INSERT, **thing(1))
    tx.run(INSERT, **thing(2, colour=Colour.BLUE))
    assert tx.one(RED, name="n") == (1,)
    assert tx.one(RED, name="x") is None


@pytest.mark.parametrize("params", [{}, {"name": "n", "other": 1}, {"other": 1}])
def test_a_missing_or_unknown_parameter_is_refused(tx: Tx, params: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="takes"):
        tx.one(RED, **params)
    with pytest.raises(TypeError, match="takes"):
        tx.run(INSERT, **params)


def test_two_rows_where_one_is_expected_are_a_fault(tx: Tx) -> None:
    tx.many(INSERT, [thing(1), thing(2)])
    with pytest.raises(AssertionError, match="one row"):
        tx.one(RED, name="n")


def test_many_rows_are_written_at_once_and_streamed_in_chunks(tx: Tx) -> None:
    assert tx.many(INSERT, (thing(number) for number in range(2_500))) == 2_500
    assert [row[0] for row in tx.each(ALL)] == list(range(2_500))


def test_a_statement_is_built_once_for_each_dialect() -> None:
    built = 0

    def build() -> sa.ClauseElement:
        nonlocal built
        built += 1
        return sa.insert(THING).values(id=sa.bindparam("id"))

    statement = Statement(build)
    texts = {statement.prepared(dialect).sql for _ in range(3) for dialect in (sqlite.DIALECT, POSTGRESQL)}
    assert built == 2
    assert len(texts) == 2
    assert not any("RETURNING" in text for text in texts), "what was not asked for is not returned"


def test_a_list_is_an_array_for_postgresql() -> None:
    prepared = NAMED.prepared(POSTGRESQL)
    assert "= ANY(" in prepared.sql
