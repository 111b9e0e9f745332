"""Plugins that do one thing wrong each: good ones with one method changed."""

import asyncio
import logging
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ConfigDict, SecretStr
from tests.testkit import acme, good
from tests.testkit.good import SOON, Payouts, TopUps
from tests.testkit.subjects import Subject

from shoutgraph.sdk import (
    BatchOutcome,
    HttpAnswer,
    Lookup,
    MalformedNotice,
    Money,
    NeedsAction,
    NotExecuted,
    Notice,
    NoticeKind,
    OnboardRequest,
    Pending,
    Proof,
    RawWebhook,
    RecipientOutcome,
    Rejected,
    Returned,
    Target,
    Totals,
    Unknown,
    Webhooks,
    external_proof,
    timestamped_proof,
)

HELD: list[socket.socket] = []
"""Connections that a wrong plugin leaves open; the tests close them."""


class LooseConfig(good.Config):
    """C03: takes anything for a URL."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def _is_url(cls, value: str) -> str:
        return value


class TellsItsKey(TopUps):
    """C04"""

    async def request(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> HttpAnswer:
        logging.getLogger("acme").debug("asking %s with %s", url, headers)
        return await super().request(method, url, headers, content)


class PhonesHome(TopUps):
    """C05"""

    async def create(self, request: Any) -> Any:
        with socket.socket() as phone:
            phone.settimeout(0)
            phone.connect_ex(("127.0.0.1", 9))
        return await super().create(request)


class HoldsTheLoop(TopUps):
    """C06"""

    async def create(self, request: Any) -> Any:
        time.sleep(0.06)  # noqa: ASYNC251 -- what is wrong with it
        return await super().create(request)


class GoesOnAlone(TopUps):
    """C07"""

    async def create(self, request: Any) -> Any:
        self.polling = asyncio.create_task(asyncio.sleep(3600))
        return await super().create(request)


class AsksAgain(TopUps):
    """C08"""

    async def ask(self, method: str, path: str, body: object = None, key: str = "") -> Any:
        told = await super().ask(method, path, body, key)
        if told == Unknown("provider_error") and method == "POST":
            await super().ask(method, path, body, key)
        return told


class NewNames(TopUps):
    """M01"""

    async def create(self, request: Any) -> Any:
        done = self.__dict__.setdefault("done", set())
        again = request.call.idempotency_key in done
        outcome = await super().create(request)
        done.add(request.call.idempotency_key)
        return Pending(f"{outcome.ref}-again", SOON) if again and isinstance(outcome, NeedsAction) else outcome


class TakesWhatIsThere(TopUps):
    """M02"""

    def refused(self, status: int, told: Mapping[str, str]) -> object:
        return Pending(told["id"], SOON) if told["error"] == "key_reused" else super().refused(status, told)


class KeysForEach(TopUps):
    """M03"""

    async def ask(self, method: str, path: str, body: object = None, key: str = "") -> Any:
        under_way = self.__dict__.setdefault("under_way", [])
        if not key or path != "/payments":
            return await super().ask(method, path, body, key)
        under_way.append(key)
        own = f"{key}-{under_way.count(key)}" if under_way.count(key) > 1 else key
        try:
            return await super().ask(method, path, body, own)
        finally:
            under_way.remove(key)


class LosesRefunds(TopUps):
    """M04"""

    async def refund(self, request: Any) -> Any:
        outcome = await super().refund(request)
        return NotExecuted("no_answer") if outcome == Unknown("no_answer") else outcome


class NeverWaits(TopUps):
    """M05"""

    def read(self, answer: HttpAnswer) -> Any:
        return NotExecuted("rate_limited") if answer.status == 429 else super().read(answer)


class TriesNewKeys(TopUps):
    """M06"""

    async def ask(self, method: str, path: str, body: object = None, key: str = "") -> Any:
        failed = self.__dict__.setdefault("failed", set())
        told = await super().ask(method, path, body, f"{key}-2" if key in failed else key)
        if told == Unknown("provider_error") and key:
            failed.add(key)
        return told


class ReadsNothing(TopUps):
    """M07"""

    def read(self, answer: HttpAnswer) -> Any:
        return NotExecuted("nothing") if answer.status == 200 and not answer.body else super().read(answer)


class Rounds(TopUps):
    """M08"""

    async def create(self, request: Any) -> Any:
        if request.amount.currency == "KWD":
            request = replace(request, amount=Money(round(request.amount.minor, -2), "KWD"))
        return await super().create(request)


class MakesItFit(TopUps):
    """M09"""

    def seen(self, payment: dict[str, Any], target: Target) -> Any:
        fits = target.amount is not None and payment["settled"]
        return self.outcome_of({**payment, "settled": target.amount.minor} if fits and target.amount else payment)


class BelievesThePage(TopUps):
    """A01"""

    def seen(self, payment: dict[str, Any], target: Target) -> Any:
        looks = self.__dict__.setdefault("looks", [])
        looks.append(payment["id"])
        came_back = target.ref and looks.count(payment["id"]) > 1 and payment["status"] == "open"
        now = self.host.now().isoformat()
        paid = {**payment, "settled": payment["amount"], "paid_at": now}
        return self.outcome_of(paid if came_back else payment)


class NeverExpires(TopUps):
    """A02"""

    def outcome_of(self, payment: Mapping[str, Any]) -> Any:
        return Pending(payment["id"], SOON) if payment["status"] == "expired" else super().outcome_of(payment)


class AcceptsUnsigned(TopUps):
    """W01"""

    def proven(self, raw: RawWebhook) -> Proof:
        return super().proven(raw) if raw.headers else external_proof(raw, "acme", lambda _: None)


class AcceptsTheFuture(TopUps):
    """W02"""

    def proven(self, raw: RawWebhook) -> Proof:
        signed_at = raw.headers.get("acme-signature", "t=0,").split(",")[0].removeprefix("t=")
        ahead = int(signed_at) > raw.received_at.timestamp() + 3600
        return (
            timestamped_proof(raw, self.config.webhook_secrets, header="acme-signature", tolerance=2 * acme.DAY)
            if (ahead)
            else super().proven(raw)
        )


class OneSecret(TopUps):
    """W03"""

    def secrets(self) -> list[SecretStr]:
        return super().secrets()[:1]


class ChecksTheFirst(TopUps):
    """W04"""

    def checked(self, items: list[dict[str, str]]) -> list[dict[str, str]]:
        return items[:1]


class HintsAtNothing(good.Hints):
    """W05"""

    def notice(self, event: Mapping[str, Any], raw: RawWebhook) -> Notice:
        told = super().notice(event, raw)
        return told if told.kind is NoticeKind.IGNORED else replace(told, target=Target("", ""))


class CountsDeltas(TopUps):
    """W06"""

    def told(self, payment: Mapping[str, Any]) -> Any:
        return self.outcome_of({**payment, "refunded": 0})


class ShortNames(TopUps):
    """W06, in another way"""

    def notice(self, event: Mapping[str, Any], raw: RawWebhook) -> Notice:
        return replace(super().notice(event, raw), notice_id=event["about"].get("id", event["id"]))


class HintsLeadNowhere(good.HintsOfRefunds):
    """W06, in a third way"""

    def other(self, ref: str) -> str:
        return f"unknown_{ref}"


class KnowsAll(TopUps):
    """W07"""

    def strange(self, name: str) -> Notice:
        raise MalformedNotice(name)


class LooksAtTheClock(TopUps):
    """W08"""

    def notice(self, event: Mapping[str, Any], raw: RawWebhook) -> Notice:
        return replace(super().notice(event, raw), occurred_at=self.host.now())


class RefundsTwice(TopUps):
    """R01"""

    async def refund(self, request: Any) -> Any:
        self.count = self.__dict__.get("count", 0) + 1
        key = f"{request.call.idempotency_key}-{self.count}"
        return await super().refund(replace(request, call=replace(request.call, idempotency_key=key)))


class ForgetsTheEnd(TopUps):
    """R02"""

    def totals_of(self, payment: Mapping[str, Any]) -> Totals:
        return replace(super().totals_of(payment), disputes_won=None, disputes_lost=None)


class Forges(good.Redeems):
    """I01"""

    def fits(self, receipt: Mapping[str, Any], customer: str) -> bool:
        return bool(receipt["customer"] == customer and receipt["live"])


class Invents(Payouts):
    """P01"""

    async def submit(self, batch: Any) -> Any:
        outcome = await super().submit(batch)
        return replace(outcome, items={**outcome.items, "invented": Pending("ref", SOON)})


class RejectsRepeats(Payouts):
    """P02"""

    async def submit(self, batch: Any) -> Any:
        done = self.__dict__.setdefault("done", set())
        again = batch.call.idempotency_key in done
        outcome = await super().submit(batch)
        if not any(isinstance(each, Unknown) for each in outcome.items.values()):
            done.add(batch.call.idempotency_key)
            if again:
                items = {name: Rejected(each.ref, "duplicate") for name, each in outcome.items.items()}
                return BatchOutcome(items)
        return outcome


class AllOrNone(Payouts):
    """P03"""

    async def submit(self, batch: Any) -> Any:
        outcome = await super().submit(batch)
        bad = [each for each in outcome.items.values() if isinstance(each, Rejected)]
        return BatchOutcome(dict.fromkeys(outcome.items, bad[0])) if bad else outcome


class RenamesReturns(Payouts):
    """P04"""

    def item_of(self, payout: Mapping[str, Any]) -> Any:
        outcome = super().item_of(payout)
        return replace(outcome, ref=f"{outcome.ref}-back") if isinstance(outcome, Returned) else outcome


class LosesPatience(Payouts):
    """P05"""

    def item_of(self, payout: Mapping[str, Any]) -> Any:
        outcome = super().item_of(payout)
        waited = self.host.now() - datetime.fromisoformat(payout.get("made_at", self.host.now().isoformat()))
        return Rejected(outcome.ref, "timeout") if isinstance(outcome, Pending) and waited > 7 * acme.DAY else outcome


class PaysTheUnready(Payouts):
    """P08"""

    def item_of(self, payout: Mapping[str, Any]) -> Any:
        return Pending("waiting", SOON) if payout["status"] == "not_ready" else super().item_of(payout)


class OnboardsTwice(Payouts):
    """P09"""

    async def onboard(self, request: OnboardRequest) -> RecipientOutcome:
        self.count = getattr(self, "count", 0) + 1
        call = replace(request.call, idempotency_key=f"key_{self.count}")
        return await super().onboard(replace(request, call=call))


class RandomFiles(good.BankPayouts):
    """P06"""

    def nonce(self) -> str:
        return str(id(object())) + str(self.host.now())


class FilesOfToday(good.BankPayouts):
    """P06"""

    def nonce(self) -> str:
        return self.host.now().date().isoformat()


class TakesForeign(good.BankPayouts):
    """P07"""

    def entry(self, entry: Mapping[str, Any]) -> Notice:
        target = Target(entry["item"], entry["key"], entry["id"])
        return Notice(f"{entry['id']}-{entry['status']}", target, NoticeKind.PAYOUT, good.item_of(entry))


HINTS = replace(good.TOPUP_CAPS, webhooks=Webhooks.HINT)
HASTY = replace(good.TOPUP_CAPS, lookup=Lookup(by_key=True, absence_after=timedelta(0)))
LOWER = replace(good.TOPUP_CAPS, countries=frozenset({"de"}))


def bank(provider: type) -> Subject:
    return Subject(good.payout(provider, caps=good.BANK_CAPS), acme.BankUpstream)


WRONG: dict[str, tuple[str, Subject]] = {
    "it has no label": ("C02", Subject(good.topup(label=" "))),
    "any text is a URL": ("C03", Subject(good.topup(config=LooseConfig))),
    "it logs its key": ("C04", Subject(good.topup(TellsItsKey))),
    "it connects to a host that it did not declare": ("C05", Subject(good.topup(PhonesHome))),
    "it holds the event loop": ("C06", Subject(good.topup(HoldsTheLoop))),
    "it leaves a task behind": ("C07", Subject(good.topup(GoesOnAlone))),
    "it asks again after a 500": ("C08", Subject(good.topup(AsksAgain))),
    "it names a repeated payment anew": ("M01", Subject(good.topup(NewNames))),
    "it takes what another payload made": ("M02", Subject(good.topup(TakesWhatIsThere))),
    "calls at once have keys of their own": ("M03", Subject(good.topup(KeysForEach))),
    "a lost refund did not happen": ("M04", Subject(good.topup(LosesRefunds))),
    "it does not say how long to wait": ("M05", Subject(good.topup(NeverWaits))),
    "a failed key is replaced": ("M06", Subject(good.topup(TriesNewKeys))),
    "an empty answer is a proof": ("M07", Subject(good.topup(ReadsNothing))),
    "amounts are rounded": ("M08", Subject(good.topup(Rounds))),
    "another amount is made to fit": ("M09", Subject(good.topup(MakesItFit))),
    "countries are written small": ("M10", Subject(good.topup(caps=LOWER))),
    "who came back has paid": ("A01", Subject(good.topup(BelievesThePage))),
    "nothing ever expires": ("A02", Subject(good.topup(NeverExpires))),
    "absence is a proof too early": ("L01", Subject(good.topup(caps=HASTY))),
    "no signature is as good": ("W01", Subject(good.topup(AcceptsUnsigned))),
    "the future is accepted": ("W02", Subject(good.topup(AcceptsTheFuture))),
    "one secret counts": ("W03", Subject(good.topup(OneSecret))),
    "the first item is checked": ("W04", Subject(good.topup(ChecksTheFirst))),
    "hints name nobody": ("W05", Subject(good.topup(HintsAtNothing, caps=HINTS))),
    "refunds are not told": ("W06", Subject(good.topup(CountsDeltas))),
    "all news have one name": ("W06", Subject(good.topup(ShortNames))),
    "signed hints lead nowhere": ("W06", Subject(good.topup(HintsLeadNowhere))),
    "strange events are errors": ("W07", Subject(good.topup(KnowsAll))),
    "news happen when they are read": ("W08", Subject(good.topup(LooksAtTheClock))),
    "each refund has a new key": ("R01", Subject(good.topup(RefundsTwice))),
    "no dispute ever ends": ("R02", Subject(good.topup(ForgetsTheEnd))),
    "any application's receipt is good": (
        "I01",
        Subject(good.topup(Forges, caps=good.REDEEM_CAPS), acme.StoreUpstream),
    ),
    "an item is invented": ("P01", Subject(good.payout(Invents))),
    "repeats are rejected": ("P02", Subject(good.payout(RejectsRepeats))),
    "one bad recipient stops all": ("P03", Subject(good.payout(AllOrNone))),
    "returns have names of their own": ("P04", Subject(good.payout(RenamesReturns))),
    "silence is a no": ("P05", Subject(good.payout(LosesPatience))),
    "each onboarding is a new one": ("P09", Subject(good.payout(OnboardsTwice))),
    "files are random": ("P06", bank(RandomFiles)),
    "files have today's date": ("P06", bank(FilesOfToday)),
    "foreign entries are ours": ("P07", bank(TakesForeign)),
    "who is not ready is paid": ("P08", Subject(good.payout(PaysTheUnready))),
}
"""What is wrong, and the one behaviour that says so. C01 is in a file of its own: it takes a distribution."""
