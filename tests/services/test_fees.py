"""Fees become revenue once nobody can ask for them back, exactly and once a day; until then refunds find them."""

from tests.services.test_orders import Scene
from tests.services.world import World

from shoutgraph.domain import accounts, ledger
from shoutgraph.domain.adjustments import AdjustmentReason
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.jobs import sweep as job
from shoutgraph.services import earnings
from shoutgraph.services.money import fees
from shoutgraph.services.orders import adjust
from shoutgraph.services.orders.moves import Turn


def held(world: World) -> int:
    return sum(world.balance(accounts.fee_stripe(number).code) for number in range(ledger.FEE_STRIPES))


def refund(world: World, order: Order, coins: int | None) -> None:
    finance = world.staff("finance")
    asked, wish = world.request("orderRefund", finance), adjust.Wish(AdjustmentReason.QUALITY, coins=coins)
    world.run(adjust.refund(world.tools, finance, asked, Turn(order.id), wish))


def test_a_fee_is_swept_when_its_earning_has_matured_and_not_before(world: World) -> None:
    scene = Scene(world)
    world.give_coins(scene.fan, 5_000)
    first = scene.do(scene.lead_to(State.DELIVERED), "confirm", Actor.FAN)
    whole = held(world)
    assert whole > 0
    assert world.run(fees.sweep(world.tools)) == 0, "it can be refunded"
    refund(world, first, 100)
    left = held(world)
    assert 0 < left < whole
    assert world.run(fees.sweep(world.tools)) == 0

    world.clock.move(days=30)
    assert world.run(earnings.mature_due(world.tools)) == 1
    second = scene.do(scene.lead_to(State.DELIVERED), "confirm", Actor.FAN)
    refund(world, second, 10)
    pending = held(world) - left
    world.run(job.tick(world.tools))
    assert held(world) == pending, "what is pending stays"
    assert world.balance("rev:fees:EUR") == left * 100
    assert world.balance(accounts.MINT.code) < 0
    world.verify()

    refund(world, second, None)
    assert held(world) == 0, "the whole of it found its fee"
    third = scene.do(scene.lead_to(State.DELIVERED), "confirm", Actor.FAN)
    world.clock.move(days=30)
    assert world.run(earnings.mature_due(world.tools)) == 1
    of_third = world.balance(accounts.fee(third.id).code)
    assert (world.run(fees.sweep(world.tools)), world.run(fees.sweep(world.tools))) == (of_third, 0)
    assert held(world) == 0
    world.verify()
