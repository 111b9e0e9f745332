"""What the simulated Mollie has: payments, refunds, chargebacks, idempotency keys, and what there is to tell."""

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from shoutgraph.sdk import Money
from shoutgraph_mollie import amounts

OPEN_FOR: Final = timedelta(minutes=15)
KEPT_MAX: Final = 10_000
KEY_LIFE: Final = timedelta(hours=1)
GOING: Final = frozenset({"queued", "pending", "processing", "refunded"})
"""The states of a refund that count against what is left."""


class RefusedError(Exception):
    """The simulated Mollie says no; nothing was done."""

    def __init__(self, status: HTTPStatus, detail: str, about: str | None = None) -> None:
        super().__init__(detail)
        self.status: Final = status
        self.detail: Final = detail
        self.about: Final = about


@dataclass(slots=True)
class Refund:
    """A refund."""

    id: str
    amount: Money
    status: str
    created_at: datetime
    description: str = ""


@dataclass(slots=True)
class Chargeback:
    """A chargeback."""

    id: str
    amount: Money
    created_at: datetime
    reversed_at: datetime | None = None


@dataclass(slots=True)
class Payment:
    """A payment."""

    id: str
    asked: dict[str, Any]
    amount: Money
    created_at: datetime
    status: str = "open"
    paid_at: datetime | None = None
    refunds: list[Refund] = field(default_factory=list)
    chargebacks: list[Chargeback] = field(default_factory=list)
    holds_next_refund: bool = False

    @property
    def remaining(self) -> int:
        """What could still be refunded. Units: minor units."""
        return self.amount.minor - sum(each.amount.minor for each in self.refunds if each.status in GOING)


@dataclass(slots=True)
class Books:
    """Everything, of one profile."""

    clock: Callable[[], datetime]
    payments: dict[str, Payment] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    answers: dict[tuple[str, str], tuple[datetime, int, bytes]] = field(default_factory=dict)
    serials: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def new_id(self, kind: str) -> str:
        """An id like Mollie's."""
        return f"{kind}_{hashlib.sha256(str(next(self.serials)).encode()).hexdigest()[:22]}"

    def get(self, payment_id: str) -> Payment:
        """A payment.

        Raises:
            RefusedError: there is none.
        """
        found = self.payments.get(payment_id)
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"No payment exists with token {payment_id}.")
        return found

    def create(self, asked: dict[str, Any]) -> Payment:
        """Opens a payment.

        Raises:
            RefusedError: something is missing, or no amount.
        """
        for name in ("amount", "description", "redirectUrl"):
            if not asked.get(name):
                raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"The {name} is missing", name)
        if len(self.payments) >= KEPT_MAX:
            raise RefusedError(HTTPStatus.FORBIDDEN, "The simulator is full")
        payment = Payment(self.new_id("tr"), asked, _money(asked["amount"]), self.clock())
        self.payments[payment.id] = payment
        return payment

    def turn(self, payment: Payment, status: str) -> None:
        """Another status, which Mollie tells."""
        payment.status = status
        if status == "paid":
            payment.paid_at = self.clock()
        self.told.append(payment.id)

    def cancel(self, payment: Payment) -> None:
        """The merchant cancels it.

        Raises:
            RefusedError: it is too late.
        """
        if payment.status != "open":
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "The payment cannot be canceled")
        self.turn(payment, "canceled")

    def refund(self, payment: Payment, amount: Money, status: str = "refunded", description: str = "") -> Refund:
        """Gives money back.

        Raises:
            RefusedError: there is not so much left, or nothing was paid.
        """
        if payment.status != "paid":
            raise RefusedError(HTTPStatus.CONFLICT, "The payment is not paid")
        if amount.currency != payment.amount.currency or not 0 < amount.minor <= payment.remaining:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "The amount is higher than the maximum", "amount")
        if payment.holds_next_refund:
            payment.holds_next_refund, status = False, "pending"
        made = Refund(self.new_id("re"), amount, status, self.clock(), description)
        payment.refunds.append(made)
        self.told.append(payment.id)
        return made

    def charge_back(self, payment: Payment) -> None:
        """The fan's bank takes all of it back."""
        payment.chargebacks.append(Chargeback(self.new_id("chb"), payment.amount, self.clock()))
        self.told.append(payment.id)


def _money(asked: object) -> Money:
    try:
        assert isinstance(asked, dict), "an amount is an object"
        return amounts.money_of(asked["value"], asked["currency"])
    except (AssertionError, KeyError, TypeError, ValueError):
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "The amount is invalid", "amount") from None
