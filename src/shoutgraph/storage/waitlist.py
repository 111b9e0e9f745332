"""The lines of those who wait for a place, and how many places a creator has.

Whoever writes here holds the creator, so that a line moves in one process at a time. Which places are kept follows from
the rows and the time alone: nothing is remembered beside them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import capacity, errors, ids, pages
from shoutgraph.domain.capacity import IN_LINE, Capacity, Entry, Line, Places, WaitState
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.orders.states import LIVE
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Truth, Words
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

READERS: Final = (Scope.ORDERS_READ, Scope.MODERATION)
"""Who reads anyone's line."""
OFFERED_MAX: Final = 1_000
"""Offers of one creator that are looked at together; there are as many as places at most."""
_IN_LINE: Final = columns.is_one_of("state", IN_LINE)
_OPEN: Final = columns.is_one_of("state", LIVE)
"""The conditions of the indexes on who is in line and on open orders, word for word, so that queries use them."""


class EntryRow(SQLModel, table=True):
    """Somebody who waits, or waited."""

    __tablename__: ClassVar[str] = "waitlist_entry"
    __table_args__ = (
        sa.CheckConstraint("revision > 0 AND number > 0", name="waitlist_counts"),
        columns.one_of("state", WaitState),
        sa.CheckConstraint("(offered_at IS NULL) = (offered_until IS NULL)", name="waitlist_window"),
        sa.CheckConstraint(
            "state NOT IN ('OFFERED', 'DECLINED', 'LAPSED') OR offered_until > offered_at", name="waitlist_offered"
        ),
        sa.CheckConstraint("(state = 'ORDERED') = (order_id IS NOT NULL)", name="waitlist_ordered"),
        sa.UniqueConstraint("creator_id", "number", name="waitlist_number"),
        sa.Index(
            "waitlist_once",
            "creator_id",
            "fan_id",
            unique=True,
            sqlite_where=sa.text(_IN_LINE),
            postgresql_where=sa.text(_IN_LINE),
        ),
        columns.partial_index("waitlist_line", "creator_id", "state", "number", where=_IN_LINE),
        sa.Index("waitlist_fan", "fan_id", "state"),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_column=sa.Column(Text, primary_key=True, nullable=False))
    revision: int = Field(sa_column=sa.Column(Integer, nullable=False))
    creator_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("creator.id"), nullable=False))
    offer_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("offer.id"), nullable=False))
    fan_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("users.id"), nullable=False))
    number: int = Field(sa_column=sa.Column(Integer, nullable=False))
    state: WaitState = Field(sa_column=sa.Column(Words(WaitState), nullable=False))
    joined_at: datetime = Field(sa_column=sa.Column(Micros, nullable=False))
    updated_at: datetime = Field(sa_column=sa.Column(Micros, nullable=False))
    offered_at: datetime | None = Field(sa_column=sa.Column(Micros))
    offered_until: datetime | None = Field(sa_column=sa.Column(Micros))
    order_id: str | None = Field(sa_column=sa.Column(Text, sa.ForeignKey("orders.id"), unique=True))


_T: Final = columns.table_of(EntryRow)
_NAMES: Final = tuple(column.name for column in _T.c)
_CHANGING: Final = ("revision", "state", "updated_at", "offered_at", "offered_until", "order_id")
_MINE: Final = _T.alias("mine")
_LIVE: Final = sa.text(_IN_LINE)
_ORDERS: Final = sa.table("orders", sa.column("creator_id", Text))
_OFFERS: Final = sa.table("offer", sa.column("id", Text), sa.column("creator_id", Text))
_CREATORS: Final = sa.table(
    "creator",
    sa.column("id", Text),
    sa.column("open", Truth),
    sa.column("paused_until", Micros),
    sa.column("open_orders_max", Integer),
)


def insert(tx: Tx, entry: Entry) -> None:
    """Stores somebody new in line."""
    tx.put(_INSERT, **{name: getattr(entry, name) for name in _NAMES})


def save(tx: Tx, entry: Entry) -> None:
    """Stores the next revision of an entry.

    Raises:
        StaleRevisionError: another revision was stored meanwhile.
    """
    values = {name: getattr(entry, name) for name in _CHANGING}
    if not tx.run(_SAVE, of_id=entry.id, of_revision=entry.revision - 1, **values):
        raise errors.StaleRevisionError(current_revision=get(tx, entry.id).revision)


