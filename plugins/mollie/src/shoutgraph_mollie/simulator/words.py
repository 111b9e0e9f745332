"""The simulated Mollie's JSON."""

from datetime import datetime
from typing import Any, Final

from shoutgraph.sdk import Money
from shoutgraph_mollie import amounts
from shoutgraph_mollie.simulator.books import OPEN_FOR, Chargeback, Payment, Refund

HAL: Final = "application/hal+json"


def payment(it: Payment, base_url: str, *, embeds: bool) -> dict[str, Any]:
    """A payment, with its refunds and chargebacks where they are asked for."""
    said: dict[str, Any] = {
        "resource": "payment",
        "id": it.id,
        "mode": "test",
        "createdAt": _time(it.created_at),
        "amount": amount(it.amount),
        "description": it.asked["description"],
        "metadata": it.asked.get("metadata"),
        "status": it.status,
        "profileId": "pfl_QkEhN94Ba",
        "sequenceType": "oneoff",
        "redirectUrl": it.asked["redirectUrl"],
        "webhookUrl": it.asked.get("webhookUrl"),
        "_links": {"self": {"href": f"{base_url}/v2/payments/{it.id}", "type": HAL}},
    }
    if it.status == "open":
        said["expiresAt"] = _time(it.created_at + OPEN_FOR)
        said["_links"]["checkout"] = {"href": f"{base_url}/checkout/{it.id}", "type": "text/html"}
    if it.paid_at is not None:
        back = it.amount.minor - it.remaining
        said["paidAt"] = _time(it.paid_at)
        said["amountRefunded"] = amount(Money(back, it.amount.currency))
        said["amountRemaining"] = amount(Money(it.remaining, it.amount.currency))
    taken = sum(each.amount.minor for each in it.chargebacks if each.reversed_at is None)
    if it.chargebacks:
        said["amountChargedBack"] = amount(Money(taken, it.amount.currency))
    if embeds:
        said["_embedded"] = {
            "refunds": [refund(each, it) for each in it.refunds],
            "chargebacks": [_chargeback(each, it) for each in it.chargebacks],
        }
    return said


def refund(it: Refund, of: Payment) -> dict[str, Any]:
    """A refund."""
    return {
        "resource": "refund",
        "id": it.id,
        "amount": amount(it.amount),
        "status": it.status,
        "createdAt": _time(it.created_at),
        "description": it.description,
        "paymentId": of.id,
    }


def amount(money: Money) -> dict[str, str]:
    """An amount."""
    return {"value": amounts.value_of(money), "currency": money.currency}


def _chargeback(it: Chargeback, of: Payment) -> dict[str, Any]:
    return {
        "resource": "chargeback",
        "id": it.id,
        "amount": amount(it.amount),
        "settlementAmount": {"value": f"-{amounts.value_of(it.amount)}", "currency": it.amount.currency},
        "createdAt": _time(it.created_at),
        "reversedAt": _time(it.reversed_at) if it.reversed_at else None,
        "paymentId": of.id,
    }


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
