"""A standby that is promoted without the newest lines: whoever has heard of those writes nothing more there."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from tests import postgres
from tests.storage import databases
from tests.storage.databases import Place, outside
from tests.storage.postgresql import load

from shoutgraph.domain import errors, journal as lines
from shoutgraph.storage import journal
from shoutgraph.storage.engine import Store
from shoutgraph.storage.tx import Tx

pytestmark = pytest.mark.postgresql_only


@pytest.fixture
def url(place: Place) -> str:
    return str(place.database())


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = databases.opened(url, load.wall, readers=1)
    yield store
    store.close()


def tell(store: Store, name: str) -> None:
    store.write_now(lambda tx: append(tx, name))


def append(tx: Tx, name: str) -> None:
    journal.append(tx, lines.NewEvent(id=f"event_{name}", topic=f"order_{name}", type="order.told", body={}))


def promote(standby: str, url: str) -> None:
    """The standby takes the place of the primary, whose connections all break."""
    primary, promoted = (psycopg.conninfo.conninfo_to_dict(each)["dbname"] for each in (url, standby))
    with outside(postgres.shared().url()) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(primary)))
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        admin.execute(rename.format(sql.Identifier(promoted), sql.Identifier(primary)))


def told(url: str) -> set[str]:
    with outside(url) as raw:
        found = raw.execute("SELECT id FROM event UNION SELECT event_id FROM outbox").fetchall()
    return {name for (name,) in found}


def test_nothing_is_written_to_a_database_that_lacks_what_was_heard_of(place: Place, url: str, store: Store):
    tell(store, "kept")
    store.settle_journal_now()
    standby = str(place.copy("books", place.inside("standby")))
    tell(store, "lost")
    store.settle_journal_now()
    promote(standby, url)
    with pytest.raises(errors.StoreUnavailableError, match="no longer has line 2 of the journal"):
        tell(store, "later")
    with pytest.raises(errors.StoreUnavailableError, match="went back in time"):
        tell(store, "never")
    assert told(url) == {"event_kept"}


def test_a_standby_that_has_everything_is_gone_on_with(place: Place, url: str, store: Store):
    tell(store, "first")
    store.settle_journal_now()
    promote(str(place.copy("books", place.inside("standby"))), url)
    tell(store, "second")
    store.settle_journal_now()
    assert told(url) == {"event_first", "event_second"}
