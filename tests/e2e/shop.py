"""A server that nobody should be able to move, and how its refusals are read."""

from dataclasses import dataclass
from typing import Any

import httpx
from tests.api.harness import Client
from tests.e2e import journal
from tests.e2e.market import Market
from tests.e2e.processes import Server


@dataclass(frozen=True)
class Shop:
    """A server that nobody should be able to move, with one order in it."""

    server: Server
    market: Market
    fan: Client
    tool: Client
    order_id: str

    def head(self) -> list[tuple[int, str, str]]:
        """What people did; the jobs write lines of their own."""
        return [line for line in journal.stored(self.market.database) if line[2].startswith("order_")]

    def send(self, body: bytes, **headers: str) -> httpx.Response:
        """Sends a body as it is."""
        accept = {"content-type": "application/json", "accept": "application/graphql-response+json"}
        return self.fan.http.post("/graphql", content=body, headers=accept | headers)


def refusal(response: httpx.Response) -> str:
    """The code of a request that was refused as a whole."""
    body = response.json()
    assert 400 <= response.status_code < 500, body
    assert "data" not in body
    return code_of(body)


def code_of(body: dict[str, Any]) -> str:
    extensions = body["errors"][0]["extensions"]
    assert extensions["requestId"]
    assert "Traceback" not in body["errors"][0]["message"]
    return str(extensions["code"])
