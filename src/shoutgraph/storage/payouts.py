"""Payouts, the batches they are sent in, and what they are made of. Units: coins, minor units."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, ids, leases, pages
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.earnings import Part
from shoutgraph.domain.leases import Lease
from shoutgraph.domain.payouts import UNDER_WAY, HoldCode, Payout, PayoutFilter, PayoutReview, PayoutState
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import batches, columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

CLAIM_MAX: Final = 100
"""The most payouts that one unit of work claims."""


class PayoutRow(SQLModel, table=True):
    """A payout as it stands."""

    __tablename__ = "payout"
    __table_args__ = (
        sa.CheckConstraint("revision > 0 AND attempts >= 0 AND looks >= 0", name="payout_counts"),
        sa.CheckConstraint("coins > 0 AND amount_minor > 0", name="payout_amounts"),
        one_of("state", PayoutState),
        one_of("hold_code", HoldCode),
        one_of("review", PayoutReview),
        sa.UniqueConstraint("key", name="payout_key"),
        sa.Index("payout_creator", "creator_id", "id"),
        columns.partial_index("payout_year", "creator_id", "paid_at", where="paid_at IS NOT NULL"),
        columns.partial_index("payout_returned", "creator_id", "closed_at", where="state = 'RETURNED'"),
        sa.Index("payout_state", "state", "id"),
        columns.partial_index("payout_look", "look_at", where="look_at IS NOT NULL"),
        columns.partial_index("payout_unresolved", "id", where="review IS NOT NULL OR state = 'UNKNOWN'"),
        columns.partial_index("payout_of_batch", "batch_id", where="batch_id IS NOT NULL"),
        columns.partial_index("payout_of_ref", "instance", "ref", "id", where="ref IS NOT NULL"),
        columns.partial_index("payout_of_rule", "not_before", "id", where="state = 'HELD' AND rule IS NOT NULL"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    revision: int = Field(sa_type=Integer)
    creator_id: str = Field(sa_type=Text)
    recipient_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("payout_recipient.id"), nullable=False))
    instance: str = Field(sa_type=Text)
    coins: int = Field(sa_type=Integer)
    amount_minor: int = Field(sa_type=Integer)
    currency: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Micros)
    updated_at: datetime = Field(sa_type=Micros)
    state: PayoutState = Field(sa_type=Words(PayoutState))
    batch_id: str | None = Field(sa_column=sa.Column(Text, sa.ForeignKey("payout_batch.id")))
    attempts: int = Field(sa_type=Integer)
    not_before: datetime | None = Field(sa_type=Micros)
    ref: str | None = Field(sa_type=Text)
    hold_code: HoldCode | None = Field(sa_type=Words(HoldCode))
    note: str | None = Field(sa_type=Text)
    failure_code: str | None = Field(sa_type=Text)
    decided_by: str | None = Field(sa_type=Text)
    submitted_at: datetime | None = Field(sa_type=Micros)
    paid_at: datetime | None = Field(sa_type=Micros)
    closed_at: datetime | None = Field(sa_type=Micros)
    review: PayoutReview | None = Field(sa_type=Words(PayoutReview))
    look_at: datetime | None = Field(sa_type=Micros)
    looks: int = Field(sa_type=Integer)
    leased_until: datetime | None = Field(sa_type=Micros)
    rule: str | None = Field(sa_type=Text)


class PartRow(SQLModel, table=True):
    """Coins of one earning in one payout. Written once; the payout's state says what became of them."""

    __tablename__ = "payout_part"
    __table_args__ = (
        sa.CheckConstraint("coins > 0", name="payout_part_coins"),
        sa.Index("payout_part_earning", "earning_id"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    payout_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("payout.id"), primary_key=True))
    earning_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("earning.id"), primary_key=True, nullable=False))
    coins: int = Field(sa_type=Integer)


