"""Every statement that storage has is one that a real PostgreSQL reads and plans, and that the application may run."""

import importlib
import itertools
import pkgutil
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from tests import postgres

from shoutgraph import storage
from shoutgraph.storage import catalogue, migrations, orders, payouts, postgresql, topups
from shoutgraph.storage.statements import Hold, Statement

WAYS = tuple(itertools.product((True, False), repeat=2))


def kept_in(name: str, value: object) -> Iterator[tuple[str, Statement[Any]]]:
    """The statements inside a module's constant."""
    if isinstance(value, Statement):
        yield name, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from kept_in(f"{name}[{key}]", each)
    elif isinstance(value, tuple | list):
        for at, each in enumerate(value):
            yield from kept_in(f"{name}[{at}]", each)
    elif isinstance(found := getattr(value, "statement", None), Statement):
        yield f"{name}.statement", found


def kept() -> Iterator[tuple[str, Statement[Any]]]:
    """The statements that are constants of a module."""
    for module in pkgutil.walk_packages(storage.__path__, "shoutgraph.storage."):
        if ".migrations" not in module.name:
            for name, value in vars(importlib.import_module(module.name)).items():
                yield from kept_in(f"{module.name.removeprefix('shoutgraph.storage.')}.{name}", value)


def pages_of_creators() -> Iterator[tuple[str, Statement[Any]]]:
    """Each condition alone, all that can be together, and each with a search."""
    names = {*catalogue._CONDITIONS, "occasion", "price_min", "facets"} - {"words"}
    shapes = [(), ("words",), tuple(names), *((name,) for name in names), *(("words", name) for name in names)]
    for shape in map(frozenset, shapes):
        yield f"catalogue._count {sorted(shape)}", catalogue._count(shape)
        for sort, (descending, after) in itertools.product(catalogue._KEYS, WAYS):
            name = f"catalogue._page {sort} {descending} {after} {sorted(shape)}"
            yield name, catalogue._page(sort, descending, after, shape)


def pages_of_others() -> Iterator[tuple[str, Statement[Any]]]:
    """Each filter alone, and all."""
    for sort, (descending, after) in itertools.product(("created_at", "updated_at", "state_at"), WAYS):
        for filters in ((), tuple(orders._FILTERS), *((name,) for name in orders._FILTERS)):
            shape = orders._Shape(sort, descending, after, frozenset(filters))
            yield f"orders._page {shape}", orders._page(shape)
    for room, way in itertools.product((payouts, topups), (True, False)):
        for filters in ((), ("key",), (*room._FILTERS, "key"), *((name,) for name in room._FILTERS)):
            yield f"{room.__name__}._page {filters} {way}", room._page(frozenset(filters), way)


EVERY = dict((*kept(), *pages_of_creators(), *pages_of_others()))
BOOKS = {"asset", "account", "transfer", "posting", "lot", "lot_move", "event"}
"""What the application writes only through functions of the database, or through the sequencer."""
SEALING = "sequencer."
MOVING = "moving."
"""Run by the owner alone, on a database that nobody uses."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    cluster = postgres.shared()
    name = cluster.create(cluster.template("shoutgraph", migrations.upgrade))
    yield cluster.url(name)
    cluster.drop(name)


def refused(url: str, role: str, statements: dict[str, Statement[Any]]) -> dict[str, psycopg.Error]:
    """The statements that PostgreSQL cannot read, or that this role may not run."""
    texts = {
        statement.prepared(postgresql.DIALECT, hold).sql: f"{name}, {hold.name}"
        for (name, statement), hold in itertools.product(statements.items(), Hold)
    }
    found: dict[str, psycopg.Error] = {}
    with psycopg.connect(url, autocommit=True, prepare_threshold=None, cursor_factory=psycopg.RawCursor) as connection:
        connection.execute(f"SET ROLE {role}")
        for sql, name in texts.items():
            try:
                connection.execute(f"PREPARE it AS {sql}")
                connection.execute("DEALLOCATE it")
                connection.execute(f"EXPLAIN (GENERIC_PLAN) {sql}")
            except psycopg.Error as error:
                found[f"{name}: {sql}"] = error
    return found


def test_postgresql_reads_every_statement(url: str) -> None:
    assert len(EVERY) > 500, "the rooms were looked into"
    assert refused(url, postgresql.OWNER, EVERY) == {}


def test_the_application_may_run_every_statement_but_those_that_write_the_books(url: str) -> None:
    own = {name: statement for name, statement in EVERY.items() if not name.startswith((SEALING, MOVING))}
    for name, error in refused(url, postgresql.APP, own).items():
        assert isinstance(error, psycopg.errors.InsufficientPrivilege), (name, error)
        assert "INSERT INTO" in name or "UPDATE" in name, name
        assert str(error).split()[-1] in BOOKS, (name, error)


def test_the_sequencer_may_run_its_statements(url: str) -> None:
    own = {name: statement for name, statement in EVERY.items() if name.startswith(SEALING)}
    assert own
    assert refused(url, postgresql.SEQUENCER, own) == {}
