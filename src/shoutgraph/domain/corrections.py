"""Corrections of the books by hand: one person of finance proposes a list of legs, another one confirms it.

Only accounts that no other rows tell of are corrected: the cash books, what users owe, and where coins come from.
Wallets have lots, earnings and escrow have objects; their coins move by those. `liab:coins` follows the coins held, so
it is corrected by nobody. Units: coins for `COIN`, book units for money.
Source: docs/adr/0003-ledger.md, row 31.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

from shoutgraph.domain import accounts, errors, ids, ledger, money, postings
from shoutgraph.domain.checks import Checks
from shoutgraph.domain.ledger import Account, Posting, Transfer
from shoutgraph.domain.postings import Books

CorrectionId = NewType("CorrectionId", str)

KIND: Final = "ledger.adjusted"
"""The kind of the transfer that a confirmed correction posts."""
REASON_CHARS_MAX: Final = 1_000
CASE_CHARS_MAX: Final = 100
LEGS_MAX: Final = 20
CODE_CHARS_MAX: Final = 200

_DEBT: Final = re.compile(r"user:(user_[0-9a-z]{26}):debt")
_NAME: Final = r"(?:rev|exp):[a-z]{1,20}|fx|cash:transit|cash:bank|cash:psp:[^:]{1,80}"
_MONEY: Final = re.compile(rf"({_NAME}):([A-Z]{{3}})")


class CorrectionState(StrEnum):
    """Where a correction stands."""

    PROPOSED = "PROPOSED"
    DONE = "DONE"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class Leg:
    """One move from the debit account to the credit account, by their codes. Units: those of the asset."""

    debit: str
    credit: str
    amount: int


@dataclass(frozen=True, slots=True)
class Correction:
    """What one person proposed to post, and what another decided. `par_units` is what a coin is worth in the books."""

    id: CorrectionId
    state: CorrectionState
    reason: str
    case_reference: str
    par_units: int
    leg_count: int
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    booked: str | None = None
    legs: tuple[Leg, ...] = ()


def check(reason: str, case_reference: str, legs: Sequence[Leg]) -> None:
    """Refuses a correction without words, or with legs that cannot be.

    Raises:
        ValidationError: a text is empty or too long, there are no legs or too many, or one moves nothing (an
            `ExceptionGroup` where several fields are wrong).
    """
    checks = Checks()
    checks.text("reason", reason, chars_max=REASON_CHARS_MAX, lines=True)
    checks.text("caseReference", case_reference, chars_max=CASE_CHARS_MAX)
    checks.count("legs", legs, 1, LEGS_MAX)
    if not all(1 <= leg.amount <= money.AMOUNT_MAX for leg in legs):
        checks.add("legs", "Each leg moves something.", "OUT_OF_RANGE")
    checks.settle()


def transfer_of(correction: Correction, books: Books) -> Transfer:
    """Row 31: the legs as postings.

    Raises:
        ValidationError: a leg names an account that is not corrected by hand, or two of different assets, or debts
            and what the cash books carry of them would not match.
    """
    moves = tuple(_posting(leg, books) for leg in correction.legs)
    _check_par(moves, books)
    return postings.ledger_adjusted(ref=correction.id, moves=moves)


def account_of(code: str, books: Books) -> Account:
    """The account of the chart that may be corrected by hand.

    Raises:
        ValidationError: it may not be, or there is none of this name.
    """
    if code == accounts.MINT.code:
        return accounts.MINT
    if found := _DEBT.fullmatch(code):
        return accounts.debt(ids.UserId(found[1]))
    if code == accounts.receivable(books.currency).code:
        return accounts.receivable(books.currency)
    if code == accounts.unclaimed(books.currency).code:
        return accounts.unclaimed(books.currency)
    if (found := _MONEY.fullmatch(code)) and money.is_currency(found[2]):
        return accounts.money_account(found[1], found[2])
    msg = f"{code[:CODE_CHARS_MAX]} is not corrected by hand: its coins move by the object that they belong to."
    raise errors.ValidationError(msg, code="ACCOUNT_NOT_ADJUSTABLE", path=("input", "legs"))


def decided(correction: Correction, state: CorrectionState, *, by: str, now: datetime) -> Correction:
    """The correction as another person decided it; who proposed it may take it back.

    Raises:
        ForbiddenError: who proposed it confirms it.
        ValidationError: it is decided already.
    """
    if correction.state is not CorrectionState.PROPOSED:
        msg = f"This adjustment is {correction.state} already."
        raise errors.ValidationError(msg, code="ADJUSTMENT_STATE", path=("input", "ledgerAdjustmentId"))
    if state is CorrectionState.DONE and by == correction.proposed_by:
        raise errors.ForbiddenError("Another person has to confirm what you proposed.", code="SECOND_PERSON")
    booked = KIND if state is CorrectionState.DONE else None
    return replace(correction, state=state, decided_by=by, decided_at=now, booked=booked)


def _posting(leg: Leg, books: Books) -> Posting:
    debit, credit = account_of(leg.debit, books), account_of(leg.credit, books)
    if debit.asset != credit.asset or debit.code == credit.code:
        msg = f"A leg moves one asset between two accounts; {debit.code} and {credit.code} do not fit."
        raise errors.ValidationError(msg, code="UNBALANCED", path=("input", "legs"))
    return Posting(debit, credit, leg.amount, "correction")


def _check_par(moves: Sequence[Posting], books: Books) -> None:
    receivable = accounts.receivable(books.currency).code
    owed = carried = 0
    for each in moves:
        for account, sign in ((each.debit, 1), (each.credit, -1)):
            owed += sign * each.amount * (account.asset == ledger.COIN and account.code != accounts.MINT.code)
            carried += sign * each.amount * (account.code == receivable)
    if owed * books.par_units != carried:
        msg = f"What users owe moves by {owed} coins, so {receivable} has to move by {owed * books.par_units}."
        raise errors.ValidationError(msg, code="UNBALANCED", path=("input", "legs"))
