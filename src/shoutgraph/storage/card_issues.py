"""Decisions of two people to give gift cards away."""

from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import card_issues as rules, errors, ids, pages
from shoutgraph.domain.card_issues import Issue, IssueState
from shoutgraph.storage import columns, locks
from shoutgraph.storage.columns import Integer, Micros, Text, Words, one_of
from shoutgraph.storage.locks import Lock
from shoutgraph.storage.state_pages import StatePages
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class IssueRow(SQLModel, table=True):
    """A decision as it stands. What is issued is in the books at COMMIT: `booked` and `id` name its transfer."""

    __tablename__: ClassVar[str] = "card_issue"
    __table_args__ = (
        one_of("state", IssueState),
        sa.CheckConstraint(f"coins > 0 AND cards_count BETWEEN 1 AND {rules.CARDS_MAX}", name="card_issue_counts"),
        sa.CheckConstraint(f"length(reason) BETWEEN 1 AND {rules.REASON_CHARS_MAX}", name="card_issue_reason"),
        sa.CheckConstraint(f"length(case_reference) BETWEEN 1 AND {rules.CASE_CHARS_MAX}", name="card_issue_case"),
        sa.CheckConstraint("length(proposed_by) > 0 AND length(decided_by) > 0", name="card_issue_named"),
        sa.CheckConstraint("state <> 'ISSUED' OR decided_by <> proposed_by", name="card_issue_two_people"),
        sa.CheckConstraint(
            "(state = 'PROPOSED') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="card_issue_decided",
        ),
        sa.CheckConstraint(
            f"(state = 'ISSUED') = (booked IS NOT NULL) AND booked = '{rules.KIND}'", name="card_issue_booked"
        ),
        sa.ForeignKeyConstraint(
            ["booked", "id"],
            ["transfer.kind", "transfer.ref"],
            name="card_issue_in_books",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.Index("card_issue_state", "state", "id"),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_column=sa.Column(Text, primary_key=True, nullable=False))
    state: IssueState = Field(sa_type=Words(IssueState))
    coins: int = Field(sa_type=Integer)
    cards_count: int = Field(sa_type=Integer)
    expires_at: datetime = Field(sa_type=Micros)
    reason: str = Field(sa_type=Text)
    case_reference: str = Field(sa_type=Text)
    proposed_by: str = Field(sa_type=Text)
    proposed_at: datetime = Field(sa_type=Micros)
    decided_by: str | None = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=Micros)
    booked: str | None = Field(sa_type=Text)


_T: Final = columns.table_of(IssueRow)
_NAMES: Final = tuple(column.name for column in _T.c)


def insert(tx: Tx, issue: Issue) -> None:
    """Stores what somebody proposed."""
    tx.run(_INSERT, **{name: getattr(issue, name) for name in _NAMES})


def decide(tx: Tx, issue: Issue) -> None:
    """Stores what was decided, in the unit of work that posts it, after its cards."""
    by, at, booked = issue.decided_by, issue.decided_at, issue.booked
    changed = tx.run(_DECIDE, of=issue.id, state=issue.state, by=by, at=at, booked=booked)
    assert changed == 1, "an issue is decided once"


def get(tx: Tx, issue_id: str) -> Issue:
    """An issue. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is no such issue.
    """
    row = tx.one(_GET, id=issue_id)
    if row is None:
        raise errors.NotFoundError("There is no such issue of gift cards.", path=("input", "giftCardIssueId"))
    return Issue(*row)


def hold_budget(tx: Tx) -> None:
    """Holds the budget, so that of two decisions at once the second one sees the first."""
    locks.hold(tx, Lock.CARD_BUDGET)


def issued_coins(tx: Tx, since: datetime) -> int:
    """What was given away since a time."""
    row = tx.one(_ISSUED, since=since)
    assert row is not None, "an aggregate has one row"
    return int(row[0])


def list_of_page(tx: Tx, args: pages.PageArgs, state: IssueState | None) -> list[Issue]:
    """Up to one issue more than the page holds, newest first, in the direction asked. The key is `(id,)`."""
    return [Issue(*row) for row in _PAGES.rows(tx, args, state)]


def _issued() -> sa.ClauseElement:
    total = sa.func.coalesce(sa.func.sum(_T.c.coins * _T.c.cards_count), sa.literal_column("0"))
    issued: sa.ColumnElement[Any] = sa.literal_column(f"'{IssueState.ISSUED}'")
    return sa.select(total).where(_T.c.state == issued, _T.c.decided_at > sa.bindparam("since"))


_PAGES: Final = StatePages(_T, ids.CARD_ISSUE)
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_DECIDE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"))
        .values(
            state=sa.bindparam("state"),
            decided_by=sa.bindparam("by"),
            decided_at=sa.bindparam("at"),
            booked=sa.bindparam("booked"),
        )
    )
)
_GET: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.id == sa.bindparam("id")), holds=_T)
_ISSUED: Final = Statement[tuple[int]](_issued)
