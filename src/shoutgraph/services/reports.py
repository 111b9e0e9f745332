"""Reports: people file them, moderators decide with a statement of reasons, one appeal goes to another moderator.

What a decision does to content is another room's business, so the functions that know come from above.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from shoutgraph.domain import creators as creator_rules, errors, ids, journal, pages, reports as rules
from shoutgraph.domain.orders.order import check_note
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.reports import Action, AppealSide, Ground, Reasons, Report, ReportState, Statement, SubjectKind
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import creators, journal as journal_rows, policies, privacy, reported, reports, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

CHANGED: Final = "report.changed"

Effect = Callable[[Tools, Tx, Viewer, Report, Reasons], None]
"""Does to content what was decided, in the unit of work that keeps the decision."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What decisions do to content that other rooms look after."""

    remove: Mapping[SubjectKind, Effect]
    restore: Mapping[SubjectKind, Effect]
    cancel: Effect


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a moderator decides, and why."""

    action: Action
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class AppealVerdict:
    """Whether the first decision stays, and why."""

    upheld: bool
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Filing:
    """What somebody reports."""

    subject_id: str
    ground: Ground
    explanation: str
    good_faith: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """Which reports: the caller's own, or everyone's, in a state or any."""

    everyone: bool = False
    state: ReportState | None = None

    @property
    def scope(self) -> str:
        """Names the list with its filter."""
        return pages.scope_of("reports", self.everyone, self.state)


async def file(tools: Tools, viewer: Viewer, request: Request, filing: Filing) -> Done[Report]:
    """Reports content to the platform.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: there is no such content.
        ValidationError: nothing that can be reported has this id, the explanation is empty or too long, or it is not
            in good faith (an `ExceptionGroup` where several are wrong).
        LimitExceededError: too many reports in a day.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    reporter_id = viewer.require_user()
    kind = rules.kind_of(filing.subject_id)
    explanation = rules.check_filing(filing.explanation, good_faith=filing.good_faith)

    def work(tx: Tx) -> Report:
        policy = policies.current(tx)
        users.hold(tx, reporter_id)
        rules.check_count(reports.count_filed(tx, reporter_id, since=tx.now - rules.DAY), policy=policy)
        report = Report(
            id=tools.new_id(ids.REPORT),
            revision=1,
            reporter_id=reporter_id,
            affected_id=reported.owner_of(tx, viewer, kind, filing.subject_id),
            kind=kind,
            subject_id=filing.subject_id,
            ground=filing.ground,
            state=ReportState.OPEN,
            filed_at=tx.now,
            due_at=tx.now + timedelta(seconds=policy.report_answer_s),
        )
        reports.insert(tx, report, explanation)
        _tell(tools, tx, report)
        return report

    return await once(tools, request, work, reports.get)


async def decide(
    tools: Tools, viewer: Viewer, request: Request, report_id: str, verdict: Verdict, *, effects: Effects
) -> Done[Report]:
    """Decides about a report; the statement of reasons goes to both sides.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not moderate, or is a side of the report.
        NotFoundError: there is no such report.
        OrderStateError: the order has ended.
        ValidationError: the text is no id, it is decided already, the action does not fit, or a reason is empty or too
            long (an `ExceptionGroup` where both are).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.MODERATION)
    told = rules.check_reasons(verdict.reasons)
    ids.parse(ids.REPORT, report_id, path=("input", "reportId"))
    known, action = await tools.store.read(lambda tx: reports.get(tx, report_id)), verdict.action

    def work(tx: Tx) -> Report:
        users.get(tx, known.affected_id)  # all decisions about what is somebody's come one after the other
        _act(_Doing(tools, tx, viewer, known, told, effects), action)  # content is held before the report about it
        report = reports.get(tx, report_id)
        _check_apart(report, viewer)
        rules.check_action(report, action)
        after = rules.decide(report, policy=policies.current(tx), now=tx.now)
        statement = Statement(
            id=tools.new_id(ids.DECISION),
            report_id=report.id,
            appeal=False,
            action=action,
            upheld=True,
            basis=told.basis,
            rule=told.rule,
            facts=told.facts,
            decided_by=viewer.principal,
            decided_at=tx.now,
            appeal_until=after.due_at,
        )
        reports.append(tx, statement)
        return _keep(tools, tx, after)

    _check_apart(known, viewer)
    rules.check_action(known, action)
    return await once(tools, request, work, reports.get)


async def appeal(tools: Tools, viewer: Viewer, request: Request, report_id: str, text: str) -> Done[Report]:
    """One of the two sides appeals a decision, once.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: there is no such report of the caller's.
        ValidationError: the text is no id, empty or too long, it is not decided, was appealed before, or is too old.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()
    ids.parse(ids.REPORT, report_id, path=("input", "reportId"))
    check_note("text", text)

    def work(tx: Tx) -> Report:
        report = reports.get(tx, report_id)
        side = rules.side_of(report, user_id)
        if side is None or (side is AppealSide.AFFECTED and report.decided_at is None):
            raise errors.NotFoundError("There is no such report.", path=("input", "reportId"))
        after = rules.appeal(report, side, policy=policies.current(tx), now=tx.now)
        reports.say_appeal(tx, report.id, text)
        return _keep(tools, tx, after)

    return await once(tools, request, work, reports.get)


