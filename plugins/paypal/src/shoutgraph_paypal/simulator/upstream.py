"""The simulated PayPal in the hands of the conformance kit."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import SecretStr

from shoutgraph.sdk import Money, RawWebhook
from shoutgraph.testkit.upstreams import Act, Forgery, NotSupported, Recipient, Seen, SimulatedUpstream, Stage
from shoutgraph_paypal import amounts, items, receivers, words
from shoutgraph_paypal.simulator import app, batches, orders, signing, state
from shoutgraph_paypal.simulator.signing import Seal
from shoutgraph_paypal.simulator.state import Thing, World

CLIENT_ID: Final = "AeSimulatedClientOfThePayPalOfTests"
CLIENT_SECRET: Final = SecretStr("EGsimulatedSecretOfThePayPalOfTests")
WEBHOOK_ID: Final = "9XL90610J3647323C"
ROOT: Final = "Simulated Root"
DAY: Final = timedelta(days=1)


def present() -> Seal:
    """What webhooks are signed with."""
    return signing.seal("360caa42-0000-present", ROOT)


def previous() -> Seal:
    """What they were signed with before, and are while that is replaced."""
    return signing.seal("360caa42-0000-previous", ROOT)


def foreign() -> Seal:
    """An attacker's own certificate, in PayPal's name and at PayPal's address."""
    return replace(signing.seal("foreign", "Attacker's Root"), url=present().url)


def config_for(base_url: str) -> dict[str, object]:
    """A configuration with two certificates."""
    return {
        "mode": "sandbox",
        "base_url": base_url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "webhook_id": WEBHOOK_ID,
        "certificate_roots": [signing.root(ROOT).pem],
        "certificates": [{"url": each.url, "chain": each.chain} for each in (present(), previous())],
    }


def _pay(world: World, order: Thing, money: Money | None, status: str = "COMPLETED") -> None:
    """The fan approves it, and it is completed, as our look would."""
    if orders.OPEN & {order["status"]}:
        orders.approve(world, order)
        orders.complete(world, order, status=status, money=money)
    else:
        orders.decide(world, order, status)


def _refund(world: World, order: Thing, money: Money | None) -> None:
    asked = {} if money is None else {"amount": state.amount(money)}
    orders.refund(world, orders.capture_of(order), order, asked)


def _sent(world: World, item: Thing, money: Money | None) -> None:
    if money is not None:
        item["payout_item"]["amount"] = {"currency": money.currency, "value": amounts.value_of(money)}
    batches.turn(world, item, "SUCCESS")


_TOPUPS: Final[Mapping[Act, Callable[[World, Thing, Money | None], object]]] = {
    Act.PAY: lambda world, order, _: _pay(world, order, None),
    Act.PAY_OTHER_AMOUNT: _pay,
    Act.PAY_OTHER_CURRENCY: _pay,
    Act.PROCESS: lambda world, order, _: _pay(world, order, None, "PENDING"),
    Act.DECLINE: lambda world, order, _: _pay(world, order, None, "DECLINED"),
    Act.EXPIRE: lambda world, order, _: orders.void(world, order),
    Act.REFUND: _refund,
    Act.HOLD_REFUND: lambda world, order, _: world.hold_refunds.add(orders.capture_of(order)["id"]),
    Act.FAIL_REFUND: lambda world, order, _: orders.fail_refund(world, order),
    Act.DISPUTE: lambda world, order, _: orders.dispute(world, order),
    Act.WIN: lambda world, order, _: orders.end_dispute(world, order, "RESOLVED_SELLER_FAVOUR"),
    Act.LOSE: lambda world, order, _: orders.end_dispute(world, order, "RESOLVED_BUYER_FAVOUR"),
}
_PAYOUTS: Final[Mapping[Act, Callable[[World, Thing, Money | None], object]]] = {
    Act.PAY: _sent,
    Act.PAY_OTHER_AMOUNT: _sent,
    Act.PAY_OTHER_CURRENCY: _sent,
    Act.REJECT: lambda world, item, _: batches.turn(world, item, "FAILED", error="RECEIVER_ACCOUNT_LOCKED"),
    Act.RETURN: lambda world, item, _: batches.turn(world, item, "REFUNDED"),
    Act.SILENCE: lambda *_: None,
}


