"""What two people settled by hand: one proposed it, another confirmed it, and the database keeps both names."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors
from shoutgraph.domain.resolutions import EVIDENCE_CHARS_MAX, Resolution, ResolutionState, SubjectKind, Verdict
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

OF_SUBJECT_MAX: Final = 10_000
"""The most that is read of what was ever proposed about a subject."""


class ResolutionRow(SQLModel, table=True):
    """A resolution as it stands."""

    __tablename__: ClassVar[str] = "resolution"
    __table_args__ = (
        one_of("kind", SubjectKind),
        one_of("verdict", Verdict),
        one_of("state", ResolutionState),
        sa.CheckConstraint(f"length(evidence) BETWEEN 1 AND {EVIDENCE_CHARS_MAX}", name="resolution_evidence"),
        sa.CheckConstraint("length(proposed_by) > 0 AND length(decided_by) > 0", name="resolution_named"),
        sa.CheckConstraint("state <> 'CONFIRMED' OR decided_by <> proposed_by", name="resolution_two_people"),
        sa.CheckConstraint(
            "(state = 'PROPOSED') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="resolution_decided",
        ),
        sa.Index(
            "resolution_open",
            "kind",
            "subject_id",
            unique=True,
            sqlite_where=sa.text("state = 'PROPOSED'"),
            postgresql_where=sa.text("state = 'PROPOSED'"),
        ),
        sa.Index("resolution_subject", "kind", "subject_id", "id"),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_type=Text, primary_key=True)
    kind: SubjectKind = Field(sa_type=Words(SubjectKind))
    subject_id: str = Field(sa_type=Text)
    subject_revision: int = Field(sa_type=Integer)
    verdict: Verdict = Field(sa_type=Words(Verdict))
    evidence: str = Field(sa_type=Text)
    proposed_by: str = Field(sa_type=Text)
    proposed_at: datetime = Field(sa_type=Micros)
    state: ResolutionState = Field(sa_type=Words(ResolutionState))
    decided_by: str | None = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=Micros)


_T: Final = columns.table_of(ResolutionRow)
_NAMES: Final = tuple(column.name for column in _T.c)


def is_closed(kind: SubjectKind, subjects: sa.FromClause) -> sa.ColumnElement[bool]:
    """The condition that people agreed that nothing more is to be done about a subject, which has not moved since."""
    words = {"kind": kind, "state": ResolutionState.CONFIRMED, "verdict": Verdict.CLOSED}
    agreed = (_T.c[name] == sa.literal_column(f"'{word}'") for name, word in words.items())
    about = (_T.c.subject_id == subjects.c.id, _T.c.subject_revision == subjects.c.revision)
    return sa.exists().where(*agreed, *about)


def insert(tx: Tx, resolution: Resolution) -> None:
    """Stores what somebody proposed."""
    tx.run(_INSERT, **{name: getattr(resolution, name) for name in _NAMES})


def decide(tx: Tx, resolution: Resolution) -> None:
    """Stores what was decided."""
    by, at = resolution.decided_by, resolution.decided_at
    changed = tx.run(_DECIDE, of=resolution.id, state=resolution.state, by=by, at=at)
    assert changed == 1, "a resolution is decided once"


def get(tx: Tx, resolution_id: str) -> Resolution:
    """A resolution. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is no such resolution.
    """
    row = tx.one(_GET, id=resolution_id)
    if row is None:
        raise errors.NotFoundError("There is no such resolution.", path=("input", "resolutionId"))
    return Resolution(*row)


def list_of(tx: Tx, resolution_ids: Sequence[str]) -> list[Resolution | None]:
    """Resolutions by id in the order asked, None where there is none."""
    found = {row[0]: Resolution(*row) for row in tx.all(_LIST, ids=list(resolution_ids))}
    return [found.get(each) for each in resolution_ids]


def find_open(tx: Tx, kind: SubjectKind, subject_id: str) -> Resolution | None:
    """What is proposed about a subject, or None."""
    row = tx.one(_FIND_OPEN, kind=kind, subject_id=subject_id)
    return None if row is None else Resolution(*row)


def list_of_subject(tx: Tx, kind: SubjectKind, subject_id: str) -> tuple[Resolution, ...]:
    """Everything that was ever proposed about a subject, in order."""
    return tuple(Resolution(*row) for row in tx.all(_OF_SUBJECT, kind=kind, subject_id=subject_id))


def list_of_proposed(tx: Tx, kind: SubjectKind, subject_ids: Sequence[str]) -> dict[str, Resolution]:
    """What is proposed about some subjects, by the ids of those about which something is."""
    return {row[2]: Resolution(*row) for row in tx.all(_PROPOSALS, kind=kind, subject_ids=list(subject_ids))}


_PROPOSED: Final[sa.ColumnElement[Any]] = sa.literal_column(f"'{ResolutionState.PROPOSED}'")
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_DECIDE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"), _T.c.state == _PROPOSED)
        .values(state=sa.bindparam("state"), decided_by=sa.bindparam("by"), decided_at=sa.bindparam("at"))
    )
)
_GET: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.id == sa.bindparam("id")), holds=_T)
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.id, "ids")))
_FIND_OPEN: Final = Statement[Any](
    lambda: sa.select(*_T.c).where(
        _T.c.kind == sa.bindparam("kind"), _T.c.subject_id == sa.bindparam("subject_id"), _T.c.state == _PROPOSED
    )
)
_PROPOSALS: Final = Statement[Any](
    lambda: sa.select(*_T.c).where(
        _T.c.kind == sa.bindparam("kind"), columns.any_of(_T.c.subject_id, "subject_ids"), _T.c.state == _PROPOSED
    )
)
_OF_SUBJECT: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(_T.c.kind == sa.bindparam("kind"), _T.c.subject_id == sa.bindparam("subject_id"))
        .order_by(_T.c.id)
        .limit(OF_SUBJECT_MAX)
    )
)
