"""Payouts, refunds and strays that two people settle: the books follow what they found."""

from collections.abc import Iterator

import pytest
from tests.services.frail import install
from tests.services.test_frail_providers import approved, open_office
from tests.services.test_refunds import FINANCE, OTHER, ask
from tests.services.till import Till, open_till
from tests.storage.databases import Place

from shoutgraph.api.graphql.resolutions import FOLLOWS
from shoutgraph.domain.money import Money
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.domain.resolutions import Resolution, ResolutionState, Verdict
from shoutgraph.domain.strays import Stray, StrayKind
from shoutgraph.domain.topups.refund import RefundState
from shoutgraph.domain.topups.topup import Observation, Seen, Source, Totals
from shoutgraph.services.money import resolve, subjects
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import apply, refund as refunding
from shoutgraph.storage import refunds, strays, topups, unresolved
from shoutgraph.storage.tx import Tx


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till


def settle(till: Till, subject_id: str, verdict: Verdict) -> Resolution:
    world = till.world
    wish = resolve.Wish(subject_id, verdict, "line 7 of the statement")
    asked = world.request("moneyResolvePropose", FINANCE)
    made = world.run(resolve.propose(world.tools, FINANCE, asked, wish)).value
    asked = world.request("moneyResolveConfirm", OTHER)
    return world.run(resolve.confirm(world.tools, OTHER, asked, made.id, follows=FOLLOWS)).value


@pytest.mark.parametrize("verdict", [Verdict.PAID, Verdict.NOT_EXECUTED])
def test_a_payout_that_nobody_knows_is_settled(till: Till, verdict: Verdict) -> None:
    frail = install(till.world)
    office = open_office(till)
    frail.losing = 100
    payout = approved(office)
    till.tick()
    assert till.payout(payout).state is PayoutState.UNKNOWN
    assert settle(till, payout.id, verdict).state is ResolutionState.CONFIRMED
    wanted = PayoutState.PAID if verdict is Verdict.PAID else PayoutState.NOT_EXECUTED
    assert till.payout(payout).state is wanted
    assert till.world.read(subjects.list_of) == []


@pytest.mark.parametrize("verdict", [Verdict.PAID, Verdict.NOT_EXECUTED])
def test_a_refund_that_nobody_knows_is_settled(till: Till, monkeypatch: pytest.MonkeyPatch, verdict: Verdict) -> None:
    fan = till.world.person("ada")
    topup = till.paid(fan, 1_000)
    monkeypatch.setattr(refunding, "TIMEOUT", refunding.TIMEOUT * 0)  # the call ends before its answer
    refund = ask(till, topup, minor=300).value
    monkeypatch.undo()
    assert refund.state is RefundState.UNKNOWN
    settle(till, refund.id, verdict)
    now = till.world.read(lambda tx: refunds.get(tx, refund.id))
    paid = verdict is Verdict.PAID
    assert now.state is (RefundState.SUCCEEDED if paid else RefundState.FAILED)
    assert till.world.wallet(fan) == (700 if paid else 1_000, 0, 0)
    seen = till.seen("payments")[0]["refunded"]
    after = till.look(topup)
    assert after.booked.refunded_minor == max(seen, 300 if paid else 0)


def test_what_was_closed_takes_no_place_of_what_waits_until_it_moves_again(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waiting() -> list[str]:
        return [each.subject.id for each in till.world.read(subjects.list_of)]

    def pays(topup_id: str, minor: int) -> None:
        def work(tx: Tx) -> None:
            desk = apply.open_desk(till.world.tools, tx, timers.reverse_orders)
            seen = Observation(Seen.SETTLED, tx.now, None, Totals(settled_minor=minor), "EUR")
            apply.observed(desk, topups.get(tx, topup_id), seen, Source.NOTICE)

        till.world.write(work)

    monkeypatch.setattr(unresolved, "EACH_MAX", 1)
    fan = till.world.person("ada")
    first, second = [till.buy(fan, 1_000).value.id for _ in range(2)]
    for each in (first, second):
        pays(each, 999)
    assert waiting() == [first]
    settle(till, first, Verdict.CLOSED)
    assert waiting() == [second]
    pays(first, 1_001)
    assert waiting() == [first]


def test_a_stray_is_closed_by_two(till: Till) -> None:
    made = till.world.clock()
    found = Stray("bank", "po_1", StrayKind.PAYOUT, "po_1", None, "PAID", Money(1_000, "EUR"), made)
    till.world.write(lambda tx: strays.keep(tx, found))
    settle(till, "bank/po_1", Verdict.CLOSED)
    (kept,) = till.world.read(strays.list_of)
    assert kept.note == "line 7 of the statement"
    assert till.world.read(subjects.list_of) == []
