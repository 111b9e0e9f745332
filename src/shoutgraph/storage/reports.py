"""Reports, their words, and the statements of reasons: the last are append-only, the words can be blanked."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, ids, pages
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.reports import (
    Action,
    AppealSide,
    Basis,
    Ground,
    Report,
    ReportState,
    Statement as Reasoned,
    SubjectKind,
)
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Truth, Words, one_of, truth
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class ReportRow(SQLModel, table=True):
    """A report as it stands."""

    __tablename__: ClassVar[str] = "report"
    __table_args__ = (
        one_of("kind", SubjectKind), one_of("ground", Ground), one_of("state", ReportState),
        one_of("appealed_by", AppealSide),
        sa.CheckConstraint("(state = 'OPEN') = (decided_at IS NULL)", name="report_decided_at"),
        sa.CheckConstraint("(appealed_at IS NULL) = (appealed_by IS NULL)", name="report_appealed"),
        sa.Index("report_reporter", "reporter_id", "id"),
        sa.Index("report_affected", "affected_id", "id"),
        sa.Index("report_state", "state", "id"),
        sa.Index("report_subject", "subject_id"),
        {"sqlite_strict": True},
    )  # fmt: skip
    id: str = Field(sa_type=Text, primary_key=True)
    revision: int = Field(sa_type=Integer)
    reporter_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("users.id"), nullable=False))
    affected_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("users.id"), nullable=False))
    kind: SubjectKind = Field(sa_type=Words(SubjectKind))
    subject_id: str = Field(sa_type=Text)
    ground: Ground = Field(sa_type=Words(Ground))
    state: ReportState = Field(sa_type=Words(ReportState))
    filed_at: datetime = Field(sa_type=Micros)
    due_at: datetime = Field(sa_type=Micros)
    decided_at: datetime | None = Field(sa_type=Micros)
    appealed_at: datetime | None = Field(sa_type=Micros)
    appealed_by: AppealSide | None = Field(sa_type=Words(AppealSide))


class ReportWordsRow(SQLModel, table=True):
    """What people said in a report: personal data, blanked without touching the report."""

    __tablename__: ClassVar[str] = "report_words"
    __table_args__ = ({"sqlite_strict": True},)
    report_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("report.id"), primary_key=True))
    explanation: str | None = Field(sa_type=Text)
    appeal: str | None = Field(sa_type=Text)


class ReportDecisionRow(SQLModel, table=True):
    """A statement of reasons."""

    __tablename__: ClassVar[str] = "report_decision"
    __table_args__ = (
        one_of("action", Action),
        one_of("basis", Basis),
        truth("appeal"),
        truth("upheld"),
        sa.CheckConstraint("length(rule) > 0 AND length(facts) > 0", name="report_decision_reasons"),
        sa.UniqueConstraint("report_id", "appeal", name="report_decision_once"),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_type=Text, primary_key=True)
    report_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("report.id"), nullable=False))
    appeal: bool = Field(sa_type=Truth)
    action: Action = Field(sa_type=Words(Action))
    upheld: bool = Field(sa_type=Truth)
    basis: Basis = Field(sa_type=Words(Basis))
    rule: str = Field(sa_type=Text)
    facts: str = Field(sa_type=Text)
    decided_by: str = Field(sa_type=Text)
    decided_at: datetime = Field(sa_type=Micros)
    appeal_until: datetime | None = Field(sa_type=Micros)


_T: Final = columns.table_of(ReportRow)
_W: Final = columns.table_of(ReportWordsRow)
_D: Final = columns.table_of(ReportDecisionRow)
_NAMES: Final = tuple(column.name for column in _T.c)
_KEPT: Final = ("revision", "state", "due_at", "decided_at", "appealed_at", "appealed_by")
_LAST: Final = "report_~"
"""After every id."""


def insert(tx: Tx, report: Report, explanation: str) -> None:
    """Stores a new report with its words."""
    tx.run(_INSERT, **{name: getattr(report, name) for name in _NAMES})
    tx.run(_INSERT_WORDS, report_id=report.id, explanation=explanation, appeal=None)


def save(tx: Tx, report: Report) -> None:
    """Stores the next revision of a report, which the caller holds."""
    changed = tx.run(_SAVE, of=report.id, **{name: getattr(report, name) for name in _KEPT})
    assert changed == 1, "a report that was read is there"


def say_appeal(tx: Tx, report_id: str, text: str) -> None:
    """Keeps the words of an appeal."""
    tx.run(_SAY, of=report_id, text=text)


def append(tx: Tx, statement: Reasoned) -> None:
    """Keeps a statement of reasons."""
    tx.run(_DECIDE, **{c.name: getattr(statement, c.name) for c in _D.c})


def get(tx: Tx, report_id: str) -> Report:
    """A report. A unit of work that writes holds it.

    Raises:
        NotFoundError: there is none.
    """
    row = tx.one(_GET, id=report_id)
    if row is None:
        raise errors.NotFoundError("There is no such report.", path=("input", "reportId"))
    return Report(*row)


def list_of(tx: Tx, report_ids: Sequence[str]) -> list[Report | None]:
    """Reports by id in the order asked, None where there is none."""
    found = {row[0]: Report(*row) for row in tx.all(_LIST, ids=list(report_ids))}
    return [found.get(each) for each in report_ids]


def words_of(tx: Tx, report_ids: Sequence[str]) -> dict[str, tuple[str | None, str | None]]:
    """The explanation and the appeal of reports, by their ids."""
    return {row[0]: (row[1], row[2]) for row in tx.all(_WORDS, ids=list(report_ids))}


def statements_of(tx: Tx, report_ids: Sequence[str]) -> dict[str, tuple[Reasoned, ...]]:
    """The statements of reasons of reports, by their ids, the first one first."""
    found: dict[str, tuple[Reasoned, ...]] = {}
    for row in tx.all(_STATEMENTS, ids=list(report_ids)):
        found[row[1]] = (*found.get(row[1], ()), Reasoned(*row))
    return found


def stands(tx: Tx, report: Report, action: Action) -> bool:
    """Whether another report's decision does the same, and was not reversed. Whoever goes by it holds the user.

    What is removed is one thing; who is restricted is the person, whatever was reported of theirs.
    """
    of = {} if action is Action.USER_RESTRICTED else {"subject_id": report.subject_id}
    besides = {"affected_id": report.affected_id, "besides": report.id}
    return bool(tx.all(_standing(action, whoever=not of), **of, **besides))


def is_removed(tx: Tx, creator: Creator) -> bool:
    """Whether a moderator took a creator's profile away, and that stands. Whoever goes by it holds the creator."""
    statement = _standing(Action.CONTENT_REMOVED, whoever=False)
    return bool(tx.all(statement, subject_id=creator.id, affected_id=creator.user_id, besides=""))


