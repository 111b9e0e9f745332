"""Top-ups.

The database keeps the money's side of a top-up honest by itself: totals only grow, what was agreed never changes, and
nothing is marked as credited unless exactly the price arrived. Units: minor units, coins, book units.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import clock, errors, ids, leases, pages
from shoutgraph.domain.leases import Lease
from shoutgraph.domain.packages import Platform
from shoutgraph.domain.topups.polling import Due
from shoutgraph.domain.topups.topup import (
    Action,
    ActionKind,
    Booked,
    Payload,
    Review,
    Status,
    Submission,
    Terms,
    Topup,
    TopupFilter,
    Totals,
)
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, JsonText, Micros, Text, Truth, Words, one_of, truth
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

CLAIM_MAX: Final = 100
"""The most top-ups that one unit of work claims."""


class TopupRow(SQLModel, table=True):
    """A purchase of coins as it stands."""

    __tablename__ = "topup"
    __table_args__ = (
        sa.CheckConstraint("revision > 0 AND attempts > 0 AND looks >= 0", name="topup_counts"),
        sa.CheckConstraint("coins > 0 AND bonus_coins >= 0 AND price_minor > 0", name="topup_terms"),
        sa.CheckConstraint("credited = 0 OR settled_minor = price_minor", name="topup_credit"),
        sa.CheckConstraint("reversed_minor BETWEEN 0 AND price_minor", name="topup_reversed_minor"),
        sa.CheckConstraint("reversed_coins BETWEEN 0 AND coins", name="topup_reversed_coins"),
        one_of("platform", Platform),
        one_of("status", Status),
        one_of("submission", Submission),
        truth("credited"),
        truth("retryable"),
        truth("expired"),
        sa.Index("topup_user", "user_id", "id"),
        sa.Index("topup_bought", "user_id", "created_at"),
        sa.Index("topup_status", "status", "id"),
        columns.partial_index("topup_look", "look_at", where="look_at IS NOT NULL"),
        columns.partial_index("topup_unresolved", "id", where="review IS NOT NULL OR submission = 'UNKNOWN'"),
        sa.Index(
            "topup_ref",
            "instance",
            "ref",
            unique=True,
            sqlite_where=sa.text("ref IS NOT NULL"),
            postgresql_where=sa.text("ref IS NOT NULL"),
        ),
        sa.Index(
            "topup_follows",
            "follows",
            unique=True,
            sqlite_where=sa.text("follows IS NOT NULL"),
            postgresql_where=sa.text("follows IS NOT NULL"),
        ),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    revision: int = Field(sa_type=Integer)
    user_id: str = Field(sa_type=Text)
    instance: str = Field(sa_type=Text)
    package_id: str | None = Field(sa_type=Text)
    coins: int = Field(sa_type=Integer)
    bonus_coins: int = Field(sa_type=Integer)
    price_minor: int = Field(sa_type=Integer)
    currency: str = Field(sa_type=Text)
    book_units: int = Field(sa_type=Integer)
    country: str = Field(sa_type=Text)
    platform: Platform = Field(sa_type=Words(Platform))
    payload: list[str] = Field(sa_type=JsonText)
    created_at: datetime = Field(sa_type=Micros)
    updated_at: datetime = Field(sa_type=Micros)
    first_sent_at: datetime = Field(sa_type=Micros)
    answer_due_at: datetime = Field(sa_type=Micros)
    submission: Submission = Field(sa_type=Words(Submission))
    attempts: int = Field(sa_type=Integer)
    ref: str | None = Field(sa_type=Text)
    settled_minor: int = Field(sa_type=Integer)
    refunded_minor: int = Field(sa_type=Integer)
    disputed_minor: int = Field(sa_type=Integer)
    won_minor: int = Field(sa_type=Integer)
    lost_minor: int = Field(sa_type=Integer)
    fee_currency: str = Field(sa_type=Text)
    fee_minor: int = Field(sa_type=Integer)
    credited: bool = Field(sa_type=Truth)
    booked_refunded_minor: int = Field(sa_type=Integer)
    booked_disputed_minor: int = Field(sa_type=Integer)
    booked_fee_minor: int = Field(sa_type=Integer)
    reversed_minor: int = Field(sa_type=Integer)
    reversed_coins: int = Field(sa_type=Integer)
    reversed_book_units: int = Field(sa_type=Integer)
    action: dict[str, object] | None = Field(sa_type=JsonText)
    expires_at: datetime | None = Field(sa_type=Micros)
    phase_at: datetime | None = Field(sa_type=Micros)
    poll_after: int | None = Field(sa_type=Integer)
    declined_code: str | None = Field(sa_type=Text)
    retryable: bool = Field(sa_type=Truth)
    expired: bool = Field(sa_type=Truth)
    review: Review | None = Field(sa_type=Words(Review))
    status: Status = Field(sa_type=Words(Status))
    look_at: datetime | None = Field(sa_type=Micros)
    looks: int = Field(sa_type=Integer)
    leased_until: datetime | None = Field(sa_type=Micros)
    follows: str | None = Field(sa_type=Text)
    refunds_failed_minor: int = Field(sa_column=sa.Column(Integer, server_default=sa.text("0"), nullable=False))
    price_id: str | None = Field(sa_type=Text)
    rate_version: int | None = Field(sa_type=Integer)
    spread_bps: int = Field(sa_column=sa.Column(Integer, server_default=sa.text("0"), nullable=False))
    promotion_id: str | None = Field(sa_type=Text)
    discount_minor: int = Field(sa_column=sa.Column(Integer, server_default=sa.text("0"), nullable=False))
    bonus_s: int | None = Field(sa_type=Integer)
    booked_refunds_failed_minor: int = Field(sa_column=sa.Column(Integer, server_default=sa.text("0"), nullable=False))
    as_card: bool = Field(sa_column=sa.Column(Truth, truth("as_card"), server_default=sa.text("0"), nullable=False))


_T: Final = columns.table_of(TopupRow)
_JOB: Final = ("look_at", "looks", "leased_until")
_COLUMNS: Final = tuple(column for column in _T.c if column.name not in {"status", *_JOB})
_NAMES: Final = tuple(column.name for column in _COLUMNS)


def insert(tx: Tx, topup: Topup, *, look_at: datetime) -> None:
    """Stores a new top-up, to be looked at when its answer is overdue."""
    tx.put(_INSERT, **_params(topup), look_at=look_at, looks=0, leased_until=None)


def save(tx: Tx, topup: Topup) -> None:
    """Stores what a top-up is now; its status follows."""
    values = _params(topup)
    changed = tx.run(_SAVE, of=values.pop("id"), **values)
    assert changed == 1, "a top-up that was read is there"


def schedule(
    tx: Tx, topup_id: ids.TopupId, *, look_at: datetime | None, looks: int, lease: Lease | None = None
) -> None:
    """Says when to look next.

    Args:
        lease: whoever looked gives it back; if it has run out and is another's now, that one says when. A hint that
            came meanwhile stays: the look may have been too early for what it hints at.
    """
    if lease is None:
        tx.put(_SCHEDULE, of=topup_id, at=look_at, count=looks)
    else:
        tx.put(_LOOKED, of=topup_id, at=look_at, count=looks, since=lease.since, until=lease.until, now=tx.now)


def look_soon(tx: Tx, topup_id: ids.TopupId) -> None:
    """Asks for a look now, because the provider hinted at something."""
    tx.put(_LOOK_SOON, of=topup_id, at=tx.now)


def claim_due(tx: Tx, *, lease: timedelta, limit: int) -> tuple[Due, ...]:
    """Leases top-ups that are due for a look, the longest due first; nobody else gets them until the lease is over."""
    ours = leases.taken(tx.now, lasting=lease)
    rows = tx.all(_CLAIM, now=ours.since, until=ours.until, size=min(limit, CLAIM_MAX))
    return tuple(Due(_topup(row[:-1]), row[-1], ours) for row in rows)


def find_next_due(tx: Tx) -> datetime | None:
    """When the next look is due, or None."""
    row = tx.one(_NEXT_DUE)
    return row[0] if row else None


def get(tx: Tx, topup_id: str) -> Topup:
    """A top-up, for jobs and providers' notices. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is no such top-up.
    """
    row = tx.one(_GET, id=topup_id)
    if row is None:
        raise errors.NotFoundError("There is no such top-up.", path=("input", "topUpId"))
    return _topup(row)


def find_by_target(tx: Tx, *, instance: str, topup_id: str, ref: str | None) -> Topup | None:
    """The top-up that a provider speaks of: by our id, else by its own reference; only one of this instance.

    A unit of work that writes holds it from now on.
    """
    row = tx.one(_GET, id=topup_id)
    if row is None and ref is not None:
        row = tx.one(_GET_BY_REF, instance=instance, ref=ref)
    found = None if row is None else _topup(row)
    return found if found is not None and found.instance == instance else None


def find_by_ref(tx: Tx, *, instance: str, ref: str) -> Topup | None:
    """The top-up that a provider's reference belongs to, or None. It is not held: a reference is unique."""
    row = tx.one(_FIND_BY_REF, instance=instance, ref=ref)
    return None if row is None else _topup(row)


