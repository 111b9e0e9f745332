"""What the ledger tells back: posted transfers and the lines of an account's statement."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PostedTransfer:
    """A transfer as it stands in the books, for ever. `number` is what events and lot moves name."""

    number: int
    kind: str
    ref: str
    digest: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an account's statement. Units: the account's asset; `amount` is positive for what came in.

    `version` counts the account's entries from 1 without a gap and is the statement's cursor.
    """

    version: int
    transfer_number: int
    kind: str
    ref: str
    reason: str
    amount: int
    balance: int
    counter_account: str
    at: datetime
