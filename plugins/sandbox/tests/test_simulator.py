"""The simulator as a provider's API: what it refuses, and that it can be served alone."""

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import SecretStr

from shoutgraph.sdk import BadSignature, SimulatorSetup
from shoutgraph_sandbox.simulator.app import Sandbox, build
from shoutgraph_sandbox.simulator.rules import Rules

pytestmark = pytest.mark.anyio

WEBHOOKS = "whsec_c29tZSBzZWNyZXQgb2YgYW5vdGhlciBwcm9jZXNz"

PAYMENT = {
    "instance": "sandbox",
    "operation_id": "op_of_the_simulator",
    "amount": 10_000,
    "currency": "EUR",
    "customer_ref": "user_1",
    "locale": "de",
    "descriptor": "Coins",
    "return_url": "https://shop.test/back",
    "cancel_url": "https://shop.test/cancel",
}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"amount": 0}, 422),
        ({"amount": -5}, 422),
        ({"amount": "10"}, 422),
        ({"amount": 1.5}, 422),
        ({"currency": "eur"}, 422),
        ({"instance": "../hooks"}, 422),
        ({"return_url": "javascript:alert(1)"}, 422),
        ({"surprise": 1}, 422),
        ({"descriptor": "x" * 300_000}, 413),
    ],
)
async def test_a_payment_that_makes_no_sense_is_refused(world: Any, change: dict[str, object], status: int) -> None:
    headers = {"authorization": "Bearer sandbox-key-of-the-tests", "idempotency-key": f"odd_{world.serial}"}
    url = f"{world.served.url}/sandbox/v1/payments"
    answer = await world.fan.post(url, json={**PAYMENT, **change}, headers=headers)
    assert answer.status_code == status
    found = await world.fan.get(f"{url}/by-key?instance=sandbox&key=odd_{world.serial}", headers=headers)
    assert (found.status_code, found.json()) == (404, {"error": {"code": "not_found"}})


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_a_payment_without_a_sound_key_is_refused(world: Any, key: str) -> None:
    headers = {"authorization": "Bearer sandbox-key-of-the-tests", "idempotency-key": key}
    url = f"{world.served.url}/sandbox/v1/payments"
    assert (await world.fan.post(url, json=PAYMENT, headers=headers)).status_code == 422


async def test_a_list_since_no_time_is_refused(world: Any) -> None:
    headers = {"authorization": "Bearer sandbox-key-of-the-tests"}
    for what in ("payments", "payouts"):
        url = f"{world.served.url}/sandbox/v1/{what}?since=yesterday"
        assert (await world.fan.get(url, headers=headers)).status_code == 422


async def test_what_was_all_refunded_is_not_disputed_any_more(world: Any) -> None:
    outcome = await world.topups.create(world.request(1007))
    await world.control(f"payments/{outcome.ref}/pay", {})
    await world.control(f"payments/{outcome.ref}/refund", {})
    await world.control("advance", {"seconds": 600})
    seen = await world.topups.fetch(world.target(outcome.ref), world.call())
    assert (seen.totals.refunded.minor, seen.totals.disputed.minor) == (1007, 0)
    assert await world.control(f"payments/{outcome.ref}/dispute", {"outcome": "won"}) == 409


async def test_nobody_can_be_controlled_who_is_not_there(world: Any) -> None:
    assert await world.control("payments/nobody/pay", {}) == 404
    assert await world.control("payouts/nobody/pay", {}) == 404
    assert await world.control("notices/nobody/replay", {}) == 404
    assert await world.control("advance", {"seconds": -1}) == 422


async def test_a_refund_in_another_currency_is_refused(world: Any) -> None:
    outcome = await world.topups.create(world.request(10_000))
    await world.control(f"payments/{outcome.ref}/pay", {})
    headers = {"authorization": "Bearer sandbox-key-of-the-tests", "idempotency-key": "refund"}
    url = f"{world.served.url}/sandbox/v1/payments/{outcome.ref}/refunds"
    answer = await world.fan.post(url, json={"amount": 1, "currency": "USD"}, headers=headers)
    assert answer.json() == {"error": {"code": "wrong_currency"}}


async def test_declining_what_is_paid_is_refused(world: Any) -> None:
    outcome = await world.topups.create(world.request(10_000))
    await world.control(f"payments/{outcome.ref}/pay", {})
    assert await world.control(f"payments/{outcome.ref}/decline", {}) == 409


def setup_at(path: Path, secret: str = WEBHOOKS) -> SimulatorSetup:
    return SimulatorSetup(
        base_url="http://127.0.0.1:1/",
        state_path=path / "state.db",
        webhook_base_url="http://127.0.0.1:9",
        webhook_secret=SecretStr(secret),
        clock=lambda: datetime.fromtimestamp(time.time(), UTC),
    )


def test_a_webhook_secret_that_is_none_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadSignature):
        build(setup_at(tmp_path, "not base64"))


def test_served_alone_it_lets_things_happen_by_themselves(tmp_path: Path) -> None:
    # Without a key, and with nobody who takes its webhooks.
    simulator = Sandbox(setup_at(tmp_path), Rules("http://127.0.0.1:1", delay=timedelta(milliseconds=50)))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(simulator, lifespan="on", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        with httpx.Client(base_url=url, headers={"idempotency-key": "key"}) as client:
            ref = client.post("/v1/payments", json={**PAYMENT, "amount": 1003}).json()["id"]
            until = time.monotonic() + 5
            status = ""
            while status != "paid" and time.monotonic() < until:
                status = client.get(f"/v1/payments/{ref}").json()["status"]
                time.sleep(0.02)
            notices = client.get("/control/notices").json()["notices"]
        server.should_exit = True
        thread.join(5)
    assert status == "paid"
    assert [each["state"] for each in notices] == ["pending"]
    assert not thread.is_alive()
