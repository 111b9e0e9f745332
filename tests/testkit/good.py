# ruff: noqa: ARG002 -- protocols name their arguments
"""Plugins for Acme that do everything right. The wrong ones are made of them, by one change each."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from tests.testkit import wire
from tests.testkit.acme import BUNDLE, LAG, STORE_KEY, mac

from shoutgraph.sdk import (
    OTHER_PRODUCT,
    Absent,
    Artifact,
    BatchOutcome,
    Call,
    Declined,
    Delivery,
    Host,
    HttpAnswer,
    Idempotency,
    Intake,
    ItemOutcome,
    Lookup,
    MalformedNotice,
    Money,
    NeedsAction,
    NoAnswer,
    NotExecuted,
    Notice,
    NoticeKind,
    NotSent,
    Observation,
    OnboardRequest,
    Paid,
    PayoutBatch,
    PayoutCaps,
    PayoutPlugin,
    Pending,
    Proof,
    RawWebhook,
    Ready,
    RecipientOutcome,
    Redemption,
    Redirect,
    RefundRequest,
    Refunds,
    Rejected,
    Requirement,
    Restricted,
    Returned,
    Settled,
    Target,
    TopUpCaps,
    TopUpOutcome,
    TopUpPlugin,
    TopUpRequest,
    Totals,
    Unknown,
    Webhooks,
    from_provider,
    hint_proof,
    hmac_items_proof,
    timestamped_proof,
    to_provider,
)

SOON = timedelta(seconds=5)
KEYS = Idempotency("account", timedelta(days=1))
FOUND = Lookup(by_key=True, absence_after=LAG)
FILE = "application/json"


class Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str = Field(title="Base URL")
    api_key: SecretStr = Field(title="API key")
    webhook_secrets: list[SecretStr] = Field(title="Webhook secrets", min_length=1)

    @field_validator("base_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if not value.startswith("http"):
            raise ValueError("not a URL")
        return value


class Acme:
    """What all of Acme's providers share."""

    def __init__(self, config: Config, host: Host) -> None:
        self.config, self.host = config, host

    async def ask(self, method: str, path: str, body: object = None, key: str = "") -> Any:
        """The answer as JSON, or an outcome where there is none."""
        headers = {"authorization": f"Bearer {self.config.api_key.get_secret_value()}", "idempotency-key": key}
        content = None if body is None else json.dumps(body).encode()
        try:
            answer = await self.request(method, self.config.base_url + path, headers, content)
        except NotSent:
            return NotExecuted("unavailable")
        except NoAnswer:
            return Unknown("no_answer")
        return self.read(answer)

    async def request(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> HttpAnswer:
        return await wire.request(method, url, headers, content)

    def read(self, answer: HttpAnswer) -> Any:
        if answer.status == 429:
            return NotExecuted("rate_limited", timedelta(seconds=int(answer.headers["retry-after"])))
        if answer.status >= 500:
            return Unknown("provider_error")
        try:
            told = json.loads(answer.body)
            if answer.status == 200:
                return told if {"id", "payouts"} & set(told) else Unknown("unreadable")
            return self.refused(answer.status, told)
        except (ValueError, TypeError, KeyError):
            return Unknown("unreadable")

    def refused(self, status: int, told: Mapping[str, str]) -> object:
        if told["error"] == "key_reused":
            return Unknown("key_reused", told["id"] or None)
        return Absent() if told["error"] == "not_found" else NotExecuted(told["error"])

    def receive(self, raw: RawWebhook) -> Delivery:
        proof = self.proven(raw)
        try:
            events = [json.loads(each["payload"]) for each in json.loads(raw.body)["items"]]
            return Delivery(proof, tuple(self.notice(event, raw) for event in events))
        except (ValueError, TypeError, KeyError, RecursionError):
            raise MalformedNotice("not of Acme") from None

    def proven(self, raw: RawWebhook) -> Proof:
        secrets = self.secrets()
        proof = timestamped_proof(raw, secrets, header="acme-signature")
        try:
            items = json.loads(raw.body)["items"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise MalformedNotice("not of Acme") from None
        hmac_items_proof(raw, secrets, [(each["payload"].encode(), each["signature"]) for each in self.checked(items)])
        return proof

    def secrets(self) -> list[SecretStr]:
        return self.config.webhook_secrets

    def checked(self, items: list[dict[str, str]]) -> list[dict[str, str]]:
        return items

    def notice(self, event: Mapping[str, Any], raw: RawWebhook) -> Notice:
        name, at, about = event["id"], datetime.fromisoformat(event["at"]), event["about"]
        match event["type"]:
            case "payment":
                target = Target(about["operation"], about["key"], about["id"])
                return Notice(name, target, NoticeKind.TOPUP, self.told(about), at)
            case "payout":
                target = Target(about["item"], about["key"], about["id"])
                return Notice(name, target, NoticeKind.PAYOUT, item_of(about), at)
            case _:
                return self.strange(name)

    def told(self, payment: Mapping[str, Any]) -> Any:
        return self.outcome_of(payment)

    def strange(self, name: str) -> Notice:
        return Notice(name, Target(name, name), NoticeKind.IGNORED)

    def outcome_of(self, payment: Mapping[str, Any]) -> TopUpOutcome:
        if payment["settled"]:
            at = datetime.fromisoformat(payment["paid_at"])
            return Settled(payment["id"], self.totals_of(payment), at)
        match payment["status"]:
            case "open":
                expires_at = datetime.fromisoformat(payment["expires_at"])
                return NeedsAction(payment["id"], Redirect(f"{self.config.base_url}/pay/{payment['id']}"), expires_at)
            case "processing":
                return Pending(payment["id"], SOON)
            case status:
                return Declined(payment["id"], status)

    def totals_of(self, payment: Mapping[str, Any]) -> Totals:
        names = ("settled", "refunded", "disputed", "won", "lost", "back")
        settled, refunded, disputed, won, lost, back = (Money(payment[name], payment["currency"]) for name in names)
        return Totals(settled, refunded, disputed, disputes_won=won, disputes_lost=lost, refunds_failed=back)

    async def aclose(self) -> None:
        pass


class TopUps(Acme):
    exponents: Mapping[str, int] = {}

    async def create(self, request: TopUpRequest) -> Any:
        amount = from_provider(to_provider(request.amount, self.exponents), request.amount.currency, {})
        body = {
            "operation": request.call.operation_id,
            "amount": amount.minor,
            "currency": request.amount.currency,
            "customer": request.customer_ref,
        }
        told = await self.ask("POST", "/payments", body, request.call.idempotency_key)
        return self.outcome_of(told) if isinstance(told, dict) else told

    async def fetch(self, target: Target, call: Call) -> Observation:
        path = f"/payments/{target.ref}" if target.ref else f"/payments?key={target.idempotency_key}"
        told = await self.ask("GET", path)
        if isinstance(told, NotExecuted):
            return Unknown(told.code)
        return self.seen(told, target) if isinstance(told, dict) else told

    def seen(self, payment: dict[str, Any], target: Target) -> Observation:
        return self.outcome_of(payment)

    async def refund(self, request: RefundRequest) -> TopUpOutcome:
        path = f"/payments/{request.ref}/refunds"
        told = await self.ask("POST", path, {"amount": request.amount.minor}, request.call.idempotency_key)
        if isinstance(told, dict):
            return Pending(request.ref, SOON) if told.get("refund") else self.outcome_of(told)
        return Unknown("not_found") if isinstance(told, Absent) else told

    async def cancel(self, target: Target, call: Call) -> TopUpOutcome:
        told = await self.ask("POST", f"/payments/{target.ref}/cancel", {})
        if isinstance(told, dict):
            return self.outcome_of(told)
        return told if isinstance(told, Unknown) else Unknown("not_cancelled")


class LentHttp(TopUps):
    """Uses the HTTP that the host lends, as a plugin should; the others are in a hurry."""

    async def request(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> HttpAnswer:
        return await self.host.http.request(method, url, headers=headers, content=content)


class Hints(TopUps):
    """Webhooks that are not signed."""

    def proven(self, raw: RawWebhook) -> Proof:
        return hint_proof(raw)

    def told(self, payment: Mapping[str, Any]) -> Any:
        return None


class HintsOfRefunds(TopUps):
    """Signed webhooks that show what was paid, and only name another object where something went back."""

    def notice(self, event: Mapping[str, Any], raw: RawWebhook) -> Notice:
        told, about = super().notice(event, raw), event["about"]
        if not (about.get("refunded") or about.get("disputed")):
            return told
        return replace(told, target=Target(told.notice_id, told.notice_id, self.other(about["id"])), observation=None)

    def other(self, ref: str) -> str:
        return f"other_{ref}"

    async def fetch(self, target: Target, call: Call) -> Any:
        ref = target.ref and target.ref.removeprefix("other_")
        return await super().fetch(replace(target, ref=ref), call)


class Redeems(TopUps):
    async def redeem(self, request: Redemption) -> Any:
        code, _, signature = request.proof.partition(".")
        told = base64.b64decode(code)
        receipt = json.loads(told)
        if mac(STORE_KEY, told).hex() != signature or not self.fits(receipt, request.customer_ref):
            return Declined(None, "receipt_refused")
        if receipt["product"] != request.product:
            return Declined(None, OTHER_PRODUCT)
        purchase = await self.ask("GET", f"/payments/{receipt['purchase']}")
        return self.outcome_of(purchase) if isinstance(purchase, dict) else purchase

    def fits(self, receipt: Mapping[str, Any], customer: str) -> bool:
        return (receipt["bundle"], receipt["live"], receipt["customer"]) == (BUNDLE, True, customer)


class Payouts(Acme):
    async def submit(self, batch: PayoutBatch) -> Any:
        told = await self.ask("POST", "/batches", {"items": items_of(batch)}, self.key_of(batch))
        if not isinstance(told, dict):
            return BatchOutcome({item.item_id: told for item in batch.items})
        return BatchOutcome({each["item"]: self.item_of(each) for each in told["payouts"]})

    def key_of(self, batch: PayoutBatch) -> str:
        return batch.call.idempotency_key

    def item_of(self, payout: Mapping[str, Any]) -> ItemOutcome:
        return item_of(payout)

    async def fetch(self, targets: Sequence[Target], call: Call) -> Mapping[str, Any]:
        asked = [{"ref": each.ref, "key": each.idempotency_key, "item": each.operation_id} for each in targets]
        told = await self.ask("POST", "/lookup", {"targets": asked})
        if not isinstance(told, dict):
            reason = Unknown(told.code) if isinstance(told, NotExecuted) else told
            return {each.operation_id: reason for each in targets}
        found = {each["item"]: self.item_of(each) for each in told["payouts"]}
        return {each.operation_id: found.get(each.operation_id, Absent()) for each in targets}

    async def cancel(self, target: Target, call: Call) -> ItemOutcome:
        return Unknown("unsupported")

    def requirements(self, country: str, currency: str) -> Sequence[Requirement]:
        return (Requirement("iban", "IBAN", "[A-Z]{2}[0-9]{2}[A-Z0-9]+", secret=True),)

    async def onboard(self, request: OnboardRequest) -> RecipientOutcome:
        wanted = {"iban": request.values["iban"], "ours": request.recipient_id}
        return self.recipient_of(await self.ask("POST", "/recipients", wanted, request.call.idempotency_key))

    async def recipient_status(self, ref: str, call: Call) -> RecipientOutcome:
        return self.recipient_of(await self.ask("GET", f"/recipients/{ref}"))

    def recipient_of(self, told: Any) -> RecipientOutcome:
        if not isinstance(told, dict):
            return told if isinstance(told, NotExecuted | Unknown) else Unknown("not_found")
        match told["status"]:
            case "ready":
                return Ready(told["id"])
            case "restricted":
                return Restricted(told["id"], "acme_says_so")
            case _:
                return NeedsAction(told["id"], Redirect(told["url"]), datetime.fromisoformat(told["until"]))

    def ingest(self, document: Artifact) -> Sequence[Notice]:
        raise MalformedNotice("no files")


class BankPayouts(Payouts):
    """Payouts by file."""

    async def submit(self, batch: PayoutBatch) -> BatchOutcome:
        message = batch.call.idempotency_key
        items = items_of(batch)
        made_at = batch.made_at.isoformat() if batch.made_at else ""
        head = {"message": message, "made_at": made_at, "nonce": self.nonce()}
        body = {**head, "sum": sum(each["amount"] for each in items), "items": items}
        artifact = Artifact(f"{message}.json", FILE, json.dumps(body).encode())
        return BatchOutcome({each.item_id: Pending(None, SOON) for each in batch.items}, artifacts=(artifact,))

    def nonce(self) -> str:
        return ""

    async def fetch(self, targets: Sequence[Target], call: Call) -> Mapping[str, Any]:
        return {each.operation_id: Unknown("by_file") for each in targets}

    def ingest(self, document: Artifact) -> Sequence[Notice]:
        try:
            entries = json.loads(document.body)["entries"]
            return [self.entry(each) for each in entries]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise MalformedNotice("not a statement") from None

    def entry(self, entry: Mapping[str, Any]) -> Notice:
        name = f"{entry['id']}-{entry['status']}"
        target = Target(entry["item"], entry["key"], entry["id"])
        ours = entry["item"].startswith("payout_")
        return Notice(name, target, NoticeKind.PAYOUT if ours else NoticeKind.IGNORED, item_of(entry) if ours else None)


def items_of(batch: PayoutBatch) -> list[dict[str, Any]]:
    return [
        {
            "item": each.item_id,
            "amount": each.amount.minor,
            "currency": each.amount.currency,
            "recipient": each.recipient_ref,
        }
        for each in batch.items
    ]


def item_of(payout: Mapping[str, Any]) -> ItemOutcome:
    ref, amount = payout["id"], Money(payout["amount"], payout["currency"])
    match payout["status"]:
        case "paid":
            return Paid(ref, amount, datetime.fromisoformat(payout["paid_at"]))
        case "returned":
            return Returned(ref, amount, "closed", datetime.fromisoformat(payout["returned_at"]))
        case "rejected":
            return Rejected(ref, "no_account")
        case "not_ready":
            return NotExecuted("not_ready")
        case _:
            return Pending(ref, SOON)


def hosts(config: Config) -> frozenset[str]:
    return frozenset({urlsplit(config.base_url).netloc})


CURRENCIES = frozenset({"EUR", "JPY", "KWD"})
TOPUP_CAPS = TopUpCaps(
    currencies=CURRENCIES,
    webhooks=Webhooks.SIGNED,
    refunds=Refunds.PARTIAL,
    disputes=True,
    countries=frozenset({"DE", "FR"}),
    limits={"EUR": (100, 1_000_000)},
    granularity={"JPY": 10},
    idempotency=KEYS,
    lookup=FOUND,
)
REDEEM_CAPS = TopUpCaps(
    currencies=frozenset({"EUR"}),
    intake=Intake.REDEEM,
    webhooks=Webhooks.SIGNED,
    refunds=Refunds.EXTERNAL,
    lookup=Lookup(),
)
PAYOUT_CAPS = PayoutCaps(
    currencies=CURRENCIES,
    max_batch=5,
    webhooks=Webhooks.SIGNED,
    onboarding=True,
    idempotency=KEYS,
    lookup=FOUND,
)
BANK_CAPS = PayoutCaps(currencies=frozenset({"EUR"}), max_batch=5, artifacts=True, ingest=frozenset({FILE}))


def topup(provider: type = TopUps, **changes: Any) -> Any:
    fields = {"key": "acme", "label": "Acme", "caps": TOPUP_CAPS, "config": Config, "build": provider}
    return TopUpPlugin(**{**fields, "api_hosts": hosts, **changes})


def payout(provider: type = Payouts, **changes: Any) -> Any:
    fields = {"key": "acme-payouts", "label": "Acme", "caps": PAYOUT_CAPS, "config": Config, "build": provider}
    return PayoutPlugin(**{**fields, "api_hosts": hosts, **changes})
