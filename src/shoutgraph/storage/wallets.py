"""Wallets: the lock is a row; balances, lots and statements are read from the ledger.

The ledger's tables are only read here, by name: what is free to spend, held, owed, and how it came to be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import accounts, cards, ids, pages
from shoutgraph.domain.ledger import COIN, Lot
from shoutgraph.domain.orders.states import LIVE, MAY_GIVE_BACK
from shoutgraph.domain.topups.booking import Escrowed
from shoutgraph.domain.wallets import Lock, LockReason
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

ESCROWED_MAX: Final = 1_000
"""The most open orders that are looked through for the coins of one top-up."""


class LockRow(SQLModel, table=True):
    """A wallet that is locked. No row: not locked."""

    __tablename__ = "wallet_lock"
    __table_args__ = (
        one_of("reason", LockReason),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    user_id: str = Field(sa_type=Text, primary_key=True)
    reason: LockReason = Field(sa_type=Words(LockReason))
    topup_id: str = Field(sa_type=Text)
    locked_at: datetime = Field(sa_type=Micros)


LOCKS: Final = columns.table_of(LockRow)
LOCK_COLUMNS: Final = (LOCKS.c.reason, LOCKS.c.topup_id, LOCKS.c.locked_at)
"""A lock, as it is read."""
_ACCOUNT: Final = sa.table(
    "account",
    *(sa.column(n, Integer) for n in ("id", "debits", "credits", "version")),
    *(sa.column(n, Text) for n in ("code", "asset", "order_id")),
)
_ENTRY: Final = sa.table(
    "entry", *(sa.column(n, Integer) for n in ("account_id", "version", "posting_id", "debits", "credits"))
)
_POSTING: Final = sa.table(
    "posting", *(sa.column(n, Integer) for n in ("id", "transfer_id", "debit_id", "credit_id", "amount"))
)
_TRANSFER: Final = sa.table(
    "transfer", sa.column("id", Integer), sa.column("kind", Text), sa.column("ref", Text), sa.column("at", Micros)
)
_LOT: Final = sa.table(
    "lot",
    *(sa.column(n, Text) for n in ("id", "user_id", "topup_id", "currency", "country")),
    *(sa.column(n, Integer) for n in ("account_id", "granted", "remaining", "price_minor")),
    *(sa.column(n, Micros) for n in ("granted_at", "expires_at")),
)
_MOVE: Final = sa.table(
    "lot_move",
    *(sa.column(n, Text) for n in ("lot_id", "order_id")),
    *(sa.column(n, Integer) for n in ("id", "transfer_id", "coins")),
)
_ORDERS: Final = sa.table("orders", *(sa.column(n, Text) for n in ("id", "fan_id", "state")))


@dataclass(frozen=True, slots=True)
class Balances:
    """What the ledger says of one user. Units: coins."""

    available_coins: int
    promo_coins: int
    debt_coins: int
    held_coins: int


def lock(tx: Tx, user_id: ids.UserId, *, reason: LockReason, topup_id: ids.TopupId) -> bool:
    """Locks a wallet; gives False if it was locked before, for whatever reason."""
    if find_lock(tx, user_id) is not None:
        return False
    tx.put(_INSERT_LOCK, user_id=user_id, reason=reason, topup_id=topup_id, locked_at=tx.now)
    return True


def unlock(tx: Tx, user_id: ids.UserId) -> bool:
    """Unlocks a wallet; gives False if it was not locked."""
    return tx.run(_DELETE_LOCK, user_id=user_id) == 1


def find_lock(tx: Tx, user_id: str) -> Lock | None:
    """What locked a wallet, or None."""
    row = tx.one(_FIND_LOCK, user_id=user_id)
    return None if row is None else Lock(*row)


def foresee_lock(tx: Tx, user_id: str) -> None:
    """Asks ahead what `find_lock` will ask."""
    tx.foresee(_FIND_LOCK, user_id=user_id)


def list_of_locks(tx: Tx, user_ids: Sequence[str]) -> list[Lock | None]:
    """What locked the wallets of users, None where nothing did, in the order asked."""
    found = {user_id: Lock(*rest) for user_id, *rest in tx.all(_LIST_LOCKS, user_ids=list(user_ids))}
    return [found.get(user_id) for user_id in user_ids]


def balances(tx: Tx, user_id: ids.UserId) -> Balances:
    """A user's coins. Coins of a lot that has lapsed still count until they are retired."""
    return list_of_balances(tx, [user_id])[0]


