"""What a restore asks of the tables of money: whom to look at now, and what a lost payout may have been.

It runs while nobody else writes, so it reads and writes across rooms.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import accounts, ids
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.patience import DAY
from shoutgraph.domain.payouts import IN_FLIGHT
from shoutgraph.domain.topups.topup import Status
from shoutgraph.storage import columns
from shoutgraph.storage.batches import BatchRow
from shoutgraph.storage.ledger.tables import AccountRow
from shoutgraph.storage.payouts import PayoutRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.topups import TopupRow
from shoutgraph.storage.tx import Tx

CHUNK_MAX: Final = 5_000
"""The most rows that one statement changes."""
OPEN_TOPUPS: Final = (
    Status.CREATED,
    Status.PROCESSING,
    Status.ACTION_REQUIRED,
    Status.PENDING,
    Status.NEEDS_REVIEW,
    Status.DISPUTED,
)
OPEN_PAYOUTS: Final = tuple(sorted(IN_FLIGHT))

_TOPUP = columns.table_of(TopupRow)
_PAYOUT = columns.table_of(PayoutRow)
_BATCH = columns.table_of(BatchRow)
_ACCOUNT = columns.table_of(AccountRow)
_PREFIX, _SUFFIX = accounts.available(ids.CreatorId("?")).code.split("?")


def look_now(tx: Tx, *, since: datetime, limit: int = CHUNK_MAX) -> int:
    """Makes looks due at money that is open, or was begun since a time; gives how many. Repeat until it is none."""
    given = {"now": tx.now, "since": since, "size": limit}
    count = tx.run(_TOPUPS_NOW, states=OPEN_TOPUPS, **given)
    return count + tx.run(_PAYOUTS_NOW, states=OPEN_PAYOUTS, **given)


def look_soon(tx: Tx, *, limit: int = CHUNK_MAX) -> int:
    """Brings all other looks forward to within a day; gives how many. Repeat until it is none."""
    given = {"soon": tx.now + DAY, "size": limit}
    return tx.run(_TOPUPS_SOON, **given) + tx.run(_PAYOUTS_SOON, **given)


def find_batch(tx: Tx, *, instance: str, key: str) -> Batch | None:
    """The batch that was sent under this key, or None."""
    row = tx.one(_FIND_BATCH, instance_=instance, key_=key)
    return None if row is None else Batch(*row)


def each_creator(tx: Tx) -> Iterator[tuple[ids.CreatorId, str, int]]:
    """Every creator who has earned, the account of their available earnings, and its version."""
    for code, version in tx.each(_CREATORS):
        yield ids.CreatorId(code.removeprefix(_PREFIX).removesuffix(_SUFFIX)), code, version


def _now(table: sa.Table, state: str, begun: sa.ColumnElement[datetime]) -> sa.ClauseElement:
    now, since = (sa.bindparam(name, type_=columns.Micros) for name in ("now", "since"))
    wanted = columns.any_of(table.c[state], "states") | (begun >= since)
    later = (table.c.look_at > now) | table.c.leased_until.is_not(None)
    return _some(table, wanted, later).values(look_at=now, leased_until=sa.null())


def _soon(table: sa.Table) -> sa.ClauseElement:
    soon = sa.bindparam("soon", type_=columns.Micros)
    return _some(table, table.c.look_at > soon).values(look_at=soon)


def _some(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.Update:
    """Some of the rows that are to be looked at at all: a statement takes a bounded time."""
    ids_ = sa.select(table.c.id).where(table.c.look_at.is_not(None), *conditions)
    return sa.update(table).where(table.c.id.in_(ids_.limit(sa.bindparam("size", type_=columns.Integer))))


def _creators() -> sa.ClauseElement:
    code = _ACCOUNT.c.code
    return sa.select(code, _ACCOUNT.c.version).where(code.startswith(_PREFIX), code.endswith(_SUFFIX)).order_by(code)


_TOPUPS_NOW: Final = Statement[Any](lambda: _now(_TOPUP, "status", _TOPUP.c.created_at))
_TOPUPS_SOON: Final = Statement[Any](lambda: _soon(_TOPUP))
_PAYOUTS_NOW: Final = Statement[Any](lambda: _now(_PAYOUT, "state", _PAYOUT.c.submitted_at))
_PAYOUTS_SOON: Final = Statement[Any](lambda: _soon(_PAYOUT))
_FIND_BATCH: Final = Statement[Any](
    lambda: (
        sa.select(_BATCH)
        .where(_BATCH.c.instance == sa.bindparam("instance_"), _BATCH.c.key == sa.bindparam("key_"))
        .order_by(_BATCH.c.id)
        .limit(1)
    )
)
_CREATORS: Final = Statement[tuple[str, int]](_creators)
