"""Posts through the database's own function, for PostgreSQL: what a command posts goes in one call, as arrays.

The function is the only way in: the application may not write the tables of the books itself. Accounts are locked there
once, in the order of their ids. Source: docs/adr/0014-postgresql.md.
"""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import clock, ledger
from shoutgraph.storage.ledger import names
from shoutgraph.storage.statements import Hold, Statement
from shoutgraph.storage.tx import Tx

NUMBERS_TAKEN: Final = 64
"""Numbers that are taken from the sequence at a time; those of a command that fails are never used."""
BOOKS: Final = frozenset({"account", "asset", "entry", "lot", "lot_move", "posting", "transfer"})
"""The tables that show what was posted, so that reading them posts first."""

_PENDING: Final = "ledger.pending"
_NUMBERS: Final = "ledger.numbers"


def post(tx: Tx, transfer: ledger.Transfer, *, first: bool = False) -> bool:
    """Has a transfer posted before the command ends, or before the books are read.

    Args:
        first: whether nothing can have this name yet, so that it is not looked for.

    Raises:
        LedgerConflictError: `(kind, ref)` was posted before with other content.
    """
    digest, name = transfer.digest(), (transfer.kind, transfer.ref)
    pending = tx.notes.get(_PENDING, {})
    assert isinstance(pending, dict), "the notes of this room are its own"
    if name in pending:
        return not names.is_same(transfer, pending[name][-1], digest)
    if not first and names.was_posted(tx, transfer, digest):
        return False
    number = _next_number(tx)
    names.remember(tx, transfer, number)
    tx.notes[_PENDING] = pending
    pending[name] = (number, transfer, digest)
    if len(pending) == 1:
        tx.at_end(_post_pending, of=BOOKS)
    return True


def hold(tx: Tx, accounts: Sequence[str]) -> None:
    """Holds wallets whose lots are about to be taken from; what only reads holds nothing."""
    if tx.hold is not Hold.NO:
        tx.one(_HOLD, accounts=accounts, waiting=tx.hold is Hold.WAIT)


def close(tx: Tx, account: str) -> bool:
    """Closes an account for ever; says whether it was open."""
    tx.finish()
    return tx.one(_CLOSE, named=account) == (True,)


def extend_lot(tx: Tx, lot_id: str, until: int) -> bool:
    """Lets a lot expire later; says whether it is one that expires."""
    tx.finish()
    return tx.one(_EXTEND_LOT, named=lot_id, until=until) == (True,)


def _next_number(tx: Tx) -> int:
    numbers = tx.lasting.setdefault(_NUMBERS, [])
    assert isinstance(numbers, list), "what this room keeps is its own"
    if not numbers:
        numbers += [row[0] for row in tx.all(_TAKE_NUMBERS, many=NUMBERS_TAKEN)]
    number: int = numbers.pop(0)
    return number


def _post_pending(tx: Tx) -> None:
    pending: Any = tx.notes.pop(_PENDING)
    tx.put(_POST, waiting=tx.hold is Hold.WAIT, **_arrays(tx, list(pending.values())))


