"""A provider whose vendor library blocks runs on a few threads of its own."""
# ruff: noqa: ARG001, ARG005 -- protocols name their arguments

import asyncio
import threading
import time
from datetime import timedelta

import pytest
from tests.plugins.written import call, request, written_in_threads

from shoutgraph.sdk import NotExecuted, Pending, Target, Unknown

pytestmark = pytest.mark.anyio

TARGET = Target("topup_1", "key_1", "ref")


async def test_a_blocking_provider_never_blocks_the_loop() -> None:
    registry = written_in_threads({"create": lambda each: time.sleep(0.15) or Pending("ref", timedelta(1))})
    longest, last, task = 0.0, time.monotonic(), asyncio.create_task(registry.topup("one").create(request()))
    while not task.done():
        await asyncio.sleep(0.005)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert isinstance(task.result(), Pending)
    assert longest < 0.1


async def test_hanging_threads_are_bounded_and_what_never_started_is_not_executed() -> None:
    release, started = threading.Event(), []

    def hang(each: object) -> object:
        started.append(each)
        release.wait(5)
        return Pending("ref", timedelta(1))

    topups = written_in_threads({"create": hang, "fetch": hang}).topup("one")
    outcomes = await asyncio.gather(*(topups.create(request(milliseconds=80)) for _ in range(10)))
    shed = await topups.create(request(milliseconds=10))
    looked = await topups.fetch(TARGET, call(milliseconds=10))
    release.set()
    assert [type(each) for each in outcomes].count(Unknown) == len(started) == 4
    assert [each for each in outcomes if isinstance(each, NotExecuted)] == [NotExecuted("busy")] * 6
    assert shed == NotExecuted("busy")
    assert looked == Unknown("busy")
    async with asyncio.timeout(2):
        while not isinstance(await topups.create(request()), Pending):  # noqa: ASYNC110 -- threads tell nobody
            await asyncio.sleep(0.01)


async def test_one_hanging_blocking_provider_leaves_the_others_alone() -> None:
    release = threading.Event()
    methods = {"create": lambda each: release.wait(5)}
    key = {"plugin": "written", "api_key": {"env": "KEY"}}
    registry = written_in_threads(methods, instances={"one": key, "two": key})
    hanging = [asyncio.create_task(registry.topup("one").create(request(milliseconds=300))) for _ in range(8)]
    await asyncio.sleep(0.02)
    started = time.monotonic()
    registry.topup("two").provider.create = lambda each: Pending("ref", timedelta(1))
    assert isinstance(await registry.topup("two").create(request()), Pending)
    assert time.monotonic() - started < 0.2
    release.set()
    await asyncio.gather(*hanging)


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, StopIteration, asyncio.CancelledError])
async def test_whatever_a_blocking_provider_raises_is_unknown(error: type[BaseException]) -> None:
    def raises(each: object) -> object:
        raise error

    assert isinstance(await written_in_threads({"create": raises}).topup("one").create(request()), Unknown)
