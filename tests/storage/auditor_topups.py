"""The auditor's view of money that comes, goes back, or is disputed."""

from datetime import timedelta

from tests.storage.auditor_coins import LIVE, Dispute, Lot
from tests.storage.auditor_suspense import Suspense
from tests.storage.facts import BOOK, Outcome, Part, Topup


class Topups(Suspense):
    """What must come of what providers tell."""

    def grant(self, user: str, lot_id: str, coins: int, days: int) -> Outcome:
        self.grow(lot_id, f"user:{user}:promo", coins, until=self.now + timedelta(days=days))
        self.add("pmint", -coins)
        self.transfers.add(("promo.granted", lot_id))
        return Outcome.DONE

    def lapsed(self) -> list[Lot]:
        return [lot for lot in self.lots.values() if lot.left and lot.until is not None and lot.until <= self.now]

    def lapse(self) -> Outcome:
        lapsed = self.lapsed()
        for lot in lapsed:
            self.add("pmint", len(self.take([lot], lot.left)))
            self.transfers.add(("promo.expired", f"{lot.id}:{lot.until}"))
        return Outcome.DONE if lapsed else Outcome.NOTHING

    def credit(self, topup: Topup) -> Outcome:
        if topup.lot in self.lots:
            return Outcome.AGAIN
        self.grow(topup.lot, f"user:{topup.user}:paid", topup.whole.coins, topup=topup.id)
        self.add("mint", -topup.whole.coins)
        self.cash(f"cash:psp:{topup.instance}", topup.currency, topup.whole, 1)
        if topup.bonus_coins:
            wallet = f"user:{topup.user}:promo"
            self.grow(topup.bonus_lot, wallet, topup.bonus_coins, topup=topup.id, until=topup.bonus_until)
            self.add("pmint", -topup.bonus_coins)
        self.transfers.add(("topup.succeeded", topup.id))
        self.explain(topup.id)
        self.repay(topup.user, f"credit:{topup.id}")
        return Outcome.DONE

    def fee(self, ref: str, instance: str, currency: str, units: int) -> Outcome:
        return self.between("provider.fee", ref, f"exp:psp:{currency}", f"cash:psp:{instance}:{currency}", units)

    def settle(self, ref: str, instance: str, currency: str, units: int) -> Outcome:
        bank, provider = f"cash:bank:{currency}", f"cash:psp:{instance}:{currency}"
        return self.between("psp.settled", ref, bank, provider, units)

    def own(self, topup: Topup) -> list[Lot]:
        wallet = f"user:{topup.user}:paid"
        return [lot for lot in self.lots.values() if lot.topup == topup.id and lot.wallet == wallet]

    def ask_refund(self, ref: str, topup: Topup, part: Part) -> Outcome:
        missing = part.coins - sum(lot.left for lot in self.own(topup))
        if missing > sum(self.gone[lot_id].coins for lot_id in self.lapsed_of(topup.id)):
            return Outcome.TOO_FEW
        if missing > 0:
            self.undo_lapses(topup.id)
        self.refunds[ref] = self.take(self.own(topup), part.coins)
        self.add(f"refund:{ref}", part.coins)
        self.transfers.add(("topup.refund_requested", ref))
        return Outcome.DONE

    def withdraw(self, ref: str, topup: Topup, part: Part, bonus: int) -> Outcome:
        said = self.ask_refund(ref, topup, part)
        if said is Outcome.DONE and bonus:
            self.seen["granted coins went along"] += 1
            self.bonuses[ref] = self.take([self.lots[topup.bonus_lot]], bonus)
            self.add(f"refund:{ref}:promo", bonus)
        return said

    def refund_done(self, ref: str, topup: Topup, part: Part) -> Outcome:
        said = self.between("topup.refund_succeeded", ref, f"refund:{ref}", "mint", part.coins)
        if said is Outcome.DONE:
            self.cash(f"cash:psp:{topup.instance}", topup.currency, part, -1)
            self.closed.add(f"refund:{ref}")
            self.add("pmint", self.end_bonus(ref))
        return said

    def end_bonus(self, ref: str) -> int:
        """Empties what was set aside of granted coins; says how many they were."""
        coins = len(self.bonuses.get(ref, []))
        if coins:
            self.add(f"refund:{ref}:promo", -coins)
            self.closed.add(f"refund:{ref}:promo")
        return coins

    def bring_back(self, ref: str, topup: Topup, part: Part) -> Outcome:
        """Coins follow their money home: to the lots that they came from, and what has no room there to a new one."""
        if ("topup.refund_succeeded", ref) not in self.transfers:
            return Outcome.NOT_YET
        if ("topup.refund_reversed", ref) in self.transfers:
            return Outcome.AGAIN
        taken = self.refunds[ref]
        back = self.room([self.lots[lot_id] for lot_id in dict.fromkeys(taken)], len(taken), [])
        self.put(back)
        self.seen["a refund came back"] += 1
        if fresh := len(taken) - len(back):
            self.grow(f"home_{ref}", f"user:{topup.user}:paid", fresh, topup=topup.id)
        self.add("mint", -len(taken))
        self.cash(f"cash:psp:{topup.instance}", topup.currency, part, 1)
        self.transfers.add(("topup.refund_reversed", ref))
        self.repay(topup.user, f"home:{ref}")
        return Outcome.DONE

    def refund_failed(self, ref: str, topup: Topup, part: Part) -> Outcome:
        if f"refund:{ref}" in self.closed:
            return Outcome.AGAIN
        self.add(f"refund:{ref}", -part.coins)
        self.put(self.refunds[ref] + self.bonuses.get(ref, []))
        self.end_bonus(ref)
        self.closed.add(f"refund:{ref}")
        self.transfers.add(("topup.refund_failed", ref))
        self.repay(topup.user, f"refund_failed:{ref}")
        return Outcome.DONE

    def dispute(self, ref: str, topup: Topup, part: Part) -> Outcome:
        if topup.lot not in self.lots:
            return Outcome.NOT_YET
        if ref in self.disputes:
            return Outcome.AGAIN
        self.undo_lapses(topup.id)
        self.revoke_cards(topup.user, self.own(topup))
        own = self.own(topup)
        missing = part.coins - sum(lot.left for lot in own)
        reversed_coins = 0
        for order_id in sorted(self.orders):
            coins = self.held_of(order_id, own)
            if coins and reversed_coins < missing:
                self.reverse(order_id, own)
                reversed_coins += coins
            elif coins and part.coins:
                self.seen["an open order was spared"] += 1
        surplus = self.room(own, max(reversed_coins - part.coins, 0), [])
        others = [lot for lot in self.spendable(f"user:{topup.user}:paid") if lot not in own]
        wanted = max(part.coins - reversed_coins, 0)
        taken = self.take(own + others, wanted)
        self.put(surplus)
        owed = wanted - len(taken)
        self.disputes[ref] = Dispute(topup.user, topup, min(reversed_coins, part.coins), taken, owed)
        self.seen["an open order held more than was taken back"] += len(surplus) > 0
        self.seen["spent coins became debt"] += owed > 0
        self.seen["coins of other lots were taken"] += any(self.lots[lot_id].topup != topup.id for lot_id in taken)
        self.seen["a dispute of a part without coins"] += not part.coins
        self.add(f"dispute:{ref}", part.coins)
        self.add(f"user:{topup.user}:debt", -owed)
        self.par(owed, owed=owed)
        self.add(f"disp:{ref}:{topup.currency}", -part.units)
        self.add(f"cash:psp:{topup.instance}:{topup.currency}", part.units)
        self.transfers.add(("dispute.opened", ref))
        return Outcome.DONE

    def held_of(self, order_id: str, own: list[Lot]) -> int:
        order = self.orders[order_id]
        mine = {lot.id for lot in own}
        return sum(lot_id in mine for lot_id in order.paid) if order.state in LIVE else 0

    def reverse(self, order_id: str, own: list[Lot]) -> None:
        order = self.orders[order_id]
        mine = {lot.id for lot in own}
        self.seen["an open order was reversed"] += 1
        self.seen["an open order of several lots was reversed"] += len({*order.paid}) > 1
        self.put(order.promo + [lot_id for lot_id in order.paid if lot_id not in mine])
        self.close(order_id, "CANCELLED", 0, 0)

    def decide(self, ref: str, topup: Topup, lost: Part, won: Part) -> Outcome:
        if ref not in self.disputes:
            return Outcome.NOT_YET
        found = self.disputes[ref]
        if found.decided:
            return Outcome.AGAIN
        found.decided = True
        self.add(f"dispute:{ref}", -lost.coins - won.coins)
        if lost.units:
            self.add("mint", lost.coins)
            self.cash(f"disp:{ref}", topup.currency, lost, -1)
            self.transfers.add(("dispute.lost", ref))
        if won.units:
            self.add(f"disp:{ref}:{topup.currency}", won.units)
            self.add(f"cash:psp:{topup.instance}:{topup.currency}", -won.units)
            self.win(ref, found, won.coins)
            self.transfers.add(("dispute.won", ref))
        self.seen["a dispute was lost in part"] += bool(lost.units and won.units)
        self.closed.add(f"disp:{ref}:{topup.currency}")
        if lost.coins + won.coins:
            self.closed.add(f"dispute:{ref}")
        self.repay(topup.user, f"decide:{ref}")
        return Outcome.DONE

    def win(self, ref: str, found: Dispute, coins: int) -> None:
        undone = min(coins, found.owed, -self.balances[f"user:{found.user}:debt"])
        self.add(f"user:{found.user}:debt", undone)
        self.par(-undone, owed=-undone)
        self.seen["won coins undid a debt"] += undone > 0
        self.seen["won coins went back to what an order had held"] += found.order_coins > 0
        taken = self.fitting(found.taken, f"dispute:{ref}", [])
        back = self.room(self.own(found.topup), found.order_coins, taken, f"dispute:{ref}") + taken
        returned = back[max(0, len(back) - (coins - undone)) :]
        self.put(returned)
        fresh = coins - undone - len(returned)
        if fresh:
            self.seen["won coins made a new lot"] += 1
            self.grow(f"fresh_{ref}", f"user:{found.user}:paid", fresh, topup=found.topup.id)

    def write_off(self, user: str, ref: str) -> Outcome:
        owed = -self.balances[f"user:{user}:debt"]
        if not owed:
            return Outcome.NOTHING
        self.add(f"user:{user}:debt", owed)
        self.add("mint", -owed)
        self.par(0, owed=-owed, books="exp:chargeback")
        self.transfers.add(("debt.written_off", ref))
        return Outcome.DONE

    def adjust(self, ref: str, user: str, forgiven: int, units: int) -> Outcome:
        """Less is owed by so many coins, or more where it is negative; and the bank took some units."""
        self.add(f"user:{user}:debt", forgiven)
        self.add("mint", -forgiven)
        self.par(0, owed=-forgiven, books="exp:chargeback")
        self.add(f"exp:psp:{BOOK}", -units)
        self.add(f"cash:bank:{BOOK}", units)
        self.seen["two people agreed that more is owed"] += forgiven < 0
        self.seen["two people agreed that less is owed"] += forgiven > 0
        self.transfers.add(("ledger.adjusted", ref))
        return Outcome.DONE
