"""A plugin that does one thing wrong fails the behaviour that is about it, and no other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.testkit import wrong
from tests.testkit.subjects import failed

from shoutgraph.testkit import running
from shoutgraph.testkit.behaviours import manners


@pytest.fixture(autouse=True)
def _closes() -> Iterator[None]:
    yield
    while wrong.HELD:
        wrong.HELD.pop().close()


@pytest.fixture(autouse=True)
def _waits_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manners, "ENDING_S", 0.5)


@pytest.mark.parametrize("what", wrong.WRONG)
def test_a_wrong_plugin_fails_exactly_what_it_does_wrong(what: str, tmp_path: Path) -> None:
    wanted, subject = wrong.WRONG[what]
    found = failed(running.run_all(subject, tmp_path))
    assert set(found) == {wanted}, found
