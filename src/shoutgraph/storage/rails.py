"""What batches and statements ask of payouts: whom a bank means, when its answer is overdue, and how a batch stands."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain.batches import Batch
from shoutgraph.domain.payouts import Payout, PayoutState
from shoutgraph.storage import columns
from shoutgraph.storage.payouts import PayoutRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_T: Final = columns.table_of(PayoutRow)
_NAMES: Final = tuple(field.name for field in fields(Payout))


def find_by_ref(tx: Tx, *, instance: str, ref: str) -> Payout | None:
    """The one payout of this instance that its provider calls so, or None.

    A bank carries fewer characters than our name has. A unit of work that writes holds it from now on.
    """
    rows = tx.all(_FIND_BY_REF, instance=instance, ref=ref)
    return Payout(*rows[0]) if len(rows) == 1 else None


def await_bank(tx: Tx, batch: Batch) -> None:
    """Has those payouts of a batch looked at whose answer did not come, once it is due."""
    tx.put(_AWAIT_BANK, batch_id=batch.id, due=batch.answer_due_at)


def states_of_batches(tx: Tx, batch_ids: Sequence[str]) -> dict[str, list[tuple[PayoutState, str, int, int]]]:
    """For each batch, how many payouts are in which state and currency, and their sum. Units: minor units."""
    found: dict[str, list[tuple[PayoutState, str, int, int]]] = {batch_id: [] for batch_id in batch_ids}
    for batch_id, *row in tx.all(_STATES_OF_BATCHES, ids=list(batch_ids)):
        found[batch_id].append((row[0], row[1], row[2], row[3]))
    return found


_FIND_BY_REF: Final = Statement[Any](
    lambda: (
        sa.select(*(_T.c[name] for name in _NAMES))
        .where(_T.c.instance == sa.bindparam("instance"), _T.c.ref == sa.bindparam("ref"))
        .order_by(_T.c.id)
        .limit(2)
    ),
    holds=_T,
)
_AWAIT_BANK: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(
            _T.c.batch_id == sa.bindparam("batch_id"), _T.c.state == sa.literal_column(f"'{PayoutState.SUBMITTING}'")
        )
        .values(look_at=sa.bindparam("due"))
    )
)
_STATES_OF_BATCHES: Final = Statement[Any](
    lambda: (
        sa.select(_T.c.batch_id, _T.c.state, _T.c.currency, sa.func.count(), sa.func.sum(_T.c.amount_minor))
        .where(columns.any_of(_T.c.batch_id, "ids"))
        .group_by(_T.c.batch_id, _T.c.state, _T.c.currency)
        .order_by(_T.c.batch_id, _T.c.state, _T.c.currency)
    )
)
