"""What the simulator acknowledged outlives its process, and the distribution is found by its entry points."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shoutgraph.plugins.loading import Setup, load, simulators
from shoutgraph.plugins.statuses import State
from shoutgraph.sdk import SimulatorSetup
from shoutgraph_sandbox.simulator.app import build
from shoutgraph_sandbox.simulator.store import Store

FOLDER = Path(__file__).parents[1]
API_KEY = "the-key-of-another-process"
SECRET = "whsec_c29tZSBzZWNyZXQgb2YgYW5vdGhlciBwcm9jZXNz"

PROGRAM = """
    import sys, time, datetime, pathlib, socket, uvicorn
    from pydantic import SecretStr
    from shoutgraph.sdk import SimulatorSetup
    from shoutgraph_sandbox.simulator.app import build

    listener, state = socket.socket(fileno=int(sys.argv[1])), pathlib.Path(sys.argv[2])
    setup = SimulatorSetup(
        base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", state_path=state, webhook_base_url=sys.argv[3],
        webhook_secret=SecretStr(sys.argv[4]), api_key=SecretStr(sys.argv[5]),
        clock=lambda: datetime.datetime.fromtimestamp(time.time(), datetime.UTC),
    )
    uvicorn.Server(uvicorn.Config(build(setup), log_level="critical")).run(sockets=[listener])
"""


class Program:
    """A simulator in a process of its own, at a socket of ours: while it is dead, who connects waits."""

    def __init__(self, listener: socket.socket, state: Path, webhooks: str) -> None:
        self.listener, self.port = listener, listener.getsockname()[1]
        self.state, self.webhooks = state, webhooks
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = [str(self.listener.fileno()), str(self.state), self.webhooks, SECRET, API_KEY]
        program = textwrap.dedent(PROGRAM)
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, "-c", program, *arguments]
        self.process = subprocess.Popen(command, env=environ, pass_fds=[self.listener.fileno()])  # noqa: S603
        self.ask("GET", "/control/payments")

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)

    def ask(self, method: str, path: str, body: object = None, key: str = "key_1") -> Any:
        headers = {"authorization": f"Bearer {API_KEY}", "idempotency-key": key}
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.request(method, url, json=body, headers=headers, verify=False, timeout=20).json()  # noqa: S501


def wanted(operation_id: str, minor: int) -> dict[str, object]:
    return {
        "instance": "sandbox",
        "operation_id": operation_id,
        "amount": minor,
        "currency": "EUR",
        "customer_ref": "user_1",
        "locale": "de",
        "descriptor": "Coins",
        "return_url": "https://shop.test/back",
        "cancel_url": "https://shop.test/cancel",
    }


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Program(listener, tmp_path / "folder" / "state.db", "http://127.0.0.1:9")
        yield made
        made.kill()


def test_nothing_that_was_acknowledged_is_lost_when_the_process_is_killed(served: Any, program: Program) -> None:
    program.start()
    made = [program.ask("POST", "/v1/payments", wanted(f"op_{at}", 10_000), f"key_{at}") for at in range(20)]
    program.ask("POST", f"/control/payments/{made[0]['id']}/pay", {})
    program.kill()
    program.webhooks = served.url
    program.start()
    kept = program.ask("GET", "/control/payments")["payments"]
    assert [each["id"] for each in kept] == [each["id"] for each in made]
    assert [each["status"] for each in kept][:2] == ["paid", "action_required"]
    again = program.ask("POST", "/v1/payments", wanted("op_3", 10_000), "key_3")
    assert again["id"] == made[3]["id"]
    # The webhook that could not be delivered before is delivered by the new process.
    program.ask("POST", "/control/advance", {"seconds": 120})
    until = time.monotonic() + 5
    bodies: list[Any] = []
    while time.monotonic() < until and not bodies:
        bodies = [json.loads(raw.body) for _, raw in served.received if made[0]["id"].encode() in raw.body]
        time.sleep(0.02)
    assert bodies[0]["payment"]["status"] == "paid"


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The metadata that the build writes from pyproject.toml, ahead of any that is installed."""
    project: dict[str, Any] = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]
    info = tmp_path / "shoutgraph_sandbox-0.dist-info"
    info.mkdir()
    wants = "".join(f"Requires-Dist: {each}\n" for each in project["dependencies"])
    lines = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n{wants}"
    (info / "METADATA").write_text(lines)
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups))
    monkeypatch.syspath_prepend(str(tmp_path))
    return project


def test_the_distribution_is_active_by_its_own_entry_point(distribution: dict[str, Any]) -> None:
    setup = Setup(
        instances={},
        environ={},
        clock=lambda: datetime.fromtimestamp(0, UTC),
        monotonic=time.monotonic,
        host_version="0.1.0",
    )
    (status,) = [each for each in load(setup).plugins if each.name == "sandbox"]
    assert (status.state, status.version) == (State.ACTIVE, distribution["version"])
    assert status.keys == ("sandbox", "sandbox-payouts")


@pytest.mark.usefixtures("distribution")
def test_the_simulator_is_found_by_its_own_entry_point() -> None:
    assert simulators()["sandbox"] is build


def test_the_plugin_imports_no_web_framework_and_no_network() -> None:
    program = "import sys, shoutgraph_sandbox; print(*sys.modules)"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True, timeout=30
    )
    assert {"starlette", "httpx", "sqlite3", "uvicorn"}.isdisjoint(done.stdout.split())


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()

    async def opened() -> None:
        store = Store(path)
        try:
            await store.run(lambda db: db.execute("SELECT 1"))
        finally:
            await store.aclose()

    with pytest.raises(RuntimeError, match="another version"):
        asyncio.run(opened())


def test_simulators_that_share_a_file_tell_each_notice_once(tmp_path: Path) -> None:
    told: list[bytes] = []

    async def hook(request: Request) -> Response:
        told.append(await request.body())
        await asyncio.sleep(0.05)
        return Response(status_code=204)

    async def live() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = Starlette(routes=[Route("/hooks/{instance}", hook, methods=["POST"])])
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        setup = SimulatorSetup(
            base_url="http://127.0.0.1:1",
            state_path=tmp_path / "sandbox.db",
            webhook_base_url=address,
            webhook_secret=SecretStr(SECRET),
            clock=lambda: datetime.fromtimestamp(time.time(), UTC),
        )
        simulators = [build(setup) for _ in range(4)]
        await asyncio.gather(*(each.start() for each in simulators))
        doors = [httpx.AsyncClient(transport=httpx.ASGITransport(each), base_url=address) for each in simulators]
        for at in range(12):
            made = await doors[at % 4].post(
                "/v1/payments", json=wanted(f"op_{at}", 10_000), headers={"idempotency-key": f"key_{at}"}
            )
            assert made.status_code == 201, made.text
            paid = await doors[-at % 4].post(f"/control/payments/{made.json()['id']}/pay", json={})
            assert paid.status_code == 200, paid.text
        states = {"pending"}
        while "pending" in states:
            listed = (await doors[0].get("/control/notices")).json()["notices"]
            states = {each["state"] for each in listed}
            await asyncio.sleep(0.05)
        assert states == {"delivered"}
        assert sorted(json.loads(body)["id"] for body in told) == sorted(each["id"] for each in listed)
        for each in (*doors, *simulators):
            await each.aclose()
        server.should_exit = True
        await serving

    asyncio.run(live())
