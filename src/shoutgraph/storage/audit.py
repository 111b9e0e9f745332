"""The audit trail's tables: lines are append-only and sealed by the journal; texts beside them can be blanked."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Final

import orjson
import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import clock, ids, journal as lines, pages
from shoutgraph.domain.audit import Act, AuditFilter, Change, Line, Row, changes_of, digest
from shoutgraph.domain.ids import NewId
from shoutgraph.storage import columns, journal
from shoutgraph.storage.columns import Integer, JsonText, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

PLACES: Final[Mapping[str, str]] = {
    ids.USER: "users", ids.ORDER: "orders", ids.RECIPIENT: "payout_recipient", ids.BATCH: "payout_batch",
    ids.BANK_FILE: "bank_file", ids.API_KEY: "api_key", ids.PACKAGE: "coin_package", ids.WRITE_OFF: "write_off",
    ids.WAITLIST: "waitlist_entry", ids.PAYOUT_HOLD: "payout_hold",
    ids.ENDPOINT: "webhook_endpoint",
    ids.LEDGER_ADJUSTMENT: "ledger_adjustment",
    ids.GIFT_CARD: "gift_card",
    ids.CARD_ISSUE: "card_issue",
    ids.SUSPENSE_LINE: "suspense_line",
}  # fmt: skip
"""The tables of subjects whose ids begin otherwise than the table is called."""
BESIDE: Final[Mapping[str, tuple[str, ...]]] = {"users": ("wallet_lock", "spending_guard", "birth")}
"""Tables whose rows belong to a subject; the column `user_id` names it."""
TEXT_CHARS_MAX: Final = 500
"""How much of a value a line repeats."""
SEALED_WITHIN: Final = timedelta(minutes=1)
"""How long the journal may take to seal a line, where several processes write."""
WRONG_MAX: Final = 20
"""The most lines that a proof names."""


class AuditRow(SQLModel, table=True):
    """What somebody did."""

    __tablename__: ClassVar[str] = "audit"
    __table_args__ = (
        sa.CheckConstraint("length(actor) > 0 AND length(action) > 0", name="audit_named"),
        sa.Index("audit_at", "at", "id"),
        sa.Index("audit_actor", "actor", "at", "id"),
        sa.Index("audit_action", "action", "at", "id"),
        sa.Index("audit_subject", "subject_id", "at", "id"),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_type=Text, primary_key=True)
    actor: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    subject_id: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    given: dict[str, Any] = Field(sa_type=JsonText)
    changes: list[list[Any]] = Field(sa_type=JsonText)
    at: datetime = Field(sa_type=Micros)


class AuditWordsRow(SQLModel, table=True):
    """The texts of an input that may be about a person, by their place in it."""

    __tablename__: ClassVar[str] = "audit_words"
    __table_args__ = ({"sqlite_strict": True},)
    audit_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("audit.id"), primary_key=True))
    words: dict[str, str] | None = Field(sa_type=JsonText)


_T: Final = columns.table_of(AuditRow)
_WORDS: Final = columns.table_of(AuditWordsRow)
_NAMES: Final = tuple(column.name for column in _T.c)
_NOTED: Final = "audit"
_FIRST: Final[pages.Key] = (0, "")
_LAST: Final[pages.Key] = (2**62, "~")


def append(tx: Tx, new_id: NewId, act: Act, before: Mapping[str, Row], after: Mapping[str, Row], *, told: str) -> Line:
    """Writes the line of an act that was done, and has the journal seal it.

    Args:
        told: the type of the event that seals it.
    """
    found = list(dict.fromkeys([*act.subject_ids, *after]))
    line = Line(
        id=new_id(ids.AUDIT),
        actor=act.actor,
        action=act.action,
        subject_id=found[0] if found else None,
        reason=act.reason,
        given=act.given or {},
        changes=changes_of(before, after) + _noted(tx),
        at=tx.now,
    )
    values: dict[str, object] = {name: getattr(line, name) for name in _NAMES}
    changes = [[each.subject_id, each.field, each.before, each.after] for each in line.changes]
    tx.run(_INSERT, **values | {"changes": changes})
    if act.words:
        tx.run(_INSERT_WORDS, audit_id=line.id, words=act.words)
    body: lines.Body = {"action": line.action, "subject": line.subject_id, "digest": digest(line)}
    journal.append(tx, lines.NewEvent(id=new_id(ids.EVENT), topic=line.id, type=told, body=body))
    return line


def note(tx: Tx, subject: str, before: Mapping[str, object], after: Mapping[str, object]) -> None:
    """Has the line of this act tell what changed where `look` does not see it."""
    found = [{name: _text(value) for name, value in each.items()} for each in (before, after)]
    told = changes_of({subject: found[0]}, {subject: found[1]})
    tx.notes[_NOTED] = _noted(tx) + told


def look(tx: Tx, subject_ids: Sequence[str], *, private: Mapping[str, frozenset[str]]) -> dict[str, Row]:
    """What subjects say now, by id; those that no table knows are left out.

    Args:
        private: columns that a line never repeats, by table.
    """
    found: dict[str, Row] = {}
    for subject_id in subject_ids:
        prefix = ids.prefix_of(subject_id) or ""
        table = SQLModel.metadata.tables.get(PLACES.get(prefix, prefix))
        if table is None or "id" not in table.c:
            continue
        told = _told(tx, table, "id", subject_id, private)
        for name in BESIDE.get(table.name, ()):
            beside = _told(tx, SQLModel.metadata.tables[name], "user_id", subject_id, private)
            told |= {f"{name}.{column}": value for column, value in beside.items()}
        if told:
            found[subject_id] = told
    return found


def list_of(tx: Tx, audit_ids: Sequence[str]) -> list[Line | None]:
    """Lines by id in the order asked, None where there is none."""
    found = {row[0]: _line(row) for row in tx.all(_LIST, ids=list(audit_ids))}
    return [found.get(each) for each in audit_ids]


def words_of(tx: Tx, audit_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """The texts beside lines; those that have none, or were blanked, are left out."""
    return {audit_id: words for audit_id, words in tx.all(_LIST_WORDS, ids=list(audit_ids)) if words is not None}


def list_of_page(tx: Tx, args: pages.PageArgs, only: AuditFilter) -> list[Line]:
    """Up to one line more than the page holds, the newest first, in the direction asked. The key is `(at, id)`."""
    given = {name: getattr(only, name) for name in ("actor", "subject_id", "action", "since", "until")}
    params = {name: value for name, value in given.items() if value is not None}
    at, audit_id = args.key or (_FIRST if args.backward else _LAST)
    statement = _page(frozenset(params), backward=args.backward)
    rows = tx.all(statement, size=args.size + 1, key_at=at, key_id=audit_id, **params)
    return [_line(row) for row in rows]


def wrong_lines(tx: Tx) -> list[str]:
    """The lines that are not what the journal sealed, and those that it should have sealed by now."""
    wrong = [str(row[0]) for row in tx.all(_UNSEALED, before=tx.head.at - SEALED_WITHIN, size=WRONG_MAX)]
    for text, topic, *row in tx.each(_SEALED):
        if len(wrong) >= WRONG_MAX:
            break
        if row[0] is None or digest(_line(row)) != orjson.loads(text)["digest"]:
            wrong.append(str(topic))
    return wrong


@cache
def _page(filters: frozenset[str], *, backward: bool) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        key = sa.tuple_(_T.c.at, _T.c.id)
        place = sa.tuple_(sa.bindparam("key_at", type_=Integer), sa.bindparam("key_id", type_=Text))
        query = sa.select(*_T.c).where(key > place if backward else key < place).limit(sa.bindparam("size"))
        query = query.order_by(*(c.asc() if backward else c.desc() for c in (_T.c.at, _T.c.id)))
        for name in sorted(filters - {"since", "until"}):
            query = query.where(_T.c[name] == sa.bindparam(name))
        if "since" in filters:
            query = query.where(_T.c.at >= sa.bindparam("since", type_=Micros))
        if "until" in filters:
            query = query.where(_T.c.at < sa.bindparam("until", type_=Micros))
        return query

    return Statement(build)


@cache
def _row_of(table: str, names: tuple[str, ...], key: str) -> Statement[Any]:
    of = SQLModel.metadata.tables[table]
    return Statement(lambda: sa.select(*(of.c[name] for name in names)).where(of.c[key] == sa.bindparam("of")))


def _told(
    tx: Tx, table: sa.Table, key: str, subject_id: str, private: Mapping[str, frozenset[str]]
) -> dict[str, str | None]:
    hidden = private.get(table.name, frozenset()) | {key}
    names = tuple(c.name for c in table.c if c.name not in hidden and not isinstance(c.type, sa.LargeBinary))
    row = tx.one(_row_of(table.name, names, key), of=subject_id)
    return {} if row is None else {name: _text(value) for name, value in zip(names, row, strict=True)}


def _noted(tx: Tx) -> tuple[Change, ...]:
    found = tx.notes.get(_NOTED, ())
    assert isinstance(found, tuple), "only changes are noted"
    return found


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return clock.to_text(value)
    if isinstance(value, StrEnum):
        return value.value
    text = value if isinstance(value, str) else columns.to_json(value)
    return text[:TEXT_CHARS_MAX]


def _line(row: Sequence[Any]) -> Line:
    audit_id, actor, action, subject_id, reason, given, changes, at = row
    return Line(audit_id, actor, action, subject_id, reason, given, tuple(Change(*each) for each in changes), at)


def _sealed() -> sa.ClauseElement:
    event, prefix = columns.table_of(journal.EventRow), f"{ids.AUDIT}_"
    both = event.outerjoin(_T, _T.c.id == event.c.topic)
    sealed = sa.func.substr(event.c.topic, 1, len(prefix)) == prefix
    return sa.select(event.c.body, event.c.topic, *_T.c).select_from(both).where(sealed)


def _unsealed() -> sa.ClauseElement:
    event = columns.table_of(journal.EventRow)
    query = sa.select(_T.c.id).select_from(_T.outerjoin(event, event.c.topic == _T.c.id))
    before = sa.bindparam("before", type_=Micros)
    return query.where(event.c.seq.is_(None), _T.c.at < before).limit(sa.bindparam("size"))


_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_INSERT_WORDS: Final = Statement[Any](
    lambda: sa.insert(_WORDS).values(audit_id=sa.bindparam("audit_id"), words=sa.bindparam("words"))
)
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.id, "ids")))
_LIST_WORDS: Final = Statement[tuple[str, dict[str, str] | None]](
    lambda: sa.select(*_WORDS.c).where(columns.any_of(_WORDS.c.audit_id, "ids"))
)
_SEALED: Final = Statement[Any](_sealed)
_UNSEALED: Final = Statement[tuple[str]](_unsealed)
