"""Videos: their life and what was measured. The bytes are in `files`."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, ids, media, users
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Row, Statement
from shoutgraph.storage.tx import Tx

LIST_MAX: Final = 100
"""Videos that one round of work takes on."""

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
_WORK: Final = {"stored", "checks_count", "leased_until"}
_VALUE: Final = [column for column in _T.c if column.name not in _WORK]
_JUDGED: Final = (
    "state",
    "media_type",
    "checked_at",
    "container",
    "video_codec",
    "audio_codec",
    "width_px",
    "height_px",
    "duration_ms",
    "sha256",
    "rejection_code",
    "rejection_message",
)
"""What changes after the upload was opened."""

_INSERT: Final = Statement(
    lambda: sa.insert(_T).values(
        **{column.name: sa.bindparam(column.name) for column in _VALUE}, stored=True, checks_count=0
    )
)
_GET: Final = Statement(lambda: sa.select(*_VALUE).where(_T.c.id == sa.bindparam("id")), holds=_T)
_OF_IDS: Final = Statement(lambda: sa.select(*_VALUE).where(columns.any_of(_T.c.id, "ids")))
_OF_ORDER: Final = Statement(
    lambda: sa.select(*_VALUE).where(_T.c.order_id == sa.bindparam("order_id")).order_by(_T.c.id.desc()).limit(LIST_MAX)
)
_SAVE: Final = Statement(
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("row_id"), _T.c.state == sa.bindparam("was", type_=_T.c.state.type))
        .values({name: sa.bindparam(f"new_{name}", type_=_T.c[name].type) for name in _JUDGED} | {"leased_until": None})
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
_UPLOADING: Final = Statement(
    lambda: (
        sa.select(*_VALUE)
        .where(_T.c.state == media.VideoState.UPLOADING, _T.c.id > sa.bindparam("after"))
        .order_by(_T.c.id)
        .limit(LIST_MAX)
    )
)
_DUE: Final = Statement(
    lambda: (
        sa.select(_T.c.id)
        .where(_T.c.state == media.VideoState.CHECKING, _free_at("now"))
        .order_by(_T.c.id)
        .limit(LIST_MAX)
    )
)
_CLAIM: Final = Statement(
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("row_id"), _T.c.state == media.VideoState.CHECKING, _free_at("now"))
        .values(
            leased_until=sa.bindparam("until", type_=_T.c.leased_until.type),
            checks_count=_T.c.checks_count + 1,
        )
    )
)
_RENEW: Final = Statement(
    lambda: (
        sa.update(_T)
        .where(
            _T.c.id == sa.bindparam("row_id"),
            _T.c.state == media.VideoState.CHECKING,
            _T.c.checks_count == sa.bindparam("attempt"),
        )
        .values(leased_until=sa.bindparam("until", type_=_T.c.leased_until.type))
    )
)
_CHECKS: Final = Statement[tuple[int]](lambda: sa.select(_T.c.checks_count).where(_T.c.id == sa.bindparam("id")))
_DISCARDABLE: Final = Statement(
    lambda: (
        sa.select(_T.c.id)
        .where(_T.c.state == media.VideoState.REJECTED, _T.c.stored == sa.bindparam("stored", type_=_T.c.stored.type))
        .order_by(_T.c.id)
        .limit(LIST_MAX)
    )
)
_DISCARDED: Final = Statement(
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("row_id"), _T.c.state == media.VideoState.REJECTED)
        .values(stored=False)
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
    tx.put(_INSERT, **_values_of(video))


def get(tx: Tx, video_id: str) -> media.Video:
    """The video. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is none.
    """
    row = tx.one(_GET, id=video_id)
    if row is None:
        raise errors.NotFoundError("There is no such video.", path=("input", "videoId"))
    return _video(row)


def get_visible(tx: Tx, video_id: str, viewer: users.Viewer) -> media.Video:
    """The video, for the creator who uploads it and for moderators; others see videos through their order.

    Raises:
        NotFoundError: there is none, or it is not this viewer's.
    """
    video = get(tx, video_id)
    mine = viewer.creator_id is not None and viewer.creator_id == video.creator_id
    if not mine and not viewer.has(users.Scope.MODERATION):
        raise errors.NotFoundError("There is no such video.", path=("input", "videoId"))
    return video


def list_of_ids(tx: Tx, video_ids: Collection[str]) -> dict[str, media.Video]:
    """The videos with these ids, by id; those that do not exist are left out."""
    return {row[0]: _video(row) for row in tx.all(_OF_IDS, ids=list(video_ids))}


def list_of_order(tx: Tx, order_id: ids.OrderId) -> list[media.Video]:
    """The newest videos of an order, newest first, whatever became of them."""
    return [_video(row) for row in tx.all(_OF_ORDER, order_id=order_id)]


def save(tx: Tx, video: media.Video, *, was: media.VideoState) -> None:
    """Stores what became of a video that was in this state, and ends any lease on it."""
    values = _values_of(video)
    changed = tx.run(_SAVE, row_id=video.id, was=was, **{f"new_{name}": values[name] for name in _JUDGED})
    assert changed == 1, "a video is judged in the transaction that read it"


def list_of_uploading(tx: Tx, *, after: str) -> list[media.Video]:
    """Unfinished uploads with ids after this one, a page at a time."""
    return [_video(row) for row in tx.all(_UPLOADING, after=after)]


def list_of_due(tx: Tx) -> list[ids.VideoId]:
    """Complete videos that nobody is checking now."""
    return [ids.VideoId(row[0]) for row in tx.all(_DUE, now=tx.now)]


def claim(tx: Tx, video_id: ids.VideoId) -> int | None:
    """Takes a complete video for one worker, and says which attempt this is; None where it is not to be had."""
    if tx.run(_CLAIM, row_id=video_id, now=tx.now, until=tx.now + media.CHECK_LEASE) == 0:
        return None
    row = tx.one(_CHECKS, id=video_id)
    assert row is not None, "a claimed video exists"
    return row[0]


def renew(tx: Tx, video_id: ids.VideoId, attempt: int) -> None:
    """Makes the lease of the worker with this attempt begin anew, if it still is the last one."""
    tx.put(_RENEW, row_id=video_id, attempt=attempt, until=tx.now + media.CHECK_LEASE)


def list_of_discardable(tx: Tx) -> list[ids.VideoId]:
    """Rejected videos whose bytes may still be on a disk."""
    return [ids.VideoId(row[0]) for row in tx.all(_DISCARDABLE, stored=True)]


def discarded(tx: Tx, video_id: ids.VideoId) -> None:
    """Notes that the bytes of a rejected video are gone."""
    tx.put(_DISCARDED, row_id=video_id)


def _free_at(param: str) -> sa.ColumnElement[bool]:
    lease = _T.c.leased_until
    return sa.or_(lease.is_(None), lease <= sa.bindparam(param, type_=lease.type))


def _video(row: Row) -> media.Video:
    of = dict(zip([column.name for column in _VALUE], row, strict=True))
    facts = media.VideoFacts(
        container=of["container"],
        video_codec=of["video_codec"],
        audio_codec=of["audio_codec"],
        width_px=of["width_px"],
        height_px=of["height_px"],
        duration_ms=of["duration_ms"],
        size_bytes=of["size_bytes"],
    )
    code = of["rejection_code"]
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
        facts=facts if of["container"] else None,
        sha256=of["sha256"],
        rejection=media.Rejection(code, of["rejection_message"]) if code else None,
    )


def _values_of(video: media.Video) -> dict[str, object]:
    facts, rejection = video.facts, video.rejection
    return {
        "id": video.id,
        "order_id": video.order_id,
        "creator_id": video.creator_id,
        "state": video.state,
        "media_type": video.media_type,
        "size_bytes": video.size_bytes,
        "duration_max_s": video.limits.duration_max_s,
        "size_bytes_max": video.limits.size_bytes_max,
        "opened_at": video.opened_at,
        "expires_at": video.expires_at,
        "checked_at": video.checked_at,
        "container": facts and facts.container,
        "video_codec": facts and facts.video_codec,
        "audio_codec": facts and facts.audio_codec,
        "width_px": facts and facts.width_px,
        "height_px": facts and facts.height_px,
        "duration_ms": facts and facts.duration_ms,
        "sha256": video.sha256,
        "rejection_code": rejection and rejection.code,
        "rejection_message": rejection and rejection.message,
    }