_T: Final = columns.table_of(PayoutRow)
_P: Final = columns.table_of(PartRow)
_JOB: Final = ("look_at", "looks", "leased_until")
_COLUMNS: Final = tuple(column for column in _T.c if column.name not in _JOB)
_NAMES: Final = tuple(column.name for column in _COLUMNS)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A payout that is to be looked at and its batch, how often it was since its state last changed, and the lease."""

    payout: Payout
    batch: Batch
    looks: int
    lease: Lease


def insert(tx: Tx, payout: Payout, parts: Sequence[Part]) -> None:
    """Stores a new payout and what it is made of."""
    tx.put(_INSERT, **_params(payout), look_at=None, looks=0, leased_until=None)
    rows = [{"payout_id": payout.id, "earning_id": part.earning_id, "coins": part.coins} for part in parts]
    tx.many(_INSERT_PART, rows)


def save(tx: Tx, payout: Payout) -> None:
    """Stores what a payout is now."""
    values = _params(payout)
    changed = tx.run(_SAVE, of=values.pop("id"), **values)
    assert changed == 1, "a payout that was read is there"


def schedule(
    tx: Tx, payout_id: ids.PayoutId, *, look_at: datetime | None, looks: int, lease: Lease | None = None
) -> None:
    """Says when to look next.

    Args:
        lease: whoever looked gives it back; if it has run out and is another's now, that one says when. A hint that
            came meanwhile stays: the look may have been too early for what it hints at.
    """
    if lease is None:
        tx.put(_SCHEDULE, of=payout_id, at=look_at, count=looks)
    else:
        tx.put(_LOOKED, of=payout_id, at=look_at, count=looks, since=lease.since, until=lease.until, now=tx.now)


def put_off(tx: Tx, batch: Batch) -> None:
    """Has no payout of a batch looked at before the batch's answer is due."""
    tx.put(_PUT_OFF, batch_id=batch.id, due=batch.answer_due_at)


def look_soon(tx: Tx, payout_id: ids.PayoutId) -> None:
    """Asks for a look now, because the provider hinted at something."""
    tx.put(_LOOK_SOON, of=payout_id, at=tx.now)


def claim_due(tx: Tx, *, lease: timedelta, limit: int) -> tuple[Claimed, ...]:
    """Leases payouts that are due for a look; nobody else gets them until the lease is over."""
    ours = leases.taken(tx.now, lasting=lease)
    rows = tx.all(_CLAIM, now=ours.since, until=ours.until, size=min(limit, CLAIM_MAX))
    found = [(Payout(*row[:-1]), row[-1]) for row in rows]
    sent = batches.find_many(tx, [payout.batch_id for payout, _ in found if payout.batch_id])
    return tuple(Claimed(payout, sent[payout.batch_id], looks, ours) for payout, looks in found if payout.batch_id)


def list_of_rails_to_send(tx: Tx) -> tuple[tuple[str, str], ...]:
    """The instances, each with a currency, that have payouts which may be sent now and which nobody is sending."""
    return tuple(tx.all(_TO_SEND, now=tx.now))


def claim_approved(
    tx: Tx, instance: str, currency: str, *, lease: timedelta, limit: int
) -> tuple[tuple[Payout, ...], Lease]:
    """Leases payouts of an instance and a currency that may be sent now, the longest waiting first, for nobody else."""
    ours = leases.taken(tx.now, lasting=lease)
    size = min(limit, CLAIM_MAX)
    of = {"of_instance": instance, "of_currency": currency}
    rows = tx.all(_CLAIM_APPROVED, **of, now=ours.since, until=ours.until, size=size)
    return tuple(sorted((Payout(*row) for row in rows), key=lambda payout: payout.id)), ours


def give_back(tx: Tx, payout_ids: Sequence[str], lease: Lease) -> frozenset[str]:
    """Ends this lease on payouts; gives those that were still under it. A unit of work holds them from now on."""
    return frozenset(row[0] for row in tx.all(_GIVE_BACK, ids=list(payout_ids), until=lease.until))


def list_of_batch(tx: Tx, batch_id: str) -> tuple[Payout, ...]:
    """The payouts of a batch. A unit of work that writes holds them from now on."""
    return tuple(Payout(*row) for row in tx.all(_OF_BATCH, batch_id=batch_id))


def get(tx: Tx, payout_id: str) -> Payout:
    """A payout, for jobs, providers' notices and finance. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is no such payout.
    """
    row = tx.one(_GET, id=payout_id)
    if row is None:
        raise errors.NotFoundError("There is no such payout.", path=("input", "payoutId"))
    return Payout(*row)


