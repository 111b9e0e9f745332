"""The order machine: every transition, every illegal pair, every window, and random walks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from shoutgraph.domain import errors, ids
from shoutgraph.domain.orders import machine
from shoutgraph.domain.orders.machine import Command, Move
from shoutgraph.domain.orders.order import Order, RedoGround, Side, Terms
from shoutgraph.domain.orders.states import BY_NAME, LIVE, TERMINAL, TRANSITIONS, Actor, CoinEffect, Cut, State
from shoutgraph.domain.policies import FIRST as POLICY

T0 = datetime(2026, 1, 1, tzinfo=UTC)
H = timedelta(hours=1)
MAKING = {State.IN_PRODUCTION, State.CHANGES_REQUIRED, State.REDO_REQUESTED}


def order_in(state: State, **changes: Any) -> Order:
    order = Order(
        id=ids.OrderId("order_01040g2081040g2081040g2081"),
        revision=1,
        state=state,
        fan_id=ids.UserId("user_01040g2081040g2081040g2081"),
        creator_id=ids.CreatorId("creator_01040g2081040g2081040g2081"),
        offer_id=ids.OfferId("offer_01040g2081040g2081040g2081"),
        terms=Terms(
            policy_version=1,
            fee_bps=3000,
            base_coins=1000,
            express_coins=0,
            duration_max_s=60,
            delivery_s=7 * 24 * 3600,
        ),
        price_coins=1000,
        promo_coins=0,
        created_at=T0,
        updated_at=T0,
        state_at=T0,
        submitted_at=T0,
        accepted_at=T0,
    )
    if state in MAKING:
        order = replace(order, delivery_due_at=T0 + 24 * H)
    return replace(order, **changes)


def command(name: str, actor: Actor) -> Command:
    return Command(
        name,
        actor,
        reason="REASON",
        video_id="video_01040g2081040g2081040g2081",
        ground=RedoGround.WRONG_NAME,
        back_coins=400,
    )


def ready(order: Order, name: str, actor: Actor) -> Order:
    """The order with whatever the transition's guard asks for."""
    transition = BY_NAME[name]
    if transition.cut is Cut.REDO:
        order = replace(order, redo=True)
    if name == "extend":
        order = replace(order, extension_s=3600, extension_offered_at=T0)
    if name == "review_overdue" and actor is Actor.FAN:
        order = replace(order, state_at=T0 - 100 * H)
    if name == "dispute_refund":
        order = replace(order, waiting_for=Side.CREATOR)
    if name == "dispute_release":
        order = replace(order, waiting_for=Side.FAN)
    return order


LEGAL = [(t, source, actor) for t in TRANSITIONS for source in sorted(t.sources) for actor in sorted(t.actors)]
ILLEGAL = [(t, state) for t in TRANSITIONS for state in State if state not in t.sources]
WRONG_ACTORS = [(t, actor) for t in TRANSITIONS for actor in Actor if actor not in t.actors]


def test_the_machine_has_16_states_and_32_transitions_numbered_without_gap() -> None:
    assert len(State) == 16
    assert [t.number for t in TRANSITIONS] == list(range(1, 33))
    assert set(LIVE) | set(TERMINAL) | {State.DRAFT} == set(State)


@pytest.mark.parametrize(("transition", "source", "actor"), LEGAL, ids=lambda v: getattr(v, "name", str(v)))
def test_a_legal_transition_leads_where_the_table_says(transition: Any, source: State, actor: Actor) -> None:
    order = ready(order_in(source), transition.name, actor)
    moved = machine.move(order, command(transition.name, actor), policy=POLICY, now=T0 + H)
    assert moved.after.state == (transition.target or source)
    assert moved.after.revision == order.revision + 1
    assert moved.after.terminal == (moved.after.close_reason == transition.name)
    if not moved.after.terminal:
        assert machine.timers(moved.after, POLICY), "an open state has a timer that leads out of it"
        assert all(name in BY_NAME for name in machine.timers(moved.after, POLICY))
    else:
        assert machine.timers(moved.after, POLICY) == {}


