"""Who stands still with rows in hand lets go of them: PostgreSQL ends its transaction, however it stopped."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest
from tests.storage.databases import Place, outside

from shoutgraph.storage import postgresql
from shoutgraph.storage.session import Blame

SOON: Final = "500ms"
HOLD: Final = "SELECT FROM sequencer FOR UPDATE"
PATIENCE: Final = "SET lock_timeout = '60s'"

pytestmark = pytest.mark.postgresql_only


@pytest.fixture
def session(place: Place) -> Iterator[postgresql.Session]:
    url = place.database()
    assert isinstance(url, str), "it is on a server"
    assert "transaction_timeout" in postgresql.WRITING
    bounded = {**postgresql.WRITING, "transaction_timeout": SOON}
    session = postgresql.Session(url, role=postgresql.SEQUENCER, settings=bounded)
    yield session
    session.close()


def hold_in_one_go(session: postgresql.Session) -> None:
    """What the session begins with goes with the first statement, in one pipeline."""
    session.begin()
    session.save()
    session.raw.execute(HOLD)


def hold_for_many(session: postgresql.Session) -> None:
    session.begin()
    session.raw.executemany(f"{HOLD} SKIP LOCKED", [()] * 3)


def hold_and_send_half(session: postgresql.Session) -> None:
    """Stops before it says that this is all for now."""
    session.begin()
    session.raw.flush()
    pq: Any = session.raw.raw.pgconn
    pq.enter_pipeline_mode()
    pq.send_query_params(HOLD.encode(), [])
    pq.send_flush_request()
    pq.flush()


@pytest.mark.parametrize("hold", [hold_in_one_go, hold_for_many, hold_and_send_half])
def test_who_stands_still_lets_go(place: Place, session: postgresql.Session, hold: Any) -> None:
    hold(session)
    with outside(place.database()) as raw:
        raw.execute(PATIENCE)
        assert raw.execute(HOLD).fetchall() == [()], "who waits for it gets it"


def test_who_stood_still_runs_its_work_again(place: Place, session: postgresql.Session) -> None:
    hold_in_one_go(session)
    with outside(place.database()) as raw:
        raw.execute(PATIENCE)
        raw.execute(HOLD)
    with pytest.raises(psycopg.Error) as ended:
        session.raw.execute("SELECT 1")
    assert session.blame(ended.value) is Blame.CONNECTION
    session.renew()
    assert session.raw.execute("SELECT 1").fetchall() == [(1,)]
