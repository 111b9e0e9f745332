"""The room of reports: content that people report, decisions with their reasons, and appeals."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, loaders, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import ids, pages
from shoutgraph.domain.reports import (
    Action,
    AppealSide,
    Basis,
    Ground,
    Reasons,
    Report,
    ReportState,
    Statement,
    SubjectKind,
)
from shoutgraph.domain.users import Scope
from shoutgraph.services import reports
from shoutgraph.services.gifts import moderate as gift_moderate
from shoutgraph.services.orders import moderate
from shoutgraph.services.reports import Effects, Filing, Listing

_KEY: Final = "One key per intended effect."
_MODERATES: Final = (requires(Scope.MODERATION),)
EFFECTS: Final = Effects(
    remove={
        SubjectKind.RATING: moderate.hide,
        SubjectKind.VIDEO: moderate.remove_video,
        SubjectKind.SAMPLE: moderate.remove_sample,
        SubjectKind.ORDER: moderate.hide_brief,
        SubjectKind.ATTACHMENT: moderate.remove_attachment,
        SubjectKind.GIFT: gift_moderate.hide,
    },
    restore={
        SubjectKind.RATING: moderate.restore,
        SubjectKind.VIDEO: moderate.restore_video,
        SubjectKind.SAMPLE: moderate.restore_sample,
        SubjectKind.ORDER: moderate.show_brief,
        SubjectKind.ATTACHMENT: moderate.restore_attachment,
        SubjectKind.GIFT: gift_moderate.restore,
    },
    cancel=moderate.cancel,
)
"""Which room does to its content what was decided."""

enums.describe(
    SubjectKind,
    name="ReportSubjectKind",
    description="What a report is about.",
    values={
        SubjectKind.CREATOR: "A profile.",
        SubjectKind.VIDEO: "A video.",
        SubjectKind.RATING: "A rating.",
        SubjectKind.GIFT: "A gift and its message.",
        SubjectKind.ORDER: "An order and its brief, by one of its sides.",
        SubjectKind.SAMPLE: "A video on a profile, by whoever sees it there.",
        SubjectKind.ATTACHMENT: "A voice note or a piece of evidence, by a side of its order.",
    },
)
enums.describe(
    Ground,
    name="ReportGround",
    description="Why somebody reports.",
    values={
        Ground.ILLEGAL: "It breaks a law.",
        Ground.HATE: "Hatred of a group.",
        Ground.HARASSMENT: "It harasses somebody.",
        Ground.SEXUAL: "Sexual content.",
        Ground.MINORS: "It endangers minors.",
        Ground.VIOLENCE: "Violence, or a threat.",
        Ground.PRIVACY: "Somebody's personal data.",
        Ground.IMPERSONATION: "It pretends to be somebody.",
        Ground.COPYRIGHT: "Somebody else's work.",
        Ground.FRAUD: "It deceives.",
        Ground.SPAM: "Unwanted advertising.",
        Ground.OTHER: "Something else.",
    },
)
enums.describe(
    ReportState,
    name="ReportStatus",
    description="Where a report stands.",
    values={
        ReportState.OPEN: "It waits for a moderator.",
        ReportState.DECIDED: "Decided; both sides may appeal until dueAt.",
        ReportState.APPEALED: "It waits for another moderator.",
        ReportState.FINAL: "Decided for good.",
    },
)
enums.describe(
    Action,
    name="ReportAction",
    description="What is done about a report.",
    values={
        Action.NONE: "Nothing.",
        Action.CONTENT_REMOVED: "A rating, a brief or the message of a gift is hidden; a video, a sample or an "
        "attachment is taken down; a creator takes no orders.",
        Action.USER_RESTRICTED: "Whose it is can buy, order, give and ask for payouts no more.",
        Action.ORDER_CANCELLED: "The order ends and its coins go back.",
    },
)
enums.describe(
    Basis,
    name="ReportBasis",
    description="What a decision rests on.",
    values={Basis.LAW: "A law.", Basis.TERMS: "The platform's terms."},
)
enums.describe(
    AppealSide,
    name="AppealSide",
    description="Who appealed.",
    values={AppealSide.REPORTER: "Who reported.", AppealSide.AFFECTED: "Whose content it is."},
)


@strawberry.type(name="ReportDecision", description="A statement of reasons, for both sides.")
class ReportDecisionType(NodeType):
    action: Action = strawberry.field(description="What is done.")
    upheld: bool = strawberry.field(description="Of an appeal: whether the first decision stays.")
    basis: Basis = strawberry.field(description="What it rests on.")
    rule: str = strawberry.field(description="Which law or term.")
    facts: str = strawberry.field(description="The facts that it goes by.")
    automated: bool = strawberry.field(description="Whether a machine decided; never so today.")
    redress: str = strawberry.field(description="What can be done against it.")
    decided_at: datetime = strawberry.field(description="When.")
    appeal_until: datetime | None = strawberry.field(description="Until when it can be appealed; null if it cannot.")

    @classmethod
    def of(cls, statement: Statement) -> "ReportDecisionType":
        """The graph's view of a statement."""
        within = "reportAppeal until appealUntil; then a court, or a body that settles disputes out of court."
        return cls(
            id=strawberry.ID(statement.id),
            action=statement.action,
            upheld=statement.upheld,
            basis=statement.basis,
            rule=statement.rule,
            facts=statement.facts,
            automated=False,
            redress=within if statement.appeal_until else "A court, or a body that settles disputes out of court.",
            decided_at=statement.decided_at,
            appeal_until=statement.appeal_until,
        )


