"""Videos that were delivered: their digests, and the copy with the watermark. The bytes are in `files`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import ids
from shoutgraph.domain.authenticity import Delivered, MarkState
from shoutgraph.domain.media import VideoState
from shoutgraph.domain.reputation import start_of
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words
from shoutgraph.storage.media import VideoRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

LIST_MAX: Final = 20
"""Copies that one round of work takes on, and deliveries of the same file that are looked at."""

_WAITING: Final = "mark = 'WAITING'"


class DeliveredRow(SQLModel, table=True):
    """A video that passed review. `due_at` is when its copy may be tried next."""

    __tablename__: ClassVar[str] = "delivered_video"
    __table_args__ = (
        columns.one_of("mark", MarkState),
        sa.CheckConstraint("length(sha256) = 64 AND duration_ms > 0 AND attempts >= 0", name="delivered_facts"),
        sa.CheckConstraint(
            "(mark = 'READY') = (marked_sha256 IS NOT NULL) AND (mark = 'READY') = (marked_bytes IS NOT NULL)",
            name="delivered_marked",
        ),
        sa.Index("delivered_sha256", "sha256", "video_id"),
        columns.partial_index("delivered_marked_sha256", "marked_sha256", where="marked_sha256 IS NOT NULL"),
        columns.partial_index("delivered_waiting", "due_at", "video_id", where=_WAITING),
        {"sqlite_strict": True},
    )
    video_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("video.id"), primary_key=True, nullable=False))
    manifest_id: str = Field(sa_column=sa.Column(Text, unique=True, nullable=False))
    creator_id: str = Field(sa_column=sa.Column(Text, nullable=False))
    sha256: str = Field(sa_column=sa.Column(Text, nullable=False))
    duration_ms: int = Field(sa_column=sa.Column(Integer, nullable=False))
    day: int = Field(sa_column=sa.Column(Integer, nullable=False))
    mark: MarkState = Field(sa_column=sa.Column(Words(MarkState), nullable=False))
    marked_sha256: str | None = Field(sa_column=sa.Column(Text))
    marked_bytes: int | None = Field(sa_column=sa.Column(Integer))
    attempts: int = Field(sa_column=sa.Column(Integer, nullable=False))
    due_at: Any = Field(sa_column=sa.Column(Micros, nullable=False))
    fault: str | None = Field(sa_column=sa.Column(Text))


_T: Final = columns.table_of(DeliveredRow)
_VIDEO: Final = columns.table_of(VideoRow)
_VALUE: Final = tuple(_T.c[name] for name in Delivered.__slots__)
_NAMES: Final = tuple(column.name for column in _T.c)
_IS_WAITING: Final = sa.text(_WAITING)
_OF: Final = _T.c.video_id == sa.bindparam("of")

_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_LIST: Final = Statement[Any](lambda: sa.select(*_VALUE).where(columns.any_of(_T.c.video_id, "ids")))
_GET: Final = Statement[Any](lambda: sa.select(*_VALUE).where(_OF), holds=_T)
_DUE: Final = Statement[tuple[str]](
    lambda: (
        sa.select(_T.c.video_id)
        .where(_IS_WAITING, _T.c.due_at <= sa.bindparam("now"))
        .order_by(_T.c.due_at, _T.c.video_id)
        .limit(sa.literal_column(str(LIST_MAX)))
    )
)
_CLAIM: Final = Statement[tuple[int]](
    lambda: (
        sa.update(_T)
        .where(_OF, _IS_WAITING, _T.c.due_at <= sa.bindparam("now"))
        .values(attempts=_T.c.attempts + 1, due_at=sa.bindparam("until"))
        .returning(_T.c.attempts)
    )
)
_MARKED: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_OF, _IS_WAITING, _T.c.attempts == sa.bindparam("attempt"))
        .values({name: sa.bindparam(f"to_{name}") for name in ("mark", "marked_sha256", "marked_bytes", "fault")})
    )
)
_REVOKED: Final = sa.type_coerce(
    sa.case((_VIDEO.c.state == sa.literal(VideoState.READY, Words(VideoState)), 0), else_=1), Integer
)
_BY_SHA256: Final = Statement[Any](
    lambda: (
        sa.select(*_VALUE, _REVOKED)
        .join(_VIDEO, _VIDEO.c.id == _T.c.video_id)
        .where(_T.c.sha256 == sa.bindparam("sha256"))
        .order_by(_T.c.video_id)
        .limit(sa.literal_column(str(LIST_MAX)))
    )
)
_BY_MARKED: Final = Statement[Any](
    lambda: (
        sa.select(*_VALUE, _REVOKED)
        .join(_VIDEO, _VIDEO.c.id == _T.c.video_id)
        .where(_T.c.marked_sha256 == sa.bindparam("sha256"), _T.c.marked_sha256.is_not(None))
        .limit(sa.literal_column(str(LIST_MAX)))
    )
)
_BY_MANIFEST: Final = Statement[Any](
    lambda: (
        sa.select(*_VALUE, _REVOKED)
        .join(_VIDEO, _VIDEO.c.id == _T.c.video_id)
        .where(_T.c.manifest_id == sa.bindparam("manifest_id"))
    )
)


def insert(tx: Tx, delivered: Delivered) -> None:
    """Stores a video that was delivered; its copy is due at once."""
    values = {name: getattr(delivered, name) for name in Delivered.__slots__}
    tx.put(_INSERT, **values, attempts=0, due_at=start_of(delivered.day), fault=None)


def list_of(tx: Tx, video_ids: Sequence[str]) -> dict[str, Delivered]:
    """The videos that were delivered, of those with these ids, by id."""
    return {row[0]: Delivered(*row) for row in tx.all(_LIST, ids=list(video_ids))}


def get(tx: Tx, video_id: str) -> Delivered:
    """A video that was delivered. A unit of work that writes holds it from now on."""
    row = tx.one(_GET, of=video_id)
    assert row is not None, "a delivered video stays one"
    return Delivered(*row)


def list_of_due(tx: Tx) -> list[ids.VideoId]:
    """Videos that wait for their copy, and that nobody works on."""
    return [ids.VideoId(row[0]) for row in tx.all(_DUE, now=tx.now)]


def claim(tx: Tx, video_id: str, *, lease: timedelta) -> int | None:
    """Takes a video for one worker, and says which attempt this is; None where it is not to be had."""
    row = tx.one(_CLAIM, of=video_id, now=tx.now, until=tx.now + lease)
    return None if row is None else row[0]


def keep_copy(tx: Tx, video_id: str, attempt: int, *, sha256: str, size_bytes: int) -> bool:
    """Notes a copy that was made in this attempt, if it still is the last one."""
    given = {"to_mark": MarkState.READY, "to_marked_sha256": sha256, "to_marked_bytes": size_bytes, "to_fault": None}
    return tx.run(_MARKED, of=video_id, attempt=attempt, **given) == 1


def give_up(tx: Tx, video_id: str, attempt: int, *, fault: str) -> bool:
    """Notes that there will be no copy."""
    given = {"to_mark": MarkState.FAILED, "to_marked_sha256": None, "to_marked_bytes": None, "to_fault": fault}
    return tx.run(_MARKED, of=video_id, attempt=attempt, **given) == 1


def find_by_digest(tx: Tx, sha256: str) -> list[tuple[Delivered, bool]]:
    """The deliveries of this very file, or of its copy, each with whether the video was taken down."""
    rows = tx.all(_BY_SHA256, sha256=sha256) or tx.all(_BY_MARKED, sha256=sha256)
    return [(Delivered(*row[:-1]), row[-1] == 1) for row in rows]


def find_by_manifest(tx: Tx, manifest_id: str) -> tuple[Delivered, bool] | None:
    """The delivery that a manifest is about, with whether the video was taken down; None where there is none."""
    row = tx.one(_BY_MANIFEST, manifest_id=manifest_id)
    return None if row is None else (Delivered(*row[:-1]), row[-1] == 1)
