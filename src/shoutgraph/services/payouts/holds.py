"""Holds on payouts: finance places and releases them with a reason; what rules hold goes on by itself."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from shoutgraph.domain import errors, ids, journal, payout_holds as rules, payouts as payout_rules
from shoutgraph.domain.payout_holds import Hold, StaffHold, Wish
from shoutgraph.domain.payouts import Payout, Seen
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.payouts import apply, keeping
from shoutgraph.storage import creators, journal as journal_rows, payout_holds as rows, payouts
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, in_its_turn, once

PLACED: Final = "payout_hold.placed"
RELEASED: Final = "payout_hold.released"
LOOK_AGAIN: Final = timedelta(minutes=1)
"""How long after a look the next one comes, where nobody did anything that ends a hold."""


async def place(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Done[StaffHold]:
    """Keeps back what a creator asks for, or asked for, until it is released or its time comes.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or it is about themselves.
        NotFoundError: there is no such creator, or no such payout of theirs.
        ValidationError: the reason is empty or too long, or it would be over before it begins.
        LimitExceededError: as many holds lie on the creator as may.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    if wish.creator_id == viewer.creator_id:
        raise errors.ForbiddenError("Somebody else decides about your own payouts.")

    def work(tx: Tx) -> StaffHold:
        payout = None if wish.payout_id is None else payouts.get(tx, wish.payout_id)  # held before its creator
        creator = creators.get(tx, wish.creator_id)
        if payout is not None and payout.creator_id != creator.id:
            raise errors.NotFoundError("There is no such payout of this creator.", path=("input", "payoutId"))
        if len(rows.facts_of(tx, [creator.id])[creator.id].staff) >= rules.HOLDS_MAX:
            msg = f"A creator has {rules.HOLDS_MAX} holds of staff at most."
            raise errors.LimitExceededError(msg, code="HOLDS_MAX", limit=rules.HOLDS_MAX)
        hold = rules.place(wish, hold_id=tools.new_id(ids.PAYOUT_HOLD), by=viewer.principal, now=tx.now)
        rows.insert(tx, hold)
        _tell(tools, tx, hold, PLACED, by=viewer.principal)
        return hold

    return await once(tools, asked, work, rows.get)


async def release(tools: Tools, viewer: Viewer, asked: Request, hold_id: str, reason: str) -> Done[StaffHold]:
    """Ends a hold; payouts that nothing else keeps back go on by themselves.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or it is about themselves.
        NotFoundError: there is no such hold.
        ValidationError: it is over, or the reason is empty or too long.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)

    def work(tx: Tx) -> StaffHold:
        hold = rows.get(tx, hold_id)
        if hold.creator_id == viewer.creator_id:
            raise errors.ForbiddenError("Somebody else decides about your own payouts.")
        released = rules.release(hold, reason=reason, by=viewer.principal, now=tx.now)
        rows.save_release(tx, released)
        rows.look_at_rules_of(tx, hold.creator_id)
        _tell(tools, tx, released, RELEASED, by=viewer.principal)
        return released

    return await once(tools, asked, work, rows.get)


async def let_go_due(tools: Tools, *, limit: int) -> int:
    """Lets payouts go on that no rule holds any more; gives how many.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """
    if not await tools.store.read(rows.has_held_by_rule):
        return 0

    def find(tx: Tx, size: int) -> Sequence[Payout]:
        return rows.list_of_held_by_rule(tx, limit=size)

    def work(tx: Tx, due: Sequence[Payout]) -> int:
        gone = 0
        for payout, found in zip(due, keeping.holds_of(tx, due) if due else [], strict=True):
            if found:
                ends = [each.until for each in found if each.until is not None]
                rows.look_at_rule(tx, payout.id, after=min([tx.now + LOOK_AGAIN, *ends]))
            else:
                apply.keep(tools, tx, payout, Seen(rules.let_go(payout, now=tx.now)))
                gone += 1
        return gone

    return await in_its_turn(tools, "letting go of", find, work, limit=limit, name=lambda each: each.id)


async def of_payouts(tools: Tools, viewer: Viewer, payout_ids: Sequence[str]) -> list[tuple[Hold, ...]]:
    """Why each of the viewer's payouts waits, or of anyone's for those who read finances; nothing once it is sent."""

    def query(tx: Tx) -> list[tuple[Hold, ...]]:
        found = payouts.list_visible(tx, payout_ids, viewer)
        waiting = {each.id: each for each in found if each is not None and each.state in payout_rules.HOLDABLE}
        holds = dict(zip(waiting, keeping.holds_of(tx, list(waiting.values())) if waiting else [], strict=True))
        return [holds.get(ids.PayoutId(payout_id), ()) for payout_id in payout_ids]

    return await tools.store.read(query)


async def of_creators(tools: Tools, viewer: Viewer, creator_ids: Sequence[str]) -> list[tuple[Hold, ...]]:
    """Why any payout of the viewer's profile would wait, or of anyone's for those who read finances."""
    allowed = [each for each in creator_ids if each == viewer.creator_id or viewer.has(Scope.FINANCE_READ)]
    if not allowed:
        return [() for _ in creator_ids]
    found = await tools.store.read(lambda tx: keeping.holds_of_creators(tx, allowed))
    by_id = dict(zip(allowed, found, strict=True))
    return [by_id.get(each, ()) for each in creator_ids]


def _tell(tools: Tools, tx: Tx, hold: StaffHold, kind: str, *, by: str) -> None:
    """A line of the user who is the creator. The reason stays in the hold: nothing is blanked in the journal."""
    (creator,) = creators.list_of(tx, [hold.creator_id])
    assert creator is not None, "a hold is on a creator"
    body: journal.Body = {
        "user": creator.user_id, "creator": hold.creator_id, "hold": hold.id, "payout": hold.payout_id, "by": by,
    }  # fmt: skip
    journal_rows.append(tx, journal.NewEvent(tools.new_id(ids.EVENT), creator.user_id, kind, body))
