"""Long runs of tests that the suite runs short: `pytest -m soak`.

A test that takes `extent` exists twice: `[suite]`, from a seed that never changes, and `[soak]`, from a fresh one,
until its count or its time is reached. What fails names the round that failed, and the one line that runs it again.
"""

import random
import secrets
import time
from collections.abc import Generator, Iterator
from typing import Any, Final

import pytest

SUITE_SEED: Final = 1
SEED_BITS: Final = 32
SOAK_S: Final = 3_600
GRACE_S: Final = 900
"""What the last round of a long run may take beyond its time, and preparing it before."""

COUNTS: Final = {
    "cuts": "power cuts",
    "kills": "processes killed",
    "stops": "times that a server stands still",
    "subscribers": "subscribers at once",
    "reconnects": "connections of subscribers that are cut",
    "orders": "orders of a database that is moved",
    "steps": "steps of random lives of the books",
    "payments": "payments at a provider that fails at every third call",
    "faults": "faults of a provider in each call of money",
    "requests": "hostile requests",
    "examples": "inputs of each root field, sent as everyone",
    "shares": "shares that a table is cut into, of which one is asked",
    "documents": "documents that both engines answer",
}
"""What can be counted, and what it is."""

ENDING: Final = pytest.StashKey["Extent"]()
FRESH: Final = pytest.StashKey[int]()


class Extent:
    """How much one test does, and where its chance begins."""

    def __init__(self, request: pytest.FixtureRequest, *, long: bool) -> None:
        config = request.config
        given: int | None = config.getoption("seed")
        self.long: Final = long
        self.seed = given if given is not None else config.stash[FRESH] if long else SUITE_SEED
        """Of the round that runs now, or of the first one."""
        self.told: list[str] = []
        self._config = config
        self._node_id = request.node.nodeid
        self._seconds: float = config.getoption("soak_seconds")
        self._round = ""

    @property
    def chance(self) -> random.Random:
        """A source of chance that begins at the seed."""
        return random.Random(self.seed)  # noqa: S311 - a repeatable choice

    @property
    def again(self) -> str:
        """The line that runs this again."""
        return f'pytest {"-m soak " * self.long}"{self._node_id}" --seed {self.seed}{self._round}'

    def count(self, of: str, *, suite: int, soak: int) -> int:
        """How many to do, unless the option of this name says it."""
        number: int = self._config.getoption(of) or (soak if self.long else suite)
        self._round += f" --{of} {number}"
        return number

    def seeds(self, of: str, *, suite: int, soak: int, each: int = 1) -> Iterator[int]:
        """A seed for every round, until the count or the time is reached; each round repeats by its own seed.

        Args:
            each: what one round counts for.
        """
        ends_at = time.monotonic() + self._seconds
        rounds = -(-self.count(of, suite=suite, soak=soak) // each)
        first, done = self.seed, 0
        self._round = f" --{of} {each}"
        while done < rounds and (done == 0 or not self.long or time.monotonic() < ends_at):
            self.seed = first + done
            yield self.seed
            done += 1
        self.seed, self._round = first, f" --{of} {done * each}"

    def tell(self, sentence: str) -> None:
        """Keeps a sentence for the end of the session, with what was counted."""
        self.told.append(sentence)


class Frame:
    """What pytest itself is told of long runs."""

    def pytest_configure(self, config: pytest.Config) -> None:
        given: dict[str, Any] = getattr(config, "workerinput", {})  # a worker of pytest-xdist is told
        config.stash[FRESH] = given.get("seed") or secrets.randbits(SEED_BITS)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["seed"] = node.config.stash[FRESH]

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        bound_s = config.getoption("soak_seconds") + GRACE_S
        for item in items:
            if item.get_closest_marker("soak") is not None:
                item.add_marker(pytest.mark.timeout(bound_s), append=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        report = yield
        extent = item.stash.get(ENDING, None)
        if extent is not None and report.when == "call" and (extent.long or report.failed):
            lines = [*extent.told, f"again: {extent.again}"]
            report.user_properties.append(("soak", f"{item.nodeid}: {report.outcome}\n  " + "\n  ".join(lines)))
        return report

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        reports = [report for each in ("passed", "failed") for report in terminalreporter.getreports(each)]
        told = [text for report in reports for name, text in report.user_properties if name == "soak"]
        if told:
            terminalreporter.section("runs and their seeds")
            for text in told:
                terminalreporter.write_line(text)

    def pytest_report_header(self, config: pytest.Config) -> str | None:
        if "soak" not in (config.option.markexpr or "").replace("not soak", ""):
            return None
        given = config.getoption("seed")
        return f"soak: --seed {config.stash[FRESH] if given is None else given}"


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.register(Frame(), "soak")
    group = parser.getgroup("soak", "long runs: pytest -m soak")
    group.addoption("--seed", type=int, help="where chance begins; long runs draw one, and tell it, without this")
    group.addoption("--soak-seconds", type=float, default=SOAK_S, help="after which a long run begins no new round")
    for name, what in COUNTS.items():
        group.addoption(f"--{name}", type=int, help=f"how many: {what}")


@pytest.fixture(params=["suite", pytest.param("soak", marks=pytest.mark.soak)])
def extent(request: pytest.FixtureRequest) -> Extent:
    """How much to do: little in the suite, more in a long run."""
    extent = Extent(request, long=request.param == "soak")
    request.node.stash[ENDING] = extent
    return extent
