"""The migrations make on a server the tables that the rooms declare; what is only there or only embedded is named."""

import importlib
import pkgutil
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel
from tests import postgres

from shoutgraph import storage
from shoutgraph.storage import migrations

EMBEDDED_ONLY = frozenset({"order_ok", "wallet_ok"})
"""SQLite checks the laws of COMMIT by foreign keys to these; PostgreSQL has constraint triggers."""
SERVER_ONLY = frozenset({"topic", "outbox", "outbox_dead", "sequencer", "writer"})
"""What many processes need beyond one."""
COLUMNS = """
SELECT table_name || '.' || column_name, udt_name, is_nullable, coalesce(generation_expression, '')
  FROM information_schema.columns WHERE table_schema = 'public'"""
CONSTRAINTS = """
SELECT c.relname || '.' || pg_get_constraintdef(k.oid), k.contype::text, k.condeferrable, k.condeferred
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  WHERE c.relnamespace = 'public'::regnamespace AND k.contype IN ('c', 'f', 'p', 'u')"""
INDEXES = "SELECT tablename || '.' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
DELIBERATE = {
    "creator.words": "the words of the search index, made by the database",
    "creator.creator_words": "the search index",
}


def declare(url: str) -> None:
    for module in pkgutil.walk_packages(storage.__path__, "shoutgraph.storage."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=sa.NullPool)
    SQLModel.metadata.create_all(engine)


def schema_of(url: str, query: str) -> dict[str, tuple[object, ...]]:
    """What the rooms should have said, by table and name."""
    with psycopg.connect(url) as raw:
        rows = raw.execute(query).fetchall()
    return {name: tuple(rest) for name, *rest in rows if not is_of_one_kind(name)}


def is_of_one_kind(name: str) -> bool:
    table = name.partition(".")[0]
    named = table in EMBEDDED_ONLY | SERVER_ONLY | {"alembic_version", "creator_fts"} or name in DELIBERATE
    return named or any(f"REFERENCES {law}(" in name for law in EMBEDDED_ONLY)


@pytest.fixture(scope="module")
def migrated() -> Iterator[str]:
    cluster = postgres.shared()
    name = cluster.create(cluster.template("shoutgraph", migrations.upgrade))
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture(scope="module")
def declared() -> Iterator[str]:
    cluster = postgres.shared()
    name = cluster.create()
    declare(cluster.url(name))
    yield cluster.url(name)
    cluster.drop(name)


@pytest.mark.parametrize("query", [COLUMNS, CONSTRAINTS, INDEXES], ids=["columns", "constraints", "indexes"])
def test_the_migrated_schema_is_the_declared_one(migrated: str, declared: str, query: str) -> None:
    made, said = schema_of(migrated, query), schema_of(declared, query)
    assert len(made) > 20, "there are tables"
    assert {name: (made.get(name), said.get(name)) for name in made | said if made.get(name) != said.get(name)} == {}
