"""The one way an order changes: decide, move its coins, store it, set its deadlines, tell the journal.

All of it happens inside the caller's unit of work, so that the state, the escrow, the deadlines and the event are
stored together or not at all.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.domain import accounts, ids, journal, postings, reputation
from shoutgraph.domain.deadlines import Deadline
from shoutgraph.domain.earnings import Earning, EarningKind
from shoutgraph.domain.fees import Split
from shoutgraph.domain.ledger import LotMove
from shoutgraph.domain.orders import machine, settlement
from shoutgraph.domain.orders.machine import Command, Move
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.settlement import Settlement
from shoutgraph.domain.orders.states import Actor, CoinEffect, State
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.postings import Books, Held
from shoutgraph.storage import deadlines, earnings, journal as journal_rows, ledger as ledger_rows, orders, policies
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

MOVED: Final = "order.status_changed"
CHANGED: Final = "order.changed"

SCREENED: Final = frozenset({State.SCREENING, State.IN_REVIEW})
"""States in which plugins look at an order before a moderator does."""
SCREENINGS: Final = ("screening_1", "screening_2", "screening_3")
"""Deadlines of that look: the first is due at once, the next when whoever looked did not come back."""

_POSTED: Final = {
    CoinEffect.RETURN: "order.closed",
    CoinEffect.RETURN_AND_COMPENSATE: "order.closed",
    CoinEffect.RETURN_LATE_SURCHARGE: "order.surcharge_returned",
    CoinEffect.RELEASE: "order.closed",
    CoinEffect.SHARE: "order.closed",
}
"""The kind of transfer by which each effect moves an order's coins; a reversal posts its own later."""


@dataclass(frozen=True, slots=True)
class Did:
    """What was done to an order, by whom, and the order before it: None for a new one.

    `posted` is the kind of the transfer that moved the order's coins, which the event then names, and `ref` its name
    where that is not the order's id.
    """

    transition: str
    actor: Actor
    before: Order | None
    posted: str | None = None
    ref: str | None = None


def advance(tools: Tools, tx: Tx, order: Order, command: Command) -> Order:
    """Takes one transition of a stored order, coins and all.

    Raises:
        OrderStateError: the transition is not possible now, or not for this actor.
        ValidationError: what the command carries does not fit.
    """
    policy = policies.get(tx, order.terms.policy_version)
    move = machine.move(order, command, policy=policy, now=tx.now)
    after = settle(tools, tx, move, policy)
    keep(tools, tx, after, policy, did=Did(command.name, command.actor, order, _POSTED.get(move.coins)))
    return after


def note(tools: Tools, tx: Tx, order: Order, name: str, actor: Actor) -> Order:
    """Tells of what leaves the order where it is: a revision, and a line of the journal. Whoever does holds it."""
    after = replace(order, revision=order.revision + 1, updated_at=tx.now)
    keep(tools, tx, after, policies.get(tx, order.terms.policy_version), did=Did(name, actor, before=order))
    return after


def keep(tools: Tools, tx: Tx, order: Order, policy: Policy, *, did: Did) -> None:
    """Stores the order's next revision with its deadlines and its event."""
    before = did.before
    due = machine.timers(order, policy) | _look(tools, tx, order, before)
    if before is not None:
        orders.save(tx, order)
        deadlines.delete(tx, order.id)
    deadlines.put(tx, *(Deadline(order.id, kind, due_at, order.revision) for kind, due_at in due.items()))
    facts = {} if before is None else reputation.facts_of(did.transition, before, now=tx.now)
    body = {
        **facts,
        "transition": did.transition,
        "actor": did.actor.value,
        "status": order.state.value,
        "previous": None if before is None else before.state.value,
        "revision": order.revision,
        "fan": order.fan_id,
        "creator": order.creator_id,
    }
    kind = CHANGED if before is not None and before.state is order.state else MOVED
    number = None if did.posted is None else ledger_rows.number_of(tx, did.posted, did.ref or order.id)
    event = journal.NewEvent(tools.new_id(ids.EVENT), order.id, kind, body, number, topic_seq=order.revision)
    journal_rows.append(tx, event)