def find_by_key(tx: Tx, *, instance: str, key: str) -> Payout | None:
    """The payout that a provider speaks of, if it went out by this instance.

    A unit of work that writes holds it from now on.
    """
    row = tx.one(_FIND_BY_KEY, key=key)
    found = None if row is None else Payout(*row)
    return found if found is not None and found.instance == instance else None


def list_visible(tx: Tx, payout_ids: Sequence[str], viewer: Viewer) -> list[Payout | None]:
    """Payouts by id in the order asked, None where there is none that this viewer may see."""
    found = {row[0]: Payout(*row) for row in tx.all(_LIST, ids=list(payout_ids))}
    return [payout if (payout := found.get(i)) and visible(payout, viewer) else None for i in payout_ids]


def visible(payout: Payout, viewer: Viewer) -> bool:
    """Whether it is the viewer's own, or the viewer reads finances."""
    mine = viewer.creator_id is not None and payout.creator_id == viewer.creator_id
    return mine or viewer.has(Scope.FINANCE_READ)


def list_of_page(tx: Tx, args: pages.PageArgs, only: PayoutFilter, *, descending: bool) -> list[Payout]:
    """Up to one payout more than the page holds, by id in the direction asked. The key is `(id,)`."""
    params: dict[str, object] = {}
    if only.creator_id is not None:
        params["creator_id"] = only.creator_id
    if only.states:
        params["states"] = only.states
    if args.key is not None:
        params["key"] = args.key[0]
    statement = _page(frozenset(params), descending != args.backward)
    return [Payout(*row) for row in tx.all(statement, size=args.size + 1, **params)]


def list_of_parts(tx: Tx, payout_id: ids.PayoutId) -> tuple[Part, ...]:
    """What a payout is made of."""
    return tuple(Part(*row) for row in tx.all(_PARTS, payout_id=payout_id))


def total_coins(tx: Tx, creator_id: ids.CreatorId) -> tuple[int, int]:
    """What a creator has in payouts under way, and what was paid out. Units: coins."""
    found = dict(tx.all(_TOTALS, creator_id=creator_id))
    return sum(found.get(state, 0) for state in UNDER_WAY), found.get(PayoutState.PAID, 0)


def list_of_instances_in_use(tx: Tx) -> tuple[str, ...]:
    """The instances that money is in flight with: readiness asks for their plugins."""
    return tuple(row[0] for row in tx.all(_IN_USE))


def _params(payout: Payout) -> dict[str, Any]:
    return {name: getattr(payout, name) for name in _NAMES}


def _states(states: Sequence[PayoutState]) -> list[sa.ColumnElement[Any]]:
    return [sa.literal_column(f"'{state}'") for state in states]


def _leased(due: sa.Select[Any], *columns: sa.ColumnElement[Any]) -> sa.ClauseElement:
    taken = due.with_for_update(skip_locked=True, key_share=True).cte("due")  # once, whatever the plan
    update = sa.update(_T).where(_T.c.id.in_(sa.select(taken.c.id))).values(leased_until=sa.bindparam("until"))
    return update.returning(*columns)


def _claim() -> sa.ClauseElement:
    due = (
        sa.select(_T.c.id)
        .where(
            _T.c.look_at.is_not(None),
            _T.c.look_at <= sa.bindparam("now"),
            _T.c.leased_until.is_(None) | (_T.c.leased_until <= sa.bindparam("now")),
        )
        .order_by(_T.c.look_at)
        .limit(sa.bindparam("size"))
    )
    return _leased(due, *_COLUMNS, _T.c.looks)


def _sendable() -> tuple[sa.ColumnElement[bool], ...]:
    now: sa.BindParameter[Any] = sa.bindparam("now")
    return (
        _T.c.state.in_(_states([PayoutState.APPROVED])),
        _T.c.review.is_(None),
        _T.c.not_before.is_(None) | (_T.c.not_before <= now),
        _T.c.leased_until.is_(None) | (_T.c.leased_until <= now),
    )


def _claim_approved() -> sa.ClauseElement:
    due = (
        sa.select(_T.c.id)
        .where(
            *_sendable(),
            _T.c.instance == sa.bindparam("of_instance"),
            _T.c.currency == sa.bindparam("of_currency"),
        )
        .order_by(_T.c.id)
        .limit(sa.bindparam("size"))
    )
    return _leased(due, *_COLUMNS)


