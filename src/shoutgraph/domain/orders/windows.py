"""Windows: which transition time takes in each state of an order, when, and what that follows from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.domain.orders.order import Order, Side
from shoutgraph.domain.orders.states import State
from shoutgraph.domain.policies import Policy

SECOND: Final = timedelta(seconds=1)

_MAKING: Final = frozenset({State.IN_PRODUCTION, State.CHANGES_REQUIRED, State.REDO_REQUESTED})

_TIMERS: Final[Mapping[State, tuple[str, str]]] = {
    State.DRAFT: ("abandon", "draft_s"),
    State.SCREENING: ("screening_timeout", "screening_s"),
    State.AWAITING_ACCEPTANCE: ("accept_timeout", "accept_s"),
    State.IN_REVIEW: ("review_overdue", "review_s"),
    State.DELIVERED: ("auto_complete", "confirm_s"),
}
"""The transition that time takes in each of these states, and the policy's field that says when."""


@dataclass(frozen=True, slots=True)
class Window:
    """A deadline, and what it follows from.

    `rule` is the policy's field that says how long it is, `DELIVERY` where the order's own terms do, `ANSWER` where its
    campaign does, or `LEFT` where it is what was left of the time to deliver.
    """

    transition: str
    rule: str
    starts_at: datetime
    due_at: datetime

    @property
    def window_s(self) -> int:
        """How long it is. Units: seconds."""
        return (self.due_at - self.starts_at) // SECOND


DELIVERY: Final = "delivery"
ANSWER: Final = "answer"
LEFT: Final = "left"


def of(order: Order, policy: Policy) -> tuple[Window, ...]:
    """What each deadline of an order's state follows from; of a frozen order, those that go on when it does."""
    if order.state in _MAKING:
        return (_making(order, policy),)
    if order.state is State.DISPUTED:
        return _disputed(order, policy)
    if order.state is State.IN_REVIEW and order.redo:
        return (_window(order, policy, "redo_review_reject", "redo_review_s"),)
    if order.state is State.AWAITING_ACCEPTANCE and order.terms.accept_s is not None:
        due_at = order.state_at + timedelta(seconds=order.terms.accept_s)
        return (Window("accept_timeout", ANSWER, order.state_at, due_at),)
    timer = _TIMERS.get(order.state)
    return () if timer is None else (_window(order, policy, *timer),)


def _window(order: Order, policy: Policy, transition: str, rule: str) -> Window:
    window_s: int = getattr(policy, rule)
    return Window(transition, rule, order.state_at, order.state_at + timedelta(seconds=window_s))


def _making(order: Order, policy: Policy) -> Window:
    """The time to make a video runs since the state began: it was set then, and an extension adds to it."""
    assert order.delivery_due_at is not None, "an order in the making has a due time"
    transition = "redo_timeout" if order.redo else "deliver_timeout"
    if order.state is State.REDO_REQUESTED:
        rule = "redo_s"
    elif order.state is State.CHANGES_REQUIRED:
        rule = "changes_min_s" if (order.delivery_left_s or 0) <= policy.changes_min_s else LEFT
    else:
        rule = DELIVERY
    return Window(transition, rule, order.state_at, order.delivery_due_at)


def _disputed(order: Order, policy: Policy) -> tuple[Window, ...]:
    overdue = _window(order, policy, "dispute_overdue", "dispute_s")
    if order.waiting_for is None:
        return (overdue,)
    transition = "dispute_refund" if order.waiting_for is Side.CREATOR else "dispute_release"
    return (overdue, _window(order, policy, transition, "dispute_silence_s"))
