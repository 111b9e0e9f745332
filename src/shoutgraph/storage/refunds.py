"""Refunds that finance asked for. The coins are in the books; the database lets no refund go where it has been.

Whoever changes one holds its top-up first. Units: minor units, coins, book units.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, leases, pages
from shoutgraph.domain.leases import Lease
from shoutgraph.domain.ledger import LotMove
from shoutgraph.domain.topups.parts import Slice
from shoutgraph.domain.topups.refund import REASON_CHARS_MAX, SENT, DueRefund, Refund, RefundState
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, JsonText, Micros, Text, Truth, Words, one_of, truth
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

CLAIM_MAX: Final = 100
"""The most refunds that one unit of work claims."""
OF_TOPUP_MAX: Final = 1_000
"""The most refunds of one top-up that are read, and so the most that are taken."""


class RefundRow(SQLModel, table=True):
    """A refund as it stands."""

    __tablename__ = "refund"
    __table_args__ = (
        sa.CheckConstraint("revision > 0 AND attempts >= 0 AND looks >= 0", name="refund_counts"),
        sa.CheckConstraint("minor > 0 AND coins >= 0 AND book_units >= 0", name="refund_part"),
        sa.CheckConstraint(f"length(reason) BETWEEN 1 AND {REASON_CHARS_MAX}", name="refund_reason"),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="refund_two_people"),
        sa.CheckConstraint(
            "(attempts > 0) OR state IN ('REQUESTED', 'HELD', 'DENIED')", name="refund_sent_before_it_ends"
        ),
        sa.CheckConstraint("attempts = 0 OR state <> 'DENIED'", name="refund_denied_unsent"),
        sa.CheckConstraint(
            "state = 'REQUESTED' OR (closed_at IS NOT NULL) = (state IN ('SUCCEEDED', 'FAILED', 'DENIED', 'REVERSED'))",
            name="refund_closed",
        ),
        one_of("state", RefundState),
        truth("needs_review"),
        sa.Index("refund_topup", "topup_id", "id"),
        sa.Index("refund_state", "state", "id"),
        columns.partial_index("refund_look", "look_at", where="look_at IS NOT NULL"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    revision: int = Field(sa_type=Integer)
    topup_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("topup.id"), nullable=False))
    user_id: str = Field(sa_type=Text)
    instance: str = Field(sa_type=Text)
    minor: int = Field(sa_type=Integer)
    coins: int = Field(sa_type=Integer)
    book_units: int = Field(sa_type=Integer)
    currency: str = Field(sa_type=Text)
    taken: list[list[object]] = Field(sa_type=JsonText)
    reason: str = Field(sa_type=Text)
    requested_by: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Micros)
    updated_at: datetime = Field(sa_type=Micros)
    answer_due_at: datetime = Field(sa_type=Micros)
    state: RefundState = Field(sa_type=Words(RefundState))
    decided_by: str | None = Field(sa_type=Text)
    attempts: int = Field(sa_type=Integer)
    first_sent_at: datetime | None = Field(sa_type=Micros)
    failure_code: str | None = Field(sa_type=Text)
    needs_review: bool = Field(sa_type=Truth)
    closed_at: datetime | None = Field(sa_type=Micros)
    look_at: datetime | None = Field(sa_type=Micros)
    looks: int = Field(sa_type=Integer)
    leased_until: datetime | None = Field(sa_type=Micros)
    bonus: list[list[object]] = Field(sa_column=sa.Column(JsonText, nullable=False, server_default="[]"))
    withdrawal: bool = Field(
        sa_column=sa.Column(Truth, truth("withdrawal"), server_default=sa.text("0"), nullable=False)
    )


_R: Final = columns.table_of(RefundRow)
_JOB: Final = ("look_at", "looks", "leased_until")
_COLUMNS: Final = tuple(column for column in _R.c if column.name not in _JOB)
_NAMES: Final = tuple(column.name for column in _COLUMNS)
_PART: Final = ("minor", "coins", "book_units")
_OWN: Final = tuple(name for name in _NAMES if name not in {*_PART, "taken", "bonus"})


def insert(tx: Tx, refund: Refund) -> None:
    """Stores a refund that was asked for, to be taken up again if nobody goes on with it."""
    tx.put(_INSERT, **_params(refund), look_at=refund.answer_due_at, looks=0, leased_until=None)


def save(tx: Tx, refund: Refund) -> None:
    """Stores what a refund is now."""
    values = _params(refund)
    changed = tx.run(_SAVE, of=values.pop("id"), **values)
    assert changed == 1, "a refund that was read is there"


def schedule(tx: Tx, refund_id: str, *, look_at: datetime | None, looks: int, lease: Lease | None = None) -> None:
    """Says when to look next; whoever looked gives its lease back, unless it has run out and is another's now."""
    if lease is None:
        tx.put(_SCHEDULE, of=refund_id, at=look_at, count=looks)
    else:
        tx.put(_LOOKED, of=refund_id, at=look_at, count=looks, until=lease.until)


