"""Wallets: granted coins lapse, coins that come back live a week, and random lives keep the books true."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.services.till import Till, open_till
from tests.services.world import BOOKS, World, new_id
from tests.storage.databases import Place

from shoutgraph.domain import accounts, errors, ids, ledger, pages, postings
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.packages import Platform
from shoutgraph.domain.statements import Told
from shoutgraph.domain.topups.topup import Observation, Seen, Source, Topup, Totals
from shoutgraph.domain.users import Viewer
from shoutgraph.domain.wallets import RETURNED_LIFE
from shoutgraph.services import statements, wallets
from shoutgraph.services.orders import moves, timers
from shoutgraph.services.orders.moves import Turn
from shoutgraph.services.topups import apply, create
from shoutgraph.services.topups.create import Wish
from shoutgraph.storage import ledger as books, topups, wallets as rows
from shoutgraph.storage.tx import Tx

DAY = timedelta(days=1)


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till


def grant(world: World, viewer: Viewer, coins: int, *, days: int) -> str:
    """Granted coins that lapse."""
    assert viewer.user_id is not None
    lot = ledger.Lot(
        new_id(ids.LOT),
        accounts.promo(viewer.user_id).code,
        viewer.user_id,
        None,
        coins,
        coins,
        0,
        None,
        None,
        world.clock(),
        world.clock() + days * DAY,
    )
    world.write(lambda tx: books.post(tx, postings.promo_granted(ref=lot.id, lot=lot)))
    return lot.id


def call_off(world: World, fan: Viewer, order: Order) -> None:
    request = world.request("orderCancel", fan)
    command = Command("fan_cancel", Actor.FAN)
    world.run(moves.take(world.tools, fan, request, Turn(order.id), command))


def expire(world: World) -> int:
    return world.run(wallets.expire_due(world.tools))


def test_granted_coins_lapse_when_their_time_is_up(world: World) -> None:
    fan = world.person("ada")
    grant(world, fan, 100, days=10)
    grant(world, fan, 50, days=20)
    assert expire(world) == 0
    world.clock.move(days=11)
    assert expire(world) == 1
    assert world.wallet(fan) == (0, 50, 0)
    assert expire(world) == 0


def test_coins_that_come_back_to_a_lapsed_lot_live_a_week(world: World) -> None:
    fan = world.person("ada")
    lot_id = grant(world, fan, 1_100, days=1)
    _, _, offer = world.creator()
    order = world.place(fan, offer)
    world.clock.move(days=2)
    assert expire(world) == 1
    assert world.wallet(fan) == (0, 0, 1_000)
    call_off(world, fan, order)
    assert expire(world) == 1
    assert world.wallet(fan) == (0, 1_000, 0)
    lot = world.read(lambda tx: books.find_lot(tx, lot_id))
    assert lot is not None
    assert lot.expires_at is not None
    assert lot.expires_at > world.clock() + RETURNED_LIFE - DAY
    world.clock.move(days=8)
    assert expire(world) == 1
    assert world.wallet(fan) == (0, 0, 0)


def test_a_statement_pages_through_every_move_once(till: Till) -> None:
    fan = till.world.person("ada")
    for _ in range(3):
        till.paid(fan, 500)
    _, _, offer = till.world.creator()
    till.world.place(fan, offer)
    tools, source = till.world.tools, statements.of_wallet(fan, None)
    seen: list[Told] = []
    after = None
    while True:
        args = pages.read_args(scope=source.scope, first=2, after=after, kinds=source.kinds)
        page = till.world.run(statements.page(tools, source, args))
        seen += page.items
        if not page.has_next:
            break
        after = page.cursors[-1]
    assert [(told.line.coins, told.line.balance_coins) for told in seen] == [
        (-1_000, 500),
        (500, 1_500),
        (500, 1_000),
        (500, 500),
    ]
    assert {told.account for told in seen} == {"PAID"}
    back = till.world.run(statements.page(tools, source, pages.read_args(scope=source.scope, last=2)))
    assert list(back.items) == seen[-2:]


def test_a_wallet_is_its_owners_and_finances(world: World) -> None:
    fan, other = world.person("ada"), world.person("bob")
    get = wallets.get
    assert world.run(get(world.tools, fan)).user_id == fan.user_id
    assert world.run(get(world.tools, world.staff("finance"), fan.user_id)).user_id == fan.user_id
    with pytest.raises(errors.ForbiddenError):
        world.run(get(world.tools, other, fan.user_id))
    with pytest.raises(errors.NotFoundError):
        world.run(get(world.tools, world.staff("finance"), "user_00000000000000000000000000"))
    found = world.run(wallets.list_visible(world.tools, other, [fan.user_id, other.user_id]))  # type: ignore[list-item]
    assert [wallet is not None for wallet in found] == [False, True]


def test_nobody_unlocks_their_own_wallet(world: World) -> None:
    fan, finance = world.person("ada"), world.staff("finance")
    both = replace(finance, user_id=fan.user_id)
    assert fan.user_id is not None
    request = world.request("walletUnlock", both)
    with pytest.raises(errors.ForbiddenError):
        world.run(wallets.unlock(world.tools, both, request, fan.user_id))
    request = world.request("walletUnlock", finance)
    assert world.run(wallets.unlock(world.tools, finance, request, fan.user_id)).value.user_id == fan.user_id


class Life:
    """The random life of one wallet: purchases, orders that end in every way, refunds, disputes and their ends."""

    def __init__(self, till: Till, seed: int) -> None:
        self.till, self.world, self.random = till, till.world, random.Random(seed)  # noqa: S311 - a test that can be repeated
        self.fan = self.world.person(f"fan{seed}")
        self.offers = [self.world.creator(f"star{seed}x{at}", price_coins=250 + at)[2] for at in range(2)]
        self.open: list[Order] = []
        self.topups: dict[str, Totals] = {}

    def step(self) -> None:
        steps = [self.buy, self.spend, self.cancel, self.refund, self.come_back, self.dispute, self.win, self.lose]
        self.random.choice(steps)()

    def buy(self) -> None:
        coins = self.random.choice([300, 777, 1_000])
        wish = Wish(None, coins, "EUR", Platform.WEB, "sandbox", "https://fan.example/back")

        def work(tx: Tx) -> Topup:
            topup = create._new(self.world.tools, tx, self.fan.user_id, wish, ("sandbox",))  # type: ignore[arg-type]
            topups.insert(tx, topup, look_at=topup.answer_due_at)
            return topup

        topup = self.world.write(work)
        self.see(topup.id, settled_minor=topup.terms.price_minor)

    def see(self, topup_id: str, **totals: int) -> None:
        """Shows the top-up totals that grew, as a webhook would."""
        known = self.topups.get(topup_id, Totals())
        now = self.topups[topup_id] = replace(known, **totals)

        def work(tx: Tx) -> None:
            desk = apply.open_desk(self.world.tools, tx, timers.reverse_orders)
            seen = Observation(Seen.SETTLED, tx.now, ref=f"ref-{topup_id}", totals=now, currency="EUR")
            apply.observed(desk, topups.get(tx, topup_id), seen, Source.NOTICE)

        self.world.write(work)

    def pick(self) -> tuple[str, Totals] | None:
        return self.random.choice(list(self.topups.items())) if self.topups else None

    def refund(self) -> None:
        picked = self.pick()
        if picked is not None:
            topup_id, totals = picked
            left = totals.settled_minor - totals.gone_minor
            if left > 0:
                self.see(topup_id, refunded_minor=totals.refunded_minor + self.random.randint(1, left))

    def come_back(self) -> None:
        """A refund that was done fails, or some of it does."""
        picked = self.pick()
        if picked is not None:
            topup_id, totals = picked
            standing = totals.refunded_minor - totals.refunds_failed_minor
            if standing > 0:
                part = self.random.choice([standing, self.random.randint(1, standing)])
                self.see(topup_id, refunds_failed_minor=totals.refunds_failed_minor + part)

    def dispute(self) -> None:
        picked = self.pick()
        if picked is not None:
            topup_id, totals = picked
            left = totals.settled_minor - totals.gone_minor
            if left > 0:
                self.see(topup_id, disputed_minor=totals.disputed_minor + self.random.randint(1, left))

    def decide(self, name: str) -> None:
        picked = self.pick()
        if picked is not None:
            topup_id, totals = picked
            undecided = totals.disputed_minor - totals.won_minor - totals.lost_minor
            if undecided > 0:
                part = self.random.choice([undecided, self.random.randint(1, undecided)])
                self.see(topup_id, **{name: getattr(totals, name) + part})

    def win(self) -> None:
        self.decide("won_minor")

    def lose(self) -> None:
        self.decide("lost_minor")

    def spend(self) -> None:
        user_id = self.fan.user_id
        assert user_id is not None
        self.world.write(lambda tx: rows.unlock(tx, user_id))
        try:
            self.open.append(self.world.place(self.fan, self.random.choice(self.offers)))
        except errors.InsufficientCoinsError:
            return
        if self.random.random() < 0.5:
            self.gift()

    def gift(self) -> None:
        """Spends coins for good."""
        user_id = self.fan.user_id
        assert user_id is not None

        def work(tx: Tx) -> None:
            lots = books.list_of_spendable_lots(tx, accounts.paid(user_id).code)
            coins = min(100, sum(lot.remaining for lot in lots))
            if coins > 1:
                taken = ledger.take(lots, coins)
                creator_id = self.offers[0].creator_id
                transfer = postings.gift_sent(
                    ref=new_id("gift"), user_id=user_id, creator_id=creator_id, fee_coins=1, taken=taken
                )
                books.post(tx, transfer)

        self.world.write(work)

    def cancel(self) -> None:
        still = [order for order in self.open if self.world.order(order).live]
        if still:
            call_off(self.world, self.fan, self.random.choice(still))


@pytest.mark.parametrize("seed", range(4))
def test_a_random_life_of_money_keeps_every_law_of_the_books(till: Till, seed: int) -> None:
    life = Life(till, seed)
    for _ in range(60):
        life.step()
        till.world.verify()
    assert BOOKS.currency == "EUR"
    for topup_id, totals in life.topups.items():
        topup = till.world.read(lambda tx, at=topup_id: topups.get(tx, at))
        assert topup.totals == totals
        decided = totals.won_minor + totals.lost_minor
        if decided in {0, totals.disputed_minor}:
            assert topup.booked.reversed_minor == totals.gone_minor
