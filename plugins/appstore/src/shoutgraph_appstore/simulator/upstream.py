"""The simulated store in the hands of the conformance kit."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from shoutgraph.sdk import Money, RawWebhook, from_provider
from shoutgraph.testkit.upstreams import Act, Forgery, NotSupported, Receipt, Seen, SimulatedUpstream, Stage
from shoutgraph_appstore.buyers import account_token
from shoutgraph_appstore.simulator import authority
from shoutgraph_appstore.simulator.app import Store
from shoutgraph_appstore.simulator.authority import Authority
from shoutgraph_appstore.simulator.sales import App, Sale, Sales

APP: Final = App("com.example.shoutgraph", 1_234_567_890, "Production")
PRODUCT: Final = "coins700"
PRICE: Final = 4_990
CURRENCY: Final = "EUR"
DAY: Final = timedelta(days=1)

_OTHERS: Final[Mapping[Receipt, Mapping[str, object]]] = {
    Receipt.OTHER_PRODUCT: {"productId": "another"},
    Receipt.OTHER_APPLICATION: {"bundleId": "com.example.another"},
    Receipt.OTHER_ENVIRONMENT: {"environment": "Sandbox"},
}


class AppStoreUpstream(SimulatedUpstream):
    """The simulated store, two roots that are believed, and one that looks like them."""

    product = PRODUCT

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._previous, self._foreign = Authority("Store"), Authority("Store")
        self.store = Store(APP, Sales(stage.clock), Authority("Store"), self._key.public_key())
        self.app = self.store

    def config(self, base_url: str) -> Mapping[str, object]:
        """A configuration with two roots."""
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {
            "environment": APP.environment,
            "bundle_id": APP.bundle_id,
            "app_apple_id": APP.app_apple_id,
            "issuer_id": "57246542-96fe-1a63-e053-0824d011072a",
            "key_id": "2X9R4HXF34",
            "signing_key": SecretStr(pem),
            "root_certificates": [self.store.authority.pem, self._previous.pem],
            "online_checks": False,
            "base_url": base_url,
        }

    def wrong_configs(self, base_url: str) -> Mapping[str, Mapping[str, object]]:
        """Configurations with one mistake each."""
        good = self.config(base_url)
        return {
            "base_url": {**good, "base_url": "not a url"},
            "signing_key": {**good, "signing_key": SecretStr("no private key at all")},
            "root_certificates": {**good, "root_certificates": ["no certificate"]},
            "environment": {**good, "environment": "Xcode"},
            "app_apple_id": {**good, "app_apple_id": None},
            "colour": {**good, "colour": "red"},
        }

    async def objects(self) -> Sequence[Seen]:
        """Every purchase."""
        return [Seen(each.number, None, money_of(each)) for each in self.store.sales.sold.values()]

    async def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
        """Refunds, or tells of something else."""
        match verb:
            case Act.REFUND:
                whole = money_of(self.store.sales.sold[ref])
                part = None if amount in {None, whole} or amount is None else amount.minor * 100_000 // whole.minor
                self.store.sales.refund(ref, part)
            case Act.TELL_STRANGE:
                self.store.sales.tell("TEST", None)
                self.store.sales.tell("CONSUMPTION_REQUEST", self.store.sales.sold.get(ref))
            case _:
                raise NotSupported(f"the store knows no {verb}")

    async def deliveries(self) -> Sequence[RawWebhook]:
        """Takes the notifications."""
        return [self._raw(self._notification(*each)) for each in self.store.sales.take()]

    def forge(self, raw: RawWebhook, how: Forgery) -> RawWebhook:
        """Does something to a notification."""
        jws = json.loads(raw.body)["signedPayload"]
        said = authority.payload_of(jws)
        match how:
            case Forgery.WRONG_KEY:
                return self._raw(self._foreign.signed(said))
            case Forgery.PREVIOUS_SECRET:
                return self._raw(self._previous.signed(said))
            case Forgery.CHANGED_BODY:
                return self._raw(authority.changed(jws, {**said, "notificationUUID": "another"}))
            case Forgery.MISSING_SIGNATURE:
                return self._raw(self.store.authority.unsigned(said))
            case Forgery.FUTURE:
                ahead = int(DAY.total_seconds() * 1000)
                return self._raw(self.store.authority.signed({**said, "signedDate": self.store.sales.now() + ahead}))
            case Forgery.OLD:
                raise NotSupported("the store tries for a week, so that an old notification is good")
            case Forgery.ONE_FORGED_ITEM:
                raise NotSupported("a notification tells one thing")

    async def receipt(self, kind: Receipt, customer_ref: str) -> str:
        """Sells to this customer, and gives the receipt."""
        store, sales = self.store, self.store.sales
        buyer = "somebody else" if kind is Receipt.OTHER_BUYER else customer_ref
        said = sales.buy(PRODUCT, PRICE, CURRENCY, account_token(buyer)).payload(APP, sales.now())
        sign = {
            Receipt.FORGED_CHAIN: self._foreign.signed,
            Receipt.WRONG_KEY: store.authority.signed_by_another,
            Receipt.UNSIGNED: store.authority.unsigned,
        }.get(kind, store.authority.signed)
        return sign({**said, **_OTHERS.get(kind, {})})

    def _notification(self, uuid: str, kind: str, sale: Sale | None) -> str:
        now = self.store.sales.now()
        data: dict[str, object] = {
            "appAppleId": APP.app_apple_id,
            "bundleId": APP.bundle_id,
            "environment": APP.environment,
        }
        if sale is not None:
            data["signedTransactionInfo"] = self.store.authority.signed(sale.payload(APP, now))
        said = {"notificationType": kind, "notificationUUID": uuid, "version": "2.0", "signedDate": now, "data": data}
        return self.store.authority.signed(said)

    def _raw(self, jws: str) -> RawWebhook:
        body = json.dumps({"signedPayload": jws}).encode()
        headers = {"content-type": "application/json"}
        return RawWebhook(body, headers, "", self._stage.clock(), "127.0.0.1")


def money_of(sale: Sale) -> Money:
    """What a purchase cost."""
    return from_provider(sale.price, sale.currency, {sale.currency: 3})
