"""The laws that the books obey after every commit, and what a proof says where they are broken.

Source: docs/adr/0003-ledger.md. That a provider's balance equals our cash account is proven against the provider, in
reconciliation.
"""

from dataclasses import dataclass
from enum import StrEnum


class Law(StrEnum):
    """What must hold."""

    BALANCED = "debits equal credits in every asset"
    FLOOR = "no account is beyond its floor"
    COINS = "coins held less coins owed are the coins that were minted"
    PAR = "the cash books carry every coin at par"
    ESCROW = "an open order's escrow holds its price, and any other's nothing"
    CAP = "what was refunded of an order is at most its price"
    HOLDING = "a holding account that is empty again is closed"
    ENTRIES = "an account's entries are without a gap and follow from its postings"
    REPLAY = "an account's totals follow from its postings"
    TRANSFERS = "a transfer has postings"
    WALLETS = "a wallet's balance is the sum of its lots"
    LOTS = "a lot's rest follows from its moves"
    ORIGINS = "a transfer moves lots by as much as it moves their wallets"
    CHAIN = "every line of the journal is sealed to the one before it"
    TOPICS = "the lines of a subject are without a gap"
    AUDIT = "every line of the audit trail is what the journal sealed"
    RATINGS = "a creator's ratings are counted as they stand"
    FEES = "a fee stripe holds what can still be refunded of it"
    RESERVES = "what a creator has in reserve is what their earnings keep there"
    ADJUSTED = "what two people agreed to correct is what was posted"
    SUSPENSE = "what is in suspense at a provider is the sum of its unexplained lines"
    RATES = "what was gained by rates on a day is what was held, valued at the rates of that day"
    LAPSED = "what lapsed of a lot and came back is what was posted, as income or as owed to its owner"
    CARDS = "what is set aside for a gift card is what it is worth while it is open, and nothing after that"
    GIFTS = "what a fan gave to a creator is the sum of their gifts, in every window"


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken law with the rows that break it, some of them if they are many."""

    law: Law
    what: str
    rows: tuple[str, ...]
