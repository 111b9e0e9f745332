"""How people guard themselves, and what they spent in a window. Units: coins, or minor units of a currency.

Sums are read from orders, gifts and top-ups themselves, by an index each: there is no second count that could differ.
Whoever goes by one holds the wallet, or the user for purchases, so that nobody else spends beside.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import ids, spending
from shoutgraph.domain.spending import Bought, Guard, Limits, Standing
from shoutgraph.storage import ages, columns, gifts, orders, statements, topups, users
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class SpendingGuardRow(SQLModel, table=True):
    """Limits that count, those that follow, and pauses. No row: none was ever set. A pause is never made shorter."""

    __tablename__ = "spending_guard"
    __table_args__ = (
        sa.CheckConstraint("revision > 0", name="spending_guard_revision"),
        sa.CheckConstraint(
            "(currency IS NULL) = (day_minor IS NULL AND week_minor IS NULL)", name="spending_guard_currency"
        ),
        sa.CheckConstraint(
            "(next_currency IS NULL) = (next_day_minor IS NULL AND next_week_minor IS NULL)",
            name="spending_guard_next_currency",
        ),
        sa.CheckConstraint("(review_at IS NULL) = (review_code IS NULL)", name="spending_guard_review"),
        columns.partial_index("spending_guard_waiting", "review_at", where="review_at IS NOT NULL"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    user_id: str = Field(sa_type=Text, foreign_key="users.id", primary_key=True)
    revision: int = Field(sa_type=Integer)
    day_coins: int | None = Field(sa_type=Integer)
    week_coins: int | None = Field(sa_type=Integer)
    day_minor: int | None = Field(sa_type=Integer)
    week_minor: int | None = Field(sa_type=Integer)
    currency: str | None = Field(sa_type=Text)
    next_day_coins: int | None = Field(sa_type=Integer)
    next_week_coins: int | None = Field(sa_type=Integer)
    next_day_minor: int | None = Field(sa_type=Integer)
    next_week_minor: int | None = Field(sa_type=Integer)
    next_currency: str | None = Field(sa_type=Text)
    next_at: datetime | None = Field(sa_type=Micros)
    paused_until: datetime | None = Field(sa_type=Micros)
    excluded_until: datetime | None = Field(sa_type=Micros)
    review_at: datetime | None = Field(sa_type=Micros)
    review_code: str | None = Field(sa_type=Text)
    cleared_at: datetime | None = Field(sa_type=Micros)


_T: Final = columns.table_of(SpendingGuardRow)
_COLUMNS: Final = tuple(_T.c)
USERS: Final = columns.table_of(users.UserRow)
_BIRTH: Final = columns.table_of(ages.BirthRow)
_ORDER: Final = columns.table_of(orders.OrderRow)
_GIFT: Final = columns.table_of(gifts.GiftRow)
_TOPUP: Final = columns.table_of(topups.TopupRow)


def get(tx: Tx, user_id: ids.UserId) -> Guard:
    """How a person guards themselves; a new guard where they never did. Whoever changes it holds the user."""
    row = tx.one(_GET, user_id=user_id)
    return spending.new(user_id) if row is None else _guard(row)


def save(tx: Tx, guard: Guard) -> None:
    """Stores what a guard is now. The user is held."""
    following = guard.following or spending.NO_LIMITS
    names = ("day_coins", "week_coins", "day_minor", "week_minor", "currency")
    plain = ("user_id", "revision", "paused_until", "excluded_until", "review_at", "review_code", "cleared_at")
    values = {name: getattr(guard.limits, name) for name in names}
    values |= {f"next_{name}": getattr(following, name) for name in names}
    values |= {name: getattr(guard, name) for name in plain}
    tx.put(_SAVE, next_at=guard.following_at, **values)


def standing(tx: Tx, user_id: ids.UserId) -> Standing:
    """What somebody spent until now, and how they guard themselves. Whoever goes by it holds their wallet."""
    row = tx.one(_STANDING, **windows(tx, user_id))
    assert row is not None, "who spends is a user"
    return read_standing(user_id, row)


def read_standing(user_id: ids.UserId, row: Sequence[Any]) -> Standing:
    """Somebody's standing, read by `STANDING_COLUMNS`."""
    (
        country,
        born_on,
        locked,
        closed_at,
        day_orders,
        day_gifts,
        week_orders,
        week_gifts,
        hour_orders,
        minute_gifts,
        *kept,
    ) = row
    return Standing(
        guard=spending.new(user_id) if kept[0] is None else _guard(kept),
        country=country,
        born_on=born_on,
        locked=locked,
        closed_at=closed_at,
        day_coins=day_orders + day_gifts,
        week_coins=week_orders + week_gifts,
        day_gift_coins=day_gifts,
        hour_orders=hour_orders,
        minute_gifts=minute_gifts,
    )


