"""A small market that several processes trade in at random, so small that they meet all the time."""

import random
from collections.abc import Callable
from typing import Any, Final

from tests.services.office import Office
from tests.services.processes import Call, Processes
from tests.services.racing import seller, someone

from shoutgraph.domain.orders.order import Order, OrderFilter
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.pages import PageArgs
from shoutgraph.domain.payouts import WAITING, Payout, PayoutFilter
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import deadlines, earnings as earning_jobs, payouts as payout_jobs, reconcile, wallets
from shoutgraph.services import wallets as wallet_services
from shoutgraph.services.orders import deliver
from shoutgraph.services.orders.moves import Turn
from shoutgraph.storage import orders, payouts
from shoutgraph.tools import Tools

FANS: Final = 5
OFFICES: Final = 3
COINS: Final = 3_000
SEEN_MAX: Final = 10
ONE_IN_DISPUTED: Final = 8

MOVES: Final[dict[State, tuple[tuple[str, Actor], ...]]] = {
    State.SCREENING: (("screen_pass", Actor.MODERATOR), ("screen_pass", Actor.MODERATOR), ("fan_cancel", Actor.FAN)),
    State.AWAITING_ACCEPTANCE: (("accept", Actor.CREATOR), ("accept", Actor.CREATOR), ("decline", Actor.CREATOR)),
    State.IN_REVIEW: (
        ("review_pass", Actor.MODERATOR),
        ("review_pass", Actor.MODERATOR),
        ("review_reject", Actor.MODERATOR),
    ),
    State.DELIVERED: (("confirm", Actor.FAN), ("confirm", Actor.FAN), ("open_dispute", Actor.FAN)),
    State.DISPUTED: (("dispute_refund", Actor.MODERATOR), ("dispute_split", Actor.MODERATOR)),
}
JOBS: Final = (deadlines.tick, earning_jobs.tick, payout_jobs.tick, reconcile.tick, wallets.tick)


class Market:
    """Fans and creators; `deal` is what one of them, or of the staff, does next."""

    def __init__(self, processes: Processes, chance: random.Random) -> None:
        self.processes = processes
        self.chance = chance
        self.fans = [someone(processes, COINS, promo=200) for _ in range(FANS)]
        self.sellers = [seller(processes) for _ in range(OFFICES)]
        self.offices = [Office(processes, of) for of in self.sellers]
        self.bought: list[Topup] = []
        self._ways: tuple[tuple[Callable[[], Call[Any]], int], ...] = (
            (self._order, 6),
            (self._move, 14),
            (self._film, 5),
            (self._buy, 2),
            (self._tell, 4),
            (self._unlock, 1),
            (self._ask, 2),
            (self._decide, 2),
            (self._work, 4),
        )

    def deal(self) -> Call[Any]:
        """Something that somebody does now."""
        ways, weights = zip(*self._ways, strict=True)
        (way,) = self.chance.choices(ways, weights)
        return way()

    def _order(self) -> Call[Any]:
        _, _, offer = self.chance.choice(self.sellers)
        return self.processes.order(self.chance.choice(self.fans), offer.id, offer.price_coins)

    def _move(self) -> Call[Any]:
        state = self.chance.choice(list(MOVES))
        found = self._some(state)
        if found is None:
            return self._order()
        (name, actor), *others = MOVES[state]
        if self.chance.random() < 1 / 4:
            name, actor = self.chance.choice(others)
        more = {"back_coins": 300} if name == "dispute_split" else {}
        return self.processes.move(self._who(found, actor), found, name, actor, **more)

    def _film(self) -> Call[Any]:
        order = self._some(State.IN_PRODUCTION)
        if order is None:
            return self._order()
        creator, world = self._who(order, Actor.CREATOR), self.processes.world
        video, request = world.ready_video(order), world.request("deliver", creator)
        return lambda tools: deliver.deliver(tools, creator, request, Turn(order.id), video)

    def _buy(self) -> Call[Any]:
        buying = self.processes.buy(self.chance.choice(self.fans), COINS)

        async def work(tools: Tools) -> None:
            topup = (await buying(tools)).value
            self.processes.bank.settle(topup)
            self.bought.append(topup)

        return work

    def _tell(self) -> Call[Any]:
        if not self.bought:
            return self._buy()
        topup = self.chance.choice(self.bought)
        if self.chance.randrange(ONE_IN_DISPUTED) == 0:
            won = topup.terms.price_minor if self.chance.random() < 1 / 2 else 0
            self.processes.bank.settle(topup, disputed=topup.terms.price_minor, won=won)
        return self.chance.choice((self.processes.tell, self.processes.look))(topup)

    def _unlock(self) -> Call[Any]:
        fan, finance = self.chance.choice(self.fans), self.processes.world.staff("finance")
        asked = self.processes.world.request("walletUnlock", finance)
        return lambda tools: wallet_services.unlock(tools, finance, asked, str(fan.user_id))

    def _ask(self) -> Call[Any]:
        return self.chance.choice(self.offices).asking(1_000)

    def _decide(self) -> Call[Any]:
        office = self.chance.choice(self.offices)
        only = PayoutFilter(office.creator.id, tuple(sorted(WAITING)))
        page = PageArgs(SEEN_MAX, None, backward=False)
        found = self.processes.world.read(lambda tx: payouts.list_of_page(tx, page, only, descending=False))
        if not found:
            return office.asking(1_000)
        payout: Payout = self.chance.choice(found)
        return self.chance.choice((office.approving, office.approving, office.denying, office.cancelling))(payout)

    def _work(self) -> Call[Any]:
        return self.chance.choice(JOBS)

    def _some(self, state: State) -> Order | None:
        page, only = PageArgs(SEEN_MAX, None, backward=False), OrderFilter(states=(state,))
        found = self.processes.world.read(
            lambda tx: orders.list_of_page(tx, page, only, sort="created_at", descending=True)
        )
        ours = [order for order in found if order.fan_id in {fan.user_id for fan in self.fans}]
        return self.chance.choice(ours) if ours else None

    def _who(self, order: Order, actor: Actor) -> Viewer:
        if actor is Actor.FAN:
            return next(fan for fan in self.fans if fan.user_id == order.fan_id)
        if actor is Actor.CREATOR:
            return next(viewer for viewer, creator, _ in self.sellers if creator.id == order.creator_id)
        return self.processes.world.staff("moderator")
