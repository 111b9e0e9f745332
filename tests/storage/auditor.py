"""A second opinion on the books: dictionaries and single coins, written from the table of postings and from no code.

Every verb has the name and the arguments of the real one and says what must come of it.
"""

import zlib
from fractions import Fraction
from math import floor

from tests.storage.auditor_coins import LIVE, Earning, Order
from tests.storage.auditor_payouts import Payouts
from tests.storage.facts import PAR, Ending, Outcome, Wish


def stripe_of(ref: str) -> int:
    return zlib.crc32(ref.encode()) % 16


def cap_mint_of(order_id: str) -> str:
    return f"capmint:{stripe_of(order_id)}".removesuffix(":0")


class Auditor(Payouts):
    """What the books should say."""

    def place(self, wish: Wish) -> Outcome:
        price = wish.base + wish.express
        promo_lots = self.spendable(f"user:{wish.fan}:promo")
        paid_lots = self.spendable(f"user:{wish.fan}:paid")
        if sum(lot.left for lot in promo_lots + paid_lots) < price:
            return Outcome.TOO_FEW
        promo = self.take(promo_lots, price)
        paid = self.take(paid_lots, price - len(promo))
        self.orders[wish.id] = Order(wish, price, "SCREENING", promo, paid, {*promo, *paid})
        self.add(f"order:{wish.id}:promo", len(promo))
        self.add(f"order:{wish.id}:coin", len(paid))
        self.transfers.add(("order.placed", wish.id))
        return Outcome.DONE

    def advance(self, order_id: str, state: str) -> Outcome:
        self.orders[order_id].state = state
        return Outcome.DONE

    def back(self, order: Order, coins: int) -> None:
        """Coins of both kinds go back from what an order holds, those taken last first."""
        promo = floor(Fraction(coins * len(order.promo), len(order.promo) + len(order.paid)))
        for held, count, kind in ((order.promo, promo, "promo"), (order.paid, coins - promo, "coin")):
            self.put([held.pop() for _ in range(count)])
            self.add(f"order:{order.wish.id}:{kind}", -count)

    def late(self, order_id: str) -> Outcome:
        order = self.orders[order_id]
        self.back(order, order.wish.express)
        order.price -= order.wish.express
        order.surcharged, order.state = True, "DELIVERED"
        self.transfers.add(("order.surcharge_returned", order_id))
        self.repay(order.wish.fan, f"late:{order_id}")
        return Outcome.DONE

    def end(self, order_id: str, ending: Ending) -> Outcome:
        order = self.orders[order_id]
        if order.state not in LIVE:
            return Outcome.ENDED
        if ending.video:
            self.back(order, ending.back)
            self.earn(order)
        else:
            self.put(order.promo + order.paid)
        self.close(order_id, ending.state, len(order.promo), len(order.paid))
        earned = order.price - floor(Fraction(order.price * order.wish.fee_bps, 10_000))
        if ending.compensated and earned:
            self.pay(f"creator:{order.wish.creator}:pending", earned, "exp:goodwill")
            self.earnings[f"comp:{order_id}"] = Earning(order.wish.creator, earned)
            self.transfers.add(("creator.compensated", order_id))
        self.repay(order.wish.fan, f"end:{order_id}")
        return Outcome.DONE

    def pay(self, account: str, coins: int, books: str) -> None:
        """Coins that the platform makes at its own cost."""
        self.add(account, coins)
        self.add("mint", -coins)
        self.par(coins, books=books)

    def earn(self, order: Order) -> None:
        x, y, wish = len(order.promo), len(order.paid), order.wish
        fee = floor(Fraction((x + y) * wish.fee_bps, 10_000))
        self.seen["a video was paid with both kinds of coin"] += bool(x and y)
        fx = floor(Fraction(fee * x, x + y))
        order.parts = {"x": x, "y": y, "fx": fx, "fy": fee - fx}
        self.add(f"creator:{wish.creator}:pending", y - order.parts["fy"])
        self.pay(f"creator:{wish.creator}:pending", x - fx, "exp:marketing")
        self.add(f"fee:{stripe_of(wish.id)}", order.parts["fy"])
        self.add("pmint", x)
        self.add(cap_mint_of(wish.id), -x - y)
        self.add(f"cap:{wish.id}", x + y)
        self.earnings[wish.id] = Earning(wish.creator, x + y - fee, order.parts["fy"], stripe_of(wish.id))

    def refund_order(self, order_id: str, ref: str, coins: int) -> Outcome:
        order, earning = self.orders[order_id], self.earnings[order_id]
        if earning.matured:
            return Outcome.MATURED
        if order.refunded + coins > order.parts["x"] + order.parts["y"]:
            return Outcome.TOO_MUCH
        promo, fee, fee_of_promo = self.give_back(order, coins)
        pending = f"creator:{order.wish.creator}:pending"
        self.add(pending, fee - (coins - promo))
        self.pay(pending, fee_of_promo - promo, "exp:marketing")
        self.add(f"fee:{earning.stripe}", -fee)
        self.add("pmint", -promo)
        self.add(f"cap:{order_id}", -coins)
        self.add(cap_mint_of(order_id), coins)
        earning.left -= coins - fee - fee_of_promo
        earning.fee_left -= fee
        self.transfers.add(("order.refunded", ref))
        self.repay(order.wish.fan, f"refund_order:{ref}")
        return Outcome.DONE

    def give_back(self, order: Order, coins: int) -> tuple[int, int, int]:
        """Puts coins of an order home: how many are granted ones, and the fee in the paid and in the granted ones."""
        x, y, fx, fy = (order.parts[name] for name in ("x", "y", "fx", "fy"))
        promos, fees, fees_of_promos = [], [], []
        for total in (order.refunded, order.refunded + coins):
            promos.append(floor(Fraction(total * x, x + y)))
            fees.append(floor(Fraction((total - promos[-1]) * fy, y)) if y else 0)
            fees_of_promos.append(floor(Fraction(promos[-1] * fx, x)) if x else 0)
        promo = promos[1] - promos[0]
        self.seen["a refund after another"] += order.refunded > 0
        self.seen["a refund of granted coins"] += promo > 0
        order.refunded += coins
        self.put([order.promo.pop() for _ in range(promo)] + [order.paid.pop() for _ in range(coins - promo)])
        return promo, fees[1] - fees[0], fees_of_promos[1] - fees_of_promos[0]

    def take_back(self, order_id: str, ref: str, coins: int) -> Outcome:
        """After the hold: what is free, then what is kept, the oldest first, and the rest is owed."""
        order = self.orders[order_id]
        creator = order.wish.creator
        if order.refunded + coins > order.parts["x"] + order.parts["y"]:
            return Outcome.TOO_MUCH
        promo, fee, fee_of_promo = self.give_back(order, coins)
        wanted = coins - fee - fee_of_promo
        free = min(wanted, self.balances[f"creator:{creator}:avail"])
        kept = self.draw_on_reserves(creator, wanted - free)
        owed = wanted - free - kept
        self.add(f"creator:{creator}:avail", -free)
        self.add(f"creator:{creator}:reserve", -kept)
        self.add(f"user:{creator}:debt", -owed)
        self.add("mint", wanted - (coins - promo))
        self.par(coins - promo - free - kept, owed=owed)
        self.add("rev:fees:EUR", -fee * PAR)
        self.add("exp:marketing:EUR", (promo - fee_of_promo) * PAR)
        self.add("pmint", -promo)
        self.add(f"cap:{order_id}", -coins)
        self.add(cap_mint_of(order_id), coins)
        self.seen["a reserve was drawn"] += kept > 0
        self.seen["a creator came to owe"] += owed > 0
        self.transfers.add(("order.refunded", ref))
        self.repay(order.wish.fan, f"take_back:{ref}")
        return Outcome.DONE

    def draw_on_reserves(self, creator: str, coins: int) -> int:
        drawn = 0
        for ref, (whose, kept) in list(self.reserves.items()):
            taken = min(kept, coins - drawn) if whose == creator else 0
            drawn += taken
            self.reserves[ref] = (whose, kept - taken)
            if kept == taken:
                del self.reserves[ref]
        return drawn

    def withhold(self, ref: str, creator: str, coins: int) -> Outcome:
        self.par(-coins, owed=-coins)
        return self.between("debt.withheld", ref, f"creator:{creator}:avail", f"user:{creator}:debt", coins)

    def goodwill(self, order_id: str, ref: str, coins: int) -> Outcome:
        order = self.orders[order_id]
        if ("earnings.matured", order_id) not in self.transfers:
            return Outcome.PENDING
        x, y = order.parts["x"], order.parts["y"]
        if order.refunded + coins > x + y:
            return Outcome.TOO_MUCH
        before, after = (floor(Fraction(total * x, x + y)) for total in (order.refunded, order.refunded + coins))
        promo = after - before
        self.seen["goodwill after a refund"] += order.refunded > 0
        self.seen["goodwill of granted coins"] += promo > 0
        self.seen["goodwill of bought coins"] += coins > promo
        order.refunded += coins
        self.put([order.promo.pop() for _ in range(promo)] + [order.paid.pop() for _ in range(coins - promo)])
        self.add("mint", promo - coins)
        self.par(coins - promo, books="exp:goodwill")
        self.add("pmint", -promo)
        self.add(f"cap:{order_id}", -coins)
        self.add(cap_mint_of(order_id), coins)
        self.transfers.add(("goodwill", ref))
        self.repay(order.wish.fan, f"goodwill:{ref}")
        return Outcome.DONE

    def mature(self, ref: str, creator: str, coins: int) -> Outcome:
        pending, available = f"creator:{creator}:pending", f"creator:{creator}:avail"
        self.earnings[ref].matured = True
        return self.between("earnings.matured", ref, pending, available, coins)

    def reserve(self, ref: str, creator: str, coins: int) -> Outcome:
        available, kept = f"creator:{creator}:avail", f"creator:{creator}:reserve"
        self.reserves[ref] = (creator, coins)
        return self.between("earnings.reserved", ref, available, kept, coins)

    def release(self, ref: str) -> Outcome:
        creator, coins = self.reserves.pop(ref)
        available, kept = f"creator:{creator}:avail", f"creator:{creator}:reserve"
        return self.between("earnings.released", ref, kept, available, coins)

    def sweepable(self, stripe: int) -> int:
        found = [each for each in self.earnings.values() if each.matured and each.stripe == stripe]
        return sum(each.fee_left for each in found)

    def sweep(self, ref: str, stripe: int, coins: int) -> Outcome:
        for earning in self.earnings.values():
            if earning.matured and earning.stripe == stripe:
                earning.fee_left = 0
        self.add(f"fee:{stripe}", -coins)
        self.add("mint", coins)
        self.par(-coins, books="rev:fees")
        self.transfers.add(("fee.swept", ref))
        return Outcome.DONE

    def gift(self, ref: str, wish: Wish) -> Outcome:
        lots = self.spendable(f"user:{wish.fan}:paid")
        if sum(lot.left for lot in lots) < wish.base:
            return Outcome.TOO_FEW
        self.take(lots, wish.base)
        fee = floor(Fraction(wish.base * wish.fee_bps, 10_000))
        self.add(f"creator:{wish.creator}:pending", wish.base - fee)
        self.add(f"fee:{stripe_of(ref)}", fee)
        self.earnings[ref] = Earning(wish.creator, wish.base - fee, fee, stripe_of(ref))
        self.transfers.add(("gift", ref))
        return Outcome.DONE

    def repeat(self, kind: str, ref: str) -> Outcome:
        return Outcome.AGAIN if (kind, ref) in self.transfers else Outcome.CONFLICT
