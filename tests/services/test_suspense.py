"""What a provider moved and nobody knows is in suspense within one sweep, until it is explained or placed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.services.test_payouts import Office
from tests.services.test_refunds import debt, spend
from tests.services.test_sweep import forgotten
from tests.services.till import Till, open_till
from tests.storage.databases import Place

from shoutgraph import sdk
from shoutgraph.domain import accounts, errors, ids, payouts
from shoutgraph.domain.pages import PageArgs
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.domain.strays import StrayKind
from shoutgraph.domain.suspense import Line, SuspenseState
from shoutgraph.domain.topups.topup import Status, Topup
from shoutgraph.jobs import sweep
from shoutgraph.services.money import suspense, sweep as sweeping
from shoutgraph.services.money.suspense import Wish
from shoutgraph.storage import journal, topups, wallets
from shoutgraph.telemetry import metrics

ALL = PageArgs(10, None, backward=False)
SUSPENSE, OUT = "suspense:sandbox:EUR", "suspense:sandbox-payouts:EUR"


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till
        till.world.verify()
        totals = till.world.read(lambda tx: sweeping.totals_now(tx, "today"))
        assert not any(each.differs for each in totals), totals


def lines(till: Till) -> list[Line]:
    """All lines, the oldest first."""
    found = till.world.run(suspense.page(till.world.tools, till.world.staff("finance"), ALL, None))
    return list(reversed(found.items))


def found_line(till: Till) -> tuple[Topup, Line]:
    """Money that nobody knows, after one sweep, with the top-up that would explain it."""
    topup = till.buy(till.world.person("ada"), 1_000).value
    lost = replace(topup, id=ids.TopupId(forgotten(till, topup)), ref=None)
    till.world.run(sweep.tick(till.world.tools))
    (line,) = lines(till)
    return lost, line


def sweep_again(till: Till) -> None:
    till.world.clock.move(hours=1, seconds=1)
    till.world.run(sweep.tick(till.world.tools))


def place_it(till: Till, line: Line, account: str) -> Line:
    """Two people place a line."""
    world, (ada, bob) = till.world, (replace(till.world.staff("finance"), principal=name) for name in ("ada", "bob"))
    wish = Wish(line.id, line.revision, account, "The letter of May.")
    said = world.run(suspense.propose(world.tools, ada, world.request("suspensePropose", ada), wish)).value
    wish = Wish(said.id, said.revision)
    with pytest.raises(errors.ForbiddenError):
        world.run(suspense.confirm(world.tools, ada, world.request("suspenseConfirm", ada), wish))
    return world.run(suspense.confirm(world.tools, bob, world.request("suspenseConfirm", bob), wish)).value


def test_what_nobody_knows_is_in_suspense_until_its_event_is_booked(till: Till) -> None:
    lost, line = found_line(till)
    assert (line.line_id, line.state, till.world.balance(SUSPENSE)) == (
        lost.id,
        SuspenseState.OPEN,
        line.amount_minor * 100,
    )
    assert till.cash() == line.amount_minor > 0
    sweep_again(till)
    assert lines(till) == [line], "a repeat changes nothing"
    till.world.write(lambda tx: topups.insert(tx, lost, look_at=tx.now))
    sweep_again(till)
    assert till.topup(lost).status is Status.PAID
    (line,) = lines(till)
    assert (line.state, till.world.balance(SUSPENSE)) == (SuspenseState.CLEARED, 0)
    told = till.world.read(lambda tx: journal.list_of_topic(tx, line.id, after=0, limit=5))
    assert [each.type for each in told] == ["suspense.opened", "suspense.cleared"]
    sweep_again(till)
    assert lines(till) == [line]


def test_two_people_place_it_once_and_its_event_undoes_that_for_people_to_see(till: Till) -> None:
    lost, line = found_line(till)
    placed = place_it(till, line, "rev:packs:EUR")
    assert (placed.state, placed.decided_by, till.world.balance(SUSPENSE)) == (SuspenseState.PLACED, "bob", 0)
    assert till.world.balance("rev:packs:EUR") == line.amount_minor * 100
    sweep_again(till)
    assert len(lines(till)) == 1, "the provider has it still, and it is placed"
    till.world.write(lambda tx: topups.insert(tx, lost, look_at=tx.now))
    sweep_again(till)
    _, undone = lines(till)
    assert (undone.state, undone.amount_minor) == (SuspenseState.OPEN, -line.amount_minor)
    place_it(till, undone, "rev:packs:EUR")
    assert (till.world.balance(SUSPENSE), till.topup(lost).status) == (0, Status.PAID)


def test_what_was_placed_is_looked_at_now_and_then_for_as_long_as_it_may_go_back(till: Till) -> None:
    lost, line = found_line(till)
    place_it(till, line, "rev:packs:EUR")
    till.world.clock.move(days=8)
    sweep_again(till)
    till.control(f"payments/{lost.id}/refund", amount=300)
    till.world.clock.move(days=6)
    sweep_again(till)
    assert len(lines(till)) == 1, "the next look has time"
    till.world.clock.move(days=1)
    sweep_again(till)
    sweep_again(till)
    placed, gone = lines(till)
    assert (placed.state, gone.state, gone.amount_minor) == (SuspenseState.PLACED, SuspenseState.OPEN, -300)
    place_it(till, gone, "rev:packs:EUR")
    till.world.clock.move(days=170)
    sweep_again(till)
    till.control(f"payments/{lost.id}/refund")
    till.world.clock.move(days=30)
    sweep_again(till)
    assert len(lines(till)) == 2, "nobody gives it back any more, so nobody asks"


def test_what_went_back_is_looked_at_too_and_waits_again_when_it_comes_after_all(till: Till) -> None:
    lost, line = found_line(till)
    till.control(f"payments/{lost.id}/refund")
    sweep_again(till)
    *_, fee = lines(till)
    place_it(till, fee, "exp:psp:EUR")
    till.control(f"payments/{lost.id}/fail-refund")
    till.world.clock.move(days=8)
    sweep_again(till)
    *_, back = lines(till)
    assert (back.state, back.amount_minor) == (SuspenseState.OPEN, line.amount_minor - fee.amount_minor)


def test_each_turn_begins_its_looks_elsewhere(till: Till) -> None:
    lost, _ = found_line(till)
    other = forgotten(till, till.buy(till.world.person("bea"), 1_000).value)
    sweep_again(till)
    first = []
    for _ in range(2):
        found = till.world.run(suspense.to_look_at(till.world.tools, "sandbox", StrayKind.TOPUP))
        assert {each.operation_id for each in found} == {lost.id, other}
        first.append(found[0].operation_id)
        till.world.clock.move(hours=1)
    assert set(first) == {lost.id, other}


def test_money_that_came_in_pays_what_somebody_owes_and_no_more(till: Till) -> None:
    fan, (_, creator, _) = till.world.person("bea"), till.world.creator()
    topup = till.paid(fan, 3_000)
    spend(till.world, fan, creator.id, 1_500)
    till.control(f"payments/{topup.id}/refund")
    till.look(topup)
    assert debt(till, fan) == 1_500
    _, line = found_line(till)
    account, coins = f"user:{fan.user_id}:debt", line.amount_minor
    assert (place_it(till, line, account).state, debt(till, fan)) == (SuspenseState.PLACED, 1_500 - coins)
    forgotten(till, till.buy(till.world.person("cyd"), 1_000).value)
    sweep_again(till)
    (more,) = (each for each in lines(till) if each.state is SuspenseState.OPEN)
    with pytest.raises(errors.ValidationError) as refused:
        place_it(till, more, account)
    assert (refused.value.code, debt(till, fan)) == ("WRITE_OFF_TOO_LARGE", 1_500 - coins)


def test_a_payout_that_nobody_knows_is_in_suspense_until_it_is_asked_for_again(till: Till) -> None:
    office = Office(till)
    office.earn(1_000)
    account = accounts.available(office.creator.id).code
    key = payouts.key_of(account, till.world.read(lambda tx: wallets.account_version(tx, account)))
    item = sdk.PayoutItem(key, sdk.Money(1_000, "EUR"), office.recipient.ref, "Earnings")
    call = sdk.Call("batch-1", "batch-1", timedelta(seconds=5), 1)
    batch = sdk.PayoutBatch(call, (item,), till.world.clock())
    till.world.run(till.world.tools.providers.payouts["sandbox-payouts"].submit(batch))
    till.world.run(sweep.tick(till.world.tools))
    assert lines(till) == [], "no money has moved yet"
    till.control("advance", seconds=10)
    sweep_again(till)
    (line,) = lines(till)
    assert (line.instance, line.amount_minor, till.cash(instance="sandbox-payouts")) == (
        "sandbox-payouts",
        -1_000,
        -1_000,
    )
    asked = office.ask(1_000)
    sweep_again(till)
    till.tick(minutes=1)
    assert (asked.key, till.payout(asked).state) == (key, PayoutState.PAID)
    (line,) = lines(till)
    assert (line.state, till.world.balance(OUT), till.cash(instance="sandbox-payouts")) == (
        SuspenseState.CLEARED,
        0,
        -1_000,
    )


def test_another_amount_takes_the_place_of_the_first_and_falls_to_nothing(till: Till) -> None:
    lost, line = found_line(till)
    till.control(f"payments/{lost.id}/refund", amount=300)
    sweep_again(till)
    was, rest = lines(till)
    assert (was.state, rest.amount_minor, rest.line_id) == (
        SuspenseState.CLEARED,
        line.amount_minor - 300,
        f"{lost.id}#1",
    )
    till.world.clock.move(days=9)
    sweep_again(till)
    till.control(f"payments/{lost.id}/refund")
    sweep_again(till)
    *_, rest = lines(till)
    fee = rest.amount_minor
    assert (fee < 0, till.cash()) == (True, fee), "what is too old to be listed is looked at, and only the fee is left"
    assert metrics.SUSPENSE_LINES.collect()[0].samples[0].value == 1
    till.world.clock.move(seconds=30)
    till.world.run(sweep.tick(till.world.tools))
    assert round(metrics.SUSPENSE_OLDEST.collect()[0].samples[0].value) == 30


def test_people_are_called_once_after_a_day(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    _, line = found_line(till)
    till.world.clock.move(hours=23)
    assert till.world.run(suspense.call_people(till.world.tools)) == 0
    till.world.clock.move(hours=1, seconds=1)
    assert [till.world.run(suspense.call_people(till.world.tools)) for _ in range(2)] == [1, 0]
    assert f"suspense: nobody explained {line.line_id} at sandbox for a day" in caplog.text
