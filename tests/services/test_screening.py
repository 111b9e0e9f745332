"""Plugins look at orders before moderators do: they pass, reject or leave them, and whatever goes wrong leaves them."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.services.test_orders import Scene
from tests.services.world import World

from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.jobs import screening
from shoutgraph.plugins import loading
from shoutgraph.sdk import OrderRequest, OrderVideo, Verdict, hookimpl
from shoutgraph.services.orders import advance, others, screen
from shoutgraph.services.orders.moves import Turn
from shoutgraph.storage import deadlines, journal, orders

Answer = Callable[[OrderRequest | OrderVideo], object]

ALLOW, HOLD, DENY = Verdict.ALLOW, Verdict.HOLD, Verdict.DENY


class Screens:
    """A plugin whose answer a test gives."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.seen: list[OrderRequest | OrderVideo] = []

    @hookimpl
    def shoutgraph_screen(self, subject: OrderRequest | OrderVideo) -> object:
        self.seen.append(subject)
        return self.answer(subject)


def installed(world: World, *plugins: Screens) -> None:
    extra: Mapping[str, object] = {f"screens-{at}": plugin for at, plugin in enumerate(plugins)}
    setup = loading.Setup(
        instances={}, environ={}, clock=world.clock, monotonic=time.monotonic, discover=False, extra=extra
    )
    world.tools = replace(world.tools, providers=loading.load(setup))


def always(answer: object) -> Screens:
    def give(_: object) -> object:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return Screens(give)


def now(world: World, order: Order) -> Order:
    return world.read(lambda tx: orders.get(tx, order.id))


def tick(world: World) -> int:
    world.clock.move(seconds=1)
    return world.run(screening.tick(world.tools))


def waiting(world: World, order: Order) -> set[str]:
    return {each.kind for each in world.read(lambda tx: deadlines.list_of_subject(tx, order.id))}


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def test_without_such_a_plugin_nothing_changes(scene: Scene) -> None:
    order = scene.lead_to(State.SCREENING)
    assert waiting(scene.world, order) == {"screening_timeout"}
    assert tick(scene.world) == 0
    assert now(scene.world, order).state is State.SCREENING


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ((ALLOW,), State.AWAITING_ACCEPTANCE),
        ((None, ALLOW), State.AWAITING_ACCEPTANCE),
        ((ALLOW, HOLD), State.SCREENING),
        ((DENY, ALLOW), State.REJECTED),
        ((ALLOW, RuntimeError("broken")), State.SCREENING),
        ((None,), State.SCREENING),
        (("allow",), State.SCREENING),
    ],
)
def test_a_request_goes_where_the_strictest_verdict_says(
    scene: Scene, answers: tuple[object, ...], state: State
) -> None:
    installed(scene.world, *map(always, answers))
    order = scene.lead_to(State.SCREENING)
    assert tick(scene.world) == 1
    assert now(scene.world, order).state is state
    assert tick(scene.world) == 0, "an order is looked at once"
    if state is State.SCREENING:
        assert scene.do(order, "screen_pass", Actor.MODERATOR).state is State.AWAITING_ACCEPTANCE


@pytest.mark.parametrize(
    ("answer", "state"),
    [(ALLOW, State.DELIVERED), (HOLD, State.IN_REVIEW), (DENY, State.CHANGES_REQUIRED), (None, State.IN_REVIEW)],
)
def test_a_video_is_passed_left_or_sent_back(scene: Scene, answer: Verdict | None, state: State) -> None:
    plugin = always(HOLD)
    installed(scene.world, plugin)
    order = scene.lead_to(State.IN_REVIEW)
    plugin.answer = lambda _: answer
    assert tick(scene.world) == 1
    assert now(scene.world, order).state is state
    video = plugin.seen[-1]
    assert isinstance(video, OrderVideo)
    assert (video.order_id, video.duration_s > 0, len(video.sha256)) == (order.id, True, 64)


def test_plugins_see_the_words_of_the_fan_and_the_journal_names_who_decided(scene: Scene) -> None:
    plugin = always(DENY)
    installed(scene.world, plugin)
    order = scene.lead_to(State.SCREENING)
    assert tick(scene.world) == 1
    (request,) = plugin.seen
    assert isinstance(request, OrderRequest)
    assert request.occasion == "BIRTHDAY"
    assert {"recipientName", "instructions"} <= request.texts.keys()
    rejected = now(scene.world, order)
    assert (rejected.state, rejected.reason, rejected.refunded_coins) == (
        State.REJECTED,
        "AUTOMATIC_SCREENING",
        order.price_coins,
    )
    line = scene.world.read(lambda tx: journal.list_of_topic(tx, order.id, after=order.revision, limit=10))[-1]
    assert (line.body["transition"], line.body["actor"]) == ("screen_reject", "POLICY")


