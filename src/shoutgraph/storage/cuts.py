"""What a creator ticked when they handed a video in, and what they said of the rest. One row for each video."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain.orders.checklist import Ticks
from shoutgraph.domain.orders.order import NOTE_CHARS_MAX
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Statement, upsert
from shoutgraph.storage.tx import Tx


class CutRow(SQLModel, table=True):
    """A video as it was handed in. The note is personal, and is blanked without touching the rest."""

    __tablename__: ClassVar[str] = "cut"
    __table_args__ = (
        sa.CheckConstraint(f"length(note) BETWEEN 1 AND {NOTE_CHARS_MAX}", name="cut_note"),
        {"sqlite_strict": True},
    )
    video_id: str = Field(sa_column=sa.Column(columns.Text, sa.ForeignKey("video.id"), primary_key=True))
    order_id: str = Field(sa_column=sa.Column(columns.Text, sa.ForeignKey("orders.id"), nullable=False, index=True))
    ticked: Any = Field(sa_column=sa.Column(columns.JsonText, nullable=False))
    note: str | None = Field(sa_column=sa.Column(columns.Text))


_T = columns.table_of(CutRow)
_PUT: Final = Statement[Any](lambda: upsert(_T, "video_id"))
_LIST: Final = Statement[tuple[str, list[str], str | None]](
    lambda: sa.select(_T.c.video_id, _T.c.ticked, _T.c.note).where(columns.any_of(_T.c.video_id, "video_ids"))
)


def put(tx: Tx, order_id: str, video_id: str, ticks: Ticks) -> None:
    """Keeps what was ticked for a video; a video that is handed in again is ticked anew."""
    tx.put(_PUT, video_id=video_id, order_id=order_id, ticked=list(ticks.ticked), note=ticks.note)


def list_of_videos(tx: Tx, video_ids: Sequence[str]) -> dict[str, Ticks]:
    """What was ticked for videos, by their ids; nothing for those handed in without."""
    return {row[0]: Ticks(tuple(row[1]), row[2]) for row in tx.all(_LIST, video_ids=list(video_ids))}
