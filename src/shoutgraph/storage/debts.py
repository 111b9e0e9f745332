"""Debts as the ledger has them, and what was written off of them. Units: coins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, ids, ledger, money, pages
from shoutgraph.domain.debts import EVIDENCE_CHARS_MAX, Debt, WriteOff, WriteOffState
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

EXPORTED_MAX: Final = 10_000
"""The most write-offs of one user that are exported."""


class WriteOffRow(SQLModel, table=True):
    """A write-off as it stands."""

    __tablename__: ClassVar[str] = "write_off"
    __table_args__ = (
        one_of("state", WriteOffState),
        sa.CheckConstraint(f"length(evidence) BETWEEN 1 AND {EVIDENCE_CHARS_MAX}", name="write_off_evidence"),
        sa.CheckConstraint("length(proposed_by) > 0 AND length(decided_by) > 0", name="write_off_named"),
        sa.CheckConstraint(f"coins BETWEEN 1 AND {money.AMOUNT_MAX}", name="write_off_coins"),
        sa.CheckConstraint("state <> 'DONE' OR decided_by <> proposed_by", name="write_off_two_people"),
        sa.CheckConstraint(
            "(state = 'PROPOSED') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="write_off_decided",
        ),
        sa.Index("write_off_user", "user_id", "id"),
        sa.Index("write_off_state", "state", "id"),
        sa.Index(
            "write_off_open",
            "user_id",
            unique=True,
            sqlite_where=sa.text("state = 'PROPOSED'"),
            postgresql_where=sa.text("state = 'PROPOSED'"),
        ),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_column=sa.Column(Text, primary_key=True, nullable=False))
    user_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("users.id"), nullable=False))
    state: WriteOffState = Field(sa_type=Words(WriteOffState))
    coins: int = Field(sa_type=Integer)
    evidence: str | None = Field(sa_type=Text)
    proposed_by: str = Field(sa_type=Text)
    proposed_at: datetime = Field(sa_type=Micros)
    decided_by: str | None = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=Micros)


_T: Final = columns.table_of(WriteOffRow)
_NAMES: Final = tuple(column.name for column in _T.c)
_ACCOUNT: Final = sa.table(
    "account",
    *(sa.column(name, Integer) for name in ("id", "floor", "debits", "credits")),
    *(sa.column(name, Text) for name in ("code", "asset")),
)
_PREFIX: Final = "user:"
_SUFFIX: Final = ":debt"


def insert(tx: Tx, write_off: WriteOff) -> None:
    """Stores what somebody proposed."""
    tx.run(_INSERT, **{name: getattr(write_off, name) for name in _NAMES})


def decide(tx: Tx, write_off: WriteOff) -> None:
    """Stores what was decided, in the unit of work that posts it."""
    by, at = write_off.decided_by, write_off.decided_at
    changed = tx.run(_DECIDE, of=write_off.id, state=write_off.state, by=by, at=at)
    assert changed == 1, "a write-off is decided once"


def get(tx: Tx, write_off_id: str) -> WriteOff:
    """A write-off. A unit of work that writes holds it from now on; its user comes first.

    Raises:
        NotFoundError: there is no such write-off.
    """
    row = tx.one(_GET, id=write_off_id)
    if row is None:
        raise errors.NotFoundError("There is no such write-off.", path=("input", "writeOffId"))
    return WriteOff(*row)


def list_of_open(tx: Tx, user_ids: Sequence[str]) -> dict[str, WriteOff]:
    """What is proposed to be written off for these users."""
    return {row[1]: WriteOff(*row) for row in tx.all(_OPEN, user_ids=list(user_ids))}


def list_of_debts(tx: Tx, args: pages.PageArgs) -> list[Debt]:
    """Up to one debt more than the page holds, the newest debtors first, in the direction asked. The key is `(place,)`.

    Whoever never had a charge-back has no account of debts; whoever owes nothing any more is left out.
    """
    edge = 0 if args.backward else _LAST
    key = edge if args.key is None else args.key[0]
    rows = tx.all(_DEBTS_BACK if args.backward else _DEBTS, key=key, size=args.size + 1)
    return [Debt(place, _user_of(code), coins) for place, code, coins in rows]


def erase_of_user(tx: Tx, user_id: ids.UserId) -> None:
    """Blanks what staff wrote about a user's debts; what was written off stays."""
    tx.run(_BLANK, user_id=user_id)


def export_of_user(tx: Tx, user_id: ids.UserId) -> list[dict[str, object]]:
    """What was proposed to be written off for a user, as plain values."""
    found = (WriteOff(*row) for row in tx.all(_OF_USER, user_id=user_id, size=EXPORTED_MAX))
    return [
        {
            "id": each.id,
            "status": each.state.value,
            "coins": each.coins,
            "evidence": each.evidence,
            "at": each.proposed_at.isoformat(),
        }
        for each in found
    ]


def _user_of(code: str) -> ids.UserId:
    return ids.UserId(code.removeprefix(_PREFIX).removesuffix(_SUFFIX))


def _debts(*, backward: bool) -> sa.ClauseElement:
    place, key = _ACCOUNT.c.id, sa.bindparam("key", type_=Integer)
    return (
        sa.select(place, _ACCOUNT.c.code, _ACCOUNT.c.debits - _ACCOUNT.c.credits)
        .where(
            _ACCOUNT.c.asset == sa.literal_column(f"'{ledger.COIN}'"),
            _ACCOUNT.c.floor == sa.literal_column("-1"),
            place > key if backward else place < key,
            _ACCOUNT.c.debits > _ACCOUNT.c.credits,
        )
        .order_by(place.asc() if backward else place.desc())
        .limit(sa.bindparam("size"))
    )


_LAST: Final = 2**63 - 1
_PROPOSED: Final[sa.ColumnElement[Any]] = sa.literal_column(f"'{WriteOffState.PROPOSED}'")
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_DECIDE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"))
        .values(state=sa.bindparam("state"), decided_by=sa.bindparam("by"), decided_at=sa.bindparam("at"))
    )
)
_GET: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.id == sa.bindparam("id")), holds=_T)
_OPEN: Final = Statement[Any](
    lambda: sa.select(*_T.c).where(columns.any_of(_T.c.user_id, "user_ids"), _T.c.state == _PROPOSED)
)
_OF_USER: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c).where(_T.c.user_id == sa.bindparam("user_id")).order_by(_T.c.id).limit(sa.bindparam("size"))
    )
)
_BLANK: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.user_id == sa.bindparam("user_id"), _T.c.evidence.is_not(None))
        .values(evidence=sa.null())
    )
)
_DEBTS: Final = Statement[tuple[int, str, int]](lambda: _debts(backward=False))
_DEBTS_BACK: Final = Statement[tuple[int, str, int]](lambda: _debts(backward=True))