@pytest.mark.parametrize(("transition", "state"), ILLEGAL, ids=lambda v: getattr(v, "name", str(v)))
def test_a_transition_is_refused_from_any_other_state(transition: Any, state: State) -> None:
    actor = min(transition.actors)
    order = ready(order_in(state), transition.name, actor)
    with pytest.raises(errors.OrderStateError) as caught:
        machine.move(order, command(transition.name, actor), policy=POLICY, now=T0 + H)
    assert caught.value.code == "ORDER_STATE"
    assert caught.value.state == state


@pytest.mark.parametrize(("transition", "actor"), WRONG_ACTORS, ids=lambda v: getattr(v, "name", str(v)))
def test_a_transition_is_refused_to_anyone_else(transition: Any, actor: Actor) -> None:
    order = ready(order_in(min(transition.sources)), transition.name, actor)
    with pytest.raises(errors.OrderStateError) as caught:
        machine.move(order, command(transition.name, actor), policy=POLICY, now=T0 + H)
    assert caught.value.code == "WRONG_ACTOR"


@pytest.mark.parametrize("transition", [t for t in TRANSITIONS if t.cut is not Cut.ANY], ids=lambda t: t.name)
def test_a_transition_of_one_cut_is_refused_in_the_other(transition: Any) -> None:
    actor = min(transition.actors)
    order = ready(order_in(min(transition.sources)), transition.name, actor)
    order = replace(order, redo=transition.cut is Cut.FIRST)
    with pytest.raises(errors.OrderStateError):
        machine.move(order, command(transition.name, actor), policy=POLICY, now=T0 + H)


@pytest.mark.parametrize("state", LIVE)
def test_a_frozen_order_has_no_timers_and_moves_only_for_staff_and_providers(state: State) -> None:
    frozen = machine.freeze(order_in(state), now=T0)
    assert machine.timers(frozen, POLICY) == {}
    for transition in TRANSITIONS:
        if state in transition.sources and not transition.actors & {Actor.STAFF, Actor.PROVIDER}:
            actor = min(transition.actors)
            with pytest.raises(errors.OrderStateError):
                machine.move(
                    ready(frozen, transition.name, actor), command(transition.name, actor), policy=POLICY, now=T0 + H
                )
    moved = machine.move(frozen, command("platform_cancel", Actor.STAFF), policy=POLICY, now=T0 + H)
    assert moved.after.state is State.CANCELLED


@pytest.mark.parametrize("state", LIVE)
def test_an_unfrozen_order_gets_the_time_back_that_it_stood_still(state: State) -> None:
    order = order_in(state)
    before = machine.timers(order, POLICY)
    thawed = machine.unfreeze(machine.freeze(order, now=T0 + H), now=T0 + 11 * H)
    assert machine.timers(thawed, POLICY) == {name: due + 10 * H for name, due in before.items()}


@pytest.mark.parametrize(
    ("name", "state", "late_h", "code"),
    [
        ("request_redo", State.DELIVERED, 73, "WINDOW_CLOSED"),
        ("open_dispute", State.DELIVERED, 73, "WINDOW_CLOSED"),
        ("extend", State.IN_PRODUCTION, 49, "WINDOW_CLOSED"),
    ],
)
def test_a_window_that_has_closed_refuses_the_fan(name: str, state: State, late_h: int, code: str) -> None:
    order = ready(order_in(state), name, Actor.FAN)
    machine.move(order, command(name, Actor.FAN), policy=POLICY, now=T0 + (late_h - 2) * H)
    with pytest.raises(errors.OrderStateError) as caught:
        machine.move(order, command(name, Actor.FAN), policy=POLICY, now=T0 + late_h * H)
    assert caught.value.code == code