def _look(tools: Tools, tx: Tx, order: Order, before: Order | None) -> dict[str, datetime]:
    """When plugins look next: at once where an order comes to be screened, or thaws; else whatever is left of that.

    What leaves an order where it is gives no try back.
    """
    if not tools.providers.hooks.screens or order.state not in SCREENED or order.frozen_at is not None:
        return {}
    if before is None or before.state is not order.state or before.frozen_at is not None:
        return {SCREENINGS[0]: tx.now}
    return {each.kind: each.due_at for each in deadlines.list_of_subject(tx, order.id) if each.kind in SCREENINGS}


def settle(tools: Tools, tx: Tx, move: Move, policy: Policy) -> Order:
    """Posts what the transition does with the coins in escrow; gives the order as it is after."""
    if move.coins in {CoinEffect.NONE, CoinEffect.HOLD, CoinEffect.REVERSE}:
        return move.after
    order = move.before
    if move.coins is CoinEffect.SHARE:  # the wallet before the accounts that everybody moves
        ledger_rows.hold_wallets(tx, accounts.paid(order.fan_id).code, accounts.promo(order.fan_id).code)
    held = held_by(tx, order)
    of = {"paid_coins": held.paid_coins, "promo_coins": held.promo_coins}
    done = settlement.settle(order, move.coins, policy, back_coins=move.back_coins, **of)
    match move.coins:
        case CoinEffect.RETURN | CoinEffect.RETURN_AND_COMPENSATE:
            ledger_rows.post(tx, postings.order_returned(held, reason=move.transition.name))
            if done.compensation_coins:
                _compensate(tools, tx, order, policy, done)
        case CoinEffect.RETURN_LATE_SURCHARGE:
            ledger_rows.post(
                tx, postings.surcharge_returned(held, given=_given(held, done), promo_coins=done.back_promo_coins)
            )
            return replace(move.after, promo_coins=order.promo_coins - done.back_promo_coins)
        case CoinEffect.RELEASE | CoinEffect.SHARE:
            _release(tools, tx, order, policy, (held, done))
    return move.after


def held_by(tx: Tx, order: Order) -> Held:
    """What the order's escrow holds now, with the lots it came from."""
    promo = ledger_rows.list_of_held_lots(tx, order.id, account=accounts.promo(order.fan_id).code)
    paid = ledger_rows.list_of_held_lots(tx, order.id, account=accounts.paid(order.fan_id).code)
    return Held(
        order_id=order.id,
        fan_id=order.fan_id,
        paid_coins=sum(lot.coins for lot in paid),
        promo_coins=sum(lot.coins for lot in promo),
        paid_lots=paid,
        promo_lots=promo,
    )


def _given(held: Held, done: Settlement) -> tuple[LotMove, ...]:
    return postings.returned_lots(held, promo_coins=done.back_promo_coins, paid_coins=done.back_paid_coins)


def _release(tools: Tools, tx: Tx, order: Order, policy: Policy, of: tuple[Held, Settlement]) -> None:
    held, done = of
    transfer = postings.order_completed(
        _books(policy), held, creator_id=order.creator_id, fee_bps=order.terms.fee_bps, given=_given(held, done)
    )
    ledger_rows.post(tx, transfer)
    _earn(tools, tx, order, policy, done.split)


def _compensate(tools: Tools, tx: Tx, order: Order, policy: Policy, done: Settlement) -> None:
    coins = done.compensation_coins
    transfer = postings.creator_compensated(_books(policy), order_id=order.id, creator_id=order.creator_id, coins=coins)
    ledger_rows.post(tx, transfer)
    _earn(tools, tx, order, policy, Split(0, 0, 0, coins), EarningKind.COMPENSATION)


def _earn(
    tools: Tools, tx: Tx, order: Order, policy: Policy, parts: Split, kind: EarningKind = EarningKind.ORDER
) -> None:
    if parts.earning_coins == 0:
        return
    earning = Earning(
        id=tools.new_id(ids.EARNING),
        creator_id=order.creator_id,
        kind=kind,
        subject_id=order.id,
        coins=parts.earning_coins,
        fee_coins=parts.fee_coins,
        earned_at=tx.now,
        matures_at=tx.now + timedelta(seconds=policy.earnings_hold_s),
    )
    earnings.insert(tx, earning)


def _books(policy: Policy) -> Books:
    return Books(currency=policy.book_currency, par_units=policy.par_units)
