"""Erasure: a person asks, may take it back for a while, and then a job makes them nobody, step by step.

Every step finds what is left to do, so that one which was cut is gone on with. The books, the journal and the audit
trail know ids only, and stay as they are.
"""

from functools import partial
from typing import Final

from shoutgraph.domain import closures, errors, ids, journal, privacy as rules
from shoutgraph.domain.legs import Books
from shoutgraph.domain.privacy import Blocker, Erasure, ErasureState
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.privacy import files, shop
from shoutgraph.storage import affairs, journal as journal_rows, lapsing, personal, policies, privacy, samples, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once, one_by_one

CHANGED: Final = "erasure.changed"
CHUNKS_MAX: Final = 100_000
"""Units of work that one erasure takes at most."""


async def request(tools: Tools, viewer: Viewer, asked: Request, *, confirm: bool) -> Done[Erasure]:
    """Asks that the caller be erased, after a time in which it can be taken back.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: it is not confirmed, was asked for before, or affairs are not settled (an `ExceptionGroup`
            where several are not).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()
    if not confirm:
        msg = "Erasing cannot be undone: confirm that it is meant."
        raise errors.ValidationError(msg, code="NOT_CONFIRMED", path=("input", "confirm"))

    def work(tx: Tx) -> Erasure:
        users.get(tx, user_id)  # held, so that one wish at a time is written
        newest = privacy.newest_erasure(tx, user_id)
        if newest is not None and newest.ended_at is None:
            raise errors.ValidationError("It was asked for already.", code="ERASURE_STATE", path=("input", "confirm"))
        rules.check_blockers(_unsettled(tools, tx, user_id))
        erasure = rules.request(tools.new_id(ids.ERASURE), user_id, policy=policies.current(tx), now=tx.now)
        privacy.insert_erasure(tx, erasure)
        _tell(tools, tx, erasure)
        return erasure

    return await once(tools, asked, work, privacy.get_erasure)


async def cancel(tools: Tools, viewer: Viewer, erasure_id: str) -> Erasure:
    """Takes the wish back, while it waits.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: there is no such wish of the caller's.
        ValidationError: the text is no id, or it is under way or done.
    """
    user_id = viewer.require_user()
    ids.parse(ids.ERASURE, erasure_id, path=("input", "erasureId"))

    def work(tx: Tx) -> Erasure:
        erasure = privacy.get_erasure(tx, erasure_id)
        if erasure.user_id != user_id:
            raise errors.NotFoundError("There is no such erasure.", path=("input", "erasureId"))
        cancelled = rules.cancel(erasure, now=tx.now)
        privacy.save_erasure(tx, cancelled)
        _tell(tools, tx, cancelled)
        return cancelled

    return await tools.store.write(work)


async def newest(tools: Tools, viewer: Viewer) -> Erasure | None:
    """The caller's last wish, or None."""
    user_id = viewer.user_id
    return None if user_id is None else await tools.store.read(lambda tx: privacy.newest_erasure(tx, user_id))


async def list_visible(tools: Tools, viewer: Viewer, erasure_ids: list[str]) -> list[Erasure | None]:
    """Wishes by id, None where it is not the caller's; administrators see all."""
    found = await tools.store.read(lambda tx: privacy.list_of_erasures(tx, erasure_ids))
    everyone = viewer.has(Scope.ADMIN)
    return [each if each and (everyone or each.user_id == viewer.user_id) else None for each in found]


async def run_due(tools: Tools) -> int:
    """Goes on with every erasure that is due; says how many were looked at.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """
    due = await tools.store.read(privacy.list_of_due_erasures)
    done = await one_by_one("look at the erasure", due, partial(_go_on, tools))
    broken = [each for each in due if each not in done]
    if broken:  # those that are due after them have their turn before these are looked at again
        await tools.store.write(lambda tx: privacy.put_off_erasures(tx, broken, until=tx.now + rules.BROKEN))
    return len(done)


