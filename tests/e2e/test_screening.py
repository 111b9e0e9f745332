"""A screening plugin in a real deployment: it passes and rejects what fans ask for, and a kill loses nothing."""

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.harness import Client
from tests.e2e import crowd
from tests.e2e.market import BRIEF, Market
from tests.e2e.processes import LOOK_S, PATIENCE_S, ROOT, Nursery, command, environment, wait_healthy

from shoutgraph.cli.demo.server import free_port

RULES = '[requests]\nlanguages = ["en"]\ndeny = ["badword"]\n'
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\nRequires-Dist: shoutgraph>=0.1,<0.2\n"
DEADLY = """
import os, pathlib, signal
from shoutgraph.sdk import Verdict, hookimpl

@hookimpl
def shoutgraph_screen(subject):
    flag = pathlib.Path(os.environ["DEADLY_FLAG"])
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Verdict.ALLOW
"""
ADVANCE = "mutation { testClockAdvance(input: {seconds: 660}) { now errors { ... on UserError { code } } } }"
STATUS = "query ($id: ID!) { node(id: $id) { ... on Order { status } } }"


def install(site: Path, name: str) -> None:
    info = site / f"{name}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(METADATA.format(name=name.replace("_", "-")))
    (info / "entry_points.txt").write_text(f"[shoutgraph]\n{name} = {name}\n")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Where the screening plugin is installed, and its rules."""
    site = tmp_path / "site"
    install(site, "shoutgraph_screening")
    shutil.copytree(ROOT / "plugins" / "screening" / "src", site, dirs_exist_ok=True)
    (tmp_path / "rules.toml").write_text(RULES)
    return site


def place(fan: Client, market: Market, at: int, words: str) -> str:
    wish = crowd.wish(market.sellers[at].offer_id, crowd.new_key())
    wish["brief"] = {**BRIEF, "instructions": words}
    order_id: str = fan.data(crowd.PLACE, input=wish)["orderPlace"]["order"]["id"]
    return order_id


def until(fan: Client, order_id: str, status: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (seen := fan.data(STATUS, id=order_id)["node"]["status"]) != status:
        assert time.monotonic() < deadline, seen
        time.sleep(LOOK_S)


@contextlib.contextmanager
def serving(market: Market, port: int, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server in an interpreter of its own, which finds what is installed for it."""
    log = market.folder / "server.log"
    arguments = command("serve", "--port", port, "--data-dir", market.folder, "--test-clock")
    with log.open("ab") as output:
        process = subprocess.Popen(arguments, env=environment() | env, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_healthy(f"http://127.0.0.1:{port}", log)
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def test_requests_are_passed_rejected_and_left(nursery: Nursery, market: Market, site: Path, tmp_path: Path):
    port = free_port()
    with serving(market, port, PYTHONPATH=str(site), SCREENING_RULES=str(tmp_path / "rules.toml")):
        fan = Client(f"http://127.0.0.1:{port}", market.token(market.rich_id))
        fine, wrong, doubtful = (
            place(fan, market, at, words)
            for at, words in enumerate(("Say hello to Ada.", "Say badword to Ada.", "Say b.a.d.w.o.r.d to Ada."))
        )
        until(fan, fine, "AWAITING_ACCEPTANCE")
        until(fan, wrong, "REJECTED")
        until(fan, doubtful, "SCREENING")
        fan.close()
    assert nursery.prove(market.folder) == 3


def test_a_look_that_killed_its_process_is_taken_again(nursery: Nursery, market: Market, tmp_path: Path):
    install(tmp_path / "site", "deadly")
    (tmp_path / "site" / "deadly.py").write_text(DEADLY)
    env = {"PYTHONPATH": str(tmp_path / "site"), "DEADLY_FLAG": str(tmp_path / "flag")}
    port = free_port()
    with serving(market, port, **env) as server:
        fan = Client(f"http://127.0.0.1:{port}", market.token(market.rich_id))
        order_id = place(fan, market, 0, "Say hello.")
        assert server.wait(PATIENCE_S) == -signal.SIGKILL
        fan.close()
    with serving(market, port, **env):
        fan, admin = (
            Client(f"http://127.0.0.1:{port}", market.token(subject, role))
            for subject, role in ((market.rich_id, "user"), ("desk", "admin"))
        )
        until(fan, order_id, "SCREENING")
        assert admin.data(ADVANCE)["testClockAdvance"]["errors"] == []
        until(fan, order_id, "AWAITING_ACCEPTANCE")
        fan.close()
        admin.close()
    assert nursery.prove(market.folder) == 1
