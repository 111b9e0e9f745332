"""Many units of work share a commit, and none can harm its neighbours."""

import asyncio
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pysqlite3 as dbapi
import pytest
from tests.storage import databases
from tests.storage.databases import START, Clock, Where

from shoutgraph.domain import accounts, errors, ids, journal as lines, requests as asked
from shoutgraph.domain.ledger import Posting, Transfer
from shoutgraph.storage import journal, ledger, requests
from shoutgraph.storage.engine import Store
from shoutgraph.storage.readers import READERS
from shoutgraph.storage.tx import Tx
from shoutgraph.storage.writer import FAULTS_MAX, Limits

POOL = accounts.money_account("cash:pool", "EUR")
SPENT = accounts.money_account("exp:spent", "EUR")
FAN = accounts.paid(ids.UserId("user_fan"))


def moved(ref: str, amount: int = 1) -> Callable[[Tx], bool]:
    return lambda tx: ledger.post(tx, Transfer("moved", ref, (Posting(POOL, SPENT, amount, "test"),)))


def told(ref: str) -> Callable[[Tx], None]:
    event = lines.NewEvent(f"event_{ref}", "topic", "told", {"ref": ref})
    return lambda tx: journal.append(tx, event)


def heard(store: Store) -> list[str]:
    """The whole journal, which is not broken."""
    store.settle_journal_now()
    read = store.read_now(lambda tx: list(journal.each(tx)))
    assert lines.first_break(read) is None
    return [line.id.removeprefix("event_") for line in read]


def spent_now(tx: Tx) -> int:
    return ledger.balance_coins(tx, SPENT.code)


def spent(store: Store) -> int:
    return store.read_now(spent_now)


def break_a_law(tx: Tx) -> None:
    """Coins in a wallet without a lot: refused at COMMIT and not before."""
    ledger.post(tx, Transfer("broken", "1", (Posting(accounts.MINT, FAN, 5, "no lot"),)))


def leave(_: Tx) -> None:
    raise SystemExit


@contextmanager
def held(store: Store) -> Iterator[None]:
    """Holds the writer inside a batch, so that everything sent meanwhile shares the next one."""
    inside, go_on = threading.Event(), threading.Event()

    def wait(_: Tx) -> None:
        inside.set()
        go_on.wait(10)

    thread = threading.Thread(target=lambda: store.write_now(wait))
    thread.start()
    assert inside.wait(10)
    try:
        yield
    finally:
        go_on.set()
        thread.join()


async def in_one_batch(store: Store, *works: Callable[[Tx], Any]) -> list[Any]:
    with held(store):
        tasks = [asyncio.ensure_future(store.write(work)) for work in works]
        await asyncio.sleep(0.01)
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_a_value_is_answered_after_it_can_be_read(store: Store) -> None:
    async def run() -> None:
        assert await store.write(moved("1", 7)) is True
        assert await store.read(lambda tx: ledger.balance_coins(tx, SPENT.code)) == 7

    asyncio.run(run())


def test_units_of_work_that_wait_share_one_commit(store: Store, where: Where) -> None:
    seen = []

    def count(_: Tx) -> None:
        seen.append(watcher.execute("SELECT count(*) FROM transfer").fetchone()[0])

    with databases.outside(where) as watcher:
        asyncio.run(in_one_batch(store, moved("1"), count, moved("2"), count, moved("3")))
    assert seen == [0, 0], "nothing of a batch is seen before its commit"
    assert spent(store) == 3


def test_a_refusal_takes_back_its_own_work_and_nothing_else(store: Store) -> None:
    def refuse(tx: Tx) -> None:
        moved("refused", 100)(tx)
        told("refused")(tx)
        raise errors.NotFoundError("There is no such thing.")

    answers = asyncio.run(in_one_batch(store, told("1"), refuse, told("2"), moved("2")))
    assert [type(answer) for answer in answers] == [type(None), errors.NotFoundError, type(None), bool]
    assert heard(store) == ["1", "2"], "the journal goes on where it was"
    assert spent(store) == 1


def test_what_a_refusal_leaves_behind_is_committed_with_it(store: Store) -> None:
    def refuse(tx: Tx) -> None:
        moved("refused", 100)(tx)
        raise errors.NotFoundError("There is no such thing.")

    def remember(tx: Tx, refusal: errors.ShoutgraphError) -> None:
        requests.insert(tx, ("user", "mutation", "key"), bytes(32), refusal={"code": refusal.code})

    with pytest.raises(errors.NotFoundError):
        store.write_now(refuse, refused=remember)
    kept = store.read_now(lambda tx: requests.find_by_key(tx, principal="user", mutation="mutation", key="key"))
    assert isinstance(kept, asked.StoredRequest)
    assert kept.refusal == {"code": "NOT_FOUND"}
    assert spent(store) == 0


