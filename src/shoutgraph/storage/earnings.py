"""Earnings: one row for each order, compensation or gift that a creator earned with. Units: coins.

An earning matures by its own `matures_at`; no other row has to be kept in step with it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import accounts, ids, pages
from shoutgraph.domain.earnings import Earning, EarningKind, EarningState, Part, Reserve
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

MATURE_MAX: Final = 200
"""The most earnings that one unit of work matures."""

ALLOCATE_MAX: Final = 10_000
"""The most earnings that one payout is made of."""


class EarningRow(SQLModel, table=True):
    """An earning; its coins are each in one place."""

    __tablename__ = "earning"
    __table_args__ = (
        sa.CheckConstraint("coins > 0 AND fee_coins >= 0", name="earning_coins"),
        sa.CheckConstraint("in_payout_coins >= 0 AND paid_coins >= 0 AND reversed_coins >= 0", name="earning_parts"),
        sa.CheckConstraint("in_payout_coins + paid_coins + reversed_coins <= coins", name="earning_sum"),
        sa.CheckConstraint(
            "state <> 'PENDING' OR (in_payout_coins = 0 AND paid_coins = 0)", name="earning_pending_stays"
        ),
        one_of("kind", EarningKind),
        one_of("state", EarningState),
        sa.UniqueConstraint("kind", "subject_id", name="earning_once"),
        sa.Index("earning_creator", "creator_id", "id"),
        sa.Index("earning_year", "creator_id", "earned_at"),
        columns.partial_index("earning_maturing", "matures_at", where="state = 'PENDING'"),
        columns.partial_index("earning_reserved", "reserved_until", where="reserved_coins > 0"),
        columns.partial_index("earning_in_reserve", "creator_id", "reserved_until", where="reserved_coins > 0"),
        columns.partial_index("earning_free", "creator_id", "matured_at", "id", where="state = 'AVAILABLE'"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    creator_id: str = Field(sa_type=Text)
    kind: EarningKind = Field(sa_type=Words(EarningKind))
    subject_id: str = Field(sa_type=Text)
    coins: int = Field(sa_type=Integer)
    fee_coins: int = Field(sa_type=Integer)
    earned_at: datetime = Field(sa_type=Micros)
    matures_at: datetime = Field(sa_type=Micros)
    state: EarningState = Field(sa_type=Words(EarningState))
    in_payout_coins: int = Field(sa_type=Integer)
    paid_coins: int = Field(sa_type=Integer)
    reversed_coins: int = Field(sa_type=Integer)
    matured_at: datetime | None = Field(sa_type=Micros)
    reserved_coins: int = Field(sa_column=sa.Column(Integer, server_default=sa.text("0"), nullable=False))
    reserved_until: datetime | None = Field(sa_type=Micros)


_T: Final = columns.table_of(EarningRow)
_NAMES: Final = tuple(column.name for column in _T.c)
_CHANGES: Final = (
    *("state", "in_payout_coins", "paid_coins", "reversed_coins", "matured_at"),
    *("reserved_coins", "reserved_until"),
)
_ACCOUNT: Final = sa.table(
    "account", sa.column("code", Text), *(sa.column(name, Integer) for name in ("debits", "credits"))
)


def insert(tx: Tx, earning: Earning) -> None:
    """Stores a new earning, in the unit of work that posts it."""
    tx.put(_INSERT, **{name: getattr(earning, name) for name in _NAMES})


def save(tx: Tx, earnings: Iterable[Earning]) -> None:
    """Stores what earnings are now."""
    tx.many(_SAVE, [{"of": each.id} | {name: getattr(each, name) for name in _CHANGES} for each in earnings])


def find_of_subject(tx: Tx, kind: EarningKind, subject_id: str) -> Earning | None:
    """What was earned with an order or gift, or None."""
    row = tx.one(_OF_SUBJECT, kind=kind, subject_id=subject_id)
    return None if row is None else Earning(*row)


def list_of(tx: Tx, earning_ids: Sequence[str]) -> list[Earning | None]:
    """Earnings in the order asked, None where there is none. A unit of work that writes holds them from now on."""
    found = {row[0]: Earning(*row) for row in tx.all(_LIST, ids=list(earning_ids))}
    return [found.get(earning_id) for earning_id in earning_ids]


def list_of_parts(tx: Tx, parts: Sequence[Part]) -> list[tuple[Earning, int]]:
    """The earnings that the parts of a payout are of, each with its coins."""
    found = list_of(tx, [part.earning_id for part in parts])
    pairs = []
    for earning, part in zip(found, parts, strict=True):
        assert earning is not None, "an earning is never deleted"
        pairs.append((earning, part.coins))
    return pairs


def list_of_maturing(tx: Tx, *, limit: int = MATURE_MAX) -> tuple[Earning, ...]:
    """Pending earnings whose hold is over, the longest over first; those that another worker has are left out."""
    return tuple(Earning(*row) for row in tx.all(_MATURING, now=tx.now, size=limit))


def list_of_aged(tx: Tx, *, limit: int = MATURE_MAX) -> tuple[Earning, ...]:
    """Earnings whose reserve has aged, the longest first; those that another worker has are left out."""
    return tuple(Earning(*row) for row in tx.all(_AGED, now=tx.now, size=limit))


def reserve_of(tx: Tx, creator_id: ids.CreatorId) -> Reserve:
    """What a creator has in reserve."""
    row = tx.one(_RESERVE, creator_id=creator_id)
    assert row is not None, "an aggregate has one row"
    return Reserve(*row)


def list_of_free(tx: Tx, creator_id: ids.CreatorId) -> tuple[Earning, ...]:
    """A creator's available earnings with coins left, the first matured first.

    Whoever takes of them holds the creator, so that nobody else does.
    """
    return tuple(Earning(*row) for row in tx.all(_FREE, creator_id=creator_id, size=ALLOCATE_MAX))


def list_of_reserved(tx: Tx, creator_id: ids.CreatorId) -> tuple[Earning, ...]:
    """A creator's earnings with coins in reserve, the first to be released first; who takes of them holds them."""
    return tuple(Earning(*row) for row in tx.all(_RESERVED, creator_id=creator_id, size=ALLOCATE_MAX))


