"""The simulator in the hands of the conformance kit."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import stripe
from pydantic import SecretStr

from shoutgraph.sdk import Money, RawWebhook, to_provider
from shoutgraph.testkit.upstreams import Act, Forgery, NotSupported, Recipient, Seen, SimulatedUpstream, Stage
from shoutgraph_stripe import currencies, offers, wire
from shoutgraph_stripe.notices import HEADER
from shoutgraph_stripe.simulator import app, checkout, connect, reversals
from shoutgraph_stripe.simulator.state import Thing, World, shown

API_KEY: Final = SecretStr("sk_test_51Simulated0Key")
SECRET: Final = SecretStr("whsec_the0present0secret0of0ours")
PREVIOUS: Final = SecretStr("whsec_the0secret0before0that0one")
DAY: Final = timedelta(days=1)

_FOREIGN: Final = SecretStr("whsec_the0secret0of0somebody0else")


def _pay_other(world: World, session: Thing, money: Money | None) -> None:
    assert money is not None, "another amount is named"
    amount = to_provider(money, currencies.EXPONENTS)
    checkout.pay(world, session, amount=amount, currency=money.currency.lower())


def _refund(world: World, session: Thing, money: Money | None) -> None:
    asked: dict[str, object] = {"payment_intent": session["payment_intent"]}
    if money is not None:
        asked["amount"] = to_provider(money, currencies.EXPONENTS)
    reversals.create(world, asked)


_TOPUPS: Final[Mapping[Act, Callable[[World, Thing, Money | None], object]]] = {
    Act.PAY: lambda world, session, _: checkout.pay(world, session),
    Act.PAY_OTHER_AMOUNT: _pay_other,
    Act.PAY_OTHER_CURRENCY: _pay_other,
    Act.PROCESS: lambda world, session, _: checkout.process(world, session),
    Act.DECLINE: lambda world, session, _: checkout.decline(world, session),
    Act.EXPIRE: lambda world, session, _: checkout.expire(world, session),
    Act.REFUND: _refund,
    Act.HOLD_REFUND: lambda world, session, _: world.hold_refunds.add(session["payment_intent"]),
    Act.FAIL_REFUND: lambda world, session, _: reversals.fail(world, _last(world, session, reversals.REFUND)),
    Act.DISPUTE: lambda world, session, _: reversals.dispute(world, session["payment_intent"]),
    Act.WIN: lambda world, session, _: reversals.decide(world, _last(world, session, reversals.DISPUTE), "won"),
    Act.LOSE: lambda world, session, _: reversals.decide(world, _last(world, session, reversals.DISPUTE), "lost"),
}
_ACCOUNTS: Final[Mapping[Act, Callable[[World, Thing], None]]] = {
    Act.VERIFY: connect.complete,
    Act.RESTRICT: lambda world, account: connect.restrict(world, account, "requirements.past_due"),
}
_PAYOUTS: Final[Mapping[Act, Callable[[World, Thing, Money | None], object]]] = {
    Act.PAY: lambda *_: None,  # a transfer is done when it is answered
    Act.RETURN: lambda world, transfer, _: connect.reverse(world, transfer),
    Act.PAY_OTHER_AMOUNT: lambda _, transfer, money: transfer.update(_sent(money)),
    Act.PAY_OTHER_CURRENCY: lambda _, transfer, money: transfer.update(_sent(money)),
}


class StripeUpstream(SimulatedUpstream):
    """The simulated Stripe, of which nothing happens by itself."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.world: Final = World(stage.base_url, stage.clock, doubled={"checkout.session.completed"})
        self.app = app.build(self.world, API_KEY.get_secret_value())

    def config(self, base_url: str) -> Mapping[str, object]:
        """A configuration with two webhook secrets."""
        return {"mode": "test", "base_url": base_url, "secret_key": API_KEY, "webhook_secrets": [SECRET, PREVIOUS]}

    def wrong_configs(self, base_url: str) -> Mapping[str, Mapping[str, object]]:
        """Configurations with one mistake each."""
        good = self.config(base_url)
        return {
            "mode": {**good, "mode": "production"},
            "base_url": {**good, "base_url": "not a url"},
            "base_url#path": {**good, "base_url": f"{base_url}/v1"},
            "base_url#live": {**good, "mode": "live", "secret_key": SecretStr("sk_live_51Simulated0Key")},
            "secret_key": {**good, "secret_key": SecretStr("pk_test_51Simulated0Key")},
            "secret_key#mode": {**good, "secret_key": SecretStr("sk_live_51Simulated0Key")},
            "webhook_secrets": {**good, "webhook_secrets": [SecretStr("we_1Simulated0Endpoint")]},
            "colour": {**good, "colour": "red"},
        }

    async def objects(self) -> Sequence[Seen]:
        """Every session and every transfer."""
        return [
            *(_seen(each, each["client_reference_id"], "amount_total") for each in self.world.all_of(checkout.KIND)),
            *(_seen(each, each["transfer_group"], "amount") for each in self.world.all_of(connect.TRANSFER)),
        ]

    async def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
        """Lets it happen."""
        if verb is Act.LAG:
            self.world.hidden_for = offers.ABSENCE_AFTER
            return
        if verb is Act.TELL_STRANGE:
            self.world.tell("customer.created", self.world.make("cus", "customer", metadata={}))
            return
        thing = self.world.things[ref]
        if verb in _ACCOUNTS:
            _ACCOUNTS[verb](self.world, thing)
            return
        act = (_TOPUPS if thing["object"] == checkout.KIND else _PAYOUTS).get(verb)
        if act is None:
            raise NotSupported(f"Stripe knows no {verb} of a {thing['object']}")
        act(self.world, thing, amount)

    async def deliveries(self) -> Sequence[RawWebhook]:
        """Takes the events that nobody was told of."""
        told, self.world.untold = self.world.untold, []
        return [self._raw(json.dumps(shown(event)).encode(), SECRET) for event in told]

    def forge(self, raw: RawWebhook, how: Forgery) -> RawWebhook:
        """Does something to a webhook."""
        match how:
            case Forgery.WRONG_KEY:
                return self._raw(raw.body, _FOREIGN)
            case Forgery.PREVIOUS_SECRET:
                return self._raw(raw.body, PREVIOUS)
            case Forgery.OLD | Forgery.FUTURE:
                return self._raw(raw.body, SECRET, by=-DAY if how is Forgery.OLD else DAY)
            case Forgery.CHANGED_BODY:
                return replace(raw, body=raw.body.replace(b'"created": ', b'"created": 9', 1))
            case Forgery.MISSING_SIGNATURE:
                return replace(raw, headers={})
            case Forgery.ONE_FORGED_ITEM:
                raise NotSupported("a webhook of Stripe tells one thing, and is signed as a whole")

    async def recipient(self, kind: Recipient) -> str:
        """An account, ready or not; to one that is not there nothing can be sent."""
        if kind is Recipient.BAD:
            return "acct_nobody"
        wanted = {"country": "DE", "capabilities": {"transfers": {"requested": "true"}}}
        account = connect.create_account(self.world, wanted)
        if kind is not Recipient.NOT_READY:
            connect.complete(self.world, account)
        self.world.untold.clear()
        return str(account["id"])

    def _raw(self, body: bytes, secret: SecretStr, *, by: timedelta = timedelta(0)) -> RawWebhook:
        now = self._stage.clock()
        return RawWebhook(body, signed(body, secret, int((now + by).timestamp())), "", now, "127.0.0.1")


def signed(body: bytes, secret: SecretStr, seconds: int) -> dict[str, str]:
    """The headers of a webhook, as Stripe's own library signs it."""
    sign = stripe.WebhookSignature.generate_signature_header
    return {HEADER: sign(body.decode(), secret.get_secret_value(), timestamp=seconds)}


def _seen(thing: Thing, reference: str | None, field: str) -> Seen:
    return Seen(thing["id"], reference, wire.money(thing[field], thing["currency"]))


def _sent(money: Money | None) -> dict[str, object]:
    assert money is not None, "another amount is named"
    return {"amount": to_provider(money, currencies.EXPONENTS), "currency": money.currency.lower()}


def _last(world: World, session: Thing, kind: str) -> Thing:
    return next(each for each in world.all_of(kind) if each["payment_intent"] == session["payment_intent"])
