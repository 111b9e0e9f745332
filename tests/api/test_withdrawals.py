"""A fan's own withdrawal from a purchase: the quote, the money to the cent, the bonus, the window and the waiver."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.harness import Client
from tests.api.test_money import Bank, open_bank
from tests.services.world import World
from tests.storage.databases import Place

from shoutgraph.domain.policies import DAY_S, Policy
from shoutgraph.storage import policies

QUOTE = """query($id: ID!, $coins: Coins) { topUpWithdrawalQuote(topUpId: $id, coins: $coins) {
  available refusalCode withdrawable coins bonusCoins amount { minorUnits currency } until } }"""
TOPUP = """query($id: ID!) { node(id: $id) { ... on TopUp { status refunded { minorUnits }
  waiver { textVersion beginsAtOnceAt rightEndsAt }
  withdrawals { status coins bonusCoins amount { minorUnits } } } } }"""
WALLET = "{ wallet { available promo debt } }"
GIVEN = "withdrawal { id status coins bonusCoins amount { minorUnits currency } }"
WAIVER = {"beginsAtOnce": True, "rightEnds": True, "textVersion": "2026-03 de"}


@pytest.fixture
def bank(place: Place) -> Iterator[Bank]:
    with open_bank(place) as bank:
        yield bank


def bought(bank: Bank, fan: Client, **changes: Any) -> str:
    """A package of 7,000 coins for EUR 109.50 and 70 free ones, paid."""
    (package,) = fan.data('{ coinPackages(country: "DE", currency: "EUR") { id } }')["coinPackages"]
    made = bank.buy(fan, buy={"packageId": package["id"]}, **changes)
    assert made["errors"] == [], made
    return paid(bank, made["topUp"]["id"])


def paid(bank: Bank, topup_id: str) -> str:
    bank.till.control(f"payments/{topup_id}/pay")
    bank.till.hear(lambda: bank.client("staff:finance").data(TOPUP, id=topup_id)["node"]["status"] == "PAID")
    return topup_id


def quoted(fan: Client, topup_id: str, coins: str | None = None) -> Any:
    return fan.data(QUOTE, id=topup_id, coins=coins)["topUpWithdrawalQuote"]


def spend(bank: Bank, fan: str, coins: int) -> None:
    """Places an order of so many coins; granted ones go first."""
    world = bank.till.world
    _, _, offer = world.creator(f"of_{coins}", price_coins=coins)
    world.place(world.person(fan), offer)


def settle(bank: Bank, topup_id: str, *statuses: str) -> Any:
    """The top-up, once its withdrawals stand so."""
    client = bank.client("staff:finance")

    def look() -> list[str]:
        return [each["status"] for each in client.data(TOPUP, id=topup_id)["node"]["withdrawals"]]

    bank.till.hear(lambda: look() == list(statuses))
    return client.data(TOPUP, id=topup_id)["node"]


def test_what_is_unspent_goes_back_to_the_cent_and_the_bonus_with_it(bank: Bank) -> None:
    fan = bank.person("ada")
    topup_id = bought(bank, fan)
    whole = quoted(fan, topup_id)
    assert (whole["withdrawable"], whole["coins"], whole["bonusCoins"]) == ("7000", "7000", "70")
    assert whole["amount"] == {"minorUnits": "10950", "currency": "EUR"}
    spend(bank, "ada", 1_070)  # 70 granted ones and 1,000 bought ones: all of the bonus is used
    assert quoted(fan, topup_id)["refusalCode"] == "WITHDRAWAL_SPENT", "who used all of the bonus used all of it"
    world = bank.till.world
    (order,) = fan.data("{ orders(first: 1) { nodes { id } } }")["orders"]["nodes"]
    bank.do(fan, "orderCancel", "order { status }", orderId=order["id"])
    part = quoted(fan, topup_id, "2500")
    assert (part["coins"], part["bonusCoins"], part["amount"]["minorUnits"]) == ("2500", "25", "3911")
    asked = {"idempotencyKey": bank.key(), "topUpId": topup_id, "coins": "2500"}
    first, again = (bank.do(fan, "topUpWithdraw", GIVEN, **asked) for _ in range(2))
    assert (first["errors"], first["replayed"], again["replayed"]) == ([], False, True)
    assert first["withdrawal"]["amount"]["minorUnits"] == "3911"
    assert first["withdrawal"]["id"] == again["withdrawal"]["id"]
    after = settle(bank, topup_id, "SUCCEEDED")
    assert (after["status"], after["refunded"]["minorUnits"]) == ("PARTLY_REFUNDED", "3911")
    assert fan.data(WALLET)["wallet"] == {"available": "4500", "promo": "45", "debt": "0"}
    assert world.balance("refund:" + first["withdrawal"]["id"] + ":promo") == 0
    rest = quoted(fan, topup_id)
    assert (rest["coins"], rest["bonusCoins"], rest["amount"]["minorUnits"]) == ("4500", "45", str(10_950 - 3_911))
    bank.do(fan, "topUpWithdraw", GIVEN, topUpId=topup_id)
    gone = settle(bank, topup_id, "SUCCEEDED", "SUCCEEDED")
    assert (gone["status"], gone["refunded"]["minorUnits"]) == ("REFUNDED", "10950")
    assert fan.data(WALLET)["wallet"] == {"available": "0", "promo": "0", "debt": "0"}
    assert bank.till.cash() == -219, "all of it went back, and the provider keeps its fee"


def test_a_withdrawal_that_fails_later_brings_the_bonus_back_too(bank: Bank) -> None:
    fan = bank.person("ada")
    topup_id = bought(bank, fan)
    bank.do(fan, "topUpWithdraw", GIVEN, topUpId=topup_id, coins="3500")
    settle(bank, topup_id, "SUCCEEDED")
    assert fan.data(WALLET)["wallet"] == {"available": "3500", "promo": "35", "debt": "0"}
    bank.till.control(f"payments/{topup_id}/fail-refund")
    settle(bank, topup_id, "REVERSED")
    assert fan.data(WALLET)["wallet"] == {"available": "7000", "promo": "70", "debt": "0"}
    again = quoted(fan, topup_id)
    assert (again["coins"], again["bonusCoins"], again["amount"]["minorUnits"]) == ("7000", "70", "10950")


@pytest.mark.sqlite_only
def test_what_was_used_stays_and_strangers_withdraw_nothing(bank: Bank) -> None:
    fan = bank.person("ada")
    topup_id = bought(bank, fan)
    spend(bank, "ada", 250)  # 70 granted ones and 180 bought ones
    assert quoted(fan, topup_id)["withdrawable"] == "0"
    other = paid(bank, bank.buy(fan, buy={"coins": "1000"})["topUp"]["id"])
    assert quoted(fan, other)["withdrawable"] == "1000", "its coins came later, and are spent later"
    refused = bank.do(fan, "topUpWithdraw", GIVEN, topUpId=topup_id)
    assert [each["code"] for each in refused["errors"]] == ["WITHDRAWAL_SPENT"]
    large = bank.do(fan, "topUpWithdraw", GIVEN, topUpId=other, coins="1001")
    assert [(each["code"], each["path"]) for each in large["errors"]] == [("REFUND_TOO_LARGE", ["input", "coins"])]
    stranger = bank.do(bank.person("eve"), "topUpWithdraw", GIVEN, topUpId=other)
    assert [each["code"] for each in stranger["errors"]] == ["NOT_FOUND"]


@pytest.mark.sqlite_only
def test_the_window_closes_and_a_waived_right_ends_with_the_first_coin(bank: Bank) -> None:
    fan, world = bank.person("ada"), bank.till.world
    one = {"beginsAtOnce": True, "rightEnds": False, "textVersion": "1"}
    missing = bank.buy(fan, waiver=one)
    assert [(each["code"], each["path"]) for each in missing["errors"]] == [
        ("CONSENT_REQUIRED", ["input", "waiver", "rightEnds"])
    ]
    first = paid(bank, bank.buy(fan, waiver=WAIVER)["topUp"]["id"])
    kept = fan.data(TOPUP, id=first)["node"]["waiver"]
    assert kept["textVersion"] == "2026-03 de"
    assert kept["beginsAtOnceAt"] == kept["rightEndsAt"]
    assert quoted(fan, first)["withdrawable"] == "1000", "nothing is spent yet"
    spend(bank, "ada", 300)
    waived = quoted(fan, first)
    assert (waived["available"], waived["refusalCode"]) == (False, "WITHDRAWAL_WAIVED")
    free = paid(bank, bank.buy(fan)["topUp"]["id"])
    partly(world)
    later = paid(bank, bank.buy(fan, waiver=WAIVER)["topUp"]["id"])
    required = bank.buy(fan)
    assert [(each["code"], each["path"]) for each in required["errors"]] == [("CONSENT_REQUIRED", ["input", "waiver"])]
    spend(bank, "ada", 1_800)
    assert quoted(fan, later)["withdrawable"] == "900", "there the rest can go back"
    assert quoted(fan, free)["refusalCode"] == "WITHDRAWAL_SPENT"
    bank.till.tick(days=3, seconds=1)
    assert quoted(fan, later)["refusalCode"] == "WITHDRAWAL_OVER"
    over = bank.do(fan, "topUpWithdraw", GIVEN, topUpId=later)
    assert [each["code"] for each in over["errors"]] == ["WITHDRAWAL_OVER"]


def partly(world: World) -> None:
    """From now on Germans have three days, waive when they buy, and lose what they spent alone."""
    here = (("DE", 1),)
    rules = Policy(
        version=2, withdrawal_by_country=(("DE", 3 * DAY_S),), waiver_required_in=here, waiver_partly_in=here
    )
    world.write(lambda tx: policies.insert(tx, rules))