def wrong_reserves() -> sa.Select[Any]:
    """Creators whose account of the reserve is not what their earnings keep there."""
    before, after = (sa.literal_column(f"'{words}'", Text) for words in ("creator:", ":reserve"))
    code: sa.ColumnElement[str] = before + _T.c.creator_id + after
    kept = (
        sa.select(code.label("code"), sa.func.sum(_T.c.reserved_coins).label("coins"))
        .where(_IN_RESERVE)
        .group_by(_T.c.creator_id)
        .subquery()
    )
    booked = (
        sa.select(_ACCOUNT.c.code, (_ACCOUNT.c.credits - _ACCOUNT.c.debits).label("coins"))
        .where(_ACCOUNT.c.code.like(sa.literal_column("'creator:%:reserve'")))
        .subquery()
    )
    sides = sa.union_all(
        sa.select(booked.c.code, booked.c.coins.label("booked"), sa.literal(0).label("kept")),
        sa.select(kept.c.code, sa.literal(0), kept.c.coins),
    ).subquery()
    one, other = sa.func.sum(sides.c.booked), sa.func.sum(sides.c.kept)
    return sa.select(sides.c.code, one, other).group_by(sides.c.code).having(one != other)


def list_of_page(tx: Tx, creator_id: ids.CreatorId, args: pages.PageArgs) -> list[Earning]:
    """Up to one earning more than the page holds, newest first. The key is `(id,)`."""
    params: dict[str, object] = {} if args.key is None else {"key": args.key[0]}
    statement = _PAGES[args.backward, args.key is not None]
    return [Earning(*row) for row in tx.all(statement, creator_id=creator_id, size=args.size + 1, **params)]


def booked_coins(tx: Tx, creator_id: ids.CreatorId) -> tuple[int, int]:
    """A creator's pending and available earnings by the books. Units: coins."""
    codes = [accounts.pending(creator_id).code, accounts.available(creator_id).code]
    found = dict(tx.all(_BALANCES, codes=codes))
    return found.get(codes[0], 0), found.get(codes[1], 0)


