"""What was sold, what was given back, and what there is to tell of it."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

SOLD_MAX: Final = 10_000
FIRST: Final = 2_000_000_100_000_000
"""Transactions are numbered from here, with as many digits as the store's have."""


@dataclass(frozen=True, slots=True)
class App:
    """Whose purchases these are."""

    bundle_id: str
    app_apple_id: int
    environment: str


@dataclass(frozen=True, slots=True)
class Sale:
    """A purchase. Units: `price` counts thousandths of the currency, times are milliseconds."""

    number: str
    product: str
    price: int
    currency: str
    token: UUID | None
    bought_at: int
    quantity: int = 1
    type: str = "Consumable"
    revoked_at: int | None = None
    percentage: int | None = None

    def payload(self, app: App, now: int) -> dict[str, object]:
        """What the store signs of it."""
        said: dict[str, object] = {
            "transactionId": self.number,
            "originalTransactionId": self.number,
            "bundleId": app.bundle_id,
            "productId": self.product,
            "purchaseDate": self.bought_at,
            "originalPurchaseDate": self.bought_at,
            "quantity": self.quantity,
            "type": self.type,
            "inAppOwnershipType": "PURCHASED",
            "signedDate": now,
            "environment": app.environment,
            "transactionReason": "PURCHASE",
            "storefront": "DEU",
            "storefrontId": "143443",
            "price": self.price,
            "currency": self.currency,
        }
        if self.token is not None:
            said["appAccountToken"] = str(self.token)
        if self.revoked_at is not None:
            said |= {"revocationDate": self.revoked_at, "revocationReason": 0}
        if self.percentage is not None:
            said |= {"revocationPercentage": self.percentage, "revocationType": "REFUND_PRORATED"}
        return said


@dataclass(slots=True)
class Sales:
    """The store's books of one application, and its outbox: a kind of notification, and the sale as it was then."""

    clock: Callable[[], datetime]
    sold: dict[str, Sale] = field(default_factory=dict)
    told: list[tuple[str, str, Sale | None]] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(FIRST))

    def now(self) -> int:
        """The time. Units: milliseconds."""
        return int(self.clock().timestamp() * 1000)

    def buy(self, product: str, price: int, currency: str, token: UUID | None) -> Sale:
        """Sells something."""
        if len(self.sold) >= SOLD_MAX:
            raise ValueError("the simulated store is sold out")
        sale = Sale(str(next(self.numbers)), product, price, currency, token, self.now())
        self.sold[sale.number] = sale
        self.tell("ONE_TIME_CHARGE", sale)
        return sale

    def refund(self, number: str, percentage: int | None = None) -> None:
        """Gives it back, or a part of it. Units: `percentage` counts thousandths of a percent."""
        self._change("REFUND", replace(self.sold[number], revoked_at=self.now(), percentage=percentage))

    def reverse(self, number: str) -> None:
        """Takes a refund back."""
        self._change("REFUND_REVERSED", replace(self.sold[number], revoked_at=None, percentage=None))

    def tell(self, kind: str, sale: Sale | None) -> None:
        """Has something to tell."""
        self.told.append((str(uuid5(NAMESPACE_OID, f"told {next(self.numbers)}")), kind, sale))

    def take(self) -> list[tuple[str, str, Sale | None]]:
        """What there was to tell, once."""
        taken, self.told = self.told, []
        return taken

    def _change(self, kind: str, sale: Sale) -> None:
        self.sold[sale.number] = sale
        self.tell(kind, sale)
