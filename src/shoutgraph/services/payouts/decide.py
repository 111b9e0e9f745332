"""What people decide about a payout before it is sent: finance approves, holds or denies it; its creator cancels it."""

from collections.abc import Callable

from shoutgraph.domain import errors, ids, payouts as rules
from shoutgraph.domain.payouts import HoldCode, Payout, Seen
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.payouts import apply, evidence
from shoutgraph.storage import payouts
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once


async def approve(tools: Tools, viewer: Viewer, asked: Request, payout_id: str) -> Done[Payout]:
    """Lets a payout go to its provider.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or it is their own payout.
        NotFoundError: there is no such payout.
        ValidationError: it is decided already.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    by = viewer.principal
    return await _decide(
        tools, viewer, asked, payout_id, lambda payout, tx: Seen(rules.approve(payout, by=by, now=tx.now))
    )


async def hold(
    tools: Tools, viewer: Viewer, asked: Request, payout_id: str, *, code: HoldCode, note: str
) -> Done[Payout]:
    """Keeps a payout back and tells its creator what is missing.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or it is their own payout.
        NotFoundError: there is no such payout.
        ValidationError: it is with the provider or closed, or the note is empty or too long.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    by = viewer.principal
    return await _decide(
        tools,
        viewer,
        asked,
        payout_id,
        lambda payout, tx: Seen(rules.hold(payout, code=code, note=note, by=by, now=tx.now)),
    )


async def deny(tools: Tools, viewer: Viewer, asked: Request, payout_id: str, *, note: str) -> Done[Payout]:
    """Refuses a payout; the earnings are available again.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or it is their own payout.
        NotFoundError: there is no such payout.
        ValidationError: it is, or may be, with the provider, it is closed, or the note is empty or too long.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    by, sure = viewer.principal, await _cleared(tools, payout_id)
    return await _decide(
        tools,
        viewer,
        asked,
        payout_id,
        lambda payout, tx: rules.deny(payout, note=note, by=by, now=tx.now, cleared=sure),
    )


async def cancel(tools: Tools, viewer: Viewer, asked: Request, payout_id: str) -> Done[Payout]:
    """Takes one's own payout back before it is sent; the earnings are available again.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator.
        NotFoundError: there is no such payout of this creator.
        ValidationError: the text is no payout's id, or it is, or may be, with the provider, or it is closed.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    creator_id = viewer.require_creator()
    sure = await _cleared(tools, payout_id, creator_id)

    def work(tx: Tx) -> Payout:
        payout = payouts.get(tx, payout_id)
        if payout.creator_id != creator_id:
            raise errors.NotFoundError("There is no such payout.", path=("input", "payoutId"))
        return apply.keep(tools, tx, payout, rules.cancel(payout, now=tx.now, cleared=sure))

    return await once(tools, asked, work, payouts.get)


async def _decide(
    tools: Tools, viewer: Viewer, asked: Request, payout_id: str, decision: Callable[[Payout, Tx], Seen]
) -> Done[Payout]:
    viewer.require(Scope.FINANCE_MANAGE)
    ids.parse(ids.PAYOUT, payout_id, path=("input", "payoutId"))

    def work(tx: Tx) -> Payout:
        payout = payouts.get(tx, payout_id)
        if viewer.creator_id is not None and payout.creator_id == viewer.creator_id:
            raise errors.ForbiddenError("Somebody else decides about your own payout.")
        return apply.keep(tools, tx, payout, decision(payout, tx))

    return await once(tools, asked, work, payouts.get)


async def _cleared(tools: Tools, payout_id: str, creator_id: ids.CreatorId | None = None) -> int:
    """Asks the provider before coins go back; gives how many attempts it has nothing of."""
    ids.parse(ids.PAYOUT, payout_id, path=("input", "payoutId"))
    payout = await tools.store.read(lambda tx: payouts.get(tx, payout_id))
    if creator_id not in {None, payout.creator_id}:
        return 0  # the refusal that follows is the same as for one that is not there
    return await evidence.cleared(tools, payout)
