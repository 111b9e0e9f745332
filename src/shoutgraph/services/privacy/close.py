"""Closing an account: in one unit of work nothing new begins any more; a job settles the rest."""

from dataclasses import replace

from shoutgraph.domain import closures as rules, creators as creator_rules, errors, ids
from shoutgraph.domain.closures import Closure, ClosureState, Shop, Wish
from shoutgraph.domain.pages import Page, PageArgs, cut, scope_of
from shoutgraph.domain.users import SYSTEM, Scope, Viewer
from shoutgraph.services.privacy import settle
from shoutgraph.services.privacy.settle import EndOrder
from shoutgraph.storage import closures, creators, policies, users
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
        shop = _shut(tx, user_id)
        wish = Wish(tools.new_id(ids.CLOSURE), user_id, forfeit_promo, shop)
        closure = rules.request(wish, policy=policies.current(tx), now=tx.now)
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
        ValidationError: it is not confirmed, coins or earnings are being settled, or the account is closed.
    """
    user_id = viewer.require_user()
    if not confirm:
        raise errors.ValidationError("Confirm that it is meant.", code="NOT_CONFIRMED", path=("input", "confirm"))

    def work(tx: Tx) -> None:
        user = users.get(tx, user_id)
        closure = closures.hold(tx, user_id)
        if closure is None:
            return
        cancelled = rules.cancel(closure, now=tx.now)
        users.save(tx, replace(user, closed_at=None, revision=user.revision + 1))
        closures.save(tx, closure, cancelled)
        _restore(tx, user_id, closure.shop)
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


def _shut(tx: Tx, user_id: ids.UserId) -> Shop:
    """Takes a creator off the market: no offer is on sale, no gift is taken, no order either. Says what was on."""
    creator_id = creators.find_id_by_user(tx, user_id)
    if creator_id is None:
        return Shop()
    (offers,) = creators.list_of_offers_by_creator(tx, [creator_id], SYSTEM)
    known = [offer.id for offer in offers if offer.active]
    sold = [creators.get_offer(tx, offer_id) for offer_id in known]  # offers are held before their creator
    for offer in sold:
        creators.save_offer(tx, creator_rules.switch_offer(offer, active=False))
    creator = creators.get(tx, creator_id)
    off = creator_rules.pause(creator, until=None, now=tx.now)
    creators.save(tx, replace(off, takes_gifts=False, revision=creator.revision + 1))
    return Shop(tuple(known), creator.takes_gifts)


def _restore(tx: Tx, user_id: ids.UserId, shop: Shop) -> None:
    creator_id = creators.find_id_by_user(tx, user_id)
    if creator_id is None:
        return
    for offer_id in shop.offer_ids:
        offer = creators.get_offer(tx, offer_id)
        if not offer.active:
            creators.save_offer(tx, creator_rules.switch_offer(offer, active=True))
    creator = creators.get(tx, creator_id)
    if shop.takes_gifts and not creator.takes_gifts:
        creators.save(tx, replace(creator, takes_gifts=True, revision=creator.revision + 1))