async def erase_now(tools: Tools, viewer: Viewer, user_id: str) -> Erasure:
    """Erases somebody at once, as an operator does who was asked in writing.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
        NotFoundError: there is no such user.
        ValidationError: the text is no user's id, or affairs are not settled (an `ExceptionGroup` where several are
            not).
    """
    viewer.require(Scope.ADMIN)
    who = ids.UserId(ids.parse(ids.USER, user_id, path=("userId",)))

    def work(tx: Tx) -> Erasure:
        users.get(tx, who)  # held, so that one wish at a time is carried out
        shop.hold(tx, who)
        rules.check_blockers(_unsettled(tools, tx, who))
        underway = privacy.newest_erasure(tx, who)
        if underway is not None and underway.state is not ErasureState.CANCELLED:
            return _begin(tools, tx, erasure_id=underway.id, early=True)
        erasure = rules.request(tools.new_id(ids.ERASURE), who, policy=policies.current(tx), now=tx.now)
        privacy.insert_erasure(tx, erasure)
        return _begin(tools, tx, erasure_id=erasure.id, early=True)

    erasure = await tools.store.write(work)
    return await _erase(tools, erasure) if erasure.state is ErasureState.ERASING else erasure


def _unsettled(tools: Tools, tx: Tx, user_id: ids.UserId) -> list[Blocker]:
    """What stands in the way. What lapsed and is kept for them comes back first, so that it does as all coins do."""
    affairs.hold(tx, user_id)
    policy = policies.current(tx)
    lapsing.claim_all(tx, tools.new_id, Books(policy.book_currency, policy.par_units), user_id)
    return affairs.list_of_blockers(tx, user_id)


def _begin(tools: Tools, tx: Tx, *, erasure_id: str, early: bool = False) -> Erasure:
    """Decides whether it begins. From then on nothing new begins for the person: the account is locked and closed."""
    erasure = privacy.get_erasure(tx, erasure_id)
    if erasure.state is not ErasureState.WAITING or (erasure.due_at > tx.now and not early):
        return erasure
    user = users.get(tx, erasure.user_id)
    sold = shop.hold(tx, user.id)  # offers are held before their creator
    found = _unsettled(tools, tx, user.id)
    after = rules.go_on(erasure, found, now=tx.now)
    privacy.save_erasure(tx, after)
    if after.state is ErasureState.ERASING:
        closing = closures.close(user, now=tx.now)
        if closing is not user:
            users.save(tx, closing)
        users.lock(tx, user.id)
        shop.shut(tx, user.id, sold)
    _tell(tools, tx, after)
    return after


async def _go_on(tools: Tools, erasure_id: str) -> str:
    erasure = await tools.store.write(partial(_begin, tools, erasure_id=erasure_id))
    if erasure.state is ErasureState.ERASING:
        await _erase(tools, erasure)
    return erasure_id


async def _erase(tools: Tools, erasure: Erasure) -> Erasure:
    user_id = erasure.user_id
    async for chunk in files.chunks(tools, user_id):
        for video_id in chunk:
            await tools.files.delete(video_id)
    for export in await tools.store.read(partial(privacy.list_of_kept_exports, user_id=user_id)):
        await tools.files.delete_archive(export.id)
    await tools.store.write(partial(samples.erase_of_user, user_id=user_id))  # what shows stands on a brief
    for at in range(len(personal.HELD)):
        for _ in range(CHUNKS_MAX):
            if not await tools.store.write(partial(personal.erase_some, user_id=user_id, at=at)):
                break
    return await tools.store.write(partial(_finish, tools, erasure_id=erasure.id))


def _finish(tools: Tools, tx: Tx, *, erasure_id: str) -> Erasure:
    erasure = privacy.get_erasure(tx, erasure_id)
    if erasure.state is ErasureState.DONE:
        return erasure
    users.hold(tx, erasure.user_id)
    personal.erase_in_rooms(tx, erasure.user_id)
    for export in privacy.list_of_kept_exports(tx, erasure.user_id):
        privacy.save_export(tx, rules.expired(export))
    personal.finish(tx, erasure.user_id)
    after = rules.done(erasure, now=tx.now)
    privacy.save_erasure(tx, after)
    _tell(tools, tx, after)
    return after


def _tell(tools: Tools, tx: Tx, erasure: Erasure) -> None:
    body: journal.Body = {"user": erasure.user_id, "status": erasure.state.value, "blockers": list(erasure.blockers)}
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=erasure.id, type=CHANGED, body=body)
    journal_rows.append(tx, event)
