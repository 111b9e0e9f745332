"""Waiting for a place: the last one is kept for who waited longest, whatever the time, a break or a limit does."""

from dataclasses import replace
from typing import Any

import pytest
from tests.services.world import BRIEF, World

from shoutgraph.domain import errors
from shoutgraph.domain.capacity import Capacity, Entry, WaitState
from shoutgraph.domain.creators import Creator, Offer
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import waitlist as job
from shoutgraph.services import creators
from shoutgraph.services.orders import moves, place, wait, waiting
from shoutgraph.services.orders.moves import Turn
from shoutgraph.services.orders.place import Wish
from shoutgraph.storage import journal, policies, waitlist

W = WaitState


class Shop:
    """A creator with one place, which is taken, and fans who wait."""

    def __init__(self, world: World, *, places: int = 1) -> None:
        self.world = world
        self.owner, self.creator, self.offer = world.creator()
        self.set_limit(places)
        self.orders = [self.order(self.fan(f"first {number}")) for number in range(places)]

    def fan(self, name: str) -> Viewer:
        fresh = name not in self.world.people
        fan = self.world.person(name)
        if fresh:
            self.world.give_coins(fan, 3_000)
        return fan

    def order(self, fan: Viewer) -> Order:
        wish = Wish(offer_id=self.offer.id, brief=BRIEF, expected_price_coins=1_000)
        return self.world.run(place.place(self.world.tools, fan, self.world.request("orderPlace", fan), wish)).value

    def refused(self, fan: Viewer) -> tuple[str, int | None]:
        with pytest.raises(errors.CreatorUnavailableError) as caught:
            self.order(fan)
        return caught.value.code, caught.value.waiting

    def end(self, order: Order) -> None:
        fan = next(each for each in self.world.people.values() if each.user_id == order.fan_id)
        request = self.world.request("orderCancel", fan)
        self.world.run(moves.take(self.world.tools, fan, request, Turn(order.id), Command("fan_cancel", Actor.FAN)))

    def join(self, fan: Viewer) -> Entry:
        return self.world.run(wait.join(self.world.tools, fan, self.offer.id))

    def leave(self, fan: Viewer, entry: Entry) -> Entry:
        return self.world.run(wait.leave(self.world.tools, fan, entry.id))

    def set_limit(self, places: int) -> None:
        changes: Any = {"open_orders_max": places}
        self.world.run(creators.update(self.world.tools, self.owner, changes, expected_revision=None))

    def tick(self) -> int:
        return self.world.run(job.tick(self.world.tools))

    def line(self, *entries: Entry) -> list[tuple[WaitState, int | None]]:
        found = self.world.read(lambda tx: waitlist.list_of(tx, [entry.id for entry in entries]))
        kept = [entry for entry in found if entry is not None]
        places = self.world.run(waiting.positions(self.world.tools, kept))
        return [(entry.state, position) for entry, position in zip(kept, places, strict=True)]

    def capacity(self) -> Capacity:
        (found,) = self.world.run(waiting.capacities(self.world.tools, [self.current()]))
        return found

    def current(self) -> Creator:
        return self.world.run(creators.get(self.world.tools, self.creator.id))


def test_a_free_place_is_kept_for_who_waited_longest(world: World) -> None:
    shop = Shop(world)
    ada, bob, cyd, dee = (shop.fan(name) for name in ("ada", "bob", "cyd", "dee"))
    assert shop.refused(ada) == ("AT_CAPACITY", 0)
    a, b, c = (shop.join(fan) for fan in (ada, bob, cyd))
    assert shop.join(ada) == a, "once for each fan and creator"
    assert shop.line(a, b, c) == [(W.WAITING, 1), (W.WAITING, 2), (W.WAITING, 3)]
    assert world.wallet(ada) == (3_000, 0, 0), "nobody pays while they wait"
    assert shop.tick() == 0
    shop.end(shop.orders[0])
    assert shop.refused(dee) == ("AT_CAPACITY", 3), "before anybody was offered it, the place is theirs"
    assert (shop.tick(), shop.tick()) == (1, 0)
    assert shop.line(a, b, c) == [(W.OFFERED, None), (W.WAITING, 1), (W.WAITING, 2)]
    assert (shop.refused(bob), shop.refused(dee)) == (("AT_CAPACITY", 1), ("AT_CAPACITY", 3))
    assert shop.capacity() == Capacity(0, 1, kept=1, waiting=2)
    order = shop.order(ada)
    assert shop.line(a, b, c) == [(W.ORDERED, None), (W.WAITING, 1), (W.WAITING, 2)]
    assert world.read(lambda tx: waitlist.get(tx, a.id)).order_id == order.id
    assert (shop.tick(), shop.capacity()) == (0, Capacity(1, 1, kept=0, waiting=2))
    shop.end(order)
    assert shop.order(bob).creator_id == shop.creator.id, "the first in line need not wait for the job"
    told = [(line.body["previous"], line.body["status"]) for line in world.read(lambda tx: lines_of(tx, a))]
    assert told == [(None, "WAITING"), ("WAITING", "OFFERED"), ("OFFERED", "ORDERED")]


