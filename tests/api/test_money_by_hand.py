"""Refunds and money that people settle, by whole documents: two persons, both named, and the books follow."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.harness import Client
from tests.api.test_money import Bank, open_bank, pay
from tests.storage.databases import Place

from shoutgraph.domain.topups.topup import Topup
from shoutgraph.storage import journal, topups as topup_rows

REFUND = "refund { id status coins amount { minorUnits currency } requestedBy }"
RESOLUTION = "resolution { id status verdict proposedBy decidedBy }"
UNRESOLVED = """{ moneyUnresolved(first: 10) { nodes {
  kind subjectId status review coins verdicts proposed { id proposedBy } startedAt } } }"""


@pytest.fixture
def bank(place: Place) -> Iterator[Bank]:
    with open_bank(place) as bank:
        yield bank


@pytest.fixture
def frank(bank: Bank) -> Client:
    return bank.client("staff:finance")


@pytest.fixture
def olga(bank: Bank) -> Client:
    return bank.client("staff:admin")


def topup_of(bank: Bank, topup_id: str) -> Topup:
    return bank.till.world.read(lambda tx: topup_rows.get(tx, topup_id))


def stands(client: Client) -> list[Any]:
    return list(client.data(UNRESOLVED)["moneyUnresolved"]["nodes"])


def test_finance_refunds_a_part_and_a_fan_may_not(bank: Bank, frank: Client) -> None:
    fan = bank.person("ada")
    topup_id = bank.buy(fan)["topUp"]["id"]
    pay(bank, topup_id)
    given = {"topUpId": topup_id, "amount": {"coins": "300"}, "reason": "A kind word"}
    assert bank.code(fan, "topUpRefund", **given) == "FORBIDDEN"
    done = bank.do(frank, "topUpRefund", REFUND, **given)
    assert done["errors"] == []
    refund = done["refund"]
    assert (refund["status"], refund["coins"], refund["amount"]["minorUnits"]) == ("SUCCEEDED", "300", "300")
    over = bank.do(frank, "topUpRefund", REFUND, **given | {"amount": {"minorUnits": "701"}})
    assert over["errors"] == [{"code": "REFUND_TOO_LARGE", "path": ["input", "amount"]}]
    listed = frank.data("query($id: ID) { topUpRefunds(topUpId: $id) { nodes { id status } } }", id=topup_id)
    assert listed["topUpRefunds"]["nodes"] == [{"id": refund["id"], "status": "SUCCEEDED"}]
    node = "query($id: ID!) { node(id: $id) { ... on TopUpRefund { reason } } }"
    assert frank.data(node, id=refund["id"])["node"] == {"reason": "A kind word"}
    assert fan.data(node, id=refund["id"])["node"] is None
    assert fan.data("{ wallet { available } }")["wallet"] == {"available": "700"}


def propose(bank: Bank, client: Client, subject_id: str, verdict: str) -> Any:
    given = {"subjectId": subject_id, "verdict": verdict, "evidence": "line 7 of the statement of March"}
    return bank.do(client, "moneyResolvePropose", RESOLUTION, **given)


def test_two_people_end_a_top_up_that_nobody_knows_and_late_money_opens_it(
    bank: Bank, frank: Client, olga: Client
) -> None:
    fan = bank.person("ada")
    topup_id = bank.buy(fan, buy={"coins": "1004"})["topUp"]["id"]  # the answer is lost
    (waiting,) = stands(frank)
    assert (waiting["kind"], waiting["subjectId"], waiting["verdicts"]) == ("TOPUP", topup_id, ["PAID", "NOT_EXECUTED"])
    assert propose(bank, frank, topup_id, "CLOSED")["errors"][0]["code"] == "RESOLUTION_STATE"
    made = propose(bank, frank, topup_id, "NOT_EXECUTED")["resolution"]
    assert (made["status"], made["proposedBy"], topup_of(bank, topup_id).declined_code) == (
        "PROPOSED",
        "staff:finance",
        None,
    )
    assert propose(bank, olga, topup_id, "PAID")["errors"][0]["code"] == "RESOLUTION_STATE"
    assert stands(olga)[0]["proposed"] == {"id": made["id"], "proposedBy": "staff:finance"}
    alone = bank.do(frank, "moneyResolveConfirm", RESOLUTION, resolutionId=made["id"])
    assert alone["errors"][0]["code"] == "SECOND_PERSON"
    assert bank.code(fan, "moneyResolveConfirm", resolutionId=made["id"]) == "FORBIDDEN"
    done = bank.do(olga, "moneyResolveConfirm", RESOLUTION, resolutionId=made["id"])["resolution"]
    assert (done["status"], done["decidedBy"]) == ("CONFIRMED", "staff:admin")
    assert (topup_of(bank, topup_id).status, stands(frank)) == ("FAILED", [])
    told = bank.till.world.read(
        lambda tx: [each.type for each in journal.list_of_topic(tx, made["id"], after=0, limit=9)]
    )
    assert told == ["resolution.proposed", "resolution.confirmed"]
    bank.till.control("advance", seconds=10)
    assert bank.till.look(topup_of(bank, topup_id)).status == "PAID"
    assert fan.data("{ wallet { available } }")["wallet"] == {"available": "1004"}


def test_two_people_credit_a_top_up_whose_money_is_proven(bank: Bank, frank: Client, olga: Client) -> None:
    fan = bank.person("ada")
    topup_id = bank.buy(fan, buy={"coins": "1004"})["topUp"]["id"]
    rejected = propose(bank, frank, topup_id, "NOT_EXECUTED")["resolution"]["id"]
    assert bank.do(frank, "moneyResolveReject", RESOLUTION, resolutionId=rejected)["errors"] == []
    made = propose(bank, olga, topup_id, "PAID")["resolution"]["id"]
    assert bank.do(frank, "moneyResolveConfirm", RESOLUTION, resolutionId=made)["errors"] == []
    assert fan.data("{ wallet { available } }")["wallet"] == {"available": "1004"}
    bank.till.control("advance", seconds=10)
    assert bank.till.look(topup_of(bank, topup_id)).status == "PAID"
    assert fan.data("{ wallet { available } }")["wallet"] == {"available": "1004"}


def test_what_moved_since_it_was_looked_at_is_not_settled(bank: Bank, frank: Client, olga: Client) -> None:
    topup_id = bank.buy(bank.person("ada"), buy={"coins": "1004"})["topUp"]["id"]
    made = propose(bank, frank, topup_id, "NOT_EXECUTED")["resolution"]["id"]
    bank.till.control("advance", seconds=10)
    bank.till.look(topup_of(bank, topup_id))
    done = bank.do(olga, "moneyResolveConfirm", RESOLUTION, resolutionId=made)
    assert done["errors"][0]["code"] == "STALE_REVISION"
    assert topup_of(bank, topup_id).status == "PAID"