def get(tx: Tx, entry_id: str) -> Entry:
    """Somebody who waits, or waited.

    Raises:
        NotFoundError: there is no such entry.
    """
    (found,) = list_of(tx, [entry_id])
    if found is None:
        raise errors.NotFoundError("There is no such place in a line.", path=("input", "waitlistEntryId"))
    return found


def list_of(tx: Tx, entry_ids: Sequence[str]) -> list[Entry | None]:
    """Entries in the order asked, None where there is none."""
    found = {row[0]: Entry(*row) for row in tx.all(_LIST, ids=list(entry_ids))}
    return [found.get(entry_id) for entry_id in entry_ids]


def visible(entry: Entry, viewer: Viewer) -> bool:
    """Whether the viewer waits, is who is waited for, or reads anyone's line."""
    waits = viewer.user_id is not None and viewer.user_id == entry.fan_id
    films = viewer.creator_id is not None and viewer.creator_id == entry.creator_id
    return waits or films or viewer.has(*READERS)


def find_places(tx: Tx, offer_id: str, fan_id: ids.UserId) -> Places:
    """The places of an offer's creator as this fan finds them. Whoever goes by it holds the creator."""
    row = tx.one(_PLACES, offer_id=offer_id, fan_id=fan_id, now=tx.now)
    assert row is not None, "the offer is there"
    return read_places(row)


def read_places(row: Sequence[Any]) -> Places:
    """A creator's places, read by `places_columns`."""
    open_orders, offered, waiting, *mine = row
    return Places(open_orders, offered, waiting, Entry(*mine) if mine[0] is not None else None)


def find_mine(tx: Tx, creator_id: str, fan_id: str) -> Entry | None:
    """A fan's entry in a creator's line, or None."""
    row = tx.one(_FIND_MINE, creator_id=creator_id, fan_id=fan_id)
    return None if row is None else Entry(*row)


def next_number(tx: Tx, creator_id: str) -> int:
    """The number of who joins next. Whoever goes by it holds the creator."""
    row = tx.one(_LAST, creator_id=creator_id)
    assert row is not None, "an aggregate has one row"
    return row[0] + 1


def list_in_line_of(tx: Tx, fan_id: str, *, limit: int) -> list[Entry]:
    """Where a fan is in line, the longest wait first."""
    return [Entry(*row) for row in tx.all(_OF_FAN, fan_id=fan_id, size=limit)]


def get_line(tx: Tx, creator_id: str, *, limit: int) -> Line:
    """The head of a creator's line: those to whom a place is offered, and up to so many who wait."""
    counted = tx.one(_COUNT_OPEN, creator_id=creator_id)
    assert counted is not None, "a count has a row"
    offered = tx.all(_HEAD, creator_id=creator_id, of_state=WaitState.OFFERED, size=OFFERED_MAX)
    waiting = tx.all(_HEAD, creator_id=creator_id, of_state=WaitState.WAITING, size=limit)
    return Line(counted[0], [Entry(*row) for row in offered], [Entry(*row) for row in waiting])


def list_of_due(tx: Tx, policy: Policy, *, limit: int) -> list[str]:
    """Creators whose line may move now: a place is free, or an offer has lapsed or cannot stand."""
    return [row[0] for row in tx.all(_DUE, now=tx.now, most=policy.open_orders_max, size=limit)]


def positions(tx: Tx, entry_ids: Sequence[str]) -> dict[str, int]:
    """The places in line of those who wait, from 1."""
    return dict(tx.all(_POSITIONS, ids=list(entry_ids)))


def capacities(tx: Tx, of: Sequence[Creator], policy: Policy) -> list[Capacity]:
    """How full creators are, in the order asked."""
    found = {row[0]: row[1:] for row in tx.all(_CAPACITIES, ids=[creator.id for creator in of], now=tx.now)}
    limits = (capacity.limit_of(creator.open_orders_max, policy) for creator in of)
    counts = ((found[creator.id], most) for creator, most in zip(of, limits, strict=True))
    return [Capacity(open_orders, most, kept, waiting) for (open_orders, kept, waiting), most in counts]


