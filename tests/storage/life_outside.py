"""What providers do: money comes and goes there first, and notices of it arrive late, twice and out of order."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from tests.storage.facts import BOOK, Outcome, Payout
from tests.storage.life import COINS, COPIES, FAN, PERCENT, PICK, Life, pick_from
from tests.storage.outside import INSTANCES, MINOR, RATES, Notice, Payment, Place, price_of, shared

PLACE = st.tuples(st.sampled_from(INSTANCES), st.sampled_from([BOOK, BOOK, *RATES]))


class OutsideRules(Life):
    """Everything that happens at providers, and our hearing of it."""

    @rule(fan=FAN, place=PLACE, coins=COINS, percent=PERCENT, bonus=st.integers(0, 9), copies=COPIES)
    def pay(self, fan: str, place: Place, coins: int, percent: int, bonus: int, copies: int) -> None:
        topup = self.new_topup(fan, place, price_of(place[1], coins, percent), bonus)
        self.outside.happen(Notice(topup.id, "credit", (topup,), place, topup.whole.units), copies)

    @rule(verb=st.sampled_from(["fee", "settle"]), place=PLACE, minor=COINS, copies=COPIES)
    def charge(self, verb: str, place: Place, minor: int, copies: int) -> None:
        ref, units = self.name(verb), minor * MINOR
        self.outside.happen(Notice(ref, verb, (ref, *place, units), place, -units), copies)

    @precondition(lambda self: self.outside.refunds)
    @rule(pick=PICK, given=st.sampled_from([True, True, False]), copies=COPIES)
    def answer_refund(self, pick: int, copies: int, *, given: bool) -> None:
        ref = pick_from(self.outside.refunds, pick)
        payment, part = self.outside.refunds.pop(ref)
        topup = payment.topup
        verb, units = ("refund_done", -part.units) if given else ("refund_failed", 0)
        if not given:
            payment.reverse(part, -1)
        else:
            self.outside.gone[ref] = (payment, part)
        answer = Notice(ref, verb, (ref, topup, part), (topup.instance, topup.currency), units)
        self.outside.happen(answer, copies)

    @precondition(lambda self: self.outside.gone)
    @rule(pick=PICK, copies=COPIES)
    def bring_back(self, pick: int, copies: int) -> None:
        """The money of a refund comes back to us: the fan's account is closed."""
        ref = pick_from(self.outside.gone, pick)
        payment, part = self.outside.gone.pop(ref)
        payment.reverse(part, -1)
        topup = payment.topup
        home = Notice(f"{ref}:home", "bring_back", (ref, topup, part), (topup.instance, topup.currency), part.units)
        self.outside.happen(home, copies)

    @precondition(lambda self: self.disputable())
    @rule(pick=PICK, quarters=st.integers(0, 4), copies=COPIES)
    def take_money_back(self, pick: int, quarters: int, copies: int) -> None:
        payment = pick_from(self.disputable(), pick)
        part = payment.cut(max(1, payment.left * quarters // 4))
        payment.reverse(part)
        ref, topup = self.name("dispute"), payment.topup
        self.outside.disputes[ref] = (payment, part)
        taken = Notice(ref, "dispute", (ref, topup, part), (topup.instance, topup.currency), -part.units)
        self.outside.happen(taken, copies)

    def disputable(self) -> list[Payment]:
        return [payment for payment in self.outside.payments.values() if payment.left]

    @precondition(lambda self: self.disputable())
    @rule(pick=PICK, quarters=st.integers(0, 4))
    def take_money_back_at_once(self, pick: int, quarters: int) -> None:
        """The books hear of it before anything else happens."""
        self.take_money_back(pick, quarters, 1)
        self.hear(len(self.outside.notices) - 1)

    @precondition(lambda self: self.outside.disputes)
    @rule(pick=PICK, quarters=st.sampled_from([0, 0, 1, 2, 3, 4, 4]), copies=COPIES)
    def decide_dispute(self, pick: int, quarters: int, copies: int) -> None:
        ref = pick_from(self.outside.disputes, pick)
        payment, part = self.outside.disputes.pop(ref)
        lost, won = shared(part, quarters)
        payment.reverse(won, -1)
        topup = payment.topup
        place = (topup.instance, topup.currency)
        self.outside.happen(Notice(f"{ref}:end", "decide", (ref, topup, lost, won), place, won.units), copies)

    @precondition(lambda self: self.payouts())
    @rule(pick=PICK, paid=st.booleans(), copies=COPIES)
    def answer_payout(self, pick: int, copies: int, *, paid: bool) -> None:
        """What is asked for is paid or fails; what was paid may come back."""
        payout, state = pick_from(self.payouts(), pick)
        place, sent = self.sent(payout)
        verb, units = "payout_returned", sent
        if state == "asked":
            verb, units = ("payout_paid", -sent) if paid else ("payout_failed", 0)
        self.outside.payouts[payout.id] = (payout, verb.removeprefix("payout_"))
        self.outside.happen(Notice(f"{payout.id}:{verb}", verb, (payout,), place, units), copies)

    def sent(self, payout: Payout) -> tuple[Place, int]:
        """Where the money of a payout leaves, and how much it is there."""
        return (payout.instance, payout.currency), self.auditor.agreed[payout.id].sent

    def payouts(self) -> list[tuple[Payout, str]]:
        return [each for each in self.outside.payouts.values() if each[1] in {"asked", "paid"}]

    @precondition(lambda self: self.outside.notices)
    @rule(pick=PICK)
    def hear(self, pick: int) -> None:
        notice = pick_from(self.outside.notices, pick)
        said = self.both(notice.verb, *notice.args)
        if said is Outcome.NOT_YET:
            return
        self.outside.drop(notice)
        payout = f"{notice.args[0].id}:payout_paid" if notice.verb == "payout_returned" else None
        self.outside.hear(notice, also=payout)
        if notice.verb in {"credit", "payout_paid", "payout_returned"}:
            self.outside.carried.pop(notice.args[0].id, None)

    def hear_all(self) -> None:
        for _ in range(3):
            for at in reversed(range(len(self.outside.notices))):
                self.hear(at)
                self.check()
        assert not self.outside.notices
