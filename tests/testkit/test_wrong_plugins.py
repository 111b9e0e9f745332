"""A plugin that does one thing wrong fails the behaviour that is about it, and no other.

The suite asks each of them for its own behaviour and for every sixth other; the long form asks for all:
`pytest -m soak tests/testkit/test_wrong_plugins.py`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.soak import Extent
from tests.testkit import wrong
from tests.testkit.subjects import checked, failed

from shoutgraph.testkit import running
from shoutgraph.testkit.behaviours import manners

SUITE_SHARE = 6
"""Of the behaviours that a plugin should pass, the suite looks at one of so many: another one for each plugin."""


@pytest.fixture(autouse=True)
def _closes() -> Iterator[None]:
    yield
    while wrong.HELD:
        wrong.HELD.pop().close()


@pytest.fixture(autouse=True)
def _waits_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manners, "ENDING_S", 0.5)


@pytest.mark.parametrize("what", wrong.WRONG)
def test_a_wrong_plugin_fails_exactly_what_it_does_wrong(what: str, tmp_path: Path, extent: Extent) -> None:
    wanted, subject = wrong.WRONG[what]
    every = [each.id for each in running.behaviours_of(running.kind_of(subject))]
    share = extent.count("shares", suite=SUITE_SHARE, soak=1)
    others = every[list(wrong.WRONG).index(what) % share :: share]
    found = failed(checked(subject, tmp_path, wanted, *others))
    assert set(found) == {wanted}, found
