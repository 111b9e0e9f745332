"""Samples: which finished videos show on profiles, and in which order.

The database shows only what is completed, passed review and agreed to by the fan: a brief that no longer agrees goes
after its sample.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors
from shoutgraph.domain.orders.order import NOTE_CHARS_MAX, REASON_CHARS_MAX
from shoutgraph.domain.samples import Sample, SampleState
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

READ_MAX: Final = 100
"""Samples of one creator that are read, whatever a policy allows."""
_SHOWN: Final = "state = 'SHOWN'"


class SampleRow(SQLModel, table=True):
    """A video on a profile. Taken away, never deleted."""

    __tablename__: ClassVar[str] = "sample"
    __table_args__ = (
        columns.one_of("state", SampleState),
        sa.CheckConstraint("position >= 0", name="sample_position"),
        sa.CheckConstraint(
            "(state = 'TAKEN_DOWN') = (reason IS NOT NULL AND note IS NOT NULL AND decided_by IS NOT NULL)",
            name="sample_decided",
        ),
        sa.CheckConstraint(f"length(reason) BETWEEN 1 AND {REASON_CHARS_MAX}", name="sample_reason"),
        sa.CheckConstraint(f"length(note) BETWEEN 1 AND {NOTE_CHARS_MAX}", name="sample_note"),
        columns.partial_index("sample_shown", "creator_id", "position", "id", where=_SHOWN),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_column=sa.Column(columns.Text, primary_key=True, nullable=False))
    order_id: str = Field(sa_column=sa.Column(columns.Text, sa.ForeignKey("orders.id"), nullable=False, unique=True))
    creator_id: str = Field(sa_column=sa.Column(columns.Text, sa.ForeignKey("creator.id"), nullable=False))
    video_id: str = Field(sa_column=sa.Column(columns.Text, sa.ForeignKey("video.id"), nullable=False))
    state: SampleState = Field(sa_column=sa.Column(columns.Words(SampleState), nullable=False))
    position: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    published_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    updated_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    reason: str | None = Field(sa_column=sa.Column(columns.Text))
    note: str | None = Field(sa_column=sa.Column(columns.Text))
    decided_by: str | None = Field(sa_column=sa.Column(columns.Text))


_T = columns.table_of(SampleRow)
_NAMES: Final = Sample.__slots__
_FIXED: Final = frozenset({"id", "order_id", "creator_id"})
_COLUMNS: Final = tuple(_T.c[name] for name in _NAMES)

_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_SAVE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"))
        .values({name: sa.bindparam(name) for name in _NAMES if name not in _FIXED})
    )
)
_FIND_ORDER: Final = Statement[tuple[str]](lambda: sa.select(_T.c.order_id).where(_T.c.id == sa.bindparam("id")))
_FIND_BY_ORDER: Final = Statement[Any](
    lambda: sa.select(*_COLUMNS).where(_T.c.order_id == sa.bindparam("order_id")), holds=_T
)
_COUNT: Final = Statement[tuple[int]](
    lambda: sa.select(sa.func.count()).where(_T.c.creator_id == sa.bindparam("creator_id"), sa.text(_SHOWN))
)
_LAST: Final = Statement[tuple[int | None]](
    lambda: sa.select(sa.func.max(_T.c.position)).where(_T.c.creator_id == sa.bindparam("creator_id"), sa.text(_SHOWN))
)
_OF_CREATORS: Final = Statement[Any](
    lambda: (
        sa.select(*_COLUMNS)
        .where(columns.any_of(_T.c.creator_id, "creator_ids"), sa.text(_SHOWN))
        .order_by(_T.c.creator_id, _T.c.position, _T.c.id)
        .limit(sa.bindparam("size"))
    )
)
_ORDERS: Final = sa.table(
    "orders", sa.column("id", columns.Text), sa.column("fan_id", columns.Text), sa.column("creator_id", columns.Text)
)
_CREATORS: Final = sa.table("creator", sa.column("id", columns.Text), sa.column("user_id", columns.Text))
_LIST: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(columns.any_of(_T.c.id, "ids")))
_OF_ORDERS: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(columns.any_of(_T.c.order_id, "order_ids")))
_WITHDRAW_OF_USER: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(sa.text(_SHOWN), sa.or_(_T.c.order_id.in_(_orders_of_fan()), _T.c.creator_id.in_(_creator_of_user())))
        .values(state=SampleState.WITHDRAWN, updated_at=sa.bindparam("now", type_=columns.Micros))
    )
)
_OF_USER: Final = Statement[Any](
    lambda: (
        sa.select(*_COLUMNS)
        .where(sa.or_(_T.c.order_id.in_(_orders_of_fan()), _T.c.creator_id.in_(_creator_of_user())))
        .order_by(_T.c.id)
    )
)


def insert(tx: Tx, sample: Sample) -> None:
    """Stores a new sample."""
    tx.put(_INSERT, **{name: getattr(sample, name) for name in _NAMES})


def save(tx: Tx, sample: Sample) -> None:
    """Stores a sample as it now is. Whoever does holds its order, or its creator where only the place changes."""
    tx.put(_SAVE, of=sample.id, **{name: getattr(sample, name) for name in _NAMES if name not in _FIXED})


def order_of(tx: Tx, sample_id: str) -> str:
    """The order of a sample, for holding that one first; it never changes.

    Raises:
        NotFoundError: there is no such sample.
    """
    row = tx.one(_FIND_ORDER, id=sample_id)
    if row is None:
        raise errors.NotFoundError("There is no such sample.", path=("input", "sampleId"))
    return row[0]


def find_by_order(tx: Tx, order_id: str) -> Sample | None:
    """The sample of an order, or None. A unit of work that writes holds it from now on."""
    row = tx.one(_FIND_BY_ORDER, order_id=order_id)
    return None if row is None else Sample(*row)


def count_shown(tx: Tx, creator_id: str) -> int:
    """How many samples a creator shows. Whoever goes by it holds the creator."""
    row = tx.one(_COUNT, creator_id=creator_id)
    assert row is not None, "a count has a row"
    return row[0]


def next_position(tx: Tx, creator_id: str) -> int:
    """The place after the last. Whoever goes by it holds the creator."""
    row = tx.one(_LAST, creator_id=creator_id)
    return 0 if row is None or row[0] is None else row[0] + 1


def list_of_creators(tx: Tx, creator_ids: Sequence[str]) -> dict[str, list[Sample]]:
    """What each creator shows, in their order."""
    found: dict[str, list[Sample]] = {}
    for row in tx.all(_OF_CREATORS, creator_ids=list(creator_ids), size=READ_MAX * len(creator_ids)):
        sample = Sample(*row)
        found.setdefault(sample.creator_id, []).append(sample)
    return found


def list_of_ids(tx: Tx, sample_ids: Sequence[str]) -> dict[str, Sample]:
    """Samples by id; those that do not exist are left out."""
    return {row[0]: Sample(*row) for row in tx.all(_LIST, ids=list(sample_ids))}


def list_of_orders(tx: Tx, order_ids: Sequence[str]) -> dict[str, Sample]:
    """The samples of orders, by order; those without are left out."""
    samples = (Sample(*row) for row in tx.all(_OF_ORDERS, order_ids=list(order_ids)))
    return {sample.order_id: sample for sample in samples}


def erase_of_user(tx: Tx, user_id: str) -> int:
    """Takes every sample away that a person ordered or filmed; before their briefs, whose consent it stands on."""
    return tx.run(_WITHDRAW_OF_USER, user_id=user_id, now=tx.now)


def export_of_user(tx: Tx, user_id: str) -> list[dict[str, Any]]:
    """The samples that a person ordered or filmed, as plain values."""
    found = [Sample(*row) for row in tx.all(_OF_USER, user_id=user_id)]
    return [
        {
            "orderId": each.order_id,
            "videoId": each.video_id,
            "status": each.state.value,
            "publishedAt": each.published_at.isoformat(),
            "reason": each.reason,
            "note": each.note,
        }
        for each in found
    ]


def _orders_of_fan() -> sa.Select[Any]:
    return sa.select(_ORDERS.c.id).where(_ORDERS.c.fan_id == sa.bindparam("user_id"))


def _creator_of_user() -> sa.Select[Any]:
    return sa.select(_CREATORS.c.id).where(_CREATORS.c.user_id == sa.bindparam("user_id"))
