"""Reads the books: balances, lots, statements and posted transfers."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import entries, ids, ledger, pages
from shoutgraph.storage import columns
from shoutgraph.storage.ledger import arrays
from shoutgraph.storage.ledger.tables import AccountRow, EntryRow, LotMoveRow, LotRow, PostingRow, TransferRow
from shoutgraph.storage.statements import Hold, Statement
from shoutgraph.storage.tx import Tx

LOTS_MAX: Final = 10_000
"""The most lots that one reading returns, and so the most that one order can take from."""

_ACCOUNT = columns.table_of(AccountRow)
_TRANSFER = columns.table_of(TransferRow)
_POSTING = columns.table_of(PostingRow)
_ENTRY = columns.table_of(EntryRow)
_LOT = columns.table_of(LotRow)
_MOVE = columns.table_of(LotMoveRow)


def balance_coins(tx: Tx, account: str) -> int:
    """What an account holds (credits less debits); 0 for one that was never opened. Units: the account's asset."""
    row = tx.one(_BALANCE, code=account)
    return row[0] if row else 0


def balances(tx: Tx, accounts: Sequence[str]) -> dict[str, int]:
    """What each account holds, in the order given. Units: each account's asset."""
    found = dict(tx.all(_BALANCES, codes=accounts))
    return {account: found.get(account, 0) for account in accounts}


def list_of_balances(tx: Tx, *, limit: int) -> list[tuple[str, str, int]]:
    """Asset, code and balance of the accounts that hold something, by asset, the largest balances first."""
    return tx.all(_NONZERO, size=limit)


def find_transfer(tx: Tx, kind: str, ref: str) -> entries.PostedTransfer | None:
    """The transfer of this name, or None."""
    row = tx.one(_FIND_TRANSFER, kind=kind, ref=ref)
    return entries.PostedTransfer(*row) if row else None


def hold_wallets(tx: Tx, *accounts: str) -> None:
    """Holds wallets before it is looked at what they have, owe, and whether they are locked.

    What only reads holds nothing.
    """
    if tx.shared:
        arrays.hold(tx, accounts)


def list_of_spendable_lots(tx: Tx, *accounts: str) -> tuple[ledger.Lot, ...]:
    """The lots of these wallets with coins that have not expired: nearest expiry first, then oldest first.

    Coins of an expired lot stay in the balance until they are retired, so count spendable coins by these lots.
    A unit of work that writes holds these wallets from now on.
    """
    if tx.hold is Hold.NO:
        rows = tx.all(_SPENDABLE, accounts=accounts, now=tx.now)
    else:
        tx.finish()
        rows = tx.all(_TAKE, **_taking(tx, accounts))
    return tuple(ledger.Lot(*row) for row in rows)


def foresee_spendable_lots(tx: Tx, *accounts: str) -> None:
    """Asks ahead what `list_of_spendable_lots` will ask, and so holds these wallets."""
    if tx.hold is not Hold.NO:
        tx.finish()
        tx.foresee(_TAKE, **_taking(tx, accounts))


def _taking(tx: Tx, accounts: Sequence[str]) -> dict[str, object]:
    return {"accounts": accounts, "now": tx.now, "most": LOTS_MAX, "waiting": tx.hold is Hold.WAIT}


def list_of_expired_lots(tx: Tx, *, limit: int) -> tuple[ledger.Lot, ...]:
    """Lots whose coins have expired and are still in their wallet, the longest expired first.

    A unit of work that writes holds their wallets from now on.
    """
    size = min(limit, LOTS_MAX)
    found = tuple(ledger.Lot(*row) for row in tx.all(_EXPIRED, now=tx.now, size=size))
    if tx.shared and found:  # an order may have given back to one of them, or another worker retired it, meanwhile
        held = {lot.account for lot in found}
        arrays.hold(tx, sorted(held))
        again = (ledger.Lot(*row) for row in tx.all(_EXPIRED, now=tx.now, size=size))
        found = tuple(lot for lot in again if lot.account in held)
    return found


