"""Wallets: one's own, or anyone's for those who read finances; unlocking, and granted coins that lapse."""

from collections.abc import Sequence
from typing import Final

from shoutgraph.domain import accounts, errors, ids, journal, pages, postings, wallets
from shoutgraph.domain.ledger import Lot, LotMove
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.domain.wallets import RETURNED_LIFE, Wallet
from shoutgraph.storage import journal as journal_rows, ledger as ledger_rows, turns, users, wallets as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, in_its_turn, once

EXPIRE_MAX: Final = 200
"""The most lots that one unit of work lets lapse."""


async def get(tools: Tools, viewer: Viewer, user_id: str | None = None) -> Wallet:
    """A wallet: the viewer's own where no user is named.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: it is another's and the viewer does not read finances, or the caller is not a person.
        NotFoundError: there is no such user.
    """
    owner = _owner(viewer, user_id)
    return await tools.store.read(lambda tx: _read(tx, owner))


async def list_visible(tools: Tools, viewer: Viewer, user_ids: Sequence[ids.UserId]) -> list[Wallet | None]:
    """The wallets of users, None where there is none that this viewer may see."""
    reads = viewer.has(Scope.FINANCE_READ)

    def query(tx: Tx) -> list[Wallet | None]:
        known = [user.id for user in users.list_of(tx, user_ids) if user is not None]
        seen = [user_id for user_id in known if reads or user_id == viewer.user_id]
        found = dict(zip(seen, _list(tx, seen), strict=True)) if seen else {}
        return [found.get(user_id) for user_id in user_ids]

    return await tools.store.read(query)


async def lots(tools: Tools, viewer: Viewer, user_id: ids.UserId, args: PageArgs) -> Page[Lot]:
    """A page of the lots of a wallet, newest first: where its coins came from.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: it is another's and the viewer does not read finances.
    """
    owner = _owner(viewer, user_id)
    found = await tools.store.read(lambda tx: rows.list_of_lots(tx, owner, args))
    return pages.cut(found, args, scope=lots_scope(owner), key_of=lambda lot: (lot.id,))


async def unlock(tools: Tools, viewer: Viewer, request: Request, user_id: str) -> Done[Wallet]:
    """Lets a wallet move again after somebody looked into what locked it; one that is not locked stays as it is.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or it is their own wallet.
        ValidationError: the text is not the id of a user.
        NotFoundError: there is no such user.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    owner = ids.UserId(ids.parse(ids.USER, user_id, path=("input", "userId")))
    if viewer.user_id == owner:
        raise errors.ForbiddenError("Somebody else decides about your own wallet.")

    def work(tx: Tx) -> Wallet:
        if users.find(tx, owner) is None:
            raise errors.NotFoundError("There is no such user.", path=("input", "userId"))
        ledger_rows.hold_wallets(tx, accounts.paid(owner).code)  # as whoever locks it does
        if rows.unlock(tx, owner):
            _tell(tools, tx, owner, "wallet.unlocked", {"by": viewer.principal})
        return _read(tx, owner)

    def load(tx: Tx, wallet_id: str) -> Wallet:
        return _read(tx, wallets.user_of(wallet_id, path=("id",)))

    return await once(tools, request, work, load)


async def expire_due(tools: Tools, *, limit: int = EXPIRE_MAX) -> int:
    """Takes back what is left of granted coins that have lapsed; gives how many lots.

    Coins that came back to a lot which had lapsed meanwhile live `RETURNED_LIFE` longer.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """

    def find(tx: Tx, size: int) -> Sequence[Lot]:
        if not turns.take(tx, "wallets"):
            return ()  # another worker is at them; they are not ours to leave out one by one
        return ledger_rows.list_of_expired_lots(tx, limit=size)

    def work(tx: Tx, due: Sequence[Lot]) -> int:
        for lot in due:
            _expire(tools, tx, lot)
        return len(due)

    return await in_its_turn(tools, "expiry of", find, work, limit=limit, name=lambda lot: lot.id)


def lots_scope(user_id: str) -> str:
    """Names the lots of a wallet, so that a cursor of another list is refused."""
    return pages.scope_of("lots", user_id)


def _expire(tools: Tools, tx: Tx, lot: Lot) -> None:
    assert lot.expires_at is not None, "only a lot with an expiry lapses"
    number, given_at = rows.last_given(tx, lot.id)
    if given_at > lot.expires_at:
        ledger_rows.extend_lot(tx, lot.id, given_at + RETURNED_LIFE)
        return
    take = LotMove(lot.id, -lot.remaining)
    # what is given to a lot after this makes a transfer of its own
    posted = ledger_rows.post(tx, postings.promo_expired(user_id=lot.user_id, ref=f"{lot.id}:{number}", take=take))
    assert posted, "coins that are in a lot were not taken back yet"
    _tell(tools, tx, lot.user_id, "wallet.promo_expired", {"lot": lot.id, "coins": lot.remaining})


def _owner(viewer: Viewer, user_id: str | None) -> ids.UserId:
    if user_id is None or user_id == viewer.user_id:
        return viewer.require_user()
    viewer.require(Scope.FINANCE_READ)
    return ids.UserId(ids.parse(ids.USER, user_id, path=("userId",)))


def _read(tx: Tx, user_id: ids.UserId) -> Wallet:
    if users.find(tx, user_id) is None:
        raise errors.NotFoundError("There is no such user.", path=("userId",))
    return _list(tx, [user_id])[0]


def _list(tx: Tx, user_ids: Sequence[ids.UserId]) -> list[Wallet]:
    balances, locks = rows.list_of_balances(tx, user_ids), rows.list_of_locks(tx, user_ids)
    return [
        Wallet(
            id=wallets.id_of(user_id),
            user_id=user_id,
            available_coins=balance.available_coins,
            promo_coins=balance.promo_coins,
            held_coins=balance.held_coins,
            debt_coins=balance.debt_coins,
            lock=lock,
        )
        for user_id, balance, lock in zip(user_ids, balances, locks, strict=True)
    ]


def _tell(tools: Tools, tx: Tx, user_id: ids.UserId, kind: str, body: journal.Body) -> None:
    event = journal.NewEvent(
        id=tools.new_id(ids.EVENT), topic=wallets.id_of(user_id), type=kind, body={"user": user_id, **body}
    )
    journal_rows.append(tx, event)
