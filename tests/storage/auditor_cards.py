"""The auditor's view of gift cards, and of what money in other currencies is worth."""

from fractions import Fraction
from math import floor

from tests.storage.auditor_coins import Card, Lot
from tests.storage.auditor_lapses import Lapses
from tests.storage.facts import BOOK, Outcome


class Cards(Lapses):
    """What must come of coins under a code, and of the exchange accounts."""

    def buy_card(self, ref: str, user: str, coins: int) -> Outcome:
        lots = self.spendable(f"user:{user}:paid")
        if sum(lot.left for lot in lots) < coins:
            return Outcome.TOO_FEW
        self.cards[ref] = Card(user, self.take(lots, coins))
        self.seen["a card of several lots"] += len({*self.cards[ref].coins}) > 1
        self.add(f"card:{ref}", coins)
        self.transfers.add(("card.bought", ref))
        return Outcome.DONE

    def redeem_card(self, ref: str, user: str) -> Outcome:
        if f"card:{ref}" in self.closed:
            return Outcome.ENDED
        card = self.cards[ref]
        self.seen["a card was redeemed by another"] += user != card.buyer
        for at, lot_id in enumerate(dict.fromkeys(card.coins)):
            self.grow(f"{ref}:{at:02}", f"user:{user}:paid", card.coins.count(lot_id))
        self.end_card(ref, "card.redeemed")
        self.repay(user, f"card:{ref}")
        return Outcome.DONE

    def return_card(self, ref: str) -> Outcome:
        if f"card:{ref}" in self.closed:
            return Outcome.ENDED
        self.give_card_back(ref)
        self.repay(self.cards[ref].buyer, f"card:{ref}")
        return Outcome.DONE

    def give_card_back(self, ref: str) -> None:
        """To the lots that the coins came from, then to others of them, and the rest as a new lot."""
        card = self.cards[ref]
        lots = [self.lots[lot_id] for lot_id in dict.fromkeys(card.coins)]
        back = self.fitting(card.coins, f"card:{ref}", [])
        back += self.room(lots, len(card.coins) - len(back), back, f"card:{ref}")
        self.put(back)
        if fresh := len(card.coins) - len(back):
            self.seen["a card found no room in its lots"] += 1
            self.grow(f"fresh_{ref}", f"user:{card.buyer}:paid", fresh, topup=lots[0].topup)
        self.end_card(ref, "card.returned")

    def end_card(self, ref: str, kind: str) -> None:
        self.add(f"card:{ref}", -len(self.cards[ref].coins))
        self.closed.add(f"card:{ref}")
        self.transfers.add((kind, ref))

    def revoke_cards(self, user: str, own: list[Lot]) -> None:
        """Money that goes back takes along the open cards that hold coins of it."""
        mine = {lot.id for lot in own}
        for ref, card in sorted(self.cards.items()):
            if f"card:{ref}" not in self.closed and card.buyer == user and mine & {*card.coins}:
                self.seen["a card was revoked"] += 1
                self.give_card_back(ref)

    def revalue(self, ref: str, rates: dict[str, int]) -> Outcome:
        """Book units for a minor unit of each currency; the difference to what the books carry is gain or loss."""
        worth = sum(floor(Fraction(self.balances[f"fx:{ccy}"] * rate, 100)) for ccy, rate in rates.items())
        gain = worth + self.balances[f"fx:{BOOK}"]
        if not gain:
            return Outcome.NOTHING
        self.seen["foreign money gained" if gain > 0 else "foreign money lost"] += 1
        self.add(f"fx:{BOOK}", -gain)
        self.add(f"exp:fx:{BOOK}", gain)
        self.transfers.add(("fx.revalued", ref))
        return Outcome.DONE
