"""What lapsed of lots, as which lots it came back, and what that is in all. Units: coins.

It is in the books at COMMIT: `booked` and `returned` with the lot name the transfers. Triggers write the totals.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain.dormancy import RETURNED, TAKEN, Lapse
from shoutgraph.domain.lapse_rules import LapseOutcome
from shoutgraph.domain.ledger import COIN
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

OF_USER_MAX: Final = 1_000
"""The most rows of one person that are read at once."""


class LapseRow(SQLModel, table=True):
    """What lapsed of one lot, once; and the lot as which it came back."""

    __tablename__: ClassVar[str] = "lapse"
    __table_args__ = (
        one_of("outcome", LapseOutcome),
        sa.CheckConstraint("coins > 0", name="lapse_coins"),
        sa.CheckConstraint(f"booked = '{TAKEN}'", name="lapse_booked"),
        sa.CheckConstraint(
            f"(returned IS NULL) = (returned_at IS NULL) AND (returned IS NULL) = (fresh_lot_id IS NULL)"
            f" AND returned = '{RETURNED}'",
            name="lapse_returned",
        ),
        sa.ForeignKeyConstraint(
            ["booked", "lot_id"],
            ["transfer.kind", "transfer.ref"],
            name="lapse_in_books",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.ForeignKeyConstraint(
            ["returned", "lot_id"],
            ["transfer.kind", "transfer.ref"],
            name="lapse_back_in_books",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.Index("lapse_user", "user_id", "lot_id"),
        {"sqlite_strict": True},
    )
    lot_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("lot.id"), primary_key=True, nullable=False))
    dormancy_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("dormancy.id"), nullable=False))
    user_id: str = Field(sa_type=Text)
    outcome: LapseOutcome = Field(sa_type=Words(LapseOutcome))
    coins: int = Field(sa_type=Integer)
    at: datetime = Field(sa_type=Micros)
    returned_at: datetime | None = Field(sa_type=Micros)
    fresh_lot_id: str | None = Field(sa_column=sa.Column(Text, unique=True, nullable=True))
    booked: str = Field(sa_type=Text)
    returned: str | None = Field(sa_type=Text)


class LapseTotalRow(SQLModel, table=True):
    """What lapsed with one outcome and came back; written by the triggers of lapses alone."""

    __tablename__: ClassVar[str] = "lapse_total"
    __table_args__ = (
        one_of("outcome", LapseOutcome),
        sa.CheckConstraint(
            "lots > 0 AND coins >= lots AND returned_coins BETWEEN 0 AND coins", name="lapse_total_counts"
        ),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    outcome: LapseOutcome = Field(sa_type=Words(LapseOutcome), primary_key=True)
    lots: int = Field(sa_type=Integer)
    coins: int = Field(sa_type=Integer)
    returned_coins: int = Field(sa_type=Integer)


_L: Final = columns.table_of(LapseRow)
_TOTAL: Final = columns.table_of(LapseTotalRow)
_LAPSE: Final = tuple(_L.c[name] for name in Lapse.__dataclass_fields__)


def insert(tx: Tx, lapse: Lapse) -> None:
    """Stores what lapsed of a lot, in the unit of work that posts it."""
    values = {name: getattr(lapse, name) for name in Lapse.__dataclass_fields__}
    tx.run(_INSERT, booked=TAKEN, returned=None, **values)


def give_back(tx: Tx, lapse: Lapse) -> None:
    """Stores as which lot it came back, in the unit of work that posts it."""
    changed = tx.run(_GIVE_BACK, of=lapse.lot_id, at=lapse.returned_at, fresh=lapse.fresh_lot_id, how=RETURNED)
    assert changed == 1, "what lapsed comes back once"


def list_lapsed_of(tx: Tx, lot_ids: Sequence[str]) -> list[Lapse]:
    """What lapsed of these lots and has not come back. A unit of work that writes holds it."""
    return [Lapse(*row) for row in tx.all(_LAPSED, ids=list(lot_ids))] if lot_ids else []


def ever_lapsed(tx: Tx, lot_ids: Sequence[str]) -> frozenset[str]:
    """Which of these lots have lapsed before."""
    return frozenset(row[0] for row in tx.all(_EVER, ids=list(lot_ids))) if lot_ids else frozenset()


def list_unclaimed(tx: Tx, user_id: str) -> list[Lapse]:
    """What lapsed, is kept for its owner and has not come back. A unit of work that writes holds it."""
    return [Lapse(*row) for row in tx.all(_UNCLAIMED, user_id=user_id)]


def sums_of_unclaimed(tx: Tx, user_ids: Sequence[str]) -> dict[str, int]:
    """How many coins are kept for users."""
    return dict(tx.all(_UNCLAIMED_SUMS, ids=list(user_ids)))


def list_of_totals(tx: Tx) -> list[tuple[LapseOutcome, int, int, int]]:
    """Of each outcome how many lots and coins lapsed, and how many of the coins came back."""
    return tx.all(_TOTALS, outcomes=list(LapseOutcome))


def unlike_postings() -> sa.Select[Any]:
    """Lots of which something else lapsed or came back than was posted, or with another outcome."""
    transfer, posting, account, move = (
        sa.table(name, *(sa.column(column) for column in names))
        for name, names in (
            ("transfer", ("id", "kind", "ref")),
            ("posting", ("transfer_id", "debit_id", "credit_id", "asset")),
            ("account", ("id", "code")),
            ("lot_move", ("transfer_id", "lot_id", "coins")),
        )
    )
    taken = transfer.c.kind == sa.literal(TAKEN)
    place = sa.case((taken, posting.c.credit_id), else_=posting.c.debit_id)
    owed = sa.func.substr(account.c.code, 1, len("liab:unclaimed:")) == sa.literal("liab:unclaimed:")
    outcome = sa.case((owed, sa.literal(LapseOutcome.UNCLAIMED.value)), else_=sa.literal(LapseOutcome.INCOME.value))
    posted = (
        sa.select(
            transfer.c.ref.label("of"),
            transfer.c.kind,
            move.c.lot_id.label("lot"),
            outcome.label("outcome"),
            move.c.coins.label("coins"),
        )
        .join_from(transfer, move, move.c.transfer_id == transfer.c.id)
        .join(posting, (posting.c.transfer_id == transfer.c.id) & (posting.c.asset != sa.literal(COIN)))
        .join(account, account.c.id == place)
        .where(sa.or_(taken, transfer.c.kind == sa.literal(RETURNED)))
    )
    kept = sa.cast(_L.c.outcome, sa.Text)
    gone = sa.select(_L.c.lot_id, sa.literal(TAKEN), _L.c.lot_id, kept, _L.c.coins)
    back = sa.select(_L.c.lot_id, sa.literal(RETURNED), _L.c.fresh_lot_id, kept, -_L.c.coins)
    sides = sa.union_all(posted, gone, back.where(_L.c.returned.is_not(None))).subquery("sides")
    keys = (sides.c.of, sides.c.kind, sides.c.lot, sides.c.outcome)
    return sa.select(*keys, sa.func.sum(sides.c.coins)).group_by(*keys).having(sa.func.sum(sides.c.coins) != 0)


def wrong_totals() -> sa.Select[Any]:
    """The totals that are not the sum of what lapsed, for the proof: what is kept, and what lapsed."""
    none, one = (sa.literal_column(each, Integer) for each in "01")
    back = sa.case((_L.c.returned.is_not(None), _L.c.coins), else_=none)
    rows = sa.select(
        sa.cast(_L.c.outcome, sa.Text).label("outcome"), none.label("kept_lots"), one.label("lots"),
        none.label("kept"), _L.c.coins.label("coins"), none.label("kept_back"), back.label("back"),
    )  # fmt: skip
    kept = sa.select(
        sa.cast(_TOTAL.c.outcome, sa.Text), _TOTAL.c.lots, none, _TOTAL.c.coins, none, _TOTAL.c.returned_coins, none
    )
    both = sa.union_all(rows, kept).subquery()
    sums = [sa.func.sum(both.c[name]) for name in ("kept_lots", "lots", "kept", "coins", "kept_back", "back")]
    differ = [kept != counted for kept, counted in zip(sums[::2], sums[1::2], strict=True)]
    return sa.select(both.c.outcome, *sums).group_by(both.c.outcome).having(sa.or_(*differ))


_INSERT: Final = Statement[Any](lambda: sa.insert(_L).values({c.name: sa.bindparam(c.name) for c in _L.c}))
_GIVE_BACK: Final = Statement[Any](
    lambda: (
        sa.update(_L)
        .where(_L.c.lot_id == sa.bindparam("of"), _L.c.returned.is_(None))
        .values(returned=sa.bindparam("how"), returned_at=sa.bindparam("at"), fresh_lot_id=sa.bindparam("fresh"))
    )
)
_LAPSED: Final = Statement[Any](
    lambda: (
        sa.select(*_LAPSE)
        .where(columns.any_of(_L.c.lot_id, "ids"), _L.c.returned.is_(None))
        .order_by(_L.c.lot_id)
        .limit(OF_USER_MAX)
    ),
    holds=_L,
)
_EVER: Final = Statement[tuple[str]](lambda: sa.select(_L.c.lot_id).where(columns.any_of(_L.c.lot_id, "ids")))
_KEPT_FOR: Final = sa.and_(_L.c.outcome == sa.literal_column(f"'{LapseOutcome.UNCLAIMED}'"), _L.c.returned.is_(None))
_UNCLAIMED: Final = Statement[Any](
    lambda: (
        sa.select(*_LAPSE)
        .where(_L.c.user_id == sa.bindparam("user_id"), _KEPT_FOR)
        .order_by(_L.c.lot_id)
        .limit(OF_USER_MAX)
    ),
    holds=_L,
)
_UNCLAIMED_SUMS: Final = Statement[tuple[str, int]](
    lambda: (
        sa.select(_L.c.user_id, sa.cast(sa.func.sum(_L.c.coins), Integer))
        .where(columns.any_of(_L.c.user_id, "ids"), _KEPT_FOR)
        .group_by(_L.c.user_id)
    )
)
_TOTALS: Final = Statement[tuple[LapseOutcome, int, int, int]](
    lambda: sa.select(*_TOTAL.c).where(columns.any_of(_TOTAL.c.outcome, "outcomes")).order_by(_TOTAL.c.outcome)
)
