"""Gifts as they were sent, and what each fan gave to a creator in a day, a week and all of time.

The totals are written by a trigger with the gift itself, so that they are exact whoever writes beside. Units: coins.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import gifts, pages
from shoutgraph.domain.gifts import Gift, Span, Total, Window
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

READERS: Final = (Scope.FINANCE_READ, Scope.MODERATION)
"""Who reads anyone's gifts."""


class GiftRow(SQLModel, table=True):
    """A gift; the earning that it made stands for its place in the books."""

    __tablename__ = "gift"
    __table_args__ = (
        sa.CheckConstraint(f"quantity BETWEEN 1 AND {gifts.QUANTITY_MAX}", name="gift_quantity"),
        sa.CheckConstraint("coins >= quantity AND fee_coins BETWEEN 0 AND coins - 1", name="gift_coins"),
        sa.CheckConstraint(f"length(message) BETWEEN 1 AND {gifts.MESSAGE_CHARS_MAX}", name="gift_message"),
        sa.CheckConstraint(f"length(thanks) BETWEEN 1 AND {gifts.MESSAGE_CHARS_MAX}", name="gift_thanks"),
        sa.CheckConstraint("thanks IS NULL OR thanked_at IS NOT NULL", name="gift_thanked"),
        sa.Index("gift_user", "user_id", "sent_at", "coins"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    creator_id: str = Field(sa_type=Text, foreign_key="creator.id")
    user_id: str = Field(sa_type=Text, foreign_key="users.id")
    sticker_id: str = Field(sa_type=Text, foreign_key="sticker.id")
    earning_id: str = Field(sa_type=Text, foreign_key="earning.id", unique=True)
    quantity: int = Field(sa_type=Integer)
    coins: int = Field(sa_type=Integer)
    fee_coins: int = Field(sa_type=Integer)
    message: str | None = Field(sa_type=Text)
    live_session: str | None = Field(sa_type=Text)
    sent_at: datetime = Field(sa_type=Micros)
    thanked_at: datetime | None = Field(sa_type=Micros)
    thanks: str | None = Field(sa_type=Text)
    hidden: bool = Field(
        sa_column=sa.Column(columns.Truth, columns.truth("hidden"), server_default=sa.text("0"), nullable=False)
    )


class GiftTotalRow(SQLModel, table=True):
    """What a fan gave to a creator in one window; written by the trigger of gifts alone."""

    __tablename__ = "gift_total"
    __table_args__ = (
        sa.CheckConstraint("coins >= gifts AND gifts > 0", name="gift_total_counts"),
        one_of("span", Span),
        sa.Index("gift_total_rank", "creator_id", "span", "number", "coins", "user_id"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    creator_id: str = Field(sa_type=Text, primary_key=True)
    span: Span = Field(sa_type=Words(Span), primary_key=True)
    number: int = Field(sa_type=Integer, primary_key=True)
    user_id: str = Field(sa_type=Text, primary_key=True)
    coins: int = Field(sa_type=Integer)
    gifts: int = Field(sa_type=Integer)


_DAY: Final = sa.literal_column("86400000000", Integer)
_WEEK: Final = sa.literal_column("604800000000", Integer)
_MONDAY: Final = sa.literal_column("259200000000", Integer)
"""What 1970 began after a Monday's midnight; all three as the triggers have them, in microseconds."""
_T: Final = columns.table_of(GiftRow)
_TOTAL: Final = columns.table_of(GiftTotalRow)
_NAMES: Final = tuple(column.name for column in _T.c)


def insert(tx: Tx, gift: Gift) -> None:
    """Stores a new gift, in the unit of work that posts it."""
    tx.put(_INSERT, **{name: getattr(gift, name) for name in _NAMES})


def get(tx: Tx, gift_id: str) -> Gift:
    """A gift that is there."""
    (found,) = list_of(tx, [gift_id])
    assert found is not None, "a gift is never deleted"
    return found


def list_of(tx: Tx, gift_ids: Sequence[str]) -> list[Gift | None]:
    """Gifts in the order asked, None where there is none."""
    found = {row[0]: Gift(*row) for row in tx.all(_LIST, ids=list(gift_ids))}
    return [found.get(gift_id) for gift_id in gift_ids]


def list_visible(tx: Tx, gift_ids: Sequence[str], viewer: Viewer) -> list[Gift | None]:
    """Gifts in the order asked, None where there is none that this viewer may see."""
    return [gift if gift is not None and visible(gift, viewer) else None for gift in list_of(tx, gift_ids)]


def visible(gift: Gift, viewer: Viewer) -> bool:
    """Whether the viewer gave it, got it, or reads anyone's."""
    mine = viewer.user_id is not None and viewer.user_id == gift.user_id
    got = viewer.creator_id is not None and viewer.creator_id == gift.creator_id
    return mine or got or viewer.has(*READERS)


def thank(tx: Tx, gift_ids: Sequence[str], thanks: str | None) -> None:
    """Notes the creator's thanks. Whoever does holds the creator."""
    tx.run(_THANK, ids=list(gift_ids), at=tx.now, thanks=thanks)


def hide(tx: Tx, gift_id: str, *, hidden: bool) -> None:
    """Keeps whether moderators hid the message. Whoever does holds the creator."""
    tx.run(_HIDE, id=gift_id, hidden=hidden)


def list_of_totals(tx: Tx, creator_id: str, window: Window, args: pages.PageArgs) -> list[Total]:
    """Up to one fan more than the page holds, who gave the most first. The key is `(coins, user_id)`."""
    place = {"creator_id": creator_id, "span": window.span, "number": window.number}
    key = {} if args.key is None else {"coins": args.key[0], "user_id": args.key[1]}
    rows = tx.all(_PAGES[args.backward, args.key is not None], size=args.size + 1, **place, **key)
    if not rows:
        return []
    ordered = rows[::-1] if args.backward else rows
    user_id, coins, _ = ordered[0]
    counted = tx.one(_BEFORE, coins=coins, user_id=user_id, **place)
    assert counted is not None, "an aggregate has one row"
    more, before = counted
    ranks = [more + 1]
    for at, (previous, row) in enumerate(pairwise(ordered), start=1):
        ranks.append(ranks[-1] if previous[1] == row[1] else before + at + 1)
    found = [Total(who, given, count, rank) for (who, given, count), rank in zip(ordered, ranks, strict=True)]
    return found[::-1] if args.backward else found


def wrong_totals() -> sa.Select[Any]:
    """The totals that are not the sum of the gifts, for the proof: what is kept, and what was given."""
    at, none = sa.type_coerce(_T.c.sent_at, Integer), sa.literal_column("0", Integer)
    numbers = {Span.DAY: at // _DAY, Span.WEEK: (at + _MONDAY) // _WEEK, Span.ALL: none}
    one = sa.literal_column("1", Integer)
    given = [
        sa.select(
            _T.c.creator_id, sa.literal_column(f"'{span}'", Text).label("span"), number.label("number"), _T.c.user_id,
            none.label("kept"), _T.c.coins.label("given"), none.label("kept_gifts"), one.label("given_gifts"),
        )
        for span, number in numbers.items()
    ]  # fmt: skip
    kept = sa.select(
        _TOTAL.c.creator_id, sa.type_coerce(_TOTAL.c.span, Text), _TOTAL.c.number, _TOTAL.c.user_id,
        _TOTAL.c.coins, none, _TOTAL.c.gifts, none,
    )  # fmt: skip
    both = sa.union_all(*given, kept).subquery()
    sums = [sa.func.sum(both.c[name]) for name in ("kept", "given", "kept_gifts", "given_gifts")]
    space = sa.literal_column("' '", Text)
    name = both.c.creator_id + space + both.c.span + space + both.c.user_id
    return (
        sa.select(name, *sums)
        .group_by(both.c.creator_id, both.c.span, both.c.number, both.c.user_id)
        .having((sums[0] != sums[1]) | (sums[2] != sums[3]))
    )


def _page(*, backward: bool, after: bool) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        keys = (_TOTAL.c.coins, _TOTAL.c.user_id)
        query = sa.select(_TOTAL.c.user_id, _TOTAL.c.coins, _TOTAL.c.gifts).where(*_in_window())
        query = query.order_by(*(key.asc() if backward else key.desc() for key in keys)).limit(sa.bindparam("size"))
        if after:
            place = sa.tuple_(sa.bindparam("coins", type_=Integer), sa.bindparam("user_id", type_=Text))
            query = query.where(sa.tuple_(*keys) > place if backward else sa.tuple_(*keys) < place)
        return query

    return Statement(build)


def _in_window() -> list[sa.ColumnElement[bool]]:
    return [_TOTAL.c[name] == sa.bindparam(name) for name in ("creator_id", "span", "number")]


def _before() -> sa.ClauseElement:
    """How many gave more coins than these, and how many stand before this fan."""
    coins, user_id = sa.bindparam("coins", type_=Integer), sa.bindparam("user_id", type_=Text)
    more = sa.func.coalesce(sa.func.sum(sa.case((_TOTAL.c.coins > coins, 1), else_=0)), 0)
    here = sa.tuple_(_TOTAL.c.coins, _TOTAL.c.user_id) > sa.tuple_(coins, user_id)
    return sa.select(sa.cast(more, Integer), sa.func.count()).where(*_in_window(), here)


_WAYS: Final[Sequence[tuple[bool, bool]]] = ((False, False), (False, True), (True, False), (True, True))
_PAGES: Final = {(backward, after): _page(backward=backward, after=after) for backward, after in _WAYS}
_BEFORE: Final = Statement[tuple[int, int]](_before)
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.id, "ids")))
_HIDE: Final = Statement[Any](
    lambda: (
        sa.update(_T).where(_T.c.id == sa.bindparam("id")).values(hidden=sa.bindparam("hidden", type_=_T.c.hidden.type))
    )
)
_THANK: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(columns.any_of(_T.c.id, "ids"), _T.c.thanked_at.is_(None))
        .values(thanked_at=sa.bindparam("at"), thanks=sa.bindparam("thanks"))
    )
)
