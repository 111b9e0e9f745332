"""Acme, a provider that exists in memory only: its books, its API, its webhooks, its bank files."""

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from pydantic import SecretStr

from shoutgraph.sdk import Artifact, Money, RawWebhook
from shoutgraph.testkit.upstreams import (
    Act,
    Forgery,
    Receipt,
    Recipient,
    Seen,
    SimulatedUpstream,
    Stage,
)

API_KEY = "the-api-key-of-acme"
NEW, OLD, FOREIGN = "the-new-webhook-secret", "the-old-webhook-secret", "a-secret-of-nobody"
STORE_KEY = "the-key-of-the-store"
LAG = timedelta(minutes=10)
DAY = timedelta(days=1)
BUNDLE = "shop"


def mac(key: str, message: bytes) -> bytes:
    return hmac.digest(key.encode(), message, hashlib.sha256)


def receipt_of(purchase: str, customer: str, /, *, key: str = STORE_KEY, **changes: Any) -> str:
    said = {"purchase": purchase, "customer": customer, "bundle": BUNDLE, "live": True, "product": "coins"}
    told = json.dumps({**said, **changes})
    return base64.b64encode(told.encode()).decode() + "." + mac(key, told.encode()).hex()


class RefusedError(Exception):
    """Acme says no."""

    def __init__(self, status: int, code: str, ref: str = "") -> None:
        self.status, self.answer = status, {"error": code, "id": ref}


