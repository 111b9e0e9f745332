"""What each table holds about people, how it is told to them, and how it goes away.

Every table of the database is named here: a table that is new has to be classified, or a test fails. A room that needs
more than blanking columns has functions `erase_of_user` and `export_of_user` of its own, and is named in `ROOMS`.
Source: docs/PRIVACY.md.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlmodel import SQLModel

from shoutgraph import storage
from shoutgraph.domain import ids
from shoutgraph.domain.orders.states import SHOWN_TO_FAN
from shoutgraph.storage import (
    adjustments,
    ages,
    campaigns,
    card_purchases,
    cards,
    closures,
    columns,
    debts,
    dormancy,
    feature_rules,
    promotions,
    reasons,
    samples,
    spending,
    tax,
    waitlist,
)
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

CHUNK_ROWS: Final = 500
"""Rows that one unit of work blanks."""
ERASED: Final = "Erased"
"""What stands where words were that a table cannot be without."""

Owned = Callable[[sa.Table], sa.ColumnElement[bool]]
"""Which rows are about the user whose id is the parameter `user_id`."""


class Room(Protocol):
    """A room that erases and tells what it keeps by itself."""

    def erase_of_user(self, tx: Tx, user_id: ids.UserId) -> object:
        """Erases it; a repeat finds nothing."""

    def export_of_user(self, tx: Tx, user_id: ids.UserId) -> Sequence[Mapping[str, Any]] | Mapping[str, Any]:
        """Everything it keeps about the user, as plain values: rows, or one of them."""


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of a table that are about somebody.

    Args:
        blank: what each column says when they are erased; a function makes an expression of the table.
        delete: whether the rows go as a whole.
        told: the columns that they are told; all if it is empty.
        untold: the columns that they are not told: what is about somebody else.
    """

    table: str
    owned: Owned
    blank: Mapping[str, Any] = field(default_factory=dict)
    delete: bool = False
    told: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


def _user() -> sa.BindParameter[str]:
    return sa.bindparam("user_id", type_=columns.Text)


@cache
def _tables() -> Mapping[str, sa.Table]:
    """Every table, whichever rooms the program imported by itself."""
    for module in pkgutil.iter_modules(storage.__path__):
        if not module.ispkg:
            importlib.import_module(f"{storage.__name__}.{module.name}")
    return SQLModel.metadata.tables


def _table(name: str) -> sa.Table:
    return _tables()[name]


def _mine(column: str) -> Owned:
    return lambda table: table.c[column] == _user()


def _creator_ids() -> sa.Select[Any]:
    creator = _table("creator")
    return sa.select(creator.c.id).where(creator.c.user_id == _user())


def _as_creator(column: str = "creator_id") -> Owned:
    return lambda table: table.c[column].in_(_creator_ids())


def _orders(*, fan: bool, creator: bool) -> sa.Select[Any]:
    orders = _table("orders")
    sides = [orders.c.fan_id == _user()] * fan + [orders.c.creator_id.in_(_creator_ids())] * creator
    return sa.select(orders.c.id).where(sa.or_(*sides))


def _of_orders(column: str = "order_id", *, fan: bool = True, creator: bool = True) -> Owned:
    return lambda table: table.c[column].in_(_orders(fan=fan, creator=creator))


def _said(table: sa.Table) -> sa.ColumnElement[bool]:
    """The statements of the sides that the user was."""
    side = sa.type_coerce(table.c.side, columns.Text)
    as_fan = sa.and_(side == sa.literal_column("'FAN'"), table.c.order_id.in_(_orders(fan=True, creator=False)))
    as_creator = sa.and_(side == sa.literal_column("'CREATOR'"), table.c.order_id.in_(_orders(fan=False, creator=True)))
    return sa.or_(as_fan, as_creator)


def _beneath(column: str, parent: str, owned: Owned) -> Owned:
    """Rows whose column names a row of another table that is the user's."""

    def find(table: sa.Table) -> sa.ColumnElement[bool]:
        above = _table(parent)
        return table.c[column].in_(sa.select(above.c.id).where(owned(above)))

    return find


