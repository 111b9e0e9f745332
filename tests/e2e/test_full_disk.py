"""A server whose disk is full: it takes nothing that it cannot keep, and goes on where it was once there is room."""

import resource
from collections.abc import Sequence
from typing import Any

from tests.api.harness import Client
from tests.e2e.crowd import PLACE, new_key, wish
from tests.e2e.market import PRICE, Market
from tests.e2e.processes import Nursery, Server

ORDERS = "{ orders(role: FAN, first: 100) { nodes { id price } } }"
BEFORE = 3
MEANWHILE_MAX = 20


class Quiet(Server):
    """A server without jobs, whose commits that change nothing succeed on any disk."""

    @property
    def arguments(self) -> Sequence[object]:
        return (*super().arguments, "--no-jobs")


def place(fan: Client, market: Market, key: str) -> dict[str, Any] | None:
    """What a client is told of its order; None if it is told that something broke."""
    body = fan.post(PLACE, input=wish(market.sellers[0].offer_id, key)).json()
    payload: dict[str, Any] | None = body["data"]["orderPlace"]
    if payload is None:
        assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAVAILABLE"], body
    else:
        assert payload["errors"] == [], body
    return payload


def allow(pid: int, size: int) -> None:
    """How long each file of a process may become: a full disk, made by the kernel."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def place_until_closed(fan: Client, market: Market, server: Server) -> dict[str, str | None]:
    """Places orders while the disk fills up: each key, and the order that its client was told of."""
    told: dict[str, str | None] = {}
    assert server.pid is not None
    while "writing is closed" not in server.log.read_text():
        if len(told) == BEFORE:
            allow(server.pid, market.database.with_name("shoutgraph.db-wal").stat().st_size)
        assert len(told) < BEFORE + MEANWHILE_MAX, "a full disk closes the store"
        key = new_key()
        payload = place(fan, market, key)
        told[key] = payload["order"]["id"] if payload else None
    return told


def test_a_server_without_room_loses_no_order_and_places_none_by_half(nursery: Nursery, market: Market):
    server = Quiet(nursery, market.folder).start()
    fan = Client(server.url, market.token(market.rich_id))
    told = place_until_closed(fan, market, server)
    kept = {order_id for order_id in told.values() if order_id}
    assert len(kept) >= BEFORE
    assert {order["id"] for order in fan.data(ORDERS)["orders"]["nodes"]} == kept, "it reads on"
    assert fan.http.get("/health/ready").status_code == 503
    assert server.pid is not None
    allow(server.pid, resource.RLIM_INFINITY)
    assert place(fan, market, next(reversed(told))) is None, "room alone does not open it again"
    assert server.stop() == 0, server.log.read_text()

    server.start()
    again = {key: place(fan, market, key) for key in told}
    for key, payload in again.items():
        assert payload is not None
        assert payload["replayed"] == (told[key] is not None)
        assert told[key] in {None, payload["order"]["id"]}
    found = {order["id"]: order["price"] for order in fan.data(ORDERS)["orders"]["nodes"]}
    assert found == {payload["order"]["id"]: str(PRICE) for payload in again.values() if payload}
    assert nursery.prove(market.folder) == len(told)
    fan.close()
    assert server.stop() == 0, server.log.read_text()
