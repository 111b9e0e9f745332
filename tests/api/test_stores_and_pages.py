"""The App Store and Mollie from end to end: coins that a device bought, and coins that were paid on a page."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import httpx
import pytest
from tests.api.harness import Client, serving
from tests.api.test_money import Bank, open_bank
from tests.api.test_redeem import NODE, REDEEM, SHOP, WALLET
from tests.services import kiosk
from tests.storage.databases import Place

import shoutgraph_appstore
import shoutgraph_mollie
from shoutgraph.api.drain import Drain
from shoutgraph.domain.packages import PackageEntry
from shoutgraph.plugins import loading
from shoutgraph.sdk import AsgiMessage, AsgiReceive, AsgiSend, Money
from shoutgraph.testkit.upstreams import Act, AsgiApp, Forgery, Receipt, Stage
from shoutgraph_appstore.simulator.upstream import CURRENCY, PRODUCT, AppStoreUpstream
from shoutgraph_mollie.simulator.upstream import MollieUpstream

UpstreamT = TypeVar("UpstreamT", AppStoreUpstream, MollieUpstream)
COINS, PRICE = 700, 499
SOLD = PackageEntry(kiosk.PHONES, COINS, PRICE, product=PRODUCT)


class Late:
    """A web server that opens before what it serves is made, because that wants to know the address."""

    app: AsgiApp | None = None

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        if scope["type"] == "http" and self.app is not None:
            await self.app(scope, receive, send)


@dataclass
class Counter(Generic[UpstreamT]):
    """A bank with one more provider, under the provider's own name."""

    bank: Bank
    upstream: UpstreamT
    name: str

    def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
        asyncio.run(self.upstream.act(verb, ref, amount))

    def hear(self, *, forged: Forgery | None = None) -> list[int]:
        """Delivers what the provider has to tell; gives our answers."""
        raws = asyncio.run(self.upstream.deliveries())
        sent = [raw if forged is None else self.upstream.forge(raw, forged) for raw in raws]
        return [self.post(raw.body) for raw in sent]

    def post(self, body: bytes) -> int:
        return self.bank.till.post_hook(body, {"x-stranger": "1"}, self.name).status_code

    def node(self, topup_id: str) -> Any:
        return self.bank.client("staff:finance").data(NODE, id=topup_id)["node"]

    def coins(self, who: Client) -> tuple[str, str]:
        wallet = who.data(WALLET)["wallet"]
        return wallet["available"], wallet["debt"]


@contextmanager
def open_counter(
    place: Place, kind: type[UpstreamT], plugin: Any, name: str, folder: Path
) -> Iterator[Counter[UpstreamT]]:
    late = Late()
    upstreams: list[UpstreamT] = []

    with serving(late, Drain()) as served:

        def beside(setup: loading.Setup) -> loading.Setup:
            upstream = kind(Stage(base_url=served.url, clock=setup.clock, folder=folder, instance=name))
            late.app = upstream.app
            upstreams.append(upstream)
            config = {"plugin": name, **upstream.config(served.url)}
            return replace(setup, instances={**setup.instances, name: config}, extra={**setup.extra, name: plugin})

        with open_bank(place, beside) as bank:
            yield Counter(bank, upstreams[-1], name)


@pytest.fixture
def store(place: Place, tmp_path: Path) -> Iterator[Counter[AppStoreUpstream]]:
    with open_counter(place, AppStoreUpstream, shoutgraph_appstore, "appstore", tmp_path) as counter:
        kiosk.load_prices(counter.bank.till, (SOLD,))
        yield counter


@pytest.fixture
def page(place: Place, tmp_path: Path) -> Iterator[Counter[MollieUpstream]]:
    with open_counter(place, MollieUpstream, shoutgraph_mollie, "mollie", tmp_path) as counter:
        yield counter


def bought(store: Counter[AppStoreUpstream], name: str, kind: Receipt = Receipt.GENUINE) -> str:
    """A device of this person buys the coins; gives the receipt."""
    return asyncio.run(store.upstream.receipt(kind, store.bank.till.world.person(name).user_id or ""))


def redeemed(store: Counter[AppStoreUpstream], name: str, proof: str) -> Any:
    (package,) = [
        each["id"] for each in store.bank.person(name).data(SHOP)["coinPackages"] if each["storeCode"] == PRODUCT
    ]
    given = {"idempotencyKey": store.bank.key(), "providerCode": "appstore", "packageId": package, "proof": proof}
    return store.bank.person(name).data(REDEEM, input=given)["topUpRedeem"]


def code_of(payload: Any) -> str:
    (error,) = payload["errors"]
    return str(error.get("declineCode") or error["code"])


def test_a_devices_purchase_becomes_coins_once_and_goes_with_a_refund(store: Counter[AppStoreUpstream]) -> None:
    ada, receipt = store.bank.person("ada"), bought(store, "ada")
    assert store.hear() == [200], "a purchase that nobody has presented yet"
    topup = redeemed(store, "ada", receipt)["topUp"]
    assert (topup["status"], store.coins(ada)) == ("PAID", (str(COINS), "0"))
    assert code_of(redeemed(store, "ada", receipt)) == "already_redeemed"
    (sale,) = store.upstream.store.sales.sold
    assert store.bank.till.cash(instance="appstore") == PRICE
    store.act(Act.REFUND, sale, Money(PRICE, CURRENCY))
    assert store.hear(forged=Forgery.WRONG_KEY) == [400]
    assert store.coins(ada) == (str(COINS), "0")
    store.upstream.store.sales.tell("REFUND", store.upstream.store.sales.sold[sale])
    assert store.hear() == [200]
    assert (store.node(topup["id"])["status"], store.coins(ada)) == ("REFUNDED", ("0", "0"))
    assert store.bank.till.cash(instance="appstore") == 0
    store.upstream.store.sales.reverse(sale)
    assert store.hear() == [200]
    assert (store.node(topup["id"])["status"], store.coins(ada)) == ("PAID", (str(COINS), "0"))
    assert store.bank.till.cash(instance="appstore") == PRICE


