"""The room of authenticity: whether a file came from a real order, for anybody who holds it, and taking videos down."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.creators import CreatorType
from shoutgraph.api.graphql.directives import GUESSABLE, Cost, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.api.graphql.videos import VideoType
from shoutgraph.domain.authenticity import MANIFEST_CHARS_MAX, Finding, Variant, Verdict
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.reputation import start_of
from shoutgraph.domain.users import Scope
from shoutgraph.services import authenticity
from shoutgraph.services.orders import take_down

VERIFY_COST: Final = "5"

enums.describe(
    Verdict,
    name="VideoVerdict",
    description="What is known of a file or a manifest; clients must accept values added later.",
    values={
        Verdict.AUTHENTIC: "It was delivered here for a real order.",
        Verdict.REVOKED: "It was delivered here, and taken down since.",
        Verdict.UNKNOWN: "Nothing is known of it: it was changed, or it never came from here.",
        Verdict.OTHER_FILE: "The manifest is genuine, and about another file than this one.",
        Verdict.FORGED_SIGNATURE: "The manifest is not signed by a key of this deployment, or is none.",
    },
)
enums.describe(
    Variant,
    name="VideoVariant",
    description="Which file of a delivered video it is; clients must accept values added later.",
    values={
        Variant.ORIGINAL: "As the creator made it, less what a camera notes beside it.",
        Variant.WATERMARKED: "The copy with the watermark.",
    },
)


@strawberry.type(
    name="VideoVerification",
    description="The answer about a file or its manifest. It says nothing of the order, the fan or the occasion.",
)
class VideoVerificationType:
    verdict: Verdict = strawberry.field(description="What is known.")
    compared: bool = strawberry.field(
        description="Whether a file was compared; a manifest alone proves only that there is such a file."
    )
    variant: Variant | None = strawberry.field(description="Which of the video's files it is, if a file was compared.")
    delivered_at: datetime | None = strawberry.field(
        description="The day on which it was delivered, a midnight in UTC."
    )
    creator: CreatorType | None = strawberry.field(description="Who filmed it, if they want to be named.")

    @classmethod
    def of(cls, finding: Finding, creator: Creator | None) -> "VideoVerificationType":
        """The graph's view of a finding."""
        return cls(
            verdict=finding.verdict,
            compared=finding.compared,
            variant=finding.variant,
            delivered_at=None if finding.day is None else start_of(finding.day),
            creator=None if creator is None else CreatorType.of(creator),
        )


VideoTakeDownError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.MediaRejectedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType,
    failures_of("videoTakeDown"),
]


@strawberry.input(description="Input of videoTakeDown.")
class VideoTakeDownInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended effect.")
    video_id: strawberry.ID = strawberry.field(description="Which video.")
    reason: str = strawberry.field(description="Reason code, such as LEGAL or IMPERSONATION.")
    note: str = strawberry.field(description="The statement of reasons, for its creator.")


@strawberry.type(description="Result of videoTakeDown.")
class VideoTakeDownPayload:
    video: VideoType | None = mutations.outcome("The video, rejected.")
    replayed: bool = mutations.replayed()
    errors: list[VideoTakeDownError] = mutations.refusals()


@strawberry.type
class AuthenticityMutation:
    @mutations.mutation(
        description="Takes a video down for good: its links end, its files go, and verifyVideo says REVOKED. What "
        "becomes of the order and its coins is decided by itself.",
        directives=[requires(Scope.MODERATION)],
    )
    async def video_take_down(
        self, info: Info, input: Annotated[VideoTakeDownInput, strawberry.argument(description="Which, and why.")]
    ) -> VideoTakeDownPayload | None:
        context, request = info.context, request_of(info.context.viewer, "videoTakeDown", input)
        done = await take_down.take_down(
            context.tools, context.viewer, request, input.video_id, reason=input.reason, note=input.note
        )
        return VideoTakeDownPayload(video=VideoType.of(done.value), replayed=done.replayed)


@strawberry.type
class AuthenticityQuery:
    @fields.resolver(
        description="Whether a file came from a real order here: by its digest, by its manifest, or by both together. "
        "Anybody may ask; the file itself stays where it is.",
        directives=[Cost(weight=VERIFY_COST), GUESSABLE],
    )
    async def verify_video(
        self,
        info: Info,
        sha256: Annotated[
            str | None, strawberry.argument(name="sha256", description="SHA-256 of the file, 64 hexadecimal digits.")
        ] = None,
        manifest: Annotated[
            str | None,
            strawberry.argument(description=f"Text of the manifest, at most {MANIFEST_CHARS_MAX:,} characters."),
        ] = None,
    ) -> VideoVerificationType | None:
        found = await authenticity.verify(info.context.tools, sha256=sha256, manifest=manifest)
        return VideoVerificationType.of(*found)


ROOM: Final = Room(query=AuthenticityQuery, mutation=AuthenticityMutation)
