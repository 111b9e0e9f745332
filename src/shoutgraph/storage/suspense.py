"""Lines of providers that no transfer explains, open ones and what became of the others. Units: minor units, signed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import accounts, errors, ids, money, pages
from shoutgraph.domain.suspense import (
    ACCOUNT_CHARS_MAX,
    CLEARED,
    OPENED,
    PLACED,
    REASON_CHARS_MAX,
    UNEXPLAINED,
    Line,
    SuspenseState,
)
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words, one_of
from shoutgraph.storage.state_pages import StatePages
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

LINES_MAX: Final = 100
"""The most lines of one movement of money."""
ALERTS_MAX: Final = 100
"""The most lines of which people are told in one turn."""


class SuspenseRow(SQLModel, table=True):
    """One line. `opened` and `closed` with `id` name its transfers in the books, at COMMIT."""

    __tablename__: ClassVar[str] = "suspense_line"
    __table_args__ = (
        one_of("state", SuspenseState),
        sa.CheckConstraint(
            f"amount_minor <> 0 AND amount_minor BETWEEN -{money.AMOUNT_MAX} AND {money.AMOUNT_MAX}",
            name="suspense_line_amount",
        ),
        sa.CheckConstraint("revision > 0", name="suspense_line_revision"),
        sa.CheckConstraint(f"opened = '{OPENED}'", name="suspense_line_opened"),
        sa.CheckConstraint(
            "(state = 'PLACED') = (account IS NOT NULL AND decided_by IS NOT NULL)"
            " AND (state IN ('PROPOSED', 'PLACED')) = (account IS NOT NULL)"
            " AND (account IS NULL) = (reason IS NULL) AND (account IS NULL) = (proposed_by IS NULL)"
            " AND (account IS NULL) = (proposed_at IS NULL)",
            name="suspense_line_proposed",
        ),
        sa.CheckConstraint(f"length(account) BETWEEN 1 AND {ACCOUNT_CHARS_MAX}", name="suspense_line_account"),
        sa.CheckConstraint(f"length(reason) BETWEEN 1 AND {REASON_CHARS_MAX}", name="suspense_line_reason"),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="suspense_line_two_people"),
        sa.CheckConstraint(
            f"(state = 'PLACED') = (coalesce(closed, '') = '{PLACED}')"
            f" AND (state = 'CLEARED') = (coalesce(closed, '') = '{CLEARED}')"
            " AND (closed IS NULL) = (ended_at IS NULL)",
            name="suspense_line_closed",
        ),
        sa.UniqueConstraint("instance", "line_id", name="suspense_line_once"),
        sa.ForeignKeyConstraint(
            ["opened", "id"],
            ["transfer.kind", "transfer.ref"],
            name="suspense_line_in_books",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.ForeignKeyConstraint(
            ["closed", "id"],
            ["transfer.kind", "transfer.ref"],
            name="suspense_line_out_of_books",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.Index("suspense_line_state", "state", "id"),
        sa.Index("suspense_line_operation", "instance", "operation_id"),
        columns.partial_index("suspense_line_ref", "instance", "ref", where="ref IS NOT NULL"),
        columns.partial_index("suspense_line_unexplained", "found_at", where="ended_at IS NULL AND alerted_at IS NULL"),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_column=sa.Column(Text, primary_key=True, nullable=False))
    instance: str = Field(sa_type=Text)
    line_id: str = Field(sa_type=Text)
    operation_id: str = Field(sa_type=Text)
    ref: str | None = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Integer)
    currency: str = Field(sa_type=Text)
    made_at: datetime = Field(sa_type=Micros)
    found_at: datetime = Field(sa_type=Micros)
    state: SuspenseState = Field(sa_type=Words(SuspenseState))
    revision: int = Field(sa_type=Integer)
    account: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    proposed_by: str | None = Field(sa_type=Text)
    proposed_at: datetime | None = Field(sa_type=Micros)
    decided_by: str | None = Field(sa_type=Text)
    ended_at: datetime | None = Field(sa_type=Micros)
    alerted_at: datetime | None = Field(sa_type=Micros)
    opened: str = Field(sa_type=Text)
    closed: str | None = Field(sa_type=Text)


_T: Final = columns.table_of(SuspenseRow)
_NAMES: Final = tuple(column.name for column in _T.c if column.name not in {"opened", "closed"})
_COLUMNS: Final = tuple(_T.c[name] for name in _NAMES)
_CHANGING: Final = ("state", "revision", "account", "reason", "proposed_by", "proposed_at", "decided_by", "ended_at")
_CLOSED: Final = {SuspenseState.PLACED: PLACED, SuspenseState.CLEARED: CLEARED}


def insert(tx: Tx, line: Line) -> None:
    """Stores a line, in the unit of work that takes it into suspense."""
    tx.run(_INSERT, opened=OPENED, closed=None, **{name: getattr(line, name) for name in _NAMES})


def save(tx: Tx, line: Line) -> None:
    """Stores what became of a line that is held; its revision is one more than before."""
    given = {name: getattr(line, name) for name in _CHANGING}
    changed = tx.run(_SAVE, of=line.id, was=line.revision - 1, closed=_CLOSED.get(line.state), **given)
    assert changed == 1, "a line that is held changes as it was read"


def get(tx: Tx, suspense_id: str) -> Line:
    """A line. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is no such line.
    """
    row = tx.one(_GET, id=suspense_id)
    if row is None:
        raise errors.NotFoundError("There is no such line in suspense.", path=("input", "suspenseLineId"))
    return Line(*row)


def list_of_movement(tx: Tx, *, instance: str, operation_id: str, ref: str | None) -> list[Line]:
    """All lines about one movement of money, by our name of it or the provider's. They are held from now on."""
    return [Line(*row) for row in tx.all(_MOVEMENT, instance=instance, operation=operation_id, ref=ref, size=LINES_MAX)]


