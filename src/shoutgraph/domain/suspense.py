"""Suspense: money that a provider has moved and no transfer of ours explains, until it is understood.

It is in the books as soon as it is found, so that they say what the provider says. The real event takes its place when
it comes; or one person of finance names the account that it belongs to, and another one confirms. Units: minor units;
what came in is above zero, what went out is below.
Source: docs/adr/0003-ledger.md, row 30.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType

from shoutgraph.domain import accounts, corrections, errors, ids, legs, money as moneys
from shoutgraph.domain.checks import Checks
from shoutgraph.domain.ledger import Account, Transfer
from shoutgraph.domain.legs import Books
from shoutgraph.domain.money import BOOK_UNITS_PER_MINOR, Money

SuspenseId = NewType("SuspenseId", str)

OPENED: Final = "recon.suspense"
"""The kind of the transfer that takes a line into suspense; the ones that end it follow."""
CLEARED: Final = "recon.cleared"
PLACED: Final = "recon.placed"
REASON_CHARS_MAX: Final = 1_000
ACCOUNT_CHARS_MAX: Final = corrections.CODE_CHARS_MAX
ALERT_AFTER: Final = timedelta(hours=24)
"""So long may a line be unexplained before people are called."""
MOVES_FOR: Final = timedelta(days=180)
"""So long after it was made may what was placed still go back, as what is paid may."""

_DEBT: Final = re.compile(r"user:(user_[0-9a-z]{26}):debt")
_PLACES: Final = re.compile(r"(?:(?:rev|exp):[a-z]{1,20}|cash:transit|cash:bank):[A-Z]{3}")


class SuspenseState(StrEnum):
    """Where a line stands."""

    OPEN = "OPEN"
    PROPOSED = "PROPOSED"
    PLACED = "PLACED"
    CLEARED = "CLEARED"


UNEXPLAINED: Final = frozenset({SuspenseState.OPEN, SuspenseState.PROPOSED})
"""In these it is in suspense."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider says of money that the books do not know: its name there, and how much moved."""

    instance: str
    operation_id: str
    ref: str | None
    amount: Money | None
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a provider that no transfer explains. `line_id` is unique at its `instance`.

    `operation_id` and `ref` are our name and the provider's name of what moved; `account` is where it was proposed to
    belong, `alerted_at` when people were called.
    """

    id: SuspenseId
    instance: str
    line_id: str
    operation_id: str
    ref: str | None
    amount_minor: int
    currency: str
    made_at: datetime
    found_at: datetime
    state: SuspenseState = SuspenseState.OPEN
    revision: int = 1
    account: str | None = None
    reason: str | None = None
    proposed_by: str | None = None
    proposed_at: datetime | None = None
    decided_by: str | None = None
    ended_at: datetime | None = None
    alerted_at: datetime | None = None

    @property
    def amount(self) -> Money:
        """What moved at the provider; below zero where it went out."""
        return Money(self.amount_minor, self.currency)

    def age(self, now: datetime) -> timedelta:
        """How long it was, or is, unexplained."""
        return (self.ended_at or now) - self.found_at


def name_of(operation_id: str, *, before: int) -> str:
    """The name of a line: what moved, and how often that was in suspense before with another amount."""
    return f"{operation_id}#{before}" if before else operation_id


def check(reason: str, account: str) -> None:
    """Refuses a proposal without words.

    Raises:
        ValidationError: a text is empty or too long (an `ExceptionGroup` where both are wrong).
    """
    checks = Checks()
    checks.text("reason", reason, chars_max=REASON_CHARS_MAX, lines=True)
    checks.text("place", account, chars_max=ACCOUNT_CHARS_MAX)
    checks.settle()


def opened(line: Line) -> Transfer:
    """Row 30: a line goes to suspense."""
    return _between(OPENED, line, _cash(line), _suspense(line))


def cleared(line: Line) -> Transfer:
    """Row 30: the real event is there, so the line leaves suspense as it came."""
    return _between(CLEARED, line, _suspense(line), _cash(line))


def placed(line: Line, books: Books) -> Transfer:
    """Row 30: the line goes where two people say that it belongs.

    Raises:
        ValidationError: nothing goes there by hand.
    """
    assert line.account is not None, "what is placed has a place"
    account, units = account_of(line, line.account, books), abs(line.amount_minor) * BOOK_UNITS_PER_MINOR
    if account.code == line.account:
        return _between(PLACED, line, _suspense(line), account)
    owed = accounts.debt(ids.UserId(line.account.split(":")[1]))
    moves = legs.move(accounts.MINT, owed, units // books.par_units, "paid debt")
    moves += legs.move(_suspense(line), account, units, "paid debt")
    return Transfer(PLACED, line.id, tuple(moves))


def debt_coins(line: Line, books: Books) -> int:
    """How many owed coins a line pays; zero where it goes elsewhere."""
    of_debt = line.account is not None and _DEBT.fullmatch(line.account) is not None
    return line.amount_minor * BOOK_UNITS_PER_MINOR // books.par_units if of_debt else 0


def account_of(line: Line, code: str, books: Books) -> Account:
    """The account of the cash books that a line may go to: for a user's debt, the one that carries debts.

    Raises:
        ValidationError: there is none of this name, nothing goes there by hand, or it has another currency.
    """
    if _DEBT.fullmatch(code):
        whole = line.amount_minor > 0 and not line.amount_minor * BOOK_UNITS_PER_MINOR % books.par_units
        if line.currency != books.currency or not whole:
            msg = "A debt is paid by money that came in, in the currency of the books, worth whole coins."
            raise errors.ValidationError(msg, code="ACCOUNT_NOT_ADJUSTABLE", path=("input", "place"))
        return accounts.receivable(books.currency)
    name, _, currency = code.rpartition(":")
    if not _PLACES.fullmatch(code) or not moneys.is_currency(currency) or currency != line.currency:
        msg = (
            f"{code[:ACCOUNT_CHARS_MAX]} is no place for this line: say rev:…, exp:…, cash:bank or cash:transit in"
            f" {line.currency}, or user:…:debt."
        )
        raise errors.ValidationError(msg, code="ACCOUNT_NOT_ADJUSTABLE", path=("input", "place"))
    return accounts.money_account(name, currency)


def proposed(line: Line, account: str, reason: str, *, by: str, now: datetime) -> Line:
    """The line as somebody proposed to place it.

    Raises:
        ValidationError: somebody proposed it already, or it is not in suspense any more.
    """
    _check_state(line, SuspenseState.OPEN)
    after = replace(line, state=SuspenseState.PROPOSED, account=account, reason=reason, revision=line.revision + 1)
    return replace(after, proposed_by=by, proposed_at=now)


def confirmed(line: Line, *, by: str, now: datetime) -> Line:
    """The line as another person placed it.

    Raises:
        ValidationError: nobody proposed it, or it is not in suspense any more.
        ForbiddenError: who proposed it confirms it.
    """
    _check_state(line, SuspenseState.PROPOSED)
    if by == line.proposed_by:
        raise errors.ForbiddenError("Another person has to confirm what you proposed.", code="SECOND_PERSON")
    return replace(line, state=SuspenseState.PLACED, decided_by=by, ended_at=now, revision=line.revision + 1)


def rejected(line: Line) -> Line:
    """The line as it was before somebody proposed to place it.

    Raises:
        ValidationError: nobody proposed it, or it is not in suspense any more.
    """
    _check_state(line, SuspenseState.PROPOSED)
    return replace(_unproposed(line), state=SuspenseState.OPEN)


def explained(line: Line, *, now: datetime) -> Line:
    """The line once the real event is there; what was proposed falls away."""
    assert line.state in UNEXPLAINED, "only what is in suspense is cleared"
    return replace(_unproposed(line), state=SuspenseState.CLEARED, ended_at=now)


def _unproposed(line: Line) -> Line:
    after = replace(line, account=None, reason=None, proposed_by=None, proposed_at=None)
    return replace(after, revision=line.revision + 1)


def _check_state(line: Line, state: SuspenseState) -> None:
    if line.state is not state:
        msg = f"This line is {line.state}."
        raise errors.ValidationError(msg, code="SUSPENSE_STATE", path=("input", "suspenseLineId"))


def _between(kind: str, line: Line, source: Account, end: Account) -> Transfer:
    debit, credit = (source, end) if line.amount_minor > 0 else (end, source)
    units = abs(line.amount_minor) * BOOK_UNITS_PER_MINOR
    return Transfer(kind, line.id, tuple(legs.move(debit, credit, units, "suspense")))


def _cash(line: Line) -> Account:
    return accounts.provider_cash(line.instance, line.currency)


def _suspense(line: Line) -> Account:
    return accounts.suspense(line.instance, line.currency)
