"""A deadline cuts what is late, and lets cancellations from elsewhere pass."""

import asyncio
from collections.abc import Coroutine

import pytest

from shoutgraph.api.deadline import within


def run(work: Coroutine[object, object, object]) -> object:
    return asyncio.run(work)


def test_work_in_time_is_left_alone() -> None:
    async def work() -> str:
        with within(5):
            await asyncio.sleep(0)
            return "done"

    assert run(work()) == "done"


def test_late_work_is_cut() -> None:
    async def work() -> None:
        with within(0.01):
            await asyncio.sleep(5)

    with pytest.raises(TimeoutError):
        run(work())


def test_the_task_goes_on_after_the_cut() -> None:
    async def work() -> int:
        try:
            with within(0.01):
                await asyncio.sleep(5)
        except TimeoutError:
            await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert run(work()) == 0


def test_the_inner_of_two_deadlines_is_the_one_that_cuts() -> None:
    async def work() -> str:
        with within(5):
            try:
                with within(0.01):
                    await asyncio.sleep(5)
            except TimeoutError:
                return "inner"
        return "outer"

    assert run(work()) == "inner"


def test_a_cancellation_from_elsewhere_is_no_timeout() -> None:
    async def work() -> bool:
        async def late() -> None:
            with within(5):
                await asyncio.sleep(5)

        task = asyncio.create_task(late())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert run(work()) is True


def test_an_error_of_the_work_itself_is_passed_on() -> None:
    async def work() -> None:
        with within(5):
            raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        run(work())
