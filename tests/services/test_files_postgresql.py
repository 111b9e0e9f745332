"""Four processes on one PostgreSQL: a batch has one file, whoever writes it, and what a bank says of it counts once."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from tests.api.filerail import INSTANCE, TYPE, Rail, RailPlugin
from tests.services.office import Office
from tests.services.processes import Processes
from tests.services.racing import ROUNDS, done, won
from tests.services.world import new_id

from shoutgraph.domain import errors
from shoutgraph.domain.bank_files import BankFile, Content
from shoutgraph.domain.batches import Batch, BatchFilter, BatchState
from shoutgraph.domain.pages import PageArgs
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.jobs import payouts as payout_jobs
from shoutgraph.plugins import loading
from shoutgraph.plugins.providers import Providers
from shoutgraph.plugins.statements import Statements
from shoutgraph.services.payouts import look, rail as carrying, request as payout_requests, send, statements
from shoutgraph.services.payouts.request import NewRecipient
from shoutgraph.storage import bank_files, batches, payouts
from shoutgraph.tools import Tools

pytestmark = pytest.mark.postgresql_only
T = TypeVar("T")
Call = Callable[[Tools], Awaitable[T]]


@pytest.fixture
def rail() -> Rail:
    return Rail()


@pytest.fixture
def providers(processes: Processes, rail: Rail) -> Iterator[Providers]:
    world = processes.world
    setup = loading.Setup(
        instances={INSTANCE: {"plugin": "bank"}},
        environ={},
        clock=world.clock,
        monotonic=world.loop.time,
        extra={"rail": RailPlugin(rail)},
        discover=False,
        strict=True,
    )
    loaded = loading.load(setup)
    processes.each = [replace(tools, providers=loaded) for tools in processes.each]
    yield loaded
    world.run(loaded.aclose())


class FileOffice(Office):
    """A creator who is paid by files."""

    def adding(self) -> Any:
        wish = NewRecipient(INSTANCE, "My bank", new_id("iban"))
        asked = self.processes.world.request("payoutRecipientCreate", self.viewer, ref=wish.ref)
        return lambda tools: payout_requests.add_recipient(tools, self.viewer, asked, wish)


def files_of(processes: Processes, batch: Batch) -> list[BankFile]:
    return processes.world.read(lambda tx: bank_files.list_of_batches(tx, [batch.id]))[batch.id]


def all_batches(processes: Processes) -> list[Batch]:
    args = PageArgs(size=100, key=None, backward=False)
    return processes.world.read(lambda tx: batches.list_of_page(tx, args, BatchFilter(INSTANCE)))


def test_what_many_workers_send_at_once_is_one_batch_with_one_file(processes: Processes, providers: Providers) -> None:
    assert providers.payouts
    for at in range(ROUNDS // 2):
        office = FileOffice(processes)
        office.earn(3_000)
        group = [office.approved(1_000) for _ in range(3)]
        processes.everywhere(payout_jobs.tick)
        found = {office.now(payout).batch_id for payout in group}
        made = [batch for batch in all_batches(processes) if batch.id in found]
        assert sum(len(files_of(processes, batch)) for batch in made) == len(made) == len(found), at
        assert {office.now(payout).state for payout in group} == {PayoutState.SUBMITTING}
        assert {batch.state for batch in made} == {BatchState.EXPORTED}


def test_a_call_that_several_make_for_one_batch_leaves_one_file(
    processes: Processes, providers: Providers, rail: Rail
) -> None:
    assert providers.payouts
    for at in range(ROUNDS // 2):
        office, rail.files = FileOffice(processes), False
        office.earn(1_000)
        payout = office.approved(1_000)
        processes.run(payout_jobs.tick)  # no file came of it
        assert office.now(payout).state is PayoutState.UNKNOWN
        rail.files, rail.salt = True, str(at)
        processes.world.clock.move(minutes=3)
        processes.world.write(lambda tx, at=payout.id: payouts.look_soon(tx, at))  # type: ignore[misc]
        stored = next(batch for batch in all_batches(processes) if batch.id == office.now(payout).batch_id)
        late = replace(stored, answer_due_at=processes.world.clock() + send.ANSWER_DUE)
        again: Call[Any] = lambda tools, late=late: send.hand_over(tools, late)  # type: ignore[misc] # noqa: E731
        looking: Call[Any] = lambda tools: look.look_due(tools, limit=10)  # noqa: E731
        processes.at_once(again, looking, again, looking)
        (batch,) = [each for each in all_batches(processes) if each.id == stored.id]
        assert (len(files_of(processes, batch)), batch.state, batch.alarm) == (1, BatchState.EXPORTED, None)
        assert office.now(payout).state is PayoutState.SUBMITTING


def test_a_file_is_handed_over_or_discarded_and_a_statement_counts_once(
    processes: Processes, providers: Providers
) -> None:
    assert providers.payouts
    for _ in range(ROUNDS // 2):
        office = FileOffice(processes)
        office.earn(1_000)
        payout = office.approved(1_000)
        processes.run(payout_jobs.tick)
        batch_id = office.now(payout).batch_id or ""
        told = Content("told.txt", TYPE, f"paid {payout.key} 1000".encode())
        results = processes.at_once(
            carried(processes, office, carrying.hand_over, batch_id),
            carried(processes, office, carrying.discard, batch_id),
            lambda tools, told=told: statements.ingest(tools, Statements(), office.finance, INSTANCE, told),  # type: ignore[misc] # noqa: B023
            lambda tools, told=told: statements.ingest(tools, Statements(), office.finance, INSTANCE, told),  # type: ignore[misc] # noqa: B023
        )
        assert {each.code for each in won(results, errors.ValidationError)} <= {"BATCH_STATE", "BATCH_ALARM"}
        assert len(done(results)) <= 2
        assert office.now(payout).state is PayoutState.PAID
        assert (office.balances.available_coins, office.balances.paid_coins) == (0, 1_000)
        office.check_parts()


def carried(processes: Processes, office: Office, act: Any, batch_id: str) -> Call[Any]:
    asked = processes.world.request(new_id("carry"), office.finance)
    return lambda tools: act(tools, office.finance, asked, batch_id)
