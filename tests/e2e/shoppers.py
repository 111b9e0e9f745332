"""Fans who shop at several servers: whatever becomes of one, they ask the next under the same key, and keep books."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.e2e.crowd import PLACE, move, new_key, wish
from tests.e2e.fleet import Fleet
from tests.e2e.wire import LostError, Wire

AGAIN_S: Final = 0.05
LOOK_S: Final = 0.005
ANSWER_S: Final = 15.0
"""How long a fan waits for an answer before asking elsewhere; a server answers within its own ten seconds."""
GIVE_UP_S: Final = 120.0
PASSING: Final = frozenset({"UNAVAILABLE", "OVERLOADED", "DEADLINE_EXCEEDED"})
"""What a client may be told that asks again."""


class Anywhere:
    """A client of several servers. `said` counts what it was told in place of an answer."""

    def __init__(self, ports: Sequence[int], token: str, chance: random.Random, *, answer_s: float = ANSWER_S) -> None:
        self._wires = [Wire(port, token) for port in ports]
        self._chance = chance
        self._answer_s = answer_s
        self.said: Final = Counter[str]()

    async def sure(self, document: str, given: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """The payload of a mutation, asked for until it comes, and the number of the server that gave it."""
        place = self._chance.randrange(len(self._wires))
        until, asked = time.monotonic() + GIVE_UP_S, 0
        while time.monotonic() < until:
            asked += 1
            payload = await self._try(self._wires[place], document, given)
            if payload is not None:
                assert asked > 1 or not payload.get("replayed"), "only what was sent twice is a repeat"
                return payload, place
            await asyncio.sleep(AGAIN_S)
            place = (place + 1) % len(self._wires)
        raise AssertionError(f"no answer within {GIVE_UP_S} s: {self.said}")

    async def _try(self, wire: Wire, document: str, given: dict[str, Any]) -> dict[str, Any] | None:
        try:
            async with asyncio.timeout(self._answer_s):
                status, answer = await wire.ask(document, input=given)
        except LostError as error:
            self.said["refused" if isinstance(error.__cause__, ConnectionRefusedError) else "lost"] += 1
            return None
        except TimeoutError:
            wire.close()
            self.said["late"] += 1
            return None
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        if codes:
            assert set(codes) <= PASSING, answer
            assert status in {200, 503}, answer
            self.said[codes[0]] += 1
            return None
        (payload,) = answer["data"].values()
        found: dict[str, Any] = payload
        return found

    def close(self) -> None:
        for wire in self._wires:
            wire.close()


@dataclass
class Books:
    """What fans were told: the order of each key, and which of the orders they cancelled."""

    told: dict[str, str] = field(default_factory=dict)
    wishes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The fan and the offer of each key."""
    cancelled: set[str] = field(default_factory=set)
    servers: dict[tuple[str, int], int] = field(default_factory=dict)
    """Which server carried out the change of an order to a revision, unless that is not known."""
    replayed: int = 0
    said: Counter[str] = field(default_factory=Counter)
    longest_s: float = 0.0
    """The longest that anybody waited for an answer, over all who were asked."""


@dataclass
class Shoppers:
    """Many fans at once; each places orders and cancels some of them, everything at any of the servers."""

    fleet: Fleet
    chance: random.Random
    books: Books = field(default_factory=Books)
    cancels: float = 0.5
    rest_s: float = 0.0
    answer_s: float = ANSWER_S

    async def shop(self, fans: int, going: Callable[[], bool]) -> None:
        """Shops with so many fans at once for as long as it goes on."""
        async with asyncio.TaskGroup() as group:
            for at in range(fans):
                group.create_task(self._shop(at, going))

    async def go_on(self, orders: int) -> None:
        """Waits until so many more orders were placed."""
        wanted, until = len(self.books.told) + orders, time.monotonic() + GIVE_UP_S
        while len(self.books.told) < wanted:
            if time.monotonic() > until:
                raise AssertionError(f"nobody places orders any more: {await asyncio.to_thread(self.fleet.activity)}")
            await asyncio.sleep(LOOK_S)

    async def _shop(self, at: int, going: Callable[[], bool]) -> None:
        market = self.fleet.market
        fan_id = market.fan_ids[at % len(market.fan_ids)]
        fan = Anywhere(self.fleet.ports, market.token(fan_id), self.chance, answer_s=self.answer_s)
        try:
            while going():
                key = new_key()
                self.books.wishes[key] = (fan_id, self.chance.choice(market.sellers).offer_id)
                await self._live(fan, key)
                await asyncio.sleep(self.chance.uniform(0.5, 1.5) * self.rest_s)
        finally:
            self.books.said.update(fan.said)
            fan.close()

    async def _live(self, fan: Anywhere, key: str) -> None:
        order = await self._do(fan, PLACE, wish(self.books.wishes[key][1], key))
        assert (order["status"], order["revision"]) == ("SCREENING", 1), order
        self.books.told[key] = order["id"]
        if self.chance.random() < self.cancels:
            given = {"idempotencyKey": new_key(), "orderId": order["id"], "expectedRevision": order["revision"]}
            order = await self._do(fan, move("orderCancel"), given)
            assert (order["status"], order["revision"]) == ("CANCELLED", 2), order
            self.books.cancelled.add(order["id"])

    async def _do(self, fan: Anywhere, document: str, given: dict[str, Any]) -> dict[str, Any]:
        began = time.monotonic()
        payload, server = await fan.sure(document, given)
        assert payload["errors"] == [], payload
        self.books.longest_s = max(self.books.longest_s, time.monotonic() - began)
        self.books.replayed += payload["replayed"]
        found: dict[str, Any] = payload["order"]
        if not payload["replayed"]:
            self.books.servers[found["id"], found["revision"]] = server
        return found


async def check_repeats(fleet: Fleet, books: Books, chance: random.Random, count: int) -> None:
    """Asks under so many keys again, at any of the servers: each gives the order of its first answer."""
    for key in chance.sample(sorted(books.told), min(count, len(books.told))):
        fan_id, offer_id = books.wishes[key]
        with Wire(chance.choice(fleet.ports), fleet.market.token(fan_id)) as wire:
            payload = (await wire.once(PLACE, input=wish(offer_id, key)))["orderPlace"]
        assert (payload["errors"], payload["replayed"]) == ([], True), payload
        assert payload["order"]["id"] == books.told[key], "the same key, the same order"


def check_books(fleet: Fleet, books: Books) -> list[dict[str, Any]]:
    """Compares what fans were told with the database: no order is lost, doubled or half placed. Gives the journal."""
    lines = fleet.journal()
    told = list(books.told.values())
    assert len(set(told)) == len(told), "each key has an order of its own"
    stored = dict(fleet.ask("SELECT id, state FROM orders"))
    assert stored.keys() == set(told), "every acknowledged order is there, and none was placed beside"
    assert {each for each, state in stored.items() if state == "CANCELLED"} == books.cancelled
    lives: dict[str, list[str]] = {}
    for line in lines:
        if line["topic"] in stored:
            assert line["body"]["revision"] == len(lives.setdefault(line["topic"], [])) + 1, "no revision is missing"
            lives[line["topic"]].append(line["body"]["status"])
    for order_id, states in lives.items():
        assert states == ["SCREENING", "CANCELLED"][: 1 + (order_id in books.cancelled)], order_id
    assert lives.keys() == stored.keys(), "every order has the event of its placing"
    assert fleet.prove() == len(told)
    return lines
