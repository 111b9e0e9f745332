"""A payment provider in memory, whose money is real to the cent and whose answers are not: for simulations.

What it has is the truth that the books must agree with. Between it and us stand faults, drawn from the seed and from
what is asked how often, so that a seed breaks the same calls in whatever order they come.
"""

import heapq
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import SecretStr

from shoutgraph import sdk
from shoutgraph_sandbox.simulator.delivery import signed

SECRET = SecretStr("whsec_dGhlIHNlY3JldCBvZiB0aGUgYWNxdWlyZXI=")
STRANGER = SecretStr("whsec_dGhlIHNlY3JldCBvZiBhIHN0cmFuZ2VyLi4=")
WINDOW = timedelta(hours=24)
FEE_PERCENT = 2


class Fault(StrEnum):
    """What goes wrong with a call."""

    REFUSED = "connection refused"
    LIMITED = "429"
    LOST_BEFORE = "lost before the effect"
    LOST_AFTER = "answer lost"
    GARBAGE = "garbage"
    SAVED_500 = "saved 500"
    OTHER_AMOUNT = "another amount"
    OTHER_CURRENCY = "another currency"
    OLD_STATE = "an old state"
    SOME_ITEMS = "some items only"


_SENT = (Fault.REFUSED, Fault.LIMITED, Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.GARBAGE, Fault.SAVED_500)
_ASKED = (Fault.LOST_BEFORE, Fault.LIMITED, Fault.GARBAGE, Fault.OTHER_AMOUNT, Fault.OTHER_CURRENCY, Fault.OLD_STATE)
FAULTS: dict[str, tuple[Fault, ...]] = {
    "create": _SENT,
    "refund": _SENT,
    "cancel": (Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.GARBAGE, Fault.LIMITED),
    "fetch": _ASKED,
    "submit": (*_SENT, Fault.SOME_ITEMS),
    "payout fetch": (Fault.LOST_BEFORE, Fault.LIMITED, Fault.GARBAGE, Fault.OLD_STATE),
    "list": (Fault.LOST_BEFORE, Fault.GARBAGE),
}

FALSIFIES = frozenset({Fault.OTHER_AMOUNT, Fault.OTHER_CURRENCY})


@dataclass(frozen=True)
class Payment:
    """A payment as it is now. Units: minor units."""

    ref: str
    key: str
    instance: str
    amount: int
    currency: str
    made_at: datetime
    expires_at: datetime
    state: str = "open"
    settled: int = 0
    refunded: int = 0
    disputed: int = 0
    won: int = 0
    lost: int = 0
    fee: int = 0
    at: datetime | None = None

    @property
    def ours(self) -> int:
        """What of it is with us."""
        return self.settled - self.refunded - self.disputed + self.won - self.fee


@dataclass(frozen=True)
class Transfer:
    """A payout as it is now. Units: minor units."""

    ref: str
    item_id: str
    batch_key: str
    amount: int
    made_at: datetime
    state: str = "processing"
    at: datetime | None = None


@dataclass(order=True)
class Told:
    """A webhook under way. It is signed when it leaves, `ago` seconds in the past."""

    due_at: datetime
    number: int
    instance: str = field(compare=False)
    body: bytes = field(compare=False)
    secret: SecretStr = field(compare=False, default=SECRET)
    ago: int = field(compare=False, default=0)

    def headers(self, now: datetime) -> dict[str, str]:
        """What comes with it."""
        return signed(
            sdk.standard_key(self.secret), f"event-{self.number}", self.body, now - timedelta(seconds=self.ago)
        )