def list_of_page(tx: Tx, creator_id: str, args: pages.PageArgs) -> list[Entry]:
    """Up to one entry more than the page holds of a creator's line: who was offered a place, then who waits.

    The key is `(state, number)`.
    """
    key = {} if args.key is None else {"of_state": args.key[0], "number": args.key[1]}
    rows = tx.all(_PAGES[args.backward, args.key is not None], size=args.size + 1, creator_id=creator_id, **key)
    return [Entry(*row) for row in rows]


def erase_of_user(tx: Tx, user_id: str) -> int:
    """Takes a person out of every line; ids stay, and nothing else is known of them. Says how many rows it touched."""
    return tx.run(_ERASE, of_fan=user_id, at=tx.now)


def export_of_user(tx: Tx, user_id: str) -> list[dict[str, Any]]:
    """Where a person waits and waited."""
    return [dict(zip(_NAMES, row, strict=True)) for row in tx.all(_EXPORT, fan_id=user_id)]


def _count_open(creator_id: sa.ColumnElement[str]) -> sa.ScalarSelect[int]:
    query = sa.select(sa.func.count()).select_from(_ORDERS)
    return query.where(_ORDERS.c.creator_id == creator_id, sa.text(_OPEN)).scalar_subquery()


def _count_line(
    creator_id: sa.ColumnElement[str], state: WaitState, *more: sa.ColumnElement[bool]
) -> sa.ScalarSelect[int]:
    """How many in line are in a state; of those to whom a place is offered, whose time is not over."""
    query = sa.select(sa.func.count()).select_from(_T).where(_T.c.creator_id == creator_id, _LIVE, _T.c.state == state)
    if state is WaitState.OFFERED:
        query = query.where(_T.c.offered_until > sa.bindparam("now"))
    return query.where(*more).scalar_subquery()


def places_columns(creator_id: sa.ColumnElement[str], of: sa.FromClause) -> tuple[sa.ColumnElement[Any], ...]:
    """The places of a creator, whose id is read from `of`, and the fan's own entry: where `mine_of` is joined."""
    other = _T.c.fan_id != sa.bindparam("fan_id")
    before = sa.or_(_MINE.c.number.is_(None), _T.c.number < _MINE.c.number)
    return (
        _count_open(creator_id),
        _count_line(creator_id, WaitState.OFFERED, other),
        _count_line(creator_id, WaitState.WAITING, other, before).correlate(of, _MINE),
        *_MINE.c,
    )


def mine_of(creator_id: sa.ColumnElement[str]) -> tuple[sa.FromClause, sa.ColumnElement[bool]]:
    """The fan's own entry while it counts, and how it is joined."""
    counts = sa.or_(_MINE.c.state == WaitState.WAITING, _MINE.c.offered_until > sa.bindparam("now"))
    own = _MINE.c.fan_id == sa.bindparam("fan_id")
    return _MINE, sa.and_(_MINE.c.creator_id == creator_id, own, _LIVE, counts)


def _places() -> sa.ClauseElement:
    return (
        sa.select(*places_columns(_OFFERS.c.creator_id, _OFFERS))
        .select_from(_OFFERS.outerjoin(*mine_of(_OFFERS.c.creator_id)))
        .where(_OFFERS.c.id == sa.bindparam("offer_id"))
    )


def _due() -> sa.ClauseElement:
    """Looks at each creator who has a line, found by leaps through the index of lines."""
    first = sa.select(sa.func.min(_T.c.creator_id).label("creator_id")).where(_LIVE).cte("lines", recursive=True)
    after = sa.select(sa.func.min(_T.c.creator_id)).where(_LIVE, _T.c.creator_id > first.c.creator_id)
    lines = first.union_all(sa.select(after.correlate(first).scalar_subquery()).where(first.c.creator_id.is_not(None)))
    of, now = _CREATORS.c.id, sa.bindparam("now", type_=Micros)
    most = sa.bindparam("most", type_=Integer)
    own = _CREATORS.c.open_orders_max
    limit = sa.case((own < most, own), else_=most)
    takes = sa.and_(
        _CREATORS.c.open == columns.YES, sa.or_(_CREATORS.c.paused_until.is_(None), _CREATORS.c.paused_until <= now)
    )
    kept, waiting = _count_line(of, WaitState.OFFERED), _count_line(of, WaitState.WAITING)
    offered = _T.c.creator_id == of, _LIVE, _T.c.state == WaitState.OFFERED
    lapsed = sa.exists().where(*offered, _T.c.offered_until <= now)
    free = sa.and_(takes, waiting > 0, _count_open(of) + kept < limit)
    stuck = sa.and_(sa.not_(takes), sa.exists().where(*offered))
    over = sa.and_(kept > 0, _count_open(of) + kept > limit)
    return (
        sa.select(of)
        .join_from(lines, _CREATORS, _CREATORS.c.id == lines.c.creator_id)
        .where(sa.or_(lapsed, free, stuck, over))
        .limit(sa.bindparam("size"))
    )


