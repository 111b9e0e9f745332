"""A machine whose clock has jumped: expiry waits, money goes on, it is said where people look, and a person agrees."""

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
from tests.api.harness import Client
from tests.e2e.crowd import PLACE, new_key, wish
from tests.e2e.market import Market
from tests.e2e.processes import LOOK_S, PATIENCE_S, Nursery, wait_healthy

from shoutgraph.cli.demo.server import free_port
from shoutgraph.domain.jumps import Moment
from shoutgraph.files.agreed_time import AgreedTime, counted

HOUR = timedelta(hours=1)


def jump(market: Market) -> None:
    """An hour ago by the wall clock was a moment ago by what the machine counted."""
    AgreedTime(market.folder).write(Moment(datetime.now(UTC) - HOUR, counted()))  # noqa: TID251 - the real clock's


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(LOOK_S)


def test_a_server_goes_on_and_lets_nothing_expire_until_somebody_agrees(nursery: Nursery, market: Market):
    jump(market)
    port, log = free_port(), market.folder / "server.log"
    pid = nursery.start("serve", "--port", port, "--data-dir", market.folder, log=log)
    wait_healthy(f"http://127.0.0.1:{port}", log)
    wait_until(lambda: "the time has jumped ahead by" in log.read_text())
    fan = Client(f"http://127.0.0.1:{port}", market.token(market.rich_id))
    assert fan.http.get("/health/ready").status_code == 200
    assert fan.data(PLACE, input=wish(market.sellers[0].offer_id, new_key()))["orderPlace"]["errors"] == []
    code, said = nursery.run("clock", "show", "--data-dir", market.folder, log=market.folder / "clock.log")
    assert (code, "nothing expires meanwhile" in said) == (1, True), said
    code, said = nursery.run("clock", "accept", "--data-dir", market.folder, log=market.folder / "clock.log")
    assert (code, "is the time" in said) == (0, True), said
    wait_until(lambda: "the time is believed again" in log.read_text())
    code, said = nursery.run("clock", "show", "--data-dir", market.folder, log=market.folder / "clock.log")
    assert (code, "It is believed." in said) == (0, True), said
    fan.close()
    os.kill(pid, signal.SIGTERM)
    assert nursery.wait(pid) == 0, log.read_text()


def test_a_process_of_jobs_is_not_ready_while_half_of_them_wait(nursery: Nursery, market: Market):
    jump(market)
    port, log = free_port(), market.folder / "work.log"
    seen = free_port()
    told = {"SHOUTGRAPH_METRICS_PORT": str(seen)}
    pid = nursery.start("work", "--health-port", port, "--data-dir", market.folder, log=log, **told)
    wait_healthy(f"http://127.0.0.1:{port}", log)
    rounds = httpx.get(f"http://127.0.0.1:{seen}/metrics", timeout=PATIENCE_S).text
    assert 'shoutgraph_job_seconds_count{job="deadlines",' in rounds
    ready = f"http://127.0.0.1:{port}/health/ready"
    answer = httpx.get(ready, timeout=PATIENCE_S)
    assert answer.status_code == 503
    assert [reason["check"] for reason in answer.json()["reasons"]] == ["clock"]
    code, said = nursery.run("clock", "accept", "--data-dir", market.folder, log=market.folder / "clock.log")
    assert code == 0, said
    wait_until(lambda: httpx.get(ready, timeout=PATIENCE_S).status_code == 200)
    os.kill(pid, signal.SIGTERM)
    assert nursery.wait(pid) == 0, log.read_text()
