"""Providers that lose answers, only hint, or are down: nothing is sent under another key, and nothing is sent twice."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.services.frail import WINDOW, Frail, install
from tests.services.test_payouts import Office
from tests.services.test_topups import all_topups
from tests.services.till import Till, open_till
from tests.storage.databases import Place

from shoutgraph import sdk
from shoutgraph.domain import errors
from shoutgraph.domain.payouts import HoldCode, Payout, PayoutState
from shoutgraph.domain.topups.topup import Status, Submission, Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import reconcile
from shoutgraph.services import notices
from shoutgraph.services.payouts import request as requests
from shoutgraph.services.payouts.request import NewRecipient
from shoutgraph.storage import notices as notice_rows


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till


@pytest.fixture
def frail(till: Till) -> Frail:
    return install(till.world)


@pytest.fixture
def fan(till: Till) -> Viewer:
    return till.world.person("ada")


def buy(till: Till, fan: Viewer, coins: int = 1_000, **changes: Any) -> Topup:
    return till.buy(fan, coins, **({"provider_code": "frail"} | changes)).value


def test_a_lost_answer_is_asked_for_again_with_the_same_key(till: Till, frail: Frail, fan: Viewer) -> None:
    frail.losing = 1
    topup = buy(till, fan)
    assert (topup.submission, topup.ref) == (Submission.UNKNOWN, None)
    till.tick(seconds=6)
    after = till.topup(topup)
    assert (after.status, after.attempts, after.ref) == (Status.PENDING, 2, f"ref-{topup.id}")
    assert frail.calls == ["create 1", "create 2"]
    assert list(frail.payments) == [topup.id]
    frail.paid = True
    till.tick(minutes=1)
    assert till.topup(topup).status is Status.PAID
    assert till.world.wallet(fan) == (1_000, 0, 0)


def test_a_look_that_began_too_early_does_not_prove_that_nothing_happened(till: Till, fan: Viewer) -> None:
    frail = install(till.world, by_key=True)
    frail.losing = 1
    topup = buy(till, fan)
    frail.payments.clear()  # the request is still on its way
    frail.meanwhile = lambda: till.world.clock.move(minutes=5)
    till.tick(seconds=6)
    assert frail.calls[-1] == "fetch"
    assert till.topup(topup).status is Status.PROCESSING
    frail.meanwhile = lambda: None
    till.tick(minutes=1)
    assert till.topup(topup).submission is Submission.NOT_EXECUTED


def test_after_its_window_a_key_is_never_sent_again(till: Till, frail: Frail, fan: Viewer) -> None:
    frail.losing = 100
    topup = buy(till, fan)
    for _ in range(6):
        till.tick(hours=6)
    sent = len(frail.calls)
    assert frail.calls[-1].startswith("create")
    till.world.clock.move(seconds=int(WINDOW.total_seconds()))
    till.tick()
    till.tick(days=1)
    assert len(frail.calls) == sent
    after = till.topup(topup)
    assert (after.status, after.submission) == (Status.PROCESSING, Submission.UNKNOWN)


def test_a_provider_that_is_down_charges_nothing(till: Till, frail: Frail, fan: Viewer) -> None:
    frail.refusing = "unavailable"
    with pytest.raises(errors.ProviderUnavailableError):
        buy(till, fan)
    (topup,) = till.world.read(lambda tx: all_topups(tx, fan))
    assert (topup.status, topup.submission) == (Status.FAILED, Submission.NOT_EXECUTED)
    till.tick(days=30)
    assert frail.calls == ["create"]


@pytest.mark.parametrize(
    ("verdict", "code", "retryable"), [(sdk.Verdict.HOLD, "risk_review", True), (sdk.Verdict.DENY, "risk", False)]
)
def test_the_risk_review_comes_before_the_provider(
    till: Till, frail: Frail, fan: Viewer, verdict: sdk.Verdict, code: str, *, retryable: bool
) -> None:
    frail.review = verdict
    with pytest.raises(errors.ProviderDeclinedError) as refused:
        buy(till, fan)
    assert (refused.value.decline_code, refused.value.retryable) == (code, retryable)
    assert frail.calls == []


@pytest.mark.parametrize("verdict", [sdk.Verdict.HOLD, sdk.Verdict.DENY])
def test_a_risk_that_is_seen_later_says_nothing_of_the_first_attempt(
    till: Till, frail: Frail, fan: Viewer, verdict: sdk.Verdict
) -> None:
    frail.losing = 1
    topup = buy(till, fan)
    frail.review = verdict
    till.tick(seconds=6)
    assert (till.topup(topup).status, frail.calls) == (Status.PROCESSING, ["create 1"])
    frail.review, frail.paid = sdk.Verdict.ALLOW, True
    till.tick(minutes=1)
    till.tick(minutes=3)
    assert till.topup(topup).status is Status.PAID


def test_a_hint_makes_us_look_and_says_nothing_itself(till: Till, frail: Frail, fan: Viewer) -> None:
    topup = buy(till, fan)
    frail.paid = True
    tools = till.world.tools
    arrived = hint(till, "frail", f"ref-{topup.id}")
    receipt = till.world.run(notices.Inbox(tools, reconcile.HANDLERS).receive(arrived))
    assert receipt.body == b"[accepted]"
    assert till.topup(topup).status is Status.PENDING
    till.tick()
    assert till.topup(topup).status is Status.PAID
    for name in ("ref-of-nobody", f"ref-{topup.id}"):
        till.world.run(notices.Inbox(tools, reconcile.HANDLERS).receive(hint(till, "frail", name)))
    till.tick()
    assert till.world.wallet(fan) == (1_000, 0, 0)
    assert till.world.read(notice_rows.find_oldest) is None, "what nobody signed is not stored"


def hint(till: Till, instance: str, body: str) -> notices.Stored:
    raw = body.encode()
    return notices.Stored(None, instance, bytes(32), raw, {}, "", "127.0.0.1", till.world.clock())


@pytest.fixture
def office(till: Till, frail: Frail) -> Office:
    assert frail.payouts == {}
    return open_office(till)


def open_office(till: Till, name: str = "nova", ref: str = "DE00") -> Office:
    """A creator who is paid by the frail provider."""
    office = Office.__new__(Office)
    office.till, office.finance = till, till.world.staff("finance")
    office.viewer, office.creator, _ = till.world.creator(name)
    wish = NewRecipient("frail-payouts", "Bank", ref)
    asked = till.world.request("payoutRecipientCreate", office.viewer)
    add = requests.add_recipient(till.world.tools, office.viewer, asked, wish)
    office.recipient = till.world.run(add).value
    return office


def approved(office: Office, coins: int = 1_000) -> Payout:
    office.earn(coins)
    return office.approve(office.ask(coins))


def test_a_lost_batch_is_handed_over_again_with_the_same_key(till: Till, frail: Frail, office: Office) -> None:
    frail.losing = 1
    payout = approved(office)
    till.tick()
    assert till.payout(payout).state is PayoutState.UNKNOWN
    till.tick(seconds=6)
    after = till.payout(payout)
    assert (after.state, after.ref) == (PayoutState.SUBMITTED, f"ref-{payout.key}")
    assert frail.calls == ["submit 1", "submit 2"]
    assert len(frail.payouts) == 1


def test_a_batch_is_not_handed_over_after_its_window_and_the_earnings_stay_set_aside(
    till: Till, frail: Frail, office: Office
) -> None:
    frail.losing = 100
    payout = approved(office)
    till.tick()
    till.tick(hours=25)
    sent = len(frail.calls)
    for _ in range(3):
        till.tick(days=1, seconds=1)
    assert len(frail.calls) == sent
    assert till.payout(payout).state is PayoutState.UNKNOWN
    assert office.balances.in_payout_coins == 1_000


def test_a_payout_that_provably_never_arrived_is_sent_again_later(till: Till, frail: Frail, office: Office) -> None:
    frail.refusing = "unavailable"
    payout = approved(office)
    till.tick()
    assert till.payout(payout).state is PayoutState.APPROVED
    assert till.tick(seconds=30) == 0
    frail.refusing = None
    till.tick(minutes=10)
    assert till.payout(payout).state is PayoutState.SUBMITTED
    assert list(frail.payouts) == [payout.key]


def test_a_payout_that_a_provider_will_not_take_gives_the_earnings_back(
    till: Till, frail: Frail, office: Office
) -> None:
    frail.refusing = "recipient_closed"
    payout = approved(office)
    till.tick()
    assert till.payout(payout).state is PayoutState.NOT_EXECUTED
    assert office.balances.available_coins == 1_000


def test_the_risk_review_holds_payouts(till: Till, frail: Frail, office: Office) -> None:
    frail.review = sdk.Verdict.HOLD
    payout = approved(office)
    till.tick()
    held = till.payout(payout)
    assert (held.state, held.hold_code) == (PayoutState.HELD, HoldCode.RISK)
    assert frail.calls == []


def test_a_hint_about_a_payout_makes_us_look(till: Till, frail: Frail, office: Office) -> None:
    payout = approved(office)
    till.tick()
    arrived = hint(till, "frail-payouts", payout.key)
    till.world.run(notices.Inbox(till.world.tools, reconcile.HANDLERS).receive(arrived))
    frail.calls.clear()
    till.tick()
    assert frail.calls == ["fetch"]


def test_money_waits_while_its_plugin_is_missing(till: Till, frail: Frail, office: Office) -> None:
    one, other = approved(office), approved(office, 2_000)
    tools = till.world.tools
    till.world.tools = replace(tools, providers=replace(tools.providers, payouts={}))
    till.tick()
    assert till.payout(one).state is PayoutState.APPROVED
    till.world.tools = tools
    till.tick()
    till.world.tools = replace(tools, providers=replace(tools.providers, payouts={}))
    till.tick(minutes=5)
    assert till.payout(other).state is PayoutState.SUBMITTED
    assert len(frail.payouts) == 2
