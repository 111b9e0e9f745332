"""Payments by the thousand at a provider that fails at every third call, with crashes in between, in virtual time.

Everything here is the host's own: its use-cases, its jobs, its inbox, on a real database. Only the provider, the people
and the clock are played. When all of it has calmed down, the books must say what the provider has.
"""

import asyncio
import hashlib
import heapq
import itertools
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from tests.services.acquirer import Acquirer, Told
from tests.services.acquirer_plugin import BLIND, BY_KEY, PAYOUTS, setup_of
from tests.services.till import PRICES
from tests.services.world import BOOKS, BRIEF, START, World, new_id

from shoutgraph.domain import errors, ids, postings
from shoutgraph.domain.creators import Creator, Offer
from shoutgraph.domain.earnings import Earning, EarningKind
from shoutgraph.domain.notices import Stored
from shoutgraph.domain.packages import Platform
from shoutgraph.domain.payouts import Payout
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import earnings as earning_jobs, payouts as payout_jobs, reconcile, sweep
from shoutgraph.plugins import loading
from shoutgraph.services import notices, packages as price_lists
from shoutgraph.services.orders import place, timers
from shoutgraph.services.payouts import decide, look as payout_looks, request as payout_requests
from shoutgraph.services.topups import cancel, create, refund
from shoutgraph.storage import earnings, ledger as books
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Store

FANS: Final = 250
CREATORS: Final = 12
AT_ONCE: Final = 128
WORKERS: Final = 4
"""So many processes look at money at the same time."""
STEP: Final = timedelta(minutes=2)
LASTS: Final = timedelta(hours=4)
"""How long people come to buy; what follows takes weeks."""
CALM: Final = (*[timedelta(minutes=10)] * 12, *[timedelta(hours=1)] * 36, *[timedelta(hours=6)] * 26)
"""How time goes on when nobody buys any more."""
QUIET: Final = (*[timedelta(hours=8)] * 8, timedelta(days=7), timedelta(hours=8))
"""How time goes on when nothing goes wrong any more: everything that is paid is looked at once more."""
ROUNDS_MAX: Final = 400
TRIES_MAX: Final = 20
CRASH_SHARE: Final = 0.004


class CrashError(Exception):
    """The process died here: before a unit of work, or after its COMMIT and before anybody heard of it."""


class Fragile:
    """The store of a process that dies at units of work, now and then."""

    def __init__(self, store: Store, acquirer: Acquirer) -> None:
        self._store = store
        self._chance = acquirer.chance("crashes")
        self.share = 0.0
        self.crashes: Counter[str] = Counter()
        self.writes = 0
        self.read = store.read

    async def write(self, work: Callable[[Tx], Any], **more: Any) -> Any:
        self.writes += 1
        fate = self._chance.random()
        if fate < self.share / 2:
            self.crashes["before a unit of work"] += 1
            raise CrashError
        value = await self._store.write(work, **more)
        if fate < self.share:
            self.crashes["after a commit"] += 1
            raise CrashError
        return value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclass(order=True)
class Event:
    """Something that people or banks do."""

    at: datetime
    number: int
    act: Callable[[], Awaitable[None]] = field(compare=False)


@dataclass
class Seller:
    """A creator who is paid out."""

    viewer: Viewer
    creator: Creator
    offer: Offer
    recipient_id: str


