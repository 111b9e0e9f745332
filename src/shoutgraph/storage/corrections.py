"""Corrections of the books that two people agreed on, leg by leg. Units: coins for `COIN`, book units for money."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, ids, money, pages
from shoutgraph.domain.corrections import (
    CASE_CHARS_MAX,
    KIND,
    LEGS_MAX,
    REASON_CHARS_MAX,
    Correction,
    CorrectionState,
    Leg,
)
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words, one_of
from shoutgraph.storage.state_pages import StatePages
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

ADJUSTABLE: Final = " AND ".join(
    f"({side} = 'mint' OR {side} LIKE 'user:%debt' OR {side} LIKE 'recv:users:%' OR {side} LIKE 'rev:%'"
    f" OR {side} LIKE 'liab:unclaimed:%' OR {side} LIKE 'exp:%' OR {side} LIKE 'cash:%' OR {side} LIKE 'fx:%'"
    f" OR {side} LIKE 'suspense:%')"
    for side in ("debit", "credit")
)
"""Only accounts that no other rows tell of."""


class CorrectionRow(SQLModel, table=True):
    """A correction as it stands. What is done is in the books at COMMIT: `booked` and `id` name its transfer."""

    __tablename__: ClassVar[str] = "ledger_adjustment"
    __table_args__ = (
        one_of("state", CorrectionState),
        sa.CheckConstraint(f"length(reason) BETWEEN 1 AND {REASON_CHARS_MAX}", name="ledger_adjustment_reason"),
        sa.CheckConstraint(f"length(case_reference) BETWEEN 1 AND {CASE_CHARS_MAX}", name="ledger_adjustment_case"),
        sa.CheckConstraint("par_units > 0", name="ledger_adjustment_par"),
        sa.CheckConstraint(f"leg_count BETWEEN 1 AND {LEGS_MAX}", name="ledger_adjustment_legs"),
        sa.CheckConstraint("length(proposed_by) > 0 AND length(decided_by) > 0", name="ledger_adjustment_named"),
        sa.CheckConstraint("state <> 'DONE' OR decided_by <> proposed_by", name="ledger_adjustment_two_people"),
        sa.CheckConstraint(
            "(state = 'PROPOSED') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="ledger_adjustment_decided",
        ),
        sa.CheckConstraint(
            f"(state = 'DONE') = (booked IS NOT NULL) AND booked = '{KIND}'", name="ledger_adjustment_booked"
        ),
        sa.ForeignKeyConstraint(
            ["booked", "id"],
            ["transfer.kind", "transfer.ref"],
            name="ledger_adjustment_in_books",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.Index("ledger_adjustment_state", "state", "id"),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_column=sa.Column(Text, primary_key=True, nullable=False))
    state: CorrectionState = Field(sa_type=Words(CorrectionState))
    reason: str = Field(sa_type=Text)
    case_reference: str = Field(sa_type=Text)
    par_units: int = Field(sa_type=Integer)
    leg_count: int = Field(sa_type=Integer)
    proposed_by: str = Field(sa_type=Text)
    proposed_at: datetime = Field(sa_type=Micros)
    decided_by: str | None = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=Micros)
    booked: str | None = Field(sa_type=Text)


class CorrectionLegRow(SQLModel, table=True):
    """One leg of a correction."""

    __tablename__: ClassVar[str] = "ledger_adjustment_leg"
    __table_args__ = (
        sa.CheckConstraint(f"amount BETWEEN 1 AND {money.AMOUNT_MAX}", name="ledger_adjustment_leg_amount"),
        sa.CheckConstraint("debit <> credit", name="ledger_adjustment_leg_two_sides"),
        sa.CheckConstraint(ADJUSTABLE, name="ledger_adjustment_leg_adjustable"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    adjustment_id: str = Field(
        sa_column=sa.Column(Text, sa.ForeignKey("ledger_adjustment.id"), primary_key=True, nullable=False)
    )
    place: int = Field(sa_column=sa.Column(Integer, primary_key=True, nullable=False, autoincrement=False))
    debit: str = Field(sa_type=Text)
    credit: str = Field(sa_type=Text)
    amount: int = Field(sa_type=Integer)


_T: Final = columns.table_of(CorrectionRow)
_L: Final = columns.table_of(CorrectionLegRow)
_NAMES: Final = tuple(column.name for column in _T.c)


def insert(tx: Tx, correction: Correction) -> None:
    """Stores what somebody proposed, with its legs."""
    assert correction.leg_count == len(correction.legs), "the legs are counted"
    tx.run(_INSERT, **{name: getattr(correction, name) for name in _NAMES})
    for place, leg in enumerate(correction.legs):
        tx.run(_LEG, of=correction.id, place=place, debit=leg.debit, credit=leg.credit, amount=leg.amount)


def decide(tx: Tx, correction: Correction) -> None:
    """Stores what was decided, in the unit of work that posts it: the database looks for the transfer at COMMIT."""
    changed = tx.run(
        _DECIDE,
        of=correction.id,
        state=correction.state,
        by=correction.decided_by,
        at=correction.decided_at,
        booked=correction.booked,
    )
    assert changed == 1, "a correction is decided once"


def get(tx: Tx, correction_id: str) -> Correction:
    """A correction with its legs. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is no such correction.
    """
    row = tx.one(_GET, id=correction_id)
    if row is None:
        raise errors.NotFoundError("There is no such adjustment.", path=("input", "ledgerAdjustmentId"))
    return _with_legs(tx, [Correction(*row)])[0]


def list_of_page(tx: Tx, args: pages.PageArgs, state: CorrectionState | None) -> list[Correction]:
    """Up to one correction more than the page holds, newest first, in the direction asked. The key is `(id,)`."""
    return _with_legs(tx, [Correction(*row) for row in _PAGES.rows(tx, args, state)])


def unlike_postings() -> sa.Select[Any]:
    """Corrections whose postings are not their legs, with how many there are of each."""
    transfer, posting, account = (
        sa.table(name, *(sa.column(column) for column in names))
        for name, names in (
            ("transfer", ("id", "kind", "ref")),
            ("posting", ("transfer_id", "debit_id", "credit_id", "amount")),
            ("account", ("id", "code")),
        )
    )
    debit, credit = account.alias("debited"), account.alias("credited")
    posted = (
        sa.select(transfer.c.ref, debit.c.code.label("debit"), credit.c.code.label("credit"), posting.c.amount)
        .join_from(posting, transfer, transfer.c.id == posting.c.transfer_id)
        .join(debit, debit.c.id == posting.c.debit_id)
        .join(credit, credit.c.id == posting.c.credit_id)
        .where(transfer.c.kind == sa.literal_column(f"'{KIND}'"))
    )
    agreed = (
        sa.select(_L.c.adjustment_id, _L.c.debit, _L.c.credit, _L.c.amount)
        .join_from(_L, _T, _T.c.id == _L.c.adjustment_id)
        .where(_T.c.booked.is_not(None))
    )
    sides = sa.union_all(
        posted.add_columns(sa.literal(1).label("side")), agreed.add_columns(sa.literal(-1).label("side"))
    ).subquery()
    keys = (sides.c.ref, sides.c.debit, sides.c.credit, sides.c.amount)
    return sa.select(*keys).group_by(*keys).having(sa.func.sum(sides.c.side) != 0)


def _with_legs(tx: Tx, found: Sequence[Correction]) -> list[Correction]:
    legs: dict[str, tuple[Leg, ...]] = {}
    size = LEGS_MAX * len(found)
    for of, debit, credit, amount in tx.all(_LEGS, ids=[each.id for each in found], size=size):
        legs[of] = (*legs.get(of, ()), Leg(debit, credit, amount))
    return [replace(each, legs=legs.get(each.id, ())) for each in found]


_PAGES: Final = StatePages(_T, ids.LEDGER_ADJUSTMENT)
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_LEG: Final = Statement[Any](
    lambda: sa.insert(_L).values(
        adjustment_id=sa.bindparam("of"),
        place=sa.bindparam("place"),
        debit=sa.bindparam("debit"),
        credit=sa.bindparam("credit"),
        amount=sa.bindparam("amount"),
    )
)
_DECIDE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"))
        .values(
            state=sa.bindparam("state"),
            decided_by=sa.bindparam("by"),
            decided_at=sa.bindparam("at"),
            booked=sa.bindparam("booked"),
        )
    )
)
_GET: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.id == sa.bindparam("id")), holds=_T)
_LEGS: Final = Statement[tuple[str, str, str, int]](
    lambda: (
        sa.select(_L.c.adjustment_id, _L.c.debit, _L.c.credit, _L.c.amount)
        .where(columns.any_of(_L.c.adjustment_id, "ids"))
        .order_by(_L.c.adjustment_id, _L.c.place)
        .limit(sa.bindparam("size"))
    )
)
