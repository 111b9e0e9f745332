"""Closing an account: nothing new begins, what is open ends by its own rules, and nothing is forfeited."""

from typing import Any

from tests.api.cast import Cast

from shoutgraph.services import books
from shoutgraph.storage.tx import Tx

CLOSURE = "closure { status steps { kind status blockedBy } }"
VIEWER = f"{{ viewer {{ {CLOSURE} }} }}"
WALLET = "{ wallet { available promo held } }"
STATUS = "query ($id: ID!) { order(id: $id) { status } }"


def verify(cast: Cast) -> None:
    def query(tx: Tx) -> list[Any]:
        return list(books.prove(tx).violations)

    assert cast.deployment.read(query) == []


def test_closing_ends_what_may_end_keeps_what_is_owned_and_can_be_taken_back(cast: Cast) -> None:
    to = cast.deployment
    assert to.ask("fan", VIEWER)["viewer"]["closure"] is None
    assert to.refuse("fan", "closureRequest", confirm=False)["code"] == "NOT_CONFIRMED"
    waiting, made = cast.order("AWAITING_ACCEPTANCE"), cast.order("IN_PRODUCTION")
    before = to.ask("fan", WALLET)["wallet"]
    closure = to.do("fan", "closureRequest", CLOSURE, confirm=True)["closure"]
    steps = {step["kind"]: step["status"] for step in closure["steps"]}
    assert (closure["status"], steps["ORDERS"], steps["COINS"]) == ("CLOSING", "OPEN", "CLAIM")
    assert to.do("fan", "closureRequest", CLOSURE, confirm=True)["closure"] == closure
    assert to.ask("fan", VIEWER)["viewer"]["closure"] == closure
    assert [to.ask("fan", STATUS, id=each["id"])["order"]["status"] for each in (waiting, made)] == [
        "CANCELLED",
        "IN_PRODUCTION",
    ]
    after = to.ask("fan", WALLET)["wallet"]
    assert all(int(after[name]) >= int(before[name]) for name in ("available", "promo"))
    assert sum(int(value) for value in after.values()) == sum(int(value) for value in before.values())
    refused = to.refuse("fan", "orderPlace", **cast.wish())
    assert (refused["__typename"], refused["code"]) == ("WalletLockedError", "ACCOUNT_CLOSED")
    assert to.do("fan", "closureCancel", "reopened", confirm=True)["reopened"]
    assert to.ask("fan", VIEWER)["viewer"]["closure"] is None
    assert to.do("fan", "orderPlace", "order { id }", **cast.wish())["order"]["id"]
    verify(cast)
