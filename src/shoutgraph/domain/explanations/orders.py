"""Why coins of an order went where they did, or would go, and why a deadline is when it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.deadlines import NO_TIME
from shoutgraph.domain.explanations import explanation as say
from shoutgraph.domain.explanations.explanation import Explanation, Fact
from shoutgraph.domain.orders import machine, settlement, windows
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order, RedoGround
from shoutgraph.domain.orders.settlement import Settlement
from shoutgraph.domain.orders.states import BY_NAME, Actor, CoinEffect, State, Transition
from shoutgraph.domain.orders.windows import ANSWER, DELIVERY, LEFT, Window
from shoutgraph.domain.policies import Policy

TRANSITIONS: Final = "docs/ORDERS.md#transitions"
GIVEN_BACK: Final = "docs/adr/0020-given-back.md"
NO_VIDEO: Final = ids.VideoId("video")
"""Stands for the video of a transition that is only thought of."""

_EFFECTS: Final[Mapping[CoinEffect, Sequence[str]]] = {
    CoinEffect.NONE: ("No coins move.",),
    CoinEffect.HOLD: ("{price} are held for the order.",),
    CoinEffect.RETURN: ("All that the order holds goes back to the lots that paid: {refund}.",),
    CoinEffect.RETURN_AND_COMPENSATE: (
        "All that the order holds goes back to the lots that paid: {refund}.",
        "The delay is the platform's own, so it pays the creator {compensation} from its own money.",
    ),
    CoinEffect.RETURN_LATE_SURCHARGE: (
        "The time to deliver was used up, so the surcharge for a fast delivery goes back: {refund}.",
    ),
    CoinEffect.RELEASE: (
        "The fan keeps the video, and nothing goes back.",
        "Of {price} the platform keeps a fee of {feeShare}, which is {fee}; {earning} are the creator's.",
    ),
    CoinEffect.SHARE: (
        "A moderator shared the price: {refund} go back to the lots that paid.",
        "Of the rest the platform keeps a fee of {feeShare}, which is {fee}; {earning} are the creator's.",
    ),
    CoinEffect.REVERSE: (
        "A payment was taken back: the coins that came of it go to the dispute about it, all others to their own lots.",
        "Together that is {refund}.",
    ),
}
_KINDS: Final = "Of what goes back, {refundPaid} were bought and {refundPromo} were granted."

_WHY: Final[Mapping[str, str]] = {
    "draft_s": "A draft is kept for {window}.",
    "screening_s": "A moderator has {window} to screen the request.",
    "accept_s": "The creator has {window} to accept or decline.",
    "review_s": "The platform has {window} to review the video; it is never approved by time alone.",
    "redo_review_s": "The platform has {window} to review the redo.",
    "confirm_s": "The fan has {window} to confirm, to ask for a redo or to open a dispute.",
    "redo_s": "The creator has {window} to make the redo.",
    "changes_min_s": "The creator has {window} to make the changes: the least that is given, since less was left.",
    "dispute_s": "The platform has {window} to decide the dispute.",
    "dispute_silence_s": "The side that is waited for, {waitingFor}, may be silent for {window}.",
    DELIVERY: "The creator has {window} to deliver.",
    ANSWER: "The creator has {window} to answer, as the campaign says that the order is in.",
    LEFT: "The creator has {window} to make the changes: as much as was left when the video came.",
}


@dataclass(frozen=True, slots=True)
class Later:
    """Coins that were given back of an order after its end."""

    kind: str
    coins: int


def refund(
    order: Order, policy: Policy, *, command: Command | None, later: Sequence[Later], now: datetime
) -> Explanation:
    """What the order's end did with its coins, or what a transition would do now.

    Args:
        command: the transition of a live order that is thought of; None for what has happened.

    Raises:
        OrderStateError: the transition is not possible now.
        ValidationError: what the command carries does not fit.
    """
    if command is None:
        transition, effect, back_coins, of = _ended(order)
    else:
        move = machine.move(order, command, policy=policy, now=now)
        transition, effect, back_coins, of = move.transition, move.coins, move.back_coins, order
    paid_coins = 0 if order.state is State.DRAFT else of.price_coins - of.promo_coins
    held = {"paid_coins": paid_coins, "promo_coins": of.promo_coins}
    done = settlement.settle(of, effect, policy, back_coins=back_coins, **held)
    if effect is CoinEffect.REVERSE:
        done = Settlement(paid_coins, of.promo_coins)
    after = sum(each.coins for each in later)
    late = of.terms.price_coins - of.price_coins
    words = [f"The order {'ended' if command is None else 'would go on'} by '{{transition}}'.", *_EFFECTS[effect]]
    words += [_KINDS] if done.back_coins else []
    words += ["The video came late, so {surchargeBack} had gone back when it was delivered."] if late else []
    words += ["After its end {refundLater} more were given back."] if after else []
    return say.explain(
        f"refund.{transition.name}",
        GIVEN_BACK if after else TRANSITIONS,
        inputs=(
            say.word("transition", transition.name),
            say.word("effect", effect.value),
            say.coins("price", of.price_coins),
            say.coins("promo", of.promo_coins),
            say.share("feeShare", of.terms.fee_bps),
        ),
        outcome=(
            say.coins("refund", done.back_coins),
            say.coins("refundPaid", done.back_paid_coins),
            say.coins("refundPromo", done.back_promo_coins),
            say.coins("refundLater", after),
            say.coins("surchargeBack", late),
            say.coins("earning", done.split.earning_coins),
            say.coins("fee", done.split.fee_coins),
            say.coins("compensation", done.compensation_coins),
        ),
        words=words,
        policy_version=order.terms.policy_version,
    )


def deadline(order: Order, policy: Policy, kind: str | None, *, now: datetime) -> Explanation:
    """Why a deadline of an order is when it is, and what happens then; the next one where no kind is named.

    Raises:
        NotFoundError: nothing of this kind is due for the order.
    """
    found = sorted(windows.of(order, policy), key=lambda window: window.due_at)
    window = next((each for each in found if kind in {None, each.transition}), None)
    if window is None:
        raise errors.NotFoundError("Nothing of this kind is due for this order.", path=("kind",))
    clock = order.frozen_at or now
    inputs, words = _window_facts(order, window, policy)
    transition = BY_NAME[window.transition]
    effect, back = _at_due(order, window, policy)
    if order.frozen_at is not None:
        inputs.append(say.instant("frozenAt", order.frozen_at))
        words.append("The order is frozen since {frozenAt}: its time stands still, and goes on when staff let it.")
    else:
        words.append("That is until {dueAt}. Then '{transition}' is taken by itself, and the order is {target}.")
    words += ["Then {refund} go back to the fan."] if back.back_coins else []
    words += ["Then {earning} are the creator's."] if back.split.earning_coins else []
    return say.explain(
        f"deadline.{window.transition}" + (".frozen" if order.frozen_at is not None else ""),
        TRANSITIONS,
        inputs=inputs,
        outcome=(
            say.instant("dueAt", window.due_at),
            say.span("remaining", max(window.due_at - clock, NO_TIME)),
            say.word("transition", transition.name),
            say.word("target", (transition.target or order.state).value),
            say.word("effect", effect.value),
            say.coins("refund", back.back_coins),
            say.coins("earning", back.split.earning_coins),
        ),
        words=words,
        policy_version=order.terms.policy_version,
    )


def thought_of(name: str, back_coins: int | None) -> Command:
    """A transition that nobody takes: by whoever may take it first, with what it needs.

    Raises:
        ValidationError: there is no such transition.
    """
    if name not in BY_NAME:
        raise errors.ValidationError("There is no such transition.", code="UNKNOWN_TRANSITION", path=("transition",))
    actor = next(actor for actor in Actor if actor in BY_NAME[name].actors)
    return Command(name, actor, video_id=NO_VIDEO, ground=RedoGround.WRONG_NAME, back_coins=back_coins)


def next_of(order: Order, policy: Policy) -> Command | None:
    """The transition that time takes next of a live order; None of one that has ended."""
    found = sorted(windows.of(order, policy), key=lambda window: window.due_at)
    return Command(found[0].transition, Actor.TIMER) if found else None


def _ended(order: Order) -> tuple[Transition, CoinEffect, int, Order]:
    """The transition that ended an order, and the order as it held its coins then."""
    if order.close_reason is None:
        raise errors.NotFoundError("This order has not ended.", path=("transition",))
    transition = BY_NAME[order.close_reason]
    return transition, transition.coins, order.refunded_coins, order


def _at_due(order: Order, window: Window, policy: Policy) -> tuple[CoinEffect, Settlement]:
    """What happens to the coins when the deadline passes."""
    thawed = replace(order, frozen_at=None)
    move = machine.move(thawed, Command(window.transition, Actor.TIMER), policy=policy, now=window.due_at)
    held = {"paid_coins": order.price_coins - order.promo_coins, "promo_coins": order.promo_coins}
    return move.coins, settlement.settle(thawed, move.coins, policy, back_coins=move.back_coins, **held)


def _window_facts(order: Order, window: Window, policy: Policy) -> tuple[list[Fact], list[str]]:
    inputs = [
        say.word("state", order.state.value),
        say.instant("startsAt", window.starts_at),
        say.seconds("window", window.window_s),
        say.word("windowRule", window.rule),
    ]
    words = ["The order is {state} since {startsAt}.", _WHY[window.rule]]
    if window.rule == DELIVERY:
        inputs.append(say.seconds("delivery", order.terms.delivery_s))
        if order.extended and order.extension_s is not None:
            inputs.append(say.seconds("extension", order.extension_s))
            words.append("The terms say {delivery}, and the fan agreed to {extension} more.")
    elif window.rule not in {ANSWER, LEFT}:
        inputs.append(say.seconds("policyWindow", getattr(policy, window.rule)))
    if order.waiting_for is not None:
        inputs.append(say.word("waitingFor", order.waiting_for.value))
    return inputs, words
