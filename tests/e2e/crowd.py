"""What a crowd does at once: places orders under keys of its own, moves them on, and remembers what it was told."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.market import BRIEF, PRICE, Market
from tests.e2e.wire import LostError, Wire

REFUSAL = "errors { __typename ... on UserError { code message path } }"
PLACE = f"""mutation Place($input: OrderPlaceInput!) {{ orderPlace(input: $input) {{
  order {{ id revision status price }} replayed {REFUSAL} }} }}"""
MOVE = """mutation Move($input: %sInput!) { %s(input: $input) { order { id revision status } replayed %s } }"""


def new_key() -> str:
    """A fresh idempotency key."""
    return str(uuid.uuid1())


def wish(offer_id: str, key: str, price: int = PRICE) -> dict[str, Any]:
    """The input of orderPlace."""
    return {"idempotencyKey": key, "offerId": offer_id, "expectedPrice": str(price), "brief": BRIEF}


def move(mutation: str) -> str:
    """The document of one of an order's moves."""
    return MOVE % (mutation[0].upper() + mutation[1:], mutation, REFUSAL)


@dataclass
class Ledger:
    """What the crowd was told: the order of each key that was answered, and the keys whose answer never came."""

    told: dict[str, str] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    """Key to offer."""


@dataclass
class Crowd:
    """Clients that place orders at one server for as long as it lives."""

    market: Market
    port: int
    books: Ledger = field(default_factory=Ledger)

    async def place(self, clients: int) -> None:
        """Places orders with so many clients at once; each stops at its first lost answer."""
        token = self.market.token(self.market.rich_id)
        offers = [seller.offer_id for seller in self.market.sellers]

        async def client(at: int) -> None:
            with Wire(self.port, token) as wire:
                turn = at
                while await self._place(wire, new_key(), offers[turn % len(offers)]):
                    turn += clients

        await asyncio.gather(*(client(at) for at in range(clients)))

    async def _place(self, wire: Wire, key: str, offer_id: str) -> bool:
        self.books.open[key] = offer_id
        try:
            data = await wire.once(PLACE, input=wish(offer_id, key))
        except LostError:
            return False
        payload = data["orderPlace"]
        assert payload["errors"] == [], payload
        assert not payload["replayed"], "a fresh key was never used before"
        self.books.told[key] = payload["order"]["id"]
        del self.books.open[key]
        return True

    async def place_again(self) -> dict[str, bool]:
        """Sends every key again whose answer never came; gives which of them had been carried out."""
        token = self.market.token(self.market.rich_id)
        with Wire(self.port, token) as wire:
            replayed = {}
            for key, offer_id in list(self.books.open.items()):
                data, _ = await wire.sure(PLACE, input=wish(offer_id, key))
                assert data["orderPlace"]["errors"] == [], data
                replayed[key] = data["orderPlace"]["replayed"]
                self.books.told[key] = data["orderPlace"]["order"]["id"]
                del self.books.open[key]
        return replayed


async def live(market: Market, port: int, at: int, going: Callable[[], bool]) -> int:
    """Takes orders through their first days, whatever happens to the server; gives how many."""
    seller = market.sellers[at % len(market.sellers)]
    fan, creator, moderator = (
        Wire(port, market.token(subject, role))
        for subject, role in ((market.rich_id, "user"), (seller.user_id, "user"), ("desk", "moderator"))
    )
    lives = 0
    with fan, creator, moderator:
        while going():
            order = (await _sure(fan, PLACE, wish(seller.offer_id, new_key())))["order"]
            order = await _move(moderator, "orderScreenPass", order)
            if lives % 3 == 0:
                order = await _move(fan, "orderCancel", order)
            else:
                order = await _move(creator, "orderDecline", order, reason="BUSY")
            lives += 1
    return lives


async def _move(wire: Wire, mutation: str, order: dict[str, Any], **more: object) -> dict[str, Any]:
    given = {"idempotencyKey": new_key(), "orderId": order["id"], "expectedRevision": order["revision"], **more}
    moved: dict[str, Any] = (await _sure(wire, move(mutation), given))["order"]
    assert moved["revision"] == order["revision"] + 1, moved
    return moved


async def _sure(wire: Wire, document: str, given: dict[str, Any]) -> dict[str, Any]:
    data, again = await wire.sure(document, input=given)
    (payload,) = data.values()
    assert payload["errors"] == [], payload
    assert again or not payload["replayed"], "only what was sent twice is a repeat"
    found: dict[str, Any] = payload
    return found
