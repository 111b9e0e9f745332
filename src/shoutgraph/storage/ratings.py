"""Ratings, their words and what was decided about them, and how many of each a creator has.

Triggers count: the tally follows from the ratings that are shown, and a creator's average from the tally; the database
refuses any other. Words are personal data in a row of their own, and are blanked without touching what is counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, pages
from shoutgraph.domain.orders import rating as values
from shoutgraph.domain.orders.rating import STARS, Decision, Rating, Sort, Tally
from shoutgraph.domain.users import Viewer
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Truth
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_STRICT: dict[str, Any] = {"sqlite_strict": True}


class RatingRow(SQLModel, table=True):
    """A rating, without its words. Hidden, never deleted."""

    __tablename__: ClassVar[str] = "rating"
    __table_args__ = (
        columns.truth("hidden"),
        sa.CheckConstraint(f"revision > 0 AND stars BETWEEN {STARS[0]} AND {STARS[-1]}", name="rating_stars"),
        sa.CheckConstraint("(replied_at IS NULL) = (reply_editable_until IS NULL)", name="rating_replied"),
        sa.Index("rating_newest", "creator_id", "hidden", "id"),
        sa.Index("rating_best", "creator_id", "hidden", "stars", "id"),
        sa.Index("rating_fan", "fan_id"),
        _STRICT,
    )
    id: str = Field(sa_column=sa.Column(Text, primary_key=True, nullable=False))
    revision: int = Field(sa_column=sa.Column(Integer, nullable=False))
    order_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("orders.id"), nullable=False, unique=True))
    creator_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("creator.id"), nullable=False))
    fan_id: str = Field(sa_column=sa.Column(Text, nullable=False))
    stars: int = Field(sa_column=sa.Column(Integer, nullable=False))
    hidden: bool = Field(sa_column=sa.Column(Truth, nullable=False))
    created_at: datetime = Field(sa_column=sa.Column(Micros, nullable=False))
    updated_at: datetime = Field(sa_column=sa.Column(Micros, nullable=False))
    editable_until: datetime = Field(sa_column=sa.Column(Micros, nullable=False))
    edited_at: datetime | None = Field(sa_column=sa.Column(Micros))
    replied_at: datetime | None = Field(sa_column=sa.Column(Micros))
    reply_editable_until: datetime | None = Field(sa_column=sa.Column(Micros))


class WordsRow(SQLModel, table=True):
    """What the two sides say in a rating: personal data, blanked without touching the rating."""

    __tablename__: ClassVar[str] = "rating_words"
    __table_args__ = (
        sa.CheckConstraint(f"length(opinion) BETWEEN 1 AND {values.OPINION_CHARS_MAX}", name="rating_opinion"),
        sa.CheckConstraint(f"length(reply) BETWEEN 1 AND {values.REPLY_CHARS_MAX}", name="rating_reply"),
        _STRICT,
    )
    rating_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("rating.id"), primary_key=True, nullable=False))
    opinion: str | None = Field(sa_column=sa.Column(Text))
    reply: str | None = Field(sa_column=sa.Column(Text))


class DecisionRow(SQLModel, table=True):
    """Why a rating was hidden or restored. Append-only; `revision` is the rating's after it."""

    __tablename__: ClassVar[str] = "rating_decision"
    __table_args__ = (
        columns.truth("hidden"),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 64", name="rating_decision_reason"),
        sa.CheckConstraint(f"length(note) BETWEEN 1 AND {values.STATEMENT_CHARS_MAX}", name="rating_decision_note"),
        _STRICT,
    )
    rating_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("rating.id"), primary_key=True, nullable=False))
    revision: int = Field(sa_column=sa.Column(Integer, primary_key=True, nullable=False))
    hidden: bool = Field(sa_column=sa.Column(Truth, nullable=False))
    reason: str = Field(sa_column=sa.Column(Text, nullable=False))
    note: str = Field(sa_column=sa.Column(Text, nullable=False))
    decided_by: str = Field(sa_column=sa.Column(Text, nullable=False))
    at: datetime = Field(sa_column=sa.Column(Micros, nullable=False))


