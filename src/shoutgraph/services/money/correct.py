"""Correcting the books by hand: one person of finance proposes legs, another one confirms, and then they are posted."""

from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import corrections as rules, errors, ids, journal, pages
from shoutgraph.domain.corrections import Correction, CorrectionState, Leg
from shoutgraph.domain.ledger import Transfer
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.postings import Books
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import corrections, journal as journal_rows, ledger as ledger_rows, policies, wallets
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

TOLD: Final = {
    CorrectionState.PROPOSED: "ledger.adjust_proposed",
    CorrectionState.DONE: "ledger.adjust_confirmed",
    CorrectionState.REJECTED: "ledger.adjust_rejected",
}
"""What the journal tells of each state."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be posted, why, and in which case that was decided."""

    reason: str
    case_reference: str
    legs: tuple[Leg, ...]


async def propose(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Done[Correction]:
    """Proposes a correction of the books; nothing moves yet.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        ValidationError: a text or a leg breaks a rule, an account is not corrected by hand or does not exist, or
            the legs would break the par of debts (an `ExceptionGroup` where several fields break rules).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    rules.check(wish.reason, wish.case_reference, wish.legs)

    def work(tx: Tx) -> Correction:
        books = _books(tx)
        proposed = Correction(
            id=rules.CorrectionId(tools.new_id(ids.LEDGER_ADJUSTMENT)),
            state=CorrectionState.PROPOSED,
            reason=wish.reason,
            case_reference=wish.case_reference,
            par_units=books.par_units,
            leg_count=len(wish.legs),
            proposed_by=viewer.principal,
            proposed_at=tx.now,
            legs=wish.legs,
        )
        _check_known(tx, rules.transfer_of(proposed, books))
        corrections.insert(tx, proposed)
        _tell(tools, tx, proposed)
        return proposed

    return await once(tools, asked, work, corrections.get)


async def confirm(tools: Tools, viewer: Viewer, asked: Request, correction_id: str) -> Done[Correction]:
    """Confirms what another person proposed: it is in the books at once.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or proposed it.
        NotFoundError: there is no such correction.
        ValidationError: the text is no correction's id, it is decided already, or less is owed by now.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    _check_id(viewer, correction_id)

    def work(tx: Tx) -> Correction:
        found = corrections.get(tx, correction_id)
        done = rules.decided(found, CorrectionState.DONE, by=viewer.principal, now=tx.now)
        transfer = rules.transfer_of(done, _books(tx))
        _check_owed(tx, transfer)
        corrections.decide(tx, done)
        ledger_rows.post(tx, transfer)
        _tell(tools, tx, done, number=ledger_rows.number_of(tx, transfer.kind, transfer.ref))
        return done

    return await once(tools, asked, work, corrections.get)


async def reject(tools: Tools, viewer: Viewer, asked: Request, correction_id: str) -> Done[Correction]:
    """Rejects what was proposed, or takes it back; nothing moves.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such correction.
        ValidationError: the text is no correction's id, or it is decided already.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    _check_id(viewer, correction_id)

    def work(tx: Tx) -> Correction:
        found = corrections.get(tx, correction_id)
        rejected = rules.decided(found, CorrectionState.REJECTED, by=viewer.principal, now=tx.now)
        corrections.decide(tx, rejected)
        _tell(tools, tx, rejected)
        return rejected

    return await once(tools, asked, work, corrections.get)


async def page(tools: Tools, viewer: Viewer, args: PageArgs, state: CorrectionState | None) -> Page[Correction]:
    """A page of corrections, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: corrections.list_of_page(tx, args, state))
    return pages.cut(found, args, scope=scope_of(state), key_of=lambda each: (each.id,))


def scope_of(state: CorrectionState | None) -> str:
    """Names a listing, so that a cursor of another one is refused."""
    return pages.scope_of("ledger adjustments", state)


def _books(tx: Tx) -> Books:
    policy = policies.current(tx)
    return Books(policy.book_currency, policy.par_units)


def _check_id(viewer: Viewer, correction_id: str) -> None:
    viewer.require(Scope.FINANCE_MANAGE)
    ids.parse(ids.LEDGER_ADJUSTMENT, correction_id, path=("input", "ledgerAdjustmentId"))


def _check_known(tx: Tx, transfer: Transfer) -> None:
    """Providers' cash and debts are there already: a slip of the pen opens no account."""
    for code in sorted({side.code for move in transfer.postings for side in (move.debit, move.credit)}):
        if code.startswith(("user:", "cash:psp:")) and not wallets.account_version(tx, code):
            msg = f"{code} was never moved: is its name right?"
            raise errors.ValidationError(msg, code="ACCOUNT_UNKNOWN", path=("input", "legs"))


def _check_owed(tx: Tx, transfer: Transfer) -> None:
    """Nobody owes less than nothing: refused in words before the database does. The debtor's wallet is held."""
    moved: dict[str, int] = {}
    for move in transfer.postings:
        for account, sign in ((move.debit, 1), (move.credit, -1)):
            if account.code.startswith("user:"):
                moved[account.code] = moved.get(account.code, 0) + sign * move.amount
    ledger_rows.hold_wallets(tx, *(code.removesuffix("debt") + "paid" for code in sorted(moved)))
    for code, coins in moved.items():
        owed = -ledger_rows.balance_coins(tx, code)
        if owed + coins < 0:
            msg = f"{owed} coins are owed on {code}."
            raise errors.ValidationError(msg, code="WRITE_OFF_TOO_LARGE", path=("input", "ledgerAdjustmentId"))


def _tell(tools: Tools, tx: Tx, correction: Correction, number: int | None = None) -> None:
    body: journal.Body = {"status": correction.state.value}
    kind = TOLD[correction.state]
    event = journal.NewEvent(tools.new_id(ids.EVENT), correction.id, kind, body, number)
    journal_rows.append(tx, event)
