"""What two decide at once, on both databases: one does, and the other is told so; the books balance."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

from tests.services.bank import TOPUPS
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import ROUNDS, coins_of, done, seller, someone, told, wallet_of, won

from shoutgraph import sdk
from shoutgraph.domain import errors
from shoutgraph.domain.adjustments import AdjustmentReason, AdjustmentState
from shoutgraph.domain.debts import WriteOffState
from shoutgraph.domain.money import BOOK_UNITS_PER_MINOR, Money
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.strays import StrayKind
from shoutgraph.domain.suspense import Line, SuspenseState, Told
from shoutgraph.domain.topups.refund import Refund
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import earnings as earning_jobs
from shoutgraph.jobs.sweep import KINDS
from shoutgraph.services import restore
from shoutgraph.services.money import debts, suspense
from shoutgraph.services.orders import adjust, timers
from shoutgraph.services.orders.moves import Turn
from shoutgraph.services.topups import withdraw
from shoutgraph.storage import suspending, suspense as rows
from shoutgraph.tools import Tools


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


def test_a_line_is_placed_by_two_people_or_explained(processes: Processes) -> None:
    """Two confirm it while the real event comes: one of them ends it, and the money is there once."""
    finance = processes.world.staff("finance")
    others = [replace(finance, principal=f"staff:finance-{number}") for number in range(2)]
    for number in range(ROUNDS):
        fan, before = someone(processes), cash_of(processes)
        topup = processes.run(processes.buy(fan, 900)).value
        processes.bank.settle(topup)
        processes.run(taking_in(topup))
        (line,) = lines_of(processes, topup)
        wish = suspense.Wish(line.id, line.revision, "rev:packs:EUR", "the letter of May")
        asked = processes.world.request("suspensePropose", finance)
        said = processes.run(lambda tools, as_=asked, of=wish: suspense.propose(tools, finance, as_, of)).value
        calls = [
            *(deciding(processes, suspense.confirm, who, suspense.Wish(line.id, said.revision)) for who in others),
            processes.tell(topup) if number % 4 == 0 else listing(processes, topup),
            taking_in(topup),
        ]
        results = processes.at_once(*calls[number % 4 :], *calls[: number % 4])
        placed = [each for each in done(results) if isinstance(each, Line)]
        refused = won(results, errors.StaleRevisionError)
        assert (len(placed), len(refused)) in {(1, 1), (0, 2)}
        processes.run(listing(processes, topup))  # the next sweep puts right what met another process
        first, *later = lines_of(processes, topup)
        assert first.state is (SuspenseState.PLACED if placed else SuspenseState.CLEARED)
        waiting = [each.amount_minor for each in later if each.ended_at is None]
        assert waiting == ([-900] if placed else []), "what was placed is there for people to undo"
        assert cash_of(processes) - before == 900, "the money is there once"
        assert coins_of(processes, fan).available_coins == 900
    processes.verify()


def taking_in(topup: Topup) -> Call[None]:
    """What a sweep does that looked before anybody knew of the payment."""

    def work(tools: Tools) -> Awaitable[None]:
        told = Told(topup.instance, topup.id, f"ref-{topup.id}", Money(900, "EUR"), tools.clock())
        return tools.store.write(lambda tx: suspending.take_in(tx, tools.new_id, told))

    return work


def listing(processes: Processes, topup: Topup) -> Call[Any]:
    """A sweep that lists the payment."""
    target = sdk.Target(topup.id, topup.id, f"ref-{topup.id}")
    listed = sdk.Listed(target, processes.bank.seen(topup.id), processes.world.clock())
    return lambda tools: restore.take(tools, topup.instance, StrayKind.TOPUP, listed, KINDS[StrayKind.TOPUP])


def lines_of(processes: Processes, topup: Topup) -> list[Line]:
    of = {"instance": topup.instance, "operation_id": topup.id, "ref": None}
    return processes.world.read(lambda tx: rows.list_of_movement(tx, **of))


def cash_of(processes: Processes) -> int:
    """Our money at the bank by the books. Units: minor units."""
    return -processes.world.balance(f"cash:psp:{TOPUPS}:EUR") // BOOK_UNITS_PER_MINOR


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


def deciding(processes: Processes, decide: Any, who: Viewer, subject: object) -> Call[Any]:
    asked = processes.world.request("decide", who)
    return lambda tools: decide(tools, who, asked, subject)