async def decide_appeal(
    tools: Tools, viewer: Viewer, request: Request, report_id: str, verdict: AppealVerdict, *, effects: Effects
) -> Done[Report]:
    """Another moderator upholds the decision, or reverses it: what was removed is restored, who was locked is free.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not moderate, decided first, or is a side of the report.
        NotFoundError: there is no such report.
        ValidationError: the text is no id, it is not appealed, or a reason is empty or too long (an `ExceptionGroup`
            where both are).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.MODERATION)
    told = rules.check_reasons(verdict.reasons)
    ids.parse(ids.REPORT, report_id, path=("input", "reportId"))
    known = await tools.store.read(lambda tx: (reports.get(tx, report_id), reports.statements_of(tx, [report_id])))
    _check_apart(known[0], viewer)

    def work(tx: Tx) -> Report:
        first = known[1].get(report_id, (None,))[0]
        if first is None or known[0].state is not ReportState.APPEALED:
            raise errors.ValidationError("This report is not appealed.", code="REPORT_STATE", path=rules.STATE_PATH)
        if not verdict.upheld:
            _undo(_Doing(tools, tx, viewer, known[0], told, effects), first.action)
        report = reports.get(tx, report_id)
        after = rules.decide_appeal(report, first, by=viewer.principal)
        second = replace(
            first,
            id=tools.new_id(ids.DECISION),
            appeal=True,
            action=first.action if verdict.upheld else Action.NONE,
            upheld=verdict.upheld,
            basis=told.basis,
            rule=told.rule,
            facts=told.facts,
            decided_by=viewer.principal,
            decided_at=tx.now,
            appeal_until=None,
        )
        reports.append(tx, second)
        return _keep(tools, tx, after)

    return await once(tools, request, work, reports.get)


async def page(tools: Tools, viewer: Viewer, listing: Listing, args: PageArgs) -> Page[Report]:
    """A page of reports, the newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: everyone's are asked for and the viewer does not moderate, or the caller is not a person.
    """
    side_id = None
    if listing.everyone:
        viewer.require(Scope.MODERATION)
    else:
        side_id = viewer.require_user()
    found = await tools.store.read(lambda tx: reports.list_of_page(tx, args, side_id=side_id, state=listing.state))
    return pages.cut(found, args, scope=listing.scope, key_of=lambda report: (report.id,))


async def list_visible(tools: Tools, viewer: Viewer, report_ids: Sequence[str]) -> list[Report | None]:
    """Reports by id, None where there is none that this viewer may see."""
    found = await tools.store.read(lambda tx: reports.list_of(tx, report_ids))
    return [each if each is not None and _visible(each, viewer) else None for each in found]


async def words_of(tools: Tools, viewer: Viewer, found: Sequence[Report]) -> list[tuple[str | None, str | None]]:
    """The explanation and the appeal of reports: of those that the viewer wrote; all for moderators."""
    known = await tools.store.read(lambda tx: reports.words_of(tx, [report.id for report in found]))
    return [_words(report, viewer, *known.get(report.id, (None, None))) for report in found]


async def statements_of(tools: Tools, found: Sequence[Report]) -> list[tuple[Statement, ...]]:
    """The statements of reasons of reports that the viewer was shown."""
    known = await tools.store.read(lambda tx: reports.statements_of(tx, [report.id for report in found]))
    return [known.get(report.id, ()) for report in found]


@dataclass(frozen=True, slots=True)
class _Doing:
    """What doing something to content takes."""

    tools: Tools
    tx: Tx
    viewer: Viewer
    report: Report
    reasons: Reasons
    effects: Effects

    def run(self, effect: Effect) -> None:
        effect(self.tools, self.tx, self.viewer, self.report, self.reasons)


def _act(doing: _Doing, action: Action) -> None:
    tx, report = doing.tx, doing.report
    match action:
        case Action.NONE:
            return
        case Action.USER_RESTRICTED:
            users.lock(tx, report.affected_id)
        case Action.ORDER_CANCELLED:
            doing.run(doing.effects.cancel)
        case Action.CONTENT_REMOVED if report.kind is SubjectKind.CREATOR:
            creator = creators.get(tx, report.subject_id)
            off = creator_rules.pause(creator, until=None, now=tx.now)
            if off is not creator:
                creators.save(tx, off)
        case Action.CONTENT_REMOVED:
            doing.run(doing.effects.remove[report.kind])


def _undo(doing: _Doing, action: Action) -> None:
    """What can be undone: a cancelled order stays so, its coins are back. What another decision stands for stays, too.

    Who leaves gets nothing back: nothing of theirs is put on the market again.
    """
    tx, report = doing.tx, doing.report
    owner = users.get(tx, report.affected_id)
    if reports.stands(tx, report, action) or privacy.leaves(tx, owner.id):
        return
    if action is Action.USER_RESTRICTED:
        users.unlock(tx, owner.id)
    elif action is Action.CONTENT_REMOVED and report.kind is SubjectKind.CREATOR:
        creator = creators.get(tx, report.subject_id)
        opened = creator if owner.closed_at is not None else creator_rules.reopen(creator)
        if opened is not creator:
            creators.save(tx, opened)
    elif action is Action.CONTENT_REMOVED:
        doing.run(doing.effects.restore[report.kind])


def _check_apart(report: Report, viewer: Viewer) -> None:
    if viewer.user_id is not None and rules.side_of(report, viewer.user_id) is not None:
        raise errors.ForbiddenError("You are a side of this report.", code="OWN_CASE")


def _visible(report: Report, viewer: Viewer) -> bool:
    if viewer.has(Scope.MODERATION):
        return True
    side = None if viewer.user_id is None else rules.side_of(report, viewer.user_id)
    return side is AppealSide.REPORTER or (side is AppealSide.AFFECTED and report.decided_at is not None)


def _words(
    report: Report, viewer: Viewer, explanation: str | None, appealed: str | None
) -> tuple[str | None, str | None]:
    """Who reported is not told to the other side, nor are their words."""
    if viewer.has(Scope.MODERATION):
        return explanation, appealed
    side = None if viewer.user_id is None else rules.side_of(report, viewer.user_id)
    return explanation if side is AppealSide.REPORTER else None, appealed if side is report.appealed_by else None


def _keep(tools: Tools, tx: Tx, report: Report) -> Report:
    reports.save(tx, report)
    _tell(tools, tx, report)
    return report


def _tell(tools: Tools, tx: Tx, report: Report) -> None:
    body: journal.Body = {
        "reporter": report.reporter_id,
        "affected": report.affected_id,
        "kind": report.kind.value,
        "subject": report.subject_id,
        "status": report.state.value,
        "revision": report.revision,
    }
    event = journal.NewEvent(tools.new_id(ids.EVENT), report.id, CHANGED, body, topic_seq=report.revision)
    journal_rows.append(tx, event)
