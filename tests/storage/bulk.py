"""Many orders at once, as the books, the journal and the orders' table see them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from tests.storage import placing

from shoutgraph.domain import accounts, ids, journal, postings
from shoutgraph.domain.ledger import Lot, LotMove
from shoutgraph.domain.postings import Books, Cash, Held
from shoutgraph.storage import journal as lines, ledger as rows
from shoutgraph.storage.engine import Store
from shoutgraph.storage.tx import Tx

BOOKS: Final = Books("EUR", 100)
FANS: Final = 50
CREATORS: Final = 20
PRICE: Final = 100
FEE_BPS: Final = 3_000
MORE_ORDERS: Final = 10
"""For so many orders more has each fan coins."""
TOGETHER: Final = 100
"""Orders of one unit of work."""


def fill(store: Store, orders: int, *, open_from: int | None = None) -> int:
    """Places so many orders and completes those before `open_from`; gives how many postings that were."""
    coins = (orders // FANS + MORE_ORDERS) * PRICE

    def buy(tx: Tx, fan: int) -> None:
        user_id, cash = _fan(fan), Cash("sandbox", "EUR", coins * 100, coins * 100)
        lot = _lot(user_id, coins, tx.now)
        rows.post(tx, postings.topup_succeeded(BOOKS, ref=f"topup_{fan:03}", cash=cash, lot=lot, bonus=None))

    ended = orders if open_from is None else open_from
    _each(store, range(FANS), buy)
    place(store, range(orders))
    complete(store, range(ended))
    store.settle_journal_now()
    return 2 * FANS + orders + 3 * ended


def place(store: Store, orders: Sequence[int]) -> None:
    """Places these orders."""

    def work(tx: Tx, at: int) -> None:
        placing.insert(tx, _order(at), state="SCREENING", price_coins=PRICE)
        rows.post(tx, postings.order_placed(_held(at)))
        _tell(tx, at, 1)

    _each(store, orders, work)


def complete(store: Store, orders: Sequence[int]) -> None:
    """Completes these orders."""

    def work(tx: Tx, at: int) -> None:
        placing.save(tx, _order(at), state="COMPLETED", revision=2)
        creator_id = ids.CreatorId(f"creator_{at % CREATORS:03}")
        rows.post(tx, postings.order_completed(BOOKS, _held(at), creator_id=creator_id, fee_bps=FEE_BPS))
        _tell(tx, at, 2)

    _each(store, orders, work)


def balance(tx: Tx) -> int:
    """The coins that creators hold."""
    codes = (accounts.pending(ids.CreatorId(f"creator_{at:03}")).code for at in range(CREATORS))
    return sum(rows.balance_coins(tx, code) for code in codes)


def _each(store: Store, several: Sequence[int], work: Callable[[Tx, int], None]) -> None:
    for first in range(0, len(several), TOGETHER):

        def together(tx: Tx, first: int = first) -> None:
            for at in several[first : first + TOGETHER]:
                work(tx, at)

        store.write_now(together)


def _fan(at: int) -> ids.UserId:
    return ids.UserId(f"user_{at % FANS:03}")


def _order(at: int) -> ids.OrderId:
    return ids.OrderId(f"order_{at:09}")


def _lot(user_id: ids.UserId, coins: int, at: datetime) -> Lot:
    return Lot(f"lot_{user_id}", accounts.paid(user_id).code, user_id, None, coins, coins, coins, "EUR", "DE", at)


def _held(at: int) -> Held:
    order_id, user_id = _order(at), _fan(at)
    return Held(order_id, user_id, PRICE, 0, (LotMove(f"lot_{user_id}", PRICE, order_id),))


def _tell(tx: Tx, at: int, number: int) -> None:
    kind = "order.status_changed"
    lines.append(tx, journal.NewEvent(f"event_{number}_{at:09}", _order(at), kind, {"n": number}, topic_seq=number))
