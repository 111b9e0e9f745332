"""Promotions, their codes and every use of one. Counts are kept by triggers, so that limits hold whoever writes beside.

A code is kept as a digest. Uses name people by id alone; what somebody tried is forgotten with them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, ids, pages, promotions
from shoutgraph.domain.promotions import Code, Kind, Offered, Promotion, Use, UseState
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Blob, Integer, JsonText, Micros, Text, Truth, Words, one_of, truth
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class PromotionRow(SQLModel, table=True):
    """A promotion."""

    __tablename__ = "promotion"
    __table_args__ = (
        sa.CheckConstraint("amount > 0 AND user_uses_max > 0 AND uses >= 0 AND life_s > 0", name="promotion_counts"),
        one_of("kind", Kind),
        truth("first_only"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    label: str = Field(sa_type=Text)
    kind: Kind = Field(sa_type=Words(Kind))
    amount: int = Field(sa_type=Integer)
    starts_at: datetime = Field(sa_type=Micros)
    ends_at: datetime | None = Field(sa_type=Micros)
    amount_max: int | None = Field(sa_type=Integer)
    uses_max: int | None = Field(sa_type=Integer)
    code_uses_max: int | None = Field(sa_type=Integer)
    user_uses_max: int = Field(sa_type=Integer)
    countries: list[str] = Field(sa_type=JsonText)
    first_only: bool = Field(sa_type=Truth)
    coins_min: int = Field(sa_type=Integer)
    life_s: int = Field(sa_type=Integer)
    created_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Micros)
    uses: int = Field(sa_type=Integer)
    ended_at: datetime | None = Field(sa_type=Micros)


class CodeRow(SQLModel, table=True):
    """A code of a promotion."""

    __tablename__ = "promo_code"
    __table_args__ = (
        sa.CheckConstraint("uses >= 0", name="promo_code_uses"),
        sa.Index("promo_code_promotion", "promotion_id"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    promotion_id: str = Field(sa_type=Text, foreign_key="promotion.id")
    digest: bytes = Field(sa_type=Blob, unique=True)
    hint: str = Field(sa_type=Text)
    uses: int = Field(sa_type=Integer)


class UseRow(SQLModel, table=True):
    """A use of a code."""

    __tablename__ = "promo_use"
    __table_args__ = (
        sa.CheckConstraint("slot > 0 AND coins >= 0 AND discount_minor >= 0", name="promo_use_counts"),
        one_of("state", UseState),
        sa.Index(
            "promo_use_slot",
            "promotion_id",
            "user_id",
            "slot",
            unique=True,
            sqlite_where=sa.text("state <> 'RETURNED'"),
            postgresql_where=sa.text("state <> 'RETURNED'"),
        ),
        sa.Index("promo_use_user", "user_id", "id"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    promotion_id: str = Field(sa_type=Text, foreign_key="promotion.id")
    code_id: str = Field(sa_type=Text, foreign_key="promo_code.id")
    user_id: str = Field(sa_type=Text, foreign_key="users.id")
    topup_id: str | None = Field(sa_type=Text, unique=True)
    slot: int = Field(sa_type=Integer)
    state: UseState = Field(sa_type=Words(UseState))
    coins: int = Field(sa_type=Integer)
    discount_minor: int = Field(sa_type=Integer)
    at: datetime = Field(sa_type=Micros)
    expires_at: datetime | None = Field(sa_type=Micros)


class AttemptRow(SQLModel, table=True):
    """How many codes somebody tried since when."""

    __tablename__ = "code_attempt"
    __table_args__ = (
        sa.CheckConstraint("attempts >= 0", name="code_attempt_count"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    user_id: str = Field(sa_type=Text, primary_key=True)
    since: datetime = Field(sa_type=Micros)
    attempts: int = Field(sa_type=Integer)


_P: Final = columns.table_of(PromotionRow)
_C: Final = columns.table_of(CodeRow)
_U: Final = columns.table_of(UseRow)
_A: Final = columns.table_of(AttemptRow)
_NAMES, _CODE_NAMES, _USE_NAMES = (tuple(column.name for column in table.c) for table in (_P, _C, _U))
_TOPUPS: Final = sa.table("topup", sa.column("user_id", Text), sa.column("credited", Integer))
_OFFERED: Final = (
    *("label", "kind", "amount", "starts_at", "ends_at", "amount_max", "uses_max", "code_uses_max", "user_uses_max"),
    *("countries", "first_only", "coins_min", "life_s"),
)


def insert(tx: Tx, promotion: Promotion, codes: Sequence[Code]) -> None:
    """Stores a promotion with its codes. A code that exists already is refused by its digest."""
    offered: dict[str, object] = {name: getattr(promotion.offered, name) for name in _OFFERED}
    own = {name: getattr(promotion, name) for name in ("id", "created_by", "reason", "created_at", "uses", "ended_at")}
    tx.run(_INSERT, **offered | own | {"countries": list(promotion.offered.countries)})
    tx.many(_INSERT_CODE, [{name: getattr(code, name) for name in _CODE_NAMES} for code in codes])


def has_code(tx: Tx, digests: Sequence[bytes]) -> bool:
    """Whether any of these codes exists."""
    return any(tx.one(_FIND_CODE, digest=digest) is not None for digest in digests)


def end(tx: Tx, promotion_id: str) -> None:
    """Ends a promotion; one that has ended stays as it is."""
    tx.run(_END, of=promotion_id, at=tx.now)


def find_by_code(tx: Tx, digest: bytes) -> tuple[Promotion, Code] | None:
    """The promotion that a code belongs to, or None. A unit of work that writes holds both from now on."""
    row = tx.one(_FIND_CODE, digest=digest)
    if row is None:
        return None
    promotion = tx.one(_GET, id=row[1])
    assert promotion is not None, "a code has its promotion"
    fresh = tx.one(_FIND_CODE, digest=digest)  # counted anew, now that nobody else counts
    assert fresh is not None, "codes are never deleted"
    return _promotion(promotion), Code(*fresh)


def get(tx: Tx, promotion_id: str) -> Promotion:
    """A promotion. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is none of this id.
    """
    row = tx.one(_GET, id=promotion_id)
    if row is None:
        raise errors.NotFoundError("There is no such promotion.", path=("input", "promotionId"))
    return _promotion(row)


def list_of(tx: Tx, promotion_ids: Sequence[str]) -> list[Promotion | None]:
    """Promotions by id in the order asked, None where there is none."""
    found = {row[0]: _promotion(row) for row in tx.all(_LIST, ids=list(promotion_ids))}
    return [found.get(each) for each in promotion_ids]


def list_of_page(tx: Tx, args: pages.PageArgs) -> list[Promotion]:
    """Up to one promotion more than the page holds, newest first. The key is `(id,)`."""
    params: dict[str, object] = {} if args.key is None else {"key": args.key[0]}
    statement = _PAGES[args.backward, args.key is not None]
    return [_promotion(row) for row in tx.all(statement, size=args.size + 1, **params)]


def slots(tx: Tx, promotion_id: str, user_id: str) -> frozenset[int]:
    """The numbers of the uses that somebody has of a promotion."""
    return frozenset(row[0] for row in tx.all(_SLOTS, promotion_id=promotion_id, user_id=user_id))


def has_bought(tx: Tx, user_id: str) -> bool:
    """Whether somebody ever paid for coins."""
    return tx.one(_BOUGHT, user_id=user_id) is not None


def has_claimed_first(tx: Tx, user_id: str) -> bool:
    """Whether a purchase of somebody's has a code that is for the first one only, and did not fail."""
    return tx.one(_CLAIMED_FIRST, user_id=user_id) is not None


