"""The pytest plugin: `--conformance-report FILE` writes what the kit found, and the terminal says it in short.

Loaded by its entry point wherever shoutgraph is installed, so it imports the kit only when there is something to tell.
"""

from pathlib import Path
from typing import Any, Final

import pytest

OPTION: Final = "--conformance-report"
PROPERTY: Final = "conformance"
"""The name under which a test of the kit records its verdict."""

_RECORDS: Final = pytest.StashKey[list[dict[str, Any]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option."""
    group = parser.getgroup("shoutgraph", "shoutgraph's conformance kit")
    group.addoption(OPTION, metavar="FILE", default=None, help="write the verdicts of the conformance kit as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Starts collecting, in the process that the results come to."""
    config.stash[_RECORDS] = []
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Collector(config.stash[_RECORDS]), "shoutgraph-testkit-collector")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Writes the report."""
    path = session.config.getoption(OPTION)
    if path is None or hasattr(session.config, "workerinput"):
        return
    from shoutgraph.testkit import reports  # noqa: PLC0415 -- as the module says

    records = session.config.stash[_RECORDS]
    reports.write(Path(path), records)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:  # noqa: ANN401 -- pytest's own
    """Says in short how each plugin came out."""
    records = config.stash[_RECORDS]
    if not records:
        return
    from shoutgraph.testkit import reports  # noqa: PLC0415 -- as the module says

    terminalreporter.section("conformance")
    for line in reports.lines(records):
        terminalreporter.write_line(line)


class _Collector:
    """Takes the verdicts out of the reports of the tests; with xdist they come from other processes."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self._records = records

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Sees the report of one phase of one test."""
        if report.when == "call":
            self._records += [value for name, value in report.user_properties if name == PROPERTY]  # type: ignore[misc]
