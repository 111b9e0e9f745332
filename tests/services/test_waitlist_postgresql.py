"""The last place of a creator, from several processes at once: one fan has it, and it is offered once."""

from datetime import timedelta

import pytest
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import done, seller, someone, told, won
from tests.services.world import BRIEF

from shoutgraph.domain import errors
from shoutgraph.domain.campaigns import Plan
from shoutgraph.domain.capacity import Entry, WaitState
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import waitlist as job
from shoutgraph.services import creators
from shoutgraph.services.campaigns import change
from shoutgraph.services.orders import place, wait
from shoutgraph.services.orders.place import Wish
from shoutgraph.storage import campaigns, orders, waitlist
from shoutgraph.tools import Done

pytestmark = pytest.mark.postgresql_only

ROUNDS = 3


def test_the_last_place_has_one_fan_and_is_offered_once(processes: Processes) -> None:
    run = processes.run
    for _ in range(ROUNDS):
        creator, profile, offer = seller(processes)
        run(lambda tools, of=creator: creators.update(tools, of, {"open_orders_max": 1}, expected_revision=None))
        fans = [someone(processes, 1_000) for _ in range(2 * COUNT)]
        results = processes.at_once(*(processes.order(fan, offer.id) for fan in fans))
        (order,) = done(results)
        refused = won(results, errors.CreatorUnavailableError)
        assert [(each.code, each.waiting) for each in refused] == [("AT_CAPACITY", 0)] * (len(fans) - 1)
        others = [fan for fan in fans if fan.user_id != order.fan_id]
        joining = [joins(fan, offer.id) for fan in (*others, *others)]
        entries = {each.id: each for each in processes.at_once(*joining)}
        assert sorted(each.number for each in entries.values()) == list(range(1, len(fans))), (
            "each once, one behind one"
        )
        holder = next(fan for fan in fans if fan.user_id == order.fan_id)
        run(processes.move(holder, order, "fan_cancel", Actor.FAN))
        assert sum(processes.everywhere(job.tick)) == 1
        first = min(entries.values(), key=lambda entry: entry.number)
        results = processes.at_once(*(processes.order(fan, offer.id) for fan in others), job.tick)
        (taken,) = done(results)
        assert taken.fan_id == first.fan_id
        assert processes.world.read(lambda tx, of=profile.id: orders.count_open(tx, of)) == 1
        assert processes.world.read(lambda tx, of=first.id: waitlist.get(tx, of)).state is WaitState.ORDERED
        assert told(processes, first.id) == ["waitlist.changed"] * 3


def test_the_last_orders_of_a_campaign_go_to_as_many_fans(processes: Processes) -> None:
    creator, _, offer = seller(processes)
    now = processes.world.clock()
    plan = Plan("Spring", now, now + timedelta(days=1), (offer.id,), price_coins=500, orders_max=3)
    request = processes.world.request("campaignCreate", creator)
    made = processes.run(lambda tools: change.create(tools, creator, request, plan, None)).value
    fans = [someone(processes, 500) for _ in range(3 * COUNT)]
    results = processes.at_once(*(places(processes, fan, offer.id, made.id) for fan in fans))
    assert {each.code for each in won(results, errors.CampaignUnavailableError)} == {"CAMPAIGN_FULL"}
    numbers = processes.world.read(lambda tx: campaigns.list_of_pieces(tx, [order.id for order in done(results)]))
    assert sorted(piece.number for piece in numbers.values()) == [1, 2, 3]


def places(processes: Processes, fan: Viewer, offer_id: str, campaign_id: str) -> Call[Done[Order]]:
    wish, request = Wish(offer_id, BRIEF, 500, campaign_id=campaign_id), processes.world.request("orderPlace", fan)
    return lambda tools: place.place(tools, fan, request, wish)


def joins(fan: Viewer, offer_id: str) -> Call[Entry]:
    return lambda tools: wait.join(tools, fan, offer_id)
