"""What a sweep finds at providers before the books hear of it, or for good, and people who say where it belongs."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from tests.storage.auditor_suspense import PLACES
from tests.storage.facts import BOOK, Outcome
from tests.storage.life import COINS, FANS, HOME, PICK, pick_from
from tests.storage.life_outside import PLACE, OutsideRules
from tests.storage.outside import MINOR, Place

PEOPLE = ("lee", "max")
BY = st.sampled_from(PEOPLE)
WHERE = st.sampled_from([*PLACES, *PLACES, "cash:psp", "debt", "debt"])


class SuspenseRules(OutsideRules):
    """Money that the books know from a provider's list alone."""

    @rule(pick=PICK, place=PLACE, minor=COINS, out=st.booleans())
    def move_unheard_of(self, pick: int, place: Place, minor: int, *, out: bool) -> None:
        """No notice of it will ever come; now and then it is more of what moved before."""
        known = self.outside.mysteries
        name = pick_from(known, pick) if known and pick % 3 == 0 else self.name("mystery")
        self.outside.move(name, known[name][0] if name in known else place, -minor * MINOR if out else minor * MINOR)

    @precondition(lambda self: self.unknown())
    @rule(pick=PICK)
    def find(self, pick: int) -> None:
        """A sweep takes in what the books do not know, or what has changed since."""
        found = self.unknown()
        operation = pick_from(found, pick)
        place, units = found[operation]
        if self.both("take_in", operation, *place, units) is Outcome.DONE:
            self.outside.carried[operation] = (place, units)

    def unknown(self) -> dict[str, tuple[Place, int]]:
        """What a provider has under names that the books have no transfer for: where, and how much moved."""
        known, found = self.auditor.transfers, dict(self.outside.mysteries)
        for ref, payment in self.outside.payments.items():
            if ("topup.succeeded", ref) not in known:
                topup = payment.topup
                found[ref] = ((topup.instance, topup.currency), payment.left * MINOR)
        for ref, (payout, state) in self.outside.payouts.items():
            if ("payout.paid", ref) not in known and state in {"paid", "returned"}:
                place, units = self.sent(payout)
                found[ref] = (place, -units if state == "paid" else 0)
        return found

    @precondition(lambda self: self.auditor.lines)
    @rule(pick=PICK, where=WHERE, by=BY)
    def propose_line(self, pick: int, where: str, by: str) -> None:
        line_id = self.line(pick)
        where = f"user:{FANS[pick % 3]}:debt" if where == "debt" else f"{where}:{self.auditor.lines[line_id].currency}"
        self.both("propose_line", line_id, where, by)

    @precondition(lambda self: self.auditor.lines)
    @rule(pick=PICK, by=BY, agreed=st.sampled_from([True, True, False]))
    def decide_line(self, pick: int, by: str, *, agreed: bool) -> None:
        if agreed:
            self.both("confirm_line", self.line(pick), by)
        else:
            self.both("reject_line", self.line(pick))

    def line(self, pick: int) -> str:
        """Mostly one that waits; now and then one that has ended."""
        waiting = self.auditor.waiting()
        return pick_from(waiting if waiting and pick % 8 else sorted(self.auditor.lines), pick)

    def place_line(self, line_id: str, where: str) -> None:
        """Two people agree, after one was wrong and one tried alone."""
        one, other = PEOPLE
        self.both("propose_line", line_id, where, one)
        self.both("reject_line", line_id)
        self.both("propose_line", line_id, where, one)
        self.both("confirm_line", line_id, one)
        self.both("confirm_line", line_id, other)
        self.check()

    def find_all(self) -> None:
        for at in range(len(self.unknown())):
            self.find(at)
        self.check()

    def place_too_early(self) -> None:
        """Of what was found one part is placed, and one is only proposed when its event comes, with another amount."""
        self.pay(FANS[0], HOME, 2, 100, 0, 1)
        self.move_unheard_of(1, HOME, 3, out=False)
        self.move_unheard_of(1, HOME, 1, out=True)
        self.find_all()
        for line_id in self.auditor.waiting():
            owed = [fan for fan in FANS if self.auditor.balances[f"user:{fan}:debt"]]
            self.place_line(line_id, f"user:{owed[0]}:debt" if owed else f"exp:psp:{BOOK}")
        self.pay(FANS[0], HOME, 20, 100, 0, 1)
        self.find_all()
        self.take_money_back(len(self.disputable()) - 1, 2, 1)
        self.find_all()
        self.both("propose_line", self.auditor.waiting()[-1], f"exp:psp:{BOOK}", PEOPLE[0])
        self.check()

    def leave_nothing_in_suspense(self) -> None:
        """The real events have come; two people place what is left, and undo what was placed too early."""
        self.find_all()
        for line_id in self.auditor.waiting():
            self.place_line(line_id, f"rev:packs:{self.auditor.lines[line_id].currency}")
