"""Batches and bank files as finance sees them, and the hand-over of a file to the bank."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, loaders, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.node import Id, NodeType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.scalars import BigInt, IdempotencyKey
from shoutgraph.domain import money, pages
from shoutgraph.domain.bank_files import FILES_MAX, FOREIGN_LISTED_MAX, BankFile, Direction, FileFilter, FileState
from shoutgraph.domain.batches import Batch, BatchFilter, BatchState
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.domain.users import Scope
from shoutgraph.files.links import Link
from shoutgraph.services.payouts import rail
from shoutgraph.services.payouts.rail import Part

READS: Final = (requires(Scope.FINANCE_READ),)
PAGED_READS: Final = (PAGED, requires(Scope.FINANCE_READ))

enums.describe(
    BatchState,
    name="PayoutBatchStatus",
    description="Where a batch stands; clients must accept values added later.",
    values={
        BatchState.RESERVED: "It is being sent, or nobody knows yet what became of the call.",
        BatchState.EXPORTED: "Its files are written; somebody has to give them to the bank.",
        BatchState.HANDED_OVER: "The bank has its files and has not spoken of them yet.",
        BatchState.SUBMITTED: "The provider, or the bank, has spoken of it.",
    },
)
enums.describe(
    Direction,
    name="BankFileDirection",
    description="Which way a file goes.",
    values={Direction.OUT: "To the bank.", Direction.IN: "From the bank."},
)
enums.describe(
    FileState,
    name="BankFileStatus",
    description="What became of a file.",
    values={
        FileState.MADE: "Ours, written once.",
        FileState.RECEIVED: "Taken in, and not read to its end; send it again.",
        FileState.READ: "Read; what it told was applied.",
        FileState.UNREADABLE: "The provider's plugin does not understand it.",
    },
)


@strawberry.type(name="BankFileLink", description="A signed address that works for this caller until it expires.")
class BankFileLinkType:
    url: str = strawberry.field(description="Fetches the file once asked; each time is written down.")
    expires_at: datetime = strawberry.field(description="When it stops working.")

    @classmethod
    def of(cls, link: Link) -> "BankFileLinkType":
        """The graph's view of a link."""
        return cls(url=link.url, expires_at=link.expires_at)


@strawberry.type(name="BankFileSummary", description="What a statement told.")
class BankFileSummaryType:
    applied_count: int = strawberry.field(description="Entries that told something new of a payout.")
    repeated_count: int = strawberry.field(description="Entries that were applied before.")
    foreign_count: int = strawberry.field(description="Entries that are not about payouts of ours.")
    ignored_count: int = strawberry.field(description="Entries that say nothing about payouts.")
    foreign_entries: list[str] = strawberry.field(
        description=f"Some of the entries that are not ours, at most {FOREIGN_LISTED_MAX}, in the bank's words.",
        directives=[ListSize(assumed_size=FOREIGN_LISTED_MAX)],
    )
    problem: str | None = strawberry.field(description="Why the file could not be read.")


@strawberry.type(name="BankFile", description="A file that goes to a bank or came from one.")
class BankFileType(NodeType):
    provider_code: str = strawberry.field(description="Whose rail.")
    direction: Direction = strawberry.field(description="Which way it goes.")
    status: FileState = strawberry.field(description="What became of it.")
    name: str = strawberry.field(description="Its name.")
    media_type: str = strawberry.field(description="Such as application/xml.")
    size_bytes: BigInt = strawberry.field(description="Size of the file.")
    sha256: str = strawberry.field(name="sha256", description="Digest of its bytes in hex.")
    made_at: datetime = strawberry.field(description="When it was written or taken in.")
    made_by: str = strawberry.field(description="Who did that.")
    summary: BankFileSummaryType | None = strawberry.field(description="What a statement told, once it is read.")
    download: BankFileLinkType | None = strawberry.field(
        description=f"Where the caller may fetch it; null without the scope {Scope.FINANCE_MANAGE.name}."
    )

    @classmethod
    def of(cls, file: BankFile, link: Link | None) -> "BankFileType":
        """The graph's view of a file."""
        told = file.summary
        return cls(
            id=strawberry.ID(file.id),
            provider_code=file.instance,
            direction=file.direction,
            status=file.state,
            name=file.name,
            media_type=file.media_type,
            size_bytes=BigInt(file.size_bytes),
            sha256=file.sha256.hex(),
            made_at=file.made_at,
            made_by=file.made_by,
            summary=None
            if told is None
            else BankFileSummaryType(
                applied_count=told.applied,
                repeated_count=told.repeated,
                foreign_count=told.foreign_count,
                ignored_count=told.ignored,
                foreign_entries=list(told.foreign),
                problem=told.problem,
            ),
            download=None if link is None else BankFileLinkType.of(link),
        )