def foresee_standing(tx: Tx, user_id: ids.UserId) -> None:
    """Asks ahead what `standing` will ask."""
    tx.foresee(_STANDING, **windows(tx, user_id))


def windows(tx: Tx, user_id: str) -> dict[str, object]:
    """What `STANDING_COLUMNS` are read with: whose they are, and since when it counts."""
    now = tx.now
    spans = {"day": spending.DAY, "week": spending.WEEK, "hour": spending.HOUR, "minute": spending.MINUTE}
    return {"user_id": user_id} | {name: now - span for name, span in spans.items()}


def bought(tx: Tx, user_id: ids.UserId, currency: str, *, cleared_at: datetime | None) -> Bought:
    """What somebody bought of one currency until now. Whoever goes by it holds the user."""
    day = tx.now - spending.DAY
    fast = day if cleared_at is None else max(day, cleared_at)
    row = tx.one(_BOUGHT, user_id=user_id, currency=currency, day=day, week=tx.now - spending.WEEK, fast=fast)
    assert row is not None, "an aggregate has one row"
    return Bought(*row)


def list_of_spent(tx: Tx, user_id: ids.UserId, *, since: datetime) -> list[tuple[datetime, int]]:
    """When a person ordered and gave since a time and for how many coins, the oldest first."""
    return [(at, coins) for at, coins in tx.all(_SPENT, user_id=user_id, since=since, size=spending.HISTORY_MAX)]


def list_of_bought(tx: Tx, user_id: ids.UserId, currency: str, *, since: datetime) -> list[tuple[datetime, int]]:
    """When a person bought since a time and for how much, the oldest first."""
    found = tx.all(_PURCHASES, user_id=user_id, currency=currency, since=since, size=spending.HISTORY_MAX)
    return [(at, minor) for at, minor in found]


def list_of_waiting(tx: Tx) -> list[Guard]:
    """Whose purchases wait for somebody's look, the longest waiting first."""
    return [_guard(row) for row in tx.all(_WAITING, size=spending.REVIEWS_MAX)]


def erase_of_user(tx: Tx, user_id: ids.UserId) -> None:
    """Forgets the limits of a person. A self-exclusion stays until its end: erasing is no way around it."""
    tx.put(_ERASE, user_id=user_id)


def export_of_user(tx: Tx, user_id: ids.UserId) -> dict[str, Any]:
    """What is kept of how a person guards themselves."""
    row = tx.one(_GET, user_id=user_id)
    return {} if row is None else dict(zip((column.name for column in _COLUMNS), row, strict=True))


def _guard(row: Any) -> Guard:  # noqa: ANN401 - a row
    user_id, revision, *amounts = row[:12]
    at, paused, excluded, review_at, review_code, cleared_at = row[12:]
    following = None if at is None else Limits(*amounts[5:])
    return Guard(
        user_id=user_id,
        revision=revision,
        limits=Limits(*amounts[:5]),
        following=following,
        following_at=at,
        paused_until=paused,
        excluded_until=excluded,
        review_at=review_at,
        review_code=review_code,
        cleared_at=cleared_at,
    )


def _sum(value: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(value), sa.literal_column("0")), Integer)


