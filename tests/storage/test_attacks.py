"""The schema alone refuses every attack, on a connection without any of the application's settings but foreign keys."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from tests.storage import attacks, databases, scene

from shoutgraph.storage import sqlite

ATTACKS_MIN = 51


@cache
def every_attack() -> tuple[attacks.Attack, ...]:
    raw = scene.build(databases.schema())
    return tuple(attacks.all_of(scene.required_columns(raw)))


@pytest.fixture(scope="module")
def raw() -> Iterator[Any]:
    raw = scene.build(databases.schema())
    yield raw
    raw.close()


def test_the_scene_is_what_the_attacks_assume(raw: Any) -> None:
    assert scene.facts(raw) == scene.FACTS
    assert len(every_attack()) >= ATTACKS_MIN
    assert len({attack.name for attack in every_attack()}) == len(every_attack())


def test_every_attack_on_the_books_is_refused_for_its_own_reason(raw: Any) -> None:
    wrong = {}
    for attack in every_attack():
        refusal = attacks.run(raw, attack)
        if refusal is None or not re.search(attack.by, refusal):
            wrong[attack.name] = refusal or "the attack succeeded"
        assert scene.facts(raw) == scene.FACTS, attack.name
    assert wrong == {}


def test_what_the_attacks_change_is_allowed_in_no_other_way(raw: Any) -> None:
    """The same with the application's own settings."""
    raw.execute("PRAGMA recursive_triggers = ON")
    try:
        assert [attack.name for attack in every_attack() if attacks.run(raw, attack) is None] == []
    finally:
        raw.execute("PRAGMA recursive_triggers = OFF")


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "DROP TRIGGER posting_update",
        "DROP TABLE posting",
        "DROP INDEX posting_transfer",
        "ALTER TABLE posting RENAME TO other",
        "CREATE TABLE other (id INTEGER)",
        "CREATE TRIGGER other AFTER INSERT ON posting BEGIN SELECT 1; END",
        "CREATE TEMP TRIGGER other AFTER INSERT ON posting BEGIN SELECT 1; END",
        "CREATE TEMP TABLE posting (id INTEGER)",
        "PRAGMA writable_schema = ON",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA recursive_triggers = OFF",
        "PRAGMA ignore_check_constraints = ON",
        "PRAGMA synchronous = OFF",
        "PRAGMA journal_mode = DELETE",
        "UPDATE sqlite_schema SET sql = '' WHERE type = 'trigger'",
        "DELETE FROM sqlite_schema WHERE type = 'trigger'",
        "SELECT load_extension('x')",
        "REINDEX",
        "ANALYZE",
        "VACUUM INTO 'other.db'",
    ],
)
def test_the_writing_connection_refuses_to_change_schema_or_settings(path: Any, statement: str) -> None:
    session = sqlite.connect_writer(path)
    with pytest.raises(sqlite.DatabaseError):
        session.raw.execute(statement).fetchall()
    session.close()


@pytest.mark.sqlite_only
def test_a_reading_connection_cannot_write(path: Any) -> None:
    session = sqlite.connect_reader(path)
    with pytest.raises(sqlite.DatabaseError, match="readonly"):
        session.raw.execute("DELETE FROM request")
    session.close()