class Books:
    """What Acme knows, and what it lets happen."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.serials = itertools.count(1)
        self.payments: dict[str, dict[str, Any]] = {}
        self.payouts: dict[str, dict[str, Any]] = {}
        self.batches: dict[str, tuple[str, list[str]]] = {}
        self.keys: dict[str, tuple[str, str]] = {}
        self.refunds: dict[str, int] = {}
        self.done: list[tuple[str, int]] = []
        self.recipients: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.lag = timedelta(0)
        self.holds = False

    def new_id(self, kind: str) -> str:
        return f"acme_{kind}_{next(self.serials):08x}"

    def at(self, by: timedelta = timedelta(0)) -> str:
        return (self.clock() + by).isoformat()

    def tell(self, kind: str, about: Mapping[str, Any]) -> None:
        self.events.append({"id": self.new_id("event"), "type": kind, "at": self.at(), "about": dict(about)})

    def create(self, key: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        digest = json.dumps(wanted, sort_keys=True)
        known = self.keys.get(key)
        if known is not None and known[1] != digest:
            raise RefusedError(409, "key_reused", known[0])
        if known is not None:
            return self.payments[known[0]]
        payment = {
            "id": self.new_id("pay"),
            "key": key,
            "status": "open",
            **dict.fromkeys(("settled", "refunded", "back", "disputed", "won", "lost"), 0),
            "expires_at": self.at(DAY),
            "paid_at": None,
            "found_from": (self.clock() + self.lag).timestamp(),
            **wanted,
        }
        self.keys[key] = payment["id"], digest
        self.payments[payment["id"]] = payment
        return payment

    def by_key(self, key: str) -> dict[str, Any]:
        found = self.payments.get(self.keys.get(key, ("", ""))[0])
        if found is None or found["found_from"] > self.clock().timestamp():
            raise RefusedError(404, "not_found")
        return found

    def payment(self, ref: str) -> dict[str, Any]:
        if ref not in self.payments:
            raise RefusedError(404, "not_found")
        return self.payments[ref]

    def refund(self, ref: str, key: str, amount: int) -> dict[str, Any]:
        payment = self.payment(ref)
        if key in self.refunds:
            return payment
        if amount > payment["settled"] - payment["refunded"] + payment["back"]:
            raise RefusedError(422, "too_much")
        self.refunds[key] = amount
        if self.holds:
            return {**payment, "refund": "pending"}
        payment["refunded"] += amount
        self.done.append((ref, amount))
        self.tell("payment", payment)
        return payment

    def refund_there(self, payment: dict[str, Any], amount: int) -> dict[str, Any]:
        self.done.append((payment["id"], amount))
        return {"refunded": payment["refunded"] + amount}

    def fail_refund(self, payment: dict[str, Any]) -> dict[str, Any]:
        """The pending refund, which nobody counted, or else the newest that was done."""
        if self.holds:
            self.holds = False
            return {}
        newest = next(each for each in reversed(self.done) if each[0] == payment["id"])
        self.done.remove(newest)
        return {"back": payment["back"] + newest[1]}

    def cancel(self, ref: str) -> dict[str, Any]:
        payment = self.payment(ref)
        if payment["status"] == "open":
            payment["status"] = "declined"
        return payment

    def submit(self, key: str, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        digest = json.dumps(items, sort_keys=True)
        if key in self.batches and self.batches[key][0] != digest:
            raise RefusedError(409, "key_reused")
        if key not in self.batches:
            made = [self._payout(key, item) for item in items]
            self.batches[key] = digest, [each["id"] for each in made]
        return [self.payouts[each] for each in self.batches[key][1]]

    def _payout(self, key: str, item: Mapping[str, Any]) -> dict[str, Any]:
        if item["recipient"] == Recipient.NOT_READY:
            return self.payouts.setdefault("not_ready", {"id": "not_ready", "status": "not_ready", **item})
        payout = {
            "id": self.new_id("out"),
            "key": key,
            "status": "rejected" if item["recipient"] == Recipient.BAD else "sent",
            "made_at": self.at(),
            "found_from": (self.clock() + self.lag).timestamp(),
            **item,
        }
        return self.payouts.setdefault(payout["id"], payout)

    def onboard(self, key: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        new = {"id": self.new_id("who"), "status": "open", "url": "https://acme.example/hello", "until": self.at(DAY)}
        return self.recipients.setdefault(key, {**new, **wanted})

    def recipient(self, ref: str) -> dict[str, Any]:
        found = [each for each in self.recipients.values() if each["id"] == ref]
        if not found:
            raise RefusedError(404, "not_found")
        return found[0]

    def lookup(self, targets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        now = self.clock().timestamp()
        return [
            payout
            for payout in self.payouts.values()
            for each in targets
            if (payout["id"] == each["ref"])
            or (not each["ref"] and (payout["key"], payout["item"]) == (each["key"], each["item"]))
            if each["ref"] or payout["found_from"] <= now
        ]

    def act(self, verb: Act, ref: str, amount: Money | None) -> None:
        if ref in self.payments:
            self._to_payment(verb, self.payments[ref], amount)
            return
        if verb in {Act.VERIFY, Act.RESTRICT}:
            self.recipient(ref)["status"] = "ready" if verb is Act.VERIFY else "restricted"
            self.tell("recipient", self.recipient(ref))
            return
        found = [each for each in self.payouts.values() if ref in {each["id"], each.get("item")}]
        self._to_payout(verb, found[0], amount)

    def _to_payment(self, verb: Act, payment: dict[str, Any], amount: Money | None) -> None:
        given = payment["amount"] if amount is None else amount.minor
        changes: dict[str, Any] = {}
        match verb:
            case Act.PAY | Act.PAY_LATE | Act.PAY_OTHER_AMOUNT | Act.PAY_OTHER_CURRENCY:
                currency = payment["currency"] if amount is None else amount.currency
                changes = {"status": "paid", "settled": given, "paid_at": self.at(), "currency": currency}
            case Act.PROCESS:
                changes = {"status": "processing"}
            case Act.DECLINE | Act.EXPIRE:
                changes = {"status": "declined" if verb is Act.DECLINE else "expired"}
            case Act.REFUND | Act.FAIL_REFUND:
                changes = self.refund_there(payment, given) if verb is Act.REFUND else self.fail_refund(payment)
            case Act.DISPUTE:
                changes = {"disputed": payment["settled"] - payment["refunded"]}
            case Act.WIN | Act.LOSE:
                changes = {"won" if verb is Act.WIN else "lost": payment["disputed"]}
            case Act.HOLD_REFUND:
                self.holds = True
                return
        payment.update(changes)
        self.tell("payment", payment)

    def _to_payout(self, verb: Act, payout: dict[str, Any], amount: Money | None) -> None:
        match verb:
            case Act.PAY | Act.PAY_OTHER_AMOUNT | Act.PAY_OTHER_CURRENCY:
                other = {} if amount is None else {"amount": amount.minor, "currency": amount.currency}
                payout.update(other, status="paid", paid_at=self.at())
            case Act.REJECT:
                payout.update(status="rejected")
            case Act.RETURN:
                payout.update(status="returned", returned_at=self.at())
            case _:
                return
        self.tell("payout", payout)


class AcmeUpstream(SimulatedUpstream):
    """Acme in the hands of the kit."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.books = Books(stage.clock)
        self.app = self.answer
        self.files: set[bytes] = set()
        self.foreign = False

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        headers = dict(scope["headers"])
        try:
            query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
            key = headers.get(b"idempotency-key", b"").decode()
            route = (scope["method"], *scope["path"].strip("/").split("/"))
            allowed = headers.get(b"authorization") == f"Bearer {API_KEY}".encode()
            status, told = 200, self._routed(route if allowed else (), key, json.loads(body) if body else query)
        except RefusedError as refused:
            status, told = refused.status, refused.answer
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})

    def _routed(self, route: tuple[str, ...], key: str, given: Any) -> Any:  # noqa: PLR0911 -- a table
        books = self.books
        match route:
            case "POST", "payments":
                return books.create(key, given)
            case "GET", "payments":
                return books.by_key(given["key"])
            case "GET", "payments", ref:
                return books.payment(ref)
            case "POST", "payments", ref, "refunds":
                return books.refund(ref, key, given["amount"])
            case "POST", "payments", ref, "cancel":
                return books.cancel(ref)
            case _, "recipients", *named:
                return books.recipient(named[0]) if named else books.onboard(key, given)
            case "POST", ("batches" | "lookup") as where:
                made = books.submit(key, given["items"]) if where == "batches" else books.lookup(given["targets"])
                return {"payouts": made}
        raise RefusedError(404 if route else 401, "not_found" if route else "unauthorized")

    def config(self, base_url: str) -> Mapping[str, object]:
        secrets = [SecretStr(NEW), SecretStr(OLD)]
        return {"base_url": base_url, "api_key": SecretStr(API_KEY), "webhook_secrets": secrets}

    def wrong_configs(self, base_url: str) -> Mapping[str, Mapping[str, object]]:
        return {"base_url": {**self.config(base_url), "base_url": "nowhere"}}

    async def objects(self) -> Sequence[Seen]:
        paid_in = [(each["id"], each["operation"], each) for each in self.books.payments.values()]
        paid_out = [
            (each["id"], each["item"], each) for each in self.books.payouts.values() if each["id"] != "not_ready"
        ]
        return [Seen(ref, ours, Money(each["amount"], each["currency"])) for ref, ours, each in paid_in + paid_out]

    async def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
        match verb:
            case Act.LAG:
                self.books.lag = LAG
            case Act.TELL_STRANGE:
                self.books.tell("weather", {"forecast": "rain"})
            case Act.STATE_FOREIGN:
                self.foreign = True
            case _:
                self.books.act(verb, ref, amount)

    async def deliveries(self) -> Sequence[RawWebhook]:
        events, self.books.events = self.books.events, []
        return [self.signed([event], NEW) for event in events]

    def signed(
        self, items: Sequence[object], secret: str, *, by: timedelta = timedelta(0), second: str | None = None
    ) -> RawWebhook:
        now = self.stage.clock()
        texts = [json.dumps(each) for each in items]
        keys = [secret, second or secret]
        told = [
            {"payload": text, "signature": base64.b64encode(mac(key, text.encode())).decode()}
            for text, key in zip(texts, keys, strict=False)
        ]
        body = json.dumps({"items": told}).encode()
        seconds = str(int((now + by).timestamp()))
        signature = mac(secret, seconds.encode() + b"." + body).hex()
        return RawWebhook(body, {"acme-signature": f"t={seconds},v1={signature}"}, "", now, "127.0.0.1")

    def forge(self, raw: RawWebhook, how: Forgery) -> RawWebhook:
        items = [json.loads(each["payload"]) for each in json.loads(raw.body)["items"]]
        match how:
            case Forgery.WRONG_KEY:
                return self.signed(items, FOREIGN)
            case Forgery.PREVIOUS_SECRET:
                return self.signed(items, OLD)
            case Forgery.OLD | Forgery.FUTURE:
                return self.signed(items, NEW, by=-DAY if how is Forgery.OLD else DAY)
            case Forgery.ONE_FORGED_ITEM:
                return self.signed([items[0], {**items[0], "id": "forged"}], NEW, second=FOREIGN)
            case Forgery.CHANGED_BODY:
                return replace(raw, body=raw.body.replace(b"acme_", b"acmf_"))
            case Forgery.MISSING_SIGNATURE:
                return replace(raw, headers={})

    async def recipient(self, kind: Recipient) -> str:
        return kind.value

    def answers(self) -> Mapping[str, str]:
        return {"iban": "DE00ACME"}


