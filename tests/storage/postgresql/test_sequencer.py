"""Every line that was committed gets one place in the journal, whoever seals and whatever stands in the way."""

import asyncio
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import psycopg
import pytest
from tests import postgres
from tests.soak import Extent
from tests.storage import databases
from tests.storage.databases import Place
from tests.storage.postgresql import load, teller
from tests.storage.postgresql.conftest import connect
from tests.storage.postgresql.scene import Raw, outbox

from shoutgraph.domain import errors, journal as lines
from shoutgraph.storage import journal, ledger_proof, postgresql, sequencer
from shoutgraph.storage.engine import Store
from shoutgraph.storage.tx import Tx

pytestmark = pytest.mark.postgresql_only

ROOT: Final = Path(__file__).parents[3]
WRITERS: Final = 12
PAUSES_S: Final = (0.001, 0.02)
"""Between writing a line and its commit: any time up to one of these."""
SOME: Final = 20
"""Lines that one of the two sealers takes at a time."""
LEADER_NOW: Final = (
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = $1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@pytest.fixture
def url(place: Place) -> str:
    return str(place.database())


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = databases.opened(url, load.wall, readers=1)
    yield store
    store.close()


@pytest.fixture
def rogue(url: str) -> Iterator[Raw]:
    """Somebody else's connection, who may do anything."""
    with connect(url) as raw:
        yield raw


def events(store: Store) -> list[lines.Event]:
    store.settle_journal_now()
    return store.read_now(lambda tx: list(journal.each(tx)))


def tell(store: Store, number: int, topic: str = "topic") -> None:
    event = lines.NewEvent(f"event_{number}", topic, "told", {"n": number})
    store.write_now(lambda tx: journal.append(tx, event))


class Writers:
    """Connections that commit lines out of the order of their numbers, or never."""

    def __init__(self, url: str, seed: int, *, each: int) -> None:
        self.committed: list[str] = []
        self.faults: list[BaseException] = []
        self._url = url
        self._threads = [threading.Thread(target=self._write, args=(seed, at, each)) for at in range(WRITERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        for thread in self._threads:
            thread.join()

    @property
    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _write(self, seed: int, at: int, each: int) -> None:
        chance = random.Random(seed * WRITERS + at)  # noqa: S311 - a repeatable choice
        try:
            with connect(self._url) as raw:
                raw.execute("SET ROLE shoutgraph_app")
                for number in range(each):
                    self._tell(raw, chance, f"own_{at}", f"event_{at}_{number}")
        except BaseException as fault:  # noqa: BLE001 - the test tells of it
            self.faults.append(fault)

    def _tell(self, raw: Raw, chance: random.Random, own: str, name: str) -> None:
        topic = own if chance.random() < 0.8 else f"shared_{chance.randrange(3)}"
        raw.execute("BEGIN")
        raw.execute(outbox(name, topic))
        time.sleep(chance.random() * chance.choice(PAUSES_S))
        if chance.random() < 0.1:
            raw.execute("ROLLBACK")
        else:
            raw.execute("COMMIT")
            self.committed.append(name)


def seal_all(url: str, writers: Writers) -> None:
    """Seals as a leader would, and cares for no other."""
    session = postgresql.Session(url, role=postgresql.SEQUENCER)
    sealed = 0
    while writers.busy or sealed:
        session.begin()
        try:
            sealed, _ = sequencer.seal(Tx(session.raw, session.dialect, load.wall()), SOME)
            session.commit()
        except psycopg.errors.LockNotAvailable:
            session.rollback()
        time.sleep(random.random() * PAUSES_S[0])  # noqa: S311 - any
    session.close()


async def follow(store: Store, writers: Writers) -> list[int]:
    """Reads on behind the bell, as a subscription does; gives the numbers it saw."""
    seen: list[int] = []
    after = 0
    while writers.busy or after < store.bell.newest:
        await store.bell.wait_past(after, timeout_s=0.1)
        found, after = await store.read(lambda tx, seq=after: journal.read_after(tx, seq, limit=50))
        seen += [event.seq for event in found]
    return seen


def test_every_committed_line_is_sealed_once_by_two_sealers_against_each_other(place: Place, extent: Extent) -> None:
    total = 0
    for seed in extent.seeds("steps", suite=WRITERS * 25, soak=500_000, each=WRITERS * 25):
        url = str(place.database(f"sealed{seed}"))
        store = databases.opened(url, load.wall, readers=1)
        with Writers(url, seed, each=25) as writers:
            sealers = [threading.Thread(target=seal_all, args=(url, writers)) for _ in range(2)]
            for sealer in sealers:
                sealer.start()
            seen = asyncio.run(follow(store, writers))
        for sealer in sealers:
            sealer.join()
        assert writers.faults == []
        sealed = events(store)
        assert sorted(event.id for event in sealed) == sorted(writers.committed)
        assert [event.seq for event in sealed] == list(range(1, len(sealed) + 1))
        assert lines.first_break(sealed) is None
        assert seen == list(range(1, len(seen) + 1)), "who follows the bell misses nothing"
        topics: dict[str, list[int]] = {}
        for event in sealed:
            topics.setdefault(event.topic, []).append(event.topic_seq)
        assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in topics.values())
        assert store.read_now(ledger_proof.verify) == []
        store.close()
        place.drop()
        total += len(sealed)
    extent.tell(f"{total} lines committed, {total} sealed, no gap")


def test_a_stolen_lock_of_the_leader_stops_nothing(url: str, rogue: Raw) -> None:
    rogue.execute("SELECT pg_advisory_lock($1::bigint)", (sequencer.LEADER,))
    store = databases.opened(url, load.wall, readers=1)
    for number in range(2):
        tell(store, number)
        assert len(events(store)) == number + 1
    store.close()


def test_whoever_holds_the_fence_stops_the_journal_and_no_writer(store: Store, rogue: Raw) -> None:
    tell(store, 1)
    assert len(events(store)) == 1
    rogue.execute("BEGIN")
    rogue.execute("SELECT * FROM sequencer FOR UPDATE")
    tell(store, 2)
    assert store.read_now(sequencer.count_waiting) == 1
    assert store.bell.newest == 1
    rogue.execute("ROLLBACK")
    assert len(events(store)) == 2


def test_another_leads_when_the_leader_is_gone(url: str, store: Store, rogue: Raw) -> None:
    tell(store, 1)
    events(store)
    other = databases.opened(url, load.wall, readers=1)
    leader = rogue.execute(LEADER_NOW, (sequencer.LEADER,)).fetchall()
    assert len(leader) == 1
    rogue.execute("SELECT pg_terminate_backend($1)", leader[0])
    tell(other, 2)
    assert len(events(other)) == 2
    store.close()
    postgres.wait_until(lambda: rogue.execute(LEADER_NOW, (sequencer.LEADER,)).fetchall() not in ([], leader))
    tell(other, 3)
    assert len(events(other)) == 3
    other.close()


@pytest.fixture(scope="module")
def common(module_place: Place) -> str:
    """The URL of a database that another process writes to, too."""
    return str(module_place.database("common"))


@pytest.fixture(scope="module")
def child(common: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", teller.__name__, common]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        yield child
        child.kill()


def ask(child: subprocess.Popen[str], count: int) -> list[float]:
    """Has a process tell of events; gives when each was acknowledged."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{count}\n")
    child.stdin.flush()
    return [float(child.stdout.readline()) for _ in range(count)]


def test_a_leader_that_is_stopped_keeps_nobody_waiting(common: str, child: subprocess.Popen[str]) -> None:
    ask(child, 1)
    store = databases.opened(common, load.wall, readers=1)
    before = len(events(store))
    child.send_signal(signal.SIGSTOP)
    tell(store, 1)
    assert len(events(store)) == before + 1
    child.send_signal(signal.SIGCONT)
    ask(child, 2)
    assert len(events(store)) == before + 3
    store.close()


def test_another_process_hears_of_every_commit(common: str, child: subprocess.Popen[str], extent: Extent) -> None:
    count = extent.count("steps", suite=50, soak=20_000)
    store = databases.opened(common, load.wall, readers=1)
    before = len(events(store))
    heard: dict[int, float] = {}

    async def listen() -> None:
        newest = before
        while newest < before + count:
            known, newest = newest, await store.bell.wait_past(newest)
            heard.update(dict.fromkeys(range(known + 1, newest + 1), time.monotonic()))

    listener = threading.Thread(target=asyncio.run, args=(listen(),))
    listener.start()
    acknowledged = ask(child, count)
    listener.join(postgres.PATIENCE_S)
    store.close()
    assert sorted(heard) == list(range(before + 1, before + count + 1))
    waits_ms = sorted(1_000 * (heard[seq] - at) for seq, at in enumerate(acknowledged, start=before + 1))
    cuts = statistics.quantiles(waits_ms, n=100)
    extent.tell(f"{count} commits heard by another process: p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms")


POISON: Final = {
    "a transfer that is not there": outbox("event_bad", transfer_id=999),
    "a time that is no time": outbox("event_bad", at=2**62),
    "a number of a line of before": outbox("event_bad", "old", topic_seq=1),
    "an event that stands in the journal": outbox("event_old", "new", topic_seq=1),
}
"""Lines that only somebody who switched a guard off could write."""


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_a_line_that_cannot_be_sealed_is_set_aside_and_stops_nothing(
    store: Store, rogue: Raw, poison: str, caplog: pytest.LogCaptureFixture
) -> None:
    store.write_now(lambda tx: journal.append(tx, lines.NewEvent("event_old", "old", "told", {})))
    events(store)
    rogue.execute("BEGIN")
    rogue.execute("ALTER TABLE outbox DROP CONSTRAINT outbox_at")
    for number in range(7):
        rogue.execute(outbox(f"event_{number}", f"topic_{number % 2}"))
    rogue.execute("ALTER TABLE outbox DISABLE TRIGGER outbox_number")
    rogue.execute(poison.replace("NULL", "99"))
    rogue.execute("ALTER TABLE outbox ENABLE TRIGGER outbox_number")
    for number in range(7, 12):
        rogue.execute(outbox(f"event_{number}", f"topic_{number % 2}"))
    rogue.execute("COMMIT")
    sealed = events(store)
    assert [event.id for event in sealed] == ["event_old", *(f"event_{number}" for number in range(12))]
    assert lines.first_break(sealed) is None
    [(aside, reason)] = rogue.execute("SELECT event_id, reason FROM outbox_dead").fetchall()
    assert aside in {"event_bad", "event_old"}
    assert reason
    assert f"the event {aside} cannot be sealed" in caplog.text


def test_a_line_that_was_set_aside_is_told_by_the_proof(store: Store, rogue: Raw) -> None:
    rogue.execute(outbox("event_bad", transfer_id=999))
    rogue.execute(outbox("event_good"))
    assert [event.topic_seq for event in events(store)] == [2]
    assert [violation.law.name for violation in store.read_now(ledger_proof.verify)] == ["TOPICS"]


def test_a_call_with_a_wrong_number_is_believed_by_nobody(store: Store, rogue: Raw) -> None:
    tell(store, 1)
    events(store)
    for word in ("999999999", "-1", "not a number", ""):
        rogue.execute("SELECT pg_notify($1::text, $2::text)", (sequencer.CHANNEL, word))
    tell(store, 2)
    assert len(events(store)) == 2
    assert store.bell.newest == 2


def test_a_store_that_only_reads_hears_and_seals_nothing(url: str, rogue: Raw) -> None:
    tool = databases.opened(url, load.wall, writing=False, readers=1)
    rogue.execute(outbox("event_1"))
    assert tool.bell.newest == 0
    store = databases.opened(url, load.wall, readers=1)
    events(store)
    postgres.wait_until(lambda: tool.bell.newest == 1)
    with pytest.raises(errors.StoreUnavailableError, match="reading only"):
        tell(tool, 2)
    store.close()
    tool.close()
