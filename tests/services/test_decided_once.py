"""What two decide at once, on both databases: one does, and the other is told so; the books balance."""

from dataclasses import replace
from typing import Any

from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import ROUNDS, coins_of, done, seller, someone, told, wallet_of, won

from shoutgraph.domain import errors
from shoutgraph.domain.adjustments import AdjustmentReason, AdjustmentState
from shoutgraph.domain.debts import WriteOffState
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.topups.refund import Refund
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import earnings as earning_jobs
from shoutgraph.services.money import debts
from shoutgraph.services.orders import adjust, timers
from shoutgraph.services.orders.moves import Turn
from shoutgraph.services.topups import withdraw


def test_a_write_off_is_decided_once(processes: Processes) -> None:
    finance = processes.world.staff("finance")
    others = [replace(finance, principal=f"staff:finance-{number}") for number in range(2)]
    for _ in range(ROUNDS // 2):
        fan = in_debt(processes)
        wish = debts.Wish(str(fan.user_id), "the letter of May")
        asked = processes.world.request("debtWriteOffPropose", finance)
        open_ = processes.run(lambda tools, as_=asked, of=wish: debts.propose(tools, finance, as_, of)).value
        results = processes.at_once(
            *(deciding(processes, debts.confirm, who, open_.id) for who in others),
            deciding(processes, debts.reject, others[0], open_.id),
        )
        (ended,) = done(results)
        assert [refusal.code for refusal in won(results, errors.ValidationError)] == ["WRITE_OFF_STATE"] * 2
        left = 0 if ended.state is WriteOffState.DONE else 1_000
        assert coins_of(processes, fan).debt_coins == left
        assert told(processes, wallet_of(fan)).count("wallet.debt_written_off") == (left == 0)
    processes.world.verify()


def test_goodwill_is_decided_once(processes: Processes) -> None:
    finance = processes.world.staff("finance")
    others = [replace(finance, principal=f"staff:finance-{number}") for number in range(2)]
    for _ in range(ROUNDS // 2):
        fan, (creator, _, offer) = someone(processes, 1_000), seller(processes)
        order = processes.delivered(fan, creator, offer.id)
        processes.run(processes.move(fan, order, "confirm", Actor.FAN))
        processes.world.clock.move(days=60)
        processes.run(earning_jobs.tick)
        asked = processes.world.request("orderGoodwillPropose", finance)
        turn, wish = Turn(order.id), adjust.Wish(AdjustmentReason.QUALITY, 400)
        open_ = processes.run(
            lambda tools, as_=asked, at=turn, of=wish: adjust.propose(tools, finance, as_, at, of)
        ).value
        results = processes.at_once(
            *(deciding(processes, adjust.approve, who, open_.id) for who in others),
            deciding(processes, adjust.deny, others[0], open_.id),
        )
        (ended,) = done(results)
        assert [refusal.code for refusal in won(results, errors.ValidationError)] == ["ADJUSTMENT_STATE"] * 2
        given = 400 if ended.state is AdjustmentState.DONE else 0
        assert coins_of(processes, fan).available_coins == given
    processes.world.verify()


def test_a_purchase_is_withdrawn_once_or_spent(processes: Processes) -> None:
    for number in range(ROUNDS // 2):
        fan, (_, _, offer) = someone(processes), seller(processes)
        topup = processes.bought(fan, 1_000)
        rivals = [withdrawing(processes, fan, topup) for _ in range(2)]
        spending = processes.order(fan, offer.id)
        calls = [spending, *rivals] if number % 2 else [*rivals, spending]
        (kept,) = done(processes.at_once(*calls))
        found = coins_of(processes, fan)
        assert (found.available_coins, found.debt_coins) == (0, 0)
        assert found.held_coins == (0 if isinstance(kept, Refund) else 1_000)
    processes.world.verify()


def test_a_purchase_is_withdrawn_in_parts_by_as_many_as_it_has(processes: Processes) -> None:
    fan = someone(processes)
    topup = processes.bought(fan, 1_000)
    results = processes.at_once(*(withdrawing(processes, fan, topup, 300) for _ in range(COUNT)))
    assert len(done(results)) == 3
    assert coins_of(processes, fan).available_coins == 100
    processes.world.verify()


def withdrawing(processes: Processes, fan: Viewer, topup: Topup, coins: int | None = None) -> Call[Any]:
    asked = processes.world.request("topUpWithdraw", fan)
    back = timers.reverse_orders
    return lambda tools: withdraw.withdraw(tools, fan, asked, topup.id, coins=coins, reverse_orders=back)


def in_debt(processes: Processes) -> Viewer:
    """A fan whose payment was charged back when its coins were spent."""
    fan, (creator, _, offer) = someone(processes), seller(processes)
    topup = processes.bought(fan, 1_000)
    order = processes.delivered(fan, creator, offer.id)
    processes.run(processes.move(fan, order, "confirm", Actor.FAN))
    processes.bank.settle(topup, disputed=1_000)
    processes.run(processes.tell(topup))
    return fan


def deciding(processes: Processes, decide: Any, who: Viewer, subject: str) -> Call[Any]:
    asked = processes.world.request("decide", who)
    return lambda tools: decide(tools, who, asked, subject)