def list_of_balances(tx: Tx, user_ids: Sequence[ids.UserId]) -> list[Balances]:
    """The coins of users, in the order asked."""
    codes = [(accounts.paid(each).code, accounts.promo(each).code, accounts.debt(each).code) for each in user_ids]
    found = dict(tx.all(_BALANCES, codes=[code for three in codes for code in three]))
    held = dict(tx.all(_HELD, user_ids=list(user_ids)))
    return [
        Balances(
            available_coins=found.get(paid, 0),
            promo_coins=found.get(promo, 0),
            debt_coins=-found.get(debt, 0),
            held_coins=held.get(user_id, 0),
        )
        for user_id, (paid, promo, debt) in zip(user_ids, codes, strict=True)
    ]


def list_of_lots(tx: Tx, user_id: ids.UserId, args: pages.PageArgs) -> list[Lot]:
    """Up to one lot more than the page holds, newest first. The key is `(id,)`."""
    params: dict[str, object] = {} if args.key is None else {"key": args.key[0]}
    statement = _LOTS[args.backward, args.key is not None]
    return [Lot(*row) for row in tx.all(statement, user_id=user_id, size=args.size + 1, **params)]


def list_of_escrowed(tx: Tx, topup_id: ids.TopupId) -> tuple[Escrowed, ...]:
    """The paid coins of a top-up that open orders hold, the newest order first."""
    return tuple(Escrowed(*row) for row in tx.all(_ESCROWED, topup_id=topup_id))


def rooms(tx: Tx, lot_ids: Sequence[str], *, ending: str = "") -> dict[str, int]:
    """What fits into each of these lots, in the order given, besides what may come back there from elsewhere.

    Orders, open gift cards, open refunds and open disputes put what they took back into the lots that it is of.

    Args:
        ending: the account of the card, refund or dispute whose coins are to return now.
    """
    found = dict(tx.all(_ROOMS, lot_ids=lot_ids, ending=ending)) if lot_ids else {}
    return {lot_id: max(found.get(lot_id, 0), 0) for lot_id in lot_ids}


def last_given(tx: Tx, lot_id: str) -> tuple[int, datetime]:
    """The number of the last move that gave coins to a lot, and when it was: its grant, or what gave some back."""
    row = tx.one(_LAST_GIVEN, lot_id=lot_id)
    assert row is not None, "a lot was granted"
    return row


def account_version(tx: Tx, account: str) -> int:
    """How many entries an account has; 0 for one that was never opened."""
    row = tx.one(_VERSION, code=account)
    return row[0] if row else 0


_BALANCE: Final = _ACCOUNT.c.credits - _ACCOUNT.c.debits
_LIVE: Final[Sequence[sa.ColumnElement[Any]]] = tuple(sa.literal_column(f"'{state}'") for state in LIVE)


def _held() -> sa.ClauseElement:
    query = sa.select(_ORDERS.c.fan_id, sa.func.sum(_BALANCE))
    query = query.join_from(_ORDERS, _ACCOUNT, _ORDERS.c.id == _ACCOUNT.c.order_id)
    query = query.where(columns.any_of(_ORDERS.c.fan_id, "user_ids"), _ORDERS.c.state.in_(_LIVE))
    return query.group_by(_ORDERS.c.fan_id)


def _lots(*, backward: bool, after: bool) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        columns_ = (
            _LOT.c.id,
            _ACCOUNT.c.code,
            _LOT.c.user_id,
            _LOT.c.topup_id,
            _LOT.c.granted,
            _LOT.c.remaining,
            _LOT.c.price_minor,
            _LOT.c.currency,
            _LOT.c.country,
            _LOT.c.granted_at,
            _LOT.c.expires_at,
        )
        query = sa.select(*columns_).join_from(_LOT, _ACCOUNT, _ACCOUNT.c.id == _LOT.c.account_id)
        query = query.where(_LOT.c.user_id == sa.bindparam("user_id")).limit(sa.bindparam("size"))
        query = query.order_by(_LOT.c.id.asc() if backward else _LOT.c.id.desc())
        if after:
            key = sa.bindparam("key", type_=Text)
            query = query.where(_LOT.c.id > key if backward else _LOT.c.id < key)
        return query

    return Statement(build)