def find_by_followed(tx: Tx, topup_id: ids.TopupId) -> Topup | None:
    """The top-up that went on in the place of this one, or None. It is not held: there is one at most, for ever."""
    row = tx.one(_FIND_BY_FOLLOWED, of=topup_id)
    return None if row is None else _topup(row)


def list_visible(tx: Tx, topup_ids: Sequence[str], viewer: Viewer) -> list[Topup | None]:
    """Top-ups by id in the order asked, None where there is none that this viewer may see."""
    found = {row[0]: _topup(row) for row in tx.all(_LIST, ids=list(topup_ids))}
    return [topup if (topup := found.get(i)) and visible(topup, viewer) else None for i in topup_ids]


def visible(topup: Topup, viewer: Viewer) -> bool:
    """Whether it is the viewer's own, or the viewer reads finances."""
    return topup.user_id == viewer.user_id or viewer.has(Scope.FINANCE_READ)


def list_of_page(tx: Tx, args: pages.PageArgs, only: TopupFilter) -> list[Topup]:
    """Up to one top-up more than the page holds, newest first, in the direction asked. The key is `(id,)`."""
    params: dict[str, object] = {}
    if only.user_id is not None:
        params["user_id"] = only.user_id
    if only.statuses:
        params["statuses"] = only.statuses
    if args.key is not None:
        params["key"] = args.key[0]
    statement = _page(frozenset(params), args.backward)
    return [_topup(row) for row in tx.all(statement, size=args.size + 1, **params)]


