"""Recipients: where the money of creators goes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, ids
from shoutgraph.domain.recipients import RECIPIENTS_MAX, Recipient, RecipientState
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class RecipientRow(SQLModel, table=True):
    """Where a creator's money goes. `ref` is personal data; erasing it keeps the row."""

    __tablename__ = "payout_recipient"
    __table_args__ = (
        one_of("state", RecipientState),
        sa.Index("payout_recipient_creator", "creator_id", "id"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    creator_id: str = Field(sa_type=Text)
    instance: str = Field(sa_type=Text)
    label: str = Field(sa_type=Text)
    ref: str = Field(sa_type=Text)
    state: RecipientState = Field(sa_type=Words(RecipientState))
    created_at: datetime = Field(sa_type=Micros)


_R: Final = columns.table_of(RecipientRow)


def insert(tx: Tx, recipient: Recipient) -> None:
    """Stores a new recipient."""
    tx.put(_INSERT, **{column.name: getattr(recipient, column.name) for column in _R.c})


def get(tx: Tx, recipient_id: str, creator_id: ids.CreatorId) -> Recipient:
    """A recipient of this creator.

    Raises:
        NotFoundError: there is no such recipient of this creator.
    """
    (found,) = list_of(tx, [recipient_id])
    if found is None or found.creator_id != creator_id:
        raise errors.NotFoundError("There is no such recipient.", path=("input", "recipientId"))
    return found


def list_of_creator(tx: Tx, creator_id: ids.CreatorId) -> tuple[Recipient, ...]:
    """A creator's recipients, the newest first."""
    return tuple(Recipient(*row) for row in tx.all(_OF_CREATOR, creator_id=creator_id))


def list_of(tx: Tx, recipient_ids: Sequence[str]) -> list[Recipient | None]:
    """Recipients in the order asked, None where there is none."""
    found = {row[0]: Recipient(*row) for row in tx.all(_LIST, ids=list(recipient_ids))}
    return [found.get(recipient_id) for recipient_id in recipient_ids]


_INSERT: Final = Statement[Any](lambda: sa.insert(_R).values({c.name: sa.bindparam(c.name) for c in _R.c}))
_OF_CREATOR: Final = Statement[Any](
    lambda: (
        sa.select(*_R.c)
        .where(_R.c.creator_id == sa.bindparam("creator_id"))
        .order_by(_R.c.id.desc())
        .limit(RECIPIENTS_MAX)
    )
)
_LIST: Final = Statement[Any](lambda: sa.select(*_R.c).where(columns.any_of(_R.c.id, "ids")))
