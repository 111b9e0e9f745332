"""Giving a purchase up: the provider says what became of it, and money that came meanwhile is credited."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.api.test_money import Bank, open_bank
from tests.services.frail import Frail, FrailPlugin
from tests.storage.databases import Place

from shoutgraph.plugins import loading

SHAPE = "topUp { id status declineCode nextAction { __typename } }"


@pytest.fixture
def bank(place: Place) -> Iterator[Bank]:
    def prepare(setup: loading.Setup) -> loading.Setup:
        instances = {**setup.instances, "frail": {"plugin": "frail"}, "frail-payouts": {"plugin": "frail-payouts"}}
        return replace(setup, instances=instances, extra={**setup.extra, "frail": FrailPlugin(Frail())})

    with open_bank(place, prepare) as bank:
        yield bank


def cancel(bank: Bank, topup_id: str, who: str = "ada", **given: Any) -> Any:
    return bank.do(bank.person(who), "topUpCancel", SHAPE, topUpId=topup_id, **given)


def coins(bank: Bank) -> str:
    return str(bank.person("ada").data("{ wallet { available } }")["wallet"]["available"])


def test_a_purchase_is_given_up_once(bank: Bank) -> None:
    topup, key = bank.buy(bank.person("ada"))["topUp"], bank.key()
    first, again = (cancel(bank, topup["id"], idempotencyKey=key) for _ in range(2))
    assert (first["topUp"]["status"], first["topUp"]["nextAction"]) == ("FAILED", None)
    assert (again["topUp"], again["replayed"]) == (first["topUp"], True)
    assert cancel(bank, topup["id"])["errors"] == [{"code": "TOPUP_STATE", "path": ["input", "topUpId"]}]
    bank.till.tick(days=1)
    assert coins(bank) == "0"


def test_what_was_paid_meanwhile_is_credited(bank: Bank) -> None:
    topup = bank.buy(bank.person("ada"))["topUp"]
    bank.till.control(f"payments/{topup['id']}/pay")
    done = cancel(bank, topup["id"])
    assert (done["errors"], done["topUp"]["status"]) == ([], "PAID")
    assert coins(bank) == "1000"
    assert cancel(bank, topup["id"])["errors"][0]["code"] == "TOPUP_STATE"


def test_a_provider_that_cannot_say_leaves_it_as_it_stands(bank: Bank) -> None:
    topup = bank.buy(bank.person("ada"), providerCode="frail")["topUp"]
    done = cancel(bank, topup["id"])
    assert (done["errors"], done["topUp"]["status"]) == ([], "PENDING")


def test_nobody_gives_up_what_is_anothers(bank: Bank) -> None:
    topup = bank.buy(bank.person("ada"))["topUp"]
    for topup_id in (topup["id"], "topup_00000000000000000000000000"):
        assert cancel(bank, topup_id, "bob")["errors"] == [{"code": "NOT_FOUND", "path": ["input", "topUpId"]}]
    assert cancel(bank, "order_00000000000000000000000000", "bob")["errors"][0]["code"] == "INVALID_ID"
    assert cancel(bank, topup["id"])["topUp"]["status"] == "FAILED"
