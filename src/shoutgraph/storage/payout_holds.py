"""Holds that people placed on payouts, and what else keeps a creator's payouts back, of many creators at once."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, payout_holds as rules
from shoutgraph.domain.orders.states import LIVE
from shoutgraph.domain.payout_holds import Facts, StaffHold
from shoutgraph.domain.payout_limits import Requested
from shoutgraph.domain.payouts import FAILED, UNDER_WAY, Payout, PayoutState
from shoutgraph.domain.wallets import LockReason
from shoutgraph.storage import columns, creators, orders, payouts, recipients, tax, users, wallets
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class PayoutHoldRow(SQLModel, table=True):
    """A hold of staff; it is released once, and never changes otherwise."""

    __tablename__ = "payout_hold"
    __table_args__ = (
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 1000", name="payout_hold_reason"),
        sa.CheckConstraint("length(release_reason) BETWEEN 1 AND 1000", name="payout_hold_release_reason"),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_by IS NULL) AND (released_at IS NULL) = (release_reason IS NULL)",
            name="payout_hold_released",
        ),
        columns.partial_index("payout_hold_open", "creator_id", where="released_at IS NULL"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    creator_id: str = Field(sa_type=Text, foreign_key="creator.id")
    payout_id: str | None = Field(sa_type=Text, foreign_key="payout.id")
    reason: str = Field(sa_type=Text)
    until: datetime | None = Field(sa_type=Micros)
    placed_at: datetime = Field(sa_type=Micros)
    placed_by: str = Field(sa_type=Text)
    released_at: datetime | None = Field(sa_type=Micros)
    released_by: str | None = Field(sa_type=Text)
    release_reason: str | None = Field(sa_type=Text)


_T: Final = columns.table_of(PayoutHoldRow)
_NAMES: Final = tuple(column.name for column in _T.c)
_CREATOR: Final = columns.table_of(creators.CreatorRow)
_USER: Final = columns.table_of(users.UserRow)
_LOCK: Final = columns.table_of(wallets.LockRow)
_TAX: Final = columns.table_of(tax.TaxProfileRow)
_ORDER: Final = columns.table_of(orders.OrderRow)
_PAYOUT: Final = columns.table_of(payouts.PayoutRow)
_RECIPIENT: Final = columns.table_of(recipients.RecipientRow)
_ACCOUNT: Final = sa.table(
    "account", sa.column("code", Text), sa.column("debits", Integer), sa.column("credits", Integer)
)


def insert(tx: Tx, hold: StaffHold) -> None:
    """Stores a new hold. Whoever places one holds the creator."""
    tx.put(_INSERT, **{name: getattr(hold, name) for name in _NAMES})


def get(tx: Tx, hold_id: str) -> StaffHold:
    """A hold of staff. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is no such hold.
    """
    row = tx.one(_GET, id=hold_id)
    if row is None:
        raise errors.NotFoundError("There is no such hold.", path=("input", "holdId"))
    return StaffHold(*row)


def save_release(tx: Tx, hold: StaffHold) -> None:
    """Stores that a hold was released."""
    names = ("released_at", "released_by", "release_reason")
    tx.put(_RELEASE, of=hold.id, **{f"to_{name}": getattr(hold, name) for name in names})


def requested(tx: Tx, creator_id: str) -> Requested:
    """What a creator asked to be paid lately and was not refused. Whoever goes by it holds the creator."""
    spans = {"day": tx.now - rules.DAY, "week": tx.now - 7 * rules.DAY, "month": tx.now - 30 * rules.DAY}
    row = tx.one(_REQUESTED, creator_id=creator_id, **spans)
    assert row is not None, "a sum has a row"
    return Requested(*row)


def facts_of(tx: Tx, creator_ids: Sequence[str]) -> dict[str, Facts]:
    """What the rules look at, of each creator: in as many statements for many as for one."""
    given = list(creator_ids)
    people = {row[0]: row[1:] for row in tx.all(_PEOPLE, ids=given)}
    staff: dict[str, list[StaffHold]] = defaultdict(list)
    for row in tx.all(_STAFF, ids=given, now=tx.now, size=rules.HOLDS_MAX * len(given)):
        staff[row[1]].append(StaffHold(*row))
    where: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
    for creator_id, recipient_id, at in tx.all(_RECIPIENTS, ids=given):
        where[creator_id].append((recipient_id, at))
    asked: dict[str, list[datetime]] = defaultdict(list)
    for creator_id, at in tx.all(_TODAY, ids=given, since=tx.now - rules.DAY):
        asked[creator_id].append(at)
    return {
        creator_id: Facts(
            has_tax_profile=certified > 0,
            recipients=tuple(where[creator_id]),
            requested_today=tuple(asked[creator_id]),
            frozen_orders=frozen,
            debt_coins=debt,
            locked=bool(closed) or locked is not None,
            paid_coins=paid,
            staff=tuple(staff[creator_id]),
        )
        for creator_id, (closed, locked, certified, debt, frozen, paid) in people.items()
    }


def list_of_held_by_rule(tx: Tx, *, limit: int) -> tuple[Payout, ...]:
    """Payouts that a rule holds and whose turn to be looked at it is; those that another worker has are left out."""
    return tuple(Payout(*row) for row in tx.all(_OF_RULE, now=tx.now, size=limit))


def has_held_by_rule(tx: Tx) -> bool:
    """Whether any payout is held by a rule, and its turn has come."""
    return tx.one(_HAS_OF_RULE, now=tx.now) is not None


def look_at_rule(tx: Tx, payout_id: str, *, after: datetime) -> None:
    """Puts off the next look at whether its rule still holds it."""
    tx.put(_PUT_OFF_RULE, of=payout_id, at=after)


def look_at_rules_of(tx: Tx, creator_id: str) -> None:
    """Has all payouts of a creator that a rule holds looked at soon: the creator did something about it."""
    tx.put(_RULES_NOW, creator_id=creator_id)


def is_under_way_to(tx: Tx, creator_id: str, recipient_id: str) -> bool:
    """Whether a payout is on its way to a recipient of a creator who is held, or waits for being sent there."""
    return bool(tx.all(_UNDER_WAY_TO, creator_id=creator_id, recipient_id=recipient_id))


def _requested() -> sa.ClauseElement:
    def since(name: str) -> sa.ColumnElement[int]:
        at = sa.bindparam(name, type_=Micros)
        coins = sa.case((_PAYOUT.c.created_at > at, _PAYOUT.c.coins), else_=sa.literal_column("0"))
        return sa.cast(sa.func.coalesce(sa.func.sum(coins), sa.literal_column("0")), Integer)

    return sa.select(since("day"), since("week"), since("month")).where(
        _PAYOUT.c.creator_id == sa.bindparam("creator_id"),
        _PAYOUT.c.created_at > sa.bindparam("month", type_=Micros),
        _PAYOUT.c.state.not_in(_REFUSED),
    )


def _people() -> sa.ClauseElement:
    def of(query: sa.Select[Any]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(query.scalar_subquery(), sa.literal_column("0"))

    debt_code = sa.literal_column("'user:'", Text) + _CREATOR.c.user_id + sa.literal_column("':debt'", Text)
    live: list[sa.ColumnElement[Any]] = [sa.literal_column(f"'{state}'") for state in sorted(LIVE)]
    paid: sa.ColumnElement[Any] = sa.literal_column(f"'{PayoutState.PAID}'")
    return (
        sa.select(
            _CREATOR.c.id,
            _USER.c.locked,
            sa.type_coerce(_LOCK.c.reason, columns.Words(LockReason)),
            of(sa.select(sa.func.count()).where(_TAX.c.creator_id == _CREATOR.c.id, _TAX.c.erased_at.is_(None))),
            of(sa.select(_ACCOUNT.c.debits - _ACCOUNT.c.credits).where(_ACCOUNT.c.code == debt_code)),
            of(
                sa.select(sa.func.count()).where(
                    _ORDER.c.creator_id == _CREATOR.c.id, _ORDER.c.frozen_at.is_not(None), _ORDER.c.state.in_(live)
                )
            ),
            of(
                sa.select(sa.cast(sa.func.sum(_PAYOUT.c.coins), Integer)).where(
                    _PAYOUT.c.creator_id == _CREATOR.c.id, _PAYOUT.c.state == paid
                )
            ),
        )
        .select_from(_CREATOR)
        .join(_USER, _USER.c.id == _CREATOR.c.user_id)
        .outerjoin(_LOCK, _LOCK.c.user_id == _CREATOR.c.user_id)
        .where(columns.any_of(_CREATOR.c.id, "ids"))
    )


_REFUSED: Final[list[sa.ColumnElement[Any]]] = [sa.literal_column(f"'{state}'") for state in sorted(FAILED)]
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_GET: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.id == sa.bindparam("id")), holds=_T)
_RELEASE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"))
        .values({name: sa.bindparam(f"to_{name}", type_=_T.c[name].type) for name in _NAMES if "release" in name})
    )
)
_PEOPLE: Final = Statement[Any](_people)
_STAFF: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(
            columns.any_of(_T.c.creator_id, "ids"),
            _T.c.released_at.is_(None),
            _T.c.until.is_(None) | (_T.c.until > sa.bindparam("now", type_=Micros)),
        )
        .order_by(_T.c.id)
        .limit(sa.bindparam("size"))
    )
)
_RECIPIENTS: Final = Statement[tuple[str, str, datetime]](
    lambda: (
        sa.select(_RECIPIENT.c.creator_id, _RECIPIENT.c.id, _RECIPIENT.c.created_at)
        .where(columns.any_of(_RECIPIENT.c.creator_id, "ids"))
        .order_by(_RECIPIENT.c.created_at, _RECIPIENT.c.id)
    )
)
_TODAY: Final = Statement[tuple[str, datetime]](
    lambda: sa.select(_PAYOUT.c.creator_id, _PAYOUT.c.created_at).where(
        columns.any_of(_PAYOUT.c.creator_id, "ids"),
        _PAYOUT.c.created_at > sa.bindparam("since", type_=Micros),
        _PAYOUT.c.state.not_in(_REFUSED),
    )
)
_HELD: Final = tuple(column for column in _PAYOUT.c if column.name not in {"look_at", "looks", "leased_until"})
_HELD_BY_RULE: Final = sa.and_(
    _PAYOUT.c.state == sa.literal_column("'HELD'"),
    _PAYOUT.c.rule.is_not(None),
    _PAYOUT.c.not_before.is_(None) | (_PAYOUT.c.not_before <= sa.bindparam("now", type_=Micros)),
)
_OF_RULE: Final = Statement[Any](
    lambda: (
        sa.select(*_HELD)
        .where(_HELD_BY_RULE)
        .order_by(_PAYOUT.c.not_before, _PAYOUT.c.id)
        .limit(sa.bindparam("size"))
        .with_for_update(skip_locked=True, key_share=True)
    )
)
_HAS_OF_RULE: Final = Statement[Any](lambda: sa.select(_PAYOUT.c.id).where(_HELD_BY_RULE).limit(1))
_PUT_OFF_RULE: Final = Statement[Any](
    lambda: (
        sa.update(_PAYOUT).where(_PAYOUT.c.id == sa.bindparam("of")).values(not_before=sa.bindparam("at", type_=Micros))
    )
)
_RULES_NOW: Final = Statement[Any](
    lambda: (
        sa.update(_PAYOUT)
        .where(
            _PAYOUT.c.creator_id == sa.bindparam("creator_id"),
            _PAYOUT.c.state == sa.literal_column("'HELD'"),
            _PAYOUT.c.rule.is_not(None),
        )
        .values(not_before=None)
    )
)
_UNDER_WAY_TO: Final = Statement[tuple[str]](
    lambda: (
        sa.select(_PAYOUT.c.id)
        .where(
            _PAYOUT.c.creator_id == sa.bindparam("creator_id"),
            _PAYOUT.c.recipient_id == sa.bindparam("recipient_id"),
            _PAYOUT.c.state.in_(sa.literal_column(f"'{state}'") for state in sorted(UNDER_WAY)),
        )
        .limit(1)
    )
)
_REQUESTED: Final = Statement[tuple[int, int, int]](_requested)
