"""Debts of users after charge-backs: who owes what, and what two people write off of it."""

from dataclasses import dataclass, replace
from typing import Final

from shoutgraph.domain import accounts, debts as rules, errors, ids, journal, pages, postings
from shoutgraph.domain.debts import Debt, WriteOff, WriteOffState
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.postings import Books
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.domain.wallets import id_of
from shoutgraph.storage import debts, journal as journal_rows, ledger as ledger_rows, policies, users, wallets
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

SCOPE: Final = pages.scope_of("debts")
"""Names the listing, so that a cursor of another one is refused."""
PROPOSED: Final = "writeoff.proposed"
DONE: Final = "writeoff.done"
DENIED: Final = "writeoff.denied"


@dataclass(frozen=True, slots=True)
class Owed:
    """A debt, what is proposed to be written off of it, and the policy that says what a coin is worth."""

    debt: Debt
    proposed: WriteOff | None
    policy: Policy


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be written off of whose debt, and where the reason is written: all of it where no coins are named."""

    user_id: str
    evidence: str
    coins: int | None = None


async def page(tools: Tools, viewer: Viewer, args: PageArgs) -> Page[Owed]:
    """A page of all debts, the newest debtors first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)

    def query(tx: Tx) -> list[Owed]:
        found, policy = debts.list_of_debts(tx, args), policies.current(tx)
        debtors = [debt.user_id for debt in found]
        locks, proposed = wallets.list_of_locks(tx, debtors), debts.list_of_open(tx, debtors)
        return [
            Owed(replace(debt, lock=lock), proposed.get(debt.user_id), policy)
            for debt, lock in zip(found, locks, strict=True)
        ]

    found = await tools.store.read(query)
    return pages.cut(found, args, scope=SCOPE, key_of=lambda owed: (owed.debt.place,))


async def propose(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Done[WriteOff]:
    """Proposes that the platform bears what a user owes; nothing moves yet.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or owes it.
        NotFoundError: there is no such user.
        ValidationError: the text is no user's id, the coins or the evidence break a rule, more is named than is owed,
            or something is proposed already (an `ExceptionGroup` where several fields break rules).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    user_id = ids.UserId(ids.parse(ids.USER, wish.user_id, path=("input", "userId")))
    rules.check(1 if wish.coins is None else wish.coins, wish.evidence)
    _check_other(viewer, user_id)

    def work(tx: Tx) -> WriteOff:
        owed = _owed(tx, user_id)
        if debts.list_of_open(tx, [user_id]):
            msg = "Somebody has proposed a write-off already: confirm or reject that first."
            raise errors.ValidationError(msg, code="WRITE_OFF_STATE", path=("input", "userId"))
        coins = owed if wish.coins is None else wish.coins
        rules.check_owed(max(coins, 1), owed)
        proposed = WriteOff(
            id=rules.WriteOffId(tools.new_id(ids.WRITE_OFF)),
            user_id=user_id,
            state=WriteOffState.PROPOSED,
            coins=coins,
            evidence=wish.evidence,
            proposed_by=viewer.principal,
            proposed_at=tx.now,
        )
        debts.insert(tx, proposed)
        _tell(tools, tx, proposed, PROPOSED)
        return proposed

    return await once(tools, asked, work, debts.get)


async def confirm(tools: Tools, viewer: Viewer, asked: Request, write_off_id: str) -> Done[WriteOff]:
    """Confirms what another person proposed: the debt is the platform's cost from now on. A lock stays.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, proposed it, or owes it.
        NotFoundError: there is no such write-off.
        ValidationError: the text is no write-off's id, it is decided already, or less is owed by now.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    known = await _known(tools, viewer, write_off_id)

    def work(tx: Tx) -> WriteOff:
        owed = _owed(tx, known.user_id)
        done = rules.decided(debts.get(tx, write_off_id), WriteOffState.DONE, by=viewer.principal, now=tx.now)
        rules.check_owed(done.coins, owed)
        policy = policies.current(tx)
        books = Books(policy.book_currency, policy.par_units)
        transfer = postings.debt_written_off(books, user_id=done.user_id, ref=done.id, coins=done.coins)
        ledger_rows.post(tx, transfer)
        debts.decide(tx, done)
        _tell(tools, tx, done, DONE)
        body: journal.Body = {"user": done.user_id, "coins": done.coins, "by": viewer.principal}
        number = ledger_rows.number_of(tx, transfer.kind, transfer.ref)
        told = journal.NewEvent(tools.new_id(ids.EVENT), id_of(done.user_id), "wallet.debt_written_off", body, number)
        journal_rows.append(tx, told)
        return done

    return await once(tools, asked, work, debts.get)


async def reject(tools: Tools, viewer: Viewer, asked: Request, write_off_id: str) -> Done[WriteOff]:
    """Rejects what was proposed, or takes it back; nothing moves.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or owes it.
        NotFoundError: there is no such write-off.
        ValidationError: the text is no write-off's id, or it is decided already.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    await _known(tools, viewer, write_off_id)

    def work(tx: Tx) -> WriteOff:
        denied = rules.decided(debts.get(tx, write_off_id), WriteOffState.DENIED, by=viewer.principal, now=tx.now)
        debts.decide(tx, denied)
        _tell(tools, tx, denied, DENIED)
        return denied

    return await once(tools, asked, work, debts.get)


def _owed(tx: Tx, user_id: ids.UserId) -> int:
    """What a user owes; their wallet is held, as whoever changes a debt does."""
    if users.find(tx, user_id) is None:
        raise errors.NotFoundError("There is no such user.", path=("input", "userId"))
    ledger_rows.hold_wallets(tx, accounts.paid(user_id).code)
    return wallets.balances(tx, user_id).debt_coins


def _check_other(viewer: Viewer, user_id: str) -> None:
    if viewer.user_id == user_id:
        raise errors.ForbiddenError("Somebody else decides about your own debt.", code="OWN_DEBT")


async def _known(tools: Tools, viewer: Viewer, write_off_id: str) -> WriteOff:
    viewer.require(Scope.FINANCE_MANAGE)
    ids.parse(ids.WRITE_OFF, write_off_id, path=("input", "writeOffId"))
    known = await tools.store.read(lambda tx: debts.get(tx, write_off_id))
    _check_other(viewer, known.user_id)
    return known


def _tell(tools: Tools, tx: Tx, write_off: WriteOff, kind: str) -> None:
    body: journal.Body = {"status": write_off.state.value, "user": write_off.user_id, "coins": write_off.coins}
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=write_off.id, type=kind, body=body)
    journal_rows.append(tx, event)