def find_next_maturing(tx: Tx, creator_id: ids.CreatorId) -> datetime | None:
    """When the next of a creator's pending earnings are available, or None."""
    row = tx.one(_NEXT, creator_id=creator_id)
    return None if row is None else row[0]


def _page(*, backward: bool, after: bool) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        query = sa.select(*_T.c).where(_T.c.creator_id == sa.bindparam("creator_id")).limit(sa.bindparam("size"))
        query = query.order_by(_T.c.id.asc() if backward else _T.c.id.desc())
        if after:
            key = sa.bindparam("key", type_=Text)
            query = query.where(_T.c.id > key if backward else _T.c.id < key)
        return query

    return Statement(build)


_WAYS: Final = ((False, False), (False, True), (True, False), (True, True))
_PAGES: Final = {(backward, after): _page(backward=backward, after=after) for backward, after in _WAYS}
_PENDING: Final = _T.c.state == sa.literal_column("'PENDING'")
_AVAILABLE: Final = _T.c.state == sa.literal_column("'AVAILABLE'")
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_SAVE: Final = Statement[Any](
    lambda: sa.update(_T).where(_T.c.id == sa.bindparam("of")).values({name: sa.bindparam(name) for name in _CHANGES})
)
_LIST: Final = Statement[Any](
    lambda: sa.select(*_T.c).where(columns.any_of(_T.c.id, "ids")).order_by(_T.c.id), holds=_T
)
_OF_SUBJECT: Final = Statement[Any](
    lambda: sa.select(*_T.c).where(_T.c.kind == sa.bindparam("kind"), _T.c.subject_id == sa.bindparam("subject_id"))
)
_MATURING: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(_PENDING, _T.c.matures_at <= sa.bindparam("now"))
        .order_by(_T.c.matures_at, _T.c.id)
        .limit(sa.bindparam("size"))
        .with_for_update(skip_locked=True, key_share=True)
    )
)
_NEXT: Final = Statement[tuple[datetime]](
    lambda: (
        sa.select(_T.c.matures_at)
        .where(_PENDING, _T.c.creator_id == sa.bindparam("creator_id"))
        .order_by(_T.c.matures_at)
        .limit(1)
    )
)
_IN_RESERVE: Final = _T.c.reserved_coins > sa.literal_column("0")
_AGED: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(_IN_RESERVE, _T.c.reserved_until <= sa.bindparam("now"))
        .order_by(_T.c.reserved_until, _T.c.id)
        .limit(sa.bindparam("size"))
        .with_for_update(skip_locked=True, key_share=True)
    )
)
_RESERVE: Final = Statement[Any](
    lambda: sa.select(
        sa.cast(sa.func.coalesce(sa.func.sum(_T.c.reserved_coins), sa.literal_column("0")), Integer),
        sa.func.min(_T.c.reserved_until),
        sa.func.max(_T.c.reserved_until),
    ).where(_IN_RESERVE, _T.c.creator_id == sa.bindparam("creator_id"))
)
_FREE: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(
            _AVAILABLE,
            _T.c.creator_id == sa.bindparam("creator_id"),
            _T.c.in_payout_coins + _T.c.paid_coins + _T.c.reversed_coins + _T.c.reserved_coins < _T.c.coins,
        )
        .order_by(_T.c.matured_at, _T.c.id)
        .limit(sa.bindparam("size"))
    )
)
_RESERVED: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(_IN_RESERVE, _T.c.creator_id == sa.bindparam("creator_id"))
        .order_by(_T.c.reserved_until, _T.c.id)
        .limit(sa.bindparam("size"))
    )
)
_BALANCES: Final = Statement[tuple[str, int]](
    lambda: sa.select(_ACCOUNT.c.code, _ACCOUNT.c.credits - _ACCOUNT.c.debits).where(
        columns.any_of(_ACCOUNT.c.code, "codes")
    )
)
