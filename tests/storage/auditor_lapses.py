"""The auditor's view of bought coins that lapse, and come back."""

from dataclasses import dataclass

from tests.storage.auditor_coins import Coins, Lot
from tests.storage.facts import Outcome

INCOME, UNCLAIMED = "rev:breakage", "liab:unclaimed"


@dataclass
class Gone:
    """What lapsed of a lot; `books` is the account that carries it since then."""

    user: str
    coins: int
    books: str
    back: bool = False


class Lapses(Coins):
    """What must come of coins whose owner does nothing."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.gone: dict[str, Gone] = {}

    def dormant(self, user: str) -> list[Lot]:
        """What is free of bought lots that never lapsed before."""
        return [lot for lot in self.spendable(f"user:{user}:paid") if lot.id not in self.gone]

    def let_lapse(self, _ref: str, user: str, to: str) -> Outcome:
        lots = self.dormant(user)
        for lot in lots:
            self.gone[lot.id] = Gone(user, lot.left, to)
            self.add("mint", lot.left)
            self.par(-lot.left, books=to)
            self.take([lot], lot.left)
            self.transfers.add(("breakage", lot.id))
        return Outcome.DONE if lots else Outcome.NOTHING

    def kept_for(self, user: str) -> list[str]:
        found = sorted(self.gone.items())
        return [lot_id for lot_id, of in found if of.user == user and of.books == UNCLAIMED and not of.back]

    def reclaim(self, ref: str, user: str) -> Outcome:
        lots = self.kept_for(user)
        for lot_id in lots:
            self.undo_lapse(lot_id)
        if lots:
            self.repay(user, f"reclaim:{ref}")
        return Outcome.DONE if lots else Outcome.NOTHING

    def lapsed_of(self, topup_id: str) -> list[str]:
        return [at for at, of in sorted(self.gone.items()) if self.lots[at].topup == topup_id and not of.back]

    def undo_lapses(self, topup_id: str) -> None:
        """Whoever's money goes back lost nothing."""
        for lot_id in self.lapsed_of(topup_id):
            self.seen[f"money that went back undid a lapse of {self.gone[lot_id].books}"] += 1
            self.undo_lapse(lot_id)

    def undo_lapse(self, lot_id: str) -> None:
        """A new lot of the same purchase."""
        of, lot = self.gone[lot_id], self.lots[lot_id]
        of.back = True
        self.grow(f"back_{lot_id}", lot.wallet, of.coins, topup=lot.topup)
        self.add("mint", -of.coins)
        self.par(of.coins, books=of.books)
        self.transfers.add(("breakage.returned", lot_id))
