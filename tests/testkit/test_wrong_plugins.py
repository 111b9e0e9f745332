"""A plugin that does one thing wrong fails the behaviour that is about it, and no other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.testkit import wrong
from tests.testkit.subjects import failed

from shoutgraph.testkit import running


@pytest.fixture(autouse=True)
def _closes() -> Iterator[None]:
    yield
    while wrong.HELD:
        wrong.HELD.pop().close()


TRIES = 3


@pytest.mark.parametrize("what", wrong.WRONG)
def test_a_wrong_plugin_fails_exactly_what_it_does_wrong(what: str, tmp_path: Path) -> None:
    wanted, subject = wrong.WRONG[what]
    for number in range(TRIES):  # on a busy machine the far side may hear of a connection too late to count it
        folder = tmp_path / str(number)
        folder.mkdir()
        found = failed(running.run_all(subject, folder))
        if set(found) == {wanted}:
            return
    pytest.fail(f"{what}: {found}")