class TallyRow(SQLModel, table=True):
    """How many ratings of each kind a creator has that are shown. Only triggers write it."""

    __tablename__: ClassVar[str] = "rating_tally"
    __table_args__ = (
        sa.CheckConstraint(" AND ".join(f"stars_{stars} >= 0" for stars in STARS), name="rating_tally_counts"),
        _STRICT,
    )
    creator_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("creator.id"), primary_key=True, nullable=False))
    stars_1: int = Field(sa_column=sa.Column(Integer, nullable=False))
    stars_2: int = Field(sa_column=sa.Column(Integer, nullable=False))
    stars_3: int = Field(sa_column=sa.Column(Integer, nullable=False))
    stars_4: int = Field(sa_column=sa.Column(Integer, nullable=False))
    stars_5: int = Field(sa_column=sa.Column(Integer, nullable=False))


_T = columns.table_of(RatingRow)
_WORDS = columns.table_of(WordsRow)
_DECISION = columns.table_of(DecisionRow)
_TALLY = columns.table_of(TallyRow)
_NAMES: Final = tuple(column.name for column in _T.c)
_CHANGING: Final = tuple(
    name for name in _NAMES if name not in {"id", "order_id", "creator_id", "fan_id", "created_at"}
)
_SAID: Final = ("opinion", "reply")
_CREATORS: Final = sa.table(
    "creator",
    sa.column("id", Text),
    sa.column("handle", Text),
    sa.column("rating_sum", Integer),
    sa.column("rating_count", Integer),
)


def _ratings() -> sa.Select[Any]:
    return sa.select(*_T.c, _WORDS.c.opinion, _WORDS.c.reply).join(_WORDS, _WORDS.c.rating_id == _T.c.id)


_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_INSERT_WORDS: Final = Statement[Any](
    lambda: sa.insert(_WORDS).values({column.name: sa.bindparam(column.name) for column in _WORDS.c})
)
_SAVE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of_id"), _T.c.revision == sa.bindparam("of_revision"))
        .values({name: sa.bindparam(name) for name in _CHANGING})
    )
)
_SAVE_WORDS: Final = Statement[Any](
    lambda: (
        sa.update(_WORDS)
        .where(_WORDS.c.rating_id == sa.bindparam("of_id"))
        .values({name: sa.bindparam(name) for name in _SAID})
    )
)
_GET: Final = Statement[Any](lambda: _ratings().where(_T.c.id == sa.bindparam("id")), holds=_T)
_FIND_ORDER: Final = Statement[tuple[str]](lambda: sa.select(_T.c.order_id).where(_T.c.id == sa.bindparam("id")))
_FIND_BY_ORDER: Final = Statement[tuple[str]](
    lambda: sa.select(_T.c.id).where(_T.c.order_id == sa.bindparam("order_id"))
)
_LIST: Final = Statement[Any](lambda: _ratings().where(columns.any_of(_T.c.id, "ids")))
_LIST_OF_ORDERS: Final = Statement[Any](lambda: _ratings().where(columns.any_of(_T.c.order_id, "order_ids")))
_DECIDE: Final = Statement[Any](
    lambda: sa.insert(_DECISION).values({column.name: sa.bindparam(column.name) for column in _DECISION.c})
)
_COUNT_DECISIONS: Final = Statement[tuple[int]](
    lambda: sa.select(sa.func.count()).where(_DECISION.c.rating_id == sa.bindparam("rating_id"))
)
_DECISIONS: Final = Statement[Any](
    lambda: (
        sa.select(
            _DECISION.c.rating_id,
            _DECISION.c.hidden,
            _DECISION.c.reason,
            _DECISION.c.note,
            _DECISION.c.decided_by,
            _DECISION.c.at,
        )
        .where(columns.any_of(_DECISION.c.rating_id, "rating_ids"))
        .order_by(_DECISION.c.rating_id, _DECISION.c.revision)
        .limit(sa.bindparam("size"))
    )
)
_TALLIES: Final = Statement[Any](lambda: sa.select(*_TALLY.c).where(columns.any_of(_TALLY.c.creator_id, "creator_ids")))
_COUNT: Final = Statement[tuple[int]](
    lambda: sa.select(sa.func.count()).select_from(
        sa.select(sa.literal_column("1"))
        .select_from(_T)
        .where(_T.c.creator_id == sa.bindparam("creator_id"), _T.c.hidden == sa.bindparam("hidden", type_=Truth))
        .limit(sa.bindparam("limit"))
        .subquery()
    )
)


