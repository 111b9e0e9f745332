"""Which money waits for people: the ids of top-ups, payouts and refunds that no machine can settle.

The conditions are those of partial indexes, so that the rest of the tables is not read. What people closed and has not
moved since is left out here, so that it takes no place of what waits.
"""

from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain.payouts import PayoutState
from shoutgraph.domain.resolutions import SubjectKind
from shoutgraph.domain.topups.refund import RefundState
from shoutgraph.domain.topups.topup import Submission
from shoutgraph.storage import columns, resolutions
from shoutgraph.storage.payouts import PayoutRow
from shoutgraph.storage.refunds import RefundRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.topups import TopupRow
from shoutgraph.storage.tx import Tx

EACH_MAX: Final = 1_000
"""The most of each kind that one reading gives, the oldest first."""

_TOPUP = columns.table_of(TopupRow)
_PAYOUT = columns.table_of(PayoutRow)
_REFUND = columns.table_of(RefundRow)


def list_of_topups(tx: Tx) -> list[str]:
    """Top-ups of which nobody knows what became, or whose money does not agree."""
    return [row[0] for row in tx.all(_TOPUPS, size=EACH_MAX)]


def list_of_payouts(tx: Tx) -> list[str]:
    """Payouts of which nobody knows what became, or that finance must look at."""
    return [row[0] for row in tx.all(_PAYOUTS, size=EACH_MAX)]


def list_of_refunds(tx: Tx) -> list[str]:
    """Refunds of which nobody knows what became, or that a provider works on for too long."""
    return [row[0] for row in tx.all(_REFUNDS, size=EACH_MAX)]


def _word(word: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{word}'")


_TOPUPS: Final = Statement[tuple[str]](
    lambda: (
        sa.select(_TOPUP.c.id)
        .where(_TOPUP.c.review.is_not(None) | (_TOPUP.c.submission == _word(Submission.UNKNOWN)))
        .where(~resolutions.is_closed(SubjectKind.TOPUP, _TOPUP))
        .order_by(_TOPUP.c.id)
        .limit(sa.bindparam("size"))
    )
)
_PAYOUTS: Final = Statement[tuple[str]](
    lambda: (
        sa.select(_PAYOUT.c.id)
        .where(_PAYOUT.c.review.is_not(None) | (_PAYOUT.c.state == _word(PayoutState.UNKNOWN)))
        .where(~resolutions.is_closed(SubjectKind.PAYOUT, _PAYOUT))
        .order_by(_PAYOUT.c.id)
        .limit(sa.bindparam("size"))
    )
)
_REFUNDS: Final = Statement[tuple[str]](
    lambda: (
        sa.select(_REFUND.c.id)
        .where(
            _REFUND.c.state.in_((_word(RefundState.UNKNOWN), _word(RefundState.PENDING))),
            (_REFUND.c.state == _word(RefundState.UNKNOWN)) | (_REFUND.c.needs_review == columns.YES),
        )
        .order_by(_REFUND.c.id)
        .limit(sa.bindparam("size"))
    )
)