def test_the_fan_may_give_up_a_review_only_when_it_is_late() -> None:
    order = order_in(State.IN_REVIEW)
    with pytest.raises(errors.OrderStateError) as caught:
        machine.move(order, command("review_overdue", Actor.FAN), policy=POLICY, now=T0 + 71 * H)
    assert caught.value.code == "WINDOW_NOT_OPEN"
    moved = machine.move(order, command("review_overdue", Actor.FAN), policy=POLICY, now=T0 + 72 * H)
    assert moved.coins is CoinEffect.RETURN_AND_COMPENSATE


def test_the_delivery_clock_stops_at_upload_and_resumes_with_at_least_48_hours() -> None:
    order = replace(order_in(State.IN_PRODUCTION), delivery_due_at=T0 + 100 * H)
    uploaded = machine.move(order, command("upload", Actor.CREATOR), policy=POLICY, now=T0).after
    assert uploaded.delivery_left_s == 100 * 3600
    later = T0 + 30 * H
    changes = machine.move(uploaded, command("review_changes", Actor.MODERATOR), policy=POLICY, now=later).after
    assert changes.delivery_due_at == later + 100 * H
    nearly_due = replace(order, delivery_due_at=T0 + H)
    uploaded = machine.move(nearly_due, command("upload", Actor.CREATOR), policy=POLICY, now=T0).after
    changes = machine.move(uploaded, command("review_changes", Actor.MODERATOR), policy=POLICY, now=later).after
    assert changes.delivery_due_at == later + 48 * H


def test_a_late_express_video_gives_the_surcharge_back_and_a_timely_one_does_not() -> None:
    terms = replace(order_in(State.IN_REVIEW).terms, express_coins=200, delivery_s=24 * 3600)
    order = replace(order_in(State.IN_REVIEW), terms=terms, price_coins=1200, delivery_left_s=0)
    passed = command("review_pass", Actor.MODERATOR)
    timely = machine.move(order, passed, policy=POLICY, now=T0 + 60 * H)
    assert (timely.coins, timely.after.price_coins) == (CoinEffect.NONE, 1200)
    late = machine.move(replace(order, delivery_left_s=-1), passed, policy=POLICY, now=T0 + 60 * H)
    assert (late.coins, late.back_coins, late.after.price_coins) == (CoinEffect.RETURN_LATE_SURCHARGE, 200, 1000)


def test_only_the_creators_own_time_counts_against_an_express_delivery() -> None:
    order = replace(order_in(State.IN_PRODUCTION), delivery_due_at=T0 + 24 * H)
    upload, changes = command("upload", Actor.CREATOR), command("review_changes", Actor.MODERATOR)
    first = machine.move(order, upload, policy=POLICY, now=T0 + 10 * H).after
    asked = machine.move(first, changes, policy=POLICY, now=T0 + 80 * H).after
    second = machine.move(asked, upload, policy=POLICY, now=T0 + 93 * H).after
    assert second.delivery_left_s == 3600, "24 hours, less 10 to film and 13 to film again; 70 in review do not count"
    late = machine.move(asked, upload, policy=POLICY, now=T0 + 95 * H).after
    assert late.delivery_left_s == -3600


def test_a_frozen_order_takes_no_offer_and_no_answer() -> None:
    producing = machine.freeze(order_in(State.IN_PRODUCTION), now=T0)
    disputed = machine.freeze(order_in(State.DISPUTED), now=T0)
    with pytest.raises(errors.OrderStateError) as offered:
        machine.offer_extension(producing, 3600, policy=POLICY, now=T0)
    with pytest.raises(errors.OrderStateError) as answered:
        machine.answer_dispute(disputed, Side.FAN, now=T0)
    assert (offered.value.code, answered.value.code) == ("FROZEN", "FROZEN")


@pytest.mark.parametrize("back", [None, 0, -1, 1000, 10**9])
def test_a_split_gives_back_some_but_not_all(back: int | None) -> None:
    asked = replace(command("dispute_split", Actor.MODERATOR), back_coins=back)
    with pytest.raises(errors.ValidationError):
        machine.move(order_in(State.DISPUTED), asked, policy=POLICY, now=T0)