def claim_due(tx: Tx, *, lease: timedelta, limit: int) -> tuple[DueRefund, ...]:
    """Leases refunds that are due for a look, the longest due first; they are not held: their top-ups come first."""
    ours = leases.taken(tx.now, lasting=lease)
    rows = tx.all(_CLAIM, now=ours.since, until=ours.until, size=min(limit, CLAIM_MAX))
    return tuple(DueRefund(_refund(row[:-1]), row[-1], ours) for row in rows)


def get(tx: Tx, refund_id: str) -> Refund:
    """A refund.

    Raises:
        NotFoundError: there is no such refund.
    """
    row = tx.one(_GET, id=refund_id)
    if row is None:
        raise errors.NotFoundError("There is no such refund.", path=("input", "refundId"))
    return _refund(row)


def list_of(tx: Tx, refund_ids: Sequence[str]) -> list[Refund | None]:
    """Refunds by id in the order asked, None where there is none."""
    found = {row[0]: _refund(row) for row in tx.all(_LIST, ids=list(refund_ids))}
    return [found.get(each) for each in refund_ids]


def list_of_topup(tx: Tx, topup_id: str) -> tuple[Refund, ...]:
    """The refunds of a top-up, the oldest first. Whoever decides upon them holds the top-up."""
    return tuple(_refund(row) for row in tx.all(_OF_TOPUP, topup_id=topup_id))


def list_of_withdrawals(tx: Tx, topup_ids: Sequence[str]) -> dict[str, tuple[Refund, ...]]:
    """What fans themselves asked for of top-ups, of each the oldest first."""
    found: dict[str, tuple[Refund, ...]] = {}
    for refund in (_refund(row) for row in tx.all(_WITHDRAWALS, topup_ids=list(topup_ids))):
        found[refund.topup_id] = (*found.get(refund.topup_id, ()), refund)
    return found


def list_of_page(tx: Tx, args: pages.PageArgs, topup_id: str | None) -> list[Refund]:
    """Up to one refund more than the page holds, newest first, in the direction asked. The key is `(id,)`."""
    edge = "" if args.backward else _LAST
    params: dict[str, object] = {"key": edge if args.key is None else args.key[0], "size": args.size + 1}
    if topup_id is None:
        rows = tx.all(_PAGE_BACK if args.backward else _PAGE, **params)
    else:
        rows = tx.all(_PAGE_BACK_OF if args.backward else _PAGE_OF, topup_id=topup_id, **params)
    return [_refund(row) for row in rows]


def list_of_instances_in_use(tx: Tx) -> tuple[str, ...]:
    """The instances that have a refund of ours, or may have it: readiness asks for their plugins."""
    return tuple(row[0] for row in tx.all(_IN_USE))


def _params(refund: Refund) -> dict[str, Any]:
    return {name: getattr(refund, name) for name in _OWN} | {
        "minor": refund.part.minor,
        "coins": refund.part.coins,
        "book_units": refund.part.book_units,
        "taken": [[move.lot_id, move.coins] for move in refund.taken],
        "bonus": [[move.lot_id, move.coins] for move in refund.bonus],
    }


