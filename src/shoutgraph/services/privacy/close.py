"""Closing an account: in one unit of work nothing new begins any more, and what can end does."""

from collections.abc import Callable
from typing import Final

from shoutgraph.domain import closures as rules, creators as creator_rules, errors, ids, journal
from shoutgraph.domain.closures import Closure
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order, OrderFilter
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.pages import PageArgs
from shoutgraph.domain.users import Viewer
from shoutgraph.storage import affairs, creators, journal as journal_rows, orders, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

CHANGED: Final = "closure.changed"
ENDED_MAX: Final = 200
"""The most orders that one call ends; those beyond end by their own deadlines, or by a repeat."""
_FAN: Final = ((State.DRAFT, "abandon"), (State.SCREENING, "fan_cancel"), (State.AWAITING_ACCEPTANCE, "fan_cancel"))


EndOrder = Callable[[Tools, Tx, Order, Command], Order]
"""How an order takes a transition, coins and all."""


async def close(tools: Tools, viewer: Viewer, *, confirm: bool, end: EndOrder) -> Closure:
    """Closes the caller's account: drafts and orders not yet accepted end, the shop closes, what is made goes on.

    A repeat ends what is left.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: it is not confirmed.
    """
    user_id = viewer.require_user()
    if not confirm:
        msg = "Closing ends orders that nobody has accepted: confirm that it is meant."
        raise errors.ValidationError(msg, code="NOT_CONFIRMED", path=("input", "confirm"))

    def work(tx: Tx) -> Closure:
        user = users.get(tx, user_id)
        closing = rules.close(user, now=tx.now)
        if closing is not user:
            users.save(tx, closing)
            _tell(tools, tx, user_id, "CLOSING")
        creator_id = creators.find_id_by_user(tx, user_id)
        for state, transition in _FAN:
            _end(tools, tx, OrderFilter(states=(state,), fan_id=user_id), Command(transition, Actor.FAN), end)
        if creator_id is not None:
            creators.save(tx, creator_rules.pause(creators.get(tx, creator_id), until=None, now=tx.now))
            asked = OrderFilter(states=(State.AWAITING_ACCEPTANCE,), creator_id=creator_id)
            _end(tools, tx, asked, Command("decline", Actor.CREATOR, reason=REASON), end)
        closure = _closure(tx, user_id)
        assert closure is not None, "it was closed just now"
        return closure

    return await tools.store.write(work)


async def cancel(tools: Tools, viewer: Viewer, *, confirm: bool) -> None:
    """Takes the closure back, while it is under way; what has ended stays so, and a shop is opened by its creator.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: it is not confirmed, or the account is closed.
    """
    user_id = viewer.require_user()
    if not confirm:
        raise errors.ValidationError("Confirm that it is meant.", code="NOT_CONFIRMED", path=("input", "confirm"))

    def work(tx: Tx) -> None:
        user = users.get(tx, user_id)
        reopened = rules.reopen(user, affairs.list_of_blockers(tx, user_id))
        if reopened is not user:
            users.save(tx, reopened)
            _tell(tools, tx, user_id, "CANCELLED")

    await tools.store.write(work)


async def get(tools: Tools, viewer: Viewer) -> Closure | None:
    """Where the closure of the caller's account stands, or None where none was asked for."""
    user_id = viewer.user_id
    return None if user_id is None else await tools.store.read(lambda tx: _closure(tx, user_id))


REASON: Final = "ACCOUNT_CLOSED"


def _end(tools: Tools, tx: Tx, which: OrderFilter, command: Command, end: EndOrder) -> None:
    args = PageArgs(size=ENDED_MAX, key=None, backward=False)
    for found in orders.list_of_page(tx, args, which, sort="created_at", descending=True):
        order = orders.get(tx, found.id)
        if order.state is found.state and order.frozen_at is None:
            end(tools, tx, order, command)


def _closure(tx: Tx, user_id: ids.UserId) -> Closure | None:
    user = users.find(tx, user_id)
    if user is None or user.closed_at is None:
        return None
    return rules.closure_of(user, affairs.list_of_blockers(tx, user_id))


def _tell(tools: Tools, tx: Tx, user_id: ids.UserId, status: str) -> None:
    body: journal.Body = {"user": user_id, "status": status}
    journal_rows.append(tx, journal.NewEvent(tools.new_id(ids.EVENT), user_id, CHANGED, body))
