"""What a creator owes is paid by what they have earned, whichever of the two came first."""

from collections.abc import Iterator

import pytest
from tests.services.breaking import break_rows, mend_rows
from tests.services.test_payouts import Office
from tests.services.test_refunds import debt, spend
from tests.services.till import Till, open_till
from tests.storage.databases import Place

from shoutgraph.domain.payouts import PayoutState
from shoutgraph.jobs import earnings as jobs, payouts as payout_jobs, reconcile
from shoutgraph.services import wallets
from shoutgraph.storage import earnings, topups


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till
        till.world.verify()


def owe(coins: int, *offices: Office) -> None:
    """Lets creators, as fans, spend what is charged back then."""
    world, till = offices[0].till.world, offices[0].till
    _, star, _ = world.creator("star")
    group = []
    for office in offices:
        group.append(till.paid(office.viewer, coins))
        spend(world, office.viewer, star.id, coins)
    for topup in group:
        till.control(f"payments/{topup.id}/refund")
        world.write(lambda tx, of=topup.id: topups.look_soon(tx, of))
    world.run(reconcile.look_at_topups(world.tools))


def test_what_was_available_before_pays_in_the_next_round_and_once(till: Till) -> None:
    office, world = Office(till), till.world
    group = [office.earn(coins) for coins in (300, 200, 500)]
    owe(400, office)
    assert (office.balances.available_coins, debt(till, office.viewer)) == (1_000, 400)
    assert world.run(jobs.tick(world.tools)) == 1
    assert (office.balances.available_coins, debt(till, office.viewer)) == (600, 0)
    assert world.run(jobs.tick(world.tools)) == 0
    left = world.read(lambda tx: earnings.list_of(tx, [each.id for each in group]))
    assert [each.free_coins for each in left if each is not None] == [0, 100, 500], "the first matured pays first"


def test_what_is_asked_for_waits_until_the_debt_is_paid_and_goes_on(till: Till) -> None:
    office, world = Office(till), till.world
    office.earn(1_100)
    asked = office.ask(1_000)
    owe(300, office)
    office.approve(asked)
    assert world.run(jobs.tick(world.tools)) == 1
    assert (office.balances.available_coins, debt(till, office.viewer)) == (0, 200)
    world.run(payout_jobs.tick(world.tools))
    assert till.payout(asked).state is PayoutState.HELD
    office.earn(200)
    assert debt(till, office.viewer) == 0
    unlocked = world.request("walletUnlock", office.finance)
    world.run(wallets.unlock(world.tools, office.finance, unlocked, str(office.viewer.user_id)))
    world.clock.move(days=1)
    world.run(payout_jobs.tick(world.tools))
    assert till.payout(asked).state is not PayoutState.HELD, "what kept it back is paid"


def test_several_creators_pay_in_one_round_and_one_that_breaks_holds_up_no_other(
    till: Till, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    world, offices = till.world, [Office(till, name) for name in ("nova", "vega", "lyra")]
    group = [office.earn(300) for office in offices]
    owe(100, *offices)
    break_rows(place, "earning", group[1].id)
    assert world.run(jobs.tick(world.tools)) == 2
    assert [debt(till, office.viewer) for office in offices] == [0, 100, 0]
    assert [each.message for each in caplog.records] == [f"the withholding from {offices[1].creator.id} failed"]
    mend_rows(place, "earning", 1)
    world.clock.move(minutes=1)
    assert world.run(jobs.tick(world.tools)) == 1
    assert [office.balances.available_coins for office in offices] == [200] * 3
