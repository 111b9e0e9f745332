"""Moving an order: one door for every transition, and the timers that each state starts.

`move` decides and changes nothing: it gives the order as it will be and what happens to its coins.
`timers` says which deadlines a state has; after each move the order's old deadlines are replaced by these.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.orders import windows
from shoutgraph.domain.orders.order import Order, RedoGround, Side
from shoutgraph.domain.orders.states import BY_NAME, Actor, CoinEffect, Cut, State, Transition
from shoutgraph.domain.policies import Policy

SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Command:
    """A request to move an order, with the little that some transitions need."""

    name: str
    actor: Actor
    reason: str | None = None
    note: str | None = None
    video_id: str | None = None
    ground: RedoGround | None = None
    item: str | None = None
    back_coins: int | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A decision: the order after the transition, and what happens to its coins."""

    before: Order
    after: Order
    transition: Transition
    actor: Actor
    coins: CoinEffect
    back_coins: int = 0


def check_start(order: Order, command: Command) -> None:
    """Refuses what cannot be asked of an order as it stands.

    Raises:
        OrderStateError: the transition does not start in this state, belongs to the other cut, or is not this actor's;
            or the order is frozen.
    """
    _check_start(order, BY_NAME[command.name], command.actor)


def move(order: Order, command: Command, *, policy: Policy, now: datetime) -> Move:
    """Takes one transition.

    Raises:
        OrderStateError: the transition does not start in this state, belongs to the other cut, is not this
            actor's, or its window has not opened or has closed; or the order is frozen.
    """
    transition = BY_NAME[command.name]
    _check_start(order, transition, command.actor)
    guard = _GUARDS.get(transition.name)
    if guard is not None:
        guard(order, command, policy, now)
    change = _CHANGES.get(transition.name)
    changed = order if change is None else change(order, command, policy, now)
    after = replace(
        changed,
        revision=order.revision + 1,
        state=transition.target or order.state,
        state_at=order.state_at if transition.target is None else now,
        updated_at=now,
    )
    coins, back_coins = transition.coins, 0
    if coins is CoinEffect.RETURN_LATE_SURCHARGE:
        late = _express_late(order)
        coins = CoinEffect.RETURN_LATE_SURCHARGE if late else CoinEffect.NONE
        if late:
            back_coins = order.terms.express_coins
            after = replace(after, price_coins=order.price_coins - back_coins)
    elif coins is CoinEffect.SHARE:
        back_coins = command.back_coins or 0
        after = replace(after, refunded_coins=back_coins)
    elif transition.target in _REFUNDING and order.live:
        after = replace(after, refunded_coins=order.price_coins)
    if after.terminal:
        after = replace(after, closed_at=now, close_reason=transition.name, waiting_for=None)
    return Move(order, after, transition, command.actor, coins, back_coins)


def timers(order: Order, policy: Policy) -> dict[str, datetime]:
    """The deadlines of an order's state: the transition that each will take, and when.

    Every state that is not terminal has at least one, so that no order waits for ever; a frozen order has none.
    """
    if order.frozen_at is not None:
        return {}
    return {window.transition: window.due_at for window in windows.of(order, policy)}


def offer_extension(order: Order, seconds: int, *, policy: Policy, now: datetime) -> Order:
    """The creator offers to deliver later; nothing changes until the fan agrees.

    Raises:
        OrderStateError: the order is not in production, was extended before, or is frozen.
        ValidationError: the extension is not positive or longer than the policy allows.
    """
    _check_not_frozen(order)
    if order.state is not State.IN_PRODUCTION or order.extended:
        raise _refusal(order, "An extension is offered once, while the video is in production.")
    if not 0 < seconds <= policy.extension_max_s:
        msg = f"An extension is between 1 and {policy.extension_max_s} seconds."
        raise errors.ValidationError(msg, code="EXTENSION_LENGTH", path=("input", "seconds"))
    return replace(order, revision=order.revision + 1, extension_s=seconds, extension_offered_at=now, updated_at=now)


def answer_dispute(order: Order, side: Side, *, now: datetime) -> Order:
    """A side speaks in a dispute: the default against its silence no longer runs.

    Raises:
        OrderStateError: the order is not disputed, or is frozen.
    """
    _check_not_frozen(order)
    if order.state is not State.DISPUTED:
        raise _refusal(order, "Only a disputed order takes an answer.")
    waiting = None if order.waiting_for is side else order.waiting_for
    return replace(order, revision=order.revision + 1, waiting_for=waiting, updated_at=now)


