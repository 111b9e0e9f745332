"""What we do with coins: they are granted, spent, given back, earned, matured, swept and paid out."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from tests.storage.auditor_coins import LIVE
from tests.storage.auditor_lapses import INCOME, UNCLAIMED
from tests.storage.facts import BOOK, Ending, Outcome, Payout, Wish
from tests.storage.life import (
    BPS,
    COINS,
    CREATOR,
    CREATORS,
    FAN,
    FANS,
    FOREIGN,
    PICK,
    QUARTERS,
    Life,
    pick_from,
)
from tests.storage.outside import INSTANCES, RATES

ABROAD, SPREAD = st.sampled_from([BOOK, *RATES]), st.sampled_from([0, 150, 1_000])
INSTANCE = st.sampled_from(INSTANCES)
STATES = st.sampled_from(sorted(LIVE))
RETURNS = ("DECLINED", "EXPIRED", "CANCELLED", "REJECTED", "REFUNDED")


class CoinRules(Life):
    """Everything that happens on our side."""

    @rule(fan=FAN, coins=COINS, days=st.integers(1, 20))
    def grant(self, fan: str, coins: int, days: int) -> None:
        self.both("grant", fan, self.name("promo"), coins, days)

    @rule(hours=st.integers(1, 24 * 9))
    def wait(self, hours: int) -> None:
        self.tick(hours=hours)

    @precondition(lambda self: self.auditor.lapsed())
    @rule()
    def lapse(self) -> None:
        self.both("lapse")

    @precondition(lambda self: not self.auditor.gone and self.dormant())
    @rule(pick=PICK)
    def let_lapse(self, pick: int) -> None:
        """Everything that a fan bought and has, as income or kept for them; once a life: it leaves little."""
        self.both("let_lapse", self.name("notice"), pick_from(self.dormant(), pick), (INCOME, UNCLAIMED)[pick % 2])

    def dormant(self) -> list[str]:
        return [fan for fan in FANS if self.auditor.dormant(fan)]

    @precondition(lambda self: any(self.auditor.kept_for(fan) for fan in FANS))
    @rule(fan=FAN)
    def reclaim(self, fan: str) -> None:
        self.both("reclaim", self.name("claim"), fan)

    @precondition(lambda self: any(payment.left for payment in self.outside.payments.values()))
    @rule(pick=PICK, quarters=QUARTERS)
    def ask_refund(self, pick: int, quarters: int) -> None:
        payment = pick_from([each for each in self.outside.payments.values() if each.left], pick)
        part = payment.cut(max(1, payment.left * quarters // 4))
        if not part.coins:
            return
        ref = self.name("refund")
        if self.both("ask_refund", ref, payment.topup, part) is Outcome.DONE:
            payment.reverse(part)
            self.outside.refunds[ref] = (payment, part)

    @precondition(lambda self: any(payment.left for payment in self.outside.payments.values()))
    @rule(pick=PICK, quarters=QUARTERS)
    def withdraw(self, pick: int, quarters: int) -> None:
        """As a refund, and what came free with it goes along, in proportion, as far as it is there."""
        payment = pick_from([each for each in self.outside.payments.values() if each.left], pick)
        part, topup = payment.cut(max(1, payment.left * quarters // 4)), payment.topup
        lot = self.auditor.lots.get(topup.bonus_lot)
        bonus = -(-topup.bonus_coins * part.coins // topup.whole.coins)
        if not part.coins:
            return
        ref = self.name("refund")
        if self.both("withdraw", ref, topup, part, min(bonus, lot.left if lot else 0)) is Outcome.DONE:
            payment.reverse(part)
            self.outside.refunds[ref] = (payment, part)

    @precondition(lambda self: self.debtors())
    @rule(pick=PICK)
    def write_off(self, pick: int) -> None:
        self.both("write_off", pick_from(self.debtors(), pick), self.name("decision"))

    def debtors(self) -> list[str]:
        return [fan for fan in FANS + CREATORS if self.auditor.balances[f"user:{fan}:debt"]]

    @rule(fan=FAN, creator=CREATOR, base=COINS, express=st.sampled_from([0, 0, 1, 7, 20]), fee_bps=BPS)
    def place(self, fan: str, creator: str, base: int, express: int, fee_bps: int) -> None:
        self.both("place", Wish(self.name("order"), fan, creator, base, express, fee_bps))

    @precondition(lambda self: self.orders(live=True))
    @rule(pick=PICK, state=STATES)
    def advance(self, pick: int, state: str) -> None:
        self.both("advance", pick_from(self.orders(live=True), pick), state)

    @precondition(lambda self: self.late_orders())
    @rule(pick=PICK)
    def deliver_late(self, pick: int) -> None:
        self.both("late", pick_from(self.late_orders(), pick))

    def late_orders(self) -> list[str]:
        found = self.auditor.orders
        return [i for i in self.orders(live=True) if found[i].wish.express and not found[i].surcharged]

    @precondition(lambda self: self.orders(live=True))
    @rule(pick=PICK, kind=PICK, back=PICK)
    def end(self, pick: int, kind: int, back: int) -> None:
        order_id = pick_from(self.orders(live=True), pick)
        self.both("end", order_id, self.ending(order_id, kind, back))

    @precondition(lambda self: self.orders(live=False))
    @rule(pick=PICK, kind=PICK, back=PICK)
    def end_again(self, pick: int, kind: int, back: int) -> None:
        order_id = pick_from(self.orders(live=False), pick)
        self.both("end", order_id, self.ending(order_id, kind, back))

    def ending(self, order_id: str, kind: int, back: int) -> Ending:
        """A third ends without a video, a third with one, and a third is split."""
        price = self.auditor.orders[order_id].price
        if kind % 3 == 0:
            return Ending(RETURNS[kind % len(RETURNS)], compensated=bool(kind % 2))
        if kind % 3 == 1 or price == 1:
            return Ending("COMPLETED", video=True)
        return Ending("SPLIT", video=True, back=back % (price - 1) + 1)

    @precondition(lambda self: self.refundable())
    @rule(pick=PICK, coins=st.one_of(st.integers(1, 4), COINS))
    def refund_order(self, pick: int, coins: int) -> None:
        order_id = pick_from(self.refundable(), pick)
        self.both("refund_order", order_id, self.name("back"), coins)

    @precondition(lambda self: self.grown())
    @rule(pick=PICK, coins=COINS)
    def take_back(self, pick: int, coins: int) -> None:
        self.both("take_back", pick_from(self.grown(), pick), self.name("back"), coins)

    def grown(self) -> list[str]:
        """Orders whose earning has matured, and of which something is left."""
        found = self.auditor.orders
        return [i for i in self.filmed() if self.auditor.earnings[i].matured and found[i].refunded < found[i].price]

    @precondition(lambda self: self.owing())
    @rule(pick=PICK)
    def withhold(self, pick: int) -> None:
        """What a creator earned pays what they owe."""
        creator, coins = pick_from(self.owing(), pick)
        self.both("withhold", self.name("withheld"), creator, coins)

    def owing(self) -> list[tuple[str, int]]:
        found = self.auditor.balances
        pairs = [(each, min(found[f"creator:{each}:avail"], -found[f"user:{each}:debt"])) for each in CREATORS]
        return [(creator, coins) for creator, coins in pairs if coins]

    @rule(fan=FAN, coins=COINS, pick=PICK)
    def adjust(self, fan: str, coins: int, pick: int) -> None:
        """Two people agree that a fan owes less, or more, or about the cash books alone."""
        owed = -self.auditor.balances[f"user:{fan}:debt"]
        self.both("adjust", self.name("correction"), fan, [min(coins, owed), -(coins % 5), 0][pick % 3], coins)

    @precondition(lambda self: self.filmed())
    @rule(pick=PICK, coins=st.one_of(st.integers(1, 4), COINS))
    def give_goodwill(self, pick: int, coins: int) -> None:
        """Mostly once the earning has matured."""
        order_id = pick_from(self.filmed(), pick)
        self.both("goodwill", order_id, self.name("goodwill"), coins)

    def filmed(self) -> list[str]:
        found = self.auditor.orders
        return [i for i in self.orders(live=False) if found[i].parts]

    def refundable(self) -> list[str]:
        found = self.auditor.orders
        return [i for i in self.orders(live=False) if found[i].parts and self.auditor.earnings[i].left]

    @precondition(lambda self: self.auditor.earnings)
    @rule(pick=PICK)
    def mature(self, pick: int) -> None:
        """Mostly what has not matured yet; now and then once more what has."""
        found = sorted(self.auditor.earnings.items(), key=lambda item: item[1].matured)
        fresh = sum(not earning.matured for _, earning in found)
        ref, earning = pick_from(found[: fresh + 1], pick)
        if earning.left:
            self.both("mature", ref, earning.creator, earning.left)
        else:
            earning.matured = True  # nothing for the creator, and so nothing to post

    @rule(creator=CREATOR, pick=PICK)
    def keep_in_reserve(self, creator: str, pick: int) -> None:
        """A share of what is available, which no payout takes then."""
        if free := self.auditor.balances[f"creator:{creator}:avail"]:
            self.both("reserve", self.name("kept"), creator, pick % free + 1)

    @precondition(lambda self: self.auditor.reserves)
    @rule(pick=PICK)
    def let_go_of_reserve(self, pick: int) -> None:
        ref = pick_from(sorted(self.auditor.reserves), pick)
        self.both("release", ref)

    @precondition(lambda self: self.stripes())
    @rule(pick=PICK)
    def sweep(self, pick: int) -> None:
        stripe = pick_from(self.stripes(), pick)
        self.both("sweep", self.name("sweep"), stripe, self.auditor.sweepable(stripe))

    def stripes(self) -> list[int]:
        return [stripe for stripe in range(16) if self.auditor.sweepable(stripe)]

    @rule(fan=FAN, creator=CREATOR, coins=COINS, fee_bps=BPS)
    def gift(self, fan: str, creator: str, coins: int, fee_bps: int) -> None:
        self.both("gift", self.name("gift"), Wish("", fan, creator, coins, 0, fee_bps))

    @rule(fan=FAN, coins=COINS)
    def buy_card(self, fan: str, coins: int) -> None:
        """Now and then for everything that a fan has, of several lots."""
        free = sum(lot.left for lot in self.auditor.spendable(f"user:{fan}:paid"))
        self.both("buy_card", self.name("card"), fan, free if coins % 4 == 0 and free else coins)

    @precondition(lambda self: self.auditor.cards)
    @rule(pick=PICK, fan=FAN)
    def redeem_card(self, pick: int, fan: str) -> None:
        self.both("redeem_card", self.card(pick), fan)

    @precondition(lambda self: self.auditor.cards)
    @rule(pick=PICK)
    def return_card(self, pick: int) -> None:
        self.both("return_card", self.card(pick))

    def card(self, pick: int) -> str:
        """Mostly an open one; now and then one that has ended."""
        found = sorted(self.auditor.cards)
        fresh = [ref for ref in found if f"card:{ref}" not in self.auditor.closed]
        return pick_from(fresh if fresh and pick % 5 else found, pick)

    @rule(percent=st.sampled_from([80, 99, 100, 125]))
    def revalue(self, percent: int) -> None:
        rates = {currency: rate * percent // 100 for currency, rate in RATES.items() if currency != BOOK}
        self.both("revalue", self.name("day"), rates)

    @rule(currency=st.sampled_from(FOREIGN), percent=st.sampled_from([50, 99, 103, 30_000]))
    def publish_rate(self, currency: str, percent: int) -> None:
        """What a currency is worth from now on; what is on its way keeps the rate that it was asked for at."""
        version = self.auditor.rates[currency][0] + 1
        self.both("publish_rate", currency, version, RATES[currency] * percent, 100)

    @rule(creator=CREATOR, instance=INSTANCE, pick=PICK, currency=ABROAD, spread_bps=SPREAD)
    def ask_payout(self, creator: str, instance: str, pick: int, currency: str = BOOK, spread_bps: int = 0) -> None:
        """Even numbers of coins are worth whole cents; now and then one asks for too many."""
        pairs = self.auditor.balances[f"creator:{creator}:avail"] // 2
        bps = 0 if currency == BOOK else spread_bps
        payout = Payout(self.name("payout"), creator, 2 + 2 * (pick % (pairs + 1)), instance, currency, bps)
        if self.both("ask_payout", payout) is Outcome.DONE:
            self.outside.payouts[payout.id] = (payout, "asked")
