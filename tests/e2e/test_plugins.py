"""Plugins as an operator sees them: real distributions in a folder, real processes, real configuration."""

import re
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.api.harness import Client
from tests.e2e import drill
from tests.e2e.market import Market
from tests.e2e.processes import PATIENCE_S, Nursery, Server, run

SECRET = "a-secret-nobody-may-see"
CONFIG = """
[providers.one]
plugin = "fine"
api_key = { env = "ONE_KEY" }

[providers.two]
plugin = "fine"
api_key = { env = "TWO_KEY" }

[providers.three]
plugin = "poor"
api_key = "written down"

[providers.four]
plugin = "off"

[[topup.routes]]
use = [{ id = "one" }, { id = "four" }]
"""
FINE = """
from tests.plugins.written import topup_plugin
from shoutgraph.sdk import hookimpl

@hookimpl
def shoutgraph_topup_plugins():
    return [topup_plugin(key="{key}")]
"""
SOURCES = {
    "fine": FINE.format(key="fine"),
    "poor": FINE.format(key="poor"),
    "off": "raise SystemExit('imported')",
    "older": "raise SystemExit('imported')",
    "torn": "import no_such_module",
    "wrong": "from shoutgraph.sdk import hookimpl\n@hookimpl\ndef shoutgraph_topup_plugins(): return ['stripe']",
}
STATES = {
    "fine": "active",
    "poor": "misconfigured",
    "off": "disabled",
    "older": "incompatible",
    "torn": "import_error",
    "wrong": "invalid",
}


Plugins = Callable[..., tuple[int, str]]
"""Runs `shoutgraph plugins` in a place; gives its exit code and what it said."""


@pytest.fixture
def plugins(nursery: Nursery, place: dict[str, str], tmp_path: Path) -> Plugins:
    def ran(*arguments: str, **more: str) -> tuple[int, str]:
        return nursery.run("plugins", *arguments, log=tmp_path / "said", **place, **more)

    return ran


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """The environment of a deployment in which all these plugins are installed."""
    site = tmp_path / "site"
    for name, source in SOURCES.items():
        info = site / f"{name}_plugin-1.2.3.dist-info"
        info.mkdir(parents=True)
        (site / f"{name}_plugin.py").write_text(textwrap.dedent(source))
        wanted = "shoutgraph<0.1" if name == "older" else "shoutgraph>=0.1,<0.2"
        lines = ("Metadata-Version: 2.1", f"Name: {name}-plugin", "Version: 1.2.3", f"Requires-Dist: {wanted}", "")
        (info / "METADATA").write_text("\n".join(lines))
        (info / "entry_points.txt").write_text(f"[shoutgraph]\n{name} = {name}_plugin\n")
    (tmp_path / "shoutgraph.toml").write_text(CONFIG)
    return {
        "PYTHONPATH": str(site),
        "SHOUTGRAPH_CONFIG": str(tmp_path / "shoutgraph.toml"),
        "SHOUTGRAPH_DATA_DIR": str(tmp_path / "data"),
        "ONE_KEY": SECRET,
        "TWO_KEY": SECRET,
    }


def test_each_plugin_has_its_status_and_only_those_that_work_are_used(place: dict[str, str], plugins: Plugins):
    assert plugins("disable", "off")[0] == 0
    listed = run("plugins", "list", **place)
    assert listed.returncode == 0, listed.stderr
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in listed.stdout.splitlines() if "│" in line]
    states = {row[0]: row[4] for row in rows if row[0] in STATES}
    assert states == STATES
    assert {row[0]: row[2] for row in rows if row[0] in {"one", "two", "three", "four"}} == {
        "one": "active",
        "two": "active",
        "three": "misconfigured",
        "four": "missing",
    }
    code, told = plugins("doctor", "--offline")
    assert code == 1
    for sentence in (
        "older: is incompatible: it needs shoutgraph <0.1, and this is",
        "torn: is import_error: ModuleNotFoundError",
        "wrong: is invalid: expected a TopUpPlugin, not str",
        "three: is misconfigured: api_key: a secret is a reference",
        "four: a route names it, and it takes no money",
    ):
        assert sentence in told
    assert SECRET not in told + listed.stdout + listed.stderr
    code, told = plugins("list", SHOUTGRAPH_PLUGINS_STRICT="1")
    assert (code, "Traceback" in told) == (1, False)


def test_a_plugin_is_shown_with_its_promises_its_fields_and_its_instances(plugins: Plugins):
    code, shown = plugins("show", "fine")
    assert code == 0, shown
    for pattern in (r"refunds +│ partial", r"api_key +│ Api Key +│ secret +│ yes", r"one +│ active", r"two +│ active"):
        assert re.search(pattern, shown), pattern
    assert plugins("show", "nobody")[0] == 1


def test_a_switch_lasts_and_can_be_turned_back(place: dict[str, str], plugins: Plugins):
    assert plugins("disable", "fine")[0] == 0
    assert re.search(r"fine +│ fine-plugin +│ 1.2.3 +│ +│ disabled", plugins("list")[1])
    assert plugins("enable", "fine")[0] == 0
    assert re.search(r"fine +│ fine-plugin +│ 1.2.3 +│ fine +│ active", plugins("list")[1])
    assert plugins("disable", "nobody")[0] == 1
    switches = Path(place["SHOUTGRAPH_DATA_DIR"]) / "disabled-plugins.json"
    switches.write_text("{")
    code, broken = plugins("list")
    assert (code, "Traceback" in broken) == (1, False), broken


def test_no_process_is_ready_while_money_is_in_flight_with_a_plugin_that_is_off(
    nursery: Nursery, market: Market, tmp_path: Path
):
    log, server = tmp_path / "log", Server(nursery, market.folder)
    assert nursery.run("prices", "load", drill.PRICES, "--data-dir", market.folder, log=log)[0] == 0, log.read_text()
    _buy(server.start(), market)
    assert _ready(server, 200) == {"status": "ready"}
    assert server.stop() == 0
    code, told = nursery.run("plugins", "disable", "sandbox", "--data-dir", market.folder, log=log)
    assert (code, "money is in flight with sandbox" in told) == (1, True), told
    code, told = nursery.run("plugins", "disable", "sandbox", "--force", "--data-dir", market.folder, log=log)
    assert code == 0, told
    answer = _ready(server.start(), 503)
    assert "money is in flight with instances whose plugin is missing" in str(answer)
    assert server.stop() == 0
    assert nursery.run("plugins", "enable", "sandbox", "--data-dir", market.folder, log=log)[0] == 0
    assert _ready(server.start(), 200) == {"status": "ready"}
    assert server.stop() == 0


def _buy(server: Server, market: Market) -> None:
    fan = Client(server.url, market.token(market.rich_id))
    drill.buy(fan)
    fan.close()


def _ready(server: Server, status: int) -> object:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = httpx.get(f"{server.url}/health/ready", timeout=PATIENCE_S)
        if answer.status_code == status or time.monotonic() > deadline:
            assert answer.status_code == status, answer.text
            return answer.json()
        time.sleep(0.05)
