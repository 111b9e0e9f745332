"""A plugin that breaks the contract does not type-check, on the line where it does, and a right one does."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
PROGRAMS = Path(__file__).parent / "programs"
MARK = re.compile(r"# error: (.+)$")
TOLD = re.compile(r"^(.+?):(\d+): error: .*\[([a-z-]+)\]$")

Errors = dict[tuple[str, int], set[str]]


def marked() -> Errors:
    return {
        (path.name, number): set(found[1].split(", "))
        for path in sorted(PROGRAMS.glob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if (found := MARK.search(line))
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Errors:
    names = sorted(path.name for path in PROGRAMS.glob("*.py"))
    cache = str(tmp_path_factory.mktemp("mypy"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "--cache-dir", cache, *names],
        cwd=PROGRAMS,
        env={**os.environ, "MYPYPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode in {0, 1}, done.stderr
    errors: Errors = defaultdict(set)
    for line in done.stdout.splitlines():
        if found := TOLD.match(line):
            errors[found[1], int(found[2])].add(found[3])
    return dict(errors)


def test_a_plugin_that_follows_the_protocols_type_checks(told: Errors) -> None:
    assert [where for where in told if where[0] == "right.py"] == []


@pytest.mark.parametrize("where", sorted(marked()), ids=lambda where: f"{where[0]}:{where[1]}")
def test_what_is_wrong_does_not_type_check(told: Errors, where: tuple[str, int]) -> None:
    assert told.get(where) == marked()[where]


def test_nothing_else_is_told(told: Errors) -> None:
    assert sorted(set(told) - set(marked())) == []
    assert len(marked()) >= 25