def list_of_instances_in_use(tx: Tx) -> tuple[str, ...]:
    """The instances that money is in flight with: readiness asks for their plugins."""
    return tuple(row[0] for row in tx.all(_IN_USE))


def _params(topup: Topup) -> dict[str, Any]:
    own = {name: getattr(topup, name) for name in _OWN}
    action = topup.action
    return own | {
        **dict(zip(_TERMS, _terms_of(topup.terms), strict=True)),
        **dict(zip(_TOTALS, _totals_of(topup.totals), strict=True)),
        **dict(zip(_BOOKED, _booked_of(topup.booked), strict=True)),
        "payload": list(_payload_of(topup.payload)),
        "action": None if action is None else {"kind": action.kind, "lines": list(action.lines), "qr": action.qr},
        "poll_after": None if topup.poll_after is None else topup.poll_after // clock.MICROSECOND,
        "status": topup.status,
    }


def _topup(row: Sequence[Any]) -> Topup:
    values: Mapping[str, Any] = dict(zip(_NAMES, row, strict=True))
    action, poll_after = values["action"], values["poll_after"]
    return Topup(
        **{name: values[name] for name in _OWN},
        terms=Terms(*(values[name] for name in _TERMS)),
        totals=Totals(*(values[name] for name in _TOTALS)),
        booked=Booked(*(values[name] for name in _BOOKED)),
        payload=Payload(*values["payload"]),
        action=None if action is None else Action(ActionKind(action["kind"]), tuple(action["lines"]), action["qr"]),
        poll_after=None if poll_after is None else poll_after * clock.MICROSECOND,
    )


