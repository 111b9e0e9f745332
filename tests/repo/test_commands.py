"""The commands that people are told to type exist, and people and machines type the same ones."""

import os
import re

import pytest
import typer
from tests.repo import source

PYTEST = re.compile(r"-m (pytest[^\n`'\"&|]*)")
COMMAND = re.compile(r"(?:^|[`/ ])shoutgraph ((?:[a-z-]+ ?)+)", re.MULTILINE)
CODE = re.compile(r"```(?:\w*)\n(.+?)```|`([^`\n]+)`", re.DOTALL)
PAGES = [path for path in source.texts() if path.suffix == ".md" and path.is_relative_to(source.ROOT)]
CI = source.ROOT / ".ci" / "run"


def test_the_readme_and_the_gates_run_the_same_tests():
    asked = {found.strip() for found in PYTEST.findall(source.text(source.ROOT / "README.md"))}
    assert asked == {found.strip() for found in PYTEST.findall(source.text(CI))} != set()


def test_the_gates_can_be_run():
    assert source.text(CI).startswith("#!/usr/bin/env bash\n")
    assert os.access(CI, os.X_OK)
    assert "set -Eeuo pipefail" in source.text(CI)


def test_the_gates_are_all_there_and_in_order():
    gates = re.findall(r"^gate (\w+) ", source.text(CI), re.MULTILINE)
    assert gates == ["install", "format", "lint", "types", "floors", "schema", "evolution", "tests"]


@pytest.mark.parametrize("page", PAGES, ids=source.name)
def test_every_command_of_a_page_exists(page):
    known = _commands()
    named = {found for code in _code(page) for found in COMMAND.findall(code)}
    assert [words for words in named if not _exists(words.split(), known)] == []


def _code(page) -> list[str]:
    return [block or inline for block, inline in CODE.findall(source.text(page))]


def _commands() -> dict[str, set[str]]:
    from shoutgraph.cli import main  # noqa: PLC0415 - only these tests need it

    root = typer.main.get_command(main)
    return {name: set(getattr(command, "commands", {})) for name, command in root.commands.items()}


def _exists(words: list[str], known: dict[str, set[str]]) -> bool:
    if words[0] not in known:
        return False
    return not known[words[0]] or len(words) == 1 or words[1] in known[words[0]]