def test_a_redo_needs_a_ground() -> None:
    asked = replace(command("request_redo", Actor.FAN), ground=None)
    with pytest.raises(errors.ValidationError):
        machine.move(order_in(State.DELIVERED), asked, policy=POLICY, now=T0)


def test_the_silent_side_of_a_dispute_loses_and_the_one_that_answered_does_not() -> None:
    disputed = machine.move(order_in(State.DELIVERED), command("open_dispute", Actor.FAN), policy=POLICY, now=T0).after
    assert set(machine.timers(disputed, POLICY)) == {"dispute_overdue", "dispute_refund"}
    answered = machine.answer_dispute(disputed, Side.CREATOR, now=T0 + H)
    assert machine.timers(answered, POLICY) == {"dispute_overdue": T0 + timedelta(days=14)}
    contested = machine.move(
        order_in(State.REDO_REQUESTED, redo=True), command("contest_redo", Actor.CREATOR), policy=POLICY, now=T0
    ).after
    assert set(machine.timers(contested, POLICY)) == {"dispute_overdue", "dispute_release"}
    for order, timer in ((answered, "dispute_refund"), (contested, "dispute_refund")):
        with pytest.raises(errors.OrderStateError):
            machine.move(order, command(timer, Actor.TIMER), policy=POLICY, now=T0 + 72 * H)


@pytest.mark.parametrize("seconds", [0, -1, 7 * 24 * 3600 + 1])
def test_an_extension_is_positive_and_bounded(seconds: int) -> None:
    with pytest.raises(errors.ValidationError):
        machine.offer_extension(order_in(State.IN_PRODUCTION), seconds, policy=POLICY, now=T0)


def test_an_extension_is_agreed_once() -> None:
    order = order_in(State.IN_PRODUCTION)
    offered = machine.offer_extension(order, 3600, policy=POLICY, now=T0)
    agreed = machine.move(offered, command("extend", Actor.FAN), policy=POLICY, now=T0 + H).after
    assert order.delivery_due_at is not None
    assert agreed.delivery_due_at == order.delivery_due_at + H
    with pytest.raises(errors.OrderStateError):
        machine.offer_extension(agreed, 3600, policy=POLICY, now=T0 + 2 * H)


def shares(moved: Move, escrow: int) -> tuple[int, int]:
    """What a move gives back to the fan and pays out, of the coins in escrow."""
    everything = {CoinEffect.RETURN, CoinEffect.RETURN_AND_COMPENSATE, CoinEffect.REVERSE}
    if moved.coins in everything:
        return escrow, 0
    if moved.coins is CoinEffect.RELEASE:
        return 0, escrow
    if moved.coins is CoinEffect.SHARE:
        return moved.back_coins, escrow - moved.back_coins
    return moved.back_coins, 0


@pytest.mark.no_cover
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_random_walks_conserve_coins_and_always_have_a_way_out(data: st.DataObject) -> None:
    order, now, escrow, back, out = order_in(State.DRAFT), T0, 0, 0, 0
    for _ in range(40):
        if order.terminal:
            break
        due = machine.timers(order, POLICY)
        choices = [
            (n, a)
            for n, t in BY_NAME.items()
            for a in t.actors
            if a is not Actor.TIMER and n in machine.allowed(order, a)
        ]
        choices += [(name, Actor.TIMER) for name in due]
        name, actor = data.draw(st.sampled_from(sorted(choices)))
        now = max(now, due[name]) if actor is Actor.TIMER else now + H
        try:
            moved = machine.move(order, command(name, actor), policy=POLICY, now=now)
        except errors.ShoutgraphError:
            continue
        went_back, went_out = shares(moved, escrow)
        if moved.coins is CoinEffect.HOLD:
            escrow += moved.after.price_coins
        back, out, escrow = back + went_back, out + went_out, escrow - went_back - went_out
        order = moved.after
        assert escrow == (order.price_coins if order.live else 0)
        assert order.terminal or machine.timers(order, POLICY)
    assert escrow + back + out in {0, 1000}
