"""Money from several processes at once: each coin and each cent is in one place, and is sent once."""

from datetime import timedelta

import pytest
from tests.services.bank import PAYOUTS
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import ROUNDS, coins_of, done, seller, someone, told, wallet_of, won
from tests.services.world import BOOKS, new_id

from shoutgraph.domain import accounts, errors, ids, postings
from shoutgraph.domain.earnings import Balances, Earning, EarningKind
from shoutgraph.domain.notices import NoticeState
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.payouts import Payout, PayoutState
from shoutgraph.domain.recipients import RECIPIENTS_MAX, Recipient
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import earnings as earning_jobs, payouts as payout_jobs, reconcile
from shoutgraph.services import earnings as earning_services, wallets as wallet_services
from shoutgraph.services.payouts import decide, request as payout_requests
from shoutgraph.services.payouts.request import NewRecipient, Wish
from shoutgraph.storage import earnings, ledger as books, payouts
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done

pytestmark = pytest.mark.postgresql_only


# Money that comes in


def test_a_payment_is_credited_once_however_many_tell_of_it(processes: Processes) -> None:
    for _ in range(ROUNDS):
        fan = someone(processes)
        topup = processes.run(processes.buy(fan, 1_000)).value
        processes.bank.settle(topup)
        one, other, look = processes.tell(topup), processes.tell(topup), processes.look(topup)
        results = processes.at_once(one, one, other, look, other, look, one, one)
        states = [receipt.state for receipt in results if not isinstance(receipt, int)]
        assert states.count(NoticeState.APPLIED) == 2
        assert states.count(NoticeState.REPEATED) == 4
        assert processes.world.wallet(fan) == (1_000, 0, 0)
        assert told(processes, wallet_of(fan)) == ["wallet.credited"]


def test_all_payments_of_one_fan_are_credited(processes: Processes) -> None:
    for _ in range(ROUNDS):
        fan = someone(processes)
        bought = [processes.run(processes.buy(fan, 1_000)).value for _ in range(COUNT)]
        for topup in bought:
            processes.bank.settle(topup)
        processes.at_once(*map(processes.tell, bought))
        assert processes.world.wallet(fan) == (1_000 * COUNT, 0, 0)


def test_one_key_buys_once(processes: Processes) -> None:
    for number in range(ROUNDS):
        results = processes.everywhere(processes.buy(someone(processes), 1_000, key=f"the-purchase-{number:012d}"))
        assert len({topup.id for topup in done(results)}) == 1
        assert sorted(each.replayed for each in results) == [False, *[True] * (COUNT - 1)]


def test_coins_that_are_charged_back_while_they_are_spent_follow_the_money(processes: Processes) -> None:
    for _ in range(ROUNDS):
        fan, (_, _, offer) = someone(processes), seller(processes)
        topup = processes.bought(fan, 2_000)
        processes.bank.settle(topup, disputed=2_000)
        one, other = processes.order(fan, offer.id), processes.order(fan, offer.id)
        results = processes.at_once(one, processes.tell(topup), other, processes.look(topup))
        assert len(done(results)) + len(won(results, errors.WalletLockedError)) == 2
        for order in done(results):
            assert processes.world.order(order).close_reason == "payment_reversed"
        found = coins_of(processes, fan)
        assert (found.available_coins, found.held_coins, found.debt_coins) == (0, 0, 0)
        (late,) = processes.at_once(processes.order(fan, offer.id))
        assert isinstance(late, errors.WalletLockedError)