@strawberry.type(name="Report", description="Content that somebody reported.")
class ReportType(NodeType):
    value: strawberry.Private[Report]
    revision: int = strawberry.field(description="Goes up by one at each change.")
    kind: SubjectKind = strawberry.field(description="What it is about.")
    subject_id: strawberry.ID = strawberry.field(description="Which one.")
    ground: Ground = strawberry.field(description="Why.")
    status: ReportState = strawberry.field(description="Where it stands.")
    filed_at: datetime = strawberry.field(description="When it was received.")
    due_at: datetime = strawberry.field(description="When it is to be decided, or until when it can be appealed.")
    appealed_at: datetime | None = strawberry.field(description="When it was appealed.")
    appealed_by: AppealSide | None = strawberry.field(description="By which side.")

    @classmethod
    def of(cls, report: Report) -> "ReportType":
        """The graph's view of a report."""
        return cls(
            id=strawberry.ID(report.id),
            value=report,
            revision=report.revision,
            kind=report.kind,
            subject_id=strawberry.ID(report.subject_id),
            ground=report.ground,
            status=report.state,
            filed_at=report.filed_at,
            due_at=report.due_at,
            appealed_at=report.appealed_at,
            appealed_by=report.appealed_by,
        )

    @loaders.batch(description="What the reporter said; null for the other side, and once erased.")
    @staticmethod
    async def explanation(parents: "list[ReportType]", context: Context) -> list[str | None]:
        return [explanation for explanation, _ in await _words(parents, context)]

    @loaders.batch(description="What was said in the appeal; null for the other side, and once erased.")
    @staticmethod
    async def appeal(parents: "list[ReportType]", context: Context) -> list[str | None]:
        return [appeal for _, appeal in await _words(parents, context)]

    @loaders.batch(
        description="The statements of reasons: of the decision, and of its appeal.",
        directives=[ListSize(assumed_size=2)],
    )
    @staticmethod
    async def decisions(parents: "list[ReportType]", context: Context) -> list[list[ReportDecisionType]]:
        found = await reports.statements_of(context.tools, [parent.value for parent in parents])
        return [[ReportDecisionType.of(statement) for statement in each] for each in found]


_SHARED = (
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType
)
ReportFileError = Annotated[_SHARED | errors.LimitExceededErrorType, failures_of("reportFile")]
ReportDecideError = Annotated[
    _SHARED | errors.MediaRejectedErrorType | errors.OrderStateErrorType | errors.StaleRevisionErrorType,
    failures_of("reportDecide"),
]
ReportAppealError = Annotated[_SHARED, failures_of("reportAppeal")]
ReportAppealDecideError = Annotated[_SHARED | errors.StaleRevisionErrorType, failures_of("reportAppealDecide")]


@strawberry.input(description="Input of reportFile.")
class ReportFileInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    subject_id: strawberry.ID = strawberry.field(
        description="A creator, video, sample, rating, gift, order or attachment."
    )
    ground: Ground = strawberry.field(description="Why.")
    explanation: str = strawberry.field(description="Why, in words, at most 2,000 characters.")
    good_faith: bool = strawberry.field(description="That it is accurate and complete as far as the caller knows.")


@strawberry.type(description="Result of reportFile.")
class ReportFilePayload:
    report: ReportType | None = mutations.outcome("The report: that it is here acknowledges its receipt.")
    replayed: bool = mutations.replayed()
    errors: list[ReportFileError] = mutations.refusals()


@strawberry.input(description="Input of reportDecide.")
class ReportDecideInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    report_id: strawberry.ID = strawberry.field(description="Which report.")
    action: Action = strawberry.field(description="What is done.")
    basis: Basis = strawberry.field(description="What it rests on.")
    rule: str = strawberry.field(description="Which law or term, at most 200 characters.")
    facts: str = strawberry.field(description="The facts, at most 2,000 characters; both sides read them.")


@strawberry.type(description="Result of reportDecide.")
class ReportDecidePayload:
    report: ReportType | None = mutations.outcome("The report, decided.")
    replayed: bool = mutations.replayed()
    errors: list[ReportDecideError] = mutations.refusals()


@strawberry.input(description="Input of reportAppeal.")
class ReportAppealInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    report_id: strawberry.ID = strawberry.field(description="Which report.")
    text: str = strawberry.field(description="Why the decision is wrong.")