def test_an_offer_lapses_or_is_declined_and_goes_to_the_next(world: World) -> None:
    shop = Shop(world)
    ada, bob, cyd = (shop.fan(name) for name in ("ada", "bob", "cyd"))
    a, b, c = (shop.join(fan) for fan in (ada, bob, cyd))
    shop.end(shop.orders[0])
    shop.tick()
    world.clock.move(seconds=FIRST.waitlist_offer_s + 1)
    assert shop.refused(ada) == ("AT_CAPACITY", 2), "what has lapsed is kept for nobody, whether it was seen or not"
    assert shop.tick() == 2
    assert shop.line(a, b, c) == [(W.LAPSED, None), (W.OFFERED, None), (W.WAITING, 1)]
    left = shop.leave(bob, b)
    assert (left.state, shop.leave(bob, b)) == (W.DECLINED, left), "a repeat changes nothing"
    assert shop.line(c) == [(W.OFFERED, None)], "at once"
    again = shop.join(ada)
    assert (again.number > c.number, shop.line(again)) == (True, [(W.WAITING, 1)])
    with pytest.raises(errors.NotFoundError):
        shop.leave(ada, c)
    assert shop.leave(ada, again).state is W.LEFT
    shop.order(cyd)


def test_a_break_takes_an_offer_back_and_its_end_gives_it_anew(world: World) -> None:
    shop = Shop(world)
    ada, bob = shop.fan("ada"), shop.fan("bob")
    a = shop.join(ada)
    shop.end(shop.orders[0])
    shop.tick()
    until = world.clock().replace(day=15)

    def pause() -> None:
        world.run(creators.pause(world.tools, shop.owner, until=until, expected_revision=None))

    pause()
    assert shop.refused(ada) == ("CREATOR_PAUSED", None)
    assert (shop.tick(), shop.tick()) == (1, 0)
    assert shop.line(a) == [(W.WAITING, 1)], "they keep their place in line"
    assert shop.line(shop.join(bob)) == [(W.WAITING, 2)], "a break is waited for, too"
    world.clock.now = until
    assert (shop.tick(), shop.line(a)) == (1, [(W.OFFERED, None)]), "it ends by itself"
    world.clock.move(hours=1)
    until = world.clock().replace(day=28)
    pause()
    world.clock.now = until
    assert (shop.tick(), shop.line(a)) == (1, [(W.OFFERED, None)]), "a break that nobody saw takes no time from it"
    shop.order(ada)


def test_a_limit_goes_up_and_down_and_the_line_follows(world: World) -> None:
    shop = Shop(world)
    ada, bob, cyd = (shop.fan(name) for name in ("ada", "bob", "cyd"))
    a, b, c = (shop.join(fan) for fan in (ada, bob, cyd))
    shop.set_limit(3)
    assert (shop.tick(), shop.line(a, b, c)) == (2, [(W.OFFERED, None), (W.OFFERED, None), (W.WAITING, 1)])
    shop.set_limit(2)
    assert (shop.tick(), shop.line(a, b, c)) == (1, [(W.OFFERED, None), (W.WAITING, 1), (W.WAITING, 2)])
    shop.order(ada)
    assert shop.refused(bob) == ("AT_CAPACITY", 0)


def test_lines_have_an_end_and_nobody_joins_without_need(world: World) -> None:
    world.write(lambda tx: policies.insert(tx, replace(FIRST, version=2, waitlist_max=1, waitlists_fan_max=1)))
    shop = Shop(world)
    ada, bob = shop.fan("ada"), shop.fan("bob")
    shop.join(ada)
    with pytest.raises(errors.LimitExceededError) as caught:
        shop.join(bob)
    assert (caught.value.code, caught.value.limit) == ("WAITLIST", 1)
    _, _, other = world.creator("star")
    with pytest.raises(errors.ValidationError) as free:
        joined(world, ada, other)
    assert free.value.code == "PLACE_FREE"
    world.run(creators.pause(world.tools, world.people["star"], until=None, expected_revision=None))
    with pytest.raises(errors.LimitExceededError) as many:
        joined(world, ada, other)
    assert many.value.code == "WAITLISTS_FAN"
    with pytest.raises(errors.ValidationError) as own:
        joined(world, shop.owner, shop.offer)
    assert own.value.code == "OWN_OFFER"


def test_who_is_erased_waits_nowhere(world: World) -> None:
    shop = Shop(world)
    ada, bob = shop.fan("ada"), shop.fan("bob")
    a, b = shop.join(ada), shop.join(bob)
    assert world.write(lambda tx: waitlist.erase_of_user(tx, str(ada.user_id))) == 1
    assert shop.line(a, b) == [(W.LEFT, None), (W.WAITING, 1)]
    assert [each["state"] for each in world.read(lambda tx: waitlist.export_of_user(tx, str(ada.user_id)))] == [W.LEFT]


def joined(world: World, fan: Viewer, offer: Offer) -> Entry:
    return world.run(wait.join(world.tools, fan, offer.id))


def lines_of(tx: Any, entry: Entry) -> Any:
    return journal.list_of_topic(tx, entry.id, after=0, limit=10)
