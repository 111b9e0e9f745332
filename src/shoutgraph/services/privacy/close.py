"""Closing an account: in one unit of work nothing new begins any more; a job settles the rest."""

from dataclasses import replace

from shoutgraph.domain import closures as rules, errors, ids
from shoutgraph.domain.closures import Closure, ClosureState, Wish
from shoutgraph.domain.legs import Books
from shoutgraph.domain.pages import Page, PageArgs, cut, scope_of
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.privacy import settle, shop
from shoutgraph.services.privacy.settle import EndOrder
from shoutgraph.storage import closures, lapsing, policies, privacy, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


async def close(tools: Tools, viewer: Viewer, *, confirm: bool, forfeit_promo: bool, end: EndOrder) -> Closure:
    """Closes the caller's account: nothing new begins, drafts and orders not yet accepted end, what is made goes on.

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
        known = closures.hold(tx, user_id)
        if known is not None:
            return known
        closing = rules.close(user, now=tx.now)
        if closing is not user:
            users.save(tx, closing)
        was = shop.shut(tx, user_id, shop.hold(tx, user_id))
        policy = policies.current(tx)
        lapsing.claim_all(tx, tools.new_id, Books(policy.book_currency, policy.par_units), user_id)
        wish = Wish(tools.new_id(ids.CLOSURE), user_id, forfeit_promo, was)
        closure = rules.request(wish, policy=policy, now=tx.now)
        closures.insert(tx, closure)
        settle.tell(tools, tx, closure)
        return closure

    closure = await tools.store.write(work)
    if closure.state is ClosureState.CLOSED:
        return closure
    await settle.end_open(tools, closure, end)
    return await settle.look(tools, closure)


async def cancel(tools: Tools, viewer: Viewer, *, confirm: bool) -> None:
    """Takes the closure back, until coins or earnings are being settled; what has ended stays so.

    Offers and gifts are on again as before; the shop is opened by its creator.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: it is not confirmed, coins or earnings are being settled, or the account is closed, or being
            erased.
    """
    user_id = viewer.require_user()
    if not confirm:
        raise errors.ValidationError("Confirm that it is meant.", code="NOT_CONFIRMED", path=("input", "confirm"))

    def work(tx: Tx) -> None:
        user = users.get(tx, user_id)
        closure = closures.hold(tx, user_id)
        if closure is None:
            return
        if privacy.leaves(tx, user_id):
            raise errors.ValidationError("It is being erased.", code="ERASURE_STATE", path=("input", "confirm"))
        cancelled = rules.cancel(closure, now=tx.now)
        users.save(tx, replace(user, closed_at=None, revision=user.revision + 1))
        closures.save(tx, closure, cancelled)
        shop.restore(tx, user_id, closure.shop)
        settle.tell(tools, tx, cancelled)

    await tools.store.write(work)


async def get(tools: Tools, viewer: Viewer) -> Closure | None:
    """Where the closure of the caller's account stands, or None where none was asked for, or it was taken back."""
    user_id = viewer.user_id
    return None if user_id is None else await tools.store.read(lambda tx: closures.find(tx, user_id))


async def page(tools: Tools, viewer: Viewer, args: PageArgs, state: ClosureState | None) -> Page[Closure]:
    """A page of closures, the newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: closures.list_of_page(tx, args, state))
    return cut(found, args, scope=scope(state), key_of=lambda closure: (closure.id,))


def scope(state: ClosureState | None) -> str:
    """Names a list of closures, so that a cursor of another one is refused."""
    return scope_of("closures", state)