def freeze(order: Order, *, now: datetime) -> Order:
    """Stops an order's timers and every move but those of staff and providers.

    Raises:
        OrderStateError: the order has ended or is frozen already.
    """
    if not order.live or order.frozen_at is not None:
        raise _refusal(order, "Only an open order that is not frozen can be frozen.")
    return replace(order, revision=order.revision + 1, frozen_at=now, updated_at=now)


def unfreeze(order: Order, *, now: datetime) -> Order:
    """Lets a frozen order go on; its windows are longer by the time it stood still.

    Raises:
        OrderStateError: the order is not frozen.
    """
    if order.frozen_at is None:
        raise _refusal(order, "This order is not frozen.")
    stood = now - order.frozen_at
    due, offered = order.delivery_due_at, order.extension_offered_at
    return replace(
        order,
        revision=order.revision + 1,
        frozen_at=None,
        updated_at=now,
        state_at=order.state_at + stood,
        delivery_due_at=None if due is None else due + stood,
        extension_offered_at=None if offered is None else offered + stood,
    )


def allowed(order: Order, actor: Actor) -> tuple[str, ...]:
    """The transitions this actor could take now, windows aside, for the API's `availableTransitions`."""
    names = []
    for name, transition in BY_NAME.items():
        try:
            _check_start(order, transition, actor)
        except errors.OrderStateError:
            continue
        names.append(name)
    return tuple(names)


def _check_start(order: Order, transition: Transition, actor: Actor) -> None:
    if order.state not in transition.sources:
        raise _refusal(order, f"'{transition.name}' is not possible while the order is {order.state}.")
    if actor not in transition.actors:
        raise _refusal(order, f"'{transition.name}' is not for the {actor.lower()}.", "WRONG_ACTOR")
    if transition.cut is Cut.FIRST and order.redo:
        raise _refusal(order, f"'{transition.name}' is not possible after a redo was asked for.")
    if transition.cut is Cut.REDO and not order.redo:
        raise _refusal(order, f"'{transition.name}' is possible only after a redo was asked for.")
    if actor not in {Actor.STAFF, Actor.PROVIDER}:
        _check_not_frozen(order)


def _check_not_frozen(order: Order) -> None:
    if order.frozen_at is not None:
        raise _refusal(order, "This order is frozen while the platform looks into it.", "FROZEN")


def _refusal(order: Order, message: str, code: str = "ORDER_STATE") -> errors.OrderStateError:
    return errors.OrderStateError(message, state=order.state, code=code)


def _after(start: datetime, seconds: int) -> datetime:
    return start + timedelta(seconds=seconds)


def _express_late(order: Order) -> bool:
    """Whether the time that the creator had was used up; the platform's own time in review does not count."""
    return order.terms.express and not order.redo and (order.delivery_left_s or 0) < 0


Guard = Callable[[Order, Command, Policy, datetime], None]
Change = Callable[[Order, Command, Policy, datetime], Order]


def _guard_extend(order: Order, _command: Command, policy: Policy, now: datetime) -> None:
    offered = order.extension_offered_at
    if order.extended or offered is None:
        raise _refusal(order, "The creator has offered no extension.", "NO_EXTENSION_OFFER")
    if now > _after(offered, policy.extension_offer_s):
        raise _refusal(order, "The creator's offer of an extension has lapsed.", "WINDOW_CLOSED")


def _guard_review_overdue(order: Order, command: Command, policy: Policy, now: datetime) -> None:
    if command.actor is Actor.FAN and now < _after(order.state_at, policy.review_late_s):
        raise _refusal(order, "The review is not overdue yet.", "WINDOW_NOT_OPEN")


def _guard_redo(order: Order, command: Command, policy: Policy, now: datetime) -> None:
    _guard_confirm_window(order, command, policy, now)
    if command.ground is None:
        msg = "A redo needs one of the objective grounds."
        raise errors.ValidationError(msg, code="GROUND_REQUIRED", path=("input", "ground"))


def _guard_confirm_window(order: Order, _command: Command, policy: Policy, now: datetime) -> None:
    if now > _after(order.state_at, policy.confirm_s):
        raise _refusal(order, "The time to object is over.", "WINDOW_CLOSED")


def _guard_contest(order: Order, _command: Command, policy: Policy, now: datetime) -> None:
    if now > _after(order.state_at, policy.contest_s):
        raise _refusal(order, "The time to contest the redo is over.", "WINDOW_CLOSED")