class StoreUpstream(AcmeUpstream):
    """Acme's store, where devices buy."""

    async def receipt(self, kind: Receipt, customer_ref: str) -> str:
        wanted = {"operation": customer_ref, "amount": 499, "currency": "EUR"}
        purchase = self.books.create(self.books.new_id("key"), wanted)
        purchase.update(status="paid", settled=499, paid_at=self.books.at())
        ref = purchase["id"]
        if kind is Receipt.UNSIGNED:
            return receipt_of(ref, customer_ref).partition(".")[0] + "."
        changes: Mapping[Receipt, dict[str, Any]] = {
            Receipt.OTHER_BUYER: {"customer": "somebody else"},
            Receipt.OTHER_APPLICATION: {"bundle": "another"},
            Receipt.OTHER_PRODUCT: {"product": "diamonds"},
            Receipt.OTHER_ENVIRONMENT: {"live": False},
            Receipt.FORGED_CHAIN: {"key": FOREIGN},
            Receipt.WRONG_KEY: {"key": FOREIGN},
        }
        return receipt_of(ref, customer_ref, **changes.get(kind, {}))


class BankUpstream(AcmeUpstream):
    """A bank that takes files, and states what became of them."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.app = None  # type: ignore[assignment]

    async def upload(self, document: Artifact) -> None:
        told = json.loads(document.body)
        if told["message"] in self.books.batches:
            raise ValueError("DUPL")
        if told["sum"] != sum(item["amount"] for item in told["items"]):
            raise ValueError("the control sum is wrong")
        self.books.submit(told["message"], told["items"])

    async def documents(self) -> Sequence[Artifact]:
        entries = [each["about"] for each in self.books.events]
        self.books.events = []
        entries += [{**entry, "id": "foreign", "item": "rent"} for entry in entries[:1] if self.foreign]
        return [Artifact("statement", "application/json", json.dumps({"entries": entries}).encode())] if entries else []