def _appealed(table: sa.Table) -> sa.ColumnElement[bool]:
    """Reports whose appeal is the user's."""
    by = sa.type_coerce(table.c.appealed_by, columns.Text)
    as_reporter = sa.and_(by == sa.literal_column("'REPORTER'"), table.c.reporter_id == _user())
    return sa.or_(as_reporter, sa.and_(by == sa.literal_column("'AFFECTED'"), table.c.affected_id == _user()))


def _acted_upon(table: sa.Table) -> sa.ColumnElement[bool]:
    audit = _table("audit")
    subjects = sa.union_all(sa.select(_user()), _creator_ids(), _orders(fan=True, creator=True)).subquery()
    mine = audit.c.subject_id.in_(sa.select(subjects.c[0]))
    return table.c.audit_id.in_(sa.select(audit.c.id).where(mine))


def _nameless_handle(table: sa.TableClause) -> sa.ColumnElement[str]:
    return sa.func.replace(table.c.id, sa.literal_column("'creator_'"), sa.literal_column("'erased'"))


HELD: Final = (
    Held("users", _mine("id"), {"display_name": ERASED, "country": "ZZ", "subject": None}),
    Held(
        "creator",
        _mine("user_id"),
        {
            "handle": _nameless_handle,
            "name": ERASED,
            "name_sort": "erased",
            "facets": "",
            "bio": "",
            "country": "ZZ",
            "avatar_url": None,
            "languages": "|",
            "categories": "|",
        },
    ),
    Held("offer", _as_creator(), {"title": ERASED}),
    Held("orders", _of_orders("id"), {"reason": None, "note": None}),
    Held("brief", _of_orders(creator=False), delete=True),
    Held("dispute_statement", _said, delete=True),
    Held("cut", _of_orders(), {"note": None}),
    Held("video", _of_orders(), {"rejection_message": None}),
    Held("attachment", _mine("uploader_id"), {"rejection_message": None}),
    Held("rating", _mine("fan_id")),
    Held("rating_words", _beneath("rating_id", "rating", _mine("fan_id")), {"opinion": None}, told=("opinion",)),
    Held("rating_words", _beneath("rating_id", "rating", _as_creator()), {"reply": None}, told=("reply",)),
    Held("gift", _mine("user_id"), {"message": None}),
    Held("gift", _as_creator(), {"thanks": None, "live_session": None}, told=("thanks", "live_session")),
    Held("topup", _mine("user_id"), {"payload": [], "action": None}),
    Held("topup_receipt", _beneath("topup_id", "topup", _mine("user_id")), delete=True),
    Held("topup_waiver", _mine("user_id")),
    Held("refund", _mine("user_id")),
    Held("wallet_lock", _mine("user_id")),
    Held("lot", _mine("user_id")),
    Held("lapse", _mine("user_id")),
    Held("earning", _as_creator()),
    Held("payout", _as_creator(), {"note": None}),
    Held("payout_hold", _as_creator()),
    Held("creator_reserve", _as_creator(), delete=True),
    Held("payout_recipient", _as_creator(), {"label": ERASED, "ref": ""}),
    Held("payout_onboarding", _as_creator(), {"answers": None, "url": None, "return_url": "", "code": None}),
    Held("request", _mine("principal"), delete=True),
    Held("audit_words", _acted_upon, {"words": None}),
    Held("report", _mine("reporter_id")),
    Held("report_words", _beneath("report_id", "report", _mine("reporter_id")), {"explanation": None}),
    Held("report_words", _beneath("report_id", "report", _appealed), {"appeal": None}, told=("appeal",)),
    Held("data_export", _mine("user_id")),
    Held("erasure", _mine("user_id")),
    Held("campaign_order", _of_orders(creator=False)),
    Held("code_attempt", _mine("user_id")),
    Held("delivered_video", _beneath("video_id", "video", _of_orders())),
    Held("lot_move", _beneath("lot_id", "lot", _mine("user_id"))),
    Held("payout_exchange", _beneath("payout_id", "payout", _as_creator())),
    Held("payout_part", _beneath("payout_id", "payout", _as_creator())),
    Held("rating_decision", _beneath("rating_id", "rating", _mine("fan_id")), untold=("decided_by",)),
    Held("rating_tally", _as_creator()),
    Held("report_decision", _beneath("report_id", "report", _mine("affected_id")), untold=("decided_by",)),
    Held("reputation", _as_creator()),
    Held("reputation_day", _as_creator()),
    Held("stray", _as_creator(), untold=("key", "note")),
    Held("taken_back", _beneath("topup_id", "topup", _mine("user_id"))),
    Held("topup_dispute", _beneath("topup_id", "topup", _mine("user_id"))),
)
"""Everything about somebody, in the order in which it is blanked; who they are goes last, by `finish`."""

