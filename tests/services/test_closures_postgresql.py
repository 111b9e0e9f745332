"""Closing an account while its owner begins something elsewhere: that is refused, or it ends by its own rules."""

from typing import Any, Final

import pytest
from tests.services.office import Office
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import coins_of, done, seller, someone, won
from tests.services.test_gifts_postgresql import gift, given

from shoutgraph.domain import errors, ids
from shoutgraph.domain.closures import Closure, ClosureState
from shoutgraph.domain.earnings import Balances
from shoutgraph.domain.orders.states import LIVE
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import closures as job
from shoutgraph.services.orders import advance
from shoutgraph.services.privacy import close
from shoutgraph.storage import closures

pytestmark = pytest.mark.postgresql_only

ROUNDS: Final = 3


def closes(who: Viewer) -> Call[Closure]:
    return lambda tools: close.close(tools, who, confirm=True, forfeit_promo=True, end=advance.advance)


def looked(processes: Processes, who: Viewer) -> Closure:
    """The closure after every process had its look at once."""
    user_id = ids.UserId(str(who.user_id))
    processes.world.write(lambda tx: closures.wake(tx, user_id))
    processes.everywhere(job.tick)
    found = processes.world.read(lambda tx: closures.find(tx, user_id))
    assert found is not None, "it was asked for"
    return found


def test_what_a_fan_begins_while_they_close_is_refused_or_ends(processes: Processes) -> None:
    sticker, (_, profile, offer) = given(processes), seller(processes)
    for _ in range(ROUNDS):
        fan = someone(processes, 10_000)
        calls: list[Call[Any]] = [processes.order(fan, offer.id) for _ in range(COUNT)]
        calls += [gift(processes, fan, profile.id, sticker, 5) for _ in range(COUNT)]
        results = processes.at_once(*calls[:COUNT], closes(fan), *calls[COUNT:], closes(fan))
        assert {each.state for each in won(results, Closure)} == {ClosureState.CLOSING}
        assert len({each.id for each in won(results, Closure)}) == 1, "an account closes once"
        assert {each.code for each in won(results, errors.WalletLockedError)} <= {"ACCOUNT_CLOSED"}
        began = done(results)
        assert len(began) + len(won(results, errors.WalletLockedError)) == len(calls)
        looked(processes, fan)
        orders = [each for each in began if hasattr(each, "price_coins")]
        assert not [each for each in orders if processes.world.order(each).state in LIVE], "nobody had accepted them"
        gifts = len(began) - len(orders)
        assert (coins_of(processes, fan).available_coins, coins_of(processes, fan).held_coins) == (
            10_000 - 5 * gifts,
            0,
        )
        (late,) = processes.at_once(processes.order(fan, offer.id))
        assert isinstance(late, errors.WalletLockedError)
    processes.verify()


def test_a_last_payout_is_asked_for_once_whoever_asks(processes: Processes) -> None:
    for _ in range(ROUNDS):
        office = Office(processes)
        office.earn(800, 800, 900)
        results = processes.at_once(office.asking(1_500), closes(office.viewer), office.asking(1_500), job.tick)
        assert {each.state for each in won(results, Closure)} == {ClosureState.CLOSING}
        assert (len(done(results)), len(won(results, errors.InsufficientCoinsError))) == (1, 1), "it is their own still"
        processes.world.clock.move(days=31)
        found = looked(processes, office.viewer)
        assert found.state is ClosureState.CLOSING
        assert found.begun_at is not None, "it was taken up by every process at once"
        assert office.balances == Balances(0, 0, 2_500, 0), "the rest is on its way, once"
        office.check_parts()
    processes.verify()
