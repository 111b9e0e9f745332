"""The way into the books, whichever database keeps them."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from shoutgraph.domain import clock, errors, ledger
from shoutgraph.storage import columns
from shoutgraph.storage.ledger import arrays, rows
from shoutgraph.storage.ledger.tables import AccountRow, LotRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_ACCOUNT = columns.table_of(AccountRow)
_LOT = columns.table_of(LotRow)


def post(tx: Tx, transfer: ledger.Transfer, *, first: bool = False) -> bool:
    """Posts a transfer once: opens missing accounts, moves balances, grants lots and moves them.

    Gives False and changes nothing if the same transfer was posted before.

    Args:
        first: whether nothing can have this name yet, since its subject is only now made. Where it has, nothing is
            posted and the command fails.

    Raises:
        LedgerConflictError: `(kind, ref)` was posted before with other content.
        InvariantError: an account is stored with another asset, floor or tie than the posting names.
    """
    return arrays.post(tx, transfer, first=first) if tx.shared else rows.post(tx, transfer)


def close(tx: Tx, account: str) -> None:
    """Closes an account for ever; the database refuses unless its balance is zero.

    Raises:
        InvariantError: there is no such account.
    """
    shut = arrays.close(tx, account) if tx.shared else tx.run(_CLOSE, account=account) == 1
    if not shut:
        raise errors.InvariantError(f"there is no open account {account} to close")


def extend_lot(tx: Tx, lot_id: str, expires_at: datetime) -> None:
    """Lets a lot expire later; the database refuses an earlier time.

    Raises:
        InvariantError: there is no such lot that expires.
    """
    if tx.shared:
        kept = arrays.extend_lot(tx, lot_id, clock.to_micros(expires_at))
    else:
        kept = tx.run(_EXTEND_LOT, lot_id=lot_id, until=expires_at) == 1
    if not kept:
        raise errors.InvariantError(f"there is no lot {lot_id} that expires")


_CLOSE: Final = Statement(
    lambda: (
        sa.update(_ACCOUNT)
        .values(closed=True)
        .where(
            _ACCOUNT.c.code == sa.bindparam("account"),
            _ACCOUNT.c.closed == sa.literal(value=False, type_=columns.Truth),
        )
    )
)
_EXTEND_LOT: Final = Statement(
    lambda: (
        sa.update(_LOT)
        .values(expires_at=sa.bindparam("until"))
        .where(_LOT.c.id == sa.bindparam("lot_id"), _LOT.c.expires_at.is_not(None))
    )
)
