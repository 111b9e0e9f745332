"""A ring is never lost, whoever waits and wherever."""

import asyncio
import threading

from shoutgraph.domain import journal as lines
from shoutgraph.storage import journal
from shoutgraph.storage.bell import Bell
from shoutgraph.storage.engine import Store


def test_what_was_rung_before_is_known_at_once() -> None:
    bell = Bell(3)
    bell.ring(5)
    assert asyncio.run(bell.wait_past(4, timeout_s=0)) == 5


def test_nothing_newer_is_waited_for_until_the_time_is_over() -> None:
    assert asyncio.run(Bell(3).wait_past(3, timeout_s=0.01)) == 3


def test_an_older_number_does_not_take_a_newer_one_back() -> None:
    bell = Bell()
    bell.ring(5)
    bell.ring(4)
    assert bell.newest == 5


def test_every_waiter_of_every_loop_is_woken_by_a_ring_from_a_thread() -> None:
    bell = Bell()
    ready = threading.Barrier(4)
    found: list[int] = []

    def loop() -> None:
        async def run() -> None:
            waiting = [asyncio.ensure_future(bell.wait_past(0, timeout_s=10)) for _ in range(5)]
            await asyncio.sleep(0)
            ready.wait()
            found.extend(await asyncio.gather(*waiting))

        asyncio.run(run())

    threads = [threading.Thread(target=loop) for _ in range(3)]
    for thread in threads:
        thread.start()
    ready.wait()
    bell.ring(1)
    for thread in threads:
        thread.join()
    assert found == [1] * 15


def test_a_follower_misses_no_line_while_many_are_written(store: Store) -> None:
    count = 300

    def told(n: int) -> lines.Event:
        return store.write_now(
            lambda tx: journal.append(tx, lines.NewEvent(f"event_{n}", f"topic_{n % 7}", "told", {}))
        )

    async def follow() -> list[int]:
        seen: list[int] = []
        while len(seen) < count:
            after = seen[-1] if seen else 0
            await store.bell.wait_past(after, timeout_s=10)
            events, _ = await store.read(lambda tx, after=after: journal.read_after(tx, after, limit=20))
            seen += [event.seq for event in events]
        return seen

    writer = threading.Thread(target=lambda: [told(n) for n in range(count)])
    writer.start()
    assert asyncio.run(follow()) == list(range(1, count + 1))
    writer.join()


def test_a_cancelled_waiter_is_forgotten() -> None:
    bell = Bell()

    async def run() -> None:
        task = asyncio.ensure_future(bell.wait_past(0, timeout_s=10))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        bell.ring(1)
        assert await bell.wait_past(0, timeout_s=0) == 1

    asyncio.run(run())
