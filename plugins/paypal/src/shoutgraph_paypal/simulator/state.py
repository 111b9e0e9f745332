"""What the simulated PayPal knows: orders, captures, refunds, disputes, batches, and the answers it saved."""

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from shoutgraph.sdk import Money
from shoutgraph_paypal import amounts

ID_CHARS: Final = 17
BATCH_ID_CHARS: Final = 13
CUSTOM_CHARS_MAX: Final = 127
LETTERS: Final = string.digits + string.ascii_uppercase

Thing = dict[str, Any]
"""An object of PayPal's, as its JSON."""


class RefusedError(Exception):
    """An answer with an error in it."""

    def __init__(self, issue: str, status: int = 422, name: str = "UNPROCESSABLE_ENTITY", **more: object) -> None:
        super().__init__(issue)
        self.status: Final = status
        detail = {"issue": issue, "description": "In words.", **more}
        self.body: Final = {"name": name, "message": "In words.", "debug_id": "7c2f", "details": [detail], "links": []}


def missing() -> RefusedError:
    """There is no such object."""
    return RefusedError("INVALID_RESOURCE_ID", 404, "RESOURCE_NOT_FOUND")


@dataclass(slots=True)
class World:
    """One account of PayPal's.

    Args:
        fail_next: the next request that changes something is carried out and answered by a 500, which is saved.
        decline_next: the next capture is refused, because the fan's way to pay was.
        hold_refunds: of these captures the next refund stays pending.
        items_after: a batch shows no items before it is so old.
        token_s: how long access tokens live. Units: seconds.
    """

    base_url: str
    clock: Callable[[], datetime]
    orders: dict[str, Thing] = field(default_factory=dict)
    disputes: dict[str, Thing] = field(default_factory=dict)
    batches: dict[str, Thing] = field(default_factory=dict)
    tokens: dict[str, datetime] = field(default_factory=dict)
    saved: dict[str, tuple[int, Thing | Callable[[], Thing]]] = field(default_factory=dict)
    untold: list[Thing] = field(default_factory=list)
    fail_next: bool = False
    decline_next: bool = False
    hold_refunds: set[str] = field(default_factory=set)
    items_after: timedelta = timedelta(0)
    token_s: int = 32_400

    def now(self) -> str:
        """The time, as PayPal writes it."""
        return self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")

    def tell(self, kind: str, resource_type: str, resource: Thing) -> None:
        """An event: what the object is now."""
        event = {
            "id": f"WH-{new_id()}-{new_id()}",
            "event_version": "1.0",
            "create_time": self.now(),
            "resource_type": resource_type,
            "event_type": kind,
            "summary": "In words.",
            "resource": shown(resource),
            "links": [],
        }
        self.untold.append(event)


def new_id(chars: int = ID_CHARS) -> str:
    """An id in PayPal's form."""
    return "".join(secrets.choice(LETTERS) for _ in range(chars))


def shown(value: Any) -> Any:  # noqa: ANN401 -- JSON
    """A copy without what only the simulator knows."""
    if isinstance(value, dict):
        return {name: shown(inner) for name, inner in value.items() if not name.startswith("_")}
    return [shown(inner) for inner in value] if isinstance(value, list) else value


def amount(money: Money) -> Thing:
    """An amount, as orders write it."""
    return {"currency_code": money.currency, "value": amounts.value_of(money)}


def money_of(told: object, *, currency: str = "currency_code") -> Money:
    """The money that somebody asks for, in exactly the currency's decimals.

    Raises:
        RefusedError: it is no such amount.
    """
    try:
        assert isinstance(told, dict), "an amount is an object"
        money = amounts.money_of(told["value"], told[currency])
        assert amounts.value_of(money) == told["value"], "and of exactly the currency's decimals"
    except (AssertionError, KeyError, TypeError, ValueError):
        raise RefusedError("DECIMAL_PRECISION") from None
    if money.currency not in amounts.CURRENCIES:
        raise RefusedError("CURRENCY_NOT_SUPPORTED")
    if money.minor <= 0:
        raise RefusedError("CANNOT_BE_ZERO_OR_NEGATIVE")
    return money
