"""What somebody has going on: orders, money and coins that have to be settled before they can leave."""

from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import accounts, ids
from shoutgraph.domain.orders.states import TERMINAL, State
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.domain.privacy import Blocker
from shoutgraph.domain.topups.topup import Status
from shoutgraph.storage import cards, columns, creators, ledger
from shoutgraph.storage.orders import OrderRow
from shoutgraph.storage.payouts import PayoutRow
from shoutgraph.storage.refunds import RefundRow
from shoutgraph.storage.reversals import DisputeRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.topups import TopupRow
from shoutgraph.storage.tx import Tx

_ORDER: Final = columns.table_of(OrderRow)
_PAYOUT: Final = columns.table_of(PayoutRow)
_REFUND: Final = columns.table_of(RefundRow)
_TOPUP: Final = columns.table_of(TopupRow)
_DISPUTE: Final = columns.table_of(DisputeRow)
_UNDERWAY: Final = (Status.CREATED, Status.PROCESSING, Status.ACTION_REQUIRED, Status.PENDING, Status.NEEDS_REVIEW)
_PAYING: Final = (
    PayoutState.REQUESTED, PayoutState.HELD, PayoutState.APPROVED, PayoutState.SUBMITTING, PayoutState.SUBMITTED,
    PayoutState.UNKNOWN,
)  # fmt: skip


def hold(tx: Tx, user_id: ids.UserId) -> None:
    """Holds what new affairs of somebody begin with: their profile, then their wallets. Whoever does holds the user."""
    creator_id = creators.find_id_by_user(tx, user_id)
    if creator_id is not None:
        creators.hold(tx, creator_id)
    ledger.hold_wallets(tx, accounts.paid(user_id).code, accounts.promo(user_id).code)


def list_of_blockers(tx: Tx, user_id: ids.UserId) -> list[Blocker]:
    """What is not settled; whoever goes by it holds these affairs.

    Coins that are left stand in the way too, so that nothing is ever forfeited.
    """
    creator_id = creators.find_id_by_user(tx, user_id)
    row = tx.one(_OPEN, user_id=user_id, creator_id=creator_id or "")
    assert row is not None, "counting gives one row"
    kinds = (
        Blocker.OPEN_ORDERS, Blocker.OPEN_TOPUPS, Blocker.OPEN_REFUNDS, Blocker.OPEN_DISPUTES, Blocker.OPEN_PAYOUTS,
    )  # fmt: skip
    found = [kind for kind, there in zip(kinds, row, strict=True) if there]
    if ledger.balance_coins(tx, accounts.debt(user_id).code):
        found.append(Blocker.DEBT)
    if ledger.balance_coins(tx, accounts.paid(user_id).code) or cards.list_of_open(tx, user_id):
        found.append(Blocker.COINS)
    if creator_id is not None and earned_coins(tx, creator_id):
        found.append(Blocker.EARNINGS)
    return found


def earned_coins(tx: Tx, creator_id: ids.CreatorId) -> int:
    """What a creator has earned and was not paid yet, in its hold, in reserve or free."""
    codes = [each(creator_id).code for each in (accounts.pending, accounts.available, accounts.reserve)]
    return sum(ledger.balances(tx, codes).values())


def _word(word: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{word}'")


def _any(query: sa.Select[Any]) -> sa.ColumnElement[int]:
    return sa.case((query.exists(), 1), else_=0)


def _open() -> sa.ClauseElement:
    user, creator = sa.bindparam("user_id", type_=columns.Text), sa.bindparam("creator_id", type_=columns.Text)
    ended = [_word(state) for state in sorted({*TERMINAL, State.DRAFT})]
    mine = sa.or_(_ORDER.c.fan_id == user, _ORDER.c.creator_id == creator)
    orders = sa.select(_ORDER.c.id).where(mine, _ORDER.c.state.not_in(ended))
    topups = sa.select(_TOPUP.c.id).where(_TOPUP.c.user_id == user)
    underway = topups.where(_TOPUP.c.status.in_([_word(each) for each in _UNDERWAY]))
    refunds = (
        sa.select(_REFUND.c.id)
        .join(_TOPUP, _TOPUP.c.id == _REFUND.c.topup_id)
        .where(_TOPUP.c.user_id == user, _REFUND.c.closed_at.is_(None))
    )
    disputes = (
        sa.select(_DISPUTE.c.ref)
        .join(_TOPUP, _TOPUP.c.id == _DISPUTE.c.topup_id)
        .where(_TOPUP.c.user_id == user, _DISPUTE.c.decided_at.is_(None))
    )
    paying = [_word(each) for each in _PAYING]
    payouts = sa.select(_PAYOUT.c.id).where(_PAYOUT.c.creator_id == creator, _PAYOUT.c.state.in_(paying))
    return sa.select(*(_any(query) for query in (orders, underway, refunds, disputes, payouts)))


_OPEN: Final = Statement[tuple[int, int, int, int, int]](_open)
