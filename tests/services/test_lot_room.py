"""A lot has room only for what nobody else will put back into it: orders, gift cards and refunds keep theirs."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.services.test_fees import refund
from tests.services.test_orders import Scene
from tests.services.till import Till, open_till
from tests.storage.databases import Place

from shoutgraph.domain import ids, ledger, postings
from shoutgraph.domain.ledger import Lot
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.services.topups import cards
from shoutgraph.storage import ledger as ledger_rows, wallets
from shoutgraph.storage.tx import Tx


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till


@pytest.fixture
def scene(till: Till) -> Scene:
    """A fan without coins, and a creator with an offer of 1,000."""
    scene, world = Scene.__new__(Scene), till.world
    scene.world, scene.fan = world, world.person("ada")
    scene.creator, scene.profile, scene.offer = world.creator()
    scene.moderator, scene.admin = world.staff("moderator"), world.staff("admin")
    return scene


def two_lots(till: Till, scene: Scene) -> Topup:
    """A top-up of 1,000 with two full lots: a refund of it that failed and a refund of its order both came back."""
    topup = till.paid(scene.fan, 1_000)
    filmed = scene.do(scene.lead_to(State.DELIVERED), "confirm", Actor.FAN)
    till.control(f"payments/{topup.id}/refund")
    till.look(topup)
    till.paid(scene.fan, 1_000)  # pays what is owed
    till.control(f"payments/{topup.id}/fail-refund")
    till.look(topup)
    refund(till.world, filmed, 1_000)
    till.world.write(lambda tx: wallets.unlock(tx, scene.fan.user_id or ids.UserId("")))
    assert remaining(till, topup) == [1_000, 1_000]
    return topup


def lots_of(till: Till, topup: Topup) -> tuple[Lot, ...]:
    return till.world.read(lambda tx: ledger_rows.list_of_lots_of_topup(tx, topup.id))


def remaining(till: Till, topup: Topup) -> list[int]:
    return [lot.remaining for lot in lots_of(till, topup)]


def decline(scene: Scene, order: Order) -> None:
    order = scene.do(order, "screen_pass", Actor.MODERATOR)
    assert scene.do(order, "decline", Actor.CREATOR).state is State.DECLINED


@pytest.mark.parametrize("partly", [False, True])
def test_won_coins_leave_an_open_order_the_room_for_its_own(till: Till, scene: Scene, *, partly: bool) -> None:
    topup = two_lots(till, scene)
    held, reversed_ = (till.world.place(scene.fan, scene.offer) for _ in range(2))
    assert remaining(till, topup) == [0, 0]
    if partly:  # only a part is disputed: what the ended order held beyond it goes back at once
        till.control(f"payments/{topup.id}/refund", amount=400)
    else:
        till.control(f"payments/{topup.id}/dispute")
        till.look(topup)
        till.control(f"payments/{topup.id}/dispute", outcome="won")
    till.look(topup)
    assert till.world.order(reversed_).state is State.CANCELLED
    assert remaining(till, topup) == ([0, 600] if partly else [0, 1_000])
    decline(scene, till.world.order(held))
    assert remaining(till, topup) == ([1_000, 600] if partly else [1_000, 1_000])
    till.world.verify()


def test_cards_and_refunds_keep_their_room_until_they_end(till: Till, scene: Scene) -> None:
    topup, user_id = two_lots(till, scene), scene.fan.user_id or ids.UserId("")
    first, second = lots_of(till, topup)
    world = till.world
    world.tools = replace(world.tools, new_secret=lambda: "a-secret-of-nobody")
    world.place(scene.fan, scene.offer)
    asked = world.request("giftCardCreate", scene.fan)
    card = world.run(cards.buy(world.tools, scene.fan, asked, coins=400)).value.card
    taken = postings.refund_requested(user_id=user_id, ref="refund_1", taken=ledger.take([second], 300))
    world.write(lambda tx: ledger_rows.post(tx, taken))

    def rooms(ending: str = "") -> list[int]:
        return list(world.read(lambda tx: wallets.rooms(tx, [second.id, first.id], ending=ending)).values())

    def end(tx: Tx) -> None:
        back = (ledger.LotMove(second.id, 300),)
        ledger_rows.post(tx, postings.refund_failed(user_id=user_id, ref="refund_1", given=back))
        ledger_rows.close(tx, "refund:refund_1")

    assert (rooms(), rooms(f"card:{card.id}"), rooms("refund:refund_1")) == ([0, 0], [400, 0], [300, 0])
    world.write(end)
    assert (rooms(), remaining(till, topup)) == ([0, 0], [0, 600])
    world.run(cards.cancel(world.tools, scene.fan, world.request("giftCardCancel", scene.fan), card.id))
    assert (rooms(), remaining(till, topup)) == ([0, 0], [0, 1_000])
