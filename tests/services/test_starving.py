"""What breaks holds up nothing beside it: of a round, each goes on by itself, and what broke is told of in the log."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.services import frail as provider
from tests.services.breaking import break_rows, mend_rows
from tests.services.frail import Frail
from tests.services.test_frail_providers import open_office
from tests.services.test_media import now as video_now, opened, write_behind
from tests.services.test_payouts import Office
from tests.services.test_topups import intent
from tests.services.test_wallets import grant
from tests.services.till import Till, open_till
from tests.services.world import World, new_id
from tests.storage.databases import Place

from shoutgraph.domain import ids
from shoutgraph.domain.media import VideoState
from shoutgraph.domain.payout_holds import Wish as HoldWish
from shoutgraph.domain.payouts import Payout, PayoutState
from shoutgraph.domain.privacy import Erasure, ErasureState
from shoutgraph.domain.topups.topup import Status
from shoutgraph.domain.users import User
from shoutgraph.jobs import earnings as earning_jobs, payouts as payout_jobs, reconcile, wallets as wallet_jobs
from shoutgraph.services import earnings as earning_services
from shoutgraph.services.media import upload
from shoutgraph.services.orders import timers
from shoutgraph.services.payouts import holds, look
from shoutgraph.services.privacy import erase
from shoutgraph.services.topups import cards
from shoutgraph.storage import orders, privacy, users


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till


def approved(office: Office, count: int) -> list[Payout]:
    office.earn(1_000 * count)
    return [office.approve(office.ask(1_000)) for _ in range(count)]


def states(till: Till, group: list[Payout]) -> list[PayoutState]:
    return [till.payout(payout).state for payout in group]


def test_a_payout_that_breaks_holds_up_no_other(till: Till, place: Place, caplog: pytest.LogCaptureFixture) -> None:
    frail: Frail = provider.install(till.world, by_key=True)
    group = approved(open_office(till), 3)
    world, broken = till.world, group[1].id
    break_rows(place, "payout", broken)
    assert world.run(payout_jobs.tick(world.tools)) == 3
    assert states(till, group) == [PayoutState.SUBMITTED, PayoutState.APPROVED, PayoutState.SUBMITTED]
    assert [record.message for record in caplog.records] == [f"the sending of {broken} failed"]

    mend_rows(place, "payout", 1)
    world.clock.move(minutes=6)
    assert world.run(payout_jobs.tick(world.tools)) == 1
    assert states(till, group) == [PayoutState.SUBMITTED] * 3
    assert len(frail.payouts) == 3, "and none was sent twice"

    broken = group[0].id
    break_rows(place, "payout", broken)
    frail.paid = True
    caplog.clear()
    world.clock.move(minutes=6)
    assert world.run(look.look_due(world.tools, limit=9)) == 3
    assert states(till, group) == [PayoutState.SUBMITTED, PayoutState.PAID, PayoutState.PAID]
    assert [record.message for record in caplog.records] == [f"the look at {broken} failed"]
    mend_rows(place, "payout", 1)


def test_a_payout_whose_look_cannot_be_kept_is_not_sent_again(till: Till, place: Place) -> None:
    frail: Frail = provider.install(till.world, by_key=True)
    frail.refusing, frail.lying = "busy", True  # it takes them, and says that it did not
    group, world = approved(open_office(till), 2), till.world
    frail.deaf = True
    world.run(payout_jobs.tick(world.tools))
    assert [(each.state, each.attempts) for each in map(till.payout, group)] == [(PayoutState.APPROVED, 1)] * 2
    frail.refusing, frail.deaf = None, False
    frail.calls.clear()
    break_rows(place, "payout", group[0].id, when="NEW.state = 'SUBMITTED'")
    world.clock.move(minutes=6)
    world.run(payout_jobs.tick(world.tools))
    assert states(till, group) == [PayoutState.APPROVED, PayoutState.SUBMITTED]
    assert frail.calls == ["fetch"], "the provider has both of them"
    mend_rows(place, "payout", 1)
    world.clock.move(minutes=6)
    world.run(payout_jobs.tick(world.tools))
    assert states(till, group) == [PayoutState.SUBMITTED] * 2
    assert frail.calls == ["fetch"] * 2


def test_an_earning_that_breaks_holds_up_no_other(till: Till, place: Place) -> None:
    office = Office(till)
    group = [office.earn(coins, ripe=False) for coins in (100, 200, 400)]
    till.world.clock.move(days=2)
    break_rows(place, "earning", group[1].id)
    assert till.world.run(earning_jobs.tick(till.world.tools)) == 2
    assert (office.balances.pending_coins, office.balances.available_coins) == (200, 500)
    mend_rows(place, "earning", 1)
    till.world.clock.move(minutes=1)
    assert till.world.run(earning_jobs.tick(till.world.tools)) == 1
    assert office.balances.available_coins == 700


def test_what_breaks_again_rests_longer_and_takes_nobodys_place(
    till: Till, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    office, world = Office(till), till.world
    broken, sound = [office.earn(coins, ripe=False) for coins in (100, 200)]
    world.clock.move(days=2)
    break_rows(place, "earning", broken.id)

    def rounds(*, minutes: float) -> tuple[int, int]:
        """How many matured, and how often it was told that one did not."""
        caplog.clear()
        world.clock.move(minutes=minutes)
        matured = sum(world.run(earning_services.mature_due(world.tools, limit=1)) for _ in range(3))
        return matured, len(caplog.records)

    assert rounds(minutes=0) == (1, 1), "the one after it had its turn"
    assert (office.balances.pending_coins, office.balances.available_coins) == (100, sound.coins)
    told = [rounds(minutes=minutes)[1] for minutes in (0.9, 0.1, 9, 1, 59, 1, 300, 60, 1_439, 1, 1_439, 1)]
    assert told == [0, 1] * 6
    mend_rows(place, "earning", 1)
    assert rounds(minutes=1_440) == (1, 0)


def test_a_deadline_that_breaks_holds_up_no_other_and_rests(
    world: World, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    fan, (_, _, offer) = world.person("ada"), world.creator()
    grant(world, fan, 10_000, days=99)
    group = [world.place(fan, offer) for _ in range(3)]
    world.clock.move(days=20)
    break_rows(place, "orders", group[1].id)
    assert world.run(timers.fire_due(world.tools, limit=9)) == 2
    assert [world.read(lambda tx, of=each: orders.get(tx, of.id)).live for each in group] == [False, True, False]
    for moved, told in ((0, 0), (1, 1), (9, 0), (1, 1)):
        caplog.clear()
        world.clock.move(minutes=moved)
        assert world.run(timers.fire_due(world.tools, limit=9)) == 0
        assert len(caplog.records) == told
    mend_rows(place, "orders", 1)
    world.clock.move(hours=1)
    assert world.run(timers.fire_due(world.tools, limit=9)) == 1


def test_what_is_in_reserve_and_breaks_holds_up_no_other(till: Till, place: Place) -> None:
    office, world = Office(till), till.world
    rate = {"basis_points": 5_000, "reason": "New here."}
    asked = world.request("creatorReserveSet", office.finance)
    world.run(earning_services.set_reserve(world.tools, office.finance, asked, office.creator.id, **rate))
    group = [office.earn(coins) for coins in (100, 200, 400)]
    reserve = f"creator:{office.creator.id}:reserve"
    assert (world.balance(reserve), office.balances.available_coins) == (350, 350)
    world.clock.move(days=31)
    break_rows(place, "earning", group[1].id)
    assert world.run(earning_jobs.tick(world.tools)) == 2
    assert (world.balance(reserve), office.balances.available_coins) == (100, 600)
    mend_rows(place, "earning", 1)
    world.clock.move(minutes=1)
    assert world.run(earning_jobs.tick(world.tools)) == 1
    assert (world.balance(reserve), office.balances.available_coins) == (0, 700)


def test_a_top_up_that_breaks_holds_up_no_other(till: Till, place: Place, caplog: pytest.LogCaptureFixture) -> None:
    world = till.world
    group = [intent(till, world.person(name), 1_000) for name in ("ada", "bea", "cyd")]
    broken = group[1].id
    world.clock.move(seconds=61)
    break_rows(place, "topup", broken, column="submission")
    assert world.run(reconcile.look_at_topups(world.tools)) == 2
    assert [till.topup(topup).status for topup in group] == [Status.FAILED, Status.CREATED, Status.FAILED]
    assert [record.message for record in caplog.records] == [f"the look at {broken} failed"]
    mend_rows(place, "topup", 1)
    world.clock.move(minutes=3)
    assert world.run(reconcile.look_at_topups(world.tools)) == 1
    assert till.topup(group[1]).status is Status.FAILED, "it was never asked for"


def test_coins_that_break_as_they_lapse_hold_up_no_others(world: World, place: Place) -> None:
    fans = [world.person(name) for name in ("ada", "bea", "cyd")]
    group = [grant(world, fan, 100, days=1) for fan in fans]
    world.clock.move(days=2)
    break_rows(place, "lot", group[1], column="remaining")
    assert world.run(wallet_jobs.tick(world.tools)) == 2
    assert [world.wallet(fan)[1] for fan in fans] == [0, 100, 0]
    mend_rows(place, "lot", 1)
    world.clock.move(minutes=1)
    assert world.run(wallet_jobs.tick(world.tools)) == 1
    assert [world.wallet(fan)[1] for fan in fans] == [0, 0, 0]


def test_a_card_that_breaks_as_it_lapses_holds_up_no_other(till: Till, place: Place) -> None:
    world, fan = till.world, till.world.person("ada")
    till.paid(fan, 1_000)
    group = []
    for code in ("first", "second", "third"):
        tools = replace(world.tools, new_secret=lambda code=code: code)
        group.append(world.run(cards.buy(tools, fan, world.request("giftCardBuy", fan), coins=100)).value.card)
    world.clock.now = max(card.expires_at for card in group) + timedelta(seconds=1)
    break_rows(place, "gift_card", group[1].id)
    assert world.run(cards.expire_due(world.tools)) == 2
    assert world.wallet(fan)[0] == 900
    mend_rows(place, "gift_card", 1)
    till.world.clock.move(minutes=1)
    assert world.run(cards.expire_due(world.tools)) == 1
    assert world.wallet(fan)[0] == 1_000


def test_a_payout_that_breaks_as_it_is_let_go_holds_up_no_other(till: Till, place: Place) -> None:
    office, world = Office(till), till.world
    group, finance = approved(office, 3), office.finance
    wish = HoldWish(office.creator.id, None, "Who are you?", None)
    hold = world.run(holds.place(world.tools, finance, world.request("payoutHoldPlace", finance), wish)).value
    world.run(payout_jobs.tick(world.tools))
    assert states(till, group) == [PayoutState.HELD] * 3
    asked = world.request("payoutHoldRelease", finance)
    world.run(holds.release(world.tools, finance, asked, hold.id, "They told us."))
    break_rows(place, "payout", group[1].id)
    assert world.run(holds.let_go_due(world.tools, limit=9)) == 2
    assert states(till, group) == [PayoutState.APPROVED, PayoutState.HELD, PayoutState.APPROVED]
    mend_rows(place, "payout", 1)
    world.clock.move(minutes=1)
    assert world.run(holds.let_go_due(world.tools, limit=9)) == 1
    assert states(till, group) == [PayoutState.APPROVED] * 3


def test_an_upload_that_breaks_holds_up_no_other(world: World, place: Place, caplog: pytest.LogCaptureFixture) -> None:
    pair = [opened(world, b"whole"), opened(world, b"whole")]
    for video in pair:
        world.run(write_behind(world, video, b"whole"))
    break_rows(place, "video", pair[0].id)
    assert world.run(upload.sweep(world.tools)) == 1
    assert [video_now(world, each).state for each in pair] == [VideoState.UPLOADING, VideoState.CHECKING]
    assert [record.message for record in caplog.records] == [f"the sweep of {pair[0].id} failed"]


def test_erasures_that_break_do_not_stand_before_the_others_for_ever(world: World, place: Place) -> None:
    wishes = [_wish(world, late=n) for n in range(privacy.DUE_MAX + 1)]
    ill, well = [each.id for each in wishes[: privacy.DUE_MAX]], wishes[-1].id
    break_rows(place, "erasure", *ill)
    world.clock.move(minutes=2)
    assert world.run(erase.run_due(world.tools)) == 0
    assert world.run(erase.run_due(world.tools)) == 1
    assert world.read(lambda tx: privacy.get_erasure(tx, well)).state is ErasureState.DONE
    mend_rows(place, "erasure", len(ill))
    assert world.run(erase.run_due(world.tools)) == 0
    world.clock.move(hours=1, minutes=1)
    assert world.run(erase.run_due(world.tools)) == len(ill), "what was mended goes on"


def _wish(world: World, *, late: int) -> Erasure:
    user = User(ids.UserId(new_id(ids.USER)), 1, "Ada", "DE", locked=False, created_at=world.clock())
    due_at = world.clock() + timedelta(seconds=late)
    wish = Erasure(new_id(ids.ERASURE), user.id, ErasureState.WAITING, world.clock(), due_at)
    world.write(lambda tx: (users.insert(tx, user), privacy.insert_erasure(tx, wish)))
    return wish