def test_a_look_that_hangs_leaves_the_order(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "LOOK_TIMEOUT_S", 0.02)

    async def hangs() -> None:
        await asyncio.sleep(60)

    installed(scene.world, Screens(lambda _: hangs()))
    order = scene.lead_to(State.SCREENING)
    assert tick(scene.world) == 1
    assert now(scene.world, order).state is State.SCREENING
    assert waiting(scene.world, order) == {"screening_timeout"}


def test_who_moved_the_order_meanwhile_is_right(scene: Scene) -> None:
    def moves(_: object) -> object:
        async def later() -> Verdict:
            await scene.world.tools.store.write(lambda tx: deadlines.delete(tx, order.id, "screening_2"))
            return ALLOW

        return later()

    installed(scene.world, Screens(moves))
    order = scene.lead_to(State.SCREENING)
    assert tick(scene.world) == 1
    assert now(scene.world, order).state is State.SCREENING


def test_a_cancelled_order_is_not_looked_at(scene: Scene) -> None:
    plugin = always(ALLOW)
    installed(scene.world, plugin)
    order = scene.lead_to(State.SCREENING)
    scene.do(order, "fan_cancel", Actor.FAN)
    assert tick(scene.world) == 0
    assert plugin.seen == []


class Killed(BaseException):
    """The process ended here."""


def test_a_worker_that_dies_gives_its_look_back_three_times_and_no_more(scene: Scene) -> None:
    plugin = always(Killed())
    installed(scene.world, plugin)
    order = scene.lead_to(State.SCREENING)
    for at in range(3):
        assert tick(scene.world) == 0
        plugin_seen = len(plugin.seen)
        assert plugin_seen == at + 1
        assert tick(scene.world) == 0, "the look is somebody's until the lease ends"
        scene.world.clock.move(seconds=int(screen.LEASE / timedelta(seconds=1)) + 1)
    assert tick(scene.world) == 0
    assert waiting(scene.world, order) == {"screening_timeout"}
    assert now(scene.world, order).state is State.SCREENING


def test_a_note_gives_no_try_back_and_takes_none_away(scene: Scene) -> None:
    def noted() -> None:
        scene.world.write(lambda tx: advance.note(scene.world.tools, tx, orders.get(tx, order.id), "voice", Actor.FAN))

    plugin = always(Killed())
    installed(scene.world, plugin)
    order = scene.lead_to(State.SCREENING)
    for _ in range(5):
        noted()
        tick(scene.world)
        noted()
        scene.world.clock.move(seconds=int(screen.LEASE / timedelta(seconds=1)) + 1)
    assert len(plugin.seen) == 3
    assert waiting(scene.world, order) == {"screening_timeout"}


def test_a_verdict_counts_though_something_was_noted_meanwhile(scene: Scene) -> None:
    def notes(_: object) -> object:
        async def later() -> Verdict:
            store = scene.world.tools.store
            await store.write(lambda tx: advance.note(scene.world.tools, tx, orders.get(tx, order.id), "v", Actor.FAN))
            return DENY

        return later()

    installed(scene.world, Screens(notes))
    order = scene.lead_to(State.SCREENING)
    assert tick(scene.world) == 1
    assert now(scene.world, order).state is State.REJECTED


def test_a_worker_that_dies_between_is_followed_by_another(scene: Scene) -> None:
    plugin = always(Killed())
    installed(scene.world, plugin)
    order = scene.lead_to(State.SCREENING)
    assert tick(scene.world) == 0
    plugin.answer = lambda _: ALLOW
    scene.world.clock.move(seconds=int(screen.LEASE / timedelta(seconds=1)) + 1)
    assert tick(scene.world) == 1
    assert now(scene.world, order).state is State.AWAITING_ACCEPTANCE


def test_a_plugin_that_is_gone_leaves_what_waited_for_it(scene: Scene) -> None:
    installed(scene.world, always(ALLOW))
    order = scene.lead_to(State.SCREENING)
    installed(scene.world)
    assert tick(scene.world) == 1
    assert waiting(scene.world, order) == {"screening_timeout"}
    assert now(scene.world, order).state is State.SCREENING


def test_a_frozen_order_is_looked_at_when_it_goes_on(scene: Scene) -> None:

    installed(scene.world, always(ALLOW))
    order = scene.lead_to(State.SCREENING)
    tools, admin = scene.world.tools, scene.admin
    scene.world.run(others.freeze(tools, admin, scene.world.request("freeze", admin), Turn(order.id)))
    assert tick(scene.world) == 0
    scene.world.run(others.unfreeze(tools, admin, scene.world.request("unfreeze", admin), Turn(order.id)))
    assert tick(scene.world) == 1
    assert now(scene.world, order).state is State.AWAITING_ACCEPTANCE
