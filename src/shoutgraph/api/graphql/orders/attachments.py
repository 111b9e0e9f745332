"""Voice notes and evidence, as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from shoutgraph.api.graphql import enums, errors, mutations
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.scalars import BigInt, IdempotencyKey
from shoutgraph.api.graphql.videos import VideoLinkType, VideoRejectionType
from shoutgraph.domain import ids
from shoutgraph.domain.attachments import Medium, Purpose
from shoutgraph.domain.media import VideoState
from shoutgraph.domain.orders.order import Side
from shoutgraph.services.orders import attach
from shoutgraph.services.orders.attach import File, Shown

enums.describe(
    Purpose,
    name="AttachmentPurpose",
    description="What an attachment is for.",
    values={
        Purpose.VOICE_NOTE: "Says the recipient's name; sound, for the brief.",
        Purpose.EVIDENCE: "Shows what a side says; a picture, a video or sound.",
    },
)
enums.describe(
    Medium,
    name="AttachmentMedium",
    description="What an attachment turned out to be.",
    values={Medium.PICTURE: "A picture.", Medium.VIDEO: "A video.", Medium.SOUND: "Sound."},
)

OrderAttachmentCreateError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.LimitExceededErrorType
    | errors.MediaRejectedErrorType
    | errors.NotFoundErrorType
    | errors.OrderStateErrorType
    | errors.ValidationErrorType,
    failures_of("orderAttachmentCreate"),
]


@strawberry.type(
    name="Attachment",
    description="A file that a side added to an order. The other side sees it once it is part of the order.",
)
class AttachmentType(NodeType):
    purpose: Purpose = strawberry.field(description="What it is for.")
    side: Side = strawberry.field(description="Who added it.")
    used_revision: int | None = strawberry.field(
        description="The order's revision that made it part of the order: that of a statement, if it is evidence."
    )
    status: VideoState = strawberry.field(description="Where it is in its life.")
    medium: Medium | None = strawberry.field(description="What it is, once inspected.")
    media_type: str = strawberry.field(description="Such as audio/webm; a picture is shown as image/jpeg.")
    size_bytes: BigInt = strawberry.field(description="Size of the file as it came.")
    duration_milliseconds: int | None = strawberry.field(description="How long it runs; null for a picture.")
    rejection: VideoRejectionType | None = strawberry.field(description="Why it was refused.")
    open: VideoLinkType | None = strawberry.field(description="Where this caller may see or hear it.")
    preview: VideoLinkType | None = strawberry.field(description="A still picture of it; null for sound.")

    @classmethod
    def of(cls, shown: Shown) -> "AttachmentType":
        """The graph's view of an attachment, with the links that the caller may follow."""
        of = shown.attachment
        return cls(
            id=strawberry.ID(of.id),
            purpose=of.purpose,
            side=of.side,
            used_revision=of.used_revision,
            status=of.state,
            medium=of.medium,
            media_type=of.media_type,
            size_bytes=BigInt(of.size_bytes),
            duration_milliseconds=of.facts.duration_ms if of.facts else None,
            rejection=None if of.rejection is None else VideoRejectionType.of(of.rejection),
            open=None if shown.open is None else VideoLinkType.of(shown.open),
            preview=None if shown.preview is None else VideoLinkType.of(shown.preview),
        )


@strawberry.type(
    name="AttachmentTarget", description="Where an attachment goes, by the tus 1.0.0 protocol for resumable uploads."
)
class AttachmentTargetType:
    attachment: AttachmentType = strawberry.field(description="What the file becomes.")
    url: str = strawberry.field(description="Takes HEAD and PATCH; works until it expires.")
    expires_at: datetime = strawberry.field(description="When the target stops taking bytes.")


@strawberry.input(description="Input of orderAttachmentCreate.")
class OrderAttachmentCreateInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended upload.")
    order_id: strawberry.ID = strawberry.field(description="Which order.")
    purpose: Purpose = strawberry.field(description="What it is for.")
    size_bytes: BigInt = strawberry.field(description="Exact size of the file.")
    media_type: str = strawberry.field(
        description="For a voice note audio/mp4, audio/webm, audio/ogg or audio/mpeg; evidence may also be a video, or "
        "image/jpeg, image/png or image/webp."
    )


@strawberry.type(description="Result of orderAttachmentCreate.")
class OrderAttachmentCreatePayload:
    target: AttachmentTargetType | None = mutations.outcome("Where the file goes.")
    replayed: bool = mutations.replayed()
    errors: list[OrderAttachmentCreateError] = mutations.refusals()


Created = Annotated[OrderAttachmentCreateInput, strawberry.argument(description="Which file, for which order.")]


@strawberry.type
class AttachmentMutation:
    @mutations.mutation(
        description="Gives a side of an order a target for a voice note or evidence. It is part of nothing until "
        "orderVoiceNoteSet, a redo or a dispute names it."
    )
    async def order_attachment_create(self, info: Info, input: Created) -> OrderAttachmentCreatePayload | None:
        viewer, request = info.context.viewer, request_of(info.context.viewer, "orderAttachmentCreate", input)
        order_id = ids.parse(ids.ORDER, input.order_id, path=("input", "orderId"))
        file = File(input.purpose, size_bytes=input.size_bytes, media_type=input.media_type)
        done, link = await attach.open_upload(info.context.tools, viewer, request, order_id, file)
        target = AttachmentTargetType(
            attachment=AttachmentType.of(Shown(done.value, open=None, preview=None)),
            url=link.url,
            expires_at=link.expires_at,
        )
        return OrderAttachmentCreatePayload(target=target, replayed=done.replayed)


async def fetch_attachments(context: Context, attachment_ids: Sequence[str]) -> list[AttachmentType | None]:
    """Attachments by id, for whoever added them; once they are used, for both sides and moderators."""
    found = await attach.list_shown(context.tools, context.viewer, attachment_ids)
    return [None if shown is None else AttachmentType.of(shown) for shown in found]
