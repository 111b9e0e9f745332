"""Whole lives of the books: what happens, what goes wrong, and how everything is wound up in the end."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from tests.storage import order_verbs
from tests.storage.auditor_lapses import INCOME, UNCLAIMED
from tests.storage.facts import BOOK, Ending, Outcome, Wish
from tests.storage.life import CREATORS, FAN, FANS, FOREIGN, HOME, PICK, pick_from, work
from tests.storage.life_coins import CoinRules
from tests.storage.life_suspense import SuspenseRules
from tests.storage.misdeeds import MISDEEDS
from tests.storage.outside import INSTANCES


class Lives(SuspenseRules, CoinRules):
    """Everything at once."""

    @rule(pick=PICK)
    def repeat(self, pick: int) -> None:
        self.both("repeat", *pick_from(sorted(self.auditor.transfers), pick))

    @precondition(lambda self: self.orders(live=True))
    @rule(pick=PICK, kinds=st.tuples(PICK, PICK), back=PICK)
    def race_to_end(self, pick: int, kinds: tuple[int, int], back: int) -> None:
        """Two that read the same order both end it: one does, and nothing of the other stays."""
        order_id = pick_from(self.orders(live=True), pick)
        endings = [self.ending(order_id, kind, back) for kind in kinds]
        seen = self.books.read(partial(order_verbs.see, order_id=order_id))
        self.tick(seconds=1)
        self.auditor.end(order_id, endings[0])
        said = self.books.race(
            [lambda tx, ending=ending: order_verbs.end_as_seen(self.books, tx, seen, ending) for ending in endings]
        )
        same = (endings[0].video, endings[0].back) == (endings[1].video, endings[1].back)
        self.note("race", said[1])
        assert said == [Outcome.DONE, Outcome.STALE if same else Outcome.CONFLICT]

    @rule(which=st.integers(0, len(MISDEEDS) - 1), pick=PICK)
    def do_wrong(self, which: int, pick: int) -> None:
        misdeed = MISDEEDS[which]
        targets = misdeed.targets(self.auditor)
        if targets:
            said = self.books.run(lambda tx: misdeed.do(self.books, tx, pick_from(targets, pick)) or Outcome.DONE)
            self.note(misdeed.do.__name__, said)
            assert said is misdeed.bounces, f"{misdeed.do.__name__}: {said}"

    @rule(which=st.integers(0, len(MISDEEDS) - 1), pick=PICK, fan=FAN)
    def do_wrong_among_others(self, which: int, pick: int, fan: str) -> None:
        """One of three that share a COMMIT is wrong: the others do not notice."""
        misdeed = MISDEEDS[which]
        targets = misdeed.targets(self.auditor)
        if not targets:
            return
        self.tick(seconds=1)
        grants = [(fan, self.name("promo"), 3, 5), (fan, self.name("promo"), 4, 5)]
        works: list[Any] = [partial(work, self.books, "grant", args) for args in grants]
        works.insert(1, lambda tx: misdeed.do(self.books, tx, pick_from(targets, pick)) or Outcome.DONE)
        for args in grants:
            self.auditor.grant(*args)
        said = self.books.race(works)
        self.note("among_others", said[1])
        assert said == [Outcome.DONE, misdeed.bounces, Outcome.DONE]

    def teardown(self) -> None:
        try:
            if self.sound:
                assert self.books.look()["violations"] == []
                self.wind_up()
                assert self.books.look()["violations"] == []
        finally:
            self.turns.update(self.auditor.seen)
            self.books.close()

    def wind_up(self) -> None:
        """Ends everything that is open: then nothing is held, owed or under way, and the providers agree."""
        self.do_half_of_all_wrong(self.wound_up)
        self.let_lapse_and_come_back()
        for pick in range(len(self.disputable())):
            self.ask_refund(pick, 1 + pick % 4)
            self.check()
        for at, fan in enumerate(FANS):
            self.ruin(fan, gift=at > 0, again=at > 1)
        for fan in self.debtors():
            self.both("adjust", self.name("correction"), fan, 1, 1)
        self.place_too_early()
        self.settle_with_providers()
        self.leave_nothing_in_suspense()
        self.do_half_of_all_wrong(1 - self.wound_up)
        self.tick(days=400)
        self.end_cards()
        self.end_orders()
        self.mature_all()
        self.take_back_after_all()
        for order_id in self.filmed():
            self.both("goodwill", order_id, self.name("goodwill"), 2)
        self.check()
        for stripe in self.stripes():
            self.step("sweep", self.name("sweep"), stripe, self.auditor.sweepable(stripe))
        self.pay_all_out()
        self.step("lapse")
        self.step("adjust", self.name("correction"), FANS[0], -3, 1)
        for fan in FANS + CREATORS:
            self.step("write_off", fan, self.name("decision"))
        self.check_the_end()

    def do_half_of_all_wrong(self, first: int) -> None:
        for which in range(first, len(MISDEEDS), 2):
            self.do_wrong(which, self.number)
            self.check()

    def let_lapse_and_come_back(self) -> None:
        """One fan claims what lapsed, and puts some under a code; money that goes back undoes it for another."""
        for fan, to in zip(FANS, (INCOME, UNCLAIMED), strict=False):
            self.step("let_lapse", self.name("notice"), fan, to)
        self.step("reclaim", self.name("claim"), FANS[1])
        card = self.name("card")
        if self.both("buy_card", card, FANS[1], 1) is Outcome.DONE:
            self.step("return_card", card)

    def end_cards(self) -> None:
        """Every other card is redeemed by another fan, and the rest goes back."""
        still_open = [ref for ref in sorted(self.auditor.cards) if f"card:{ref}" not in self.auditor.closed]
        for at, ref in enumerate(still_open):
            if at % 2:
                self.step("return_card", ref)
            else:
                self.step("redeem_card", ref, FANS[at % len(FANS)])
        for percent in (50, 200):
            self.revalue(percent)

    def end_orders(self) -> None:
        """Open orders go back to fans, and so does a little of those that were filmed."""
        for order_id in self.orders(live=True):
            self.step("end", order_id, Ending("REFUNDED", compensated=True))
        for order_id in self.refundable():
            for coins in (1, 1, 10**6):
                self.step("refund_order", order_id, self.name("back"), coins)

    def ruin(self, fan: str, *, gift: bool, again: bool) -> None:
        """A fan spends everything, takes the money of a payment back, and sometimes buys again."""
        for quarters in (0, 1):
            self.take_back_from(fan, quarters)
        paid, promo = (self.auditor.balances[f"user:{fan}:{kind}"] for kind in ("paid", "promo"))
        if paid and gift:
            self.step("gift", self.name("gift"), Wish("", fan, CREATORS[0], paid, 0, 3_000))
        elif paid:
            self.step("place", Wish(self.name("order"), fan, CREATORS[0], paid + promo, 0, 3_000))
        self.take_back_from(fan, 4)
        if again:
            self.pay(fan, HOME, 20, 100, 0, 1)
            self.hear(len(self.outside.notices) - 1)
            self.check()

    def take_back_from(self, fan: str, quarters: int) -> None:
        payments = [at for at, each in enumerate(self.disputable()) if each.topup.user == fan]
        if payments:
            self.take_money_back_at_once(payments[0], quarters)
            self.check()

    def settle_with_providers(self) -> None:
        self.hear_all()
        for at in range(len(self.outside.disputes)):
            self.decide_dispute(0, 4 - at % 5, 1)
            self.hear_all()
        while self.outside.refunds:
            self.answer_refund(0, 2, given=len(self.outside.refunds) % 3 > 0)
        self.hear_all()
        for at in range(len(self.outside.gone) // 2):
            self.bring_back(at, 1)
        self.hear_all()

    def mature_all(self) -> None:
        for ref, earning in self.auditor.earnings.items():
            if not earning.left:
                earning.matured = True
            elif not earning.matured:
                self.step("mature", ref, earning.creator, earning.left)

    def take_back_after_all(self) -> None:
        """A little is kept and the rest on its way out when some of it is taken back; what fails pays the debt."""
        for creator in CREATORS:
            self.keep_in_reserve(creator, 1)
            self.ask_payout(creator, INSTANCES[0], self.auditor.balances[f"creator:{creator}:avail"] // 2 - 1)
        for order_id in self.grown():
            self.step("take_back", order_id, self.name("back"), 2)
        while self.payouts():
            self.answer_payout(0, 1, paid=False)
            self.hear_all()
        while self.owing():
            self.withhold(0)
            self.check()

    def pay_all_out(self) -> None:
        for ref in sorted(self.auditor.reserves):
            self.step("release", ref)
        for creator in CREATORS:
            for paid, currency in ((False, FOREIGN[0]), (True, FOREIGN[1]), (True, BOOK)):
                pairs = self.auditor.balances[f"creator:{creator}:avail"] // 2 - 1
                self.publish_rate(FOREIGN[1], 100)
                self.ask_payout(creator, INSTANCES[0], pairs, currency, 150)
                self.publish_rate(FOREIGN[1], 97)
                self.check()
                while self.payouts():
                    self.answer_payout(0, 2, paid=paid)
                    self.hear_all()

    def check_the_end(self) -> None:
        open_kinds = ("order:", "refund:", "dispute:", "disp:", "payout:", "card:", "fee:", "recv:", "suspense:")
        for code, balance in self.auditor.balances.items():
            is_open = code.startswith(open_kinds) or code.endswith((":pending", ":debt"))
            assert not is_open or not balance, code
        assert not any(self.outside.untold().values())