def list_of_lots_of_topup(tx: Tx, topup_id: ids.TopupId) -> tuple[ledger.Lot, ...]:
    """The lots that a top-up granted, paid and bonus."""
    return tuple(ledger.Lot(*row) for row in tx.all(_OF_TOPUP, topup_id=topup_id))


def find_lot(tx: Tx, lot_id: str) -> ledger.Lot | None:
    """The lot, or None."""
    row = tx.one(_FIND_LOT, lot_id=lot_id)
    return ledger.Lot(*row) if row else None


def list_of_held_lots(tx: Tx, order_id: ids.OrderId, *, account: str | None = None) -> tuple[ledger.LotMove, ...]:
    """What an order took from each lot and has not given back, as positive coins in the order taken.

    Args:
        account: only lots of this wallet.
    """
    rows = tx.all(_HELD, order_id=order_id)
    return tuple(ledger.LotMove(lot_id, coins, order_id) for lot_id, code, coins in rows if account in {None, code})


def list_of_entries(tx: Tx, account: str, page: pages.PageArgs) -> list[entries.Entry]:
    """A statement, newest first: one line more than the page, in reverse where the page goes backward.

    The key of a line is `(version,)`.
    """
    key = page.key[0] if page.key else None
    if key is None:
        key = 0 if page.backward else _VERSION_MAX
    statement = _ENTRIES_BEFORE if page.backward else _ENTRIES_AFTER
    return [entries.Entry(*row) for row in tx.all(statement, account=account, key=key, size=page.size + 1)]


_VERSION_MAX: Final = 2**63 - 1
_LOT_COLUMNS: Final = (
    _LOT.c.id,
    _ACCOUNT.c.code,
    _LOT.c.user_id,
    _LOT.c.topup_id,
    _LOT.c.granted,
    _LOT.c.remaining,
    _LOT.c.price_minor,
    _LOT.c.currency,
    _LOT.c.country,
    _LOT.c.granted_at,
    _LOT.c.expires_at,
)


def _lots() -> sa.Select[Any]:
    return sa.select(*_LOT_COLUMNS).join_from(_LOT, _ACCOUNT, _ACCOUNT.c.id == _LOT.c.account_id)


def _spendable() -> sa.ClauseElement:
    now = sa.bindparam("now", type_=columns.Micros)
    return (
        _lots()
        .where(
            columns.any_of(_ACCOUNT.c.code, "accounts"),
            _LOT.c.remaining > sa.literal_column("0"),
            _LOT.c.expires_at.is_(None) | (_LOT.c.expires_at > now),
        )
        .order_by(_LOT.c.expires_at.asc().nulls_last(), _LOT.c.granted_at, _LOT.c.id)
        .limit(LOTS_MAX)
    )


def _take() -> sa.ClauseElement:
    taken = sa.func.spendable_lots(
        sa.bindparam("accounts", type_=sa.ARRAY(sa.Text())),
        sa.bindparam("now", type_=columns.Micros),
        sa.bindparam("most", type_=columns.Integer),
        sa.bindparam("waiting", type_=sa.Boolean()),
    ).table_valued(*(sa.column(column.name, column.type) for column in _LOT_COLUMNS))
    return sa.select(*taken.c)


def _expired() -> sa.ClauseElement:
    now = sa.bindparam("now", type_=columns.Micros)
    full = _LOT.c.remaining > sa.literal_column("0")  # as the partial index has it, so that it is used
    return (
        _lots()
        .where(full, _LOT.c.expires_at.is_not(None), _LOT.c.expires_at <= now)
        .order_by(_LOT.c.expires_at, _LOT.c.id)
        .limit(sa.bindparam("size"))
    )


