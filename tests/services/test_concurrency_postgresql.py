"""Orders from several processes on one PostgreSQL at once: one of them wins, the others are told why not.

No fault reaches a caller, whoever comes first, and the books balance after each test.
"""

from datetime import timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import ROUNDS, awaiting, coins_of, done, moved, seller, someone, told, wallet_of, won
from tests.services.world import new_id

from shoutgraph.domain import accounts, errors, ids, media, postings
from shoutgraph.domain.ledger import Lot
from shoutgraph.domain.media import UPLOADS_PER_ORDER_MAX
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.users import Viewer
from shoutgraph.files.links import Link
from shoutgraph.jobs import deadlines, wallets as wallet_jobs
from shoutgraph.services import creators
from shoutgraph.services.media import rejecting, upload
from shoutgraph.services.orders import deliver
from shoutgraph.services.orders.deliver import File
from shoutgraph.storage import ledger as books, media as videos, orders
from shoutgraph.tools import Done

LATE: Final = media.Rejection(media.RejectionCode.UPLOAD_EXPIRED, "The upload was not finished in time.")

pytestmark = pytest.mark.postgresql_only


def test_a_wallet_pays_for_one_of_many_orders(processes: Processes) -> None:
    for _ in range(ROUNDS):
        fan, (_, _, offer) = someone(processes, 1_400, promo=100), seller(processes)
        results = processes.at_once(*(processes.order(fan, offer.id) for _ in range(2 * COUNT)))
        assert len(done(results)) == 1
        assert len(won(results, errors.InsufficientCoinsError)) == 2 * COUNT - 1
        assert processes.world.wallet(fan) == (500, 0, 1_000)


def test_one_key_places_one_order_and_answers_alike_everywhere(processes: Processes) -> None:
    for number in range(ROUNDS):
        fan, (_, _, offer) = someone(processes, 1_900), seller(processes)
        results = processes.everywhere(processes.order(fan, offer.id, key=f"the-key-of-round-{number:04d}"))
        assert len({order.id for order in done(results)}) == 1
        assert sorted(each.replayed for each in results) == [False, *[True] * (COUNT - 1)]
        assert processes.world.wallet(fan) == (900, 0, 1_000)


def test_one_key_is_refused_alike_everywhere(processes: Processes) -> None:
    for number in range(ROUNDS):
        fan, (_, _, offer) = someone(processes, 900), seller(processes)
        results = processes.everywhere(processes.order(fan, offer.id, key=f"a-key-without-coins-{number:04d}"))
        assert len(won(results, errors.InsufficientCoinsError)) == COUNT
        assert sorted(refusal.replayed for refusal in results) == [False, *[True] * (COUNT - 1)]


def test_one_key_moves_an_order_once(processes: Processes) -> None:
    for _ in range(ROUNDS):
        _, creator, order = awaiting(processes)
        accept = processes.move(creator, order, "accept", Actor.CREATOR)
        results = processes.everywhere(accept)
        assert sorted(each.replayed for each in results) == [False, *[True] * (COUNT - 1)]
        assert moved(processes, order) == 1


def test_the_last_places_of_a_creator_go_to_as_many_fans(processes: Processes) -> None:
    for _ in range(ROUNDS):
        creator, profile, offer = seller(processes)
        processes.run(
            lambda tools, of=creator: creators.update(tools, of, {"open_orders_max": 2}, expected_revision=None)
        )
        fans = [someone(processes, 1_000) for _ in range(2 * COUNT)]
        results = processes.at_once(*(processes.order(fan, offer.id) for fan in fans))
        assert len(done(results)) == 2
        assert {refusal.code for refusal in won(results, errors.CreatorUnavailableError)} == {"AT_CAPACITY"}
        assert processes.world.read(lambda tx, of=profile.id: orders.count_open(tx, of)) == 2


def test_one_of_many_ends_of_an_order_happens(processes: Processes) -> None:
    for number in range(ROUNDS):
        fan, creator, order = awaiting(processes)
        processes.world.clock.move(days=3, seconds=1)
        calls = [
            processes.move(creator, order, "accept", Actor.CREATOR),
            processes.move(creator, order, "decline", Actor.CREATOR),
            processes.move(fan, order, "fan_cancel", Actor.FAN),
            deadlines.tick,
        ]
        first = number % len(calls)  # else it would always be the same one
        results = processes.at_once(*calls[first:], *calls[:first])
        after = processes.world.order(order)
        assert len(won(results, Done)) + (after.state is State.EXPIRED) == 1
        assert len(won(results, Done)) + len(won(results, errors.OrderStateError)) == len(calls) - 1
        assert moved(processes, order) == 1
        held = after.state is State.IN_PRODUCTION
        assert processes.world.wallet(fan) == ((0, 0, 1_000) if held else (1_000, 0, 0))