ROOMS: Final[Mapping[str, Room]] = {
    "adjustment": adjustments,
    "birth": ages,
    "campaign": campaigns,
    "feature_user": feature_rules,
    "card_purchase": card_purchases,
    "gift_card": cards,
    "closure": closures,
    "dormancy": dormancy,
    "promo_use": promotions,
    "sample": samples,
    "spending_guard": spending,
    "tax_profile": tax,
    "waitlist_entry": waitlist,
    "write_off": debts,
}
"""Rooms with functions of their own, by the table that they look after."""

PRIVATE: Final[Mapping[str, frozenset[str]]] = {
    held.table: frozenset().union(*(set(each.blank) for each in HELD if each.table == held.table))
    | (frozenset() if held.table != "topup" else frozenset({"ref"}))
    for held in HELD
} | {"birth": frozenset({"born_on"}), "gift_card": frozenset({"message", "recipient_name", "digest", "hint"})}
"""The columns that nobody repeats elsewhere, by table."""


def tables() -> frozenset[str]:
    """Every table that is classified."""
    return frozenset(held.table for held in HELD) | frozenset(ROOMS) | frozenset(reasons.UNTOLD) | reasons.IMPERSONAL


def erase_some(tx: Tx, *, user_id: str, at: int) -> int:
    """Blanks or deletes some rows of one of `HELD`; says how many. A repeat goes on where this one ended."""
    held = HELD[at]
    if held.table == "users" or not (held.blank or held.delete):
        return 0
    return tx.run(_erasing(at), user_id=user_id, size=CHUNK_ROWS)


def erase_in_rooms(tx: Tx, user_id: ids.UserId) -> None:
    """Has every room erase what it keeps by itself."""
    for room in ROOMS.values():
        room.erase_of_user(tx, user_id)


def finish(tx: Tx, user_id: ids.UserId) -> None:
    """Makes the person nobody, for ever; a repeat changes nothing."""
    tx.run(_FINISH, of=user_id, now=tx.now)


def tell(tx: Tx, user_id: ids.UserId) -> Iterator[tuple[str, Iterator[Mapping[str, Any]]]]:
    """Everything that is kept about somebody: tables, and their rows as they come."""
    for at, held in enumerate(HELD):
        statement, names = _telling(at)
        rows = (dict(zip(names, row, strict=True)) for row in tx.each(statement, user_id=user_id))
        yield f"{held.table}-{'-'.join(held.told)}" if held.told else held.table, rows
    for name, room in ROOMS.items():
        found = room.export_of_user(tx, user_id)
        yield name, iter(found if isinstance(found, Sequence) else [found] if found else [])


def list_of_files(tx: Tx, *, user_id: str, after: str, shown: bool = False) -> list[str]:
    """Videos that show somebody or were made for them, and what they attached, after an id; some at a time.

    Args:
        shown: of what was made for them, only what they may watch: it passed review, and they did not get it refunded.
    """
    statement = _SHOWN_FILES if shown else _FILES
    return [row[0] for row in tx.all(statement, user_id=user_id, after=after, size=CHUNK_ROWS)]


