"""Deliveries of webhooks and their attempts: what was sent to whom and what came back, for as long as it is kept."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import pages
from shoutgraph.domain.endpoints import EXCERPT_CHARS_MAX, Attempt, Delivery, DeliveryState, Outcome
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

SHOWN_MAX: Final = 20
"""The newest attempts of a delivery that are told of."""
PRUNED_MAX: Final = 500


class DeliveryRow(SQLModel, table=True):
    """An event and an endpoint."""

    __tablename__: ClassVar[str] = "webhook_delivery"
    __table_args__ = (
        sa.CheckConstraint("attempts > 0", name="webhook_delivery_attempts"),
        columns.one_of("state", DeliveryState),
        sa.UniqueConstraint("endpoint_id", "event_id", name="webhook_delivery_once"),
        sa.Index("webhook_delivery_endpoint", "endpoint_id", "id"),
        sa.Index("webhook_delivery_state", "state", "id"),
        sa.Index("webhook_delivery_changed", "changed_at"),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_type=Text, primary_key=True)
    endpoint_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("webhook_endpoint.id"), nullable=False))
    event_id: str = Field(sa_type=Text)
    event_type: str = Field(sa_type=Text)
    seq: int | None = Field(sa_column=sa.Column(Integer, sa.ForeignKey("event.seq"), nullable=True))
    state: DeliveryState = Field(sa_type=Words(DeliveryState))
    attempts: int = Field(sa_type=Integer)
    created_at: datetime = Field(sa_type=Micros)
    changed_at: datetime = Field(sa_type=Micros)


class AttemptRow(SQLModel, table=True):
    """One sending."""

    __tablename__: ClassVar[str] = "webhook_attempt"
    __table_args__ = (
        sa.CheckConstraint("number > 0 AND duration_ms >= 0", name="webhook_attempt_counts"),
        sa.CheckConstraint(f"length(excerpt) <= {EXCERPT_CHARS_MAX}", name="webhook_attempt_excerpt"),
        columns.one_of("outcome", Outcome),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    delivery_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("webhook_delivery.id"), primary_key=True))
    number: int = Field(sa_type=Integer, primary_key=True)
    outcome: Outcome = Field(sa_type=Words(Outcome))
    status: int | None = Field(sa_type=Integer)
    duration_ms: int = Field(sa_type=Integer)
    excerpt: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Micros)


_T: Final = columns.table_of(DeliveryRow)
_A: Final = columns.table_of(AttemptRow)
_LAST: Final = "delivery_~"
"""After every id."""


def record(tx: Tx, first: Delivery, attempt: Attempt) -> Delivery:
    """Keeps an attempt, and with it the delivery if it is the first; gives the delivery as it is now.

    Args:
        first: the delivery if there is none of this event and endpoint yet.
        attempt: numbered as the delivery says.
    """
    given = {"event_id": first.event_id, "state": first.state, "changed_at": first.changed_at}
    row = tx.one(_AGAIN, endpoint=first.endpoint_id, **given)
    if row is None:
        tx.run(_INSERT, **{c.name: getattr(first, c.name) for c in _T.c})
    delivery = first if row is None else Delivery(*row)
    values = {c.name: getattr(attempt, c.name) for c in _A.c}
    tx.run(_INSERT_ATTEMPT, **values | {"delivery_id": delivery.id, "number": delivery.attempts})
    return delivery


def list_of(tx: Tx, delivery_ids: Sequence[str]) -> list[Delivery | None]:
    """Deliveries by id in the order asked, None where there is none."""
    found = {row[0]: Delivery(*row) for row in tx.all(_LIST, ids=list(delivery_ids))}
    return [found.get(each) for each in delivery_ids]


def attempts_of(tx: Tx, delivery_ids: Sequence[str]) -> dict[str, tuple[Attempt, ...]]:
    """The newest attempts of deliveries by their ids, the newest first."""
    found: dict[str, tuple[Attempt, ...]] = {}
    for row in tx.all(_ATTEMPTS, ids=list(delivery_ids)):
        found[row[0]] = (*found.get(row[0], ()), Attempt(*row))
    return found


def list_of_page(
    tx: Tx, args: pages.PageArgs, *, endpoint_id: str | None, state: DeliveryState | None
) -> list[Delivery]:
    """Up to one delivery more than the page holds, the newest first. The key is `(id,)`."""
    given = {"endpoint_id": endpoint_id, "state": state}
    params = {name: value for name, value in given.items() if value is not None}
    key = args.key[0] if args.key else ("" if args.backward else _LAST)
    rows = tx.all(_page(frozenset(params), backward=args.backward), size=args.size + 1, key=key, **params)
    return [Delivery(*row) for row in rows]


def find_oldest(tx: Tx) -> datetime | None:
    """When the delivery that rests longest was last tried."""
    row = tx.one(_OLDEST)
    return None if row is None else row[0]


def prune(tx: Tx, *, before: datetime) -> int:
    """Forgets some deliveries that were last tried before a time; says how many."""
    old = [row[0] for row in tx.all(_OLD, before=before)]
    if old:
        tx.run(_FORGET_ATTEMPTS, ids=old)
        tx.run(_FORGET, ids=old)
    return len(old)


@cache
def _page(filters: frozenset[str], *, backward: bool) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        key = sa.bindparam("key", type_=Text)
        query = sa.select(*_T.c).where(_T.c.id > key if backward else _T.c.id < key).limit(sa.bindparam("size"))
        query = query.where(*(_T.c[name] == sa.bindparam(name) for name in sorted(filters)))
        return query.order_by(_T.c.id.asc() if backward else _T.c.id.desc())

    return Statement(build)


_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_INSERT_ATTEMPT: Final = Statement[Any](lambda: sa.insert(_A).values({c.name: sa.bindparam(c.name) for c in _A.c}))
_AGAIN: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.endpoint_id == sa.bindparam("endpoint"), _T.c.event_id == sa.bindparam("event_id"))
        .values(
            attempts=_T.c.attempts + sa.literal_column("1"),
            state=sa.bindparam("state"),
            changed_at=sa.bindparam("changed_at"),
        )
        .returning(*_T.c)
    )
)
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.id, "ids")))
_ATTEMPTS: Final = Statement[Any](
    lambda: (
        sa.select(*_A.c)
        .join_from(_A, _T, _T.c.id == _A.c.delivery_id)
        .where(columns.any_of(_T.c.id, "ids"), _A.c.number > _T.c.attempts - sa.literal_column(str(SHOWN_MAX)))
        .order_by(_A.c.delivery_id, _A.c.number.desc())
    )
)
_OLDEST: Final = Statement[tuple[datetime]](lambda: sa.select(_T.c.changed_at).order_by(_T.c.changed_at).limit(1))
_OLD: Final = Statement[tuple[str]](
    lambda: (
        sa.select(_T.c.id).where(_T.c.changed_at < sa.bindparam("before")).order_by(_T.c.changed_at).limit(PRUNED_MAX)
    )
)
_FORGET_ATTEMPTS: Final = Statement[Any](lambda: sa.delete(_A).where(columns.any_of(_A.c.delivery_id, "ids")))
_FORGET: Final = Statement[Any](lambda: sa.delete(_T).where(columns.any_of(_T.c.id, "ids")))
