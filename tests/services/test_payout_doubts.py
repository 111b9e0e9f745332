"""Payouts whose provider was wrong, or may be: no earning is paid twice, and one that is held holds nobody else."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.services.frail import Frail, install
from tests.services.test_frail_providers import approved, open_office
from tests.services.test_payouts import Office
from tests.services.till import Till, open_till
from tests.storage.databases import Place

from shoutgraph import sdk
from shoutgraph.domain import errors
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.earnings import Balances
from shoutgraph.domain.payouts import HoldCode, Payout, PayoutReview, PayoutState
from shoutgraph.services.payouts import decide, notice as payout_notices, send
from shoutgraph.storage import batches as batch_rows, payouts
from shoutgraph.storage.tx import Tx

INSTANCE = "frail-payouts"


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till


@pytest.fixture
def frail(till: Till) -> Frail:
    return install(till.world)


@pytest.fixture
def asked(till: Till) -> Frail:
    """The same provider, where it can be asked by our key."""
    return install(till.world, by_key=True)


def cancel(office: Office, payout: Payout) -> Payout:
    world = office.till.world
    request = world.request("payoutCancel", office.viewer)
    return world.run(decide.cancel(world.tools, office.viewer, request, payout.id)).value


def deny(office: Office, payout: Payout) -> Payout:
    world = office.till.world
    request = world.request("payoutDeny", office.finance)
    return world.run(decide.deny(world.tools, office.finance, request, payout.id, note="No")).value


def lied_to(till: Till, frail: Frail, office: Office) -> Payout:
    """A payout that its provider took, though it said that it did not."""
    frail.refusing, frail.lying = "unavailable", True
    payout = approved(office)
    till.tick()
    after = till.payout(payout)
    assert (after.state, after.attempts) == (PayoutState.APPROVED, 1)
    assert list(frail.payouts) == [payout.key]
    return after


def tell(till: Till, payout: Payout, seen: sdk.ItemOutcome) -> bool:
    """What a signed webhook of the provider does."""
    tools, target = till.world.tools, sdk.Target(payout.key, "")
    told = sdk.Notice("n1", target, sdk.NoticeKind.PAYOUT, seen, till.world.clock())
    return till.world.write(lambda tx: payout_notices.notified(tools, tx, INSTANCE, told))


def money_of(till: Till, payout: Payout) -> sdk.Paid:
    return sdk.Paid("ref", sdk.Money(payout.amount_minor, payout.currency), till.world.clock())


def test_a_payout_that_went_out_after_all_is_paid_once(till: Till, frail: Frail) -> None:
    office = open_office(till)
    payout = lied_to(till, frail, office)
    assert tell(till, payout, money_of(till, payout))
    assert till.payout(payout).state is PayoutState.PAID
    assert office.balances == Balances(0, 0, 0, 1_000)
    with pytest.raises(errors.ValidationError):
        cancel(office, payout)
    calls = len(frail.calls)
    till.tick(days=1)
    assert not [call for call in frail.calls[calls:] if call.startswith("submit")]


def test_money_that_came_back_after_a_wrong_answer_is_available_again(till: Till, frail: Frail) -> None:
    office = open_office(till)
    payout = lied_to(till, frail, office)
    back = sdk.Returned("ref", sdk.Money(1_000, "EUR"), "AC04", till.world.clock())
    assert tell(till, payout, back)
    assert till.payout(payout).state is PayoutState.RETURNED
    assert office.balances == Balances(0, 1_000, 0, 0)


def test_money_seen_on_a_payout_that_never_went_out_flags_it_and_stops_it(till: Till, frail: Frail) -> None:
    office = open_office(till)
    payout = approved(office)
    assert tell(till, payout, money_of(till, payout))
    flagged = till.payout(payout)
    assert (flagged.state, flagged.review) == (PayoutState.APPROVED, PayoutReview.PAID_AFTER_FAILURE)
    till.tick()
    assert frail.calls == []
    for decision in (cancel, deny):
        with pytest.raises(errors.ValidationError) as refused:
            decision(office, payout)
        assert refused.value.code == "PAYOUT_STATE"
    assert office.balances.in_payout_coins == 1_000


def test_coins_do_not_go_back_while_the_provider_has_the_payout(till: Till, asked: Frail) -> None:
    office = open_office(till)
    payout = lied_to(till, asked, office)
    with pytest.raises(errors.ValidationError):
        cancel(office, payout)
    assert till.payout(payout).state is PayoutState.SUBMITTED
    assert office.balances.in_payout_coins == 1_000


@pytest.mark.parametrize("decision", [cancel, deny])
def test_coins_do_not_go_back_while_the_provider_does_not_say(till: Till, asked: Frail, decision: object) -> None:
    office = open_office(till)
    payout = lied_to(till, asked, office)
    asked.deaf = True
    with pytest.raises(errors.ValidationError):
        decision(office, payout)  # type: ignore[operator]
    assert till.payout(payout).state is PayoutState.APPROVED
    assert office.balances.in_payout_coins == 1_000


def test_coins_go_back_once_the_provider_was_asked_and_has_nothing(till: Till, asked: Frail) -> None:
    office = open_office(till)
    asked.refusing = "unavailable"
    payout = approved(office)
    till.tick()
    asked.calls.clear()
    assert cancel(office, payout).state is PayoutState.CANCELLED
    assert asked.calls == ["fetch"]
    assert office.balances.available_coins == 1_000


def test_a_creator_cannot_make_us_ask_about_anothers_payout(till: Till, asked: Frail) -> None:
    office = open_office(till)
    payout = lied_to(till, asked, office)
    asked.calls.clear()
    stranger = open_office(till, "vega")
    with pytest.raises(errors.NotFoundError):
        cancel(stranger, payout)
    assert asked.calls == []


def test_without_its_plugin_a_payout_that_was_sent_is_not_taken_back(till: Till, frail: Frail) -> None:
    office = open_office(till)
    payout = lied_to(till, frail, office)
    tools = till.world.tools
    till.world.tools = replace(tools, providers=replace(tools.providers, payouts={}))
    with pytest.raises(errors.ValidationError):
        cancel(office, payout)


def test_a_payout_is_looked_for_before_it_is_sent_again(till: Till, asked: Frail) -> None:
    office = open_office(till)
    payout = lied_to(till, asked, office)
    asked.refusing, asked.lying = None, False
    asked.calls.clear()
    till.tick(minutes=10)
    assert till.payout(payout).state is PayoutState.SUBMITTED
    assert not [call for call in asked.calls if call.startswith("submit")]


@pytest.mark.parametrize(
    ("deaf", "lying", "state"),
    [
        (False, False, PayoutState.NOT_EXECUTED),
        (False, True, PayoutState.SUBMITTED),
        (True, True, PayoutState.UNKNOWN),
    ],
)
def test_a_last_refusal_is_checked_before_coins_go_back(
    till: Till, asked: Frail, *, deaf: bool, lying: bool, state: PayoutState
) -> None:
    office = open_office(till)
    asked.refusing, asked.lying, asked.deaf = "recipient_closed", lying, deaf
    payout = approved(office)
    till.tick()
    assert till.payout(payout).state is state
    assert office.balances.available_coins == (1_000 if state is PayoutState.NOT_EXECUTED else 0)


def test_a_batch_that_lost_a_payout_to_another_is_never_handed_over_again(till: Till, frail: Frail) -> None:
    offices = [open_office(till), open_office(till, "vega")]
    one, other = [approved(office) for office in offices]
    frail.losing = 1
    till.tick()
    assert till.payout(one).state is till.payout(other).state is PayoutState.UNKNOWN

    def move_on(tx: Tx) -> None:
        stored = payouts.get(tx, other.id)
        batch = Batch("batch_2", INSTANCE, "k", tx.now, tx.now)
        batch_rows.insert(tx, batch)
        payouts.save(tx, replace(stored, batch_id=batch.id, revision=stored.revision + 1))

    till.world.write(move_on)
    till.tick(seconds=6)
    assert [call for call in frail.calls if call.startswith("submit")] == ["submit 1"]


def test_one_risky_creator_does_not_hold_the_others(till: Till, frail: Frail) -> None:
    frail.risky = {"DE66"}
    risky, fine = open_office(till, "vega", "DE66"), open_office(till)
    held, sent = approved(risky), approved(fine)
    till.tick()
    assert (till.payout(held).state, till.payout(held).hold_code) == (PayoutState.HELD, HoldCode.RISK)
    assert till.payout(sent).state is PayoutState.SUBMITTED
    assert sorted(frail.reviews) == [["DE00"], ["DE66"]]


def test_finance_releases_what_the_risk_review_holds(till: Till, frail: Frail) -> None:
    frail.review = sdk.Verdict.DENY
    office = open_office(till)
    payout = approved(office)
    till.tick()
    assert till.payout(payout).state is PayoutState.HELD
    office.approve(payout, till.world.staff("finance"))
    frail.refusing = "unavailable"
    till.tick()
    assert till.payout(payout).state is PayoutState.APPROVED
    frail.refusing = None
    till.tick(minutes=10)
    assert till.payout(payout).state is PayoutState.SUBMITTED
    assert len(frail.reviews) == 1


def test_another_hold_does_not_let_a_payout_past_the_risk_review(till: Till, frail: Frail) -> None:
    office = open_office(till)
    office.earn(1_000)
    payout, world = office.ask(1_000), till.world
    request = world.request("payoutHold", office.finance)
    held = decide.hold(world.tools, office.finance, request, payout.id, code=HoldCode.IDENTITY, note="Who is it?")
    world.run(held)
    frail.review = sdk.Verdict.HOLD
    office.approve(payout)
    till.tick()
    assert till.payout(payout).state is PayoutState.HELD
    assert frail.calls == []


def test_a_look_that_began_too_early_proves_nothing(till: Till, asked: Frail) -> None:
    office = open_office(till)
    payout, tools = approved(office), till.world.tools
    till.world.write(lambda tx: send._reserve(tools, tx, INSTANCE, [payout]))
    till.world.write(lambda tx: payouts.look_soon(tx, payout.id))
    asked.meanwhile = lambda: till.world.clock.move(minutes=5)
    till.tick(seconds=5)
    assert asked.calls == ["fetch"]
    assert till.payout(payout).state is PayoutState.UNKNOWN
    assert office.balances.in_payout_coins == 1_000
    asked.meanwhile = lambda: None
    till.tick(minutes=1)
    assert till.payout(payout).state is PayoutState.NOT_EXECUTED
    assert office.balances.available_coins == 1_000