def _since(at: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    return at > sa.bindparam(name, type_=Micros)


_OWN_ORDER: Final = _ORDER.c.fan_id == sa.bindparam("user_id")
_OWN_GIFT: Final = _GIFT.c.user_id == sa.bindparam("user_id")
_KEPT: Final = _ORDER.c.price_coins - _ORDER.c.refunded_coins
"""What an order took and did not give back."""
_OWN_TOPUP: Final = _TOPUP.c.user_id == sa.bindparam("user_id")
_STAYED: Final = _TOPUP.c.price_minor - _TOPUP.c.reversed_minor


def _of_orders(what: sa.ColumnElement[int], since: str) -> sa.ScalarSelect[int]:
    return sa.select(what).where(_OWN_ORDER, _since(_ORDER.c.submitted_at, since)).scalar_subquery()


def _of_gifts(what: sa.ColumnElement[int], since: str) -> sa.ScalarSelect[int]:
    return sa.select(what).where(_OWN_GIFT, _since(_GIFT.c.sent_at, since)).scalar_subquery()


STANDING_COLUMNS: Final = (
    USERS.c.country,
    _BIRTH.c.born_on,
    USERS.c.locked,
    USERS.c.closed_at,
    _of_orders(_sum(_KEPT), "day").label("day_orders"),
    _of_gifts(_sum(_GIFT.c.coins), "day").label("day_gifts"),
    _of_orders(_sum(_KEPT), "week").label("week_orders"),
    _of_gifts(_sum(_GIFT.c.coins), "week").label("week_gifts"),
    _of_orders(sa.func.count(), "hour").label("hour_orders"),
    _of_gifts(sa.func.count(), "minute").label("minute_gifts"),
    *_COLUMNS,
)


def join_guard(users: sa.FromClause) -> sa.FromClause:
    """Joins to users what else `STANDING_COLUMNS` are read from."""
    born = users.outerjoin(_BIRTH, _BIRTH.c.user_id == USERS.c.id)
    return born.outerjoin(_T, _T.c.user_id == USERS.c.id)


def _standing() -> sa.ClauseElement:
    query = sa.select(*STANDING_COLUMNS).select_from(join_guard(USERS))
    return query.where(USERS.c.id == sa.bindparam("user_id"))


def _bought() -> sa.ClauseElement:
    """Sums of what did not fail and stayed, and of all that was begun, once for each purchase."""
    stays = sa.and_(_TOPUP.c.currency == sa.bindparam("currency"), _TOPUP.c.status != sa.literal_column("'FAILED'"))
    day, fast = _since(_TOPUP.c.created_at, "day"), _since(_TOPUP.c.created_at, "fast")
    none: sa.ColumnElement[int] = sa.literal_column("0", Integer)
    return sa.select(
        _sum(sa.case((sa.and_(stays, day), _STAYED), else_=none)),
        _sum(sa.case((stays, _STAYED), else_=none)),
        _sum(sa.case((sa.and_(fast, _TOPUP.c.follows.is_(None)), sa.literal_column("1")), else_=none)),
        _sum(sa.case((sa.and_(stays, fast), _STAYED), else_=none)),
    ).where(_OWN_TOPUP, _since(_TOPUP.c.created_at, "week"))


def _spent() -> sa.ClauseElement:
    both = sa.union_all(
        sa.select(_ORDER.c.submitted_at.label("at"), _KEPT.label("coins")).where(
            _OWN_ORDER, _since(_ORDER.c.submitted_at, "since")
        ),
        sa.select(_GIFT.c.sent_at, _GIFT.c.coins).where(_OWN_GIFT, _since(_GIFT.c.sent_at, "since")),
    ).subquery()
    return sa.select(both.c.at, both.c.coins).order_by(both.c.at).limit(sa.bindparam("size"))


_GET: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(_T.c.user_id == sa.bindparam("user_id")))
_SAVE: Final = Statement[Any](lambda: statements.upsert(_T, "user_id"))
_STANDING: Final = Statement[Any](_standing)
_BOUGHT: Final = Statement[Any](_bought)
_SPENT: Final = Statement[tuple[datetime, int]](_spent)
_PURCHASES: Final = Statement[tuple[datetime, int]](
    lambda: (
        sa.select(_TOPUP.c.created_at, _STAYED)
        .where(
            _OWN_TOPUP,
            _since(_TOPUP.c.created_at, "since"),
            _TOPUP.c.currency == sa.bindparam("currency"),
            _TOPUP.c.status != sa.literal_column("'FAILED'"),
        )
        .order_by(_TOPUP.c.created_at)
        .limit(sa.bindparam("size"))
    )
)
_WAITING: Final = Statement[Any](
    lambda: sa.select(*_COLUMNS).where(_T.c.review_at.is_not(None)).order_by(_T.c.review_at).limit(sa.bindparam("size"))
)
_LIMITS: Final = ("day_coins", "week_coins", "day_minor", "week_minor", "currency")
_ERASE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.user_id == sa.bindparam("user_id"))
        .values(
            revision=_T.c.revision + 1,
            next_at=None,
            **{f"{way}{name}": None for name in _LIMITS for way in ("", "next_")},
        )
    )
)
