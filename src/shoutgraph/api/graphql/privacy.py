"""The room of privacy: copies of what is kept about the caller, and being erased."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations
from shoutgraph.api.graphql.blockers import Blocker
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import BigInt, IdempotencyKey
from shoutgraph.domain import ids
from shoutgraph.domain.privacy import Erasure, ErasureState, Export, ExportState
from shoutgraph.files.links import Link
from shoutgraph.services.privacy import erase, export

_KEY: Final = "One key per intended effect."

enums.describe(
    ErasureState,
    name="ErasureStatus",
    description="Where an erasure stands.",
    values={
        ErasureState.WAITING: "It can be taken back until dueAt, and waits longer while something stands in its way.",
        ErasureState.ERASING: "Under way.",
        ErasureState.DONE: "Done: only the books know an id.",
        ErasureState.CANCELLED: "Taken back.",
    },
)
enums.describe(
    ExportState,
    name="DataExportStatus",
    description="Where an export stands.",
    values={
        ExportState.REQUESTED: "It is being made.",
        ExportState.READY: "To be fetched until expiresAt.",
        ExportState.EXPIRED: "Its file is gone; ask for a new one.",
        ExportState.FAILED: "It could not be made; ask again, or ask support.",
    },
)


@strawberry.type(name="DataExportLink", description="A signed address that works for this caller until it expires.")
class DataExportLinkType:
    url: str = strawberry.field(description="Gives a ZIP of JSON lines, a file for each kind of thing, and of videos.")
    expires_at: datetime = strawberry.field(description="When it stops working; read the field again for a new one.")

    @classmethod
    def of(cls, link: Link) -> "DataExportLinkType":
        """The graph's view of a link."""
        return cls(url=link.url, expires_at=link.expires_at)


