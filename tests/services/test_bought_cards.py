"""Gift cards bought with money, whatever happens to them and to their payments: no coin is lost, made or owed twice."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from tests.services.till import Till, open_till
from tests.services.world import World
from tests.storage.databases import Kind, Place

from shoutgraph.domain import errors
from shoutgraph.domain.cards import CardState, PurchaseState, Words
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.requests import Request
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import cards, refund, withdraw
from shoutgraph.storage import card_purchases, cards as card_rows, policies, topups as topup_rows, wallets
from shoutgraph.storage.tx import Tx

COINS = 100
WAIT_S = 3_600
EXAMPLES = {Kind.SQLITE: 5, Kind.POSTGRESQL: 2}
VERBS = ("buy", "code", "redeem", "cancel", "refund", "withdraw", "dispute", "win", "unlock", "top up")


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        numbers = iter(range(10**6))
        till.world.tools = replace(till.world.tools, new_secret=lambda: f"secret {next(numbers)}")
        yield till


@dataclass
class Life:
    """A buyer, a friend, and what was bought."""

    till: Till
    buyer: Viewer
    friend: Viewer
    topups: list[Topup] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)

    def take(self, verb: str, at: int) -> None:
        """Does one thing to one of the purchases; what cannot be is refused, and changes nothing."""
        topup = self.topups[at % len(self.topups)] if self.topups else None
        with suppress(errors.ShoutgraphError):
            if verb in {"buy", "top up"}:
                self.buy(as_card=verb == "buy")
            elif topup is not None:
                getattr(self, verb)(topup)

    def buy(self, *, as_card: bool) -> None:
        topup = self.till.buy(self.buyer, COINS, as_card=Words("Hello") if as_card else None).value
        self.topups.append(topup)
        self.till.control(f"payments/{topup.id}/pay")
        self.till.look(topup)

    def code(self, topup: Topup) -> None:
        card_id = self.card(topup)
        bought = self.run(
            "giftCardCode", self.buyer, lambda asked: cards.give_code(self.tools, self.buyer, asked, card_id)
        )
        self.codes[card_id] = bought.code

    def redeem(self, topup: Topup) -> None:
        code = self.codes.get(self.card(topup), "NOTACODE")
        self.run("giftCardRedeem", self.friend, lambda asked: cards.redeem(self.tools, self.friend, asked, code))

    def cancel(self, topup: Topup) -> None:
        card_id = self.card(topup)
        self.run("giftCardCancel", self.buyer, lambda asked: cards.cancel(self.tools, self.buyer, asked, card_id))

    def refund(self, topup: Topup) -> None:
        finance, wish = self.till.world.staff("finance"), refund.Wish(topup.id, "They asked.")
        reverse = timers.reverse_orders
        self.run(
            "topUpRefund",
            finance,
            lambda asked: refund.refund(self.tools, finance, asked, wish, reverse_orders=reverse),
        )
        self.till.look(topup)

    def withdraw(self, topup: Topup) -> None:
        reverse = timers.reverse_orders
        self.run(
            "topUpWithdraw",
            self.buyer,
            lambda asked: withdraw.withdraw(self.tools, self.buyer, asked, topup.id, coins=40, reverse_orders=reverse),
        )
        self.till.look(topup)

    def dispute(self, topup: Topup) -> None:
        if self.till.topup(topup).totals.disputed_minor == 0 and self.till.topup(topup).totals.refunded_minor == 0:
            self.till.control(f"payments/{topup.id}/dispute")
            self.till.look(topup)

    def win(self, topup: Topup) -> None:
        totals = self.till.topup(topup).totals
        if totals.disputed_minor > totals.won_minor:
            self.till.control(f"payments/{topup.id}/dispute", outcome="won")
            self.till.look(topup)

    def unlock(self, _topup: Topup) -> None:
        assert self.buyer.user_id is not None
        user_id = self.buyer.user_id
        self.till.world.write(lambda tx: wallets.unlock(tx, user_id))

    @property
    def tools(self) -> Any:
        return self.till.world.tools

    def run(self, mutation: str, viewer: Viewer, work: Callable[[Request], Coroutine[Any, Any, Any]]) -> Any:
        return self.till.world.run(work(self.till.world.request(mutation, viewer))).value

    def card(self, topup: Topup) -> str:
        found = self.till.world.read(lambda tx: card_rows.find_of_topup(tx, topup.id))
        return "giftcard_" + "0" * 26 if found is None else found.id

    def check(self) -> None:
        """Every coin that was paid for and not taken back is in a wallet or under a code; nobody else owes any."""

        def look(tx: Tx) -> tuple[int, int, int, int]:
            assert self.buyer.user_id is not None
            assert self.friend.user_id is not None
            mine, theirs = (wallets.balances(tx, each) for each in (self.buyer.user_id, self.friend.user_id))
            found = [card_rows.find_of_topup(tx, topup.id) for topup in self.topups]
            states = [card.state for card in found if card is not None]
            rows = [topup_rows.get(tx, topup.id) for topup in self.topups]
            for topup, card in zip(rows, found, strict=True):
                bought = card_purchases.find(tx, topup.id)
                assert (bought is not None) == topup.terms.as_card
                if bought is not None:
                    wanted = PurchaseState.KEPT if card is None else PurchaseState.ISSUED
                    assert bought.state is wanted, "it is paid"
            paid = sum(row.terms.coins - row.booked.reversed_coins for row in rows)
            under = COINS * states.count(CardState.OPEN)
            assert theirs.debt_coins == 0
            assert theirs.available_coins == COINS * states.count(CardState.REDEEMED)
            return mine.available_coins - mine.debt_coins, under, theirs.available_coins, paid

        mine, under, theirs, paid = self.till.world.read(look)
        assert mine + under + theirs == paid


def test_no_coin_of_a_bought_card_is_lost_whatever_happens_to_its_payment(till: Till, place: Place) -> None:
    step = st.tuples(st.sampled_from(VERBS), st.integers(0, 2))

    @settings(max_examples=EXAMPLES[place.kind], database=None, deadline=None, derandomize=True)
    @given(steps=st.lists(step, min_size=4, max_size=6))
    def lives(steps: list[tuple[str, int]]) -> None:
        world = till.world
        life = Life(till, world.person(f"buyer{world.keys}"), world.person(f"friend{world.keys}"))
        for verb, at in [("buy", 0), *steps]:
            life.take(verb, at)
            life.check()

    lives()
    till.world.verify()


def redeemable_since(world: World, topup: Topup) -> datetime:
    card = world.read(lambda tx: card_rows.find_of_topup(tx, topup.id))
    assert card is not None
    (since,) = world.run(cards.list_of_redeemable_since(world.tools, [card]))
    return since


def test_a_card_may_wait_until_its_payment_is_unlikely_to_be_charged_back(till: Till) -> None:
    world = till.world
    world.write(lambda tx: policies.insert(tx, replace(FIRST, version=2, card_wait_s=WAIT_S)))
    life = Life(till, world.person("ada"), world.person("ben"))
    for at in range(2):
        life.buy(as_card=True)
        life.code(life.topups[at])
    charged_back, kept = life.topups
    with pytest.raises(errors.ValidationError) as early:
        life.redeem(kept)
    assert early.value.code == "CARD_TOO_SOON"
    since = redeemable_since(world, kept)
    assert since > world.clock() > since - timedelta(seconds=WAIT_S + 60)
    life.dispute(charged_back)
    life.check()
    world.write(lambda tx: policies.insert(tx, replace(FIRST, version=3, card_wait_s=10 * WAIT_S)))
    world.clock.move(seconds=WAIT_S + 1)  # what was bought before waits no longer than was said
    assert redeemable_since(world, kept) == since <= world.clock()
    life.redeem(kept)
    with pytest.raises(errors.ValidationError) as void:
        life.redeem(charged_back)
    assert void.value.code == "CARD_VOID"
    life.check()
    till.world.verify()
