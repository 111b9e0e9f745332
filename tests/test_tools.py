"""What is done side by side: one that fails holds up no other, and nothing runs on unwatched."""

import asyncio

import pytest

from shoutgraph.domain import errors
from shoutgraph.tools import side_by_side

ended: list[int] = []


async def half(number: int) -> int:
    """Fails at once for odd numbers; takes a while for the others."""
    if number < 0:
        raise errors.StoreUnavailableError("The database is away.", retry_after_s=1)
    if number % 2:
        raise ZeroDivisionError(f"{number} is odd")
    await asyncio.sleep(0.01)
    ended.append(number)
    return number // 2


def test_one_that_fails_is_told_of_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert asyncio.run(side_by_side("half of", [1, 2, 3, 4], half)) == [1, 2]
    assert [(record.message, record.exc_info is not None) for record in caplog.records] == [
        ("the half of 1 failed", True),
        ("the half of 3 failed", True),
    ]


def test_what_lies_with_none_of_them_is_raised_once_all_have_ended() -> None:
    ended.clear()
    with pytest.raises(errors.StoreUnavailableError):
        asyncio.run(side_by_side("half of", [-1, 2, 4], half))
    assert ended == [2, 4]