def test_a_bug_fails_only_its_own_caller(store: Store) -> None:
    def bug(tx: Tx) -> None:
        told("bug")(tx)
        raise ZeroDivisionError

    def wrong_sql(tx: Tx) -> None:
        moved("1")(tx)
        tx.notes["x"] = 1
        requests.insert(tx, ("p", "m", "k"), b"short", result="x")

    answers = asyncio.run(in_one_batch(store, bug, moved("1"), wrong_sql, told("2")))
    assert [type(answer) for answer in answers] == [ZeroDivisionError, bool, errors.InvariantError, type(None)]
    assert heard(store) == ["2"]
    assert spent(store) == 1


def test_what_no_future_takes_fails_only_its_own_caller(store: Store) -> None:
    def find_nothing(tx: Tx) -> None:
        told("nothing")(tx)
        next(iter(()))

    def find_first(_: Tx) -> None:
        next(iter(()))

    async def run() -> list[Any]:
        written = await in_one_batch(store, find_nothing, told("1"), find_nothing, moved("1"))
        asked = [store.read(work) for work in (*[find_first, leave] * READERS, spent_now)]
        return [*written, *await asyncio.gather(*asked, return_exceptions=True)]

    answers = asyncio.run(asyncio.wait_for(run(), 10))
    assert [type(answer) for answer in answers[:4]] == [RuntimeError, type(None), RuntimeError, bool]
    assert {type(answer) for answer in answers[4:-1]} == {RuntimeError}
    assert answers[-1] == 1
    assert heard(store) == ["1"]


def test_work_that_only_commit_can_refuse_fails_alone(store: Store) -> None:
    works = [told("1"), moved("1"), break_a_law, told("2"), moved("2")]
    answers = asyncio.run(in_one_batch(store, *works))
    assert isinstance(answers[2], errors.InvariantError)
    assert answers[:2] + answers[3:] == [None, True, None, True]
    assert spent(store) == 2
    assert store.read_now(lambda tx: ledger.find_transfer(tx, "broken", "1")) is None
    assert heard(store) == ["1", "2"]


def test_one_offender_among_many_costs_few_commits(store: Store) -> None:
    runs = 0

    def counted(tx: Tx) -> None:
        nonlocal runs
        runs += 1
        moved(f"counted-{runs}")(tx)

    answers = asyncio.run(in_one_batch(store, *[counted] * 31, break_a_law, *[counted] * 32))
    assert [type(answer) for answer in answers].count(errors.InvariantError) == 1
    assert spent(store) == 63
    assert runs < 63 * 4, "the offender is found by halves"


def test_a_full_queue_is_refused_at_once(where: Where, clock: Clock) -> None:
    store = databases.opened(where, clock, limits=Limits(queue=3))

    async def run() -> None:
        with held(store):
            tasks = [asyncio.ensure_future(store.write(moved(str(n)))) for n in range(3)]
            await asyncio.sleep(0.01)
            with pytest.raises(errors.OverloadedError) as refusal:
                await store.write(moved("one too many"))
            assert refusal.value.retry_after_s > 0
        assert await asyncio.gather(*tasks) == [True, True, True]

    asyncio.run(run())
    store.close()


def test_a_batch_is_bounded(where: Where, clock: Clock) -> None:
    store = databases.opened(where, clock, limits=Limits(batch=2))
    seen: list[int] = []

    def count(tx: Tx) -> None:
        moved(str(len(seen)))(tx)
        seen.append(watcher.execute("SELECT count(*) FROM transfer").fetchone()[0])

    with databases.outside(where) as watcher:
        asyncio.run(in_one_batch(store, *[count] * 6))
    assert seen == [0, 0, 2, 2, 4, 4]
    store.close()


def test_a_cancelled_caller_neither_loses_nor_doubles_its_work(store: Store) -> None:
    async def run() -> None:
        with held(store):
            tasks = [asyncio.ensure_future(store.write(moved(str(n)))) for n in range(10)]
            await asyncio.sleep(0.01)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.sleep(0)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [True, False] * 5

    asyncio.run(run())
    assert spent(store) == 10


