"""Refunds that finance asks for, through the simulator: set aside first, booked once, whoever tells of it first."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.till import Till, open_till
from tests.services.world import World, new_id
from tests.storage.databases import Place

from shoutgraph import sdk
from shoutgraph.domain import accounts, errors, ids, ledger, postings
from shoutgraph.domain.promotions import Kind, Offered
from shoutgraph.domain.requests import Request
from shoutgraph.domain.topups.refund import Refund, RefundState
from shoutgraph.domain.topups.topup import Status, Topup
from shoutgraph.domain.users import ROLES, Viewer
from shoutgraph.services import promotions
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import refund as refunding, withdraw
from shoutgraph.services.topups.refund import Wish
from shoutgraph.services.wallets import expire_due
from shoutgraph.storage import ledger as ledger_rows, packages, refunds, wallets
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done

FINANCE = Viewer(scopes=ROLES["finance"], principal="staff:frank")
OTHER = Viewer(scopes=ROLES["finance"], principal="staff:olga")


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till


@pytest.fixture
def fan(till: Till) -> Viewer:
    return till.world.person("ada")


def ask(till: Till, topup: Topup, *, key: str | None = None, **wish: Any) -> Done[Refund]:
    asked: Request = till.world.request("topUpRefund", FINANCE, key, topup=topup.id, **wish)
    work = refunding.refund(
        till.world.tools, FINANCE, asked, Wish(topup.id, "asked nicely", **wish), reverse_orders=timers.reverse_orders
    )
    return till.world.run(work)


def test_a_refund_takes_its_coins_first_and_ends_them_when_the_money_went(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 1_000)
    before = till.cash()
    done = ask(till, topup, minor=300, key="one-key-for-one-refund-1")
    assert done.value.state is RefundState.SUCCEEDED
    assert ask(till, topup, minor=300, key="one-key-for-one-refund-1").replayed
    assert till.world.wallet(fan) == (700, 0, 0)
    assert (till.topup(topup).status, till.topup(topup).booked.reversed_coins) == (Status.PARTLY_REFUNDED, 300)
    assert before - till.cash() == 300
    till.hear(lambda: len(till.hooks) >= 2)
    till.look(topup)
    assert (till.world.wallet(fan), before - till.cash()) == ((700, 0, 0), 300)
    assert ask(till, topup, coins=200).value.part.minor == 200
    assert ask(till, topup).value.part.minor == 500
    assert till.topup(topup).status is Status.REFUNDED
    assert till.world.wallet(fan) == (0, 0, 0)


def test_more_than_is_left_or_spent_is_refused_before_anybody_is_asked(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 1_000)
    ask(till, topup, minor=300)
    for wish in ({"minor": 701}, {"coins": 701}, {"minor": 0}, {"minor": -5}):
        with pytest.raises(errors.ValidationError):
            ask(till, topup, **wish)
    _, _, offer = till.world.creator(price_coins=600)
    till.world.place(fan, offer)
    with pytest.raises(errors.InsufficientCoinsError):
        ask(till, topup, minor=101)
    assert ask(till, topup, minor=100).value.state is RefundState.SUCCEEDED
    unpaid = till.buy(fan, 1_000).value
    with pytest.raises(errors.ValidationError) as refused:
        ask(till, unpaid)
    assert refused.value.code == "REFUND_STATE"


class Review:
    """Answers the risk review."""

    verdict = sdk.Verdict.HOLD

    async def review(self, kind: str, request: object) -> sdk.Verdict:
        assert (kind, isinstance(request, sdk.RefundRequest)) == ("refund", True)
        return self.verdict


def test_a_held_refund_waits_for_another_person(till: Till, fan: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    topup = till.paid(fan, 1_000)
    monkeypatch.setattr(type(till.world.tools.providers.hooks), "review", Review.review)
    monkeypatch.setattr(type(till.world.tools.providers.hooks), "verdict", sdk.Verdict.HOLD, raising=False)
    held, other = ask(till, topup, minor=300).value, ask(till, topup, minor=200).value
    assert (held.state, till.world.wallet(fan)) == (RefundState.HELD, (500, 0, 0))
    decide = lambda verb, who, which: till.world.run(  # noqa: E731
        verb(till.world.tools, who, till.world.request("x", who), which.id, reverse_orders=timers.reverse_orders)
    )
    with pytest.raises(errors.ForbiddenError) as refused:
        decide(refunding.approve, FINANCE, held)
    assert refused.value.code == "SECOND_PERSON"
    assert decide(refunding.approve, OTHER, held).value.state is RefundState.SUCCEEDED
    assert decide(refunding.deny, OTHER, other).value.state is RefundState.DENIED
    assert till.world.wallet(fan) == (700, 0, 0)
    monkeypatch.setattr(type(till.world.tools.providers.hooks), "verdict", sdk.Verdict.DENY, raising=False)
    assert ask(till, topup, minor=50).value.state is RefundState.DENIED
    assert till.world.wallet(fan) == (700, 0, 0)


def test_bonus_coins_that_come_back_after_they_lapsed_live_a_while_and_lapse_once(
    till: Till, fan: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, staff = till.world, till.world.staff("finance")
    offered = Offered("treat", Kind.BONUS_COINS, 100, world.clock(), life_s=3_600)
    made = promotions.Wish(offered, "A test", codes=("TREAT123",))
    world.run(promotions.create(world.tools, staff, world.request("promoCreate", staff), made))
    topup = till.buy(fan, 1_000, promo_code="TREAT123").value
    till.control(f"payments/{topup.id}/pay")
    till.look(topup)
    monkeypatch.setattr(type(world.tools.providers.hooks), "review", Review.review)
    monkeypatch.setattr(type(world.tools.providers.hooks), "verdict", sdk.Verdict.HOLD, raising=False)
    asked = world.request("topUpWithdraw", fan)
    reverse = timers.reverse_orders
    held = world.run(withdraw.withdraw(world.tools, fan, asked, topup.id, coins=500, reverse_orders=reverse)).value
    kept = 100 - held.bonus_coins
    assert world.wallet(fan) == (500, kept, 0)
    world.clock.move(hours=2)
    assert world.run(expire_due(world.tools)) == 1, "what is left in the lot lapses"
    asked = world.request("topUpRefundDeny", OTHER)
    world.run(refunding.deny(world.tools, OTHER, asked, held.id, reverse_orders=reverse))
    assert world.run(expire_due(world.tools)) == 1, "what came back is given time"
    assert world.run(expire_due(world.tools)) == 0
    assert world.wallet(fan) == (1_000, 100 - kept, 0)
    world.clock.move(days=8)
    assert [world.run(expire_due(world.tools)) for _ in range(3)] == [1, 0, 0]
    assert world.wallet(fan) == (1_000, 0, 0)
    world.verify()


def test_what_a_crash_left_is_taken_up_by_the_looks(till: Till, fan: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    topup = till.paid(fan, 1_000)

    async def crash(*_: object, **__: object) -> object:
        raise KeyError

    def lost(*_: object) -> object:
        raise KeyError

    with monkeypatch.context() as patch:
        patch.setattr(refunding, "go_on", crash)
        with pytest.raises(KeyError):
            ask(till, topup, minor=300)
    with monkeypatch.context() as patch:
        patch.setattr(refunding, "answered", lost)  # the money goes back, and nobody stores the answer
        with pytest.raises(KeyError):
            ask(till, topup, minor=200)
    assert till.world.wallet(fan) == (500, 0, 0)
    till.tick(seconds=61)
    till.tick(seconds=61)
    states = [each.state for each in till.world.read(lambda tx: refunds.list_of_topup(tx, topup.id))]
    assert states == [RefundState.SUCCEEDED, RefundState.SUCCEEDED]
    assert till.topup(topup).totals.refunded_minor == till.topup(topup).booked.refunded_minor == 500


def test_a_charge_back_ends_what_was_not_sent(till: Till, fan: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    topup = till.paid(fan, 1_000)
    with monkeypatch.context() as patch:
        patch.setattr(type(till.world.tools.providers.hooks), "review", Review.review)
        patch.setattr(type(till.world.tools.providers.hooks), "verdict", sdk.Verdict.HOLD, raising=False)
        held = ask(till, topup, minor=300).value
    till.control(f"payments/{topup.id}/dispute", outcome="open")
    assert till.look(topup).status is Status.DISPUTED
    assert till.world.read(lambda tx: refunds.get(tx, held.id)).failure_code == "overtaken"
    with pytest.raises(errors.ValidationError):
        ask(till, topup, minor=10)
    assert till.world.wallet(fan) == (0, 0, 0)


def test_a_refund_that_fails_later_gives_its_coins_back_and_another_can_be_asked_for(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 1_000)
    before = till.cash()
    done = ask(till, topup).value
    assert (done.state, till.world.wallet(fan)) == (RefundState.SUCCEEDED, (0, 0, 0))
    till.control(f"payments/{topup.id}/fail-refund")
    seen = till.look(topup)
    assert (seen.status, seen.totals.refunded_minor, seen.totals.refunds_failed_minor) == (Status.PAID, 1_000, 1_000)
    failed = till.world.read(lambda tx: refunds.get(tx, done.id))
    assert (failed.state, failed.failure_code) == (RefundState.REVERSED, "came_back")
    assert (till.world.wallet(fan), till.cash()) == ((1_000, 0, 0), before)
    assert till.look(topup).revision == seen.revision
    again = ask(till, topup).value
    assert (again.state, till.world.wallet(fan)) == (RefundState.SUCCEEDED, (0, 0, 0))
    assert (till.topup(topup).status, before - till.cash()) == (Status.REFUNDED, 1_000)
    with pytest.raises(errors.ValidationError):
        ask(till, topup, minor=1)
    till.world.verify()


def spend(world: World, fan: Viewer, creator_id: ids.CreatorId, coins: int) -> None:
    """Spends coins for good."""
    user_id = fan.user_id
    assert user_id is not None

    def work(tx: Tx) -> None:
        taken = ledger.take(ledger_rows.list_of_spendable_lots(tx, accounts.paid(user_id).code), coins)
        ref = new_id("gift")
        transfer = postings.gift_sent(ref=ref, user_id=user_id, creator_id=creator_id, fee_coins=1, taken=taken)
        ledger_rows.post(tx, transfer)

    world.write(work)


def debt(till: Till, fan: Viewer) -> int:
    return till.world.read(lambda tx: wallets.balances(tx, fan.user_id)).debt_coins  # type: ignore[arg-type]


def test_what_was_spent_is_owed_no_more_when_its_refund_fails(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 1_000)
    _, _, offer = till.world.creator(price_coins=600)
    order = till.world.place(fan, offer)
    spend(till.world, fan, offer.creator_id, 300)
    till.control(f"payments/{topup.id}/refund")
    assert till.look(topup).status is Status.REFUNDED
    assert (debt(till, fan), till.world.wallet(fan), till.world.order(order).live) == (300, (0, 0, 0), False)
    till.control(f"payments/{topup.id}/fail-refund")
    assert till.look(topup).status is Status.PAID
    assert (debt(till, fan), till.world.wallet(fan)) == (0, (700, 0, 0))
    lots = till.world.read(lambda tx: ledger_rows.list_of_lots_of_topup(tx, topup.id))
    assert sum(lot.remaining for lot in lots) == 700
    till.world.verify()


def test_coins_that_came_free_return_with_the_money(till: Till, fan: Viewer) -> None:
    package = next(each for each in till.world.read(packages.list_of_current) if each.market.currency == "EUR")
    bought = till.buy(fan, None, package_id=package.id).value
    till.control(f"payments/{bought.id}/pay")
    till.look(bought)
    assert till.world.wallet(fan)[1] == 70
    till.control(f"payments/{bought.id}/refund")
    till.look(bought)
    assert till.world.wallet(fan) == (0, 0, 0)
    till.control(f"payments/{bought.id}/fail-refund")
    till.look(bought)
    assert till.world.wallet(fan)[1] == 70
    till.world.verify()
