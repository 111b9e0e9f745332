"""What one worker has taken up, others leave alone until its lease runs out; and who comes late then changes nothing.

The workers are of one process: their units of work come between each other's calls, which is what leases are about.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.services import slow as provider
from tests.services.slow import PAYOUTS, TOPUPS, Slow
from tests.services.test_payouts import Office
from tests.services.till import PRICES, Till
from tests.services.world import World

from shoutgraph import sdk
from shoutgraph.domain import errors
from shoutgraph.domain.notices import NoticeState
from shoutgraph.domain.payouts import Payout, PayoutState
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import payouts as payout_jobs, reconcile
from shoutgraph.services import notices, packages
from shoutgraph.services.payouts import look as payout_looks, request as requests, send
from shoutgraph.services.payouts.request import NewRecipient
from shoutgraph.services.topups import look as topup_looks
from shoutgraph.storage import notices as notice_rows, payouts, topups as topup_rows

SECOND = timedelta(seconds=1)


@pytest.fixture
def till(world: World) -> Iterator[Till]:
    world.run(packages.load(world.tools, world.staff("admin"), PRICES))
    yield Till(world, "")
    world.run(world.tools.providers.aclose())


@pytest.fixture
def fan(world: World) -> Viewer:
    return world.person("ada")


def open_office(till: Till) -> Office:
    """A creator who is paid by the slow provider."""
    office = Office.__new__(Office)
    office.till, office.finance = till, till.world.staff("finance")
    office.viewer, office.creator, _ = till.world.creator()
    asked = till.world.request("payoutRecipientCreate", office.viewer)
    wish = NewRecipient(PAYOUTS, "Bank", "DE00")
    office.recipient = till.world.run(requests.add_recipient(till.world.tools, office.viewer, asked, wish)).value
    return office


def approved(office: Office, *amounts: int) -> list[Payout]:
    office.earn(sum(amounts))
    return [office.approve(office.ask(coins)) for coins in amounts]


def due(till: Till, topup: Topup) -> None:
    """The provider hinted at something."""
    till.world.write(lambda tx: topup_rows.look_soon(tx, topup.id))


class Workers:
    """Rounds of jobs that run at once."""

    def __init__(self, till: Till, slow: Slow) -> None:
        self.tools, self.clock, self.slow = till.world.tools, till.world.clock, slow
        self.running: list[asyncio.Task[Any]] = []

    async def begin(self, work: Awaitable[Any], *, held: int = 1) -> "asyncio.Task[Any]":
        """Starts a round, and returns when so many calls are held."""
        task = asyncio.ensure_future(work)
        self.running.append(task)  # type: ignore[arg-type]
        await self.slow.reached(held)
        return task  # type: ignore[return-value]

    def move(self, by: timedelta) -> None:
        self.clock.now += by


# Looks at money that comes in


def test_a_payment_that_is_looked_at_is_left_alone(till: Till, fan: Viewer) -> None:
    slow = provider.install(till.world)
    topup = till.buy(fan, 1_000, provider_code=TOPUPS).value
    due(till, topup)
    slow.held.add("fetch")

    async def story() -> None:
        workers = Workers(till, slow)
        first = await workers.begin(reconcile.tick(workers.tools))
        assert await reconcile.tick(workers.tools) == 0
        slow.let_go()
        assert await first == 1

    till.world.run(story())
    assert slow.calls.count("fetch") == 1


def test_who_comes_late_does_not_give_another_lease_back(till: Till, fan: Viewer) -> None:
    slow = provider.install(till.world)
    topup = till.buy(fan, 1_000, provider_code=TOPUPS).value
    due(till, topup)
    slow.held.add("fetch")

    async def story() -> None:
        workers = Workers(till, slow)
        late = await workers.begin(reconcile.tick(workers.tools))
        workers.move(topup_looks.LEASE + SECOND)
        second = await workers.begin(reconcile.tick(workers.tools), held=2)
        slow.let_go()
        await late
        workers.move(timedelta(seconds=30))  # the late one's next look would be due, were it the one to say when
        assert await reconcile.tick(workers.tools) == 0
        slow.let_go()
        await second

    till.world.run(story())
    assert slow.calls.count("fetch") == 2
    slow.held.clear()
    assert till.tick(minutes=5) == 1, "and the second one said when to look next"


def test_a_hint_during_a_look_is_another_look(till: Till, fan: Viewer) -> None:
    slow = provider.install(till.world)
    topup = till.buy(fan, 1_000, provider_code=TOPUPS).value
    due(till, topup)
    slow.held.add("fetch")

    async def story() -> None:
        workers = Workers(till, slow)
        first = await workers.begin(reconcile.tick(workers.tools))
        workers.move(timedelta(seconds=1))
        await workers.tools.store.write(lambda tx: topup_rows.look_soon(tx, topup.id))
        slow.held.clear()
        assert await reconcile.tick(workers.tools) == 0, "it is leased"
        slow.let_go()
        await first
        assert await reconcile.tick(workers.tools) == 1

    till.world.run(story())
    assert slow.calls.count("fetch") == 2


def test_a_worker_that_stood_still_does_not_ask_for_money(till: Till, fan: Viewer) -> None:
    slow = provider.install(till.world)
    slow.held.add("review topup")

    async def stand_still() -> None:
        await slow.reached()
        till.world.clock.move(seconds=45)
        slow.let_go()

    standing = till.world.loop.create_task(stand_still())
    with pytest.raises(errors.ProviderUnavailableError):
        till.buy(fan, 1_000, provider_code=TOPUPS)
    till.world.run(standing)
    assert "create" not in slow.calls
    assert till.tick(hours=1) == 0, "nothing was asked, and so there is nothing to look at"


# Payouts


def test_payouts_that_are_being_sent_are_left_alone(till: Till) -> None:
    slow = provider.install(till.world)
    (payout,) = approved(open_office(till), 1_000)
    slow.held.add("review payout")

    async def story() -> None:
        workers = Workers(till, slow)
        first = await workers.begin(payout_jobs.tick(workers.tools))
        assert await payout_jobs.tick(workers.tools) == 0
        slow.let_go()
        assert await first == 1

    till.world.run(story())
    assert slow.calls == ["review payout", "submit"]
    assert till.payout(payout).state is PayoutState.SUBMITTED


def test_a_sender_whose_lease_ran_out_sends_nothing(till: Till) -> None:
    slow = provider.install(till.world)
    approved(open_office(till), 1_000)
    slow.held.add("review payout")

    async def story() -> None:
        workers = Workers(till, slow)
        late = await workers.begin(payout_jobs.tick(workers.tools))
        workers.move(send.LEASE + SECOND)
        second = await workers.begin(payout_jobs.tick(workers.tools), held=2)
        slow.let_go()
        await late
        assert "submit" not in slow.calls
        slow.let_go()
        await second

    till.world.run(story())
    assert slow.calls == ["review payout", "review payout", "submit"]


def test_a_sender_that_stood_still_sends_nothing_and_another_sends_later(till: Till) -> None:
    slow = provider.install(till.world)
    (payout,) = approved(open_office(till), 1_000)
    ahead = replace(till.world.tools, clock=lambda: till.world.clock() + timedelta(seconds=61))
    assert till.world.run(payout_jobs.tick(ahead)) == 1
    assert "submit" not in slow.calls
    again = till.payout(payout)
    assert (again.state, again.attempts) == (PayoutState.APPROVED, 1)
    till.tick(minutes=5)
    assert slow.calls.count("submit") == 1
    assert till.payout(payout).state is PayoutState.SUBMITTED


def test_payouts_that_are_looked_at_are_left_alone(till: Till) -> None:
    slow = provider.install(till.world)
    approved(open_office(till), 1_000)
    till.tick()
    till.world.clock.move(minutes=1)
    slow.held.add("fetch")

    async def story() -> None:
        workers = Workers(till, slow)
        late = await workers.begin(reconcile.tick(workers.tools))
        assert await reconcile.tick(workers.tools) == 0
        workers.move(payout_looks.LEASE + SECOND)
        second = await workers.begin(reconcile.tick(workers.tools), held=2)
        slow.let_go()
        await late
        assert await reconcile.tick(workers.tools) == 0
        slow.let_go()
        await second

    till.world.run(story())
    assert slow.calls.count("fetch") == 2


def test_a_batch_is_sent_again_by_one_of_those_who_look_at_its_payouts(till: Till) -> None:
    slow = provider.install(till.world, by_key=False)
    approved(open_office(till), 1_000, 1_100)
    slow.held.add("submit")

    async def lose() -> None:
        sending = asyncio.ensure_future(payout_jobs.tick(till.world.tools))
        await slow.reached()
        slow.let_go(sdk.Unknown("lost"))
        await sending

    till.world.run(lose())
    till.world.clock.move(minutes=2)

    async def story() -> None:
        workers = Workers(till, slow)
        looks = [asyncio.ensure_future(payout_looks.look_due(workers.tools, limit=1)) for _ in range(2)]
        first = await workers.begin(asyncio.gather(*looks))
        assert await payout_looks.look_due(workers.tools, limit=9) == 0, "each of the two has one"
        await asyncio.wait(looks, return_when=asyncio.FIRST_COMPLETED)  # the one that sends nothing
        workers.move(timedelta(seconds=60))
        assert await payout_looks.look_due(workers.tools, limit=9) == 0, "not before the answer is due"
        slow.let_go()
        await first

    till.world.run(story())
    assert slow.calls.count("submit") == 2


def test_a_late_no_of_the_first_attempt_is_no_proof_once_there_is_a_second(till: Till) -> None:
    slow = provider.install(till.world, by_key=False)
    (payout,) = approved(open_office(till), 1_000)
    slow.held.add("submit")

    async def story() -> None:
        workers = Workers(till, slow)
        late = await workers.begin(payout_jobs.tick(workers.tools))
        workers.move(timedelta(minutes=2))  # its answer is overdue
        second = await workers.begin(payout_looks.look_due(workers.tools, limit=9), held=2)
        slow.let_go(sdk.NotExecuted("insufficient_funds"))
        await late
        found = await workers.tools.store.read(lambda tx: payouts.get(tx, payout.id))
        assert found.state is PayoutState.UNKNOWN, "the second attempt may be paid"
        slow.let_go()
        await second

    till.world.run(story())
    assert till.payout(payout).state is PayoutState.SUBMITTED


# Webhooks and videos


def test_a_delivery_that_was_left_behind_is_taken_up_by_one(world: World) -> None:
    stored = notices.Stored(None, "nobody", bytes(32), b"{}", {}, "", "127.0.0.1", world.clock())
    number = world.write(lambda tx: notice_rows.insert(tx, stored))
    claim = {"older_than": timedelta(minutes=1), "tries_max": 8, "lease": timedelta(minutes=2), "limit": 10}
    assert world.write(lambda tx: notice_rows.claim_waiting(tx, **claim)) == ()
    world.clock.move(minutes=2)
    (taken,) = world.write(lambda tx: notice_rows.claim_waiting(tx, **claim))
    assert taken.number == number
    assert world.write(lambda tx: notice_rows.claim_waiting(tx, **claim)) == ()
    assert not world.read(lambda tx: notice_rows.has_waiting(tx, older_than=timedelta(), tries_max=8))
    world.clock.move(minutes=2)
    assert len(world.write(lambda tx: notice_rows.claim_waiting(tx, **claim))) == 1, "its worker is gone"
    assert world.write(lambda tx: notice_rows.tried(tx, number, pause=timedelta(minutes=1), detail="it broke")) == 1
    assert world.write(lambda tx: notice_rows.claim_waiting(tx, **claim)) == (), "it has a pause"
    world.clock.move(seconds=61)
    assert len(world.write(lambda tx: notice_rows.claim_waiting(tx, **claim))) == 1
    world.write(lambda tx: notice_rows.mark(tx, number, NoticeState.REFUSED))
    world.clock.move(minutes=3)
    assert world.write(lambda tx: notice_rows.claim_waiting(tx, **claim)) == ()
