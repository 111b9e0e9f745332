"""Guarding oneself: limits, pauses and self-exclusion, and purchases that wait for somebody's look."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import errors, ids, journal, spending as rules
from shoutgraph.domain.requests import Request
from shoutgraph.domain.spending import Guard, Limits, Standing
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import audit, journal as journal_rows, policies, spending as rows, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

LIMITS_SET: Final = "spending.limits_set"
PAUSED: Final = "spending.paused"
EXCLUDED: Final = "spending.excluded"
CLEARED: Final = "spending.review_cleared"


@dataclass(frozen=True, slots=True)
class Decision:
    """Who lets somebody buy again, and why."""

    user_id: str
    reason: str


async def set_limits(
    tools: Tools, viewer: Viewer, request: Request, limits: Limits, *, expected_revision: int | None
) -> Done[Guard]:
    """Sets all limits of the viewer: what is lower acts at once, what is higher after a time to think it over.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        StaleRevisionError: the limits changed since the viewer read them.
        ValidationError: a limit is no amount (an `ExceptionGroup` where several are not).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    rules.check_limits(limits)

    def change(guard: Guard, tx: Tx) -> Guard:
        if expected_revision not in {None, guard.revision}:
            raise errors.StaleRevisionError(current_revision=guard.revision)
        return rules.set_limits(guard, limits, now=tx.now, policy=policies.current(tx))

    return await _change(tools, viewer.require_user(), request, change, LIMITS_SET)


async def pause(tools: Tools, viewer: Viewer, request: Request, days: int) -> Done[Guard]:
    """Buys and spends nothing for some days. Open orders go on, and what comes back comes back.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: too few or too many days, or fewer than are left of a pause that runs.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()
    return await _change(tools, user_id, request, lambda guard, tx: rules.pause(guard, days, now=tx.now), PAUSED)


async def exclude(tools: Tools, viewer: Viewer, request: Request, days: int) -> Done[Guard]:
    """Buys and spends nothing for half a year or longer; nobody can end it before.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: too few or too many days, or fewer than are left of an exclusion that runs.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()
    return await _change(tools, user_id, request, lambda guard, tx: rules.exclude(guard, days, now=tx.now), EXCLUDED)


async def clear(tools: Tools, viewer: Viewer, request: Request, decision: Decision) -> Done[Guard]:
    """Lets somebody buy again whose purchases waited for a look.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or it is about themselves.
        NotFoundError: there is no such user.
        ValidationError: nothing waits, or the reason is empty or too long.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    user_id = ids.UserId(ids.parse(ids.USER, decision.user_id, path=("input", "userId")))
    if user_id == viewer.user_id:
        raise errors.ForbiddenError("Somebody else looks at your own purchases.")
    rules.check_reason(decision.reason)  # the audit trail keeps it: nothing is blanked in the journal

    def change(guard: Guard, tx: Tx) -> Guard:
        after = rules.cleared(guard, tx.now)
        was, now = [{"review_at": each.review_at, "review_code": each.review_code} for each in (guard, after)]
        audit.note(tx, user_id, was, now)
        return after

    return await _change(tools, user_id, request, change, CLEARED, {"by": viewer.principal})


async def get(tools: Tools, viewer: Viewer) -> Standing:
    """How the viewer guards themselves, and what they spent until now.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
    """
    user_id = viewer.require_user()
    return await tools.store.read(lambda tx: rows.standing(tx, user_id))


async def list_of_waiting(tools: Tools, viewer: Viewer) -> list[Guard]:
    """Whose purchases wait for a look, the longest waiting first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    return await tools.store.read(rows.list_of_waiting)


async def _change(
    tools: Tools,
    user_id: ids.UserId,
    request: Request,
    change: Callable[[Guard, Tx], Guard],
    kind: str,
    told: journal.Body | None = None,
) -> Done[Guard]:
    def work(tx: Tx) -> Guard:
        users.get(tx, user_id, path=("input", "userId"))
        guard = change(rows.get(tx, user_id), tx)
        rows.save(tx, guard)
        body = {"user": user_id, "revision": guard.revision, **(told or {})}
        journal_rows.append(tx, journal.NewEvent(tools.new_id(ids.EVENT), user_id, kind, body))
        return guard

    return await once(tools, request, work, lambda tx, key: rows.get(tx, ids.UserId(key)))