@strawberry.type(name="PayoutBatchPart", description="The payouts of a batch that are in one state.")
class PayoutBatchPartType:
    status: PayoutState = strawberry.field(description="Which state.")
    count: int = strawberry.field(description="How many.")
    total: MoneyType = strawberry.field(description="Their sum.")

    @classmethod
    def of(cls, part: Part) -> "PayoutBatchPartType":
        """The graph's view of a part."""
        return cls(
            status=part.state, count=part.count, total=MoneyType.of(money.Money(part.total_minor, part.currency))
        )


@strawberry.type(name="PayoutBatch", description="Payouts that were handed over together.")
class PayoutBatchType(NodeType):
    provider_code: str = strawberry.field(description="Who sends it.")
    status: BatchState = strawberry.field(description="Where it stands.")
    ref: str | None = strawberry.field(description="The provider's name for it, such as a file's message id.")
    attempt_count: int = strawberry.field(description="How often it was sent under the same key.")
    alarm: str | None = strawberry.field(
        description="FILE_DIFFERS if its file, made again, was another one, and the first one is kept; DISCARDED if "
        "its files do not go to the bank. With either it is not handed over."
    )
    created_at: datetime = strawberry.field(description="When it was first sent.")
    exported_at: datetime | None = strawberry.field(description="When its files were written.")
    handed_over_at: datetime | None = strawberry.field(description="When its files were given to the bank.")
    handed_over_by: str | None = strawberry.field(description="By whom; bank if the bank spoke first.")
    answered_at: datetime | None = strawberry.field(description="When the provider or the bank first spoke of it.")

    @classmethod
    def of(cls, batch: Batch) -> "PayoutBatchType":
        """The graph's view of a batch."""
        return cls(
            id=strawberry.ID(batch.id),
            provider_code=batch.instance,
            status=batch.state,
            ref=batch.ref,
            attempt_count=batch.attempts,
            alarm=batch.alarm,
            created_at=batch.first_sent_at,
            exported_at=batch.exported_at,
            handed_over_at=batch.handed_over_at,
            handed_over_by=batch.handed_over_by,
            answered_at=batch.answered_at,
        )

    @loaders.batch(description="How its payouts stand.", directives=[ListSize(assumed_size=20)])
    @staticmethod
    async def parts(parents: "list[PayoutBatchType]", context: Context) -> list[list[PayoutBatchPartType]]:
        found = await rail.parts_of(context.tools, context.viewer, [parent.id for parent in parents])
        return [[PayoutBatchPartType.of(part) for part in parts] for parts in found]

    @loaders.batch(description="Its files for the bank.", directives=[ListSize(assumed_size=FILES_MAX)])
    @staticmethod
    async def files(parents: "list[PayoutBatchType]", context: Context) -> list[list[BankFileType]]:
        found = await rail.files_of(context.tools, context.viewer, [parent.id for parent in parents])
        return [[_shown(context, file) for file in files] for files in found]


@strawberry.input(description="Keeps the batches that match all the given fields.")
class PayoutBatchFilterInput:
    provider_code: str | None = strawberry.field(default=None, description="Of this provider.")
    status: list[BatchState] | None = strawberry.field(default=None, description="Any of these states.")


@strawberry.input(description="Keeps the bank files that match all the given fields.")
class BankFileFilterInput:
    provider_code: str | None = strawberry.field(default=None, description="Of this provider.")
    direction: Direction | None = strawberry.field(default=None, description="Going this way.")


