"""What two decide at once, on both databases: one does, and the other is told so; the books balance."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, cast

from tests.services.bank import TOPUPS
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import ROUNDS, coins_of, done, seller, someone, told, wallet_of, won

from shoutgraph import sdk
from shoutgraph.domain import errors
from shoutgraph.domain.adjustments import AdjustmentReason, AdjustmentState
from shoutgraph.domain.debts import WriteOffState
from shoutgraph.domain.money import BOOK_UNITS_PER_MINOR, Money
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.privacy import Erasure, ErasureState
from shoutgraph.domain.requests import Request
from shoutgraph.domain.strays import StrayKind
from shoutgraph.domain.suspense import Line, SuspenseState, Told
from shoutgraph.domain.topups.refund import Refund, RefundState
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import earnings as earning_jobs
from shoutgraph.jobs.sweep import KINDS
from shoutgraph.services import restore
from shoutgraph.services.money import debts, suspense
from shoutgraph.services.orders import adjust, timers
from shoutgraph.services.orders.moves import Turn
from shoutgraph.services.privacy import erase
from shoutgraph.services.topups import refund, withdraw
from shoutgraph.storage import engine, requests, suspending, suspense as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Store, Tools, once

T = TypeVar("T")


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


def test_a_held_refund_is_decided_once(processes: Processes) -> None:
    finance = processes.world.staff("finance")
    others = [replace(finance, principal=f"staff:finance-{number}") for number in range(2)]
    processes.bank.holds = True
    for _ in range(ROUNDS // 2):
        fan = someone(processes)
        topup = processes.bought(fan, 1_000)
        held = processes.run(withdrawing(processes, fan, topup)).value
        assert (held.state, coins_of(processes, fan).available_coins) == (RefundState.HELD, 0)
        back = {"reverse_orders": timers.reverse_orders}
        results = processes.at_once(
            *(deciding(processes, partial(refund.approve, **back), who, held.id) for who in others),
            deciding(processes, partial(refund.deny, **back), others[0], held.id),
        )
        (ended,) = done(results)
        assert [refusal.code for refusal in won(results, errors.ValidationError)] == ["REFUND_STATE"] * 2
        denied = ended.state is RefundState.DENIED
        assert coins_of(processes, fan).available_coins == (1_000 if denied else 0)
    processes.bank.holds = False
    processes.world.verify()


def test_nobody_is_erased_while_an_order_of_theirs_begins(processes: Processes) -> None:
    admin = processes.world.staff("admin")
    for _ in range(ROUNDS // 2):
        fan, (creator, _, offer) = someone(processes, 1_000), seller(processes)
        placed, erased = processes.at_once(processes.order(fan, offer.id), erasing(admin, creator))
        if done([placed]):
            assert isinstance(erased, errors.ValidationError), erased
            assert erased.code == "OPEN_ORDERS"
        else:
            assert isinstance(placed, errors.CreatorUnavailableError | errors.NotFoundError), placed
            assert isinstance(erased, Erasure), erased
            assert erased.state is ErasureState.DONE


def test_a_person_is_erased_once_by_whoever_asks_for_it(processes: Processes) -> None:
    admin = processes.world.staff("admin")
    fan = someone(processes)
    results = processes.everywhere(erasing(admin, fan))
    assert {(each.id, each.state) for each in won(results, Erasure)} == {(results[0].id, ErasureState.DONE)}
    assert told(processes, results[0].id).count("erasure.changed") == 2, "it began once and ended once"


def test_a_key_that_is_forgotten_just_while_it_is_asked_for_is_used_once_more(processes: Processes) -> None:
    """It was taken when the claim looked, and gone when the answer was looked for: seven days were over between."""
    who = processes.world.staff("finance")
    request = processes.world.request("noteMake", who)
    first, later = Note("note_1"), Note("note_2")
    assert processes.run(noting(request, first)) == Done(first)
    processes.world.clock.move(days=8)
    behind = replace(processes.each[0], store=Forgetful(processes.each[0].store, processes.each[1].store))
    assert processes.world.run(noting(request, later)(behind)) == Done(later), "nobody remembers the first"
    assert processes.run(noting(request, Note("note_3"))) == Done(later, replayed=True), "and the second is kept"


@dataclass(frozen=True)
class Note:
    """Something that a mutation makes."""

    id: str


def noting(request: Request, note: Note) -> Call[Done[Note]]:
    return lambda tools: once(tools, request, lambda _: note, lambda _, of: Note(of), made=note.id)


@dataclass(frozen=True)
class Forgetful:
    """A store in which old keys are forgotten after the first statement of every unit of work: by another process
    where there are several, and else, where nobody can come between, by an earlier part of the same one.
    """

    own: Store
    other: Store

    async def write(self, work: Callable[[Tx], T], *, refused: Callable[..., None] | None = None) -> T:
        return await self.own.write(lambda tx: work(cast("Tx", Between(tx, self._forget))), refused=refused)

    async def read(self, query: Callable[[Tx], T]) -> T:
        return await self.own.read(query)

    def _forget(self, tx: Tx) -> None:
        if not tx.shared:
            assert requests.prune(tx) > 0
        elif isinstance(self.other, engine.Store):
            assert self.other.write_now(requests.prune) > 0


class Between:
    """A unit of work to which something happens once, after its first statement."""

    def __init__(self, tx: Tx, happens: Callable[[Tx], None]) -> None:
        self._tx, self._happens = tx, happens
        self._happened = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    def one(self, statement: Any, /, **params: object) -> Any:
        found = self._tx.one(statement, **params)
        if not self._happened:
            self._happened = True
            self._happens(self._tx)
        return found


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


def erasing(admin: Viewer, who: Viewer) -> Call[Erasure]:
    return lambda tools: erase.erase_now(tools, admin, str(who.user_id))
