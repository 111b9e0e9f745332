"""Charge-backs before, during and after an order, told by the provider's own webhooks: lock, debt, and the way back."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api import test_money
from tests.api.harness import Client
from tests.api.test_money import Bank, open_bank
from tests.storage.databases import Place

from shoutgraph.api.graphql import debts
from shoutgraph.api.graphql.assembly import assemble
from shoutgraph.storage import orders

WALLET = """query($user: ID) { wallet(userId: $user) { available held debt lock { reason topUpId }
  lots(first: 9) { nodes { granted remaining topUpId } } } }"""
STATUS = "query($id: ID!) { node(id: $id) { ... on TopUp { status } } }"
ORDER = "query($id: ID!) { order(id: $id) { status closeReason } }"
OWED = "{ debts(first: 5) { nodes { userId coins lock { reason } proposed { id } } } }"

SCHEMA = assemble((*test_money.ROOMS, debts.ROOM))


@pytest.fixture
def bank(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bank]:
    monkeypatch.setattr(test_money, "SCHEMA", SCHEMA)
    with open_bank(place) as bank:
        yield bank


def finance(bank: Bank) -> Client:
    return bank.client("staff:finance")


def status(bank: Bank, topup_id: str) -> str:
    return str(finance(bank).data(STATUS, id=topup_id)["node"]["status"])


def bought(bank: Bank, fan: Client, coins: int) -> str:
    topup_id = str(bank.buy(fan, buy={"coins": str(coins)})["topUp"]["id"])
    bank.till.control(f"payments/{topup_id}/pay")
    bank.till.hear(lambda: status(bank, topup_id) == "PAID")
    return topup_id


def disputed(bank: Bank, topup_id: str, outcome: str, wanted: str) -> None:
    """The bank takes the money, or decides; we hear of it by a signed webhook and by nothing else."""
    before = len(bank.till.hooks)
    bank.till.control(f"payments/{topup_id}/dispute", outcome=outcome)
    bank.till.hear(lambda: status(bank, topup_id) == wanted and len(bank.till.hooks) > before)


def wallet(fan: Client) -> Any:
    return fan.data(WALLET)["wallet"]


def rest(found: Any, topup_id: str) -> int:
    return sum(int(lot["remaining"]) for lot in found["lots"]["nodes"] if lot["topUpId"] == topup_id)


def placed(bank: Bank, name: str, coins: int) -> str:
    world = bank.till.world
    _, _, offer = world.creator(f"star_{coins}", price_coins=coins)
    return world.place(world.person(name), offer).id


def filmed(bank: Bank, name: str, coins: int) -> str:
    """An order that its fan confirmed."""
    order_id, world = placed(bank, name, coins), bank.till.world
    staff, creator = bank.client("staff:admin"), bank.person(f"star_{coins}")
    bank.do(staff, "orderScreenPass", "order { id }", orderId=order_id)
    bank.do(creator, "orderAccept", "order { id }", orderId=order_id)
    video = world.ready_video(world.read(lambda tx: orders.get(tx, order_id)))
    bank.do(creator, "orderDeliver", "order { id }", orderId=order_id, videoId=video)
    bank.do(staff, "orderReviewPass", "order { id }", orderId=order_id)
    bank.do(bank.person(name), "orderConfirm", "order { id }", orderId=order_id)
    return order_id


@pytest.mark.sqlite_only
def test_before_an_order_the_coins_follow_the_money_and_a_won_dispute_brings_them_back(bank: Bank) -> None:
    fan = bank.person("ada")
    topup_id = bought(bank, fan, 1_000)
    disputed(bank, topup_id, "open", "DISPUTED")
    found = wallet(fan)
    assert (found["available"], found["debt"], found["lock"]) == (
        "0",
        "0",
        {"reason": "DISPUTE", "topUpId": topup_id},
    )
    disputed(bank, topup_id, "won", "PAID")
    found = wallet(fan)
    assert (found["available"], rest(found, topup_id)) == ("1000", 1_000), "to the same lot"
    assert found["lock"] is not None, "somebody looks before it moves again"
    user_id = bank.till.world.person("ada").user_id
    bank.do(finance(bank), "walletUnlock", "wallet { id }", userId=user_id)
    assert wallet(fan)["lock"] is None


@pytest.mark.sqlite_only
def test_during_an_order_it_ends_and_other_coins_return_to_their_lots(bank: Bank) -> None:
    fan = bank.person("ada")
    first, second = bought(bank, fan, 600), bought(bank, fan, 500)
    order_id = placed(bank, "ada", 1_000)
    assert (wallet(fan)["available"], wallet(fan)["held"]) == ("100", "1000")
    disputed(bank, first, "open", "DISPUTED")
    order = fan.data(ORDER, id=order_id)["order"]
    assert (order["status"], order["closeReason"]) == ("CANCELLED", "payment_reversed")
    found = wallet(fan)
    assert (found["available"], found["held"], found["debt"]) == ("500", "0", "0")
    assert (rest(found, first), rest(found, second)) == (0, 500)
    disputed(bank, first, "lost", "REFUNDED")
    assert wallet(fan)["available"] == "500"


def test_after_an_order_it_is_owed_repaid_by_the_next_coins_and_written_off_by_two(bank: Bank) -> None:
    fan, desk = bank.person("ada"), finance(bank)
    topup_id = bought(bank, fan, 1_000)
    order_id = filmed(bank, "ada", 1_000)
    disputed(bank, topup_id, "open", "DISPUTED")
    assert fan.data(ORDER, id=order_id)["order"]["status"] == "COMPLETED", "its end stays"
    (owed,) = desk.data(OWED)["debts"]["nodes"]
    assert (owed["coins"], owed["lock"], wallet(fan)["debt"]) == ("1000", {"reason": "DISPUTE"}, "1000")
    later = bought(bank, fan, 400)
    found = wallet(fan)
    assert (found["available"], found["debt"], rest(found, later)) == ("0", "600", 0)
    disputed(bank, topup_id, "lost", "REFUNDED")
    given = {"userId": owed["userId"], "evidence": "The card was stolen."}
    made = bank.do(desk, "debtWriteOffPropose", "writeOff { id coins }", **given)["writeOff"]
    assert made["coins"] == "600"
    bank.do(bank.client("staff:admin"), "debtWriteOffConfirm", "writeOff { status }", writeOffId=made["id"])
    assert (wallet(fan)["debt"], desk.data(OWED)["debts"]["nodes"]) == ("0", [])
    assert bank.till.world.balance("exp:chargeback:EUR") == -600 * 100
