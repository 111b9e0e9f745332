"""What the fee stripes hold: fees that can still be refunded, and fees that nobody can ask back, which are revenue.

A fee can be refunded as long as its earning is pending. What such orders and gifts put into a stripe, less what was
refunded of it, stays there; the rest is free to sweep. Both are read from postings, in one statement, so that it is of
one moment. Units: coins.
"""

from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import accounts, ledger
from shoutgraph.domain.earnings import EarningKind, EarningState
from shoutgraph.storage import columns
from shoutgraph.storage.earnings import EarningRow
from shoutgraph.storage.ledger.tables import AccountRow, EntryRow, PostingRow, TransferRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_ACCOUNT: Final = columns.table_of(AccountRow)
_EARNING: Final = columns.table_of(EarningRow)
_ENTRY: Final = columns.table_of(EntryRow)
_POSTING: Final = columns.table_of(PostingRow)
_TRANSFER: Final = columns.table_of(TransferRow)
_STRIPES: Final = {accounts.fee_stripe(number).code: number for number in range(ledger.FEE_STRIPES)}
_SOURCES: Final = {EarningKind.ORDER: "order.closed", EarningKind.GIFT: "gift"}
"""What a fee comes with, by what was earned; a compensation has none."""


def free_coins(tx: Tx) -> dict[int, int]:
    """The coins of each stripe that no refund can ask for any more."""
    return {_STRIPES[code]: coins for code, coins in tx.all(_FREE)}


def swept_on(tx: Tx, day: str) -> frozenset[int]:
    """The stripes that were swept that day."""
    refs = {ref(stripe, day): stripe for stripe in _STRIPES.values()}
    return frozenset(refs[found] for (found,) in tx.all(_SWEPT, refs=list(refs)))


def ref(stripe: int, day: str) -> str:
    """How the sweep of a stripe is named: once a day."""
    return f"{stripe}:{day}"


def wrong_stripes() -> sa.Select[Any]:
    """Stripes that hold less than what can still be refunded of them."""
    needed = _needed()
    return (
        sa.select(_ACCOUNT.c.code, _BALANCE, needed.c.coins)
        .join_from(needed, _ACCOUNT, _ACCOUNT.c.id == needed.c.of)
        .where(needed.c.coins > _BALANCE)
    )


def _word(text: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{text}'")


def _is_stripe(account: sa.FromClause) -> sa.ColumnElement[bool]:
    return account.c.code.in_([_word(code) for code in _STRIPES])


def _taken() -> sa.Select[Any]:
    """What orders and gifts whose earning is pending put into the stripes."""
    of_source = sa.or_(
        *((_EARNING.c.kind == _word(kind)) & (_TRANSFER.c.kind == _word(source)) for kind, source in _SOURCES.items())
    )
    return (
        sa.select(_POSTING.c.credit_id.label("of"), _POSTING.c.amount.label("coins"))
        .join_from(_EARNING, _TRANSFER, of_source & (_TRANSFER.c.ref == _EARNING.c.subject_id))
        .join(_POSTING, _POSTING.c.transfer_id == _TRANSFER.c.id)
        .join(_ACCOUNT, (_ACCOUNT.c.id == _POSTING.c.credit_id) & _is_stripe(_ACCOUNT))
        .where(_EARNING.c.state == _word(EarningState.PENDING))
    )


def _refunded() -> sa.Select[Any]:
    """What refunds of such orders took out again: each goes through the order's cap, which leads to its transfer."""
    cap, at_cap, back = _ACCOUNT.alias("cap"), _POSTING.alias("at_cap"), _POSTING.alias("back")
    return (
        sa.select(back.c.debit_id, -back.c.amount)
        .join_from(_EARNING, cap, cap.c.code == _word("cap:") + _EARNING.c.subject_id)
        .join(_ENTRY, _ENTRY.c.account_id == cap.c.id)
        .join(at_cap, (at_cap.c.id == _ENTRY.c.posting_id) & (at_cap.c.debit_id == cap.c.id))
        .join(back, back.c.transfer_id == at_cap.c.transfer_id)
        .join(_ACCOUNT, (_ACCOUNT.c.id == back.c.debit_id) & _is_stripe(_ACCOUNT))
        .where(
            _EARNING.c.state == _word(EarningState.PENDING),
            _EARNING.c.kind == _word(EarningKind.ORDER),
        )
    )


def _needed() -> sa.Subquery:
    moved = sa.union_all(_taken(), _refunded()).subquery()
    total = sa.cast(sa.func.sum(moved.c.coins), columns.Integer)
    return sa.select(moved.c.of, total.label("coins")).group_by(moved.c.of).subquery()


def _free() -> sa.ClauseElement:
    needed = _needed()
    free = _BALANCE - sa.func.coalesce(needed.c.coins, sa.literal_column("0"))
    return (
        sa.select(_ACCOUNT.c.code, free)
        .join_from(_ACCOUNT, needed, needed.c.of == _ACCOUNT.c.id, isouter=True)
        .where(_is_stripe(_ACCOUNT))
        .order_by(_ACCOUNT.c.code)
    )


_BALANCE: Final = _ACCOUNT.c.credits - _ACCOUNT.c.debits
_FREE: Final = Statement[tuple[str, int]](_free)
_SWEPT: Final = Statement[tuple[str]](
    lambda: sa.select(_TRANSFER.c.ref).where(
        _TRANSFER.c.kind == _word("fee.swept"), columns.any_of(_TRANSFER.c.ref, "refs")
    )
)