def insert_use(tx: Tx, use: Use) -> None:
    """Stores a use; the database counts it, and refuses one beyond the limits."""
    tx.run(_INSERT_USE, **{name: getattr(use, name) for name in _USE_NAMES})


def follow(tx: Tx, topup_id: ids.TopupId, state: UseState) -> None:
    """Says where the use of a top-up stands. One that was given back, and whose place is taken, gets another.

    A top-up whose use went on to the one in its place, and that is paid after all, has what it was sold with; it is no
    use of its own.
    """
    row = tx.one(_OF_TOPUP, of=topup_id)
    if row is None:
        return
    use = Use(*row)
    taken = slots(tx, use.promotion_id, use.user_id) if use.state is UseState.RETURNED else frozenset()
    slot = max(taken) + 1 if use.slot in taken else use.slot
    tx.run(_FOLLOW, of=topup_id, state=state, place=slot)


def go_on(tx: Tx, topup_id: ids.TopupId, following: ids.TopupId) -> None:
    """Gives the use of a top-up to the one that goes on in its place."""
    tx.run(_GO_ON, of=topup_id, to=following)


def get_use(tx: Tx, use_id: str) -> Use:
    """A use."""
    row = tx.one(_GET_USE, id=use_id)
    assert row is not None, "a use that was stored is there"
    return Use(*row)