class Simulation:
    """One run: `live` lets time pass, `calm_down` ends the faults and waits for the looks."""

    def __init__(self, world: World, *, seed: int, count: int) -> None:
        self.world, self.count = world, count
        self.acquirer = Acquirer(world.clock, seed)
        self.store = Fragile(world.tools.store, self.acquirer)

        def elapsed() -> float:
            return (world.clock() - START).total_seconds()

        world.tools = replace(world.tools, providers=loading.load(setup_of(self.acquirer, elapsed)))
        world.run(price_lists.load(world.tools, world.staff("admin"), PRICES))
        self.fans = [world.person(f"fan{number}") for number in range(FANS)]
        self.sellers = [self._seller(number) for number in range(CREATORS)]
        self.tools = world.tools = replace(world.tools, store=self.store)  # type: ignore[arg-type]
        self.inbox = notices.Inbox(self.tools, reconcile.HANDLERS)
        self.told: Counter[str] = Counter()
        self._events: list[Event] = []
        self._numbers = itertools.count()
        for number in range(count):
            self.later(LASTS * number / count, lambda number=number: self.purchase(number))  # type: ignore[misc]
        for number in range(count // 25):
            after = LASTS * number / max(count // 25, 1) + timedelta(minutes=1)
            self.later(after, lambda number=number: self.payout(number))  # type: ignore[misc]

    def later(self, after: timedelta, act: Callable[[], Awaitable[None]]) -> None:
        """Something will happen."""
        heapq.heappush(self._events, Event(self.world.clock() + after, next(self._numbers), act))

    def live(self) -> None:
        """People buy, banks answer, webhooks and jobs come as they come; the jobs of this process crash, too."""
        self.store.share = CRASH_SHARE
        with quiet_logs():
            while self.world.clock() < START + LASTS:
                self._pass(STEP)
            for step in CALM:
                self._pass(step)

    def calm_down(self) -> None:
        """Nothing goes wrong any more."""
        self.store.share = self.acquirer.share = 0.0
        with quiet_logs():
            for step in QUIET:
                self._pass(step)
            for _ in range(5):  # payouts can come back for longer than payments are looked at here
                self.world.clock.move(days=7)
                self._all(self._happening())
                self._hear()
                self.world.run(self._payouts_only())

    async def purchase(self, number: int) -> None:
        """A fan buys, pays or not, and regrets it or not."""
        chance = self.acquirer.chance("purchase", number)
        fan = self.fans[chance.randrange(FANS)]
        topup = await self._bought(fan, number, chance.randint(500, 5_000), BLIND if chance.random() < 0.3 else BY_KEY)
        if topup is None or topup.id not in self.acquirer.payments:
            self.told["purchases that were refused, or never arrived"] += 1
            return
        self._fate(fan, topup, chance.random(), chance.randint(1, 900))

    async def payout(self, number: int) -> None:
        """A creator asks for a payout, finance approves, the bank takes its time."""
        chance = self.acquirer.chance("payout", number)
        seller = self.sellers[number % CREATORS]
        coins = chance.randint(1_000, 3_000)
        await self._tries(lambda: self.tools.store.write(lambda tx: self._earned(tx, seller, coins)))
        await self._tries(lambda: earning_jobs.tick(self.tools))
        asked = self.world.request("payoutRequest", seller.viewer, f"payout-{number:020d}", coins=coins)
        wish = payout_requests.Wish(coins, seller.recipient_id)
        done = await self._tries(lambda: payout_requests.request(self.tools, seller.viewer, asked, wish))
        if done is None:
            self.told["payouts beyond a limit"] += 1
            return
        finance = self.world.staff("finance")
        approval = self.world.request("payoutApprove", finance, f"approval-{number:018d}")
        await self._tries(lambda: decide.approve(self.tools, finance, approval, done.value.id))
        self.told["payouts"] += 1
        self._fate_of_payout(done.value, chance.random(), chance.randint(1, 28))

    def _fate(self, fan: Viewer, topup: Topup, fate: float, soon: int) -> None:
        """What becomes of a payment, and when."""
        key, price, after = topup.id, topup.terms.price_minor, timedelta(seconds=soon)
        acquirer, chance = self.acquirer, self.acquirer.chance("fate", self.acquirer.numbers[topup.id])
        much_later = after + timedelta(minutes=chance.randint(5, 4_000))
        settle = lambda **how: self._does(lambda: acquirer.settle(key, **how))  # noqa: E731
        if fate < 0.80:
            self.later(after, settle())
            self._regret(topup, chance.random(), much_later)
            if chance.random() < 0.05:
                self.later(after + timedelta(minutes=4), lambda: self._order(fan, topup))
        elif fate < 0.92:
            end = ("declined", after) if fate < 0.87 else ("expired", timedelta(minutes=30))
            self.later(end[1], self._does(lambda: acquirer.end(key, end[0])))
            if chance.random() < 0.3:
                self.later(much_later, settle())
        elif fate < 0.95:
            self.later(after, lambda: self._cancel(fan, topup))
        elif fate < 0.98:
            odd = {"amount": price + chance.choice((-100, 1, 100))} if fate < 0.97 else {"currency": "USD"}
            self.later(after, settle(**odd))

    def _regret(self, topup: Topup, fate: float, later: timedelta) -> None:
        """Refunds and disputes of what was paid."""
        key, price, acquirer = topup.id, topup.terms.price_minor, self.acquirer
        if fate < 0.08:
            minor = price if fate < 0.03 else price // 3
            self.later(later, lambda: self._refund(topup, minor, 1))
            if fate > 0.06:
                self.later(later + timedelta(minutes=20), lambda: self._refund(topup, price // 4, 2))
        elif fate < 0.12:
            minor = price if fate < 0.10 else price // 2
            self.later(later, self._does(lambda: acquirer.give_back(key, f"desk-{key}", minor)))
        if 0.07 < fate < 0.09 or 0.12 < fate < 0.16:
            self.later(later + timedelta(hours=2), self._does(lambda: acquirer.dispute(key, "disputed")))
            how = "won" if int(fate * 1_000) % 2 else "lost"
            self.later(later + timedelta(hours=30), self._does(lambda: acquirer.dispute(key, how)))
            if fate > 0.155:  # won after it was lost: totals that contradict each other
                self.later(later + timedelta(hours=40), self._does(lambda: self._contradict(key)))

    def _contradict(self, key: str) -> None:
        payment = self.acquirer.payments[key]
        if payment.lost:
            self.acquirer.change(key, won=payment.won + payment.lost)

    def _fate_of_payout(self, payout: Payout, fate: float, days: int) -> None:
        acquirer, key = self.acquirer, payout.key

        def moves(state: str) -> Callable[[], Awaitable[None]]:
            return self._does(lambda: acquirer.move(key, state) if key in acquirer.transfers else None)

        if fate < 0.9:
            self.later(timedelta(hours=26), moves("paid"))
            if fate < 0.2:
                self.later(timedelta(days=days + 1, hours=3), moves("returned"))
        elif fate < 0.97:
            self.later(timedelta(hours=26), moves("rejected"))

    async def _bought(self, fan: Viewer, number: int, coins: int, instance: str) -> Topup | None:
        values: dict[str, Any] = {"package_id": None, "currency": "EUR", "platform": Platform.WEB}
        wish = create.Wish(coins=coins, provider_code=instance, return_url=f"https://fan.example/{number}", **values)
        asked = self.world.request("topUpCreate", fan, f"purchase-{number:018d}", coins=coins)
        done = await self._tries(
            lambda: create.create(self.tools, fan, asked, wish, reverse_orders=timers.reverse_orders)
        )
        return None if done is None else done.value

    async def _refund(self, topup: Topup, minor: int, number: int) -> None:
        finance = self.world.staff("finance")
        asked = self.world.request("refundCreate", finance, f"{topup.id}-refund-{number}", minor=minor)
        wish = refund.Wish(topup.id, "regret", minor)
        done = await self._tries(
            lambda: refund.refund(self.tools, finance, asked, wish, reverse_orders=timers.reverse_orders)
        )
        self.told["refunds" if done else "refunds that were refused"] += 1

    async def _cancel(self, fan: Viewer, topup: Topup) -> None:
        asked = self.world.request("topUpCancel", fan, f"{topup.id}-cancel")
        await self._tries(lambda: cancel.cancel(self.tools, fan, asked, topup.id, reverse_orders=timers.reverse_orders))

    async def _order(self, fan: Viewer, topup: Topup) -> None:
        seller = self.sellers[len(self.told) % CREATORS]
        asked = self.world.request("orderPlace", fan, f"{topup.id}-order")
        wish = place.Wish(offer_id=seller.offer.id, brief=BRIEF, expected_price_coins=seller.offer.price_coins)
        done = await self._tries(lambda: place.place(self.tools, fan, asked, wish))
        self.told["orders"] += done is not None

    async def _tries(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """What a client does: the same again, with the same key, until there is an answer. None for a refusal."""
        for _ in range(TRIES_MAX):
            try:
                return await work()
            except CrashError:
                continue
            except errors.ShoutgraphError as refusal:
                self.told[f"refused: {refusal.code}"] += 1
                return None
        raise AssertionError("a process that always dies is no process")

    def _does(self, act: Callable[[], object]) -> Callable[[], Awaitable[None]]:
        async def done() -> None:
            act()

        return done

    def _pass(self, step: timedelta) -> None:
        self.world.clock.now += step
        self._all(self._happening())
        for _ in range(ROUNDS_MAX):
            if not self._hear() + self.world.run(self._tick()):
                return
        raise AssertionError("the jobs do not come to an end")

    def _happening(self) -> list[Awaitable[None]]:
        found = []
        while self._events and self._events[0].at <= self.world.clock():
            found.append(heapq.heappop(self._events).act())
        return found

    def _hear(self) -> int:
        told = self.acquirer.due()
        self._all([self._take_in(each) for each in told])
        return len(told)

    def _all(self, doings: list[Awaitable[None]]) -> None:
        async def together(part: list[Awaitable[None]]) -> None:
            await asyncio.gather(*part)

        for start in range(0, len(doings), AT_ONCE):
            self.world.run(together(doings[start : start + AT_ONCE]))

    async def _take_in(self, told: Told) -> None:
        """A webhook at our door; whoever gets no answer sends it again, as a provider does, a few times."""
        now = self.world.clock()
        arrived = Stored(
            None, told.instance, hashlib.sha256(told.body).digest(), told.body, told.headers(now), "", "127.0.0.1", now
        )
        try:
            receipt = await self.inbox.receive(arrived)
            self.told[f"webhook {receipt.state}"] += 1
        except CrashError:
            self.acquirer.post(replace(told, due_at=now + timedelta(minutes=5)))
        except errors.ShoutgraphError as refusal:
            self.told[f"webhook {refusal.code}"] += 1

    async def _tick(self) -> int:
        ticks = (payout_jobs.tick, *[reconcile.tick] * WORKERS, sweep.tick)
        results = await asyncio.gather(*(tick(self.tools) for tick in ticks), return_exceptions=True)
        for each in results:
            assert isinstance(each, int | CrashError), each
        self.told["jobs that died"] += sum(isinstance(each, CrashError) for each in results)
        return sum(each if isinstance(each, int) else 1 for each in results)

    async def _payouts_only(self) -> None:
        for _ in range(ROUNDS_MAX):
            if not await payout_looks.look_due(self.tools, limit=reconcile.ROUND_MAX):
                return

    def _earned(self, tx: Tx, seller: Seller, coins: int) -> None:
        order_id = ids.OrderId(new_id(ids.ORDER))
        books.post(
            tx, postings.creator_compensated(BOOKS, order_id=order_id, creator_id=seller.creator.id, coins=coins)
        )
        kind = EarningKind.COMPENSATION
        earning = Earning(new_id(ids.EARNING), seller.creator.id, kind, order_id, coins, 0, tx.now, tx.now)
        earnings.insert(tx, earning)

    def _seller(self, number: int) -> Seller:
        world = self.world
        viewer, creator, offer = world.creator(f"seller{number}", price_coins=500)
        asked = world.request("payoutRecipientCreate", viewer)
        wish = payout_requests.NewRecipient(PAYOUTS, "Bank", f"iban-{number}")
        recipient = world.run(payout_requests.add_recipient(world.tools, viewer, asked, wish)).value
        return Seller(viewer, creator, offer, recipient.id)


@contextmanager
def quiet_logs() -> Iterator[None]:
    """What goes wrong here goes wrong on purpose."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