def list_of_page(tx: Tx, args: pages.PageArgs, state: SuspenseState | None) -> list[Line]:
    """Up to one line more than the page holds, newest first, in the direction asked. The key is `(id,)`."""
    return [Line(*row) for row in _PAGES.rows(tx, args, state)]


def list_of_aged(tx: Tx, until: datetime) -> list[Line]:
    """Some unexplained lines that were found up to a time, and of which nobody was told."""
    return [Line(*row) for row in tx.all(_AGED, until=until, size=ALERTS_MAX)]


def waiting(tx: Tx) -> tuple[int, datetime | None]:
    """How many lines are unexplained, and when the first of them was found."""
    (found,) = tx.all(_COUNTED)
    return found


def note_alert(tx: Tx, suspense_id: str) -> bool:
    """Notes that people were told; False where they were before, or it ended."""
    return tx.run(_ALERT, of=suspense_id, at=tx.now) == 1


def in_cash(tx: Tx) -> Sequence[tuple[str, str, int]]:
    """Per instance and currency: what the cash books carry at the provider because of lines. Units: minor units."""
    return tx.all(_IN_CASH)


def unlike_accounts() -> sa.Select[Any]:
    """Providers whose suspense account is not the sum of their unexplained lines. Units: book units."""
    account = sa.table("account", *(sa.column(name) for name in ("code", "credits", "debits")))
    prefix = accounts.suspense("", "").code.removesuffix(":")
    held = sa.select(account.c.code.label("code"), (account.c.credits - account.c.debits).label("units")).where(
        account.c.code.startswith(prefix, autoescape=False)
    )
    code: sa.ColumnElement[str] = (
        sa.literal_column(f"'{prefix}'") + _T.c.instance + sa.literal_column("':'") + _T.c.currency
    )
    units = -_T.c.amount_minor * sa.literal_column(str(money.BOOK_UNITS_PER_MINOR))
    lines = sa.select(code.label("code"), units.label("units")).where(_T.c.ended_at.is_(None))
    both = sa.union_all(held, lines).subquery()
    return (
        sa.select(both.c.code, sa.func.sum(both.c.units)).group_by(both.c.code).having(sa.func.sum(both.c.units) != 0)
    )


def _total(value: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.sum(value), Integer)


_PAGES: Final = StatePages(_T, ids.SUSPENSE_LINE, of=_COLUMNS)
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_SAVE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"), _T.c.revision == sa.bindparam("was"))
        .values({name: sa.bindparam(name) for name in (*_CHANGING, "closed")})
    )
)
_GET: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(_T.c.id == sa.bindparam("id")), holds=_T)
_MOVEMENT: Final = Statement[Any](
    lambda: (
        sa.select(*_COLUMNS)
        .where(
            _T.c.instance == sa.bindparam("instance"),
            (_T.c.operation_id == sa.bindparam("operation")) | (_T.c.ref == sa.bindparam("ref", type_=Text)),
        )
        .order_by(_T.c.id)
        .limit(sa.bindparam("size"))
    ),
    holds=_T,
)
_AGED: Final = Statement[Any](
    lambda: (
        sa.select(*_COLUMNS)
        .where(_T.c.ended_at.is_(None), _T.c.alerted_at.is_(None), _T.c.found_at <= sa.bindparam("until"))
        .order_by(_T.c.found_at)
        .limit(sa.bindparam("size"))
    )
)
_COUNTED: Final = Statement[tuple[int, datetime | None]](
    lambda: sa.select(sa.func.count(), sa.func.min(_T.c.found_at)).where(_T.c.ended_at.is_(None))
)
_ALERT: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"), _T.c.alerted_at.is_(None), _T.c.ended_at.is_(None))
        .values(alerted_at=sa.bindparam("at"))
    )
)
_IN_CASH: Final = Statement[tuple[str, str, int]](
    lambda: (
        sa.select(_T.c.instance, _T.c.currency, _total(_T.c.amount_minor))
        .where(_T.c.state != sa.literal_column(f"'{SuspenseState.CLEARED}'"))
        .group_by(_T.c.instance, _T.c.currency)
    )
)
assert frozenset({SuspenseState.OPEN, SuspenseState.PROPOSED}) == UNEXPLAINED, "what has not ended is in suspense"