def test_moderators_decide_once(processes: Processes) -> None:
    moderator = processes.world.staff("moderator")
    for _ in range(ROUNDS):
        fan, (_, _, offer) = someone(processes, 1_000), seller(processes)
        order = processes.run(processes.order(fan, offer.id)).value
        names = ["screen_pass", "screen_reject"] * (COUNT // 2)
        results = processes.at_once(*(processes.move(moderator, order, name, Actor.MODERATOR) for name in names))
        assert len(won(results, Done)) == 1
        assert len(won(results, errors.OrderStateError)) == COUNT - 1
        assert moved(processes, order) == 1


def test_a_delivered_order_ends_in_one_way(processes: Processes) -> None:
    for _ in range(ROUNDS // 2):
        fan, (creator, profile, offer) = someone(processes, 1_000), seller(processes)
        order = processes.delivered(fan, creator, offer.id)
        processes.world.clock.move(days=3)
        results = processes.at_once(
            processes.move(fan, order, "confirm", Actor.FAN),
            processes.move(fan, order, "open_dispute", Actor.FAN),
            processes.move(processes.world.staff("admin"), order, "platform_cancel", Actor.STAFF),
            deadlines.tick,
        )
        after = processes.world.order(order)
        earned = 700 if after.state is State.COMPLETED else 0
        assert processes.world.balance(accounts.pending(profile.id).code) == earned
        cancelled = after.state is State.CANCELLED
        assert moved(processes, order) == len(won(results, Done)) + (after.close_reason == "auto_complete")
        assert coins_of(processes, fan).available_coins == (1_000 if cancelled else 0)


def test_every_deadline_is_taken_once_by_many_workers(processes: Processes) -> None:
    processes.run(deadlines.tick)
    fans = [someone(processes, 1_000) for _ in range(24)]
    made = done(processes.at_once(*(processes.order(fan, seller(processes)[2].id) for fan in fans)))
    assert len(made) == len(fans)
    processes.world.clock.move(days=3, seconds=1)
    while any(processes.everywhere(deadlines.tick)):
        pass
    for order in made:
        assert processes.world.order(order).state is State.CANCELLED
        assert moved(processes, order) == 1
    assert {processes.world.wallet(fan) for fan in fans} == {(1_000, 0, 0)}


def test_granted_coins_lapse_once(processes: Processes) -> None:
    for _ in range(ROUNDS // 2):
        fans = [lapsing(processes) for _ in range(6)]
        processes.world.clock.move(days=31)
        assert sum(processes.everywhere(wallet_jobs.tick)) == len(fans)
        for fan in fans:
            assert processes.world.wallet(fan) == (0, 0, 0)
            assert told(processes, wallet_of(fan)) == ["wallet.promo_expired"]


def test_granted_coins_lapse_or_are_spent(processes: Processes) -> None:
    for _ in range(ROUNDS):
        fan, (_, _, offer) = lapsing(processes, 1_000), seller(processes)
        processes.world.clock.move(days=30, seconds=-1)
        order = processes.run(processes.order(fan, offer.id)).value
        processes.world.clock.move(seconds=2)
        cancel = processes.move(fan, order, "fan_cancel", Actor.FAN)
        processes.at_once(wallet_jobs.tick, cancel, wallet_jobs.tick, wallet_jobs.tick)
        processes.everywhere(wallet_jobs.tick)
        assert processes.world.wallet(fan) == (0, 1_000, 0)
        processes.world.clock.move(days=8)
        processes.everywhere(wallet_jobs.tick)
        assert processes.world.wallet(fan) == (0, 0, 0)


def lapsing(processes: Processes, coins: int = 50) -> Viewer:
    """A fan with granted coins that lapse in a month."""
    fan = someone(processes)
    user_id, now = ids.UserId(str(fan.user_id)), processes.world.clock()
    promo, until = accounts.promo(user_id).code, now + timedelta(days=30)
    lot = Lot(new_id(ids.LOT), promo, user_id, None, coins, coins, 0, None, None, now, until)
    processes.world.write(lambda tx: books.post(tx, postings.promo_granted(ref=lot.id, lot=lot)))
    return fan


def test_an_order_has_no_more_open_uploads_than_it_may(processes: Processes) -> None:
    for _ in range(ROUNDS // 2):
        _, creator, order = awaiting(processes)
        processes.run(processes.move(creator, order, "accept", Actor.CREATOR))
        results = processes.at_once(*(opening(processes, creator, order) for _ in range(2 * COUNT)))
        assert len(won(results, tuple)) == UPLOADS_PER_ORDER_MAX
        assert len(won(results, errors.LimitExceededError)) == 2 * COUNT - UPLOADS_PER_ORDER_MAX


def test_an_upload_ends_in_one_way(processes: Processes) -> None:
    for _ in range(ROUNDS):
        _, creator, order = awaiting(processes)
        processes.run(processes.move(creator, order, "accept", Actor.CREATOR))
        made, link = processes.run(opening(processes, creator, order))
        token = parse_qs(urlsplit(link.url).query)["token"][0]
        cancel = lambda tools, of=made.value.id, by=token: upload.cancel(tools, of, by)  # noqa: E731
        expire = lambda tools, of=made.value.id: rejecting.reject(tools, of, LATE)  # noqa: E731
        results = processes.at_once(cancel, expire, cancel, expire)
        found = processes.world.read(lambda tx, of=made.value.id: videos.get(tx, of))
        assert {video.rejection for video in won(results, media.Video)} == {found.rejection}


def opening(processes: Processes, creator: Viewer, order: Order) -> Call[tuple[Done[media.Video], Link]]:
    request = processes.world.request("uploadOpen", creator)
    return lambda tools: deliver.open_upload(tools, creator, request, order.id, File(1_000, "video/mp4"))