def _positions() -> sa.ClauseElement:
    before = (
        sa.select(sa.func.count())
        .select_from(_T)
        .where(
            _T.c.creator_id == _MINE.c.creator_id,
            _LIVE,
            _T.c.state == WaitState.WAITING,
            _T.c.number <= _MINE.c.number,
        )
    )
    query = sa.select(_MINE.c.id, before.correlate(_MINE).scalar_subquery())
    return query.where(columns.any_of(_MINE.c.id, "ids"), _MINE.c.state == WaitState.WAITING)


def _page(*, backward: bool, after: bool) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        query = sa.select(*_T.c).where(_T.c.creator_id == sa.bindparam("creator_id"), _LIVE)
        keys: list[sa.ColumnElement[Any]] = [sa.type_coerce(_T.c.state, Text), _T.c.number]
        if after:
            place = sa.tuple_(sa.bindparam("of_state", type_=Text), sa.bindparam("number", type_=Integer))
            query = query.where(sa.tuple_(*keys) < place if backward else sa.tuple_(*keys) > place)
        return query.order_by(*(key.desc() if backward else key for key in keys)).limit(sa.bindparam("size"))

    return Statement(build)


_WAYS: Final[Sequence[tuple[bool, bool]]] = ((False, False), (False, True), (True, False), (True, True))
_PAGES: Final = {(backward, after): _page(backward=backward, after=after) for backward, after in _WAYS}
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_SAVE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of_id"), _T.c.revision == sa.bindparam("of_revision"))
        .values({name: sa.bindparam(name) for name in _CHANGING})
    )
)
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.id, "ids")))
_PLACES: Final = Statement[Any](_places)
_FIND_MINE: Final = Statement[Any](
    lambda: sa.select(*_T.c).where(
        _T.c.creator_id == sa.bindparam("creator_id"), _T.c.fan_id == sa.bindparam("fan_id"), _LIVE
    )
)
_LAST: Final = Statement[tuple[int]](
    lambda: sa.select(sa.func.coalesce(sa.func.max(_T.c.number), 0)).where(
        _T.c.creator_id == sa.bindparam("creator_id")
    )
)
_OF_FAN: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(_T.c.fan_id == sa.bindparam("fan_id"), _LIVE)
        .order_by(_T.c.joined_at, _T.c.id)
        .limit(sa.bindparam("size"))
    )
)
_COUNT_OPEN: Final = Statement[tuple[int]](lambda: sa.select(_count_open(sa.bindparam("creator_id", type_=Text))))
_HEAD: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(_T.c.creator_id == sa.bindparam("creator_id"), _LIVE, _T.c.state == sa.bindparam("of_state"))
        .order_by(_T.c.number)
        .limit(sa.bindparam("size"))
    )
)
_DUE: Final = Statement[tuple[str]](_due)
_POSITIONS: Final = Statement[tuple[str, int]](_positions)
_CAPACITIES: Final = Statement[tuple[str, int, int, int]](
    lambda: sa.select(
        _CREATORS.c.id,
        _count_open(_CREATORS.c.id),
        _count_line(_CREATORS.c.id, WaitState.OFFERED),
        _count_line(_CREATORS.c.id, WaitState.WAITING),
    ).where(columns.any_of(_CREATORS.c.id, "ids"))
)
_ERASE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.fan_id == sa.bindparam("of_fan"), _LIVE)
        .values(state=WaitState.LEFT, revision=_T.c.revision + 1, updated_at=sa.bindparam("at"))
    )
)
_EXPORT: Final = Statement[Any](
    lambda: sa.select(*_T.c).where(_T.c.fan_id == sa.bindparam("fan_id")).order_by(_T.c.joined_at, _T.c.id)
)
