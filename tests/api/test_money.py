"""Money as front ends see it: buying coins, the wallet, earnings and payouts, each by whole documents."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from starlette.applications import Starlette
from tests.api.harness import Client, Served, serving
from tests.services.till import Prepare, Till, open_till
from tests.services.world import BOOKS, new_id
from tests.storage.databases import Place

from shoutgraph.api.drain import Drain
from shoutgraph.api.graphql import earnings, packages, profiles, refunds, resolutions, users, wallets
from shoutgraph.api.graphql.assembly import assemble
from shoutgraph.api.graphql.execution import Runner
from shoutgraph.api.graphql.orders import room as orders
from shoutgraph.api.graphql.payouts import room as payouts
from shoutgraph.api.graphql.topups import room as topups
from shoutgraph.api.http import build_asgi
from shoutgraph.api.transport import Transport
from shoutgraph.domain import accounts, ids, postings
from shoutgraph.domain.earnings import Earning, EarningKind
from shoutgraph.domain.users import ANONYMOUS, ROLES, Principal, Viewer
from shoutgraph.plugins import loading
from shoutgraph.services import earnings as earning_services
from shoutgraph.services.users import Identities
from shoutgraph.storage import earnings as earning_rows, ledger as books, topups as topup_rows
from shoutgraph.storage.tx import Tx

NO_PACKAGE = "package_00000000000000000000000000"
ROOMS = (
    *(users.ROOM, profiles.ROOM, packages.ROOM, orders.ROOM, topups.ROOM, wallets.ROOM, earnings.ROOM, payouts.ROOM),
    *(refunds.ROOM, resolutions.ROOM),
)
SCHEMA = assemble(ROOMS)

CREATE = """mutation($input: TopUpCreateInput!) { topUpCreate(input: $input) {
  topUp { id status coins price { minorUnits currency } nextAction { __typename ... on RedirectAction { url } } }
  replayed
  errors { __typename ... on UserError { code path } ... on ProviderDeclinedError { declineCode retryable } } } }"""
WALLET = """query($user: ID) { wallet(userId: $user) { id available promo held debt lock { reason }
  lots(first: 5) { nodes { kind granted remaining price { minorUnits currency } country topUpId expiresAt } }
  statement(first: 5) { nodes { kind ref coin coins balance orderId order { id } } pageInfo { hasNextPage } } } }"""
NODE = """query($id: ID!) { node(id: $id) { id
  ... on TopUp { status package { coins } } ... on Payout { payoutStatus: status } } }"""


@dataclass
class Bank:
    """A till behind a server."""

    till: Till
    served: Served
    clients: dict[str, Client] = field(default_factory=dict)
    keys: int = 0

    def client(self, token: str) -> Client:
        """A user by id, or `staff:<role>`."""
        if token not in self.clients:
            self.clients[token] = Client(self.served.url, token)
        return self.clients[token]

    def person(self, name: str) -> Client:
        return self.client(self.till.world.person(name).user_id or "")

    def key(self) -> str:
        self.keys += 1
        return f"key-{self.keys:020d}"

    def buy(self, client: Client, **changes: Any) -> Any:
        given = {
            "idempotencyKey": self.key(),
            "buy": {"coins": "1000"},
            "currency": "EUR",
            "providerCode": "sandbox",
            "returnUrl": "https://fan.example/back",
        } | changes
        return client.data(CREATE, input=given)["topUpCreate"]

    def do(self, client: Client, mutation: str, shape: str, **given: Any) -> Any:
        """The payload of a mutation."""
        document = document_of(mutation, f"{shape} replayed errors {{ ... on UserError {{ code path }} }}")
        return client.data(document, input={"idempotencyKey": self.key()} | given)[mutation]

    def code(self, client: Client, mutation: str, **given: Any) -> str:
        """Why somebody is not let in."""
        return client.code(document_of(mutation, "__typename"), input={"idempotencyKey": self.key()} | given)


def document_of(mutation: str, shape: str) -> str:
    name = mutation[0].upper() + mutation[1:]
    return f"mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ {shape} }} }}"


@contextmanager
def open_bank(place: Place, prepare: Prepare = lambda setup: setup) -> Iterator[Bank]:
    with open_till(place, prepare) as till:
        identities = Identities(till.world.tools)
        assert till.setup is not None, "the till is open"
        providers = loading.load(till.setup)  # connections belong to the loop that opened them

        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            yield
            await providers.aclose()

        async def authenticate(authorization: str | None) -> Viewer:
            if authorization is None:
                return ANONYMOUS
            token = authorization.removeprefix("Bearer ")
            kind, _, name = token.partition(":")
            scopes = ROLES[name] if kind == "staff" else frozenset()
            return await identities.identify(Principal(token, scopes=scopes))

        transport = Transport(
            runner=Runner(SCHEMA),
            tools=replace(till.world.tools, providers=providers),
            authenticate=authenticate,
            new_request_id=lambda: "request-0001",
            drain=Drain(),
            clock=till.world.clock,
        )
        with serving(build_asgi(transport, lifespan=lifespan), transport.drain) as served:
            bank = Bank(till, served)
            yield bank
            for client in bank.clients.values():
                client.close()


@pytest.fixture
def bank(place: Place) -> Iterator[Bank]:
    with open_bank(place) as bank:
        yield bank


@pytest.fixture(scope="module")
def shared(module_place: Place) -> Iterator[Bank]:
    """One for all purchases that fail."""
    with open_bank(module_place) as bank:
        yield bank


def test_a_fan_buys_coins_and_sees_where_each_came_from(bank: Bank) -> None:
    fan = bank.person("ada")
    ways = """{ topUpProviders(coins: "7000", country: "DE", currency: "EUR") { code label methods } }"""
    assert fan.data(ways)["topUpProviders"] == [{"code": "sandbox", "label": "Sandbox", "methods": ["PAGE"]}]
    shop = """{ coinPackages(country: "DE", currency: "EUR") { id coins bonusCoins } }"""
    (package,) = fan.data(shop)["coinPackages"]
    bought = bank.buy(fan, buy={"packageId": package["id"]})
    assert (bought["errors"], bought["replayed"]) == ([], False)
    topup = bought["topUp"]
    assert (topup["status"], topup["coins"]) == ("ACTION_REQUIRED", "7000")
    assert topup["nextAction"]["url"].startswith(bank.till.url)
    pay(bank, topup["id"])
    assert fan.data(NODE, id=topup["id"])["node"] == {"id": topup["id"], "status": "PAID", "package": {"coins": "7000"}}
    wallet = fan.data(WALLET)["wallet"]
    assert (wallet["available"], wallet["promo"], wallet["held"], wallet["debt"]) == ("7000", "70", "0", "0")
    assert [(lot["kind"], lot["remaining"]) for lot in wallet["lots"]["nodes"]] == [("PROMO", "70"), ("PAID", "7000")]
    assert wallet["lots"]["nodes"][1]["price"] == {"minorUnits": "10950", "currency": "EUR"}
    lines = [(line["kind"], line["coin"], line["coins"], line["balance"]) for line in wallet["statement"]["nodes"]]
    assert lines == [("topup.succeeded", "PROMO", "70", "70"), ("topup.succeeded", "PAID", "7000", "7000")]


def pay(bank: Bank, topup_id: str) -> None:
    bank.till.control(f"payments/{topup_id}/pay")
    look(bank, topup_id)


def look(bank: Bank, topup_id: str) -> None:
    bank.till.look(bank.till.world.read(lambda tx: topup_rows.get(tx, topup_id)))


def test_a_statement_leads_to_its_orders(bank: Bank) -> None:
    fan = bank.person("ada")
    pay(bank, bank.buy(fan, buy={"coins": "2000"})["topUp"]["id"])
    _, _, offer = bank.till.world.creator("vega")
    order = bank.till.world.place(bank.till.world.people["ada"], offer)
    wallet = fan.data(WALLET)["wallet"]
    assert (wallet["available"], wallet["held"]) == ("1000", "1000")
    (line, _) = wallet["statement"]["nodes"]
    assert (line["kind"], line["coins"], line["order"]) == ("order.placed", "-1000", {"id": order.id})


def test_a_repeat_with_another_selection_gives_the_first_purchase(bank: Bank) -> None:
    fan = bank.person("ada")
    key = bank.key()
    first, again = bank.buy(fan, idempotencyKey=key), bank.buy(fan, idempotencyKey=key)
    assert (first["topUp"]["id"], True) == (again["topUp"]["id"], again["replayed"])
    other = bank.buy(fan, idempotencyKey=key, buy={"coins": "1100"})
    assert [error["__typename"] for error in other["errors"]] == ["IdempotencyKeyReusedError"]


@pytest.mark.parametrize(
    ("changes", "error", "code", "path"),
    [
        ({"buy": {"coins": "1001"}}, "ProviderDeclinedError", "PROVIDER_DECLINED", None),
        ({"providerCode": "nobody"}, "ProviderUnavailableError", "PROVIDER_UNAVAILABLE", "input.providerCode"),
        ({"returnUrl": "nowhere"}, "ValidationError", "INVALID_URL", "input.returnUrl"),
        ({"locale": ""}, "ValidationError", "INVALID_LANGUAGE", "input.locale"),
        ({"country": "FR"}, "ValidationError", "OTHER_COUNTRY", "input.country"),
        ({"buy": {"packageId": NO_PACKAGE}}, "NotFoundError", "NOT_FOUND", "input.buy.packageId"),
        ({"buy": {"coins": "1000000000"}}, "ValidationError", "OUT_OF_RANGE", "input.buy.coins"),
        ({"currency": "CHF"}, "NotFoundError", "NOT_FOUND", "input.country"),
    ],
)
def test_a_purchase_that_fails_says_why_and_where_as_data(
    shared: Bank, changes: dict[str, Any], error: str, code: str, path: str | None
) -> None:
    bought = shared.buy(shared.person("ada"), **changes)
    assert bought["topUp"] is None
    (refused,) = bought["errors"]
    assert (refused["__typename"], refused["code"]) == (error, code)
    assert refused["path"] == (path.split(".") if path else None)


def test_others_see_nothing_of_a_purchase_or_a_wallet_and_finance_sees_all(bank: Bank) -> None:
    fan, stranger, finance = bank.person("ada"), bank.person("bob"), bank.client("staff:finance")
    topup_id = bank.buy(fan)["topUp"]["id"]
    wallet_id = fan.data(WALLET)["wallet"]["id"]
    user_id = bank.till.world.people["ada"].user_id
    for client, sees in ((fan, True), (stranger, False), (finance, True)):
        assert (client.data(NODE, id=topup_id)["node"] is not None) is sees
        assert (client.data("query($id: ID!) { node(id: $id) { id } }", id=wallet_id)["node"] is not None) is sees
    assert stranger.code(WALLET, user=user_id) == "FORBIDDEN"
    assert finance.data(WALLET, user=user_id)["wallet"]["id"] == wallet_id
    everyone = "{ topUps(everyone: true) { nodes { id } } }"
    assert stranger.code(everyone) == "FORBIDDEN"
    assert [node["id"] for node in finance.data(everyone)["topUps"]["nodes"]] == [topup_id]
    mine = "{ topUps(filter: {status: [PAID]}) { nodes { id } } }"
    assert fan.data(mine)["topUps"]["nodes"] == []


def test_finance_unlocks_a_wallet(bank: Bank) -> None:
    fan, finance = bank.person("ada"), bank.client("staff:finance")
    topup_id = bank.buy(fan, buy={"coins": "1007"})["topUp"]["id"]
    pay(bank, topup_id)
    bank.till.control("advance", seconds=10)
    look(bank, topup_id)
    assert fan.data(WALLET)["wallet"]["lock"] == {"reason": "DISPUTE"}
    user_id = bank.till.world.people["ada"].user_id
    assert bank.code(fan, "walletUnlock", userId=user_id) == "FORBIDDEN"
    done = bank.do(finance, "walletUnlock", "wallet { lock { reason } }", userId=user_id)
    assert (done["wallet"], done["errors"]) == ({"lock": None}, [])


def test_a_creator_is_paid(bank: Bank) -> None:
    creator, finance = earner(bank, 2_000), bank.client("staff:finance")
    earned = """{ earnings { pending { coins } available { coins money { minorUnits currency } } inPayout { coins }
      paid { coins } items(first: 5) { nodes { kind status earned { coins } fee { coins } price { coins } } } } }"""
    found = creator.data(earned)["earnings"]
    assert found["available"] == {"coins": "2000", "money": {"minorUnits": "2000", "currency": "EUR"}}
    (item,) = found["items"]["nodes"]
    assert (item["earned"], item["fee"], item["price"]) == ({"coins": "2000"}, {"coins": "500"}, {"coins": "2500"})
    ways = creator.data("{ payoutProviders { code label } }")["payoutProviders"]
    assert [way["code"] for way in ways] == ["sandbox-payouts"]
    added = bank.do(
        creator,
        "payoutRecipientCreate",
        "recipient { id refEnding status }",
        providerCode="sandbox-payouts",
        label="My bank",
        ref="DE89370400440532013000",
    )["recipient"]
    assert (added["refEnding"], added["status"]) == ("3000", "READY")
    asked = bank.do(
        creator,
        "payoutRequest",
        "payout { id status amount { minorUnits } recipient { label } }",
        coins="1500",
        recipientId=added["id"],
    )["payout"]
    assert (asked["status"], asked["recipient"]) == ("REQUESTED", {"label": "My bank"})
    queue = "{ payoutQueue { nodes { id } } }"
    assert creator.code(queue) == "FORBIDDEN"
    assert [node["id"] for node in finance.data(queue)["payoutQueue"]["nodes"]] == [asked["id"]]
    assert bank.code(creator, "payoutApprove", payoutId=asked["id"]) == "FORBIDDEN"
    held = bank.do(
        finance, "payoutHold", "payout { status holdCode note }", payoutId=asked["id"], code="RISK", note="Wait"
    )
    assert held["payout"] == {"status": "HELD", "holdCode": "RISK", "note": "Wait"}
    assert (
        bank.do(finance, "payoutApprove", "payout { status }", payoutId=asked["id"])["payout"]["status"] == "APPROVED"
    )
    bank.till.tick()
    bank.till.control("advance", seconds=10)
    bank.till.tick(minutes=1)
    assert creator.data(NODE, id=asked["id"])["node"]["payoutStatus"] == "PAID"
    after = creator.data(earned)["earnings"]
    assert (after["available"]["coins"], after["paid"]["coins"]) == ("500", "1500")
    assert [node["status"] for node in creator.data("{ payouts { nodes { status } } }")["payouts"]["nodes"]] == ["PAID"]


def test_a_payout_that_is_refused_says_why_as_data(bank: Bank) -> None:
    creator, finance = earner(bank, 5_000), bank.client("staff:finance")
    shape = {"providerCode": "sandbox-payouts", "label": "Bank", "ref": "DE00"}
    recipient = bank.do(creator, "payoutRecipientCreate", "recipient { id }", **shape)["recipient"]["id"]
    for given, code in (
        ({"coins": "10"}, "PAYOUT_MIN"),
        ({"coins": "6000"}, "INSUFFICIENT_COINS"),
        ({"coins": "1000", "recipientId": "recipient_00000000000000000000000000"}, "NOT_FOUND"),
    ):
        answer = bank.do(creator, "payoutRequest", "payout { id }", **({"recipientId": recipient} | given))
        assert [error["code"] for error in answer["errors"]] == [code]
    asked = bank.do(creator, "payoutRequest", "payout { id }", coins="1000", recipientId=recipient)["payout"]["id"]
    denied = bank.do(finance, "payoutDeny", "payout { status note }", payoutId=asked, note="No")
    assert denied["payout"] == {"status": "DENIED", "note": "No"}
    again = bank.do(creator, "payoutCancel", "payout { id }", payoutId=asked)
    assert again["errors"][0]["code"] == "PAYOUT_STATE"
    second = bank.do(creator, "payoutRequest", "payout { id }", coins="1000", recipientId=recipient)["payout"]["id"]
    assert bank.do(creator, "payoutCancel", "payout { status }", payoutId=second)["payout"]["status"] == "CANCELLED"
    assert bank.person("bob").code("{ payouts { nodes { id } } }") == "FORBIDDEN"


def earner(bank: Bank, coins: int) -> Client:
    """A creator with earnings that have matured."""
    viewer, creator, _ = bank.till.world.creator("nova")
    order_id = ids.OrderId(new_id(ids.ORDER))

    def work(tx: Tx) -> None:
        earning = Earning(
            id=new_id(ids.EARNING),
            creator_id=creator.id,
            kind=EarningKind.COMPENSATION,
            subject_id=order_id,
            coins=coins,
            fee_coins=coins // 4,
            earned_at=tx.now,
            matures_at=tx.now,
        )
        transfer = postings.creator_compensated(BOOKS, order_id=order_id, creator_id=creator.id, coins=coins)
        books.post(tx, transfer)
        earning_rows.insert(tx, earning)

    bank.till.world.write(work)
    bank.till.world.run(earning_services.mature_due(bank.till.world.tools))
    assert bank.till.world.balance(accounts.available(creator.id).code) == coins
    return bank.client(viewer.user_id or "")