def insert(tx: Tx, rating: Rating) -> None:
    """Stores a new rating with its words; the database counts it."""
    tx.put(_INSERT, **{name: getattr(rating, name) for name in _NAMES})
    tx.put(_INSERT_WORDS, rating_id=rating.id, opinion=rating.opinion, reply=rating.reply)


def save(tx: Tx, rating: Rating) -> None:
    """Stores the next revision of a rating; the database counts it anew.

    Raises:
        StaleRevisionError: another revision was stored meanwhile.
    """
    changing = {name: getattr(rating, name) for name in _CHANGING}
    if not tx.run(_SAVE, of_id=rating.id, of_revision=rating.revision - 1, **changing):
        raise errors.StaleRevisionError(current_revision=get(tx, rating.id).revision)
    tx.put(_SAVE_WORDS, of_id=rating.id, opinion=rating.opinion, reply=rating.reply)


def get(tx: Tx, rating_id: str) -> Rating:
    """A rating. A unit of work that writes holds it from now on; it holds the order first.

    Raises:
        NotFoundError: there is no such rating.
    """
    row = tx.one(_GET, id=rating_id)
    if row is None:
        raise _missing()
    return Rating(*row)


def get_beside(tx: Tx, rating_id: str, viewer: Viewer) -> Rating:
    """A rating of which this viewer is a side, or any for staff.

    Raises:
        NotFoundError: there is no such rating, or it is a matter of others.
    """
    rating = get(tx, rating_id)
    if not values.beside(rating, viewer):
        raise _missing()
    return rating


def order_of(tx: Tx, rating_id: str) -> str:
    """The order that a rating is of, for holding that one first; it never changes.

    Raises:
        NotFoundError: there is no such rating.
    """
    row = tx.one(_FIND_ORDER, id=rating_id)
    if row is None:
        raise _missing()
    return row[0]


def is_rated(tx: Tx, order_id: str) -> bool:
    """Whether an order has a rating. Whoever goes by it holds the order."""
    return tx.one(_FIND_BY_ORDER, order_id=order_id) is not None


def list_visible(tx: Tx, rating_ids: Sequence[str], viewer: Viewer) -> list[Rating | None]:
    """Ratings by id in the order asked, None where there is none that this viewer may see."""
    found = {row[0]: Rating(*row) for row in tx.all(_LIST, ids=list(rating_ids))}
    return [rating if (rating := found.get(i)) and values.visible(rating, viewer) else None for i in rating_ids]


def list_of_orders(tx: Tx, order_ids: Sequence[str], viewer: Viewer) -> list[Rating | None]:
    """The ratings of orders in the order asked, None where there is none that this viewer may see."""
    ratings = (Rating(*row) for row in tx.all(_LIST_OF_ORDERS, order_ids=list(order_ids)))
    found: dict[str, Rating] = {rating.order_id: rating for rating in ratings if values.visible(rating, viewer)}
    return [found.get(order_id) for order_id in order_ids]


def decide(tx: Tx, rating: Rating, decision: Decision) -> None:
    """Keeps a decision under the rating's revision that it makes; before the rating is saved, which needs it."""
    said = {"hidden": decision.hidden, "reason": decision.reason, "note": decision.note, "at": decision.at}
    tx.put(_DECIDE, rating_id=rating.id, revision=rating.revision, decided_by=decision.by, **said)


def count_decisions(tx: Tx, rating_id: str) -> int:
    """How many decisions were taken about a rating. Whoever goes by it holds the rating."""
    row = tx.one(_COUNT_DECISIONS, rating_id=rating_id)
    assert row is not None, "a count has a row"
    return row[0]


def list_of_decisions(tx: Tx, rating_ids: Sequence[str]) -> dict[str, tuple[Decision, ...]]:
    """What was decided about each rating, in order."""
    found: dict[str, tuple[Decision, ...]] = {}
    size = values.DECISIONS_MAX * len(rating_ids)
    for rating_id, *decision in tx.all(_DECISIONS, rating_ids=list(rating_ids), size=size):
        found[rating_id] = (*found.get(rating_id, ()), Decision(*decision))
    return found


def list_of_tallies(tx: Tx, creator_ids: Sequence[str]) -> list[Tally]:
    """How many ratings creators have, in the order asked; nothing where there are none."""
    found = {row[0]: Tally(tuple(row[1:])) for row in tx.all(_TALLIES, creator_ids=list(creator_ids))}
    return [found.get(creator_id, Tally()) for creator_id in creator_ids]