@strawberry.type
class RailQuery:
    @fields.resolver(description="Batches of payouts, newest first.", directives=list(PAGED_READS))
    async def payout_batches(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[PayoutBatchFilterInput | None, strawberry.argument(description="Which batches.")] = None,
    ) -> Connection[PayoutBatchType] | None:
        given = filter or PayoutBatchFilterInput()
        states = tuple(sorted(set(given.status or ())))
        only = BatchFilter(given.provider_code, states)
        scope = pages.scope_of("payout_batches", only)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before)
        page = await rail.page_of_batches(info.context.tools, info.context.viewer, only, args, scope)
        return graph_pages.connect(page, PayoutBatchType.of)

    @fields.resolver(description="One batch of payouts.", directives=list(READS))
    async def payout_batch(self, info: Info, id: Id) -> PayoutBatchType | None:
        (found,) = await fetch_batches(info.context, [id])
        return found

    @fields.resolver(description="Files to and from banks, newest first.", directives=list(PAGED_READS))
    async def bank_files(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[BankFileFilterInput | None, strawberry.argument(description="Which files.")] = None,
    ) -> Connection[BankFileType] | None:
        given, context = filter or BankFileFilterInput(), info.context
        only = FileFilter(given.provider_code, given.direction)
        scope = pages.scope_of("bank_files", only)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before)
        page = await rail.page_of_files(context.tools, context.viewer, only, args, scope)
        return graph_pages.connect(page, lambda file: _shown(context, file))


PayoutBatchHandOverError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType,
    failures_of("payoutBatchHandOver"),
]


@strawberry.input(description="Input of payoutBatchHandOver.")
class PayoutBatchHandOverInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended hand-over.")
    batch_id: strawberry.ID = strawberry.field(description="Which batch.")


@strawberry.type(description="Result of payoutBatchHandOver.")
class PayoutBatchHandOverPayload:
    batch: PayoutBatchType | None = mutations.outcome("The batch, its answer awaited.")
    replayed: bool = mutations.replayed()
    errors: list[PayoutBatchHandOverError] = mutations.refusals()


PayoutBatchDiscardError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType,
    failures_of("payoutBatchDiscard"),
]


@strawberry.input(description="Input of payoutBatchDiscard.")
class PayoutBatchDiscardInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended discard.")
    batch_id: strawberry.ID = strawberry.field(description="Which batch.")


@strawberry.type(description="Result of payoutBatchDiscard.")
class PayoutBatchDiscardPayload:
    batch: PayoutBatchType | None = mutations.outcome("The batch, never to be handed over.")
    replayed: bool = mutations.replayed()
    errors: list[PayoutBatchDiscardError] = mutations.refusals()


Discarded = Annotated[PayoutBatchDiscardInput, strawberry.argument(description="Which batch.")]
HandedOver = Annotated[PayoutBatchHandOverInput, strawberry.argument(description="Which batch.")]


@strawberry.type
class RailMutation:
    @mutations.mutation(
        description="Says that the files of a batch were given to the bank.",
        directives=[requires(Scope.FINANCE_MANAGE)],
    )
    async def payout_batch_hand_over(self, info: Info, input: HandedOver) -> PayoutBatchHandOverPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "payoutBatchHandOver", input)
        done = await rail.hand_over(tools, viewer, asked, input.batch_id)
        return PayoutBatchHandOverPayload(batch=PayoutBatchType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Says that the files of a batch will not go to the bank, or were refused there by hand. Its "
        "payouts are UNKNOWN then, for two people to settle.",
        directives=[requires(Scope.FINANCE_MANAGE)],
    )
    async def payout_batch_discard(self, info: Info, input: Discarded) -> PayoutBatchDiscardPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "payoutBatchDiscard", input)
        done = await rail.discard(tools, viewer, asked, input.batch_id)
        return PayoutBatchDiscardPayload(batch=PayoutBatchType.of(done.value), replayed=done.replayed)


async def fetch_batches(context: Context, batch_ids: Sequence[str]) -> list[PayoutBatchType | None]:
    """Batches by id, null where the caller may not see them."""
    found = await rail.batches_by_id(context.tools, context.viewer, batch_ids)
    return [None if batch is None else PayoutBatchType.of(batch) for batch in found]


async def fetch_files(context: Context, file_ids: Sequence[str]) -> list[BankFileType | None]:
    """Bank files by id, null where the caller may not see them."""
    found = await rail.files_by_id(context.tools, context.viewer, file_ids)
    return [None if file is None else _shown(context, file) for file in found]


def _shown(context: Context, file: BankFile) -> BankFileType:
    return BankFileType.of(file, rail.link_of(context.tools, context.viewer, file))