def count_attempt(tx: Tx, user_id: str) -> int:
    """Counts one more code that somebody tries, and gives how many that are in this window."""
    row = tx.one(_ATTEMPTS, user_id=user_id)
    if row is None:
        tx.run(_INSERT_ATTEMPT, user_id=user_id, since=tx.now, attempts=1)
        return 1
    since, attempts = row
    fresh = tx.now - since >= promotions.ATTEMPTS_WINDOW
    count = 1 if fresh else attempts + 1
    tx.run(_SET_ATTEMPTS, of=user_id, start=tx.now if fresh else since, count=count)
    return count


def forgive_attempt(tx: Tx, user_id: str) -> None:
    """Takes back the count of a code that was right."""
    tx.run(_FORGIVE, of=user_id)


def export_of_user(tx: Tx, user_id: str) -> list[dict[str, object]]:
    """What somebody used, as plain values."""
    return [
        {"promotion": use.promotion_id, "state": use.state.value, "coins": use.coins, "at": use.at.isoformat()}
        for use in (Use(*row) for row in tx.all(_OF_USER, user_id=user_id))
    ]


def erase_of_user(tx: Tx, user_id: str) -> None:
    """Forgets what somebody tried; their uses name nobody but an id."""
    tx.run(_FORGET, of=user_id)


def _promotion(row: Sequence[Any]) -> Promotion:
    values: Mapping[str, Any] = dict(zip(_NAMES, row, strict=True))
    offered = {name: values[name] for name in _OFFERED} | {"countries": tuple(values["countries"])}
    own = {name: values[name] for name in ("id", "created_by", "reason", "created_at", "uses", "ended_at")}
    return Promotion(offered=Offered(**offered), **own)


def _pages(*, backward: bool, after: bool) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        query = sa.select(*_P.c).limit(sa.bindparam("size")).order_by(_P.c.id.asc() if backward else _P.c.id.desc())
        if after:
            key = sa.bindparam("key", type_=Text)
            query = query.where(_P.c.id > key if backward else _P.c.id < key)
        return query

    return Statement(build)