class PayPalUpstream(SimulatedUpstream):
    """The simulated PayPal, of which nothing happens by itself."""

    aside = ("/v1/oauth2/token",)

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.world: Final = World(stage.base_url, stage.clock)
        self.app = app.build(self.world, CLIENT_ID, CLIENT_SECRET.get_secret_value())

    def config(self, base_url: str) -> Mapping[str, object]:
        """A configuration with two certificates."""
        return config_for(base_url)

    def wrong_configs(self, base_url: str) -> Mapping[str, Mapping[str, object]]:
        """Configurations with one mistake each."""
        good, seal = config_for(base_url), present()
        other = signing.seal("of-another-name", ROOT, subject="messages.shop.example")
        root = signing.root("Attacker's Root").pem
        return {
            "mode": {**good, "mode": "production"},
            "base_url": {**good, "base_url": "not a url"},
            "base_url#live": {**good, "mode": "live"},
            "client_id": {**good, "client_id": "too short"},
            "client_secret": {**good, "client_secret": SecretStr("with spaces in the secret")},
            "webhook_id": {**good, "webhook_id": "WH-1"},
            "certificate_roots": {**good, "certificate_roots": ["no certificate"]},
            "certificate_roots#none": {**good, "certificate_roots": []},
            "certificates": {**good, "certificates": [{"url": seal.url, "chain": "no certificate"}]},
            "certificates#elsewhere": {
                **good,
                "certificates": [
                    {"url": seal.url.replace("paypal.com", "paypal.com.shop.example"), "chain": seal.chain}
                ],
            },
            "certificates#root": {**good, "certificate_roots": [root]},
            "certificates#name": {**good, "certificates": [{"url": seal.url, "chain": other.chain}]},
            "certificates#twice": {**good, "certificates": [{"url": seal.url, "chain": seal.chain}] * 2},
            "colour": {**good, "colour": "red"},
        }

    async def objects(self) -> Sequence[Seen]:
        """Every order and every payout."""
        found = [_seen(each) for each in self.world.orders.values()]
        for batch in self.world.batches.values():
            found += [_seen_item(each) for each in batch["items"]]
        return found

    async def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
        """Lets it happen."""
        if verb is Act.TELL_STRANGE:
            self.world.tell("BILLING.PLAN.CREATED", "plan", {"id": state.new_id(), "status": "ACTIVE"})
            return
        order = self.world.orders.get(ref.partition("-")[0])
        if order is not None and verb in _TOPUPS:
            _TOPUPS[verb](self.world, order, amount)
        elif order is None and verb in _PAYOUTS:
            _PAYOUTS[verb](self.world, batches.find(self.world, ref.rpartition(items.SEPARATOR)[2]), amount)
        else:
            raise NotSupported(f"PayPal knows no {verb}")

    async def deliveries(self) -> Sequence[RawWebhook]:
        """Takes the events that nobody was told of."""
        told, self.world.untold = self.world.untold, []
        return [self._raw(json.dumps(event).encode(), present()) for event in told]

    def forge(self, raw: RawWebhook, how: Forgery) -> RawWebhook:
        """Does something to a webhook."""
        match how:
            case Forgery.WRONG_KEY:
                return self._raw(raw.body, foreign())
            case Forgery.PREVIOUS_SECRET:
                return self._raw(raw.body, previous())
            case Forgery.OLD | Forgery.FUTURE:
                return self._raw(raw.body, present(), by=-DAY if how is Forgery.OLD else DAY)
            case Forgery.CHANGED_BODY:
                return replace(raw, body=raw.body.replace(b"WH-", b"WG-", 1))
            case Forgery.MISSING_SIGNATURE:
                return replace(raw, headers={})
            case Forgery.ONE_FORGED_ITEM:
                raise NotSupported("a webhook of PayPal tells one thing, and is signed as a whole")

    async def recipient(self, kind: Recipient) -> str:
        """An account. PayPal asks nobody to get ready, and finds out who is not there when it pays."""
        match kind:
            case Recipient.GOOD:
                return "nova@creators.example"
            case Recipient.OTHER:
                return "WDJJHEBZ4X2LY"
            case Recipient.BAD:
                return "nobody@creators.example"
            case Recipient.NOT_READY:
                raise NotSupported("PayPal knows nobody who is not ready")

    def answers(self) -> Mapping[str, str]:
        """An address."""
        return {receivers.NAME: "nova@creators.example"}

    def _raw(self, body: bytes, seal: Seal, *, by: timedelta = timedelta(0)) -> RawWebhook:
        now: datetime = self._stage.clock()
        return RawWebhook(body, seal.headers(body, WEBHOOK_ID, now + by), "", now, "127.0.0.1")


def _seen(order: Thing) -> Seen:
    unit = order["purchase_units"][0]
    ours = words.ours_of(unit["custom_id"])
    assert ours is not None, "whatever is asked for here is ours"
    return Seen(words.ref_of(order["id"], ours), ours.operation_id, state.money_of(unit["amount"]))


def _seen_item(item: Thing) -> Seen:
    item_id = item["payout_item"]["sender_item_id"]
    money = amounts.money_of(item["payout_item"]["amount"]["value"], item["payout_item"]["amount"]["currency"])
    return Seen(items.ref_of(item["payout_batch_id"], item_id), item_id, money)