@dataclass
class Acquirer:
    """What the provider has, and how it fails. `share` of its calls go wrong, none once it is well."""

    clock: Callable[[], datetime]
    seed: int
    share: float = 0.4
    payments: dict[str, Payment] = field(default_factory=dict)
    past: dict[str, Payment] = field(default_factory=dict)
    by_ref: dict[str, str] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    refunds: dict[str, int] = field(default_factory=dict)
    doubles: list[str] = field(default_factory=list)
    poisoned: set[str] = field(default_factory=set)
    numbers: dict[str, str] = field(default_factory=dict)
    outbox: list[Told] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    webhooks: Counter[str] = field(default_factory=Counter)
    _asked: Counter[str] = field(default_factory=Counter)
    _told: int = 0

    def chance(self, *about: object) -> random.Random:
        """Chance that depends on nothing but the seed and this."""
        return random.Random(f"{self.seed}:{about}")  # noqa: S311 - a repeatable choice

    def fault(self, kind: str, about: str, *, without: frozenset[Fault] = frozenset()) -> Fault | None:
        """What goes wrong with this call, if anything; some faults need something that they can falsify."""
        self.calls[kind] += 1
        name = self.numbers.get(about, about)
        self._asked[kind + name] += 1
        chance = self.chance(kind, name, self._asked[kind + name])
        if chance.random() >= self.share:
            return None
        fault = chance.choice([each for each in FAULTS[kind] if each not in without])
        self.faults[f"{kind}: {fault}"] += 1
        return fault

    def pay_in(self, key: str, instance: str, amount: sdk.Money) -> Payment:
        """The payment of a key: the one that it made before, within its window."""
        known = self.payments.get(key)
        if known is not None and self.clock() < known.made_at + WINDOW:
            return known
        if known is not None:
            self.doubles.append(key)
        now = self.clock()
        ref = f"pay_{len(self.payments) + len(self.doubles)}"
        expires_at = now + timedelta(minutes=30)
        self.payments[key] = Payment(ref, key, instance, amount.minor, amount.currency, now, expires_at)
        self.by_ref[ref] = key
        return self.payments[key]

    def change(self, key: str, **values: Any) -> Payment:
        """Something happens to a payment; we are told of it, sooner or later, once, often or never."""
        before = self.payments[key]
        self.past.setdefault(key, before)
        after = replace(before, at=self.clock(), **values)
        self.payments[key] = after
        self.tell(after.instance, self.numbers.get(key, key), {"payment": vars(after)})
        return after

    def settle(self, key: str, *, amount: int | None = None, currency: str | None = None) -> None:
        """The money arrives, unless it did before, or the payment was cancelled."""
        known = self.payments[key]
        if known.state in {"paid", "cancelled"}:
            return
        settled = known.amount if amount is None else amount
        fee = settled * FEE_PERCENT // 100
        self.change(key, state="paid", settled=settled, fee=fee, currency=currency or known.currency)

    def end(self, key: str, state: str) -> None:
        """It comes to nothing, unless the money was quicker."""
        if self.payments[key].state == "open":
            self.change(key, state=state)

    def give_back(self, key: str, refund_key: str, minor: int) -> bool:
        """Refunds; the same key once. Says whether it could."""
        known = self.payments[key]
        if refund_key in self.refunds:
            return True
        if not 0 < minor <= known.settled - known.refunded - (known.disputed - known.won):
            return False
        self.refunds[refund_key] = minor
        self.change(key, refunded=known.refunded + minor)
        return True

    def dispute(self, key: str, how: str) -> bool:
        """The fan's bank takes all that is left back; or that is decided. Says whether there was something to do."""
        known = self.payments[key]
        left = known.settled - known.refunded - known.disputed
        waiting = known.disputed - known.won - known.lost
        part = left if how == "disputed" else waiting
        if part <= 0:
            return False
        self.change(key, **{how: getattr(known, how) + part})
        return True

    def pay_out(self, item: sdk.PayoutItem, batch_key: str) -> Transfer:
        """The transfer of an item; one batch makes it once."""
        known = self.transfers.get(item.item_id)
        if known is not None and known.batch_key == batch_key and self.clock() < known.made_at + WINDOW:
            return known
        if known is not None:
            self.doubles.append(item.item_id)
        ref = f"out_{len(self.transfers) + len(self.doubles)}"
        self.transfers[item.item_id] = Transfer(ref, item.item_id, batch_key, item.amount.minor, self.clock())
        return self.transfers[item.item_id]

    def move(self, item_id: str, state: str) -> None:
        """Something happens to a transfer."""
        known = self.transfers[item_id]
        before = {"paid": "processing", "rejected": "processing", "returned": "paid"}[state]
        if known.state == before:
            self.transfers[item_id] = after = replace(known, state=state, at=self.clock())
            self.tell("acquirer-payouts", item_id, {"transfer": vars(after)})

    def tell(self, instance: str, about: str, what: dict[str, Any]) -> None:
        """Sends a webhook: late, twice, from a stranger, too old, or never."""
        self._told += 1
        self._asked["webhook" + about] += 1
        chance = self.chance("webhook", about, self._asked["webhook" + about])
        body = json.dumps(
            {"id": f"event-{self._told}", "at": self.clock(), **what}, default=datetime.isoformat
        ).encode()
        if self.share and chance.random() < 0.15:
            self.webhooks["never arrive"] += 1
            return
        copies = chance.choice((1, 1, 1, 2, 3)) if self.share else 1
        self.webhooks["duplicates"] += copies - 1
        for _ in range(copies):
            late = timedelta(seconds=chance.choice((0, 5, 60, 600, 7_200, 90_000)) if self.share else 0)
            self.post(Told(self.clock() + late, 0, instance, body))
        if chance.random() < 0.1 and self.share:
            self.webhooks["forged or old"] += 1
            secret, ago = chance.choice(((STRANGER, 0), (SECRET, 3_600)))
            self.post(Told(self.clock(), 0, instance, body, secret, ago))

    def post(self, told: Told) -> None:
        """Puts a webhook into the outbox."""
        self.webhooks["sent"] += 1
        heapq.heappush(self.outbox, replace(told, number=self.webhooks["sent"]))

    def due(self) -> list[Told]:
        """Takes the webhooks whose time has come."""
        found = []
        while self.outbox and self.outbox[0].due_at <= self.clock():
            found.append(heapq.heappop(self.outbox))
        return found