@cache
def _page(given: frozenset[str], descending: bool) -> Statement[Any]:  # noqa: FBT001 - part of a cache key
    def build() -> sa.ClauseElement:
        query = sa.select(*_COLUMNS).limit(sa.bindparam("size"))
        query = query.order_by(_T.c.id.desc() if descending else _T.c.id.asc())
        if "key" in given:
            key = sa.bindparam("key", type_=Text)
            query = query.where(_T.c.id < key if descending else _T.c.id > key)
        return query.where(*(condition() for name, condition in _FILTERS.items() if name in given))

    return Statement(build)


_FILTERS: Final[dict[str, Callable[[], sa.ColumnElement[bool]]]] = {
    "creator_id": lambda: _T.c.creator_id == sa.bindparam("creator_id"),
    "states": lambda: columns.any_of(_T.c.state, "states"),
}
_ONE: Final = _T.c.id == sa.bindparam("of")
_OPEN: Final = (
    PayoutState.APPROVED,
    PayoutState.SUBMITTING,
    PayoutState.SUBMITTED,
    PayoutState.UNKNOWN,
)


def _insert(table: sa.Table) -> Statement[Any]:
    return Statement(lambda: sa.insert(table).values({c.name: sa.bindparam(c.name) for c in table.c}))


_INSERT: Final = _insert(_T)
_INSERT_PART: Final = _insert(_P)
_SAVE: Final = Statement[Any](
    lambda: sa.update(_T).where(_ONE).values({name: sa.bindparam(name) for name in _NAMES[1:]})
)
_SCHEDULE: Final = Statement[Any](
    lambda: sa.update(_T).where(_ONE).values(look_at=sa.bindparam("at"), looks=sa.bindparam("count"))
)
_LOOKED: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_ONE, _T.c.leased_until == sa.bindparam("until"))
        .values(
            look_at=sa.case(
                ((_T.c.look_at > sa.bindparam("since")) & (_T.c.look_at <= sa.bindparam("now")), _T.c.look_at),
                else_=sa.bindparam("at", type_=Micros),
            ),
            looks=sa.bindparam("count"),
            leased_until=sa.null(),
        )
    )
)
_PUT_OFF: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.batch_id == sa.bindparam("batch_id"), _T.c.look_at < sa.bindparam("due"))
        .values(look_at=sa.bindparam("due"))
    )
)
_LOOK_SOON: Final = Statement[Any](lambda: sa.update(_T).where(_ONE).values(look_at=sa.bindparam("at")))
_CLAIM: Final = Statement[Any](_claim)
_TO_SEND: Final = Statement[tuple[str, str]](
    lambda: sa.select(_T.c.instance, _T.c.currency).where(*_sendable()).distinct()
)
_CLAIM_APPROVED: Final = Statement[Any](_claim_approved)
_GIVE_BACK: Final = Statement[tuple[str]](
    lambda: (
        sa.update(_T)
        .where(columns.any_of(_T.c.id, "ids"), _T.c.leased_until == sa.bindparam("until"))
        .values(leased_until=sa.null())
        .returning(_T.c.id)
    )
)
_OF_BATCH: Final = Statement[Any](
    lambda: sa.select(*_COLUMNS).where(_T.c.batch_id == sa.bindparam("batch_id")).order_by(_T.c.id), holds=_T
)
_GET: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(_T.c.id == sa.bindparam("id")), holds=_T)
_FIND_BY_KEY: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(_T.c.key == sa.bindparam("key")), holds=_T)
_LIST: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(columns.any_of(_T.c.id, "ids")))
_PARTS: Final = Statement[tuple[str, int]](
    lambda: (
        sa.select(_P.c.earning_id, _P.c.coins)
        .where(_P.c.payout_id == sa.bindparam("payout_id"))
        .order_by(_P.c.earning_id)
    )
)
_TOTALS: Final = Statement[tuple[PayoutState, int]](
    lambda: (
        sa.select(_T.c.state, sa.func.sum(_T.c.coins))
        .where(_T.c.creator_id == sa.bindparam("creator_id"))
        .group_by(_T.c.state)
    )
)
_IN_USE: Final = Statement[tuple[str]](
    lambda: sa.select(_T.c.instance).where(_T.c.state.in_(_states(_OPEN))).distinct()
)