def _held() -> sa.ClauseElement:
    held = -sa.func.sum(_MOVE.c.coins)
    return (
        sa.select(_MOVE.c.lot_id, _ACCOUNT.c.code, held)
        .join_from(_MOVE, _LOT, _LOT.c.id == _MOVE.c.lot_id)
        .join(_ACCOUNT, _ACCOUNT.c.id == _LOT.c.account_id)
        .where(_MOVE.c.order_id == sa.bindparam("order_id"))
        .group_by(_MOVE.c.lot_id, _ACCOUNT.c.code)
        .having(held > 0)
        .order_by(sa.func.min(_MOVE.c.id))
        .limit(LOTS_MAX)
    )


def _entries(*, backward: bool) -> sa.ClauseElement:
    own, other = _ACCOUNT.alias("own"), _ACCOUNT.alias("other")
    came_in = _POSTING.c.credit_id == _ENTRY.c.account_id
    version, key = _ENTRY.c.version, sa.bindparam("key", type_=columns.Integer)
    return (
        sa.select(
            version,
            _TRANSFER.c.id,
            _TRANSFER.c.kind,
            _TRANSFER.c.ref,
            _POSTING.c.reason,
            sa.case((came_in, _POSTING.c.amount), else_=-_POSTING.c.amount),
            _ENTRY.c.credits - _ENTRY.c.debits,
            other.c.code,
            _TRANSFER.c.at,
        )
        .join_from(own, _ENTRY, _ENTRY.c.account_id == own.c.id)
        .join(_POSTING, _POSTING.c.id == _ENTRY.c.posting_id)
        .join(_TRANSFER, _TRANSFER.c.id == _POSTING.c.transfer_id)
        .join(other, other.c.id == sa.case((came_in, _POSTING.c.debit_id), else_=_POSTING.c.credit_id))
        .where(own.c.code == sa.bindparam("account"), version > key if backward else version < key)
        .order_by(version.asc() if backward else version.desc())
        .limit(sa.bindparam("size"))
    )


_BALANCE: Final = Statement[tuple[int]](
    lambda: sa.select(_ACCOUNT.c.credits - _ACCOUNT.c.debits).where(_ACCOUNT.c.code == sa.bindparam("code"))
)
_BALANCES: Final = Statement[tuple[str, int]](
    lambda: sa.select(_ACCOUNT.c.code, _ACCOUNT.c.credits - _ACCOUNT.c.debits).where(
        columns.any_of(_ACCOUNT.c.code, "codes")
    )
)
_FIND_TRANSFER: Final = Statement(
    lambda: sa.select(_TRANSFER).where(_TRANSFER.c.kind == sa.bindparam("kind"), _TRANSFER.c.ref == sa.bindparam("ref"))
)
_SPENDABLE: Final = Statement(_spendable)
_TAKE: Final = Statement(_take)
"""The same lots once their wallets are held, by a function of PostgreSQL: both in one statement."""
_EXPIRED: Final = Statement(_expired)
_OF_TOPUP: Final = Statement(
    lambda: (
        _lots()
        .where(_LOT.c.topup_id == sa.bindparam("topup_id"))
        .order_by(_LOT.c.granted_at, _LOT.c.id)
        .limit(LOTS_MAX)
    )
)
_FIND_LOT: Final = Statement(lambda: _lots().where(_LOT.c.id == sa.bindparam("lot_id")))
_HELD: Final = Statement[tuple[str, str, int]](_held)
_ENTRIES_AFTER: Final = Statement(lambda: _entries(backward=False))
_ENTRIES_BEFORE: Final = Statement(lambda: _entries(backward=True))


def _nonzero() -> sa.ClauseElement:
    balance = _ACCOUNT.c.credits - _ACCOUNT.c.debits
    return (
        sa.select(_ACCOUNT.c.asset, _ACCOUNT.c.code, balance)
        .where(_ACCOUNT.c.credits != _ACCOUNT.c.debits)
        .order_by(_ACCOUNT.c.asset, sa.func.abs(balance).desc(), _ACCOUNT.c.code)
        .limit(sa.bindparam("size"))
    )


_NONZERO: Final = Statement[tuple[str, str, int]](_nonzero)
