"""The consents by which fans waived their right to withdraw: written with the purchase, and never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import ids
from shoutgraph.domain.topups.withdrawal import TEXT_VERSION_CHARS_MAX, Waiver
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

EXPORTED_MAX: Final = 10_000
"""The most waivers of one user that are exported."""


class WaiverRow(SQLModel, table=True):
    """The consents of one purchase."""

    __tablename__: ClassVar[str] = "topup_waiver"
    __table_args__ = (
        sa.CheckConstraint(
            f"length(text_version) BETWEEN 1 AND {TEXT_VERSION_CHARS_MAX}", name="topup_waiver_text_version"
        ),
        sa.Index("topup_waiver_user", "user_id"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    topup_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("topup.id"), primary_key=True, nullable=False))
    user_id: str = Field(sa_type=Text)
    text_version: str = Field(sa_type=Text)
    policy_version: int = Field(sa_type=Integer)
    begins_at: datetime = Field(sa_type=Micros)
    loses_at: datetime = Field(sa_type=Micros)


_T: Final = columns.table_of(WaiverRow)
_NAMES: Final = tuple(column.name for column in _T.c)


def insert(tx: Tx, waiver: Waiver) -> None:
    """Stores the consents of a purchase."""
    tx.put(_INSERT, **{name: getattr(waiver, name) for name in _NAMES})


def find(tx: Tx, topup_id: str) -> Waiver | None:
    """The consents of a purchase, or None."""
    return list_of(tx, [topup_id])[0]


def list_of(tx: Tx, topup_ids: Sequence[str]) -> list[Waiver | None]:
    """The consents of purchases in the order asked, None where there are none."""
    found = {row[0]: Waiver(*row) for row in tx.all(_LIST, ids=list(topup_ids))}
    return [found.get(topup_id) for topup_id in topup_ids]


def export_of_user(tx: Tx, user_id: ids.UserId) -> list[dict[str, object]]:
    """What a fan consented to, as plain values. They stay after an erasure: they are its proof, and name nobody."""
    found = (Waiver(*row) for row in tx.all(_OF_USER, user_id=user_id, size=EXPORTED_MAX))
    return [
        {"topUpId": each.topup_id, "textVersion": each.text_version, "at": each.begins_at.isoformat()} for each in found
    ]


_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.topup_id, "ids")))
_OF_USER: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(_T.c.user_id == sa.bindparam("user_id"))
        .order_by(_T.c.topup_id)
        .limit(sa.bindparam("size"))
    )
)
