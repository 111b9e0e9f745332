"""Orders through their use-cases: each transition with its coins, refusals and repeats that change nothing."""

from dataclasses import replace
from typing import Any

import pytest
from tests.services.world import BRIEF, World

from shoutgraph.domain import accounts, errors
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order, RedoGround
from shoutgraph.domain.orders.states import BY_NAME, Actor, State
from shoutgraph.domain.users import Viewer
from shoutgraph.services.orders import deliver, moves, others, place, speak, timers
from shoutgraph.services.orders.moves import Turn
from shoutgraph.services.orders.place import Wish
from shoutgraph.services.orders.speak import Words
from shoutgraph.storage import journal


@pytest.fixture
def scene(world: World) -> "Scene":
    return Scene(world)


class Scene:
    """A fan with 1,500 coins (100 of them granted), a creator, and one order that is led through its life."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fan = world.person("ada")
        world.give_coins(self.fan, 1400, promo=100)
        self.creator, self.profile, self.offer = world.creator()
        self.moderator, self.admin = world.staff("moderator"), world.staff("admin")
        self.video: str | None = None

    def viewer(self, actor: Actor) -> Viewer:
        people = {Actor.FAN: self.fan, Actor.CREATOR: self.creator, Actor.MODERATOR: self.moderator}
        return people.get(actor, self.admin)

    def do(self, order: Order, name: str, actor: Actor, **more: Any) -> Order:
        viewer = self.viewer(actor)
        command = Command(name, actor, reason="REASON", note="because", **more)
        request = self.world.request(name, viewer)
        return self.world.run(moves.take(self.world.tools, viewer, request, Turn(order.id), command)).value

    def deliver(self, order: Order) -> Order:
        video = self.world.ready_video(order)
        request = self.world.request("deliver", self.creator)
        return self.world.run(deliver.deliver(self.world.tools, self.creator, request, Turn(order.id), video)).value

    def lead_to(self, state: State, *, express: bool = False) -> Order:
        """A new order, led to a state by the shortest way."""
        order = self.world.place(self.fan, self.offer, express=express)
        for step, reached in (
            (lambda o: self.do(o, "screen_pass", Actor.MODERATOR), State.AWAITING_ACCEPTANCE),
            (lambda o: self.do(o, "accept", Actor.CREATOR), State.IN_PRODUCTION),
            (self.deliver, State.IN_REVIEW),
            (lambda o: self.do(o, "review_changes", Actor.MODERATOR), State.CHANGES_REQUIRED),
            (self.deliver, State.IN_REVIEW),
            (lambda o: self.do(o, "review_pass", Actor.MODERATOR), State.DELIVERED),
            (lambda o: self.do(o, "request_redo", Actor.FAN, ground=RedoGround.WRONG_NAME), State.REDO_REQUESTED),
            (lambda o: self.do(o, "contest_redo", Actor.CREATOR), State.DISPUTED),
        ):
            if order.state is state:
                break
            order = step(order)
            assert order.state is reached
        assert order.state is state
        return order


def test_a_placed_order_holds_its_price_granted_coins_first(scene: Scene) -> None:
    order = scene.world.place(scene.fan, scene.offer)
    assert (order.state, order.price_coins, order.promo_coins) == (State.SCREENING, 1000, 100)
    assert scene.world.wallet(scene.fan) == (500, 0, 1000)


def test_a_completed_order_pays_the_creator_and_the_platform(scene: Scene) -> None:
    order = scene.do(scene.lead_to(State.DELIVERED), "confirm", Actor.FAN)
    assert (order.state, order.close_reason) == (State.COMPLETED, "confirm")
    assert scene.world.wallet(scene.fan) == (500, 0, 0)
    assert scene.world.balance(accounts.pending(scene.profile.id).code) == 700
    assert scene.world.balance(accounts.fee(order.id).code) == 270


@pytest.mark.parametrize(
    ("state", "name", "actor"),
    [
        (State.SCREENING, "screen_reject", Actor.MODERATOR),
        (State.SCREENING, "fan_cancel", Actor.FAN),
        (State.AWAITING_ACCEPTANCE, "fan_cancel", Actor.FAN),
        (State.AWAITING_ACCEPTANCE, "decline", Actor.CREATOR),
        (State.IN_PRODUCTION, "creator_withdraw", Actor.CREATOR),
        (State.CHANGES_REQUIRED, "creator_withdraw", Actor.CREATOR),
        (State.IN_REVIEW, "review_reject", Actor.MODERATOR),
        (State.REDO_REQUESTED, "redo_concede", Actor.CREATOR),
        (State.DISPUTED, "dispute_refund", Actor.MODERATOR),
        (State.SCREENING, "platform_cancel", Actor.STAFF),
        (State.DELIVERED, "platform_cancel", Actor.STAFF),
        (State.DISPUTED, "platform_cancel", Actor.STAFF),
    ],
)
def test_an_order_that_ends_without_a_video_returns_every_coin_to_its_lot(
    scene: Scene, state: State, name: str, actor: Actor
) -> None:
    order = scene.do(scene.lead_to(state), name, actor)
    assert order.terminal
    assert order.refunded_coins == 1000
    assert scene.world.wallet(scene.fan) == (1400, 100, 0)


@pytest.mark.parametrize(
    ("state", "name", "days", "ends"),
    [
        (State.SCREENING, "screening_timeout", 3, State.CANCELLED),
        (State.AWAITING_ACCEPTANCE, "accept_timeout", 3, State.EXPIRED),
        (State.IN_PRODUCTION, "deliver_timeout", 7, State.EXPIRED),
        (State.CHANGES_REQUIRED, "deliver_timeout", 7, State.EXPIRED),
        (State.IN_REVIEW, "review_overdue", 14, State.CANCELLED),
        (State.DELIVERED, "auto_complete", 3, State.COMPLETED),
        (State.REDO_REQUESTED, "redo_timeout", 7, State.REFUNDED),
        (State.DISPUTED, "dispute_release", 3, State.COMPLETED),
    ],
)
def test_a_deadline_takes_its_transition_once_and_not_before(
    scene: Scene, state: State, name: str, days: int, ends: State
) -> None:
    order, world = scene.lead_to(state), scene.world
    world.clock.move(days=days, seconds=-1)
    assert world.run(timers.fire_due(world.tools, limit=10)) == 0
    assert world.order(order).state is state
    world.clock.move(seconds=2)
    assert world.run(timers.fire_due(world.tools, limit=10)) == 1
    ended = world.order(order)
    assert (ended.state, ended.close_reason) == (ends, name)
    assert world.run(timers.fire_due(world.tools, limit=10)) == 0


def test_a_silent_creator_loses_a_dispute_and_an_undecided_one_costs_the_platform(scene: Scene) -> None:
    world = scene.world
    first = scene.do(scene.lead_to(State.DELIVERED), "open_dispute", Actor.FAN)
    world.clock.move(days=3, seconds=1)
    world.run(timers.fire_due(world.tools, limit=10))
    assert world.order(first).close_reason == "dispute_refund"
    second = scene.do(scene.lead_to(State.DELIVERED), "open_dispute", Actor.FAN)
    answer = world.request("answer", scene.creator)
    world.run(speak.answer(world.tools, scene.creator, answer, Turn(second.id), Words("I did as asked.")))
    world.clock.move(days=14, seconds=1)
    world.run(timers.fire_due(world.tools, limit=10))
    assert world.order(second).close_reason == "dispute_overdue"
    assert world.wallet(scene.fan) == (1400, 100, 0)
    assert world.balance(accounts.pending(scene.profile.id).code) == 700


def test_an_abandoned_draft_costs_nothing(scene: Scene) -> None:
    world = scene.world
    wish = Wish(scene.offer.id, BRIEF, expected_price_coins=1000)
    draft = world.run(place.draft(world.tools, scene.fan, world.request("draft", scene.fan), wish)).value
    assert world.wallet(scene.fan) == (1400, 100, 0)
    world.clock.move(days=30, seconds=1)
    world.run(timers.fire_due(world.tools, limit=10))
    assert world.order(draft).close_reason == "abandon"


def test_a_submitted_draft_is_paid_at_the_price_of_now(scene: Scene) -> None:
    world = scene.world
    wish = Wish(scene.offer.id, BRIEF, expected_price_coins=1000)
    draft = world.run(place.draft(world.tools, scene.fan, world.request("draft", scene.fan), wish)).value
    request = world.request("submit", scene.fan)
    with pytest.raises(errors.PriceChangedError):
        world.run(place.submit(world.tools, scene.fan, request, draft.id, 999))
    request = world.request("submit", scene.fan)
    order = world.run(place.submit(world.tools, scene.fan, request, draft.id, 1000)).value
    assert order.state is State.SCREENING
    again = world.request("submit", scene.fan)
    with pytest.raises(errors.OrderStateError):
        world.run(place.submit(world.tools, scene.fan, again, draft.id, 1000))
    assert world.wallet(scene.fan) == (500, 0, 1000)


def test_a_split_returns_a_share_to_the_lots_and_pays_the_rest(scene: Scene) -> None:
    order = scene.do(scene.lead_to(State.DISPUTED), "dispute_split", Actor.MODERATOR, back_coins=400)
    assert (order.state, order.refunded_coins) == (State.SPLIT, 400)
    assert scene.world.wallet(scene.fan) == (500 + 360, 40, 0)
    assert scene.world.balance(accounts.pending(scene.profile.id).code) == 420


def test_a_dispute_may_lead_to_a_redo(scene: Scene) -> None:
    disputed = scene.do(scene.lead_to(State.DELIVERED), "open_dispute", Actor.FAN)
    order = scene.do(disputed, "dispute_redo", Actor.MODERATOR, ground=RedoGround.WRONG_NAME)
    assert (order.state, order.redo) == (State.REDO_REQUESTED, True)
    passed = scene.do(scene.deliver(order), "review_pass", Actor.MODERATOR)
    assert scene.do(passed, "confirm", Actor.FAN).state is State.COMPLETED


def test_a_rejected_redo_is_disputed(scene: Scene) -> None:
    order = scene.deliver(scene.lead_to(State.REDO_REQUESTED))
    assert scene.do(order, "redo_review_reject", Actor.MODERATOR).state is State.DISPUTED


def test_a_late_express_video_returns_the_surcharge(scene: Scene) -> None:
    order, world = scene.lead_to(State.IN_PRODUCTION, express=True), scene.world
    changes = scene.do(scene.deliver(order), "review_changes", Actor.MODERATOR)
    world.clock.move(hours=30)
    passed = scene.do(scene.deliver(changes), "review_pass", Actor.MODERATOR)
    assert (passed.price_coins, passed.promo_coins) == (1000, 84)
    assert world.wallet(scene.fan) == (300 + 184, 16, 1000)
    scene.do(passed, "confirm", Actor.FAN)
    assert world.wallet(scene.fan) == (484, 16, 0)


def test_an_extension_moves_the_deadline(scene: Scene) -> None:
    order, world = scene.lead_to(State.IN_PRODUCTION), scene.world
    request = world.request("offer", scene.creator)
    world.run(others.offer_extension(world.tools, scene.creator, request, Turn(order.id), 24 * 3600))
    scene.do(order, "extend", Actor.FAN)
    world.clock.move(days=7)
    assert world.run(timers.fire_due(world.tools, limit=10)) == 0
    world.clock.move(days=1, seconds=1)
    assert world.run(timers.fire_due(world.tools, limit=10)) == 1


def test_a_frozen_order_waits_and_goes_on_with_the_time_it_lost(scene: Scene) -> None:
    order, world = scene.lead_to(State.AWAITING_ACCEPTANCE), scene.world
    frozen = world.run(others.freeze(world.tools, scene.admin, world.request("freeze", scene.admin), Turn(order.id)))
    world.clock.move(days=30, seconds=1)
    assert world.run(timers.fire_due(world.tools, limit=10)) == 0
    with pytest.raises(errors.OrderStateError):
        scene.do(frozen.value, "accept", Actor.CREATOR)
    world.run(others.unfreeze(world.tools, scene.admin, world.request("unfreeze", scene.admin), Turn(order.id)))
    assert scene.do(frozen.value, "accept", Actor.CREATOR).state is State.IN_PRODUCTION


def test_a_reversed_payment_cancels_the_orders_that_hold_its_coins(scene: Scene) -> None:
    world = scene.world
    other = world.give_coins(scene.fan, 500)
    order = world.place(scene.fan, replace(scene.offer, price_coins=1000))
    reversed_lot = world.read(lambda tx: timers.ledger_rows.list_of_held_lots(tx, order.id))[-1]
    lot = world.read(lambda tx: timers.ledger_rows.find_lot(tx, reversed_lot.lot_id))
    assert lot is not None
    assert lot.topup_id is not None
    dispute = "dispute_1"
    coins = world.write(
        lambda tx: timers.reverse_orders(world.tools, tx, [order.id], topup_id=lot.topup_id, dispute_id=dispute)
    )
    ended = world.order(order)
    assert (ended.state, ended.close_reason, coins) == (State.CANCELLED, "payment_reversed", 900)
    assert world.balance(accounts.holding("dispute", dispute).code) == 900
    assert world.wallet(scene.fan) == (1400 + 500 - 900, 100, 0)
    assert other.granted == 500


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_stranger_finds_no_order_and_a_side_cannot_act_for_the_other(scene: Scene, name: str) -> None:
    order, world = scene.lead_to(State.SCREENING), scene.world
    transition = BY_NAME[name]
    stranger = world.person("mallory")
    for actor in transition.actors & {Actor.FAN, Actor.CREATOR, Actor.MODERATOR, Actor.STAFF}:
        command = Command(name, actor)
        with pytest.raises((errors.NotFoundError, errors.ForbiddenError)) as caught:
            world.run(moves.take(world.tools, stranger, world.request(name, stranger), Turn(order.id), command))
        assert not isinstance(caught.value, errors.OrderStateError)
    if transition.actors & {Actor.CREATOR}:
        with pytest.raises(errors.ForbiddenError):
            world.run(
                moves.take(
                    world.tools, scene.fan, world.request(name, scene.fan), Turn(order.id), Command(name, Actor.CREATOR)
                )
            )


def test_a_repeated_order_is_placed_once(scene: Scene) -> None:
    world, key = scene.world, "the-same-key-twice"
    first = world.place(scene.fan, scene.offer, key=key)
    assert world.place(scene.fan, scene.offer, key=key).id == first.id
    assert world.wallet(scene.fan) == (500, 0, 1000)
    with pytest.raises(errors.IdempotencyKeyReusedError):
        world.place(scene.fan, scene.offer, express=True, key=key)


def test_a_repeated_refusal_is_the_same_refusal_even_if_it_would_now_succeed(scene: Scene) -> None:
    world, key = scene.world, "a-key-that-was-refused"
    scene.lead_to(State.SCREENING)
    with pytest.raises(errors.InsufficientCoinsError) as first:
        world.place(scene.fan, scene.offer, key=key)
    assert (first.value.required_coins, first.value.available_coins, first.value.replayed) == (1000, 500, False)
    world.give_coins(scene.fan, 5000)
    with pytest.raises(errors.InsufficientCoinsError) as again:
        world.place(scene.fan, scene.offer, key=key)
    assert (again.value.available_coins, again.value.replayed) == (500, True)
    world.place(scene.fan, scene.offer)


def test_an_order_changed_meanwhile_is_refused(scene: Scene) -> None:
    order, world = scene.lead_to(State.AWAITING_ACCEPTANCE), scene.world
    turn, command = Turn(order.id, expected_revision=order.revision - 1), Command("accept", Actor.CREATOR)
    with pytest.raises(errors.StaleRevisionError) as caught:
        world.run(moves.take(world.tools, scene.creator, world.request("accept", scene.creator), turn, command))
    assert caught.value.current_revision == order.revision
    assert world.order(order) == order


def test_a_price_that_changed_is_refused(scene: Scene) -> None:
    with pytest.raises(errors.PriceChangedError) as caught:
        scene.world.place(scene.fan, replace(scene.offer, price_coins=900))
    assert caught.value.current_price_coins == 1000


def test_a_creator_cannot_order_from_themselves(scene: Scene) -> None:
    scene.world.give_coins(scene.creator, 5000)
    with pytest.raises(errors.ValidationError) as caught:
        scene.world.place(scene.creator, scene.offer)
    assert caught.value.code == "OWN_OFFER"


def test_only_a_ready_video_of_the_same_order_is_delivered(scene: Scene) -> None:
    world = scene.world
    world.give_coins(scene.fan, 5000)
    one, two = scene.lead_to(State.IN_PRODUCTION), scene.lead_to(State.IN_PRODUCTION)
    with pytest.raises(errors.NotFoundError):
        world.run(
            deliver.deliver(
                world.tools, scene.creator, world.request("d", scene.creator), Turn(two.id), world.ready_video(one)
            )
        )
    assert world.order(two).state is State.IN_PRODUCTION


def watched(scene: Scene, order: Order, viewer: Viewer) -> str | None:
    """The video that this viewer may watch."""
    (shown,) = scene.world.run(deliver.list_shown(scene.world.tools, viewer, [scene.world.order(order)]))
    return None if shown is None or shown.watch is None else shown.video.id


def test_the_fan_sees_only_what_passed_review(scene: Scene) -> None:
    order = scene.lead_to(State.IN_REVIEW)
    assert watched(scene, order, scene.fan) is None
    order = scene.do(order, "review_pass", Actor.MODERATOR)
    passed = watched(scene, order, scene.fan)
    assert passed is not None
    order = scene.do(order, "request_redo", Actor.FAN, ground=RedoGround.WRONG_NAME)
    order = scene.do(scene.deliver(order), "redo_review_reject", Actor.MODERATOR)
    assert order.state is State.DISPUTED
    assert watched(scene, order, scene.fan) == passed, "the rejected redo never reaches the fan"
    assert watched(scene, order, scene.creator) == order.video_id != passed
    order = scene.do(order, "dispute_release", Actor.MODERATOR)
    assert watched(scene, order, scene.fan) == passed


@pytest.mark.parametrize("side", [Actor.FAN, Actor.CREATOR])
def test_nobody_judges_their_own_order(scene: Scene, side: Actor) -> None:
    order = scene.lead_to(State.DISPUTED)
    judge = replace(scene.viewer(side), scopes=scene.moderator.scopes)
    request = scene.world.request("dispute_release", judge)
    command = Command("dispute_release", Actor.MODERATOR, reason="R", note="because")
    with pytest.raises(errors.ForbiddenError) as caught:
        scene.world.run(moves.take(scene.world.tools, judge, request, Turn(order.id), command))
    assert caught.value.code == "OWN_ORDER"
    assert scene.world.order(order) == order


@pytest.mark.parametrize("side", [Actor.FAN, Actor.CREATOR])
def test_the_journal_names_the_side_that_spoke(scene: Scene, side: Actor) -> None:
    order, world, viewer = scene.lead_to(State.DISPUTED), scene.world, scene.viewer(side)
    world.run(speak.answer(world.tools, viewer, world.request("a", viewer), Turn(order.id), Words("Listen.")))
    last = world.read(lambda tx: journal.list_of_topic(tx, order.id, after=order.revision, limit=10))[-1]
    assert (last.type, last.body["actor"]) == ("order.changed", side)


def test_everything_wrong_with_a_brief_is_said_at_once(scene: Scene) -> None:
    world = scene.world
    brief = replace(BRIEF, recipient_name="", instructions="\u202eevil", language="?")
    wish = Wish(scene.offer.id, brief, expected_price_coins=1000)
    with pytest.raises(ExceptionGroup) as caught:
        world.run(place.place(world.tools, scene.fan, world.request("orderPlace", scene.fan), wish))
    found = {(error.code, error.path) for error in caught.value.exceptions if isinstance(error, errors.ValidationError)}
    assert found == {
        ("EMPTY", ("input", "brief", "recipientName")),
        ("INVALID_TEXT", ("input", "brief", "instructions")),
        ("INVALID_LANGUAGE", ("input", "brief", "language")),
    }
