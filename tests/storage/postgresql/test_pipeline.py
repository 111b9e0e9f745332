"""Statements that go together: in order, in one turn, and what becomes of them when one fails."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import pytest
from tests.storage.databases import START, Place, outside

from shoutgraph.domain import errors
from shoutgraph.domain.deadlines import Deadline
from shoutgraph.storage import deadlines, locks, pipeline, postgresql, requests, stickers, users
from shoutgraph.storage.ledger import arrays
from shoutgraph.storage.session import Blame
from shoutgraph.storage.statements import Hold
from shoutgraph.storage.tx import Tx

pytestmark = pytest.mark.postgresql_only

COUNT = "SELECT count(*) FROM deadline WHERE subject_id = $1"
INSERT = "INSERT INTO deadline (subject_id, kind, due_at, revision) VALUES ($1, 'x', 1, 1)"
KEY = {"principal": "user", "mutation": "m", "key": "k"}


@pytest.fixture
def url(place: Place) -> str:
    url = place.database()
    assert isinstance(url, str), "it is on a server"
    return url


@pytest.fixture
def session(url: str) -> Iterator[postgresql.Session]:
    session = postgresql.Session(url, role=postgresql.APP)
    yield session
    session.close()


@pytest.fixture
def turns(session: postgresql.Session, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements went in each turn so far."""
    seen: list[int] = []
    exchange = session.raw._exchange

    def count(statements: Sequence[Any]) -> list[pipeline.Result]:
        seen.append(len(statements))
        return exchange(statements)

    monkeypatch.setattr(session.raw, "_exchange", count)
    return seen


def tx_of(session: postgresql.Session) -> Tx:
    return Tx(session.raw, session.dialect, START, Hold.WAIT)


def test_what_was_put_before_a_question_is_seen_by_its_answer(session: postgresql.Session, turns: list[int]) -> None:
    raw = session.raw
    session.begin()
    before = raw.ask(COUNT, ("a",))
    raw.put(INSERT, ("a",))
    after = raw.ask(COUNT, ("a",))
    assert (before.fetchall(), after.fetchall()) == ([(0,)], [(1,)])
    assert turns == [4]


def test_a_statement_is_prepared_once_and_known_by_name_from_then_on(session: postgresql.Session) -> None:
    for subject in ("a", "b"):
        session.raw.put(INSERT, (subject,))
        session.raw.put(INSERT, (f"{subject}2",))
        session.raw.flush()
    found = session.raw.execute(
        "SELECT generic_plans + custom_plans FROM pg_prepared_statements WHERE statement = $1", (INSERT,)
    )
    assert found.fetchall() == [(4,)]


def test_what_failed_was_prepared_or_not_and_works_the_next_time(session: postgresql.Session) -> None:
    session.begin()
    session.raw.put(INSERT, ("a",))
    session.raw.put(INSERT, ("a",))
    with pytest.raises(psycopg.errors.UniqueViolation) as twice:
        session.raw.execute(COUNT, ("a",))
    assert session.blame(twice.value) is Blame.KEY
    session.rollback()
    session.raw.put(INSERT, ("b",))
    assert session.raw.execute(COUNT, ("a",)).fetchall() == [(0,)]
    assert session.raw.execute(COUNT, ("b",)).fetchall() == [(1,)]


def test_what_cannot_be_sent_takes_nothing_along(session: postgresql.Session) -> None:
    session.begin()
    session.raw.put(INSERT, ("a",))
    session.save()
    with pytest.raises(errors.ValidationError, match="NUL"):
        session.raw.put(INSERT, ("nul\0",))
    session.undo()
    session.commit()
    assert session.raw.execute(COUNT, ("a",)).fetchall() == [(1,)]


def test_a_connection_that_is_cut_in_between_is_to_blame(session: postgresql.Session, url: str) -> None:
    pid = session.raw.execute("SELECT pg_backend_pid()").fetchall()[0][0]
    with outside(url) as raw:
        raw.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    session.raw.put("SELECT 1")
    with pytest.raises(psycopg.Error) as cut:
        session.raw.execute("SELECT 2")
    assert session.blame(cut.value) is Blame.CONNECTION
    session.renew()
    assert session.raw.execute("SELECT 2").fetchall() == [(2,)]


def test_what_is_foreseen_is_answered_in_one_turn(session: postgresql.Session, turns: list[int]) -> None:
    tx = tx_of(session)
    requests.foresee_by_key(tx, **KEY)
    tx.foresee(deadlines._OF_SUBJECT, subject="a")
    assert requests.find_by_key(tx, **KEY) is None
    assert deadlines.list_of_subject(tx, "a") == ()
    assert turns == [2]


def test_what_was_foreseen_before_a_change_is_asked_again(session: postgresql.Session) -> None:
    tx = tx_of(session)
    tx.foresee(deadlines._OF_SUBJECT, subject="a")
    deadlines.put(tx, Deadline("a", "accept", START, 1))
    assert [deadline.kind for deadline in deadlines.list_of_subject(tx, "a")] == ["accept"]


@pytest.mark.parametrize(
    "change",
    [
        lambda tx: tx.all(deadlines._TAKE, subjects=["b"], kinds=["x"], now=START),
        lambda tx: arrays.close(tx, "user:fan:paid"),
        lambda tx: tx.one(users._GET, id="user_b"),
        stickers.hold,
    ],
    ids=["rows that it gives", "a function", "rows that it holds", "a lock"],
)
def test_what_changes_or_holds_makes_what_was_foreseen_old(
    session: postgresql.Session, turns: list[int], change: Callable[[Tx], object]
) -> None:
    tx = tx_of(session)
    session.begin()
    tx.foresee(deadlines._OF_SUBJECT, subject="a")
    change(tx)
    before = sum(turns)
    deadlines.list_of_subject(tx, "a")
    assert sum(turns) == before + 1
    session.rollback()


def test_a_statement_that_may_write_does_not_pass_for_one_that_only_reads(session: postgresql.Session) -> None:
    dialect = session.dialect
    for statement in (deadlines._TAKE, deadlines._HOLD_DUE, arrays._POST, arrays._CLOSE, arrays._HOLD, locks._HOLD):
        assert not statement.prepared(dialect).only_reads
    assert deadlines._OF_SUBJECT.prepared(dialect).only_reads
    assert [users._GET.prepared(dialect, hold).only_reads for hold in Hold] == [True, False, False]


def test_an_answer_is_given_once_and_to_its_own_question_only(session: postgresql.Session, turns: list[int]) -> None:
    tx = tx_of(session)
    tx.foresee(deadlines._OF_SUBJECT, subject="a")
    deadlines.list_of_subject(tx, "b")
    deadlines.list_of_subject(tx, "a")
    deadlines.list_of_subject(tx, "a")
    assert turns == [2, 1]