def test_a_loop_that_ended_leaves_the_writer_working(store: Store) -> None:
    async def leave() -> None:
        task = asyncio.ensure_future(store.write(moved("left")))
        await asyncio.sleep(0.005)
        task.cancel()

    with held(store):
        asyncio.run(leave())
    assert store.write_now(moved("after")) is True
    assert spent(store) == 2


def test_several_event_loops_and_threads_write_at_once(store: Store) -> None:
    def loop(name: str) -> None:
        async def run() -> None:
            await asyncio.gather(*(store.write(moved(f"{name}-{n}")) for n in range(50)))

        asyncio.run(run())

    def blocking(name: str) -> None:
        for n in range(20):
            store.write_now(moved(f"{name}-{n}"))

    threads = [threading.Thread(target=loop, args=(f"loop-{n}",)) for n in range(3)]
    threads += [threading.Thread(target=blocking, args=(f"thread-{n}",)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert spent(store) == 190


def test_time_never_goes_back(where: Where, clock: Clock) -> None:
    store = databases.opened(where, clock)
    first = store.write_now(lambda tx: (told("1")(tx), tx.now)[1])
    clock.move(hours=-5)
    second = store.write_now(lambda tx: (told("2")(tx), tx.now)[1])
    assert START <= first < second
    store.close()
    clock.move(days=-400)
    store = databases.opened(where, clock)
    third = store.write_now(lambda tx: tx.now)
    assert second < third
    store.close()


def test_closing_does_what_still_waits(where: Where, clock: Clock) -> None:
    store = databases.opened(where, clock)

    async def run() -> None:
        with held(store):
            tasks = [asyncio.ensure_future(store.write(moved(str(n)))) for n in range(5)]
            await asyncio.sleep(0.01)
            closing = asyncio.ensure_future(store.aclose())
            await asyncio.sleep(0.01)
        assert await asyncio.gather(*tasks) == [True] * 5
        await closing
        with pytest.raises(errors.StoreUnavailableError):
            await store.write(moved("late"))
        with pytest.raises(errors.StoreUnavailableError):
            await store.read(lambda tx: tx.now)

    asyncio.run(run())


@contextmanager
def files_may_not_grow(path: Path) -> Iterator[None]:
    """A full disk, made by the kernel: no file of this process can become longer than the log is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.with_name(path.name + "-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.sqlite_only
def test_a_full_disk_fails_the_batch_retryably_and_nothing_is_half_done(store: Store, path: Path) -> None:
    store.write_now(moved("before"))
    with files_may_not_grow(path):
        answers = asyncio.run(in_one_batch(store, moved("1"), told("1"), moved("2")))
    assert {type(answer) for answer in answers} == {errors.StoreUnavailableError}
    assert spent(store) == 1
    assert asyncio.run(in_one_batch(store, moved("1"), told("1"), moved("2"))) == [True, None, True]
    assert spent(store) == 3


@pytest.mark.sqlite_only
def test_after_a_few_failures_in_a_row_writing_is_closed_and_reading_is_not(store: Store, path: Path) -> None:
    store.write_now(moved("before"))
    with files_may_not_grow(path):
        for n in range(FAULTS_MAX):
            with pytest.raises(errors.StoreUnavailableError):
                store.write_now(moved(f"failing-{n}"))
    with pytest.raises(errors.StoreUnavailableError, match="closed after 3 failures"):
        store.write_now(moved("after"))
    assert spent(store) == 1


@pytest.mark.sqlite_only
def test_a_database_held_by_another_is_a_retryable_failure(path: Path, clock: Clock) -> None:
    store = databases.opened(path, clock, busy_timeout_ms=10)
    other = dbapi.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(errors.StoreUnavailableError, match="locked"):
        store.write_now(moved("1"))
    other.execute("ROLLBACK")
    other.close()
    assert store.write_now(moved("1")) is True
    store.close()


def test_running_out_of_memory_fails_the_batch_retryably(store: Store) -> None:
    def hungry(tx: Tx) -> None:
        moved("hungry")(tx)
        raise MemoryError

    answers = asyncio.run(in_one_batch(store, moved("1"), hungry))
    assert {type(answer) for answer in answers} == {errors.StoreUnavailableError}
    assert store.write_now(moved("1")) is True


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_work_that_ends_its_thread_leaves_nobody_waiting(store: Store) -> None:
    answers = asyncio.run(in_one_batch(store, moved("1"), leave, moved("2")))
    assert {type(answer) for answer in answers} == {errors.StoreUnavailableError}
    with pytest.raises(errors.StoreUnavailableError):
        store.write_now(moved("3"))
    assert spent(store) == 0
