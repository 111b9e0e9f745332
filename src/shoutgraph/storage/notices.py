"""The inbox of providers' webhooks: the raw bytes, and what became of them.

A delivery that is signed is kept before it is applied. What it tells is applied once per notice id of its provider, in
the unit of work that claims the id, so that a repeat changes nothing.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain.notices import Kept, NoticeState, Stored
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Blob, Integer, JsonText, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

LIST_MAX: Final = 100
NEWEST_MAX: Final = 1_000
"""The most deliveries that a person lists at once."""
PRUNE_MAX: Final = 1_000
"""The most rows that one unit of work removes."""


class NoticeRow(SQLModel, table=True):
    """One delivery as it came in. What a stranger sent is dropped once it is known to be forged."""

    __tablename__ = "notice"
    __table_args__ = (
        one_of("state", NoticeState),
        sa.CheckConstraint("length(sha256) = 32", name="notice_sha256"),
        columns.partial_index("notice_waiting", "received_at", where="state = 'RECEIVED'"),
        sa.Index("notice_received", "received_at"),
        sa.Index("notice_newest", "instance", "received_at"),
        {"sqlite_strict": True},
    )

    id: int | None = Field(sa_type=Integer, primary_key=True)
    instance: str = Field(sa_type=Text)
    sha256: bytes = Field(sa_type=Blob)
    body: bytes = Field(sa_type=Blob)
    headers: dict[str, str] = Field(sa_type=JsonText)
    query: str = Field(sa_type=Text)
    remote: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=Micros)
    state: NoticeState = Field(sa_type=Words(NoticeState))
    tries: int = Field(sa_type=Integer)
    detail: str | None = Field(sa_type=Text)
    leased_until: datetime | None = Field(sa_type=Micros)


class SeenRow(SQLModel, table=True):
    """A notice id that was applied."""

    __tablename__ = "notice_seen"
    __table_args__ = (
        sa.Index("notice_seen_at", "at"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    instance: str = Field(sa_type=Text, primary_key=True)
    notice_id: str = Field(sa_type=Text, primary_key=True)
    at: datetime = Field(sa_type=Micros)


_T: Final = columns.table_of(NoticeRow)
_SEEN: Final = columns.table_of(SeenRow)


def insert(tx: Tx, stored: Stored) -> int:
    """Keeps a delivery; gives its number."""
    row = tx.one(
        _INSERT,
        instance=stored.instance,
        sha256=stored.sha256,
        body=stored.body,
        headers=dict(stored.headers),
        query=stored.query,
        remote=stored.remote,
        received_at=stored.received_at,
        state=NoticeState.RECEIVED,
        tries=0,
        detail=None,
        leased_until=None,
    )
    assert row is not None, "an insert gives the number back"
    return row[0]


def mark(tx: Tx, number: int, state: NoticeState, *, detail: str | None = None) -> None:
    """Says what became of a delivery. Bytes that nobody will read again are dropped."""
    statement = _MARK_EMPTY if state is NoticeState.REFUSED else _MARK
    tx.put(statement, of=number, state=state, detail=detail)


def claim(tx: Tx, *, instance: str, notice_id: str) -> bool:
    """Takes a notice id for ever; gives False if it was taken before."""
    return tx.run(_CLAIM, instance=instance, notice_id=notice_id, at=tx.now) == 1


def is_claimed(tx: Tx, *, instance: str, notice_id: str) -> bool:
    """Whether a notice id was taken before."""
    return tx.one(_IS_CLAIMED, instance=instance, notice_id=notice_id) is not None


def find_oldest(tx: Tx) -> datetime | None:
    """When the oldest delivery that is kept came in, or the oldest notice id was taken; None where nothing is kept."""
    found = (tx.one(statement) for statement in (_OLDEST, _OLDEST_SEEN))
    return min((row[0] for row in found if row is not None), default=None)


def has_waiting(tx: Tx, *, older_than: timedelta, tries_max: int) -> bool:
    """Whether there are deliveries that a crash or a broken plugin left behind, and that nobody has taken up."""
    return tx.one(_HAS_WAITING, now=tx.now, before=tx.now - older_than, tries_max=tries_max) is not None


def claim_waiting(tx: Tx, *, older_than: timedelta, tries_max: int, lease: timedelta, limit: int) -> tuple[Stored, ...]:
    """Leases deliveries that were left behind, the oldest first; nobody else takes them up until the lease is over."""
    before, size = tx.now - older_than, min(limit, LIST_MAX)
    params = {"before": before, "tries_max": tries_max, "size": size}
    rows = tx.all(_CLAIM_WAITING, now=tx.now, until=tx.now + lease, **params)
    return tuple(sorted((Stored(*row) for row in rows), key=lambda stored: (stored.received_at, stored.number)))


def tried(tx: Tx, number: int, *, pause: timedelta, detail: str) -> int:
    """Counts an attempt at a delivery in vain; the next one begins after a pause. Gives how many there were."""
    row = tx.one(_TRIED, of=number, until=tx.now + pause, detail=detail)
    return 0 if row is None else row[0]


def list_of_newest(tx: Tx, *, instance: str | None, state: NoticeState | None, limit: int) -> tuple[Kept, ...]:
    """Deliveries of an instance and a state, or of any, the newest first."""
    given = {"instance": instance, "state": state}
    params = {name: value for name, value in given.items() if value is not None}
    statement = _newest(frozenset(params))
    return tuple(_kept(row) for row in tx.all(statement, size=min(limit, NEWEST_MAX), **params))


def find(tx: Tx, number: int) -> Kept | None:
    """A delivery by its number, or None."""
    row = tx.one(_FIND, of=number)
    return None if row is None else _kept(row)


def take_up_again(tx: Tx, number: int) -> bool:
    """Lets a delivery be read and applied once more, as one that a crash left behind; False if its bytes are gone."""
    return tx.run(_AGAIN, of=number, state=NoticeState.RECEIVED) == 1


def _kept(row: tuple[Any, ...]) -> Kept:
    return Kept(Stored(*row[:-3]), *row[-3:])


def count(tx: Tx, state: NoticeState) -> int:
    """How many deliveries of this state are kept."""
    row = tx.one(_COUNT, state=state)
    assert row is not None, "a count has a row"
    return row[0]


def prune(tx: Tx, *, before: datetime) -> int:
    """Removes old deliveries, read or given up, and old notice ids, some at a time; gives how many."""
    return tx.run(_PRUNE, before=before) + tx.run(_PRUNE_SEEN, before=before)


def _claim() -> sa.ClauseElement:
    names = ("instance", "notice_id", "at")
    params = [sa.bindparam(name, type_=_SEEN.c[name].type) for name in names]
    key = (_SEEN.c.instance == sa.bindparam("instance"), _SEEN.c.notice_id == sa.bindparam("notice_id"))
    values = sa.select(*params).where(~sa.exists().where(*key))
    return sa.insert(_SEEN).from_select(names, values)


def _is_waiting() -> tuple[sa.ColumnElement[bool], ...]:
    return (
        _T.c.state == sa.literal_column(f"'{NoticeState.RECEIVED}'"),
        _T.c.received_at <= sa.bindparam("before"),
        _T.c.tries < sa.bindparam("tries_max"),
        _T.c.leased_until.is_(None) | (_T.c.leased_until <= sa.bindparam("now")),
    )


def _claim_waiting() -> sa.ClauseElement:
    left = (
        sa.select(_T.c.id)
        .where(*_is_waiting())
        .order_by(_T.c.received_at)
        .limit(sa.bindparam("size"))
        .with_for_update(skip_locked=True, key_share=True)
        .cte("waiting")  # so that it is taken once, whatever the plan
    )
    leased = sa.update(_T).where(_T.c.id.in_(sa.select(left.c.id))).values(leased_until=sa.bindparam("until"))
    return leased.returning(*(_T.c[name] for name in _STORED))


def _prune() -> sa.ClauseElement:
    waiting: sa.ColumnElement[Any] = sa.literal_column(f"'{NoticeState.RECEIVED}'")
    zero: sa.ColumnElement[Any] = sa.literal_column("0")
    old = (
        sa.select(_T.c.id)
        .where(_T.c.received_at < sa.bindparam("before"), (_T.c.state != waiting) | (_T.c.tries > zero))
        .order_by(_T.c.received_at)
        .limit(PRUNE_MAX)
    )
    return sa.delete(_T).where(_T.c.id.in_(old))


def _prune_seen() -> sa.ClauseElement:
    key = (_SEEN.c.instance, _SEEN.c.notice_id)
    old = sa.select(*key).where(_SEEN.c.at < sa.bindparam("before")).order_by(_SEEN.c.at).limit(PRUNE_MAX)
    return sa.delete(_SEEN).where(sa.tuple_(*key).in_(old))


_VALUES: Final = tuple(column.name for column in _T.c if column.name != "id")
_STORED: Final = ("id", "instance", "sha256", "body", "headers", "query", "remote", "received_at")
_ONE: Final = _T.c.id == sa.bindparam("of")
_MARKED: Final[dict[str, Any]] = {"state": sa.bindparam("state"), "detail": sa.bindparam("detail")}
_EMPTY: Final[dict[str, Any]] = {
    "body": sa.literal(b"", Blob),
    "headers": sa.literal_column("'{}'"),
    "query": sa.literal_column("''"),
}
_INSERT: Final = Statement[tuple[int]](
    lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _VALUES}).returning(_T.c.id)
)
_WHOLE: Final = tuple(_T.c[name] for name in (*_STORED, "state", "tries", "detail"))


@cache
def _newest(given: frozenset[str]) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        query = sa.select(*_WHOLE).order_by(_T.c.received_at.desc(), _T.c.id.desc()).limit(sa.bindparam("size"))
        return query.where(*(_T.c[name] == sa.bindparam(name) for name in sorted(given)))

    return Statement(build)


_FIND: Final = Statement[Any](lambda: sa.select(*_WHOLE).where(_ONE))
_AGAIN: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_ONE, sa.func.length(_T.c.body) > sa.literal_column("0"))
        .values(state=sa.bindparam("state"), tries=sa.literal_column("0"), detail=sa.null(), leased_until=sa.null())
    )
)
_MARK: Final = Statement[Any](lambda: sa.update(_T).where(_ONE).values(_MARKED))
_MARK_EMPTY: Final = Statement[Any](lambda: sa.update(_T).where(_ONE).values(_MARKED | _EMPTY))
_IS_CLAIMED: Final = Statement[Any](
    lambda: sa.select(_SEEN.c.at).where(
        _SEEN.c.instance == sa.bindparam("instance"), _SEEN.c.notice_id == sa.bindparam("notice_id")
    )
)
_OLDEST: Final = Statement[tuple[datetime]](lambda: sa.select(_T.c.received_at).order_by(_T.c.received_at).limit(1))
_OLDEST_SEEN: Final = Statement[tuple[datetime]](lambda: sa.select(_SEEN.c.at).order_by(_SEEN.c.at).limit(1))
_CLAIM: Final = Statement[Any](_claim)
_CLAIM_WAITING: Final = Statement[Any](_claim_waiting)
_HAS_WAITING: Final = Statement[Any](lambda: sa.select(_T.c.id).where(*_is_waiting()).limit(1))
_TRIED: Final = Statement[tuple[int]](
    lambda: (
        sa.update(_T)
        .where(_ONE)
        .values(
            tries=_T.c.tries + sa.literal_column("1"),
            leased_until=sa.bindparam("until"),
            detail=sa.bindparam("detail"),
        )
        .returning(_T.c.tries)
    )
)
_COUNT: Final = Statement[tuple[int]](
    lambda: sa.select(sa.func.count()).select_from(_T).where(_T.c.state == sa.bindparam("state"))
)
_PRUNE: Final = Statement[Any](_prune)
_PRUNE_SEEN: Final = Statement[Any](_prune_seen)
