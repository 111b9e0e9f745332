"""What is explained is what then happens: the clock goes to the deadline, and coins and states are as was told."""

import re
from datetime import datetime

import pytest
from tests.services.test_orders import Scene
from tests.services.world import World

from shoutgraph.domain import accounts, errors
from shoutgraph.domain.adjustments import AdjustmentReason
from shoutgraph.domain.explanations.explanation import Explanation
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.users import Viewer
from shoutgraph.services.orders import adjust, explain, others, timers
from shoutgraph.services.orders.moves import Turn

LATE = State.DELIVERED
SHARES = ("refund", "refundPaid", "refundPromo", "earning", "fee", "compensation")


def facts(found: Explanation) -> dict[str, str]:
    named = {fact.name: fact.text for fact in (*found.inputs, *found.outcome)}
    assert len(named) == len(found.inputs) + len(found.outcome), "each fact has a name of its own"
    return named


def check_words(found: Explanation) -> None:
    """Every figure of the sentences is one of the facts, as they say it."""
    said = " ".join(found.words)
    for fact in sorted((*found.inputs, *found.outcome), key=lambda each: -len(each.said)):
        said = said.replace(fact.said, "")
    assert found.words
    assert re.search(r"\d", said) is None, said


class Told(Scene):
    """A scene that asks why."""

    def refund(self, order: Order, viewer: Viewer | None = None, transition: str | None = None) -> Explanation:
        work = explain.refund(self.world.tools, viewer or self.fan, order.id, transition=transition, back_coins=None)
        found = self.world.run(work)
        check_words(found)
        return found

    def deadline(self, order: Order, viewer: Viewer | None = None, kind: str | None = None) -> Explanation:
        found = self.world.run(explain.deadline(self.world.tools, viewer or self.creator, order.id, kind=kind))
        check_words(found)
        return found

    def coins(self) -> tuple[int, int, int]:
        """Bought and granted coins of the fan, and what the creator has pending."""
        paid, promo, _ = self.world.wallet(self.fan)
        return paid, promo, self.world.balance(accounts.pending(self.profile.id).code)


@pytest.fixture
def told(world: World) -> Told:
    return Told(world)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (State.SCREENING, "usual"),
        (State.AWAITING_ACCEPTANCE, "express"),
        (State.IN_PRODUCTION, "express"),
        (State.IN_REVIEW, "usual"),
        (State.CHANGES_REQUIRED, "usual"),
        (LATE, "express"),
        (State.REDO_REQUESTED, "usual"),
        (State.DISPUTED, "usual"),
    ],
)
def test_what_is_told_of_the_next_deadline_happens_when_it_passes(told: Told, state: State, kind: str) -> None:
    express = kind == "express"
    order = told.lead_to(State.IN_PRODUCTION if state is LATE else state, express=express)
    if state is LATE:
        told.world.clock.move(hours=23)
        order = told.do(told.deliver(order), "review_changes", Actor.MODERATOR)
        told.world.clock.move(days=1, hours=23)
        order = told.do(told.deliver(order), "review_pass", Actor.MODERATOR)
        assert order.price_coins == 1000, "it came late, and the surcharge is back"
    due, coins = told.deadline(order), told.refund(order)
    when, then = facts(due), facts(coins)
    before = told.coins()
    assert when["refund"] == then["refund"]
    told.world.clock.now = datetime.fromisoformat(when["dueAt"])
    told.world.clock.move(seconds=-1)
    assert told.world.run(timers.fire_due(told.world.tools, limit=10)) == 0
    told.world.clock.move(seconds=1, milliseconds=1)  # what is told is in whole milliseconds
    assert told.world.run(timers.fire_due(told.world.tools, limit=10)) == 1
    ended = told.world.order(order)
    assert (ended.state, ended.close_reason) == (when["target"], when["transition"])
    moved = [after - was for was, after in zip(before, told.coins(), strict=True)]
    earned = int(then["earning"]) + int(then["compensation"])
    assert moved == [int(then["refundPaid"]), int(then["refundPromo"]), earned]
    assert told.world.balance(accounts.fee(order.id).code) <= int(then["fee"])
    happened = facts(told.refund(ended))
    assert {name: happened[name] for name in SHARES} == {name: then[name] for name in SHARES}
    assert int(happened["refund"]) == ended.refunded_coins
    assert int(happened["surchargeBack"]) == (200 if state is LATE else 0)
    with pytest.raises(errors.NotFoundError):
        told.deadline(ended)


def test_time_that_stands_still_is_told_as_such(told: Told) -> None:
    order = told.lead_to(State.IN_PRODUCTION)
    running = facts(told.deadline(order))
    assert (running["delivery"], running["window"], running["remaining"]) == ("604800",) * 3
    told.world.clock.move(days=2)
    asked = told.world.request("freeze", told.admin)
    done = told.world.run(others.freeze(told.world.tools, told.admin, asked, Turn(order.id)))
    told.world.clock.move(days=30)
    frozen = told.deadline(done.value)
    assert frozen.rule == "deadline.deliver_timeout.frozen"
    assert facts(frozen)["remaining"] == str(5 * 86_400)


def test_a_transition_that_is_only_thought_of_is_explained_or_refused(told: Told) -> None:
    order = told.lead_to(State.DISPUTED)
    assert facts(told.refund(order, transition="dispute_refund"))["refund"] == "1000"
    assert facts(told.refund(order, transition="dispute_release"))["earning"] == "700"
    work = explain.refund(told.world.tools, told.fan, order.id, transition="dispute_split", back_coins=300)
    shared = facts(told.world.run(work))
    assert (shared["refund"], shared["fee"], shared["earning"]) == ("300", "210", "490")
    for transition, code in (("accept", "NOT_POSSIBLE"), ("nothing", "UNKNOWN_TRANSITION")):
        with pytest.raises(errors.ValidationError) as refused:
            told.refund(order, transition=transition)
        assert refused.value.code == code


def test_what_was_given_back_after_the_end_is_told_beside_it(told: Told) -> None:
    order = told.do(told.lead_to(State.DELIVERED), "confirm", Actor.FAN)
    finance, before = told.world.staff("finance"), told.coins()
    wish = adjust.Wish(AdjustmentReason.QUALITY, coins=100)
    asked = told.world.request("orderRefund", finance)
    told.world.run(adjust.refund(told.world.tools, finance, asked, Turn(order.id), wish))
    found = told.refund(told.world.order(order))
    back = [after - was for was, after in zip(before, told.coins(), strict=True)]
    assert (facts(found)["refund"], facts(found)["refundLater"]) == ("0", str(back[0] + back[1]))
    assert "100 coins more were given back" in found.words[-1]


def test_only_the_two_sides_and_staff_are_told(told: Told) -> None:
    order = told.lead_to(State.IN_PRODUCTION)
    for viewer in (told.fan, told.creator, told.moderator, told.admin):
        assert told.deadline(order, viewer) == told.deadline(order, told.fan)
    for viewer in (told.world.person("stranger"), Viewer()):
        with pytest.raises(errors.NotFoundError):
            told.deadline(order, viewer)
        with pytest.raises(errors.NotFoundError):
            told.refund(order, viewer)