def count_filed(tx: Tx, reporter_id: str, *, since: datetime) -> int:
    """How many reports somebody filed since a time. Whoever goes by it holds the user."""
    row = tx.one(_COUNT, reporter_id=reporter_id, since=since)
    assert row is not None, "counting gives one row"
    return row[0]


def list_of_page(
    tx: Tx, args: pages.PageArgs, *, side_id: ids.UserId | None, state: ReportState | None
) -> list[Report]:
    """Up to one report more than the page holds, newest first. The key is `(id,)`.

    Args:
        side_id: only those that this person filed, or that are about what is theirs.
    """
    given = {"side_id": side_id, "state": state}
    params = {name: value for name, value in given.items() if value is not None}
    key = args.key[0] if args.key else ("" if args.backward else _LAST)
    rows = tx.all(_page(frozenset(params), backward=args.backward), size=args.size + 1, key=key, **params)
    return [Report(*row) for row in rows]


@cache
def _page(filters: frozenset[str], *, backward: bool) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        key = sa.bindparam("key", type_=Text)
        query = sa.select(*_T.c).where(_T.c.id > key if backward else _T.c.id < key).limit(sa.bindparam("size"))
        if "side_id" in filters:
            side = sa.bindparam("side_id", type_=Text)
            told = sa.and_(_T.c.affected_id == side, _T.c.decided_at.is_not(None))
            query = query.where(sa.or_(_T.c.reporter_id == side, told))
        if "state" in filters:
            query = query.where(_T.c.state == sa.bindparam("state"))
        return query.order_by(_T.c.id.asc() if backward else _T.c.id.desc())

    return Statement(build)


@cache
def _standing(action: Action, *, whoever: bool) -> Statement[tuple[str]]:
    """Decisions that were made and not reversed."""
    reversed_ = _D.alias()

    def build() -> sa.ClauseElement:
        against = sa.select(reversed_.c.id).where(
            reversed_.c.report_id == _T.c.id, reversed_.c.appeal == columns.YES, reversed_.c.upheld == columns.NO
        )
        query = (
            sa.select(_T.c.id)
            .join(_D, _D.c.report_id == _T.c.id)
            .where(
                _T.c.affected_id == sa.bindparam("affected_id"),
                _T.c.id != sa.bindparam("besides"),
                _D.c.appeal == columns.NO,
                _D.c.action == sa.literal_column(f"'{action.value}'"),
                ~against.exists(),
            )
            .limit(1)
        )
        return query if whoever else query.where(_T.c.subject_id == sa.bindparam("subject_id"))

    return Statement(build)


_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_INSERT_WORDS: Final = Statement[Any](lambda: sa.insert(_W).values({c.name: sa.bindparam(c.name) for c in _W.c}))
_SAVE: Final = Statement[Any](
    lambda: sa.update(_T).where(_T.c.id == sa.bindparam("of")).values({name: sa.bindparam(name) for name in _KEPT})
)
_SAY: Final = Statement[Any](
    lambda: sa.update(_W).where(_W.c.report_id == sa.bindparam("of")).values(appeal=sa.bindparam("text"))
)
_DECIDE: Final = Statement[Any](lambda: sa.insert(_D).values({c.name: sa.bindparam(c.name) for c in _D.c}))
_GET: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.id == sa.bindparam("id")), holds=_T)
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.id, "ids")))
_WORDS: Final = Statement[tuple[str, str | None, str | None]](
    lambda: sa.select(*_W.c).where(columns.any_of(_W.c.report_id, "ids"))
)
_STATEMENTS: Final = Statement[Any](
    lambda: sa.select(*_D.c).where(columns.any_of(_D.c.report_id, "ids")).order_by(_D.c.report_id, _D.c.appeal)
)
_COUNT: Final = Statement[tuple[int]](
    lambda: (
        sa.select(sa.func.count())
        .select_from(_T)
        .where(_T.c.reporter_id == sa.bindparam("reporter_id"), _T.c.filed_at > sa.bindparam("since"))
    )
)
