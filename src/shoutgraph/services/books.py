"""Proving the books, and reading any account, for operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shoutgraph.domain.entries import Entry
from shoutgraph.domain.pages import PageArgs
from shoutgraph.domain.postings import Books
from shoutgraph.domain.proof import Violation
from shoutgraph.storage import journal, ledger, ledger_proof, policies
from shoutgraph.storage.tx import Tx

LINES_MAX: Final = 50
"""The most accounts of a trial balance: the largest balances first."""


@dataclass(frozen=True, slots=True)
class Line:
    """One account of the trial balance. Units: the asset's own; positive where credits exceed debits."""

    asset: str
    account: str
    balance: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven: how much was looked at, and what does not hold."""

    violations: Sequence[Violation]
    postings: int
    accounts: int
    lots: int
    orders: int
    events: int
    head: str
    trial_balance: Sequence[Line]


def prove(tx: Tx) -> Proof:
    """Proves every law over everything stored; all of it sees one state."""
    policy = policies.current(tx)
    violations = ledger_proof.verify(tx, books=Books(policy.book_currency, policy.par_units))
    counts = ledger_proof.counts(tx)
    head = journal.head(tx)
    return Proof(
        violations=violations,
        postings=counts["posting"],
        accounts=counts["account"],
        lots=counts["lot"],
        orders=counts["orders"],
        events=head.seq,
        head=head.hash.hex(),
        trial_balance=[Line(*row) for row in ledger.list_of_balances(tx, limit=LINES_MAX)],
    )


def statement(tx: Tx, account: str, args: PageArgs) -> Sequence[Entry]:
    """An account's newest entries."""
    return ledger.list_of_entries(tx, account, args)
