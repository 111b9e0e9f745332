"""Carries an account that closes to its end, step by step.

Each step is a unit of work of its own, or a use-case of another room that is handed in, and finds what is left to do:
where somebody died in between, the next look goes on.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from shoutgraph.domain import accounts, clock, closures as rules, ids, journal, postings
from shoutgraph.domain.closures import Closure, ClosureState, Key
from shoutgraph.domain.ledger import LotMove
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order, OrderFilter
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.pages import PageArgs
from shoutgraph.domain.users import Viewer
from shoutgraph.domain.wallets import id_of
from shoutgraph.storage import (
    affairs,
    closures,
    creators,
    journal as journal_rows,
    ledger as ledger_rows,
    orders,
    users,
    waitlist,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools, one_by_one

CHANGED: Final = "closure.changed"
REASON: Final = "ACCOUNT_CLOSED"
ENDED_MAX: Final = 100
"""The most orders of one kind that one look ends; the next look ends more."""
LINES_MAX: Final = 100
"""The most lines that somebody stands in."""

EndOrder = Callable[[Tools, Tx, Order, Command], Order]
"""How an order takes a transition, coins and all."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What other rooms do for an account that closes.

    Args:
        end: ends an order.
        leave: leaves a line.
        quit_market: ends what a creator has going on beside orders: campaigns, and the line of who waits for them.
        withdraw: has bought coins sent back, as if at a time; says what came in the way.
        pay_out: has what is available paid out; says what came in the way.
    """

    end: EndOrder
    leave: Callable[[Tools, Viewer, str], Awaitable[object]]
    quit_market: Sequence[Callable[[Tools, ids.CreatorId], Awaitable[object]]]
    withdraw: Callable[[Tools, Viewer, datetime], Awaitable[frozenset[str]]]
    pay_out: Callable[[Tools, Viewer], Awaitable[frozenset[str]]]


async def run_due(tools: Tools, hands: Hands) -> int:
    """Goes on with every closure whose look is due; says how many were looked at.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """
    due = await tools.store.read(closures.list_of_due)

    async def one(closure: Closure) -> str:
        await go_on(tools, closure, hands)
        return closure.id

    done = await one_by_one("look at the closure", due, one, name=lambda each: each.id)
    broken = [each.id for each in due if each.id not in done]
    if broken:  # those that are due after them have their turn before these are looked at again
        await tools.store.write(lambda tx: closures.put_off(tx, broken, until=tx.now + rules.BROKEN))
    return len(done)


async def go_on(tools: Tools, closure: Closure, hands: Hands) -> None:
    """One look: ends what may end, settles what may be settled, and says what is left."""
    await end_open(tools, closure, hands.end)
    owner = await tools.store.read(partial(_owner, user_id=closure.user_id))
    lines = await tools.store.read(lambda tx: waitlist.list_in_line_of(tx, closure.user_id, limit=LINES_MAX))
    for entry in lines:
        await hands.leave(tools, owner, entry.id)
    if owner.creator_id is not None:
        for quit_market in hands.quit_market:
            await quit_market(tools, owner.creator_id)
    begun = await tools.store.write(partial(_begin, closure_id=closure.id, user_id=closure.user_id))
    if begun.begun_at is None or begun.state is ClosureState.CANCELLED:
        await look(tools, begun)
        return
    refused = await hands.withdraw(tools, owner, begun.requested_at)
    if begun.forfeit_promo and not refused:
        await tools.store.write(partial(_forfeit, tools, closure=begun))
    refused |= await hands.pay_out(tools, owner)
    await look(tools, begun, refused=refused)


async def end_open(tools: Tools, closure: Closure, end: EndOrder) -> None:
    """Ends the orders that nobody has accepted, each by itself; new ones begin no more."""
    user_id = closure.user_id
    creator_id = await tools.store.read(lambda tx: creators.find_id_by_user(tx, user_id))
    for state, command in _AS_FAN:
        await _end(tools, OrderFilter(states=(state,), fan_id=user_id), command, end)
    for state, command in _AS_CREATOR if creator_id is not None else ():
        await _end(tools, OrderFilter(states=(state,), creator_id=creator_id), command, end)


async def look(tools: Tools, seen: Closure, *, refused: frozenset[str] = frozenset()) -> Closure:
    """Stores where each step stands, and the end; whoever finds that something came in meanwhile leaves it to the next.

    Args:
        seen: as it was before things were tried.
        refused: what came in the way.
    """
    signed_out_at = tools.real_clock()

    def work(tx: Tx) -> Closure:
        users.hold(tx, seen.user_id)
        affairs.hold(tx, seen.user_id)
        closure = closures.get(tx, seen.id)
        if closure.revision != seen.revision or closure.state is ClosureState.CANCELLED:
            return closure
        facts = closures.facts_of(tx, closure.user_id, refused=refused)
        after = rules.assess(closure, facts, now=tx.now)
        if after.state is not closure.state:
            after = replace(after, signed_out_at=signed_out_at)
        closures.save(tx, closure, after)
        if (after.state, _states(after)) != (closure.state, _states(closure)):
            tell(tools, tx, after)
        return after

    return await tools.store.write(work)


def tell(tools: Tools, tx: Tx, closure: Closure) -> None:
    """Tells of a closure that changed. Whoever does holds its user."""
    body: journal.Body = {"user": closure.user_id, "status": closure.state.value, "steps": _states(closure)}
    journal_rows.append(tx, journal.NewEvent(tools.new_id(ids.EVENT), closure.user_id, CHANGED, body))


_AS_FAN: Final = (
    (State.DRAFT, Command("abandon", Actor.FAN)),
    (State.SCREENING, Command("fan_cancel", Actor.FAN)),
    (State.AWAITING_ACCEPTANCE, Command("fan_cancel", Actor.FAN)),
)
_AS_CREATOR: Final = (
    (State.SCREENING, Command("platform_cancel", Actor.STAFF, reason=REASON)),
    (State.AWAITING_ACCEPTANCE, Command("decline", Actor.CREATOR, reason=REASON)),
)


async def _end(tools: Tools, which: OrderFilter, command: Command, end: EndOrder) -> None:
    args = PageArgs(size=ENDED_MAX, key=None, backward=False)
    found = await tools.store.read(lambda tx: orders.list_of_page(tx, args, which, sort="created_at", descending=True))

    def work(tx: Tx, order_id: str) -> None:
        order = orders.get(tx, order_id)
        if order.state in which.states and order.frozen_at is None:  # else somebody was faster
            end(tools, tx, order, command)

    for each in found[:ENDED_MAX]:
        await tools.store.write(partial(work, order_id=each.id))


def _begin(tx: Tx, *, closure_id: str, user_id: ids.UserId) -> Closure:
    users.hold(tx, user_id)
    affairs.hold(tx, user_id)  # whoever began something while the account closed is done with it, and it is seen
    closure = closures.get(tx, closure_id)
    if closure.state is ClosureState.CANCELLED:
        return closure
    begun = rules.begin(closure, closures.facts_of(tx, user_id), now=tx.now)
    if begun is not closure:
        closures.save(tx, closure, begun)
    return begun


def _forfeit(tools: Tools, tx: Tx, *, closure: Closure) -> None:
    """Takes granted coins back, as their owner agreed, once no bought ones are to go with them."""
    promo = accounts.promo(closure.user_id).code
    ledger_rows.hold_wallets(tx, accounts.paid(closure.user_id).code, promo)
    facts = closures.facts_of(tx, closure.user_id)
    coins_step = next(s for s in rules.assess(closure, facts, now=tx.now).steps if s.key is Key.COINS)
    if coins_step.state not in rules.SETTLED:
        return
    for lot in ledger_rows.list_of_spendable_lots(tx, promo):
        ref = f"{lot.id}:forfeited:{clock.to_micros(tx.now)}"
        take = LotMove(lot.id, -lot.remaining)
        ledger_rows.post(tx, postings.promo_expired(user_id=closure.user_id, ref=ref, take=take))
        body: journal.Body = {"user": closure.user_id, "lot": lot.id, "coins": lot.remaining}
        event = journal.NewEvent(tools.new_id(ids.EVENT), id_of(closure.user_id), "wallet.promo_forfeited", body)
        journal_rows.append(tx, event)


def _owner(tx: Tx, *, user_id: ids.UserId) -> Viewer:
    return Viewer(user_id, creators.find_id_by_user(tx, user_id), principal=user_id)


def _states(closure: Closure) -> dict[str, str]:
    return {step.key.value: step.state.value for step in closure.steps}
