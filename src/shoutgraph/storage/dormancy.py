"""Notices to those who do nothing, and the days on which was looked for them. Units: coins.

Notices name ids, times and codes only.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import ids
from shoutgraph.domain.dormancy import (
    Dormancy,
    DormancyState,
    StopCause,
)
from shoutgraph.domain.lapse_rules import (
    MONTHS_MAX,
    MONTHS_MIN,
    NOTICE_DAYS_MAX,
    NOTICE_DAYS_MIN,
    LapseOutcome,
    Rule,
)
from shoutgraph.domain.ledger import COIN
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

OF_USER_MAX: Final = 1_000
"""The most rows of one person that are read at once."""
_DAY_MICROS: Final = 86_400_000_000


class DormancyRow(SQLModel, table=True):
    """A notice. It pins the rule that it was given by, and ends once."""

    __tablename__: ClassVar[str] = "dormancy"
    __table_args__ = (
        one_of("outcome", LapseOutcome),
        one_of("state", DormancyState),
        one_of("cause", StopCause),
        sa.CheckConstraint(f"months BETWEEN {MONTHS_MIN} AND {MONTHS_MAX}", name="dormancy_months"),
        sa.CheckConstraint(
            f"lapses_at - noticed_at >= notice_days * {_DAY_MICROS}"
            f" AND notice_days BETWEEN {NOTICE_DAYS_MIN} AND {NOTICE_DAYS_MAX}",
            name="dormancy_notice",
        ),
        sa.CheckConstraint("coins > 0 AND inactive_since < noticed_at", name="dormancy_given"),
        sa.CheckConstraint(
            "(state = 'NOTICED') = (ended_at IS NULL) AND (state = 'STOPPED') = (cause IS NOT NULL)"
            " AND (state <> 'LAPSED' OR ended_at >= lapses_at)",
            name="dormancy_ended",
        ),
        sa.Index(
            "dormancy_one",
            "user_id",
            unique=True,
            sqlite_where=sa.text("state = 'NOTICED'"),
            postgresql_where=sa.text("state = 'NOTICED'"),
        ),
        sa.Index("dormancy_user", "user_id", "id"),
        columns.partial_index("dormancy_due", "lapses_at", where="state = 'NOTICED'"),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_column=sa.Column(Text, primary_key=True, nullable=False))
    user_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("users.id"), nullable=False))
    country: str = Field(sa_type=Text)
    outcome: LapseOutcome = Field(sa_type=Words(LapseOutcome))
    months: int = Field(sa_type=Integer)
    notice_days: int = Field(sa_type=Integer)
    policy_version: int = Field(sa_column=sa.Column(Integer, sa.ForeignKey("policy.version"), nullable=False))
    inactive_since: datetime = Field(sa_type=Micros)
    noticed_at: datetime = Field(sa_type=Micros)
    lapses_at: datetime = Field(sa_type=Micros)
    coins: int = Field(sa_type=Integer)
    state: DormancyState = Field(sa_type=Words(DormancyState))
    cause: StopCause | None = Field(sa_type=Words(StopCause))
    ended_at: datetime | None = Field(sa_type=Micros)


class DormancyDayRow(SQLModel, table=True):
    """A day on which everybody was looked at, and how many notices were given and ended then."""

    __tablename__: ClassVar[str] = "dormancy_day"
    __table_args__ = (
        sa.CheckConstraint("noticed >= 0 AND stopped >= 0", name="dormancy_day_counts"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    day: str = Field(sa_column=sa.Column(Text, primary_key=True, nullable=False))
    noticed: int = Field(sa_type=Integer)
    stopped: int = Field(sa_type=Integer)
    at: datetime = Field(sa_type=Micros)


_D: Final = columns.table_of(DormancyRow)
_DAY: Final = columns.table_of(DormancyDayRow)
_NAMES: Final = tuple(column.name for column in _D.c)


def insert(tx: Tx, dormancy: Dormancy) -> None:
    """Stores a notice. Whoever gives it holds the user."""
    rule = dormancy.rule
    values = {name: getattr(rule if name in Rule.__dataclass_fields__ else dormancy, name) for name in _NAMES}
    tx.run(_INSERT, **values)


def end(tx: Tx, dormancy: Dormancy) -> None:
    """Stores how a notice ended that is held."""
    changed = tx.run(_END, of=dormancy.id, to=dormancy.state, why=dormancy.cause, at=dormancy.ended_at)
    assert changed == 1, "a notice ends once"


def find_open(tx: Tx, user_id: str) -> Dormancy | None:
    """The notice that stands, or None. A unit of work that writes holds it from now on; its user comes first."""
    row = tx.one(_FIND_OPEN, user_id=user_id)
    return None if row is None else _dormancy(row)


def find_newest(tx: Tx, user_id: str) -> Dormancy | None:
    """The newest notice, whatever became of it, or None."""
    row = tx.one(_FIND_NEWEST, user_id=user_id)
    return None if row is None else _dormancy(row)


def list_of_open(tx: Tx, user_ids: Sequence[str]) -> dict[str, Dormancy]:
    """The notices that stand, by user; those whose owner did something meanwhile stand no more."""
    found = [_dormancy(row) for row in tx.all(_OPEN_OF, ids=list(user_ids))]
    active = list_of_last_active(tx, [each.user_id for each in found]) if found else {}
    return {each.user_id: each for each in found if active[each.user_id] <= each.inactive_since}


def list_of_due(tx: Tx, *, limit: int) -> list[Dormancy]:
    """The notices whose days are over, the longest over first."""
    return [_dormancy(row) for row in tx.all(_DUE, now=tx.now, size=limit)]


def list_of_page(tx: Tx, *, after: str, limit: int) -> list[Dormancy]:
    """The notices that stand, in the order of their users, after one."""
    return [_dormancy(row) for row in tx.all(_OPEN_PAGE, after=after, size=limit)]


def any_open(tx: Tx) -> bool:
    """Whether any notice stands."""
    return bool(tx.all(_OPEN_PAGE, after="", size=1))


def list_of_candidates(
    tx: Tx, country: str, *, before: datetime, after: str, limit: int
) -> tuple[list[ids.UserId], str | None]:
    """Users of a country who have bought coins that never lapsed, did nothing since a time, and have no notice.

    Of so many users after an id, whichever their country is, so that a look ends soon; and where to go on, if anywhere.
    """
    rows = tx.all(_CANDIDATES, country=country, before=before, after=after, size=limit)
    return [user_id for user_id, fits in rows if fits], rows[-1][0] if len(rows) == limit else None


def list_of_last_active(tx: Tx, user_ids: Sequence[str]) -> dict[str, datetime]:
    """When users did something the last time, or something was done for them that they had asked for."""
    found: dict[str, datetime] = {}
    for user_id, at in tx.all(_LAST_ACTIVE, ids=list(user_ids)):
        found[user_id] = max(at, found.get(user_id, at))
    return found


def was_looked(tx: Tx, day: str) -> bool:
    """Whether everybody was looked at on this day."""
    return tx.one(_FIND_DAY, day=day) is not None


def keep_day(tx: Tx, day: str, *, noticed: int, stopped: int) -> None:
    """Keeps that everybody was looked at; who comes second does nothing."""
    if not was_looked(tx, day):
        tx.run(_INSERT_DAY, day=day, noticed=noticed, stopped=stopped, at=tx.now)


def erase_of_user(tx: Tx, user_id: ids.UserId) -> None:
    """Blanks nothing: notices know ids, times and codes only."""


def export_of_user(tx: Tx, user_id: ids.UserId) -> list[dict[str, object]]:
    """The notices that somebody was given, as plain values."""
    found = [_dormancy(row) for row in tx.all(_OF_USER, user_id=user_id, size=OF_USER_MAX)]
    return [
        {
            "id": each.id,
            "state": each.state.value,
            "outcome": each.rule.outcome.value,
            "coins": each.coins,
            "noticed_at": each.noticed_at.isoformat(),
            "lapses_at": each.lapses_at.isoformat(),
            "ended_at": None if each.ended_at is None else each.ended_at.isoformat(),
        }
        for each in found
    ]


def _dormancy(row: Sequence[Any]) -> Dormancy:
    values = dict(zip(_NAMES, row, strict=True))
    rule = Rule(**{name: values.pop(name) for name in Rule.__dataclass_fields__})
    return Dormancy(rule=rule, **values)


def _table(name: str, *names: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(each) for each in names))


_ORDERS: Final = _table("orders", "fan_id", "submitted_at")
_TOPUP: Final = _table("topup", "user_id", "created_at")
_LAPSE: Final = _table("lapse", "lot_id")
_GIFT: Final = _table("gift", "user_id", "sent_at")
_CARD: Final = _table("gift_card", "buyer_id", "created_at")
_LOT: Final = _table("lot", "id", "account_id", "user_id", "remaining", "granted_at")
_ACCOUNT: Final = _table("account", "id", "asset")
_CREATOR: Final = _table("creator", "id", "user_id")
_EARNING: Final = _table("earning", "creator_id", "earned_at")
_PAYOUT: Final = _table("payout", "creator_id", "created_at")
_GUARD: Final = _table("spending_guard", "user_id", "excluded_until", "paused_until")
_REQUEST: Final = _table("request", "principal", "at")
_USERS: Final = _table("users", "id", "country", "created_at", "locked", "closed_at", "erased_at")
_OPEN: Final = _D.c.state == sa.literal_column(f"'{DormancyState.NOTICED}'")


def _deeds() -> list[tuple[sa.FromClause, sa.ColumnElement[Any], sa.ColumnElement[Any], sa.ColumnElement[bool]]]:
    """Everything that shows that a user was there: of which rows, whose, when, and of these only some."""
    of_creator = {each: each.join(_CREATOR, _CREATOR.c.id == each.c.creator_id) for each in (_EARNING, _PAYOUT)}
    there = _D.c.cause.in_([sa.literal_column(f"'{cause}'") for cause in (StopCause.KEPT, StopCause.ACTIVE)])
    all_of_them = sa.true()
    return [
        (_ORDERS, _ORDERS.c.fan_id, _ORDERS.c.submitted_at, all_of_them),
        (_TOPUP, _TOPUP.c.user_id, _TOPUP.c.created_at, all_of_them),
        (_GIFT, _GIFT.c.user_id, _GIFT.c.sent_at, all_of_them),
        (_CARD, _CARD.c.buyer_id, _CARD.c.created_at, all_of_them),
        (_LOT, _LOT.c.user_id, _LOT.c.granted_at, all_of_them),
        (of_creator[_EARNING], _CREATOR.c.user_id, _EARNING.c.earned_at, all_of_them),
        (of_creator[_PAYOUT], _CREATOR.c.user_id, _PAYOUT.c.created_at, all_of_them),
        (_GUARD, _GUARD.c.user_id, _GUARD.c.excluded_until, all_of_them),
        (_GUARD, _GUARD.c.user_id, _GUARD.c.paused_until, all_of_them),
        (_REQUEST, _REQUEST.c.principal, _REQUEST.c.at, all_of_them),
        (_D, _D.c.user_id, sa.type_coerce(_D.c.ended_at, Integer), there),
        (_USERS, _USERS.c.id, _USERS.c.created_at, all_of_them),
    ]


def _last_active() -> sa.ClauseElement:
    newest = [
        sa.select(whose.label("id"), sa.type_coerce(sa.func.max(at), Micros))
        .select_from(rows)
        .where(columns.any_of(sa.type_coerce(whose, Text), "ids"), some, at.is_not(None))
        .group_by(whose)
        for rows, whose, at, some in _deeds()
    ]
    return sa.union_all(*newest)


def _candidates() -> sa.ClauseElement:
    before: sa.ColumnElement[Any] = sa.bindparam("before", type_=Micros)
    zero: sa.ColumnElement[Any] = sa.literal_column("0")
    page = sa.select(*_USERS.c).where(_USERS.c.id > sa.bindparam("after", type_=Text)).order_by(_USERS.c.id)
    users = page.limit(sa.bindparam("size")).subquery("candidate")
    since = [
        sa.select(sa.literal_column("1")).select_from(rows).where(whose == users.c.id, at > before, some).exists()
        for rows, whose, at, some in _deeds()
    ]
    lapsed = sa.exists().where(_LAPSE.c.lot_id == _LOT.c.id)
    bought = (
        sa.select(_LOT.c.id)
        .join_from(_LOT, _ACCOUNT, _ACCOUNT.c.id == _LOT.c.account_id)
        .where(
            _LOT.c.user_id == users.c.id,
            _LOT.c.remaining > zero,
            _ACCOUNT.c.asset == sa.literal_column(f"'{COIN}'"),
            ~lapsed,
        )
    )
    fits = sa.and_(
        users.c.country == sa.bindparam("country", type_=Text),
        users.c.locked == zero,
        users.c.closed_at.is_(None),
        users.c.erased_at.is_(None),
        bought.exists(),
        ~sa.exists().where(_D.c.user_id == users.c.id, _OPEN),
        *(~each for each in since),
    )
    return sa.select(users.c.id, sa.case((fits, sa.literal_column("1")), else_=zero)).order_by(users.c.id)


_INSERT: Final = Statement[Any](lambda: sa.insert(_D).values({c.name: sa.bindparam(c.name) for c in _D.c}))
_END: Final = Statement[Any](
    lambda: (
        sa.update(_D)
        .where(_D.c.id == sa.bindparam("of"), _OPEN)
        .values(state=sa.bindparam("to"), cause=sa.bindparam("why"), ended_at=sa.bindparam("at"))
    )
)
_FIND_OPEN: Final = Statement[Any](
    lambda: sa.select(*_D.c).where(_D.c.user_id == sa.bindparam("user_id"), _OPEN), holds=_D
)
_FIND_NEWEST: Final = Statement[Any](
    lambda: sa.select(*_D.c).where(_D.c.user_id == sa.bindparam("user_id")).order_by(_D.c.id.desc()).limit(1)
)
_OPEN_OF: Final = Statement[Any](lambda: sa.select(*_D.c).where(columns.any_of(_D.c.user_id, "ids"), _OPEN))
_DUE: Final = Statement[Any](
    lambda: (
        sa.select(*_D.c)
        .where(_OPEN, _D.c.lapses_at <= sa.bindparam("now"))
        .order_by(_D.c.lapses_at)
        .limit(sa.bindparam("size"))
    )
)
_OPEN_PAGE: Final = Statement[Any](
    lambda: (
        sa.select(*_D.c)
        .where(_OPEN, _D.c.user_id > sa.bindparam("after"))
        .order_by(_D.c.user_id)
        .limit(sa.bindparam("size"))
    )
)
_OF_USER: Final = Statement[Any](
    lambda: (
        sa.select(*_D.c).where(_D.c.user_id == sa.bindparam("user_id")).order_by(_D.c.id).limit(sa.bindparam("size"))
    )
)
_CANDIDATES: Final = Statement[tuple[ids.UserId, int]](_candidates)
_LAST_ACTIVE: Final = Statement[tuple[str, datetime]](_last_active)
_FIND_DAY: Final = Statement[tuple[str]](lambda: sa.select(_DAY.c.day).where(_DAY.c.day == sa.bindparam("day")))
_INSERT_DAY: Final = Statement[Any](lambda: sa.insert(_DAY).values({c.name: sa.bindparam(c.name) for c in _DAY.c}))