def test_an_order_is_completed_or_charged_back(processes: Processes) -> None:
    for _ in range(ROUNDS // 2):
        fan, (creator, profile, offer) = someone(processes), seller(processes)
        topup = processes.bought(fan, 1_500)
        order = processes.delivered(fan, creator, offer.id)
        processes.bank.settle(topup, disputed=1_500)
        confirm = processes.move(fan, order, "confirm", Actor.FAN)
        results = processes.at_once(confirm, processes.tell(topup))
        completed = processes.world.order(order).state is State.COMPLETED
        assert completed == (len(won(results, Done)) == 1)
        found = coins_of(processes, fan)
        assert (found.available_coins, found.held_coins) == (0, 0)
        assert found.debt_coins == (1_000 if completed else 0)
        assert processes.world.balance(accounts.pending(profile.id).code) == (700 if completed else 0)


def test_a_debt_is_undone_or_repaid_once(processes: Processes) -> None:
    for _ in range(ROUNDS // 2):
        fan, (creator, _, offer) = someone(processes), seller(processes)
        topup = processes.bought(fan, 1_000)
        order = processes.delivered(fan, creator, offer.id)
        processes.run(processes.move(fan, order, "confirm", Actor.FAN))
        processes.bank.settle(topup, disputed=1_000)
        processes.run(processes.tell(topup))
        assert coins_of(processes, fan).debt_coins == 1_000
        more = processes.run(processes.buy(fan, 600)).value
        processes.bank.settle(more)
        processes.bank.settle(topup, disputed=1_000, won=1_000)
        processes.at_once(processes.tell(more), processes.tell(topup))
        found = coins_of(processes, fan)
        assert (found.available_coins, found.debt_coins) == (600, 0)


def test_a_wallet_is_unlocked_once(processes: Processes) -> None:
    finance = processes.world.staff("finance")
    for _ in range(ROUNDS // 2):
        fan = someone(processes)
        topup = processes.bought(fan, 1_000)
        processes.bank.settle(topup, disputed=1_000)
        processes.run(processes.tell(topup))
        opened = processes.at_once(*(unlocking(processes, finance, fan) for _ in range(COUNT)))
        assert {wallet.lock for wallet in done(opened)} == {None}
        assert told(processes, wallet_of(fan)).count("wallet.unlocked") == 1


def unlocking(processes: Processes, finance: Viewer, fan: Viewer) -> Call[object]:
    asked = processes.world.request("walletUnlock", finance)
    return lambda tools: wallet_services.unlock(tools, finance, asked, str(fan.user_id))


# Money that goes out


class Office:
    """A creator with a recipient, and finance."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        self.viewer, self.creator, _ = seller(processes)
        self.finance = processes.world.staff("finance")
        self.recipient = processes.run(self.adding()).value

    def adding(self) -> Call[Done[Recipient]]:
        wish = NewRecipient(PAYOUTS, "My bank", new_id("iban"))
        asked = self.processes.world.request("payoutRecipientCreate", self.viewer, ref=wish.ref)
        return lambda tools: payout_requests.add_recipient(tools, self.viewer, asked, wish)

    def earn(self, *amounts: int, days: int = 0) -> None:
        """Earnings as the order room makes them; those without a hold are made available."""

        def work(tx: Tx) -> None:
            for coins in amounts:
                order_id = ids.OrderId(new_id(ids.ORDER))
                posting = postings.creator_compensated(
                    BOOKS, order_id=order_id, creator_id=self.creator.id, coins=coins
                )
                books.post(tx, posting)
                matures_at = tx.now + timedelta(days=days)
                earning = Earning(
                    new_id(ids.EARNING),
                    self.creator.id,
                    EarningKind.COMPENSATION,
                    order_id,
                    coins,
                    0,
                    tx.now,
                    matures_at,
                )
                earnings.insert(tx, earning)

        self.processes.world.write(work)
        if not days:
            self.processes.run(earning_jobs.tick)

    def asking(self, coins: int, *, key: str | None = None) -> Call[Done[Payout]]:
        asked = self.processes.world.request("payoutRequest", self.viewer, key, coins=coins)
        wish = Wish(coins, self.recipient.id)
        return lambda tools: payout_requests.request(tools, self.viewer, asked, wish)

    def approving(self, payout: Payout) -> Call[Done[Payout]]:
        asked = self.processes.world.request("payoutApprove", self.finance)
        return lambda tools: decide.approve(tools, self.finance, asked, payout.id)

    def denying(self, payout: Payout) -> Call[Done[Payout]]:
        asked = self.processes.world.request("payoutDeny", self.finance)
        return lambda tools: decide.deny(tools, self.finance, asked, payout.id, note="No")

    def cancelling(self, payout: Payout) -> Call[Done[Payout]]:
        asked = self.processes.world.request("payoutCancel", self.viewer)
        return lambda tools: decide.cancel(tools, self.viewer, asked, payout.id)

    def approved(self, coins: int) -> Payout:
        payout = self.processes.run(self.asking(coins)).value
        return self.processes.run(self.approving(payout)).value

    def now(self, payout: Payout) -> Payout:
        return self.processes.world.read(lambda tx: payouts.get(tx, payout.id))

    @property
    def balances(self) -> Balances:
        return self.processes.run(lambda tools: earning_services.summary(tools, self.viewer)).balances

    def check_parts(self) -> None:
        """What its earnings say is what its accounts say."""
        rows = self.processes.world.read(lambda tx: earnings.list_of_free(tx, self.creator.id))
        assert sum(earning.remaining_coins for earning in rows) == self.balances.available_coins


def test_every_earning_matures_once(processes: Processes) -> None:
    for _ in range(ROUNDS // 2):
        offices = [Office(processes) for _ in range(3)]
        for office in offices:
            office.earn(*[100] * 10, days=1)
        processes.world.clock.move(days=1, seconds=1)
        counts = processes.at_once(*[earning_jobs.tick] * (2 * COUNT))
        assert sum(counts) == 30
        for office in offices:
            assert office.balances == Balances(0, 1_000, 0, 0)


def test_earnings_are_asked_for_once(processes: Processes) -> None:
    for _ in range(ROUNDS):
        office = Office(processes)
        office.earn(800, 800, 900)
        results = processes.at_once(*(office.asking(1_500) for _ in range(COUNT)))
        assert len(done(results)) == 1
        assert len(won(results, errors.InsufficientCoinsError)) == COUNT - 1
        assert office.balances == Balances(0, 1_000, 1_500, 0)
        office.check_parts()


def test_the_limit_of_a_day_holds(processes: Processes) -> None:
    for _ in range(ROUNDS // 2):
        office = Office(processes)
        office.earn(*[50_000] * 5)
        results = processes.at_once(*(office.asking(40_000) for _ in range(COUNT)))
        assert len(done(results)) == 2
        assert {refusal.code for refusal in won(results, errors.LimitExceededError)} == {"PAYOUT_DAY"}


def test_a_payout_is_decided_once(processes: Processes) -> None:
    for _ in range(ROUNDS):
        office = Office(processes)
        office.earn(1_000)
        payout = processes.run(office.asking(1_000)).value
        results = processes.at_once(
            office.denying(payout), office.cancelling(payout), office.denying(payout), office.cancelling(payout)
        )
        assert len(done(results)) == 1
        assert {refusal.code for refusal in won(results, errors.ValidationError)} == {"PAYOUT_STATE"}
        assert office.balances == Balances(0, 1_000, 0, 0)
        office.check_parts()


def test_earnings_that_come_back_are_not_lost_while_others_are_taken(processes: Processes) -> None:
    for _ in range(ROUNDS):
        office = Office(processes)
        office.earn(5_000)
        first, second = (processes.run(office.asking(coins)).value for coins in (1_000, 1_500))
        results = processes.at_once(office.denying(first), office.asking(2_000), office.cancelling(second))
        assert len(done(results)) == 3
        assert office.balances == Balances(0, 3_000, 2_000, 0)
        office.check_parts()


def test_a_payout_is_sent_once_by_many_workers(processes: Processes) -> None:
    for _ in range(ROUNDS // 2):
        offices = [Office(processes) for _ in range(3)]
        for office in offices:
            office.earn(2_500)
        waiting = [office.approved(coins) for office in offices for coins in (1_000, 1_500)]
        before = len(processes.bank.sent())
        processes.everywhere(payout_jobs.tick)
        sent = processes.bank.sent()[before:]
        assert sorted(sent) == sorted(payout.key for payout in waiting)
        assert {offices[0].now(payout).state for payout in waiting} == {PayoutState.SUBMITTED}


def test_a_payout_is_sent_or_cancelled(processes: Processes) -> None:
    for _ in range(ROUNDS):
        office = Office(processes)
        office.earn(1_000)
        payout = office.approved(1_000)
        before = len(processes.bank.sent())
        processes.at_once(payout_jobs.tick, office.cancelling(payout), payout_jobs.tick, office.denying(payout))
        gone = office.now(payout).state is PayoutState.SUBMITTED
        assert len(processes.bank.sent()) - before == gone
        assert office.balances == (Balances(0, 0, 1_000, 0) if gone else Balances(0, 1_000, 0, 0))


def test_a_payout_that_is_paid_and_comes_back_is_booked_once(processes: Processes) -> None:
    for _ in range(ROUNDS // 2):
        office = Office(processes)
        office.earn(1_000, 1_000)
        payout = office.approved(1_500)
        processes.run(payout_jobs.tick)
        processes.world.clock.move(hours=1)
        processes.at_once(*[reconcile.tick] * COUNT)
        assert office.now(payout).state is PayoutState.PAID
        assert office.balances == Balances(0, 500, 0, 1_500)
        processes.bank.back.add(payout.key)
        processes.world.clock.move(days=30)
        processes.at_once(*[reconcile.tick] * COUNT)
        assert office.now(payout).state is PayoutState.RETURNED
        assert office.balances == Balances(0, 2_000, 0, 0)
        office.check_parts()


def test_a_creator_has_no_more_recipients_than_one_may(processes: Processes) -> None:
    office = Office(processes)
    results = processes.at_once(*(office.adding() for _ in range(RECIPIENTS_MAX + COUNT)))
    assert len(done(results)) == RECIPIENTS_MAX - 1
    assert {refusal.code for refusal in won(results, errors.LimitExceededError)} == {"RECIPIENTS"}
