"""The room of videos: what became of an upload, and the links to watch it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import strawberry

from shoutgraph.api.graphql import enums, loaders
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import BigInt
from shoutgraph.domain import ids
from shoutgraph.domain.authenticity import MarkState
from shoutgraph.domain.media import Rejection, Video, VideoState
from shoutgraph.files.links import Link
from shoutgraph.services import authenticity
from shoutgraph.services.media import read

enums.describe(
    VideoState,
    name="VideoStatus",
    description="Where an uploaded file is in its life.",
    values={
        VideoState.UPLOADING: "Bytes are missing.",
        VideoState.CHECKING: "Complete; being inspected.",
        VideoState.READY: "It plays and fits the order.",
        VideoState.REJECTED: "Refused; rejection says why.",
    },
)


@strawberry.type(name="VideoRejection", description="Why a file was refused.")
class VideoRejectionType:
    code: str = strawberry.field(description="Stable code, such as TOO_LONG or NOT_A_VIDEO.")
    message: str = strawberry.field(description="For the creator, with the figures.")

    @classmethod
    def of(cls, rejection: Rejection) -> "VideoRejectionType":
        """The graph's view of a rejection."""
        return cls(code=rejection.code, message=rejection.message)


@strawberry.type(name="VideoLink", description="A signed address that works for this caller until it expires.")
class VideoLinkType:
    url: str = strawberry.field(description="Serves ranges, so that players can seek.")
    expires_at: datetime = strawberry.field(description="When it stops working; read the field again for a new one.")

    @classmethod
    def of(cls, link: Link) -> "VideoLinkType":
        """The graph's view of a link."""
        return cls(url=link.url, expires_at=link.expires_at)


enums.describe(
    MarkState,
    name="WatermarkStatus",
    description="Where the copy with a watermark is in its life; clients must accept values added later.",
    values={
        MarkState.WAITING: "It is being made.",
        MarkState.READY: "It can be watched.",
        MarkState.FAILED: "None could be made of this video.",
        MarkState.OFF: "This deployment makes none.",
    },
)


@strawberry.type(name="VideoManifest", description="What this deployment signs about a video that it delivered.")
class VideoManifestType:
    id: strawberry.ID = strawberry.field(description="Public name of the manifest; it says nothing of the order.")
    text: str = strawberry.field(
        description="A compact JSON Web Signature to keep beside the file, and to give to verifyVideo."
    )

    @classmethod
    def of(cls, signed: authenticity.Signed) -> "VideoManifestType":
        """The graph's view of a manifest."""
        return cls(id=strawberry.ID(signed.id), text=signed.text)


@strawberry.type(name="WatermarkedVideo", description="The copy of a delivered video with the platform's watermark.")
class WatermarkedVideoType:
    status: MarkState = strawberry.field(description="Where it is in its life.")
    sha256: str | None = strawberry.field(name="sha256", description="Digest of the copy in hex, once it is made.")
    watch: VideoLinkType | None = strawberry.field(description="Where this caller may watch it.")
    poster: VideoLinkType | None = strawberry.field(description="A still picture of it, with the watermark too.")

    @classmethod
    def of(cls, copy: authenticity.Copy) -> "WatermarkedVideoType":
        """The graph's view of a copy."""
        return cls(
            status=copy.state,
            sha256=copy.sha256,
            watch=None if copy.watch is None else VideoLinkType.of(copy.watch),
            poster=None if copy.poster is None else VideoLinkType.of(copy.poster),
        )


@strawberry.type(name="Video", description="A file that a creator uploaded for an order.")
class VideoType(NodeType):
    status: VideoState = strawberry.field(description="Where it is in its life.")
    media_type: str = strawberry.field(description="Such as video/mp4.")
    size_bytes: BigInt = strawberry.field(description="Size of the file.")
    duration_milliseconds: int | None = strawberry.field(description="How long it runs, once inspected.")
    width: int | None = strawberry.field(description="Pixels as shown, once inspected.")
    height: int | None = strawberry.field(description="Pixels as shown, once inspected.")
    sha256: str | None = strawberry.field(name="sha256", description="Digest of the file in hex, once inspected.")
    rejection: VideoRejectionType | None = strawberry.field(description="Why it was refused.")
    watch: VideoLinkType | None = strawberry.field(description="Where this caller may watch it.")
    poster: VideoLinkType | None = strawberry.field(description="A still picture of it.")

    @loaders.batch(description="What proves it, once it was delivered; null for a video that was taken down.")
    @staticmethod
    async def manifest(parents: "list[VideoType]", context: Context) -> list[VideoManifestType | None]:
        found = await authenticity.list_manifests(context.tools, _watched(parents))
        by_id = {each: VideoManifestType.of(signed) for each, signed in found.items()}
        return [by_id.get(str(parent.id)) for parent in parents]

    @loaders.batch(description="A copy to show in public, once it was delivered; null for a video that was taken down.")
    @staticmethod
    async def watermarked(parents: "list[VideoType]", context: Context) -> list[WatermarkedVideoType | None]:
        found = await authenticity.list_copies(context.tools, context.viewer, _watched(parents))
        by_id = {each: WatermarkedVideoType.of(copy) for each, copy in found.items()}
        return [by_id.get(str(parent.id)) for parent in parents]

    @classmethod
    def of(cls, video: Video, *, watch: Link | None = None, poster: Link | None = None) -> "VideoType":
        """The graph's view of a video, with the links that the caller may follow."""
        facts = video.facts
        return cls(
            id=strawberry.ID(video.id),
            status=video.state,
            media_type=video.media_type,
            size_bytes=BigInt(video.size_bytes),
            duration_milliseconds=facts.duration_ms if facts else None,
            width=facts.width_px if facts else None,
            height=facts.height_px if facts else None,
            sha256=video.sha256,
            rejection=None if video.rejection is None else VideoRejectionType.of(video.rejection),
            watch=None if watch is None else VideoLinkType.of(watch),
            poster=None if poster is None else VideoLinkType.of(poster),
        )


def _watched(parents: "Sequence[VideoType]") -> list[str]:
    """Those that the caller may watch."""
    return [str(parent.id) for parent in parents if parent.watch is not None]


async def fetch_videos(context: Context, video_ids: Sequence[str]) -> list[VideoType | None]:
    """Videos by id, for their creator and for moderators; others find them through their order."""
    found = await read.list_visible(context.tools, context.viewer, video_ids)
    links, now = context.tools.links, context.tools.clock()
    return [
        None
        if video is None
        else VideoType.of(video)
        if video.state is not VideoState.READY
        else VideoType.of(
            video,
            watch=links.video(video.id, context.viewer, now=now),
            poster=links.poster(video.id, context.viewer, now=now),
        )
        for video in found
    ]


ROOM: Final = Room(nodes={ids.VIDEO: fetch_videos})
