"""The auditor's coins, moved one at a time, and the cash books beside them. Balances are credits less debits."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.storage.facts import BOOK, PAR, Outcome, Part, Topup, Wish

LIVE = {
    "SCREENING",
    "AWAITING_ACCEPTANCE",
    "IN_PRODUCTION",
    "IN_REVIEW",
    "CHANGES_REQUIRED",
    "DELIVERED",
    "REDO_REQUESTED",
    "DISPUTED",
}


@dataclass
class Lot:
    """Coins of one origin."""

    id: str
    wallet: str
    granted: int
    left: int
    born: int
    topup: str | None = None
    until: datetime | None = None


@dataclass
class Order:
    """An order with the lot of each single coin that it holds, in the order taken."""

    wish: Wish
    price: int
    state: str
    promo: list[str]
    paid: list[str]
    touched: set[str] = field(default_factory=set)
    surcharged: bool = False
    parts: dict[str, int] = field(default_factory=dict)
    refunded: int = 0


@dataclass
class Earning:
    """What a creator gets when the hold is over, and what the platform may keep then."""

    creator: str
    left: int
    fee_left: int = 0
    stripe: int = 0
    matured: bool = False


@dataclass
class Card:
    """A gift card with the lot of each single coin in it."""

    buyer: str
    coins: list[str]


@dataclass
class Dispute:
    """Coins that follow disputed money, by where they came from."""

    user: str
    topup: Topup
    order_coins: int
    taken: list[str]
    owed: int
    decided: bool = False


class Coins:
    """Who has which coins, and what the cash books carry for them."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.seen: Counter[str] = Counter()
        self.balances: Counter[str] = Counter()
        self.closed: set[str] = set()
        self.transfers: set[tuple[str, str]] = set()
        self.lots: dict[str, Lot] = {}
        self.orders: dict[str, Order] = {}
        self.earnings: dict[str, Earning] = {}
        self.reserves: dict[str, tuple[str, int]] = {}
        self.refunds: dict[str, list[str]] = {}
        self.bonuses: dict[str, list[str]] = {}
        self.disputes: dict[str, Dispute] = {}
        self.cards: dict[str, Card] = {}

    def look(self) -> dict[str, Any]:
        return {
            "balances": {code: balance for code, balance in self.balances.items() if balance},
            "closed": self.closed,
            "lots": {lot.id: (lot.left, lot.until) for lot in self.lots.values() if lot.left},
            "transfers": self.transfers,
            "orders": {order_id: (order.state, order.price) for order_id, order in self.orders.items()},
            "violations": [],
        }

    def add(self, code: str, amount: int) -> None:
        self.balances[code] += amount

    def grow(self, lot_id: str, wallet: str, coins: int, **others: Any) -> None:
        self.lots[lot_id] = Lot(lot_id, wallet, coins, coins, len(self.lots), **others)
        self.add(wallet, coins)

    def spendable(self, wallet: str) -> list[Lot]:
        far = self.now + timedelta(days=10**6)
        lots = [lot for lot in self.lots.values() if lot.wallet == wallet and lot.left]
        lots = [lot for lot in lots if lot.until is None or lot.until > self.now]
        return sorted(lots, key=lambda lot: (lot.until or far, lot.born))

    def take(self, lots: list[Lot], coins: int) -> list[str]:
        """Takes single coins, as far as there are any; says the lot of each."""
        taken = []
        for lot in lots:
            while lot.left and len(taken) < coins:
                lot.left -= 1
                self.add(lot.wallet, -1)
                taken.append(lot.id)
        return taken

    def put(self, coins: list[str]) -> None:
        """Gives single coins back to their lots; lapsed ones live on for a week."""
        for lot_id in coins:
            lot = self.lots[lot_id]
            lot.left += 1
            self.add(lot.wallet, 1)
            if lot.until is not None and lot.until <= self.now:
                self.seen["lapsed coins came back"] += 1
                lot.until = self.now + timedelta(days=7)

    def room(self, lots: list[Lot], coins: int, promised: list[str], ending: str = "") -> list[str]:
        """Single coins for the first lots that have room besides what others keep there, and what is promised."""
        found: list[str] = []
        for lot in lots:
            missing = self.fitting([lot.id] * (coins - len(found)), ending, promised)
            self.seen["another lot was filled, for what others keep of this one"] += (
                not missing and lot.left < lot.granted
            )
            found += missing
        return found

    def fitting(self, coins: list[str], ending: str, promised: list[str]) -> list[str]:
        """Those of these single coins that have room in their lots."""
        kept, found = self.kept(ending) + Counter(promised), []
        for lot_id in coins:
            if self.lots[lot_id].left + kept[lot_id] < self.lots[lot_id].granted:
                kept[lot_id] += 1
                found.append(lot_id)
        return found

    def kept(self, ending: str) -> Counter[str]:
        """The coins of each lot that may yet come back to it, but for those of the one that ends."""
        coins: Counter[str] = Counter()
        for order in self.orders.values():
            coins.update(order.promo + order.paid)
        holds = {f"card:{ref}": card.coins for ref, card in self.cards.items()}
        holds |= {f"refund:{ref}": taken for ref, taken in self.refunds.items()}
        holds |= {f"dispute:{ref}": dispute.taken for ref, dispute in self.disputes.items()}
        for code, taken in holds.items():
            coins.update(taken if code not in {*self.closed, ending} else [])
        return coins

    def repay(self, user: str, ref: str) -> None:
        taken = self.take(self.spendable(f"user:{user}:paid"), -self.balances[f"user:{user}:debt"])
        if taken:
            self.seen["a debt was repaid"] += 1
            self.add(f"user:{user}:debt", len(taken))
            self.par(-len(taken), owed=-len(taken))
            self.transfers.add(("debt.repaid", ref))

    def par(self, held: int, *, owed: int = 0, books: str | None = None) -> None:
        """Coins held and owed, as the cash books carry them; `books` is the account on the other side."""
        self.add(f"liab:coins:{BOOK}", held * PAR)
        self.add(f"recv:users:{BOOK}", -owed * PAR)
        if books is not None:
            self.add(f"{books}:{BOOK}", -(held - owed) * PAR)

    def cash(self, end: str, currency: str, part: Part, sign: int) -> None:
        """Money against coins: `end` is where the money is, and `sign` is 1 where it comes in."""
        self.add(f"{end}:{currency}", -sign * part.units)
        if currency != BOOK:
            self.seen["foreign money came" if sign > 0 else f"foreign money left {end.split(':', maxsplit=1)[0]}"] += 1
            self.add(f"fx:{currency}", sign * part.units)
            self.add(f"fx:{BOOK}", -sign * part.book_units)
        self.par(sign * part.coins)
        self.add(f"rev:packs:{BOOK}", sign * (part.book_units - part.coins * PAR))

    def between(self, kind: str, ref: str, debit: str, credit: str, units: int) -> Outcome:
        if (kind, ref) in self.transfers:
            return Outcome.AGAIN
        self.transfers.add((kind, ref))
        self.add(debit, -units)
        self.add(credit, units)
        return Outcome.DONE

    def close(self, order_id: str, state: str, promo: int, paid: int) -> None:
        """Empties the escrow; `promo` and `paid` coins stay counted as spent on a video."""
        order = self.orders[order_id]
        self.balances[f"order:{order_id}:promo"] = self.balances[f"order:{order_id}:coin"] = 0
        if not order.parts:
            promo = paid = 0
        order.promo, order.paid = order.promo[:promo], order.paid[:paid]
        order.state = state
        self.transfers.add(("order.closed", order_id))