_RETURNED: Final[sa.ColumnElement[Any]] = sa.literal_column(f"'{UseState.RETURNED}'")
_RESERVED: Final[sa.ColumnElement[Any]] = sa.literal_column(f"'{UseState.RESERVED}'")
_PAGES: Final = {(back, after): _pages(backward=back, after=after) for back in (False, True) for after in (False, True)}
_INSERT: Final = Statement[Any](lambda: sa.insert(_P).values({c.name: sa.bindparam(c.name) for c in _P.c}))
_INSERT_CODE: Final = Statement[Any](lambda: sa.insert(_C).values({c.name: sa.bindparam(c.name) for c in _C.c}))
_INSERT_USE: Final = Statement[Any](lambda: sa.insert(_U).values({c.name: sa.bindparam(c.name) for c in _U.c}))
_END: Final = Statement[Any](
    lambda: (
        sa.update(_P).where(_P.c.id == sa.bindparam("of"), _P.c.ended_at.is_(None)).values(ended_at=sa.bindparam("at"))
    )
)
_GET: Final = Statement[Any](lambda: sa.select(*_P.c).where(_P.c.id == sa.bindparam("id")), holds=_P)
_LIST: Final = Statement[Any](lambda: sa.select(*_P.c).where(columns.any_of(_P.c.id, "ids")))
_FIND_CODE: Final = Statement[Any](lambda: sa.select(*_C.c).where(_C.c.digest == sa.bindparam("digest")))
_SLOTS: Final = Statement[tuple[int]](
    lambda: sa.select(_U.c.slot).where(
        _U.c.promotion_id == sa.bindparam("promotion_id"),
        _U.c.user_id == sa.bindparam("user_id"),
        _U.c.state != _RETURNED,
    )
)
_BOUGHT: Final = Statement[Any](
    lambda: (
        sa.select(sa.literal_column("1"))
        .select_from(_TOPUPS)
        .where(_TOPUPS.c.user_id == sa.bindparam("user_id"), _TOPUPS.c.credited == sa.literal_column("1"))
        .limit(1)
    )
)
_CLAIMED_FIRST: Final = Statement[Any](
    lambda: (
        sa.select(sa.literal_column("1"))
        .select_from(_U.join(_P, _P.c.id == _U.c.promotion_id))
        .where(
            _U.c.user_id == sa.bindparam("user_id"),
            _U.c.topup_id.is_not(None),
            _U.c.state != _RETURNED,
            sa.type_coerce(_P.c.first_only, Integer) == sa.literal_column("1"),
        )
        .limit(1)
    )
)
_FOLLOW: Final = Statement[Any](
    lambda: (
        sa.update(_U)
        .where(_U.c.topup_id == sa.bindparam("of"))
        .values(state=sa.bindparam("state"), slot=sa.bindparam("place"))
    )
)
_OF_TOPUP: Final = Statement[Any](lambda: sa.select(*_U.c).where(_U.c.topup_id == sa.bindparam("of")), holds=_U)
_GO_ON: Final = Statement[Any](
    lambda: (
        sa.update(_U).where(_U.c.topup_id == sa.bindparam("of")).values(topup_id=sa.bindparam("to"), state=_RESERVED)
    )
)
_GET_USE: Final = Statement[Any](lambda: sa.select(*_U.c).where(_U.c.id == sa.bindparam("id")))
_OF_USER: Final = Statement[Any](
    lambda: sa.select(*_U.c).where(_U.c.user_id == sa.bindparam("user_id")).order_by(_U.c.id).limit(10_000)
)
_ATTEMPTS: Final = Statement[tuple[datetime, int]](
    lambda: sa.select(_A.c.since, _A.c.attempts).where(_A.c.user_id == sa.bindparam("user_id")), holds=_A
)
_INSERT_ATTEMPT: Final = Statement[Any](lambda: sa.insert(_A).values({c.name: sa.bindparam(c.name) for c in _A.c}))
_SET_ATTEMPTS: Final = Statement[Any](
    lambda: (
        sa.update(_A)
        .where(_A.c.user_id == sa.bindparam("of"))
        .values(since=sa.bindparam("start"), attempts=sa.bindparam("count"))
    )
)
_FORGIVE: Final = Statement[Any](
    lambda: (
        sa.update(_A)
        .where(_A.c.user_id == sa.bindparam("of"), _A.c.attempts > sa.literal_column("0"))
        .values(attempts=_A.c.attempts - sa.literal_column("1"))
    )
)
_FORGET: Final = Statement[Any](lambda: sa.delete(_A).where(_A.c.user_id == sa.bindparam("of")))
