"""What the tables say of providers: what is open with each, what nobody could settle, and when each last spoke."""

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain.payouts import IN_FLIGHT, PayoutState
from shoutgraph.domain.topups.topup import Status, Submission
from shoutgraph.storage import columns
from shoutgraph.storage.notices import NoticeRow
from shoutgraph.storage.payouts import PayoutRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.topups import TopupRow
from shoutgraph.storage.tx import Tx

_TOPUP: Final = columns.table_of(TopupRow)
_PAYOUT: Final = columns.table_of(PayoutRow)
_NOTICE: Final = columns.table_of(NoticeRow)
_OPEN_TOPUPS: Final = (Status.CREATED, Status.PROCESSING, Status.ACTION_REQUIRED, Status.PENDING)
_OPEN_PAYOUTS: Final = tuple(sorted(IN_FLIGHT | {PayoutState.APPROVED}))


def open_counts(tx: Tx) -> dict[str, int]:
    """How many top-ups and payouts are open with each instance."""
    return _summed(tx, (_OPEN_OF_TOPUPS, {"states": _OPEN_TOPUPS}), (_OPEN_OF_PAYOUTS, {"states": _OPEN_PAYOUTS}))


def unresolved_counts(tx: Tx) -> dict[str, int]:
    """How many top-ups and payouts of each instance are unknown, or wait for a person."""
    return _summed(tx, (_UNRESOLVED_TOPUPS, {}), (_UNRESOLVED_PAYOUTS, {}))


def find_last_webhook(tx: Tx, instance: str) -> datetime | None:
    """When the last webhook of an instance was kept; None where none is."""
    row = tx.one(_LAST, instance=instance)
    return None if row is None else row[0]


def _summed(tx: Tx, *queries: tuple[Statement[Any], dict[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for query, params in queries:
        for instance, count in tx.all(query, **params):
            found[instance] = found.get(instance, 0) + count
    return found


def _counted(table: sa.Table, condition: sa.ColumnElement[bool]) -> sa.ClauseElement:
    return sa.select(table.c.instance, sa.func.count()).where(condition).group_by(table.c.instance)


def _word(word: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{word}'")


_OPEN_OF_TOPUPS: Final = Statement[Any](lambda: _counted(_TOPUP, columns.any_of(_TOPUP.c.status, "states")))
_OPEN_OF_PAYOUTS: Final = Statement[Any](lambda: _counted(_PAYOUT, columns.any_of(_PAYOUT.c.state, "states")))
_UNRESOLVED_TOPUPS: Final = Statement[Any](
    lambda: _counted(_TOPUP, _TOPUP.c.review.is_not(None) | (_TOPUP.c.submission == _word(Submission.UNKNOWN)))
)
_UNRESOLVED_PAYOUTS: Final = Statement[Any](
    lambda: _counted(_PAYOUT, _PAYOUT.c.review.is_not(None) | (_PAYOUT.c.state == _word(PayoutState.UNKNOWN)))
)
_LAST: Final = Statement[tuple[datetime]](
    lambda: (
        sa.select(_NOTICE.c.received_at)
        .where(_NOTICE.c.instance == sa.bindparam("instance"))
        .order_by(_NOTICE.c.received_at.desc())
        .limit(1)
    )
)