@strawberry.type(name="DataExport", description="A copy of everything that is kept about the caller.")
class DataExportType(NodeType):
    value: strawberry.Private[Export]
    status: ExportState = strawberry.field(description="Where it stands.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    ready_at: datetime | None = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="Until when it can be fetched.")
    size_bytes: BigInt | None = strawberry.field(description="Size of the file.")
    sha256: str | None = strawberry.field(description="Digest of the file, in hexadecimal.")

    @classmethod
    def of(cls, found: Export) -> "DataExportType":
        """The graph's view of an export."""
        return cls(
            id=strawberry.ID(found.id),
            value=found,
            status=found.state,
            requested_at=found.requested_at,
            ready_at=found.ready_at,
            expires_at=found.expires_at,
            size_bytes=None if found.size_bytes is None else BigInt(found.size_bytes),
            sha256=found.sha256,
        )

    @fields.resolver(description="Where to fetch it, for some minutes; null unless it is READY.")
    def download(self, info: Info) -> DataExportLinkType | None:
        link = export.link_of(info.context.tools, info.context.viewer, self.value)
        return None if link is None else DataExportLinkType.of(link)


@strawberry.type(name="Erasure", description="A person's wish to be erased.")
class ErasureType(NodeType):
    status: ErasureState = strawberry.field(description="Where it stands.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    due_at: datetime = strawberry.field(description="When it begins, or is looked at again.")
    blockers: list[Blocker] = strawberry.field(
        description="What stood in its way when it was last due.", directives=[ListSize(assumed_size=len(Blocker))]
    )
    ended_at: datetime | None = strawberry.field(description="When it was done, or taken back.")

    @classmethod
    def of(cls, found: Erasure) -> "ErasureType":
        """The graph's view of an erasure."""
        return cls(
            id=strawberry.ID(found.id),
            status=found.state,
            requested_at=found.requested_at,
            due_at=found.due_at,
            blockers=list(found.blockers),
            ended_at=found.ended_at,
        )


DataExportRequestError = Annotated[
    errors.ForbiddenErrorType | errors.IdempotencyKeyReusedErrorType | errors.LimitExceededErrorType,
    failures_of("dataExportRequest"),
]
ErasureRequestError = Annotated[
    errors.ForbiddenErrorType | errors.IdempotencyKeyReusedErrorType | errors.ValidationErrorType,
    failures_of("erasureRequest"),
]
ErasureCancelError = Annotated[
    errors.ForbiddenErrorType | errors.NotFoundErrorType | errors.ValidationErrorType, failures_of("erasureCancel")
]


@strawberry.input(description="Input of dataExportRequest.")
class DataExportRequestInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)


@strawberry.type(description="Result of dataExportRequest.")
class DataExportRequestPayload:
    data_export: DataExportType | None = mutations.outcome("The export; viewer.dataExport follows it.")
    replayed: bool = mutations.replayed()
    errors: list[DataExportRequestError] = mutations.refusals()


@strawberry.input(description="Input of erasureRequest.")
class ErasureRequestInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    confirm: bool = strawberry.field(description="That it is meant: once begun, it cannot be undone.")


@strawberry.type(description="Result of erasureRequest.")
class ErasureRequestPayload:
    erasure: ErasureType | None = mutations.outcome("The wish, which waits until its dueAt.")
    replayed: bool = mutations.replayed()
    errors: list[ErasureRequestError] = mutations.refusals()


@strawberry.input(description="Input of erasureCancel.")
class ErasureCancelInput:
    erasure_id: strawberry.ID = strawberry.field(description="Which wish.")


@strawberry.type(description="Result of erasureCancel.")
class ErasureCancelPayload:
    erasure: ErasureType | None = mutations.outcome("The wish, taken back.")
    errors: list[ErasureCancelError] = mutations.refusals()


Exports = Annotated[DataExportRequestInput, strawberry.argument(description="A key.")]
Requests = Annotated[ErasureRequestInput, strawberry.argument(description="That it is meant.")]
Cancels = Annotated[ErasureCancelInput, strawberry.argument(description="Which wish.")]


@strawberry.type
class PrivacyMutation:
    @mutations.mutation(description="Asks for a copy of everything that is kept about the caller; one at a time.")
    async def data_export_request(self, info: Info, input: Exports) -> DataExportRequestPayload | None:
        context, asked = info.context, request_of(info.context.viewer, "dataExportRequest", input)
        done = await export.request(context.tools, context.viewer, asked)
        return DataExportRequestPayload(data_export=DataExportType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Asks that the caller be erased: it waits some days, in which erasureCancel takes it back. Refused "
        "while affairs are not settled."
    )
    async def erasure_request(self, info: Info, input: Requests) -> ErasureRequestPayload | None:
        context, asked = info.context, request_of(info.context.viewer, "erasureRequest", input)
        done = await erase.request(context.tools, context.viewer, asked, confirm=input.confirm)
        return ErasureRequestPayload(erasure=ErasureType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Takes back the wish to be erased, while it waits.")
    async def erasure_cancel(self, info: Info, input: Cancels) -> ErasureCancelPayload | None:
        context = info.context
        return ErasureCancelPayload(
            erasure=ErasureType.of(await erase.cancel(context.tools, context.viewer, input.erasure_id))
        )


async def fetch_erasures(context: Context, erasure_ids: Sequence[str]) -> list[ErasureType | None]:
    """Erasures by id, null where the caller may not see them."""
    found = await erase.list_visible(context.tools, context.viewer, list(erasure_ids))
    return [None if each is None else ErasureType.of(each) for each in found]


async def fetch_exports(context: Context, export_ids: Sequence[str]) -> list[DataExportType | None]:
    """Exports by id, null where the caller may not see them."""
    found = await export.list_visible(context.tools, context.viewer, list(export_ids))
    return [None if each is None else DataExportType.of(each) for each in found]


ROOM: Final = Room(mutation=PrivacyMutation, nodes={ids.ERASURE: fetch_erasures, ids.EXPORT: fetch_exports})