@dataclass(frozen=True, slots=True)
class Listing:
    """Which ratings of a creator, in which order."""

    creator_id: str
    sort: Sort
    descending: bool
    hidden: bool


def list_of_page(tx: Tx, args: pages.PageArgs, listing: Listing) -> list[Rating]:
    """Up to one rating more than the page holds, in the direction asked."""
    statement = _page(listing.sort, listing.descending != args.backward, args.key is not None)
    key = {f"key_{at}": value for at, value in enumerate(args.key or ())}
    of = {"creator_id": listing.creator_id, "hidden": listing.hidden}
    return [Rating(*row) for row in tx.all(statement, size=args.size + 1, **of, **key)]


def count_up_to(tx: Tx, listing: Listing, limit: int) -> int:
    """How many ratings a list has, counted up to a limit."""
    row = tx.one(_COUNT, creator_id=listing.creator_id, hidden=listing.hidden, limit=limit)
    assert row is not None, "a count has a row"
    return row[0]


def wrong_tallies() -> sa.Select[Any]:
    """The creators whose tally is not what their ratings say, for the proof: what is kept, and what was counted."""
    shown = [sa.func.coalesce(sa.func.sum(sa.case((_T.c.stars == stars, 1), else_=0)), 0) for stars in STARS]
    counted = (
        sa.select(_T.c.creator_id, *(each.label(f"stars_{stars}") for stars, each in zip(STARS, shown, strict=True)))
        .where(_T.c.hidden == columns.NO)
        .group_by(_T.c.creator_id)
        .subquery()
    )
    kept = [_TALLY.c[f"stars_{stars}"] for stars in STARS]
    found = [sa.func.coalesce(counted.c[f"stars_{stars}"], 0) for stars in STARS]
    return (
        sa.select(_CREATORS.c.id, sa.func.coalesce(_sum(kept), 0), _sum(found))
        .join_from(_CREATORS, _TALLY, _TALLY.c.creator_id == _CREATORS.c.id, isouter=True)
        .join(counted, counted.c.creator_id == _CREATORS.c.id, isouter=True)
        .where(sa.or_(*(sa.func.coalesce(is_, 0) != of for is_, of in zip(kept, found, strict=True))))
    )


def wrong_averages() -> sa.Select[Any]:
    """The creators whose average is not that of their tally, for the proof: what is shown, and what is kept."""
    kept = [sa.func.coalesce(_TALLY.c[f"stars_{stars}"], 0) for stars in STARS]
    stars = _sum([each * stars for stars, each in zip(STARS, kept, strict=True)])
    wrong = (_CREATORS.c.rating_sum != stars) | (_CREATORS.c.rating_count != _sum(kept))
    return (
        sa.select(_CREATORS.c.id, _CREATORS.c.rating_sum, stars, _CREATORS.c.rating_count, _sum(kept))
        .join_from(_CREATORS, _TALLY, _TALLY.c.creator_id == _CREATORS.c.id, isouter=True)
        .where(wrong)
    )


def _sum(parts: Sequence[sa.ColumnElement[int]]) -> sa.ColumnElement[int]:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _missing() -> errors.NotFoundError:
    return errors.NotFoundError("There is no such rating.", path=("input", "ratingId"))


@cache
def _page(sort: Sort, descending: bool, after: bool) -> Statement[Any]:  # noqa: FBT001 - a cache key
    def build() -> sa.ClauseElement:
        keys: list[sa.ColumnElement[Any]] = [_T.c.id]
        if sort is Sort.STARS:
            keys.insert(0, _T.c.stars)
        query = _ratings().where(
            _T.c.creator_id == sa.bindparam("creator_id"), _T.c.hidden == sa.bindparam("hidden", type_=Truth)
        )
        query = query.order_by(*(key.desc() if descending else key.asc() for key in keys)).limit(sa.bindparam("size"))
        if not after:
            return query
        place = sa.tuple_(*(sa.bindparam(f"key_{at}", type_=key.type) for at, key in enumerate(keys)))
        return query.where(sa.tuple_(*keys) < place if descending else sa.tuple_(*keys) > place)

    return Statement(build)