def _refund(row: Sequence[Any]) -> Refund:
    values: Mapping[str, Any] = dict(zip(_NAMES, row, strict=True))
    return Refund(
        **{name: values[name] for name in _OWN},
        part=Slice(*(values[name] for name in _PART)),
        taken=tuple(LotMove(lot_id, coins) for lot_id, coins in values["taken"]),
        bonus=tuple(LotMove(lot_id, coins) for lot_id, coins in values["bonus"]),
    )


def _claim() -> sa.ClauseElement:
    due = (
        sa.select(_R.c.id)
        .where(
            _R.c.look_at.is_not(None),
            _R.c.look_at <= sa.bindparam("now"),
            _R.c.leased_until.is_(None) | (_R.c.leased_until <= sa.bindparam("now")),
        )
        .order_by(_R.c.look_at)
        .limit(sa.bindparam("size"))
        .with_for_update(skip_locked=True, key_share=True)
        .cte("due")  # so that it is taken once, whatever the plan
    )
    leased = sa.update(_R).where(_R.c.id.in_(sa.select(due.c.id))).values(leased_until=sa.bindparam("until"))
    return leased.returning(*_COLUMNS, _R.c.looks)


def _page(*, backward: bool, of_topup: bool) -> sa.ClauseElement:
    key = sa.bindparam("key", type_=Text)
    query = sa.select(*_COLUMNS).limit(sa.bindparam("size"))
    query = query.order_by(_R.c.id.asc() if backward else _R.c.id.desc())
    query = query.where(_R.c.id > key if backward else _R.c.id < key)
    return query.where(_R.c.topup_id == sa.bindparam("topup_id")) if of_topup else query


_LAST: Final = "refund_~"
"""After every id."""
_SENT: Final[tuple[sa.ColumnElement[Any], ...]] = tuple(sa.literal_column(f"'{state}'") for state in sorted(SENT))
_ONE: Final = _R.c.id == sa.bindparam("of")
_INSERT: Final = Statement[Any](lambda: sa.insert(_R).values({c.name: sa.bindparam(c.name) for c in _R.c}))
_SAVE: Final = Statement[Any](
    lambda: sa.update(_R).where(_ONE).values({name: sa.bindparam(name) for name in _NAMES[1:]})
)
_SCHEDULE: Final = Statement[Any](
    lambda: sa.update(_R).where(_ONE).values(look_at=sa.bindparam("at"), looks=sa.bindparam("count"))
)
_LOOKED: Final = Statement[Any](
    lambda: (
        sa.update(_R)
        .where(_ONE, _R.c.leased_until == sa.bindparam("until"))
        .values(look_at=sa.bindparam("at"), looks=sa.bindparam("count"), leased_until=sa.null())
    )
)
_CLAIM: Final = Statement[Any](_claim)
_GET: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(_R.c.id == sa.bindparam("id")), holds=_R)
_LIST: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(columns.any_of(_R.c.id, "ids")))
_OF_TOPUP: Final = Statement[Any](
    lambda: sa.select(*_COLUMNS).where(_R.c.topup_id == sa.bindparam("topup_id")).order_by(_R.c.id).limit(OF_TOPUP_MAX)
)
_PAGE: Final = Statement[Any](lambda: _page(backward=False, of_topup=False))
_PAGE_BACK: Final = Statement[Any](lambda: _page(backward=True, of_topup=False))
_PAGE_OF: Final = Statement[Any](lambda: _page(backward=False, of_topup=True))
_PAGE_BACK_OF: Final = Statement[Any](lambda: _page(backward=True, of_topup=True))
_WITHDRAWALS: Final = Statement[Any](
    lambda: (
        sa.select(*_COLUMNS)
        .where(columns.any_of(_R.c.topup_id, "topup_ids"), _R.c.withdrawal == columns.YES)
        .order_by(_R.c.topup_id, _R.c.id)
        .limit(OF_TOPUP_MAX)
    )
)
_IN_USE: Final = Statement[tuple[str]](lambda: sa.select(_R.c.instance).where(_R.c.state.in_(_SENT)).distinct())
