"""Payouts through a real simulator: limits, decisions, every ending, crashes, and each coin in one place."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.services.till import Till, open_till
from tests.services.world import BOOKS, new_id
from tests.storage.databases import Place

from shoutgraph.domain import accounts, errors, ids, payouts as rules, postings
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.earnings import Balances, Earning, EarningKind, EarningState
from shoutgraph.domain.onboarding import Onboarding
from shoutgraph.domain.pages import PageArgs
from shoutgraph.domain.payouts import HoldCode, Payout, PayoutReview, PayoutState
from shoutgraph.domain.recipients import RECIPIENTS_EVER_MAX, RECIPIENTS_MAX, Recipient, RecipientState
from shoutgraph.domain.users import Viewer
from shoutgraph.domain.wallets import LockReason
from shoutgraph.services import earnings as earning_services
from shoutgraph.services.payouts import decide, onboard, read, request as requests, send
from shoutgraph.services.payouts.request import NewRecipient, Wish
from shoutgraph.storage import batches as batch_rows, earnings, journal, ledger as books, payouts, recipients, wallets
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done

ONE_DAY = timedelta(days=1)
FIRST_PAGE = PageArgs(20, None, backward=False)


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till


class Office:
    """A creator with earnings and a recipient, and finance."""

    def __init__(self, till: Till, name: str = "nova") -> None:
        self.till = till
        self.viewer, self.creator, _ = till.world.creator(name)
        self.finance = till.world.staff("finance")
        self.recipient = self.add("DE89 3704 0044 0532 0130 00")

    def add(self, ref: str) -> Recipient:
        wish = NewRecipient("sandbox-payouts", "My bank", ref)
        asked = self.till.world.request("payoutRecipientCreate", self.viewer, ref=ref)
        return self.till.world.run(requests.add_recipient(self.till.world.tools, self.viewer, asked, wish)).value

    def earn(self, coins: int, *, ripe: bool = True) -> Earning:
        """Earnings as the order room makes them: posted and stored in one unit of work."""
        world, order_id = self.till.world, ids.OrderId(new_id(ids.ORDER))

        def work(tx: Tx) -> Earning:
            earning = Earning(
                id=new_id(ids.EARNING),
                creator_id=self.creator.id,
                kind=EarningKind.COMPENSATION,
                subject_id=order_id,
                coins=coins,
                fee_coins=0,
                earned_at=tx.now,
                matures_at=tx.now if ripe else tx.now + ONE_DAY,
            )
            transfer = postings.creator_compensated(BOOKS, order_id=order_id, creator_id=self.creator.id, coins=coins)
            books.post(tx, transfer)
            earnings.insert(tx, earning)
            return earning

        earning = world.write(work)
        world.run(earning_services.mature_due(world.tools))
        return earning

    def ask(self, coins: int, *, key: str | None = None, recipient: str | None = None) -> Payout:
        world = self.till.world
        asked = world.request("payoutRequest", self.viewer, key, coins=coins)
        wish = Wish(coins, recipient or self.recipient.id)
        return world.run(requests.request(world.tools, self.viewer, asked, wish)).value

    def approve(self, payout: Payout, viewer: Viewer | None = None) -> Payout:
        world, by = self.till.world, viewer or self.finance
        asked = world.request("payoutApprove", by, payout=payout.id)
        return world.run(decide.approve(world.tools, by, asked, payout.id)).value

    def send(self, coins: int) -> Payout:
        """Earns, asks, approves and sends."""
        self.earn(coins)
        payout = self.approve(self.ask(coins))
        self.till.tick()
        return self.till.payout(payout)

    @property
    def balances(self) -> Balances:
        world = self.till.world
        return world.run(earning_services.summary(world.tools, self.viewer)).balances


@pytest.fixture
def office(till: Till) -> Office:
    return Office(till)


def test_an_earning_waits_for_its_hold(office: Office, till: Till) -> None:
    office.earn(1_500, ripe=False)
    assert office.balances == Balances(1_500, 0, 0, 0)
    with pytest.raises(errors.InsufficientCoinsError):
        office.ask(1_500)
    till.tick(days=1, seconds=1)
    assert office.balances == Balances(0, 1_500, 0, 0)


def test_a_payout_sets_the_oldest_earnings_aside_until_it_is_paid(office: Office, till: Till) -> None:
    first, second = office.earn(1_000), office.earn(1_000)
    payout = office.ask(1_400)
    assert payout.state is PayoutState.REQUESTED
    assert office.balances == Balances(0, 600, 1_400, 0)
    parts = till.world.read(lambda tx: payouts.list_of_parts(tx, payout.id))
    assert {part.earning_id: part.coins for part in parts} == {first.id: 1_000, second.id: 400}
    office.approve(payout)
    till.tick()
    assert till.payout(payout).state is PayoutState.SUBMITTED
    till.control("advance", seconds=10)
    till.tick(minutes=1)
    assert till.payout(payout).state is PayoutState.PAID
    assert office.balances == Balances(0, 600, 0, 1_400)
    rows = till.world.read(lambda tx: earnings.list_of_page(tx, office.creator.id, FIRST_PAGE))
    states = [each.state for each in rows]
    assert states == [EarningState.AVAILABLE, EarningState.PAID]
    assert till.cash(instance="sandbox-payouts") == -1_400


@pytest.mark.parametrize(
    ("coins", "first", "last", "after"),
    [
        (1_000, PayoutState.SUBMITTED, PayoutState.PAID, Balances(0, 0, 0, 1_000)),
        (1_021, PayoutState.REJECTED, PayoutState.REJECTED, Balances(0, 1_021, 0, 0)),
        (1_022, PayoutState.SUBMITTED, PayoutState.RETURNED, Balances(0, 1_022, 0, 0)),
        (1_023, PayoutState.SUBMITTED, PayoutState.SUBMITTED, Balances(0, 0, 1_023, 0)),
    ],
)
def test_each_magic_amount_ends_as_it_should(
    office: Office, till: Till, coins: int, first: PayoutState, last: PayoutState, after: Balances
) -> None:
    payout = office.send(coins)
    assert payout.state is first
    till.control("advance", seconds=30)
    till.tick(days=1)
    assert till.payout(payout).state is last
    assert office.balances == after


def test_paid_money_that_comes_back_is_available_again(office: Office, till: Till) -> None:
    payout = office.send(1_000)
    till.control("advance", seconds=3)
    till.tick(minutes=1)
    assert till.payout(payout).state is PayoutState.PAID
    (there,) = till.seen("payouts")
    till.control(f"payouts/{there['id']}/return")
    till.tick(days=7, seconds=1)
    assert till.payout(payout).state is PayoutState.RETURNED
    assert office.balances == Balances(0, 1_000, 0, 0)
    assert till.cash(instance="sandbox-payouts") == 0


def test_the_same_key_asks_once(office: Office) -> None:
    office.earn(5_000)
    one = office.ask(1_000, key="a-key-for-one-payout")
    assert office.ask(1_000, key="a-key-for-one-payout").id == one.id
    assert office.balances.in_payout_coins == 1_000


def test_the_limits_of_the_policy_hold(office: Office) -> None:
    office.earn(150_000)
    for coins, code in ((999, "PAYOUT_MIN"), (100_001, "PAYOUT_DAY")):
        with pytest.raises(errors.LimitExceededError) as refused:
            office.ask(coins)
        assert refused.value.code == code
    office.ask(60_000)
    with pytest.raises(errors.LimitExceededError):
        office.ask(50_000)
    office.till.tick(days=1, seconds=1)
    office.ask(50_000)


def test_a_denied_payout_gives_the_earnings_back_and_does_not_count(office: Office, till: Till) -> None:
    office.earn(100_000)
    payout = office.ask(100_000)
    asked = till.world.request("payoutDeny", office.finance)
    deny = decide.deny(till.world.tools, office.finance, asked, payout.id, note="Not now")
    denied = till.world.run(deny).value
    assert (denied.state, denied.note) == (PayoutState.DENIED, "Not now")
    assert office.balances == Balances(0, 100_000, 0, 0)
    office.ask(100_000)


def test_a_recipient_is_removed_once_nothing_is_on_its_way_there(office: Office, till: Till) -> None:
    office.earn(2_000)
    world, other = till.world, office.add("a second account")
    asked = office.ask(1_000, recipient=other.id)

    def remove(recipient_id: str, key: str | None = None) -> Done[Recipient]:
        request = world.request("payoutRecipientRemove", office.viewer, key, of=recipient_id)
        return world.run(onboard.remove(world.tools, office.viewer, request, recipient_id))

    with pytest.raises(errors.ValidationError) as busy:
        remove(other.id)
    assert (busy.value.code, busy.value.path) == ("RECIPIENT_IN_USE", ("input", "recipientId"))
    office.approve(asked)
    till.tick()
    till.control("advance", seconds=60)
    till.tick(minutes=5)
    assert till.payout(asked).state is PayoutState.PAID
    first, again = (remove(other.id, "k" * 20) for _ in range(2))
    assert (first.value.ref, first.value.removed_at is None) == ("", False)
    assert again == Done(first.value, replayed=True)
    shown = world.run(read.list_of_recipients(world.tools, office.viewer))
    assert [each.id for each in shown] == [office.recipient.id]
    for work in (lambda: remove(other.id), lambda: office.ask(1_000, recipient=other.id)):
        with pytest.raises(errors.NotFoundError):
            work()
    told = world.read(lambda tx: journal.list_of_topic(tx, other.id, after=0, limit=5))
    assert [(each.type, each.body) for each in told] == [("recipient.removed", {"creator": office.creator.id})]


def declined(office: Office, count: int) -> None:
    """Recipients whom their provider does not take."""

    def work(tx: Tx) -> None:
        state, now, instance = RecipientState.NEEDS_ACTION, tx.now, "sandbox-payouts"
        for _ in range(count):
            of = new_id(ids.RECIPIENT)
            recipients.insert(tx, Recipient(of, office.creator.id, instance, "Mine", "", state, now))
            told = Onboarding(of, office.creator.id, instance, of, "DE", "EUR", "https://star.example", now, now)
            given_up = replace(told, state=RecipientState.DECLINED)
            recipients.insert_onboarding(tx, given_up, look_at=now + ONE_DAY)

    office.till.world.write(work)


def test_recipients_that_were_declined_take_nobodys_place_until_there_are_very_many(office: Office, till: Till) -> None:
    declined(office, RECIPIENTS_MAX)
    for number in range(RECIPIENTS_MAX - 1):
        office.add(f"account {number}")
    with pytest.raises(errors.LimitExceededError) as full:
        office.add("one too many")
    assert (full.value.code, full.value.limit) == ("RECIPIENTS", RECIPIENTS_MAX)
    assert len(till.world.run(read.list_of_recipients(till.world.tools, office.viewer))) == 2 * RECIPIENTS_MAX
    other = Office(till, "vega")
    declined(other, RECIPIENTS_EVER_MAX - 1)
    with pytest.raises(errors.LimitExceededError) as ever:
        other.add("one too many")
    assert (ever.value.code, ever.value.limit) == ("RECIPIENTS", RECIPIENTS_EVER_MAX)


def test_a_held_payout_says_why_and_can_still_be_approved(office: Office, till: Till) -> None:
    office.earn(1_000)
    payout = office.ask(1_000)
    asked = till.world.request("payoutHold", office.finance)
    hold = decide.hold(
        till.world.tools, office.finance, asked, payout.id, code=HoldCode.IDENTITY, note="Send a document"
    )
    held = till.world.run(hold).value
    assert (held.state, held.hold_code, held.note) == (PayoutState.HELD, HoldCode.IDENTITY, "Send a document")
    till.tick()
    assert till.seen("payouts") == []
    assert office.approve(payout).hold_code is None


def test_a_creator_takes_a_payout_back_before_it_is_sent(office: Office, till: Till) -> None:
    office.earn(1_000)
    payout = office.ask(1_000)

    def cancel() -> Payout:
        asked = till.world.request("payoutCancel", office.viewer)
        return till.world.run(decide.cancel(till.world.tools, office.viewer, asked, payout.id)).value

    assert cancel().state is PayoutState.CANCELLED
    assert office.balances.available_coins == 1_000
    with pytest.raises(errors.ValidationError):
        cancel()


def test_only_finance_decides_and_nobody_about_their_own(office: Office, till: Till) -> None:
    office.earn(1_000)
    payout = office.ask(1_000)
    with pytest.raises(errors.ForbiddenError):
        office.approve(payout, office.viewer)
    both = Viewer(office.viewer.user_id, office.creator.id, office.finance.scopes, office.viewer.principal)
    with pytest.raises(errors.ForbiddenError):
        office.approve(payout, both)
    with pytest.raises(errors.ForbiddenError):
        till.world.run(read.page(till.world.tools, office.viewer, read.QUEUE, FIRST_PAGE))
    queue = till.world.run(read.page(till.world.tools, office.finance, read.QUEUE, FIRST_PAGE))
    assert [each.id for each in queue.items] == [payout.id]


def test_another_creators_payout_and_recipient_do_not_exist(office: Office, till: Till) -> None:
    office.earn(1_000)
    payout = office.ask(1_000)
    stranger, _, _ = till.world.creator("vega")
    found = till.world.run(read.list_by_id(till.world.tools, stranger, [payout.id]))
    assert found == [None]
    assert till.world.run(read.recipients_by_id(till.world.tools, stranger, [office.recipient.id])) == [None]
    asked = till.world.request("payoutRequest", stranger)
    wish = Wish(1_000, office.recipient.id)
    with pytest.raises(errors.NotFoundError):
        till.world.run(requests.request(till.world.tools, stranger, asked, wish))


def test_a_locked_wallet_stops_payouts_before_and_after_approval(office: Office, till: Till) -> None:
    office.earn(3_000)
    approved = office.approve(office.ask(1_000))
    user_id = office.viewer.user_id
    assert user_id is not None
    topup_id = ids.TopupId(new_id(ids.TOPUP))
    till.world.write(lambda tx: wallets.lock(tx, user_id, reason=LockReason.DISPUTE, topup_id=topup_id))
    with pytest.raises(errors.WalletLockedError):
        office.ask(1_000)
    till.tick()
    held = till.payout(approved)
    assert (held.state, held.hold_code, held.decided_by) == (PayoutState.HELD, HoldCode.RISK, send.SYSTEM)


def test_payouts_of_many_creators_go_in_one_batch(office: Office, till: Till) -> None:
    others = [office]
    for name in ("vega", "lyra"):
        other = Office.__new__(Office)
        other.till, other.finance = till, office.finance
        other.viewer, other.creator, _ = till.world.creator(name)
        other.recipient = other.add("DE00")
        others.append(other)
    for each in others:
        each.earn(1_000)
        each.approve(each.ask(1_000))
    till.tick()
    assert len({row["batch_id"] for row in till.seen("payouts")}) == 1
    assert len(till.seen("payouts")) == 3


def test_a_crash_before_the_provider_was_asked_gives_the_earnings_back(office: Office, till: Till) -> None:
    payout = reserve(office)
    till.tick(seconds=60)
    assert till.payout(payout).state is PayoutState.SUBMITTING
    till.tick(seconds=31)
    assert till.payout(payout).state is PayoutState.NOT_EXECUTED
    assert office.balances.available_coins == 1_000


def test_a_crash_after_the_provider_was_asked_pays_once(office: Office, till: Till) -> None:
    payout = reserve(office)
    world = till.world
    batch = world.read(lambda tx: batch_rows.get(tx, payouts.get(tx, payout.id).batch_id or ""))
    recipient = {office.recipient.id: office.recipient}
    asked = send.request_of(batch.key, [till.payout(payout)], recipient, attempt=1)
    world.run(world.tools.providers.payout("sandbox-payouts").submit(asked))
    till.control("advance", seconds=10)
    till.tick(seconds=91)
    assert till.payout(payout).state is PayoutState.PAID
    assert len(till.seen("payouts")) == 1


def reserve(office: Office) -> Payout:
    """What the first unit of work of sending leaves behind when the process dies."""
    office.earn(1_000)
    payout = office.approve(office.ask(1_000))
    tools = office.till.world.tools
    office.till.world.write(lambda tx: send._reserve(tools, tx, "sandbox-payouts", [payout]))
    return payout


def test_what_is_unknown_for_long_is_flagged_and_stays_set_aside(office: Office, till: Till) -> None:
    payout = reserve(office)

    def doubt(tx: Tx) -> None:
        stored = payouts.get(tx, payout.id)
        payouts.save(tx, replace(stored, state=PayoutState.UNKNOWN, ref="lost", revision=stored.revision + 1))

    till.world.write(doubt)
    till.tick(hours=2)
    after = till.payout(payout)
    assert (after.state, after.review) == (PayoutState.UNKNOWN, PayoutReview.UNKNOWN_FOR_LONG)
    assert office.balances.in_payout_coins == 1_000


def test_a_webhook_tells_that_a_payout_arrived_and_a_repeat_changes_nothing(office: Office, till: Till) -> None:
    payout = office.send(1_000)
    till.control("advance", seconds=10)
    till.hear(lambda: till.payout(payout).state is PayoutState.PAID)
    body, headers, _ = till.hooks[-1]
    before = till.world.read(lambda tx: journal.head(tx).seq)
    assert till.post_hook(body, headers, "sandbox-payouts").status_code == 200
    assert till.world.read(lambda tx: journal.head(tx).seq) == before
    assert office.balances == Balances(0, 0, 0, 1_000)


def test_the_key_at_the_provider_follows_from_the_account(office: Office, till: Till) -> None:
    office.earn(2_000)
    account = accounts.available(office.creator.id).code
    version = till.world.read(lambda tx: wallets.account_version(tx, account))
    payout = office.ask(1_000)
    assert payout.key == rules.key_of(account, version)
    assert office.ask(1_000).key != payout.key


def test_a_recipient_is_plain_text_of_a_known_provider(office: Office, till: Till) -> None:
    def add(**changes: Any) -> None:
        values = {"provider_code": "sandbox-payouts", "label": "Bank", "ref": "DE00"} | changes
        asked = till.world.request("payoutRecipientCreate", office.viewer, **changes)
        till.world.run(requests.add_recipient(till.world.tools, office.viewer, asked, NewRecipient(**values)))

    add()
    for changes, kind in (
        ({"label": " "}, errors.ValidationError),
        ({"ref": "x" * 257}, errors.ValidationError),
        ({"ref": "DE\n00"}, errors.ValidationError),
        ({"provider_code": "sandbox"}, errors.ProviderUnavailableError),
    ):
        with pytest.raises(kind):
            add(**changes)
    office.viewer = till.world.person("ada")
    with pytest.raises(errors.ForbiddenError):
        add()


def test_finance_reads_the_earnings_of_a_creator(office: Office, till: Till) -> None:
    office.earn(1_000)
    creator: Creator = office.creator
    tools, run = till.world.tools, till.world.run
    assert run(earning_services.summary(tools, office.viewer)).balances.available_coins == 1_000
    assert run(earning_services.summary(tools, office.finance, creator.id)).balances.available_coins == 1_000
    assert len(run(earning_services.page(tools, office.finance, FIRST_PAGE, creator.id)).items) == 1
    with pytest.raises(errors.ForbiddenError):
        run(earning_services.summary(tools, till.world.person("ada"), creator.id))
