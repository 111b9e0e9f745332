"""`plugins check`: runs the conformance tests of a distribution, and shows what came of them."""

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import unquote, urlsplit

import typer
from rich.markup import escape
from rich.table import Table

from shoutgraph.cli.shared import console, fail, show

CHECK_TIMEOUT_S: Final = 1800
PATTERN: Final = "test_conformance*.py"


def check(
    distribution: Annotated[str, typer.Argument(help="The name of an installed distribution.")],
    tests: Annotated[Path | None, typer.Option(help="Where its tests are, if it does not bring them.")] = None,
    report: Annotated[Path | None, typer.Option(help="Keep conformance.json here.")] = None,
) -> None:
    """Run a plugin's conformance tests against its simulator; exit code 1 if it does not conform.

    Looks for tests called test_conformance in the distribution's own files, and beside it where it is installed in
    place. Needs shoutgraph[testkit].
    """
    if importlib.util.find_spec("pytest") is None:
        fail("the conformance kit is not installed: pip install 'shoutgraph[testkit]'")
    found = _tests_of(distribution, tests)
    if not found:
        fail(f"{distribution} brings no {PATTERN}; say where they are with --tests")
    with tempfile.TemporaryDirectory() as folder:
        path = report or Path(folder) / "conformance.json"
        code = _run(found, path.absolute())
        if not path.exists():
            fail(f"the tests did not run: pytest ended with {code}")
        told: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if not told["plugins"]:
        fail("no test of the conformance kit ran")
    for key, plugin in told["plugins"].items():
        _show(key, plugin, told["behaviours"])
    if code or not all(plugin["conforms"] for plugin in told["plugins"].values()):
        fail(f"{distribution} does not conform")
    console.print(f"[green]{escape(distribution)} conforms.[/]")


def _tests_of(distribution: str, tests: Path | None) -> list[str]:
    if tests is not None:
        return [str(tests.absolute())]
    try:
        found = metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        fail(f"no distribution called {distribution} is installed")
    own = [str(found.locate_file(each)) for each in found.files or () if each.match(PATTERN)]
    return own or [str(each) for folder in _folders(found) for each in sorted(folder.rglob(PATTERN))]


def _folders(found: metadata.Distribution) -> Iterator[Path]:
    """The source of a distribution that is installed in place."""
    told = json.loads(found.read_text("direct_url.json") or "{}")
    url = urlsplit(str(told.get("url", "")))
    folder = Path(unquote(url.path)) / "tests"
    if url.scheme == "file" and folder.is_dir():
        yield folder


def _run(tests: list[str], report: Path) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--import-mode=importlib", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(  # noqa: S603 -- our own words, and paths of the operator's
            [*command, f"--conformance-report={report}", "--tb=short", *tests],
            check=False,
            timeout=CHECK_TIMEOUT_S,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    except subprocess.TimeoutExpired:
        fail(f"the tests did not end in {CHECK_TIMEOUT_S} s")
    if done.returncode:
        console.print(escape(done.stdout), soft_wrap=True)
    return done.returncode


def _show(key: str, plugin: Mapping[str, Any], sentences: Mapping[str, str]) -> None:
    title = f"{key} ({plugin['distribution']} {plugin['version']}, SDK {plugin['sdk']})"
    table = Table("id", "behaviour", "verdict", "why", title=escape(title))
    for name in sorted({*plugin["passed"], *plugin["skipped"], *plugin["failed"]}):
        if name in plugin["failed"]:
            verdict, why = "[red]failed[/]", plugin["failed"][name]
        elif name in plugin["skipped"]:
            verdict, why = "[yellow]left out[/]", plugin["skipped"][name]
        else:
            verdict, why = "[green]passed[/]", "; ".join(plugin["left_out"].get(name, ()))
        table.add_row(name, sentences.get(name, ""), verdict, escape(str(why)))
    show(table)
