"""Money from several processes at once: each coin and each cent is in one place, and is sent once."""

import pytest
from tests.services.bank import Pause
from tests.services.office import Office
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import ROUNDS, coins_of, done, seller, someone, told, wallet_of, won

from shoutgraph.domain import accounts, errors
from shoutgraph.domain.earnings import Balances
from shoutgraph.domain.notices import NoticeState
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.domain.recipients import RECIPIENTS_MAX
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import earnings as earning_jobs, payouts as payout_jobs, reconcile
from shoutgraph.services import wallets as wallet_services
from shoutgraph.tools import Done, Tools

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


def test_one_key_places_one_order(processes: Processes) -> None:
    _, _, offer = seller(processes)
    fan = someone(processes)
    processes.world.give_coins(fan, 1_000 * ROUNDS)
    for number in range(ROUNDS):
        results = processes.everywhere(processes.order(fan, offer.id, key=f"the-only-order-{number:012d}"))
        assert len({order.id for order in done(results)}) == 1
        assert sorted(each.replayed for each in results) == [False, *[True] * (COUNT - 1)]
    assert processes.world.wallet(fan) == (0, 0, 1_000 * ROUNDS)


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


def test_an_answer_and_a_look_that_come_at_once_are_both_kept(processes: Processes) -> None:
    for _ in range(ROUNDS // 2):
        office = Office(processes)
        office.earn(1_000, 1_000)
        group = [office.approved(1_000) for _ in range(2)]
        processes.bank.pause = Pause()
        processes.at_once(payout_jobs.tick, looking_late(processes, processes.bank.pause))
        processes.bank.pause = None
        processes.world.clock.move(days=1)
        processes.run(reconcile.tick)
        assert {office.now(payout).state for payout in group} == {PayoutState.PAID}
        assert office.balances == Balances(0, 0, 0, 2_000)


def looking_late(processes: Processes, pause: Pause) -> Call[int]:
    """A look at payouts whose answer is overdue and comes at the same time."""

    async def work(tools: Tools) -> int:
        await pause.taken.wait()
        processes.world.clock.move(minutes=5)
        return await reconcile.tick(tools)

    return work


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


def test_a_recipient_is_removed_or_paid(processes: Processes) -> None:
    for _ in range(ROUNDS):
        office = Office(processes)
        office.earn(1_000)
        results = processes.at_once(office.asking(1_000), office.removing())
        asked = isinstance(results[0], Done)
        assert isinstance(results[1], errors.ValidationError if asked else Done)
        assert asked or isinstance(results[0], errors.NotFoundError)
        assert office.balances == (Balances(0, 0, 1_000, 0) if asked else Balances(0, 1_000, 0, 0))


def test_what_was_available_pays_a_debt_once_and_what_is_asked_for_does_not(processes: Processes) -> None:
    for _ in range(ROUNDS):
        office = Office(processes)
        office.earn(1_000, 400)
        office.owe(300)
        processes.at_once(earning_jobs.tick, office.asking(1_000), earning_jobs.tick, office.asking(1_200))
        processes.run(earning_jobs.tick)
        balances, owed = office.balances, office.owed
        assert balances.available_coins + balances.in_payout_coins == 1_400 - (300 - owed)
        assert not (owed and balances.available_coins), "what is left pays"
        office.check_parts()