def _guard_split(order: Order, command: Command, _policy: Policy, _now: datetime) -> None:
    back = command.back_coins
    if back is None or not 0 < back < order.price_coins:
        msg = f"The share that goes back is between 1 and {order.price_coins - 1} coins."
        raise errors.ValidationError(msg, code="SPLIT_SHARE", path=("input", "backCoins"))


def _guard_silence(side: Side) -> Guard:
    def guard(order: Order, command: Command, _policy: Policy, _now: datetime) -> None:
        if command.actor is Actor.TIMER and order.waiting_for is not side:
            raise _refusal(order, "Nobody is silent in this dispute.")

    return guard


_GUARDS: Final[Mapping[str, Guard]] = {
    "extend": _guard_extend,
    "review_overdue": _guard_review_overdue,
    "request_redo": _guard_redo,
    "open_dispute": _guard_confirm_window,
    "contest_redo": _guard_contest,
    "dispute_split": _guard_split,
    "dispute_refund": _guard_silence(Side.CREATOR),
    "dispute_release": _guard_silence(Side.FAN),
}


def _change_submit(order: Order, _command: Command, _policy: Policy, now: datetime) -> Order:
    return replace(order, submitted_at=now)


def _change_accept(order: Order, _command: Command, _policy: Policy, now: datetime) -> Order:
    return replace(order, accepted_at=now, delivery_due_at=_after(now, order.terms.delivery_s))


def _change_extend(order: Order, _command: Command, _policy: Policy, _now: datetime) -> Order:
    assert order.delivery_due_at is not None, "an order in production has a due time"
    assert order.extension_s is not None, "the guard saw an offer"
    return replace(order, extended=True, delivery_due_at=_after(order.delivery_due_at, order.extension_s))


def _change_upload(order: Order, command: Command, _policy: Policy, now: datetime) -> Order:
    assert command.video_id is not None, "an upload names its video"
    assert order.delivery_due_at is not None, "an order in the making has a due time"
    if order.state is State.CHANGES_REQUIRED:
        left_s = (order.delivery_left_s or 0) - (now - order.state_at) // SECOND
    else:
        left_s = (order.delivery_due_at - now) // SECOND
    video_id = ids.VideoId(command.video_id)
    return replace(order, video_id=video_id, uploaded_at=now, delivery_due_at=None, delivery_left_s=left_s)


def _change_review_pass(order: Order, _command: Command, _policy: Policy, now: datetime) -> Order:
    return replace(order, delivered_at=now, passed_video_id=order.video_id, reason=None, note=None)


def _change_required(order: Order, command: Command, policy: Policy, now: datetime) -> Order:
    left = max(order.delivery_left_s or 0, policy.changes_min_s)
    return replace(order, delivery_due_at=_after(now, left), reason=command.reason, note=command.note)


def _change_redo(order: Order, command: Command, policy: Policy, now: datetime) -> Order:
    return replace(
        order,
        redo=True,
        redo_ground=command.ground,
        redo_item=command.item,
        delivery_due_at=_after(now, policy.redo_s),
        waiting_for=None,
        note=command.note,
    )


def _change_dispute(waiting_for: Side | None) -> Change:
    def change(order: Order, command: Command, _policy: Policy, _now: datetime) -> Order:
        return replace(
            order,
            waiting_for=waiting_for,
            delivery_due_at=None,
            reason=command.reason,
            note=command.note,
        )

    return change


def _change_words(order: Order, command: Command, _policy: Policy, _now: datetime) -> Order:
    return replace(order, reason=command.reason, note=command.note)


_CHANGES: Final[Mapping[str, Change]] = {
    "submit": _change_submit,
    "screen_reject": _change_words,
    "accept": _change_accept,
    "decline": _change_words,
    "extend": _change_extend,
    "creator_withdraw": _change_words,
    "upload": _change_upload,
    "review_pass": _change_review_pass,
    "review_changes": _change_required,
    "review_reject": _change_words,
    "redo_review_reject": _change_dispute(None),
    "request_redo": _change_redo,
    "contest_redo": _change_dispute(Side.FAN),
    "redo_concede": _change_words,
    "open_dispute": _change_dispute(Side.CREATOR),
    "dispute_refund": _change_words,
    "dispute_release": _change_words,
    "dispute_split": _change_words,
    "dispute_redo": _change_redo,
    "payment_reversed": _change_words,
    "platform_cancel": _change_words,
}

_REFUNDING: Final = frozenset({State.DECLINED, State.EXPIRED, State.CANCELLED, State.REJECTED, State.REFUNDED})
