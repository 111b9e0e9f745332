"""S01: a server that is killed at each moment of a call to its provider reaches the true state when it is back."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests import postgres
from tests.e2e import crowd
from tests.e2e.deaths import COINS, FINANCE, House, Moment, open_house
from tests.e2e.drill import BUY, wait
from tests.e2e.market import Market, Seller
from tests.e2e.processes import Nursery
from tests.soak import Extent
from tests.storage.databases import Kind

from shoutgraph.testkit.upstreams import Act

TOPUPS = "{ topUps(first: 100) { nodes { id status refunded { minorUnits } } } }"
REFUND = """mutation ($input: TopUpRefundInput!) { topUpRefund(input: $input) {
  refund { id status } replayed errors { ... on UserError { code message } } } }"""
REFUNDS = "{ topUpRefunds(first: 100) { nodes { id status } } }"
ASK = """mutation ($input: PayoutRequestInput!) { payoutRequest(input: $input) {
  payout { id } errors { ... on UserError { code message } } } }"""
APPROVE = """mutation ($input: PayoutApproveInput!) { payoutApprove(input: $input) {
  payout { id } errors { ... on UserError { code message } } } }"""
PAYOUT = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Payout { id status } } }"


@pytest.fixture
def house(request: pytest.FixtureRequest, nursery: Nursery, database: Kind, tmp_path: Path) -> Iterator[House]:
    if database is Kind.SQLITE:
        market: Market = request.getfixturevalue("first_market")
        with open_house(nursery, market.copy_to(tmp_path / "data")) as house:
            yield house
        return
    market, template = request.getfixturevalue("first_fleet_market")
    name = postgres.shared().create(template)
    folder = shutil.copytree(market.folder, tmp_path / "data")
    with open_house(nursery, replace(market, folder=folder), postgres.shared().url(name)) as house:
        yield house
    postgres.shared().drop(name)


@pytest.fixture
def moments(database: Kind, extent: Extent) -> tuple[Moment, ...]:
    """When the server dies: in the suite, on PostgreSQL, once where nothing happened and once where it did."""
    return tuple(Moment) if extent.long or database is Kind.SQLITE else (Moment.RESERVED, Moment.ANSWERED)


def statuses(house: House, query: str, name: str, *, staff: bool = False) -> dict[str, str]:
    """Where each of them stands."""
    nodes = house.send(FINANCE if staff else house.fan, query)[name]["nodes"]
    return {each["id"]: each["status"] for each in nodes}


def wish(key: str) -> dict[str, Any]:
    return {
        "idempotencyKey": key,
        "buy": {"coins": str(COINS)},
        "currency": "EUR",
        "platform": "WEB",
        "country": "DE",
        "providerCode": "sandbox",
        "returnUrl": "https://fan.example/back",
    }


def settle(house: House) -> None:
    """Time passes until everything was looked at."""
    for minutes in (3, 15, 70):
        house.advance(minutes=minutes)


def test_a_purchase_is_charged_once_or_not_at_all(house: House, moments: tuple[Moment, ...], extent: Extent) -> None:
    asked: dict[str, Moment] = {}
    for _ in extent.seeds("kills", suite=len(moments), soak=40, each=len(moments)):
        for moment in moments:
            key = crowd.new_key()
            asked[key] = moment
            before = statuses(house, TOPUPS, "topUps")

            def stored(before: dict[str, str] = before) -> bool:
                now = statuses(house, TOPUPS, "topUps")
                return "ACTION_REQUIRED" in {status for each, status in now.items() if each not in before}

            house.die(moment, "/v1/payments", lambda key=key: house.send(house.fan, BUY, input=wish(key)), stored)  # type: ignore[misc]
        house.advance(minutes=3)
        wait(lambda: not {"CREATED", "PROCESSING"} & set(statuses(house, TOPUPS, "topUps").values()), "it is known")
    there = {each["operation_id"]: each for each in house.seen("payments")}
    assert len(there) == len(house.seen("payments")) == sum(each is not Moment.RESERVED for each in asked.values())
    for topup_id, status in statuses(house, TOPUPS, "topUps").items():
        assert status == ("ACTION_REQUIRED" if topup_id in there else "FAILED")
    for key, moment in asked.items():
        again = house.send(house.fan, BUY, input=wish(key))["topUpCreate"]
        assert bool(again["errors"]) is (moment is Moment.RESERVED), (moment, again)
    for operation_id in there:
        house.act(Act.PAY, operation_id)
    settle(house)
    paid = lambda: list(statuses(house, TOPUPS, "topUps").values()).count("PAID")  # noqa: E731
    wait(lambda: paid() == len(there), "everything that was paid is credited")
    assert len(house.seen("payments")) == len(there), "nothing was asked for again"
    extent.tell(f"{len(house.deaths)} kills: {len(there)} payments, each of them once")


def test_money_is_given_back_once(house: House, moments: tuple[Moment, ...], extent: Extent) -> None:
    for _ in extent.seeds("kills", suite=len(moments), soak=40, each=len(moments)):
        for moment in moments:
            topup = house.send(house.fan, BUY, input=wish(crowd.new_key()))["topUpCreate"]["topUp"]
            house.act(Act.PAY, topup["id"])
            house.advance(minutes=2)
            wait(lambda topup=topup: statuses(house, TOPUPS, "topUps")[topup["id"]] == "PAID", "it is paid")  # type: ignore[misc]
            given = {"idempotencyKey": crowd.new_key(), "topUpId": topup["id"], "reason": "regret"}
            ask = lambda given=given: house.send(FINANCE, REFUND, input=given)  # noqa: E731
            (ref,) = (each["id"] for each in house.seen("payments") if each["operation_id"] == topup["id"])
            house.die(moment, f"{ref}/refunds", ask, lambda: True)  # a job may ask for an earlier one meanwhile
            again = house.send(FINANCE, REFUND, input=given)["topUpRefund"]
            assert (again["errors"], again["replayed"]) == ([], True)
        settle(house)
        wait(
            lambda: set(statuses(house, REFUNDS, "topUpRefunds", staff=True).values()) == {"SUCCEEDED"},
            "every refund has its end",
        )
    for each in house.seen("payments"):
        assert each["refunded"] == each["settled"] == each["amount"]
    assert set(statuses(house, TOPUPS, "topUps").values()) == {"REFUNDED"}
    extent.tell(f"{len(house.deaths)} kills: {len(house.seen('payments'))} refunds, each of them once")


def test_a_creator_is_paid_out_once_or_not_at_all(house: House, moments: tuple[Moment, ...], extent: Extent) -> None:
    asked: dict[str, Moment] = {}

    def stand() -> dict[str, str]:
        nodes = house.send(FINANCE, PAYOUT, ids=list(asked))["nodes"]
        return {each["id"]: each["status"] for each in nodes}

    for _ in extent.seeds("kills", suite=len(moments), soak=20, each=len(moments)):
        for moment, seller in zip(moments, house.market.sellers, strict=False):
            payout_id = _ask(house, seller)
            asked[payout_id] = moment

            def approve(payout_id: str = payout_id) -> object:
                return house.send(FINANCE, APPROVE, input={"idempotencyKey": crowd.new_key(), "payoutId": payout_id})

            def stored(payout_id: str = payout_id) -> bool:
                return stand()[payout_id] == "SUBMITTED"

            house.die(moment, "/v1/batches", approve, stored)
        settle(house)
        wait(lambda: set(stand().values()) <= {"SUBMITTED", "NOT_EXECUTED", "PAID"}, "every payout is known")
        for each in [each for each in house.seen("payouts") if each["status"] == "processing"]:
            house.act(Act.PAY, each["id"])
        settle(house)
        wait(lambda: set(stand().values()) == {"NOT_EXECUTED", "PAID"}, "every payout that was sent is paid")
    assert len(house.seen("payouts")) == sum(each is not Moment.RESERVED for each in asked.values())
    assert {each for each, status in stand().items() if status == "NOT_EXECUTED"} == {
        each for each, moment in asked.items() if moment is Moment.RESERVED
    }
    extent.tell(f"{len(house.deaths)} kills: {len(house.seen('payouts'))} payouts, each of them once")


def _ask(house: House, seller: Seller) -> str:
    """A creator asks for a payout."""
    recipient_id = house.recipients[seller.user_id]
    given = {"idempotencyKey": crowd.new_key(), "coins": str(COINS), "recipientId": recipient_id}
    made = house.send((seller.user_id, "user"), ASK, input=given)["payoutRequest"]
    assert made["errors"] == [], made
    return str(made["payout"]["id"])
