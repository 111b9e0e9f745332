"""Top-ups whose coins are to become gift cards, and what became of each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import cards
from shoutgraph.domain.cards import Kept, Purchase, PurchaseState
from shoutgraph.domain.topups.topup import Status
from shoutgraph.storage import columns, topups
from shoutgraph.storage.columns import Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

EXPORTED_MAX: Final = 10_000
"""The most purchases of one user that are exported."""


class PurchaseRow(SQLModel, table=True):
    """A card that is to be made when its top-up is paid."""

    __tablename__: ClassVar[str] = "card_purchase"
    __table_args__ = (
        sa.CheckConstraint(f"length(message) BETWEEN 1 AND {cards.MESSAGE_CHARS_MAX}", name="card_purchase_message"),
        sa.CheckConstraint(f"length(recipient_name) BETWEEN 1 AND {cards.NAME_CHARS_MAX}", name="card_purchase_name"),
        sa.CheckConstraint("(state = 'ISSUED') = (card_id IS NOT NULL)", name="card_purchase_issued"),
        sa.CheckConstraint("(state = 'KEPT') = (kept IS NOT NULL)", name="card_purchase_kept"),
        sa.CheckConstraint("(state = 'WAITING') = (decided_at IS NULL)", name="card_purchase_decided"),
        one_of("state", PurchaseState),
        one_of("kept", Kept),
        sa.Index("card_purchase_buyer", "buyer_id", "state"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    topup_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("topup.id"), primary_key=True, nullable=False))
    buyer_id: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Micros)
    message: str | None = Field(sa_type=Text)
    recipient_name: str | None = Field(sa_type=Text)
    state: PurchaseState = Field(sa_type=Words(PurchaseState))
    card_id: str | None = Field(sa_column=sa.Column(Text, sa.ForeignKey("gift_card.id"), unique=True))
    kept: Kept | None = Field(sa_type=Words(Kept))
    decided_at: datetime | None = Field(sa_type=Micros)


_T: Final = columns.table_of(PurchaseRow)
_TOPUP: Final = columns.table_of(topups.TopupRow)
_NAMES: Final = tuple(column.name for column in _T.c)


def insert(tx: Tx, purchase: Purchase) -> None:
    """Stores what a new top-up is for."""
    tx.run(_INSERT, **{name: getattr(purchase, name) for name in _NAMES})


def decide(tx: Tx, purchase: Purchase) -> None:
    """Stores what became of it, once; whoever does holds the top-up. The words are with the card from now on."""
    to, card_id, kept, at = purchase.state, purchase.card_id, purchase.kept, purchase.decided_at
    changed = tx.run(_DECIDE, of=purchase.topup_id, to=to, card_id=card_id, because=kept, at=at)
    assert changed == 1, "a card is bought once"


def find(tx: Tx, topup_id: str) -> Purchase | None:
    """What a top-up is for besides the wallet, or None. Whoever decides upon it holds the top-up."""
    return list_of(tx, [topup_id])[0]


def list_of(tx: Tx, topup_ids: Sequence[str]) -> list[Purchase | None]:
    """What top-ups are for in the order asked, None where it is the wallet."""
    found = {row[0]: Purchase(*row) for row in tx.all(_LIST, ids=list(topup_ids))}
    return [found.get(topup_id) for topup_id in topup_ids]


def count_of_waiting(tx: Tx, buyer_id: str) -> int:
    """How many cards of a buyer are still to be made, of purchases that have not failed."""
    row = tx.one(_WAITING, buyer_id=buyer_id)
    assert row is not None, "an aggregate has one row"
    return row[0]


def export_of_user(tx: Tx, user_id: str) -> list[dict[str, object]]:
    """The cards that somebody wanted to buy, as plain values."""
    found = (Purchase(*row) for row in tx.all(_OF_BUYER, buyer_id=user_id, size=EXPORTED_MAX))
    return [
        {
            "topup_id": each.topup_id,
            "state": each.state.value,
            "card_id": each.card_id,
            "message": each.message,
            "recipient_name": each.recipient_name,
        }
        for each in found
    ]


def erase_of_user(tx: Tx, user_id: str) -> None:
    """Blanks the words of somebody's purchases."""
    tx.run(_BLANK, of=user_id)


def _waiting() -> sa.ClauseElement:
    failed: sa.ColumnElement[Any] = sa.literal_column(f"'{Status.FAILED}'")
    return (
        sa.select(sa.func.count())
        .select_from(_T)
        .join(_TOPUP, _TOPUP.c.id == _T.c.topup_id)
        .where(_T.c.buyer_id == sa.bindparam("buyer_id"), _IS_WAITING, _TOPUP.c.status != failed)
    )


_IS_WAITING: Final = _T.c.state == sa.literal_column(f"'{PurchaseState.WAITING}'")
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_DECIDE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.topup_id == sa.bindparam("of"), _IS_WAITING)
        .values(
            state=sa.bindparam("to"),
            card_id=sa.bindparam("card_id"),
            kept=sa.bindparam("because"),
            decided_at=sa.bindparam("at"),
            message=None,
            recipient_name=None,
        )
    )
)
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.topup_id, "ids")))
_WAITING: Final = Statement[tuple[int]](_waiting)
_OF_BUYER: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(_T.c.buyer_id == sa.bindparam("buyer_id"))
        .order_by(_T.c.topup_id)
        .limit(sa.bindparam("size"))
    )
)
_BLANK: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.buyer_id == sa.bindparam("of"), _T.c.message.is_not(None) | _T.c.recipient_name.is_not(None))
        .values(message=None, recipient_name=None)
    )
)