@strawberry.type(description="Result of reportAppeal.")
class ReportAppealPayload:
    report: ReportType | None = mutations.outcome("The report, appealed.")
    replayed: bool = mutations.replayed()
    errors: list[ReportAppealError] = mutations.refusals()


@strawberry.input(description="Input of reportAppealDecide.")
class ReportAppealDecideInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    report_id: strawberry.ID = strawberry.field(description="Which report.")
    upheld: bool = strawberry.field(description="Whether the first decision stays; if not, what can be undone is.")
    basis: Basis = strawberry.field(description="What it rests on.")
    rule: str = strawberry.field(description="Which law or term, at most 200 characters.")
    facts: str = strawberry.field(description="The facts, at most 2,000 characters; both sides read them.")


@strawberry.type(description="Result of reportAppealDecide.")
class ReportAppealDecidePayload:
    report: ReportType | None = mutations.outcome("The report, decided for good.")
    replayed: bool = mutations.replayed()
    errors: list[ReportAppealDecideError] = mutations.refusals()


Files = Annotated[ReportFileInput, strawberry.argument(description="What, and why.")]
Decides = Annotated[ReportDecideInput, strawberry.argument(description="Which report, what is done, and why.")]
Appeals = Annotated[ReportAppealInput, strawberry.argument(description="Which report, and why.")]
AppealDecides = Annotated[ReportAppealDecideInput, strawberry.argument(description="Which report, and why.")]


@strawberry.type
class ReportQuery:
    @fields.resolver(
        description="Reports that the caller filed, and decided ones about what is theirs; the newest first.",
        directives=[PAGED],
    )
    async def reports(
        self,
        info: Info,
        *,
        status: Annotated[ReportState | None, strawberry.argument(description="Only those that stand so.")] = None,
        everyone: Annotated[bool, strawberry.argument(description="All of them; for moderators.")] = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ReportType] | None:
        listing = Listing(everyone, status)
        args = pages.read_args(scope=listing.scope, first=first, after=after, last=last, before=before)
        page = await reports.page(info.context.tools, info.context.viewer, listing, args)
        return graph_pages.connect(page, ReportType.of)


@strawberry.type
class ReportMutation:
    @mutations.mutation(description="Reports content to the platform.")
    async def report_file(self, info: Info, input: Files) -> ReportFilePayload | None:
        context, asked = info.context, request_of(info.context.viewer, "reportFile", input)
        filing = Filing(input.subject_id, input.ground, input.explanation, input.good_faith)
        done = await reports.file(context.tools, context.viewer, asked, filing)
        return ReportFilePayload(report=ReportType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Decides about a report, with a statement of reasons for both sides.", directives=_MODERATES
    )
    async def report_decide(self, info: Info, input: Decides) -> ReportDecidePayload | None:
        context, asked = info.context, request_of(info.context.viewer, "reportDecide", input)
        verdict = reports.Verdict(input.action, Reasons(input.basis, input.rule, input.facts))
        done = await reports.decide(context.tools, context.viewer, asked, input.report_id, verdict, effects=EFFECTS)
        return ReportDecidePayload(report=ReportType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Appeals a decision, once; another moderator decides.")
    async def report_appeal(self, info: Info, input: Appeals) -> ReportAppealPayload | None:
        context, asked = info.context, request_of(info.context.viewer, "reportAppeal", input)
        done = await reports.appeal(context.tools, context.viewer, asked, input.report_id, input.text)
        return ReportAppealPayload(report=ReportType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Decides an appeal; not by whoever decided first. What is reversed is undone: what was "
        "removed shows again, a creator takes orders, a user is free. A cancelled order stays so.",
        directives=_MODERATES,
    )
    async def report_appeal_decide(self, info: Info, input: AppealDecides) -> ReportAppealDecidePayload | None:
        context, asked = info.context, request_of(info.context.viewer, "reportAppealDecide", input)
        verdict = reports.AppealVerdict(input.upheld, Reasons(input.basis, input.rule, input.facts))
        tools, viewer = context.tools, context.viewer
        done = await reports.decide_appeal(tools, viewer, asked, input.report_id, verdict, effects=EFFECTS)
        return ReportAppealDecidePayload(report=ReportType.of(done.value), replayed=done.replayed)


async def fetch_reports(context: Context, report_ids: Sequence[str]) -> list[ReportType | None]:
    """Reports by id, null where the caller may not see them."""
    found = await reports.list_visible(context.tools, context.viewer, report_ids)
    return [None if each is None else ReportType.of(each) for each in found]


async def _words(parents: Sequence[ReportType], context: Context) -> list[tuple[str | None, str | None]]:
    """The explanation and the appeal of each report, read once for both."""
    return list(await asyncio.gather(*(context.loaders.one(_fetch_words, parent.value) for parent in parents)))


async def _fetch_words(context: Context, found: Sequence[Report]) -> list[tuple[str | None, str | None]]:
    return await reports.words_of(context.tools, context.viewer, found)


ROOM: Final = Room(query=ReportQuery, mutation=ReportMutation, nodes={ids.REPORT: fetch_reports})