def _arrays(tx: Tx, pending: Sequence[tuple[int, ledger.Transfer, bytes]]) -> dict[str, list[Any]]:
    legs = [(number, posting) for number, transfer, _ in pending for posting in transfer.postings]
    lots = [lot for _, transfer, _ in pending for lot in transfer.lot_grants]
    moves = [(number, move) for number, transfer, _ in pending for move in _moves(transfer)]
    named = {account.code: account for _, posting in legs for account in (posting.debit, posting.credit)}
    accounts = list(named.values())
    at = clock.to_micros(tx.now)
    return {
        "transfers": [number for number, _, _ in pending],
        "kinds": [transfer.kind for _, transfer, _ in pending],
        "refs": [transfer.ref for _, transfer, _ in pending],
        "digests": [digest for _, _, digest in pending],
        "ats": [at] * len(pending),
        "codes": [account.code for account in accounts],
        "assets": [account.asset for account in accounts],
        "scales": [names.scale(account.asset) for account in accounts],
        "floors": [int(account.floor) for account in accounts],
        "escrows": [account.order_id for account in accounts],
        "wallets": [int(account.wallet) for account in accounts],
        "leg_transfers": [number for number, _ in legs],
        "debit_codes": [posting.debit.code for _, posting in legs],
        "credit_codes": [posting.credit.code for _, posting in legs],
        "leg_assets": [posting.debit.asset for _, posting in legs],
        "amounts": [posting.amount for _, posting in legs],
        "reasons": [posting.reason for _, posting in legs],
        "lot_ids": [lot.id for lot in lots],
        "lot_accounts": [lot.account for lot in lots],
        "lot_users": [lot.user_id for lot in lots],
        "lot_topups": [lot.topup_id for lot in lots],
        "lot_granted": [lot.granted for lot in lots],
        "lot_prices": [lot.price_minor for lot in lots],
        "lot_currencies": [lot.currency for lot in lots],
        "lot_countries": [lot.country for lot in lots],
        "lot_granted_at": [clock.to_micros(lot.granted_at) for lot in lots],
        "lot_expires_at": [None if lot.expires_at is None else clock.to_micros(lot.expires_at) for lot in lots],
        "move_lots": [move.lot_id for _, move in moves],
        "move_transfers": [number for number, _ in moves],
        "move_orders": [move.order_id for _, move in moves],
        "move_coins": [move.coins for _, move in moves],
    }


def _moves(transfer: ledger.Transfer) -> list[ledger.LotMove]:
    """The moves that fill the lots it grants, and then its own."""
    for lot in transfer.lot_grants:
        assert lot.remaining == lot.granted, "a lot is granted whole"
    return [*(ledger.LotMove(lot.id, lot.granted) for lot in transfer.lot_grants), *transfer.lot_moves]


_TEXTS: Final = sa.ARRAY(sa.Text())
_NUMBERS_TYPE: Final = sa.ARRAY(sa.BigInteger())
_PARAMS: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    "waiting": sa.Boolean(),
    "transfers": _NUMBERS_TYPE,
    "kinds": _TEXTS,
    "refs": _TEXTS,
    "digests": sa.ARRAY(sa.LargeBinary()),
    "ats": _NUMBERS_TYPE,
    "codes": _TEXTS,
    "assets": _TEXTS,
    "scales": _NUMBERS_TYPE,
    "floors": _NUMBERS_TYPE,
    "escrows": _TEXTS,
    "wallets": _NUMBERS_TYPE,
    "leg_transfers": _NUMBERS_TYPE,
    "debit_codes": _TEXTS,
    "credit_codes": _TEXTS,
    "leg_assets": _TEXTS,
    "amounts": _NUMBERS_TYPE,
    "reasons": _TEXTS,
    "lot_ids": _TEXTS,
    "lot_accounts": _TEXTS,
    "lot_users": _TEXTS,
    "lot_topups": _TEXTS,
    "lot_granted": _NUMBERS_TYPE,
    "lot_prices": _NUMBERS_TYPE,
    "lot_currencies": _TEXTS,
    "lot_countries": _TEXTS,
    "lot_granted_at": _NUMBERS_TYPE,
    "lot_expires_at": _NUMBERS_TYPE,
    "move_lots": _TEXTS,
    "move_transfers": _NUMBERS_TYPE,
    "move_orders": _TEXTS,
    "move_coins": _NUMBERS_TYPE,
}
"""The parameters of the function `post`, in its order."""


def _call(name: str, **params: sa.types.TypeEngine[Any]) -> sa.Select[Any]:
    arguments = [sa.bindparam(param, type_=kind) for param, kind in params.items()]
    return sa.select(sa.Function(name, *arguments))


_POST: Final = Statement(lambda: _call("post", **_PARAMS))
_HOLD: Final = Statement(lambda: _call("hold_lots", accounts=_TEXTS, waiting=sa.Boolean()))
_CLOSE: Final = Statement[tuple[bool]](lambda: _call("close_account", named=sa.Text()))
_EXTEND_LOT: Final = Statement[tuple[bool]](lambda: _call("extend_lot", named=sa.Text(), until=sa.BigInteger()))
_TAKE_NUMBERS: Final = Statement[tuple[int]](lambda: _call("transfer_numbers", many=sa.Integer()))
