"""What a transfer is known by, and how its assets are written; the same in both databases."""

from typing import Final

import sqlalchemy as sa

from shoutgraph.domain import errors, ledger, money
from shoutgraph.storage import columns
from shoutgraph.storage.ledger.tables import TransferRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

BOOK_DIGITS: Final = 2
"""Digits that the books keep beyond a currency's minor unit."""

COIN_ASSETS: Final = frozenset({ledger.COIN, ledger.PROMO, ledger.CAP})

_LAST: Final = "ledger.last"
_TRANSFER = columns.table_of(TransferRow)
_FIND: Final = Statement[tuple[int, bytes]](
    lambda: sa.select(_TRANSFER.c.id, _TRANSFER.c.digest).where(
        _TRANSFER.c.kind == sa.bindparam("kind"), _TRANSFER.c.ref == sa.bindparam("ref")
    )
)


def number_of(tx: Tx, kind: str, ref: str) -> int | None:
    """The number of a posted transfer, which its events and lot moves name; free right after `post`."""
    last = tx.notes.get(_LAST)
    if isinstance(last, tuple) and last[:2] == (kind, ref):
        number: int = last[2]
        return number
    row = tx.one(_FIND, kind=kind, ref=ref)
    return row[0] if row else None


def remember(tx: Tx, transfer: ledger.Transfer, number: int) -> None:
    """Keeps the number of what was just posted for `number_of`."""
    tx.notes[_LAST] = (transfer.kind, transfer.ref, number)


def was_posted(tx: Tx, transfer: ledger.Transfer, digest: bytes) -> bool:
    """Whether the same transfer stands in the books.

    Raises:
        LedgerConflictError: `(kind, ref)` was posted before with other content.
    """
    row = tx.peek(_FIND, kind=transfer.kind, ref=transfer.ref)
    return row is not None and is_same(transfer, row[1], digest)


def is_same(transfer: ledger.Transfer, posted: bytes, digest: bytes) -> bool:
    """True, since a name stands for one content.

    Raises:
        LedgerConflictError: `(kind, ref)` was posted before with other content.
    """
    if posted != digest:
        raise errors.LedgerConflictError(transfer.kind, transfer.ref)
    return True


def scale(asset: str) -> int | None:
    """How many digits an asset of money is kept with; None for coins, whose assets are there from the start."""
    return None if asset in COIN_ASSETS else money.exponent(asset) + BOOK_DIGITS