@cache
def _erasing(at: int) -> Statement[Any]:
    held = HELD[at]

    def build() -> sa.ClauseElement:
        table = _table(held.table)
        keys = list(table.primary_key.columns)
        found = sa.select(*keys).where(held.owned(table)).limit(sa.bindparam("size", type_=columns.Integer))
        if held.delete:
            return sa.delete(table).where(sa.tuple_(*keys).in_(found))
        plain = sa.table(held.table, *(sa.column(c.name) for c in table.c))
        become = _blank(held, table)
        there = [sa.type_coerce(table.c[name], columns.Text).is_distinct_from(value) for name, value in become.items()]
        found = found.where(sa.or_(*there))
        of = [plain.c[key.name] for key in keys]
        return sa.update(plain).where(sa.tuple_(*of).in_(found)).values(_blank(held, plain))

    return Statement(build)


def _blank(held: Held, table: sa.TableClause) -> dict[str, sa.ColumnElement[Any]]:
    return {name: value(table) if callable(value) else _literal(value) for name, value in held.blank.items()}


def _literal(value: object) -> sa.ColumnElement[Any]:
    """A blank as it is stored."""
    if value is None:
        return sa.null()
    text = value if isinstance(value, str) else columns.to_json(value)
    return sa.literal_column("'" + text.replace("'", "''") + "'", columns.Text)


@cache
def _telling(at: int) -> tuple[Statement[Any], tuple[str, ...]]:
    held = HELD[at]
    table = _table(held.table)
    keys = [c.name for c in table.primary_key.columns]
    names = tuple(dict.fromkeys([*keys, *(held.told or (c.name for c in table.c))]))
    plain = [table.c[name] for name in names if name not in held.untold]
    chosen = [column for column in plain if not isinstance(column.type, sa.LargeBinary)]
    told = tuple(c.name for c in chosen)
    return Statement(lambda: sa.select(*chosen).where(held.owned(table)).order_by(*table.primary_key.columns)), told


def _watched(video: sa.Table) -> sa.ColumnElement[bool]:
    """Those that the user may watch as a fan."""
    orders = _table("orders")
    states: list[sa.ColumnElement[Any]] = [sa.literal_column(f"'{state}'") for state in sorted(SHOWN_TO_FAN)]
    mine = sa.and_(orders.c.fan_id == _user(), sa.type_coerce(orders.c.state, columns.Text).in_(states))
    return video.c.id.in_(sa.select(orders.c.passed_video_id).where(mine))


def _files(*, shown: bool) -> sa.ClauseElement:
    video, attachment = _table("video"), _table("attachment")
    mine = sa.or_(_watched(video) if shown else _of_orders()(video), _as_creator()(video))
    both = sa.union_all(
        sa.select(video.c.id).where(mine), sa.select(attachment.c.id).where(_mine("uploader_id")(attachment))
    ).subquery()
    found = sa.select(both.c.id).where(both.c.id > sa.bindparam("after", type_=columns.Text))
    return found.order_by(both.c.id).limit(sa.bindparam("size", type_=columns.Integer))


def _finish() -> sa.ClauseElement:
    users = _table("users")
    blank: dict[str, Any] = {"display_name": ERASED, "country": "ZZ", "subject": sa.null(), "locked": columns.YES}
    blank |= {"revision": users.c.revision + 1, "erased_at": sa.bindparam("now")}
    return (
        sa.update(users)
        .where(users.c.id == sa.bindparam("of"), users.c.erased_at.is_(None))
        .values({name: _literal(value) if isinstance(value, str) else value for name, value in blank.items()})
    )


_FILES: Final = Statement[tuple[str]](lambda: _files(shown=False))
_SHOWN_FILES: Final = Statement[tuple[str]](lambda: _files(shown=True))
_FINISH: Final = Statement[Any](_finish)