def test_a_refund_that_was_not_told_is_seen_when_the_receipt_is_presented(store: Counter[AppStoreUpstream]) -> None:
    receipt = bought(store, "ada")
    store.upstream.store.sales.refund(next(iter(store.upstream.store.sales.sold)))
    topup = redeemed(store, "ada", receipt)["topUp"]
    assert (topup["status"], store.coins(store.bank.person("ada"))) == ("REFUNDED", ("0", "0"))


def test_a_receipt_that_is_not_right_gives_no_coins_and_takes_nothing_from_its_buyer(
    store: Counter[AppStoreUpstream],
) -> None:
    refused = [kind for kind in Receipt if kind is not Receipt.GENUINE]
    payloads = [redeemed(store, "ada", bought(store, "ada", kind)) for kind in refused]
    assert [each["topUp"] for each in payloads] == [None] * len(refused)
    assert {code_of(each) for each in payloads} == {
        "other_buyer", "other_app", "other_product", "other_environment", "not_genuine",
    }  # fmt: skip
    receipt = bought(store, "ada")
    assert code_of(redeemed(store, "bob", receipt)) == "other_buyer"
    assert redeemed(store, "ada", receipt)["topUp"]["status"] == "PAID", "whoever presented it first"


def test_what_was_paid_on_the_page_is_believed_by_a_look_only(page: Counter[MollieUpstream]) -> None:
    ada = page.bank.person("ada")
    topup = page.bank.buy(ada, providerCode="mollie")["topUp"]
    assert topup["status"] == "ACTION_REQUIRED"
    assert page.post(b"id=tr_madeUpByAStranger") == 200
    assert page.post(b"id=tr_x&status=paid") == 400
    (ref,) = page.upstream.books.payments
    assert page.post(f"id={ref}".encode()) == 200, "a look at what is not paid yet"
    page.bank.till.tick()
    assert (page.node(topup["id"])["status"], page.coins(ada)) == ("ACTION_REQUIRED", ("0", "0"))
    back = httpx.post(topup["nextAction"]["url"], data={"status": "paid"}, trust_env=False)
    assert back.headers["location"].startswith("https://fan.example/back")
    assert page.hear() == [200]
    page.bank.till.tick()
    assert (page.node(topup["id"])["status"], page.coins(ada)) == ("PAID", ("1000", "0"))
    assert page.bank.till.cash(instance="mollie") == 1_000


def test_what_goes_back_on_the_page_takes_the_coins(page: Counter[MollieUpstream]) -> None:
    ada = page.bank.person("ada")
    topup = page.bank.buy(ada, providerCode="mollie")["topUp"]
    (ref,) = page.upstream.books.payments
    for verb, amount, status, coins in (
        (Act.PAY, None, "PAID", "1000"),
        (Act.REFUND, Money(250, "EUR"), "PARTLY_REFUNDED", "750"),
        (Act.REFUND, Money(750, "EUR"), "REFUNDED", "0"),
    ):
        page.act(verb, ref, amount)
        assert page.hear() == [200]
        page.bank.till.tick()
        assert (page.node(topup["id"])["status"], page.coins(ada)) == (status, (coins, "0"))


def test_a_refund_of_ours_takes_days_and_counts_when_it_has_arrived(page: Counter[MollieUpstream]) -> None:
    ada, frank = page.bank.person("ada"), page.bank.client("staff:finance")
    topup = page.bank.buy(ada, providerCode="mollie")["topUp"]
    (ref,) = page.upstream.books.payments
    page.act(Act.PAY, ref)
    page.hear()
    page.bank.till.tick()
    page.act(Act.HOLD_REFUND, ref)
    given = {"topUpId": topup["id"], "amount": {"coins": "300"}, "reason": "A kind word"}
    refund = page.bank.do(frank, "topUpRefund", "refund { id status }", **given)["refund"]
    page.bank.till.tick(days=1)
    assert (refund["status"], page.coins(ada)) == ("PENDING", ("700", "0"))
    assert page.node(topup["id"])["status"] == "PAID"
    (made,) = page.upstream.books.payments[ref].refunds
    assert made.amount == Money(300, "EUR"), "asked for once, however often it was looked at"
    made.status = "refunded"
    assert page.hear() == [200]
    page.bank.till.tick()
    state = frank.data("query($id: ID!) { node(id: $id) { ... on TopUpRefund { status } } }", id=refund["id"])["node"]
    assert (state["status"], page.node(topup["id"])["status"]) == ("SUCCEEDED", "PARTLY_REFUNDED")
    assert page.coins(ada) == ("700", "0")


def test_a_chargeback_holds_the_coins_until_the_bank_reverses_it(page: Counter[MollieUpstream]) -> None:
    ada = page.bank.person("ada")
    topup = page.bank.buy(ada, providerCode="mollie")["topUp"]
    (ref,) = page.upstream.books.payments
    page.act(Act.PAY, ref)
    page.act(Act.DISPUTE, ref)
    assert page.hear() == [200, 200]
    page.bank.till.tick()
    assert (page.node(topup["id"])["status"], page.coins(ada)) == ("DISPUTED", ("0", "0"))
    page.act(Act.WIN, ref)
    assert page.hear() == [200]
    page.bank.till.tick()
    assert (page.node(topup["id"])["status"], page.coins(ada)) == ("PAID", ("1000", "0"))
