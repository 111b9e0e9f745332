"""Videos: their life and what was measured. The bytes are in `files`."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, ids, media, users
from shoutgraph.storage import columns, uploads
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx
from shoutgraph.storage.uploads import LIST_MAX, Uploads

_OPEN: Final = sa.text("state IN ('UPLOADING', 'CHECKING')")
_FACTS: Final = sa.CheckConstraint(
    "(state = 'READY') <= (container IS NOT NULL AND video_codec IS NOT NULL AND width_px > 0 AND height_px > 0 "
    "AND duration_ms > 0 AND sha256 IS NOT NULL)",
    name="video_facts",
)


class VideoRow(SQLModel, table=True):
    """One uploaded file of an order.

    `checks_count` and `leased_until` belong to the worker that checks it; `stored` says that bytes may be on a disk.
    """

    __tablename__: ClassVar[str] = "video"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        columns.one_of("state", media.VideoState),
        columns.one_of("rejection_code", media.RejectionCode),
        columns.truth("stored"),
        sa.CheckConstraint("size_bytes BETWEEN 1 AND size_bytes_max", name="video_size"),
        sa.CheckConstraint("(state = 'REJECTED') = (rejection_code IS NOT NULL)", name="video_rejection"),
        _FACTS,
        sa.Index("video_order", "order_id"),
        sa.Index("video_open", "state", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        sa.Index(
            "video_discard",
            "id",
            sqlite_where=sa.text("state = 'REJECTED' AND stored = 1"),
            postgresql_where=sa.text("state = 'REJECTED' AND stored = 1"),
        ),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_column=sa.Column(columns.Text, primary_key=True, nullable=False))
    order_id: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    creator_id: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    state: media.VideoState = Field(sa_column=sa.Column(columns.Words(media.VideoState), nullable=False))
    media_type: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    size_bytes: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    duration_max_s: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    size_bytes_max: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    opened_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    expires_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    checked_at: datetime | None = Field(sa_column=sa.Column(columns.Micros))
    container: media.Container | None = Field(sa_column=sa.Column(columns.Words(media.Container)))
    video_codec: str | None = Field(sa_column=sa.Column(columns.Text))
    audio_codec: str | None = Field(sa_column=sa.Column(columns.Text))
    width_px: int | None = Field(sa_column=sa.Column(columns.Integer))
    height_px: int | None = Field(sa_column=sa.Column(columns.Integer))
    duration_ms: int | None = Field(sa_column=sa.Column(columns.Integer))
    sha256: str | None = Field(sa_column=sa.Column(columns.Text))
    rejection_code: media.RejectionCode | None = Field(sa_column=sa.Column(columns.Words(media.RejectionCode)))
    rejection_message: str | None = Field(sa_column=sa.Column(columns.Text))
    stored: bool = Field(sa_column=sa.Column(columns.Truth, nullable=False))
    checks_count: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    leased_until: datetime | None = Field(sa_column=sa.Column(columns.Micros))


_T: Final = columns.table_of(VideoRow)


def _video(of: Mapping[str, Any]) -> media.Video:
    return media.Video(
        id=ids.VideoId(of["id"]),
        order_id=ids.OrderId(of["order_id"]),
        creator_id=ids.CreatorId(of["creator_id"]),
        state=of["state"],
        media_type=of["media_type"],
        size_bytes=of["size_bytes"],
        limits=media.VideoLimits(of["duration_max_s"], of["size_bytes_max"]),
        opened_at=of["opened_at"],
        expires_at=of["expires_at"],
        checked_at=of["checked_at"],
        facts=uploads.facts_of(of),
        sha256=of["sha256"],
        rejection=uploads.rejection_of(of),
    )


def _values_of(video: media.Video) -> dict[str, object]:
    return uploads.values_of(video) | {"creator_id": video.creator_id}


UPLOADS: Final = Uploads[media.Video](_T, noun="video", read=_video, write=_values_of)
"""The life of videos."""

_OF_IDS: Final = Statement(lambda: sa.select(*UPLOADS.values).where(columns.any_of(_T.c.id, "ids")))
_OF_ORDER: Final = Statement(
    lambda: (
        sa.select(*UPLOADS.values)
        .where(_T.c.order_id == sa.bindparam("order_id"))
        .order_by(_T.c.id.desc())
        .limit(LIST_MAX)
    )
)
_COUNT_OPEN: Final = Statement(
    lambda: (
        sa.select(sa.func.count())
        .select_from(_T)
        .where(
            _T.c.order_id == sa.bindparam("order_id"),
            _T.c.state == media.VideoState.UPLOADING,
            _T.c.expires_at > sa.bindparam("now", type_=_T.c.expires_at.type),
        )
    )
)


def insert(tx: Tx, video: media.Video) -> None:
    """Adds a video that waits for its bytes; whoever does holds its order, so that the count stays true.

    Raises:
        LimitExceededError: the order has too many unfinished uploads.
    """
    row = tx.one(_COUNT_OPEN, order_id=video.order_id, now=tx.now)
    if row is not None and row[0] >= media.UPLOADS_PER_ORDER_MAX:
        limit = media.UPLOADS_PER_ORDER_MAX
        msg = f"This order has {limit} unfinished uploads. Finish or cancel one first."
        raise errors.LimitExceededError(msg, code="UPLOADS_OPEN", limit=limit, path=("input", "orderId"))
    UPLOADS.insert(tx, video)


def get(tx: Tx, video_id: str) -> media.Video:
    """The video. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is none.
    """
    return UPLOADS.get(tx, video_id)


def get_visible(tx: Tx, video_id: str, viewer: users.Viewer) -> media.Video:
    """The video, for the creator who uploads it and for moderators; others see videos through their order.

    Raises:
        NotFoundError: there is none, or it is not this viewer's.
    """
    video = get(tx, video_id)
    mine = viewer.creator_id is not None and viewer.creator_id == video.creator_id
    if not mine and not viewer.has(users.Scope.MODERATION):
        raise UPLOADS.missing()
    return video


def list_of_ids(tx: Tx, video_ids: Collection[str]) -> dict[str, media.Video]:
    """The videos with these ids, by id; those that do not exist are left out."""
    return {row[0]: UPLOADS.value(row) for row in tx.all(_OF_IDS, ids=list(video_ids))}


def list_of_order(tx: Tx, order_id: ids.OrderId) -> list[media.Video]:
    """The newest videos of an order, newest first, whatever became of them."""
    return [UPLOADS.value(row) for row in tx.all(_OF_ORDER, order_id=order_id)]


def save(tx: Tx, video: media.Video, *, was: media.VideoState) -> None:
    """Stores what became of a video that was in this state, and ends any lease on it."""
    UPLOADS.save(tx, video, was=was)
