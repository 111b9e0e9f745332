"""Attachments of orders: voice notes and evidence, with their life and what was measured. The bytes are in `files`.

A file is personal: who is erased has their files refused, after which the bytes go and the row says nothing of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, ids, media
from shoutgraph.domain.attachments import Attachment, Purpose
from shoutgraph.domain.orders.order import Side
from shoutgraph.storage import columns, uploads
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx
from shoutgraph.storage.uploads import Uploads

ERASED: Final = media.Rejection(media.RejectionCode.TAKEN_DOWN, "This file was taken away.")

_OPEN: Final = "state IN ('UPLOADING', 'CHECKING')"
_DISCARD: Final = "state = 'REJECTED' AND stored = 1"


class AttachmentRow(SQLModel, table=True):
    """One file that a side added to an order. `used_revision` is the order's that made it part of the order."""

    __tablename__: ClassVar[str] = "attachment"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        columns.one_of("purpose", Purpose),
        columns.one_of("side", Side),
        columns.one_of("state", media.VideoState),
        columns.one_of("rejection_code", media.RejectionCode),
        columns.truth("stored"),
        sa.CheckConstraint("size_bytes BETWEEN 1 AND size_bytes_max", name="attachment_size"),
        sa.CheckConstraint("(state = 'REJECTED') = (rejection_code IS NOT NULL)", name="attachment_rejection"),
        sa.CheckConstraint(
            "(state = 'READY') <= (container IS NOT NULL AND sha256 IS NOT NULL)", name="attachment_facts"
        ),
        sa.Index("attachment_order", "order_id"),
        sa.Index("attachment_uploader", "uploader_id"),
        columns.partial_index("attachment_open", "state", "id", where=_OPEN),
        columns.partial_index("attachment_discard", "id", where=_DISCARD),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_column=sa.Column(columns.Text, primary_key=True, nullable=False))
    order_id: str = Field(sa_column=sa.Column(columns.Text, sa.ForeignKey("orders.id"), nullable=False))
    purpose: Purpose = Field(sa_column=sa.Column(columns.Words(Purpose), nullable=False))
    uploader_id: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    side: Side = Field(sa_column=sa.Column(columns.Words(Side), nullable=False))
    used_revision: int | None = Field(sa_column=sa.Column(columns.Integer))
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


_T: Final = columns.table_of(AttachmentRow)
_OWN: Final = ("purpose", "uploader_id", "side", "used_revision")


def _attachment(of: Mapping[str, Any]) -> Attachment:
    return Attachment(
        id=ids.VideoId(of["id"]),
        order_id=ids.OrderId(of["order_id"]),
        creator_id=ids.CreatorId(""),
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
        **{name: of[name] for name in _OWN},
    )


def _values_of(attachment: Attachment) -> dict[str, object]:
    return uploads.values_of(attachment) | {name: getattr(attachment, name) for name in _OWN}


UPLOADS: Final = Uploads[Attachment](_T, noun="attachment", read=_attachment, write=_values_of)
"""The life of attachments."""

_OF_IDS: Final = Statement[Any](lambda: sa.select(*UPLOADS.values).where(columns.any_of(_T.c.id, "ids")))
_USED: Final = Statement[Any](
    lambda: (
        sa.select(*UPLOADS.values)
        .where(
            columns.any_of(_T.c.order_id, "order_ids"),
            _T.c.purpose == sa.bindparam("purpose", type_=_T.c.purpose.type),
            _T.c.state == media.VideoState.READY,
            _T.c.used_revision.is_not(None),
        )
        .order_by(_T.c.order_id, _T.c.used_revision, _T.c.id)
    )
)
_COUNT: Final = Statement[tuple[int]](
    lambda: (
        sa.select(sa.func.count())
        .select_from(_T)
        .where(
            _T.c.order_id == sa.bindparam("order_id"),
            _T.c.uploader_id == sa.bindparam("uploader_id"),
            _T.c.purpose == sa.bindparam("purpose", type_=_T.c.purpose.type),
            _T.c.state != media.VideoState.REJECTED,
        )
    )
)
_USE: Final = Statement[Any](
    lambda: sa.update(_T).where(_T.c.id == sa.bindparam("row_id")).values(used_revision=sa.bindparam("used_revision"))
)


def insert(tx: Tx, attachment: Attachment, *, most: int) -> None:
    """Adds a file that waits for its bytes; whoever does holds its order, so that the count stays true.

    Raises:
        LimitExceededError: this side has as many files of this purpose as it may.
    """
    of = {"order_id": attachment.order_id, "uploader_id": attachment.uploader_id, "purpose": attachment.purpose}
    row = tx.one(_COUNT, **of)
    if row is not None and row[0] >= most:
        msg = f"You have added {most} files of this kind to this order, as many as one may."
        raise errors.LimitExceededError(msg, code="ATTACHMENTS_MAX", limit=most, path=("input", "orderId"))
    UPLOADS.insert(tx, attachment)


def get(tx: Tx, attachment_id: str) -> Attachment:
    """The attachment. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is none.
    """
    return UPLOADS.get(tx, attachment_id)


def use(tx: Tx, attachment: Attachment, *, revision: int) -> None:
    """Makes a file part of its order by this revision."""
    tx.run(_USE, row_id=attachment.id, used_revision=revision)


def take_away(tx: Tx, attachment: Attachment) -> None:
    """Refuses a file from now on: its bytes are removed soon, and the row says nothing of them."""
    if attachment.state is media.VideoState.REJECTED:
        return
    away = replace(attachment, state=media.VideoState.REJECTED, rejection=ERASED, checked_at=tx.now)
    UPLOADS.save(tx, replace(away, facts=None, sha256=None), was=attachment.state)


def save(tx: Tx, attachment: Attachment, *, was: media.VideoState) -> None:
    """Stores what became of a file that was in this state, and ends any lease on it."""
    UPLOADS.save(tx, attachment, was=was)


def list_of_ids(tx: Tx, attachment_ids: Sequence[str]) -> dict[str, Attachment]:
    """The attachments with these ids, by id; those that do not exist are left out."""
    return {row[0]: UPLOADS.value(row) for row in tx.all(_OF_IDS, ids=list(attachment_ids))}


def list_of_orders(tx: Tx, order_ids: Sequence[str], purpose: Purpose) -> dict[str, list[Attachment]]:
    """What is part of each order for this purpose, the first used first."""
    found: dict[str, list[Attachment]] = {}
    for row in tx.all(_USED, order_ids=list(order_ids), purpose=purpose):
        attachment = UPLOADS.value(row)
        found.setdefault(attachment.order_id, []).append(attachment)
    return found