def _escrowed() -> sa.ClauseElement:
    held = -sa.func.sum(_MOVE.c.coins)
    return (
        sa.select(_MOVE.c.order_id, held)
        .join_from(_LOT, _MOVE, _MOVE.c.lot_id == _LOT.c.id)
        .join(_ORDERS, _ORDERS.c.id == _MOVE.c.order_id)
        .join(_ACCOUNT, _ACCOUNT.c.id == _LOT.c.account_id)
        .where(
            _LOT.c.topup_id == sa.bindparam("topup_id"),
            _ACCOUNT.c.asset == sa.literal_column(f"'{COIN}'"),
            _ORDERS.c.state.in_(_LIVE),
        )
        .group_by(_MOVE.c.order_id)
        .having(held > sa.literal_column("0"))
        .order_by(_MOVE.c.order_id.desc())
        .limit(ESCROWED_MAX)
    )


def _rooms() -> sa.ClauseElement:
    names = {"card.bought": cards.HOLDING, "topup.refund_requested": "refund", "dispute.opened": "dispute"}
    holding = sa.case(
        *(
            (
                _TRANSFER.c.kind == sa.literal_column(f"'{kind}'"),
                sa.literal_column(f"'{name}:'", Text) + _TRANSFER.c.ref,
            )
            for kind, name in names.items()
        )
    )
    taken = _MOVE.c.coins < sa.literal_column("0")
    kept = sa.case((_ORDERS.c.id.is_not(None) | (_ACCOUNT.c.id.is_not(None) & taken), _MOVE.c.coins), else_=_ZERO)
    states: list[sa.ColumnElement[Any]] = [sa.literal_column(f"'{state}'") for state in sorted(MAY_GIVE_BACK)]
    order = (_ORDERS.c.id == _MOVE.c.order_id) & _ORDERS.c.state.in_(states)
    full = _ACCOUNT.c.credits > _ACCOUNT.c.debits
    held = (_ACCOUNT.c.code == holding) & full & (_ACCOUNT.c.code != sa.bindparam("ending", type_=Text))
    return (
        sa.select(_LOT.c.id, _LOT.c.granted - _LOT.c.remaining + sa.func.sum(kept))
        .join_from(_LOT, _MOVE, _MOVE.c.lot_id == _LOT.c.id)
        .join(_TRANSFER, _TRANSFER.c.id == _MOVE.c.transfer_id)
        .outerjoin(_ORDERS, order)
        .outerjoin(_ACCOUNT, held)
        .where(columns.any_of(_LOT.c.id, "lot_ids"))
        .group_by(_LOT.c.id, _LOT.c.granted, _LOT.c.remaining)
    )


_ZERO: Final[sa.ColumnElement[Any]] = sa.literal_column("0")
_WAYS: Final[Sequence[tuple[bool, bool]]] = ((False, False), (False, True), (True, False), (True, True))
_LOTS: Final = {(backward, after): _lots(backward=backward, after=after) for backward, after in _WAYS}
_INSERT_LOCK: Final = Statement[Any](lambda: sa.insert(LOCKS).values({c.name: sa.bindparam(c.name) for c in LOCKS.c}))
_DELETE_LOCK: Final = Statement[Any](lambda: sa.delete(LOCKS).where(LOCKS.c.user_id == sa.bindparam("user_id")))
_FIND_LOCK: Final = Statement[Any](lambda: sa.select(*LOCK_COLUMNS).where(LOCKS.c.user_id == sa.bindparam("user_id")))
_LIST_LOCKS: Final = Statement[Any](
    lambda: sa.select(LOCKS.c.user_id, *LOCK_COLUMNS).where(columns.any_of(LOCKS.c.user_id, "user_ids"))
)
_BALANCES: Final = Statement[tuple[str, int]](
    lambda: sa.select(_ACCOUNT.c.code, _BALANCE).where(columns.any_of(_ACCOUNT.c.code, "codes"))
)
_HELD: Final = Statement[tuple[str, int]](_held)
_ROOMS: Final = Statement[tuple[str, int]](_rooms)
_ESCROWED: Final = Statement[tuple[ids.OrderId, int]](_escrowed)
_LAST_GIVEN: Final = Statement[tuple[int, datetime]](
    lambda: (
        sa.select(_MOVE.c.id, _TRANSFER.c.at)
        .join_from(_MOVE, _TRANSFER, _TRANSFER.c.id == _MOVE.c.transfer_id)
        .where(_MOVE.c.lot_id == sa.bindparam("lot_id"), _MOVE.c.coins > sa.literal_column("0"))
        .order_by(_MOVE.c.id.desc())
        .limit(1)
    )
)
_VERSION: Final = Statement[tuple[int]](
    lambda: sa.select(_ACCOUNT.c.version).where(_ACCOUNT.c.code == sa.bindparam("code"))
)
