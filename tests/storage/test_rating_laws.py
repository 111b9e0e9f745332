"""What buggy or hostile SQL could try against ratings and what is counted of them: the schema alone refuses it."""

# ruff: noqa: S608 - attacks are SQL text

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pysqlite3 as dbapi
import pytest
from tests.storage import databases, rated
from tests.storage.databases import Clock, Kind, Place
from tests.storage.test_creators import creator, insert

from shoutgraph.domain.orders.rating import Decision
from shoutgraph.storage import moving, ratings
from shoutgraph.storage.ledger_proof import verify
from shoutgraph.storage.tx import Tx

ONE = creator(1).id
FREE = f"order_{9:026d}"


def fill(tx: Tx) -> None:
    """Two creators; the first has ratings of 5, 3 and 3 stars, the last of them hidden; an order is not rated yet."""
    insert(tx, creator(1))
    insert(tx, creator(2))
    for number, stars in enumerate((5, 3, 3), start=1):
        last = rated.rate(tx, number, ONE, stars=stars)
    hide(tx, last)
    rated.complete(tx, 9, ONE)


def hide(tx: Tx, rating: Any) -> None:
    hidden = replace(rating, revision=rating.revision + 1, hidden=True)
    ratings.decide(tx, hidden, Decision(hidden=True, reason="ABUSE", note="Rude.", by="staff", at=tx.now))
    ratings.save(tx, hidden)


def keep(where: Any) -> None:
    store = databases.opened(where, Clock(), readers=1)
    store.write_now(fill)
    store.close()


@pytest.fixture(scope="module")
def kept(module_place: Place) -> Any:
    return module_place.filled("rated", keep)


def run(where: Any, *statements: str) -> str | None:
    """The message that refused the attack; None if it succeeded, which is taken back then."""
    file = isinstance(where, Path)
    raw: Any = dbapi.connect(str(where), isolation_level=None) if file else psycopg.connect(where, autocommit=True)
    try:
        if file:
            raw.execute("PRAGMA foreign_keys = ON")
        raw.execute("BEGIN")
        for statement in statements:
            raw.execute(statement)
        if not file:
            raw.execute("SET CONSTRAINTS ALL IMMEDIATE")
        raw.execute("ROLLBACK")
    except (dbapi.DatabaseError, psycopg.DatabaseError) as error:
        return str(error)
    finally:
        raw.close()
    return None


NEW = """INSERT INTO rating SELECT 'rating_new', 1, '{order}', '{creator}', '{fan}', {stars}, {hidden}, created_at,
  updated_at, editable_until, NULL, NULL, NULL FROM rating WHERE stars = 5"""
GOOD = {"order": FREE, "creator": ONE, "fan": "user_fan", "stars": 4, "hidden": 0}
ATTACKS: list[tuple[str, ...]] = [
    ("of an order that is rated", "rated once|unique", NEW.format(**GOOD | {"order": f"order_{1:026d}"})),
    ("of no order", "of a completed order|foreign", NEW.format(**GOOD | {"order": "order_none"})),
    ("of somebody else", "of a completed order", NEW.format(**GOOD | {"creator": creator(2).id})),
    ("by somebody else", "of a completed order", NEW.format(**GOOD | {"fan": "user_other"})),
    ("hidden from the start", "begins shown", NEW.format(**GOOD | {"hidden": 1})),
    ("of six stars", "rating_stars", NEW.format(**GOOD | {"stars": 6})),
    ("of no stars", "rating_stars", NEW.format(**GOOD | {"stars": 0})),
    ("given to another order", "stays whose", f"UPDATE rating SET order_id = '{FREE}' WHERE stars = 5"),
    ("given to another creator", "stays whose", f"UPDATE rating SET creator_id = '{creator(2).id}' WHERE stars = 5"),
    ("of other stars in the same revision", "revision", "UPDATE rating SET stars = 1 WHERE stars = 5"),
    ("of an older revision", "revision", "UPDATE rating SET revision = 0 WHERE stars = 5"),
    ("hidden without a reason", "by a decision", "UPDATE rating SET hidden = 1, revision = 2 WHERE stars = 5"),
    ("restored without a reason", "by a decision", "UPDATE rating SET hidden = 0, revision = 3 WHERE hidden = 1"),
    ("deleted", "hidden, not deleted", "DELETE FROM rating WHERE stars = 5"),
    ("whose words are deleted", "blanked, not deleted", "DELETE FROM rating_words"),
    ("whose words are another's", "stay with|unique|one row", "UPDATE rating_words SET rating_id = 'rating_x'"),
    ("of an empty opinion", "rating_opinion", "UPDATE rating_words SET opinion = ''"),
    ("whose decision is forgotten", "append-only", "DELETE FROM rating_decision"),
    ("whose decision is put in other words", "append-only", "UPDATE rating_decision SET note = 'x'"),
    ("counted twice", "follows from", "UPDATE rating_tally SET stars_5 = stars_5 + 1"),
    ("not counted", "follows from", "UPDATE rating_tally SET stars_5 = 0"),
    ("moved to better ones", "follows from", "UPDATE rating_tally SET stars_3 = 0, stars_5 = 2"),
    ("of nobody, counted", "follows from", f"INSERT INTO rating_tally VALUES ('{creator(2).id}', 0, 0, 0, 0, 7)"),
    ("whose count is gone", "follows from", "DELETE FROM rating_tally"),
    ("of a better average", "average", f"UPDATE creator SET rating_sum = 10 WHERE id = '{ONE}'"),
    ("of fewer", "average|rating", f"UPDATE creator SET rating_count = 1, rating_sum = 5 WHERE id = '{ONE}'"),
    ("of a creator without any", "average", f"UPDATE creator SET rating_count = 1, rating_sum = 5 WHERE id <> '{ONE}'"),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack[0])
def test_the_schema_refuses_a_rating(kept: Any, attack: tuple[str, ...]) -> None:
    _, message, *statements = attack
    said = run(kept, *statements)
    assert said is not None, "the attack succeeded"
    assert re.search(message, said, re.IGNORECASE), said


def test_what_is_right_is_let_in_and_counted(kept: Any) -> None:
    assert run(kept, NEW.format(**GOOD)) is None
    assert run(kept, "UPDATE rating SET stars = 2, revision = revision + 1") is None
    assert run(kept, "UPDATE rating_words SET opinion = NULL, reply = NULL") is None


@pytest.mark.parametrize("kind", list(Kind))
def test_ratings_move(place: Place, tmp_path: Path, kind: Kind) -> None:
    source = place.filled("rated", keep)
    (tmp_path / "target").mkdir()
    with databases.placed(kind, tmp_path / "target") as to:
        target = to.database("target")
        moved = moving.move(source, target, Clock(), prove=verify, tell=lambda _name, _count: None)
        store = databases.opened(target, Clock(), readers=1)
        (tally,) = store.read_now(lambda tx: ratings.list_of_tallies(tx, [ONE]))
        assert store.read_now(verify) == []
        store.close()
    assert (moved.rows["rating"], moved.rows["rating_decision"], moved.rows["rating_tally"]) == (3, 1, 1)
    assert (tally.counts, tally.sum, tally.count) == ((0, 0, 1, 0, 1), 8, 2)
