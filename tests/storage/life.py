"""A life of the books: what every rule stands on, how it begins, and what must hold after each step."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from itertools import cycle
from typing import Any, ClassVar, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from tests.storage import card_verbs, databases, lapse_verbs, order_verbs, payout_verbs, suspense_verbs, topup_verbs
from tests.storage.auditor import Auditor
from tests.storage.auditor_coins import LIVE
from tests.storage.books import Books
from tests.storage.databases import Clock
from tests.storage.facts import BOOK, T0, Ending, Outcome, Part, Topup, Wish
from tests.storage.outside import INSTANCES, MINOR, RATES, Outside, Payment, Place, price_of

from shoutgraph.storage.tx import Tx

FANS: Final = tuple(f"user_{name:0>26}" for name in ("ann", "bob", "cyd"))
CREATORS: Final = ("star", "idol")
VERBS: Final = {
    name: verb
    for module in (card_verbs, lapse_verbs, topup_verbs, order_verbs, payout_verbs, suspense_verbs)
    for name, verb in vars(module).items()
    if callable(verb) and getattr(verb, "__module__", "") == module.__name__ and not name.startswith("_")
}
"""What may happen to the real books, by name; the auditor has the same names."""

HOME: Final[Place] = (INSTANCES[0], BOOK)
FOREIGN: Final = tuple(currency for currency in RATES if currency != BOOK)

COINS = st.integers(1, 40)
PICK = st.integers(0, 2**16)
FAN, CREATOR = st.sampled_from(FANS), st.sampled_from(CREATORS)
BPS = st.sampled_from([0, 3_000, 3_333, 9_999, 10_000])
PERCENT = st.sampled_from([1, 80, 100, 100, 130])
COPIES = st.sampled_from([1, 1, 2, 3])
QUARTERS = st.integers(1, 4)

LAWS_EVERY: Final = 4
"""The laws are proven from the first posting on, which takes most of the time: what breaks one stays broken."""

T = TypeVar("T")


class Life(RuleBasedStateMachine):
    """One database from its first coin on, its auditor, and the world outside."""

    place: ClassVar[databases.Place]
    reached: ClassVar[Counter[tuple[str, Outcome]]]
    turns: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(T0)
        self.books = Books(self.place, self.clock)
        self.auditor = Auditor(T0)
        self.outside = Outside()
        self.number = self.wound_up = self.looks = 0
        self.sound = True

    @initialize(coins=st.integers(40, 200), fee_bps=BPS, percent=PERCENT, wound_up=st.integers(0, 1))
    def begin(self, coins: int, fee_bps: int, percent: int, wound_up: int) -> None:
        """Every fan has coins of both kinds, an open order and a finished one; one creator can be paid."""
        self.wound_up = wound_up
        for currency in FOREIGN:
            self.step("publish_rate", currency, 1, RATES[currency], 1)
        for fan, creator, currency in zip(FANS, cycle(CREATORS), RATES, strict=False):
            self.step("grant", fan, self.name("promo"), coins // 8 + 1, 9)
            for place, part in ((HOME, coins // 2), ((INSTANCES[1], currency), coins)):
                topup = self.new_topup(fan, place, price_of(place[1], part, percent), coins // 9)
                self.outside.money[place] += topup.whole.units
                self.step("credit", topup)
            filmed, waiting = self.name("order"), self.name("order")
            self.step("place", Wish(filmed, fan, creator, coins // 4, 3, fee_bps))
            self.step("place", Wish(waiting, fan, creator, coins // 4, 5, fee_bps))
            self.step("end", filmed, Ending("COMPLETED", video=True))
        if self.auditor.earnings[filmed].left:
            self.step("mature", filmed, creator, self.auditor.earnings[filmed].left)

    def new_topup(self, fan: str, place: Place, price: Part, bonus: int) -> Topup:
        until = self.clock.now + timedelta(days=365)
        topup = Topup(self.name("topup"), fan, *place, price, bonus, until)
        self.outside.payments[topup.id] = Payment(topup)
        return topup

    def both(self, verb: str, *args: Any) -> Outcome:
        """Does it in the books and asks the auditor; both must say the same."""
        self.tick(seconds=1)
        expected = getattr(self.auditor, verb)(*args)
        said = self.books.run(partial(work, self.books, verb, args))
        self.note(verb, said)
        assert said is expected, f"{verb}: the books say {said}, the auditor says {expected}"
        return said

    def step(self, verb: str, *args: Any) -> None:
        self.both(verb, *args)
        self.check()

    def note(self, verb: str, said: Outcome) -> None:
        self.reached[verb, said] += 1
        self.sound = False  # until the laws were checked

    def tick(self, **by: float) -> None:
        self.clock.now += timedelta(**by)
        self.auditor.now = self.clock.now

    def name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}_{self.number:05}"

    def orders(self, *, live: bool) -> list[str]:
        return [i for i, order in self.auditor.orders.items() if (order.state in LIVE) is live]

    @invariant()
    def check(self) -> None:
        """The books say what the auditor says, keep their own laws, and have the money that providers have."""
        if self.sound:
            return
        self.looks += 1
        found, expected = self.books.look(laws=self.looks % LAWS_EVERY == 0), self.auditor.look()
        for what, value in expected.items():
            assert found[what] == value, what
        self.check_cash()
        self.sound = True

    def check_cash(self) -> None:
        """The money that the books see at a provider is the provider's, less what we have not been told."""
        untold = self.outside.untold()
        for instance in INSTANCES:
            for currency in RATES:
                place = (instance, currency)
                booked = -self.auditor.balances[f"cash:psp:{instance}:{currency}"]
                assert booked == self.outside.money[place] - untold[place], place
                assert booked % MINOR == 0, "money at a provider is whole minor units"


def work(books: Books, verb: str, args: tuple[Any, ...], tx: Tx) -> Outcome:
    """A verb of the real books."""
    said: Outcome = VERBS[verb](books, tx, *args)
    return said


def pick_from(several: Iterable[T], pick: int) -> T:
    """One of several by a drawn number."""
    found = list(several)
    return found[pick % len(found)]
