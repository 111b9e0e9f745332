"""Coins that lapse while somebody comes back, and what breaks meanwhile; on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import coins_of, done, someone, told, wallet_of, won
from tests.storage import databases
from tests.storage.databases import Kind, Place

from shoutgraph.domain import errors
from shoutgraph.domain.dormancy import Dormancy, DormancyState
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import dormancy as job
from shoutgraph.services import dormancy, requests as request_job, spending, users
from shoutgraph.services.orders import advance, timers
from shoutgraph.services.privacy import close, erase
from shoutgraph.services.topups import cards, refund
from shoutgraph.storage import dormancy as rows, policies
from shoutgraph.storage.tx import Tx

AWAY: Final = timedelta(days=370)
NOTICE: Final = timedelta(days=30, minutes=1)
RULES: Final = {
    "INCOME": (("DE.income.months", 12), ("DE.income.notice_days", 30)),
    "UNCLAIMED": (("DE.unclaimed.months", 12), ("DE.unclaimed.notice_days", 30)),
}
BROKEN: Final = {
    Kind.SQLITE: "CREATE TRIGGER broken BEFORE INSERT ON lapse WHEN NEW.lot_id = '{lot}'"
    " BEGIN SELECT RAISE(ABORT, 'this row is broken'); END",
    Kind.POSTGRESQL: "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'this row is broken'; END $$;"
    "CREATE TRIGGER broken BEFORE INSERT ON lapse FOR EACH ROW WHEN (NEW.lot_id = '{lot}') EXECUTE FUNCTION broken()",
}
MENDED: Final = {Kind.SQLITE: "DROP TRIGGER broken", Kind.POSTGRESQL: "DROP TRIGGER broken ON lapse"}


def publish(processes: Processes, outcome: str) -> None:
    def work(tx: Tx) -> None:
        before = policies.current(tx)
        policies.insert(tx, replace(before, version=before.version + 1, dormancy=RULES[outcome]))

    processes.world.write(work)


def sleepers(processes: Processes, count: int, outcome: str) -> list[Viewer]:
    """People with a purchase each, who have been told that it is about to lapse, and whose days are over."""
    publish(processes, outcome)
    found = [someone(processes) for _ in range(count)]
    for each in found:
        processes.bought(each, 700)
    fall_asleep(processes)
    assert all(notice_of(processes, each).state is DormancyState.NOTICED for each in found)
    processes.world.clock.now += NOTICE
    return [replace(each, principal=str(each.user_id)) for each in found]


def fall_asleep(processes: Processes) -> None:
    processes.world.clock.now += AWAY
    processes.run(request_job.prune)
    processes.run(job.tick)


def notice_of(processes: Processes, who: Viewer) -> Dormancy:
    found = processes.world.read(lambda tx: rows.find_newest(tx, str(who.user_id)))
    assert found is not None, "they were told"
    return found


def keeping(processes: Processes, who: Viewer) -> Call[Any]:
    asked = processes.world.request("walletKeep", who)
    return lambda tools: dormancy.keep(tools, who, asked)


def reclaiming(processes: Processes, who: Viewer) -> Call[Any]:
    asked = processes.world.request("walletReclaim", who)
    return lambda tools: dormancy.reclaim(tools, who, asked)


def refunding(processes: Processes, topup: Topup) -> Call[Any]:
    finance = processes.world.staff("finance")
    asked = processes.world.request("topUpRefund", finance)
    wish = refund.Wish(topup.id, "REQUESTED_BY_CUSTOMER", None)
    return lambda tools: refund.refund(tools, finance, asked, wish, reverse_orders=timers.reverse_orders)


def available(processes: Processes, who: Viewer) -> int:
    return coins_of(processes, who).available_coins


def test_who_answers_as_their_days_end_keeps_all_or_nothing(processes: Processes) -> None:
    people = sleepers(processes, 3, "INCOME")
    calls = [call for who in people for call in (keeping(processes, who), job.tick)]
    results = processes.at_once(*calls, job.tick, *(keeping(processes, who) for who in people))
    assert len(done(results)) + len(won(results, errors.ValidationError)) == 2 * len(people)
    for who in people:
        kept = notice_of(processes, who).state is DormancyState.STOPPED
        assert available(processes, who) == (700 if kept else 0)
        lines = told(processes, wallet_of(who))
        assert (lines.count("wallet.dormancy_stopped"), lines.count("wallet.coins_lapsed")) == (kept, not kept)


def test_what_lapsed_comes_back_once_whoever_asks_for_it(processes: Processes) -> None:
    (who,) = sleepers(processes, 1, "UNCLAIMED")
    processes.everywhere(job.tick)
    assert available(processes, who) == 0
    before = processes.world.balance("liab:unclaimed:EUR")
    results = processes.at_once(*(reclaiming(processes, who) for _ in range(COUNT)), job.tick)
    assert (len(done(results)), {each.code for each in won(results, errors.ValidationError)}) == (
        1,
        {"NOTHING_UNCLAIMED"},
    )
    assert (available(processes, who), processes.world.balance("liab:unclaimed:EUR")) == (700, before - 70_000)
    assert told(processes, wallet_of(who)).count("wallet.coins_reclaimed") == 1


def test_money_that_goes_back_as_coins_lapse_takes_them_along(processes: Processes) -> None:
    publish(processes, "UNCLAIMED")
    who = someone(processes)
    topup = processes.bought(who, 700)
    fall_asleep(processes)
    processes.world.clock.now += NOTICE
    results = processes.at_once(refunding(processes, topup), job.tick, reclaiming(processes, who), job.tick)
    assert len(done(results)) in {1, 2}, "they are claimed before, or not at all"
    processes.run(job.tick)
    assert (available(processes, who), coins_of(processes, who).debt_coins) == (0, 0)
    assert notice_of(processes, who).state is not DormancyState.NOTICED


def test_who_is_shut_out_is_there_or_lives_elsewhere_is_not_told(processes: Processes) -> None:
    world = processes.world
    publish(processes, "INCOME")
    out, there, asleep = (someone(processes, 700) for _ in range(3))
    abroad = world.run(users.register(world.tools, world.staff("admin"), display_name="Ada", country="ES"))
    world.give_coins(Viewer(user_id=abroad.id, principal=str(abroad.id)), 700)
    world.run(spending.exclude(world.tools, out, world.request("spendingExclude", out), 400))
    world.clock.now += AWAY - timedelta(days=300)
    asked = world.request("giftCardBuy", there)
    card = world.run(cards.buy(replace(world.tools, new_secret=lambda: asked.key), there, asked, coins=100))
    asked = world.request("giftCardCancel", there)
    world.run(cards.cancel(world.tools, there, asked, card.value.id))
    world.clock.now -= AWAY - timedelta(days=300)
    fall_asleep(processes)
    given = {
        who: world.read(lambda tx, who=who: rows.find_open(tx, who)) for who in (abroad.id, *map(id_of, (out, there)))
    }  # type: ignore[misc]
    assert set(given.values()) == {None}
    assert notice_of(processes, asleep).coins == 700


def id_of(who: Viewer) -> str:
    return str(who.user_id)


def test_who_closes_their_account_loses_nothing_meanwhile(processes: Processes) -> None:
    (who,) = sleepers(processes, 1, "INCOME")
    leaving: Call[Any] = lambda tools: close.close(tools, who, confirm=True, forfeit_promo=True, end=advance.advance)  # noqa: E731
    processes.at_once(leaving, job.tick, job.tick)
    notice = notice_of(processes, who)
    left = notice.state is DormancyState.STOPPED
    assert available(processes, who) == (700 if left else 0), notice


def test_who_closes_their_account_is_given_back_what_is_kept_for_them(processes: Processes) -> None:
    (who,) = sleepers(processes, 1, "UNCLAIMED")
    processes.run(job.tick)
    assert available(processes, who) == 0
    before = processes.world.balance("liab:unclaimed:EUR")
    leaving: Call[Any] = lambda tools: close.close(tools, who, confirm=True, forfeit_promo=True, end=advance.advance)  # noqa: E731
    processes.at_once(leaving, leaving, job.tick)
    assert (available(processes, who), processes.world.balance("liab:unclaimed:EUR")) == (700, before - 70_000)


def test_whoever_did_something_while_a_notice_ran_has_all_their_time_again(processes: Processes) -> None:
    """Keys are forgotten after a week; that somebody used one is not, as long as a notice stands."""
    (who,) = sleepers(processes, 1, "INCOME")
    processes.world.clock.now -= timedelta(days=20)
    assert isinstance(processes.at_once(reclaiming(processes, who))[0], errors.ValidationError)
    processes.world.clock.now += timedelta(days=20)
    processes.run(request_job.prune)
    processes.run(job.tick)
    assert (notice_of(processes, who).cause, available(processes, who)) == ("ACTIVE", 700)
    for days in (1, 30, 300):
        processes.world.clock.move(days=days)
        processes.run(request_job.prune)
        processes.run(job.tick)
    assert notice_of(processes, who).state is DormancyState.STOPPED, "a year has not gone by"


def test_a_lot_that_breaks_holds_up_no_other_and_rests(
    processes: Processes, module_place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    ill, well = sleepers(processes, 2, "INCOME")
    lot = processes.world.give_coins(ill, 70)
    processes.run(keeping(processes, ill))
    fall_asleep(processes)
    processes.world.clock.now += NOTICE
    caplog.clear()
    with databases.outside(module_place.database()) as raw:
        raw.execute(BROKEN[module_place.kind].format(lot=lot.id))
    processes.run(job.tick)
    assert (available(processes, ill), available(processes, well)) == (70, 0)
    notice = notice_of(processes, ill)
    assert [record.getMessage() for record in caplog.records] == [f"the lapse by {notice.id} of {lot.id} failed"]
    assert processes.run(job.tick) == 0
    assert len(caplog.records) == 1, "it is left alone for a while"
    with databases.outside(module_place.database()) as raw:
        raw.execute(MENDED[module_place.kind])
    processes.world.clock.move(minutes=2)
    processes.run(job.tick)
    assert (available(processes, ill), notice_of(processes, ill).state) == (0, DormancyState.LAPSED)


def test_nobody_is_erased_while_something_is_kept_for_them(processes: Processes) -> None:
    (who,) = sleepers(processes, 1, "UNCLAIMED")
    processes.run(job.tick)
    kept, world = processes.world.balance("liab:unclaimed:EUR"), processes.world
    for _ in range(2):
        with pytest.raises(errors.ValidationError) as refused:
            world.run(erase.request(world.tools, who, world.request("erasureRequest", who), confirm=True))
        assert (refused.value.code, refused.value.path) == ("COINS", ("input", "confirm"))
        assert (available(processes, who), world.balance("liab:unclaimed:EUR")) == (0, kept), "it is kept as it was"
    world.run(dormancy.reclaim(world.tools, who, world.request("walletReclaim", who)))
    assert available(processes, who) == 700
