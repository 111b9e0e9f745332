"""Receipts of a phone's store, over HTTP: each counts once, whoever presents it and whatever goes wrong."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from tests.api.harness import Client
from tests.api.test_money import Bank, open_bank
from tests.services import kiosk as stores
from tests.services.kiosk import COINS, PRICE, PRODUCT, Kiosk
from tests.storage.databases import Place

from shoutgraph.domain import ids
from shoutgraph.domain.features import WHOLE, Feature, Lists, Terms
from shoutgraph.domain.packages import PackageEntry
from shoutgraph.domain.topups.topup import Status, Topup
from shoutgraph.services import features
from shoutgraph.services.topups import apply, redeem
from shoutgraph.services.topups.redeem import PROOF_CHARS_MAX
from shoutgraph.storage import receipts, topups, users
from shoutgraph.storage.tx import Tx

SHAPE = """topUp { id status coins bonusCoins review refunded { minorUnits } package { coins } } replayed
  errors { __typename ... on UserError { code path } ... on ProviderDeclinedError { declineCode } }"""
REDEEM = f"mutation($input: TopUpRedeemInput!) {{ topUpRedeem(input: $input) {{ {SHAPE} }} }}"
SHOP = """{ coinPackages(country: "DE", currency: "EUR", platform: IOS) { id coins storeCode } }"""
WAYS = """{ topUpProviders(coins: "700", country: "DE", currency: "EUR", platform: IOS) {
  code methods currency refunds storeCode minAmount { minorUnits } maxAmount { minorUnits } } }"""
NODE = "query($id: ID!) { node(id: $id) { ... on TopUp { status review refunded { minorUnits } } } }"
WALLET = "{ wallet { available promo debt } }"


@dataclass
class Counter:
    """A store beside a bank."""

    bank: Bank
    store: Kiosk

    def package(self, coins: int = COINS) -> str:
        shop = self.bank.person("ada").data(SHOP)["coinPackages"]
        return next(str(each["id"]) for each in shop if each["coins"] == str(coins))

    def given(self, proof: str, **changes: Any) -> dict[str, Any]:
        given = {"idempotencyKey": self.bank.key(), "providerCode": stores.INSTANCE, "proof": proof}
        return given | changes | {"packageId": changes.get("packageId") or self.package()}

    def redeem(self, who: Client, proof: str, **changes: Any) -> Any:
        return who.data(REDEEM, input=self.given(proof, **changes))["topUpRedeem"]

    def node(self, topup_id: str) -> Any:
        return self.bank.client("staff:finance").data(NODE, id=topup_id)["node"]

    def coins(self, who: Client) -> tuple[str, str, str]:
        wallet = who.data(WALLET)["wallet"]
        return wallet["available"], wallet["promo"], wallet["debt"]

    def kept(self, topup_id: str) -> bool:
        """Whether we still have the receipt."""
        return self.bank.till.world.read(lambda tx: receipts.find(tx, ids.TopupId(topup_id))) is not None


@pytest.fixture
def counter(place: Place) -> Iterator[Counter]:
    with open_counter(place) as counter:
        yield counter


@pytest.fixture(scope="module")
def shared(module_place: Place) -> Iterator[Counter]:
    """One for all that changes nothing."""
    with open_counter(module_place) as counter:
        yield counter


@contextmanager
def open_counter(place: Place) -> Iterator[Counter]:
    with stores.open_kiosk() as store, open_bank(place, partial(stores.beside, store)) as bank:
        stores.load_prices(bank.till)
        yield Counter(bank, store)


def code_of(payload: Any) -> str:
    assert payload["topUp"] is None
    (error,) = payload["errors"]
    return str(error.get("declineCode") or error["code"])


def test_a_receipt_gives_the_coins_of_its_package(counter: Counter) -> None:
    ada = counter.bank.person("ada")
    (way,) = [each for each in ada.data(WAYS)["topUpProviders"] if each["methods"] == ["STORE"]]
    assert way == {
        "code": "kiosk",
        "methods": ["STORE"],
        "currency": "EUR",
        "refunds": "EXTERNAL",
        "storeCode": PRODUCT,
        "minAmount": {"minorUnits": "99"},
        "maxAmount": {"minorUnits": "99999"},
    }
    done = counter.redeem(ada, counter.store.sell())
    assert (done["errors"], done["replayed"]) == ([], False)
    topup = done["topUp"]
    assert (topup["status"], topup["coins"], topup["bonusCoins"]) == ("PAID", "700", "10")
    assert counter.coins(ada) == ("700", "10", "0")
    assert not counter.kept(topup["id"])
    assert counter.bank.till.cash(instance="kiosk") == PRICE


def test_a_receipt_that_was_paid_is_credited_while_buying_is_off_but_not_while_its_store_is(counter: Counter) -> None:
    ada, world = counter.bank.person("ada"), counter.bank.till.world
    admin = world.staff("admin")

    def switch(*, on: bool, provider: str = WHOLE) -> None:
        wish = features.Wish(Feature.TOPUPS, provider, Terms(enabled=on), Lists(), "A test")
        world.run(features.set_rule(world.tools, admin, world.request("featureRuleSet", admin), wish))

    switch(on=False)
    assert counter.redeem(ada, counter.store.sell())["topUp"]["status"] == "PAID"
    assert counter.coins(ada) == ("700", "10", "0")
    switch(on=False, provider=stores.INSTANCE)
    proof = counter.store.sell()
    assert code_of(counter.redeem(ada, proof)) == "FEATURE_UNAVAILABLE"
    switch(on=True, provider=stores.INSTANCE)
    assert counter.redeem(ada, proof)["topUp"]["status"] == "PAID", "the receipt stayed good"
    assert counter.coins(ada) == ("1400", "20", "0")


def test_a_receipt_counts_once_for_its_buyer(counter: Counter) -> None:
    ada, receipt = counter.bank.person("ada"), counter.store.sell()
    given = counter.given(receipt)
    first, again = (ada.data(REDEEM, input=given)["topUpRedeem"] for _ in range(2))
    assert (first["topUp"]["id"], first["replayed"]) == (again["topUp"]["id"], False)
    assert again["replayed"]
    assert code_of(counter.redeem(ada, receipt)) == "already_redeemed"
    other = ada.data(REDEEM, input=given | {"proof": counter.store.sell()})["topUpRedeem"]
    assert code_of(other) == "IDEMPOTENCY_KEY_REUSED"
    assert counter.coins(ada) == ("700", "10", "0")


def test_a_receipt_counts_once_among_everybody_at_once(counter: Counter) -> None:
    people = [counter.bank.person(name) for name in ("ada", "bob", "cyd", "dan")]
    receipt = counter.store.sell()
    inputs = [counter.given(receipt) for _ in people]
    with ThreadPoolExecutor(len(people)) as pool:
        done = list(pool.map(lambda who, given: who.data(REDEEM, input=given)["topUpRedeem"], people, inputs))
    statuses = sorted((each["topUp"]["status"], each["topUp"]["review"]) for each in done if each["topUp"])
    assert statuses == [("NEEDS_REVIEW", "REF_TAKEN")] * 3 + [("PAID", None)]
    assert sorted(counter.coins(who)[0] for who in people) == ["0", "0", "0", "700"]
    counter.bank.till.tick(days=2)
    assert sorted(counter.coins(who)[0] for who in people) == ["0", "0", "0", "700"]


@pytest.mark.parametrize(
    ("bought", "review"),
    [({"minor": PRICE - 1}, "AMOUNT_MISMATCH"), ({"currency": "USD"}, "CURRENCY_MISMATCH")],
)
def test_another_price_than_the_packages_credits_nothing(counter: Counter, bought: Any, review: str) -> None:
    ada = counter.bank.person("ada")
    topup = counter.redeem(ada, counter.store.sell(**bought))["topUp"]
    assert (topup["status"], topup["review"]) == ("NEEDS_REVIEW", review)
    counter.bank.till.tick(days=2)
    assert counter.node(topup["id"])["status"] == "NEEDS_REVIEW"
    assert counter.coins(ada) == ("0", "0", "0")
    assert not counter.kept(topup["id"])


def test_a_receipt_of_another_product_and_a_forged_one_are_declined(counter: Counter) -> None:
    ada = counter.bank.person("ada")
    assert code_of(counter.redeem(ada, counter.store.sell(product="coins.7000"))) == "other_product"
    assert code_of(counter.redeem(ada, "forged")) == "unknown_receipt"
    assert counter.coins(ada) == ("0", "0", "0")


def test_a_locked_account_has_what_it_paid_for(counter: Counter) -> None:
    world, ada = counter.bank.till.world, counter.bank.person("ada")
    fan = world.person("ada")
    assert fan.user_id is not None, "a fan is a person"
    user_id = fan.user_id

    def lock(tx: Tx) -> None:
        user = users.get(tx, user_id)
        users.save(tx, replace(user, locked=True, revision=user.revision + 1))

    world.write(lock)
    assert counter.bank.buy(ada)["errors"][0]["code"] == "WALLET_LOCKED"
    assert counter.redeem(ada, counter.store.sell())["topUp"]["status"] == "PAID"
    assert counter.coins(ada) == ("700", "10", "0")


def test_what_was_declined_stays_its_buyers(counter: Counter) -> None:
    ada, bob = counter.bank.person("ada"), counter.bank.person("bob")
    receipt = counter.store.sell(minor=12_999, product="coins.7000")
    assert code_of(counter.redeem(bob, receipt)) == "other_product"
    assert counter.redeem(ada, receipt, packageId=counter.package(7_000))["topUp"]["status"] == "PAID"
    assert counter.coins(ada) == ("7000", "0", "0")


def test_a_crash_before_the_store_was_asked_loses_no_receipt(counter: Counter) -> None:
    till, receipt = counter.bank.till, counter.store.sell()
    tools, fan = till.world.tools, till.world.person("ada")
    claim = redeem.Claim(stores.INSTANCE, counter.package(), receipt)

    def work(tx: Tx) -> Topup:
        assert fan.user_id is not None, "a fan is a person"
        topup, kept = redeem._new(tools, tx, fan.user_id, claim)
        topups.insert(tx, topup, look_at=topup.answer_due_at)
        receipts.insert(tx, topup.id, kept)
        apply.tell(tools, tx, topup, None)
        return topup

    topup = till.world.write(work)
    till.tick(seconds=61)
    assert (till.topup(topup).status, counter.store.calls) == (Status.PAID, [receipt])
    assert (counter.coins(counter.bank.person("ada")), counter.kept(topup.id)) == (("700", "10", "0"), False)


def test_a_lost_answer_is_asked_for_again_with_the_same_receipt(counter: Counter) -> None:
    ada, receipt = counter.bank.person("ada"), counter.store.sell()
    counter.store.losing = 2
    topup = counter.redeem(ada, receipt)["topUp"]
    assert (topup["status"], counter.kept(topup["id"])) == ("PROCESSING", True)
    counter.bank.till.tick(seconds=6)
    assert counter.node(topup["id"])["status"] == "PROCESSING"
    counter.bank.till.tick(minutes=1)
    assert counter.node(topup["id"])["status"] == "PAID"
    assert counter.store.calls == [receipt] * 3
    assert (counter.coins(ada), counter.kept(topup["id"])) == (("700", "10", "0"), False)


def test_a_store_that_is_away_can_be_asked_later(counter: Counter) -> None:
    ada, receipt = counter.bank.person("ada"), counter.store.sell()
    counter.store.stop()
    given = counter.given(receipt)
    for replayed in (False, True):
        payload = ada.data(REDEEM, input=given)["topUpRedeem"]
        assert (code_of(payload), payload["replayed"]) == ("PROVIDER_UNAVAILABLE", replayed)
    assert counter.coins(ada) == ("0", "0", "0")


def test_what_the_store_gives_back_takes_the_coins(counter: Counter) -> None:
    ada, receipt = counter.bank.person("ada"), counter.store.sell()
    topup = counter.redeem(ada, receipt)["topUp"]
    told = counter.store.refund(receipt, 1_000)
    for _ in range(2):
        assert stores.post(counter.bank.till, told).status_code == 200
    found = counter.node(topup["id"])
    assert (found["status"], found["refunded"]) == ("PARTLY_REFUNDED", {"minorUnits": "1000"})
    assert counter.coins(ada)[0] == str(COINS - COINS * 1_000 // PRICE)
    assert stores.post(counter.bank.till, counter.store.refund(receipt, PRICE - 1_000)).status_code == 200
    assert counter.node(topup["id"])["status"] == "REFUNDED"
    assert counter.coins(ada) == ("0", "0", "0")


def test_a_package_that_went_off_sale_is_the_one_that_is_sold_now(counter: Counter) -> None:
    ada, old = counter.bank.person("ada"), counter.package()
    fewer = PackageEntry(stores.PHONES, 600, PRICE, 0, PRODUCT)
    stores.load_prices(counter.bank.till, (fewer,))
    topup = counter.redeem(ada, counter.store.sell(), packageId=old)["topUp"]
    assert (topup["status"], topup["coins"]) == ("PAID", "600")
    stores.load_prices(counter.bank.till, ())
    topup = counter.redeem(ada, counter.store.sell(), packageId=old)["topUp"]
    assert (topup["status"], topup["coins"]) == ("PAID", "700")


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"proof": ""}, "EMPTY", "proof"),
        ({"proof": "x" * (PROOF_CHARS_MAX + 1)}, "TOO_LONG", "proof"),
        ({"proof": "x\ny"}, "INVALID_TEXT", "proof"),
        ({"packageId": "package_00000000000000000000000000"}, "NOT_FOUND", "packageId"),
        ({"packageId": "rubbish"}, "INVALID_ID", "packageId"),
        ({"providerCode": "sandbox"}, "PROVIDER_UNAVAILABLE", "providerCode"),
        ({"providerCode": "nobody"}, "PROVIDER_UNAVAILABLE", "providerCode"),
        ({"country": "FR"}, "OTHER_COUNTRY", "country"),
    ],
)
def test_what_cannot_be_redeemed_is_refused(shared: Counter, changes: Any, code: str, path: str) -> None:
    ada = shared.bank.person("ada")
    payload = shared.redeem(ada, **({"proof": shared.store.sell()} | changes))
    assert (code_of(payload), payload["errors"][0]["path"]) == (code, ["input", path])
    assert shared.store.calls == []


def test_a_package_of_the_web_is_in_no_store(counter: Counter) -> None:
    ada = counter.bank.person("ada")
    (web,) = ada.data("""{ coinPackages(country: "DE", currency: "EUR") { id storeCode } }""")["coinPackages"]
    assert web["storeCode"] is None
    assert code_of(counter.redeem(ada, counter.store.sell(), packageId=web["id"])) == "NOT_FOUND"


def test_only_a_person_redeems(counter: Counter) -> None:
    given = counter.given("a receipt")
    stranger = Client(counter.bank.served.url)
    assert stranger.code(REDEEM, input=given) == "UNAUTHENTICATED"
    stranger.close()
    assert code_of(counter.bank.client("staff:finance").data(REDEEM, input=given)["topUpRedeem"]) == "FORBIDDEN"


def test_a_receipt_is_not_told_to_any_log(counter: Counter, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    receipt = counter.store.sell()
    counter.store.losing = 1
    topup = counter.redeem(counter.bank.person("ada"), receipt)["topUp"]
    counter.bank.till.tick(seconds=6)
    assert counter.node(topup["id"])["status"] == "PAID"
    assert "receipt-1." not in caplog.text