def _taker(of: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads all fields of a flat value; `astuple` would copy each."""
    taker: Callable[[Any], tuple[Any, ...]] = attrgetter(*(each.name for each in fields(of)))
    return taker


_terms_of: Final = _taker(Terms)
_totals_of: Final = _taker(Totals)
_booked_of: Final = _taker(Booked)
_payload_of: Final = _taker(Payload)
_TERMS: Final = tuple(each.name for each in fields(Terms))
_TOTALS: Final = tuple(each.name for each in fields(Totals))
_BOOKED: Final = (
    "credited",
    "booked_refunded_minor",
    "booked_disputed_minor",
    "booked_fee_minor",
    "reversed_minor",
    "reversed_coins",
    "reversed_book_units",
    "booked_refunds_failed_minor",
)
_OWN: Final = tuple(
    name for name in _NAMES if name not in {*_TERMS, *_TOTALS, *_BOOKED, "payload", "action", "poll_after"}
)
_IN_FLIGHT: Final = (
    Status.CREATED,
    Status.PROCESSING,
    Status.ACTION_REQUIRED,
    Status.PENDING,
    Status.NEEDS_REVIEW,
    Status.DISPUTED,
)


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
        .with_for_update(skip_locked=True, key_share=True)
        .cte("due")  # so that it is taken once, whatever the plan
    )
    leased = sa.update(_T).where(_T.c.id.in_(sa.select(due.c.id))).values(leased_until=sa.bindparam("until"))
    return leased.returning(*_COLUMNS, _T.c.looks)


@cache
def _page(given: frozenset[str], backward: bool) -> Statement[Any]:  # noqa: FBT001 - part of a cache key
    def build() -> sa.ClauseElement:
        query = sa.select(*_COLUMNS).limit(sa.bindparam("size"))
        query = query.order_by(_T.c.id.asc() if backward else _T.c.id.desc())
        if "key" in given:
            key = sa.bindparam("key", type_=Text)
            query = query.where(_T.c.id > key if backward else _T.c.id < key)
        return query.where(*(condition() for name, condition in _FILTERS.items() if name in given))

    return Statement(build)


_FILTERS: Final[dict[str, Callable[[], sa.ColumnElement[bool]]]] = {
    "user_id": lambda: _T.c.user_id == sa.bindparam("user_id"),
    "statuses": lambda: columns.any_of(_T.c.status, "statuses"),
}
_ONE: Final = _T.c.id == sa.bindparam("of")
_SAVED: Final = (*_NAMES[1:], "status")

_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_SAVE: Final = Statement[Any](lambda: sa.update(_T).where(_ONE).values({name: sa.bindparam(name) for name in _SAVED}))
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
_LOOK_SOON: Final = Statement[Any](lambda: sa.update(_T).where(_ONE).values(look_at=sa.bindparam("at")))
_CLAIM: Final = Statement[Any](_claim)
_NEXT_DUE: Final = Statement[tuple[datetime]](
    lambda: sa.select(_T.c.look_at).where(_T.c.look_at.is_not(None)).order_by(_T.c.look_at).limit(1)
)
_GET: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(_T.c.id == sa.bindparam("id")), holds=_T)


def _of_ref() -> sa.ClauseElement:
    return sa.select(*_COLUMNS).where(_T.c.instance == sa.bindparam("instance"), _T.c.ref == sa.bindparam("ref"))


_FIND_BY_FOLLOWED: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(_T.c.follows == sa.bindparam("of")))
_FIND_BY_REF: Final = Statement[Any](_of_ref)
_GET_BY_REF: Final = Statement[Any](_of_ref, holds=_T)
_LIST: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(columns.any_of(_T.c.id, "ids")))
_IN_USE: Final = Statement[tuple[str]](
    lambda: (
        sa.select(_T.c.instance)
        .where(_T.c.status.in_(sa.literal_column(f"'{status}'") for status in _IN_FLIGHT))
        .distinct()
    )
)
