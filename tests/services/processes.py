"""Several processes on one PostgreSQL: each has a store of its own, so that they race in the database.

On SQLite there is one writer, and so one process in the place of all: its callers race for a place in the batch.
"""

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from tests.services.bank import TOPUPS, Bank, providers_of
from tests.services.world import BRIEF, Clock, World, new_id
from tests.storage import databases
from tests.storage.databases import Kind, Place

from shoutgraph.domain import errors
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.packages import Market, Platform, PriceList, RateEntry, UnitEntry
from shoutgraph.domain.requests import Request
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.files.links import Links
from shoutgraph.files.local import open_local_files
from shoutgraph.jobs import reconcile
from shoutgraph.services import packages as price_lists
from shoutgraph.services.notices import Inbox, Receipt
from shoutgraph.services.orders import deliver, moves, place, timers
from shoutgraph.services.orders.moves import Turn
from shoutgraph.services.orders.place import Wish as OrderWish
from shoutgraph.services.topups import create
from shoutgraph.services.topups.create import Wish as TopupWish
from shoutgraph.storage import topups
from shoutgraph.tools import Done, Tools

T = TypeVar("T")
COUNT: Final = 4
ANYWHERE: Final = Market("ZZ", "EUR", Platform.WEB)
PRICES: Final = PriceList((RateEntry("EUR", "EUR", 100, 1),), (), (UnitEntry(ANYWHERE, 1, 1, 1, 1_000_000),))
DAWDLE_S: Final = 0.002
FAULTS: Final = (errors.FaultError, AssertionError)

Call = Callable[[Tools], Awaitable[T]]
"""What one process does."""


class Dawdling:
    """Makes ids slowly: units of work make them between looking and writing, so that others come between."""

    def __init__(self) -> None:
        self.longest_s = DAWDLE_S
        self._chance = random.Random(1)  # noqa: S311 - no secret
        self._alone = threading.Lock()

    def __call__(self, prefix: str) -> str:
        if self.longest_s:
            with self._alone:
                pause = self._chance.uniform(0, self.longest_s)
            time.sleep(pause)
        return new_id(prefix)


@dataclass
class Processes:
    """Four processes, a world whose people act through the first of them, and a bank."""

    world: World
    each: Sequence[Tools]
    bank: Bank

    def at_once(self, *calls: Call[Any]) -> list[Any]:
        """Each call in the next process, all at the same time: what they gave, or the refusals that they met."""

        async def run() -> list[Any]:
            ways = (call(self.each[number % COUNT]) for number, call in enumerate(calls))
            return await asyncio.gather(*ways, return_exceptions=True)

        results = self.world.run(run())
        for result in results:
            if isinstance(result, BaseException) and (
                isinstance(result, FAULTS) or not isinstance(result, errors.ShoutgraphError | ExceptionGroup)
            ):
                raise result
        return results

    def run(self, call: Call[T]) -> T:
        """One call in the first process, alone."""
        return self.world.run(call(self.each[0]))

    def everywhere(self, call: Call[T]) -> list[T]:
        """The same call in each process at the same time."""
        return self.at_once(*[call] * COUNT)

    def order(
        self, fan: Viewer, offer_id: str, price_coins: int = 1_000, *, key: str | None = None
    ) -> Call[Done[Order]]:
        """Places an order."""
        wish = OrderWish(offer_id=offer_id, brief=BRIEF, expected_price_coins=price_coins)
        request = self.world.request("orderPlace", fan, key)
        return lambda tools: place.place(tools, fan, request, wish)

    def move(self, viewer: Viewer, order: Order, name: str, actor: Actor, **more: Any) -> Call[Done[Order]]:
        """Takes one transition of an order."""
        command = Command(name, actor, reason="REASON", note="because", **more)
        request = self.world.request(name, viewer)
        return lambda tools: moves.take(tools, viewer, request, Turn(order.id), command)

    def delivered(self, fan: Viewer, creator: Viewer, offer_id: str) -> Order:
        """An order whose video waits for the fan."""
        moderator = self.world.staff("moderator")
        order = self.run(self.order(fan, offer_id)).value
        self.run(self.move(moderator, order, "screen_pass", Actor.MODERATOR))
        self.run(self.move(creator, order, "accept", Actor.CREATOR))
        video, request = self.world.ready_video(order), self.world.request("deliver", creator)
        self.run(lambda tools: deliver.deliver(tools, creator, request, Turn(order.id), video))
        return self.run(self.move(moderator, order, "review_pass", Actor.MODERATOR)).value

    def buy(self, fan: Viewer, coins: int, *, key: str | None = None) -> Call[Done[Topup]]:
        """Asks for coins, at a cent each."""
        wish = TopupWish(None, coins, "EUR", Platform.WEB, TOPUPS, "https://fan.example/back")
        request: Request = self.world.request("topUpCreate", fan, key, coins=coins)
        return lambda tools: create.create(tools, fan, request, wish, reverse_orders=timers.reverse_orders)

    def bought(self, fan: Viewer, coins: int) -> Topup:
        """A top-up that was paid and credited."""
        topup = self.run(self.buy(fan, coins)).value
        self.bank.settle(topup)
        self.run(self.tell(topup))
        return self.world.read(lambda tx: topups.get(tx, topup.id))

    def tell(self, topup: Topup) -> Call[Receipt]:
        """The bank's webhook about a payment as it is now; the same one each time that this is called."""
        arrived = self.bank.notice(topup, new_id("told"))
        return lambda tools: Inbox(tools, reconcile.HANDLERS).receive(arrived)

    def look(self, topup: Topup) -> Call[int]:
        """The next look at a payment, as soon as may be."""

        async def work(tools: Tools) -> int:
            await tools.store.write(lambda tx: topups.look_soon(tx, topup.id))
            return await reconcile.look_at_topups(tools)

        return work

    def verify(self) -> None:
        """The books balance, and every event has its place."""
        self.settle()
        self.world.verify()

    def settle(self) -> None:
        """Waits until every event has its place."""
        self.world.run(self.world.tools.store.settle_journal())  # type: ignore[attr-defined]

    @property
    def contention(self) -> dict[str, int]:
        """How often units of work were taken back because of neighbours, by SQLSTATE."""
        found: dict[str, int] = {}
        for tools in self.each:
            for code, times in tools.store.contention.items():  # type: ignore[attr-defined]
                found[code] = found.get(code, 0) + times
        return found


@contextmanager
def open_processes(where: Place, *, count: int = COUNT) -> Iterator[Processes]:
    """Opens them all on the database of this place."""
    clock, loop, dawdling = Clock(), asyncio.new_event_loop(), Dawdling()
    bank = Bank(clock)
    providers = providers_of(bank, loop.time)
    with ExitStack() as parts:
        parts.callback(loop.close)
        files = open_local_files(where.folder / "files")
        parts.callback(files.close)
        own = count if where.kind is Kind.POSTGRESQL else 1
        stores = [databases.opened(where.database(), clock, readers=1) for _ in range(own)]
        for store in stores:
            parts.callback(store.close)
        first = Tools(
            store=stores[0],
            clock=clock,
            real_clock=clock,
            new_id=new_id,
            bell=stores[0].bell,
            providers=providers,
            files=files,
            links=Links(key=b"k" * 32, public_url="http://127.0.0.1"),
        )
        apart = [replace(first, store=store, bell=store.bell, new_id=dawdling) for store in stores]
        each = [apart[number % own] for number in range(count)]
        world = World(first, clock, loop)
        world.run(price_lists.load(first, world.staff("admin"), PRICES))
        yield Processes(world, each, bank)
        loop.run_until_complete(providers.aclose())
