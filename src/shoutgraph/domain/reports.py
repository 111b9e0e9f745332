"""Reports: what people tell the platform about content, what moderators decide with reasons, and appeals.

Source: docs/PRIVACY.md; Regulation (EU) 2022/2065 (DSA), articles 16, 17 and 20.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.checks import Checks, tidy
from shoutgraph.domain.policies import Policy

TEXT_CHARS_MAX: Final = 2_000
RULE_CHARS_MAX: Final = 200
DAY: Final = timedelta(days=1)
STATE_PATH: Final = ("input", "reportId")


class SubjectKind(StrEnum):
    """What a report is about."""

    CREATOR = "CREATOR"
    VIDEO = "VIDEO"
    RATING = "RATING"
    GIFT = "GIFT"
    ORDER = "ORDER"
    SAMPLE = "SAMPLE"
    ATTACHMENT = "ATTACHMENT"


class Ground(StrEnum):
    """Why somebody reports."""

    ILLEGAL = "ILLEGAL"
    HATE = "HATE"
    HARASSMENT = "HARASSMENT"
    SEXUAL = "SEXUAL"
    MINORS = "MINORS"
    VIOLENCE = "VIOLENCE"
    PRIVACY = "PRIVACY"
    IMPERSONATION = "IMPERSONATION"
    COPYRIGHT = "COPYRIGHT"
    FRAUD = "FRAUD"
    SPAM = "SPAM"
    OTHER = "OTHER"


class ReportState(StrEnum):
    """Where a report stands."""

    OPEN = "OPEN"
    DECIDED = "DECIDED"
    APPEALED = "APPEALED"
    FINAL = "FINAL"


class Action(StrEnum):
    """What a moderator does about a report."""

    NONE = "NONE"
    CONTENT_REMOVED = "CONTENT_REMOVED"
    USER_RESTRICTED = "USER_RESTRICTED"
    ORDER_CANCELLED = "ORDER_CANCELLED"


class Basis(StrEnum):
    """What a decision rests on."""

    LAW = "LAW"
    TERMS = "TERMS"


class AppealSide(StrEnum):
    """Who appealed."""

    REPORTER = "REPORTER"
    AFFECTED = "AFFECTED"


KINDS: Final = {
    ids.CREATOR: SubjectKind.CREATOR,
    ids.VIDEO: SubjectKind.VIDEO,
    ids.RATING: SubjectKind.RATING,
    ids.GIFT: SubjectKind.GIFT,
    ids.ORDER: SubjectKind.ORDER,
    ids.SAMPLE: SubjectKind.SAMPLE,
    ids.ATTACHMENT: SubjectKind.ATTACHMENT,
}


@dataclass(frozen=True, slots=True)
class Report:
    """A report. `affected_id` is whose the content is; `due_at` when it, or its appeal, is to be decided."""

    id: str
    revision: int
    reporter_id: ids.UserId
    affected_id: ids.UserId
    kind: SubjectKind
    subject_id: str
    ground: Ground
    state: ReportState
    filed_at: datetime
    due_at: datetime
    decided_at: datetime | None = None
    appealed_at: datetime | None = None
    appealed_by: AppealSide | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of reasons: what was decided, upon which facts and rule, and until when it can be appealed."""

    id: str
    report_id: str
    appeal: bool
    action: Action
    upheld: bool
    basis: Basis
    rule: str
    facts: str
    decided_by: str
    decided_at: datetime
    appeal_until: datetime | None


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a moderator decides so."""

    basis: Basis
    rule: str
    facts: str


def kind_of(subject_id: str) -> SubjectKind:
    """What kind of content has this id.

    Raises:
        ValidationError: nothing that can be reported has.
    """
    kind = KINDS.get(ids.prefix_of(subject_id) or "")
    if kind is None:
        msg = "Reports are about creators, videos, samples, ratings, gifts, orders and attachments."
        raise errors.ValidationError(msg, code="INVALID_ID", path=("input", "subjectId"))
    return kind


def check_filing(explanation: str, *, good_faith: bool) -> str:
    """The explanation as it is kept.

    Raises:
        ValidationError: it is empty or too long, or the report is not in good faith.
    """
    checks = Checks()
    text = tidy(explanation)
    checks.text("explanation", text, chars_max=TEXT_CHARS_MAX, lines=True)
    if not good_faith:
        checks.add("goodFaith", "Say that the report is accurate and complete as far as you know.", "NOT_CONFIRMED")
    checks.settle()
    return text


def check_count(filed: int, *, policy: Policy) -> None:
    """Refuses more reports than one person may file in a day.

    Raises:
        LimitExceededError: it would be one too many.
    """
    if filed >= policy.reports_day_max:
        msg = f"You may file {policy.reports_day_max} reports in 24 hours."
        raise errors.LimitExceededError(msg, code="REPORTS_DAY", limit=policy.reports_day_max)


def check_reasons(reasons: Reasons) -> Reasons:
    """The reasons as they are kept.

    Raises:
        ValidationError: a text is empty or too long (an `ExceptionGroup` where both are).
    """
    checks = Checks()
    tidied = replace(reasons, rule=tidy(reasons.rule), facts=tidy(reasons.facts))
    checks.text("rule", tidied.rule, chars_max=RULE_CHARS_MAX)
    checks.text("facts", tidied.facts, chars_max=TEXT_CHARS_MAX, lines=True)
    checks.settle()
    return tidied


def check_action(report: Report, action: Action) -> None:
    """Refuses an action that does not fit what the report is about.

    Raises:
        ValidationError: it does not.
    """
    fits = {
        Action.NONE: True,
        Action.USER_RESTRICTED: True,
        Action.CONTENT_REMOVED: True,
        Action.ORDER_CANCELLED: report.kind is SubjectKind.ORDER,
    }
    if not fits[action]:
        msg = f"{action.value} does not fit a report about a {report.kind.value.lower()}."
        raise errors.ValidationError(msg, code="ACTION_UNFIT", path=("input", "action"))


def decide(report: Report, *, policy: Policy, now: datetime) -> Report:
    """The report decided; both sides may appeal for a while.

    Raises:
        ValidationError: it is decided already.
    """
    if report.state is not ReportState.OPEN:
        raise errors.ValidationError("This report is decided already.", code="REPORT_STATE", path=STATE_PATH)
    until = now + timedelta(seconds=policy.report_appeal_s)
    return replace(report, revision=report.revision + 1, state=ReportState.DECIDED, decided_at=now, due_at=until)


def appeal(report: Report, side: AppealSide, *, policy: Policy, now: datetime) -> Report:
    """The report appealed, once.

    Raises:
        ValidationError: it is not decided, was appealed before, or the time to appeal is over.
    """
    if report.state is not ReportState.DECIDED:
        msg = "Only a decided report can be appealed, and only once."
        raise errors.ValidationError(msg, code="REPORT_STATE", path=STATE_PATH)
    if now >= report.due_at:
        raise errors.ValidationError("The time to appeal is over.", code="WINDOW_CLOSED", path=STATE_PATH)
    return replace(
        report,
        revision=report.revision + 1,
        state=ReportState.APPEALED,
        appealed_at=now,
        appealed_by=side,
        due_at=now + timedelta(seconds=policy.report_answer_s),
    )


def decide_appeal(report: Report, first: Statement, *, by: str) -> Report:
    """The report after its appeal, decided by somebody else than decided first.

    Raises:
        ValidationError: it is not appealed.
        ForbiddenError: the same person decided first.
    """
    if report.state is not ReportState.APPEALED:
        raise errors.ValidationError("This report is not appealed.", code="REPORT_STATE", path=STATE_PATH)
    if first.decided_by == by:
        raise errors.ForbiddenError("Somebody else must decide an appeal.", code="SAME_PERSON")
    return replace(report, revision=report.revision + 1, state=ReportState.FINAL)


def side_of(report: Report, user_id: str) -> AppealSide | None:
    """Which side somebody is of a report, or None."""
    if user_id == report.reporter_id:
        return AppealSide.REPORTER
    return AppealSide.AFFECTED if user_id == report.affected_id else None
