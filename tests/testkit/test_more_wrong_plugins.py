# ruff: noqa: ARG002 -- protocols name their arguments
"""More ways to be wrong: those that take time, and those that several behaviours are about."""

import asyncio
import contextlib
import http.client
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.testkit import acme, blocking, good
from tests.testkit.good import TopUps
from tests.testkit.subjects import Subject, checked, failed

from shoutgraph.sdk import Declined, HttpAnswer, NoAnswer, NotSent, Pending, RawWebhook, Settled, Unknown
from shoutgraph.testkit.behaviours import manners


class Sleeps(TopUps):
    async def create(self, request: Any) -> Any:
        time.sleep(0.06)  # noqa: ASYNC251 -- what is wrong with it
        return await super().create(request)


class AsksWithoutAwaiting(TopUps):
    async def request(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> HttpAnswer:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        connection.request(method, url.removeprefix(f"http://{parts.netloc}"), content, headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return HttpAnswer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)


class GoesOn(TopUps):
    async def create(self, request: Any) -> Any:
        try:
            return await super().create(request)
        except asyncio.CancelledError:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            raise


class LosesMoney(TopUps):
    async def ask(self, method: str, path: str, body: object = None, key: str = "") -> Any:
        told = await super().ask(method, path, body, key)
        return Declined(None, "no_answer") if told == Unknown("no_answer") else told


class Insists(TopUps):
    async def request(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> HttpAnswer:
        for _ in range(2):
            with contextlib.suppress(NotSent):
                return await super().request(method, url, headers, content)
        return await super().request(method, url, headers, content)


class Follows(TopUps):
    async def request(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> HttpAnswer:
        answer = await super().request(method, url, headers, content)
        if "location" in answer.headers:
            with contextlib.suppress(NoAnswer):
                return await super().request(method, answer.headers["location"], headers, content)
        return answer


class Shouts(TopUps):
    def read(self, answer: HttpAnswer) -> Any:
        if answer.status == 401:
            raise RuntimeError(f"refused: {answer.body!r}")
        return super().read(answer)


class Remembers(TopUps):
    """Reads each webhook into what it remembers, so that the order counts."""

    def told(self, payment: Mapping[str, Any]) -> Any:
        seen = self.__dict__.setdefault("seen", {})
        seen[payment["id"]] = max(seen.get(payment["id"], 0) + 1, payment["settled"])
        return self.outcome_of({**payment, "settled": seen[payment["id"]]} if payment["settled"] else payment)


class PaysTwice(good.Payouts):
    def key_of(self, batch: Any) -> str:
        self.count = self.__dict__.get("count", 0) + 1
        return f"{batch.call.idempotency_key}-{self.count}"


class LooseConfig(good.Config):
    webhook_secrets: list[Any] = good.Field(title="Webhook secrets")


class TrustsNobodys(TopUps):
    def proven(self, raw: RawWebhook) -> Any:
        if not self.config.webhook_secrets:
            return good.external_proof(raw, "acme", lambda _: None)
        return super().proven(raw)


class EarlyBird(TopUps):
    def outcome_of(self, payment: Mapping[str, Any]) -> Any:
        seen = super().outcome_of(payment)
        return Pending(seen.ref, good.SOON) if isinstance(seen, Settled) and payment["disputed"] else seen


class TakesItBack(TopUps):
    def totals_of(self, payment: Mapping[str, Any]) -> Any:
        holds = payment["refunded"] - payment["back"]
        return super().totals_of({**payment, "refunded": holds, "back": 0})


class NeverHearsOfIt(TopUps):
    def totals_of(self, payment: Mapping[str, Any]) -> Any:
        return super().totals_of({**payment, "back": 0})


class NamesWhatItRefuses(good.Redeems):
    async def redeem(self, request: Any) -> Any:
        outcome = await super().redeem(request)
        return replace(outcome, ref="purchase_1") if isinstance(outcome, Declined) else outcome


WRONG = {
    "it sleeps": (Subject(good.topup(Sleeps)), {"C06"}),
    "it cannot be cancelled": (Subject(good.topup(GoesOn)), {"C07"}),
    "its threads hang": (Subject(blocking.threaded(blocking.NeverEnds)), {"C07"}),
    "a lost answer is a decline": (Subject(good.topup(LosesMoney)), {"M04", "M07", "M05"}),
    "it connects three times": (Subject(good.topup(Insists)), {"C08"}),
    "it follows redirects": (Subject(good.topup(Follows)), {"C05"}),
    "its errors tell the key": (Subject(good.topup(Shouts)), {"C04"}),
    "the order of news counts": (Subject(good.topup(Remembers)), {"W06", "W08"}),
    "each attempt pays": (Subject(good.payout(PaysTwice)), {"M01", "M02", "M03", "M04", "M06", "P02", "L01"}),
    "no secret is as good": (Subject(good.topup(TrustsNobodys, config=LooseConfig)), {"W01"}),
    "a refusal takes the purchase from its buyer": (
        Subject(good.topup(NamesWhatItRefuses, caps=good.REDEEM_CAPS), acme.StoreUpstream),
        {"I01"},
    ),
    "a refund that failed later was never made": (Subject(good.topup(TakesItBack)), {"R01", "R02"}),
    "nobody hears that money came back": (Subject(good.topup(NeverHearsOfIt)), {"R01", "R02"}),
    "what is disputed was not paid": (Subject(good.topup(EarlyBird)), {"R02", "W06"}),
}


@pytest.fixture(autouse=True)
def _waits_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manners, "GIVE_UP_S", 1.0)
    monkeypatch.setattr(manners, "GRACE_S", 0.7)


@pytest.mark.parametrize("what", WRONG)
def test_what_a_plugin_does_wrong_is_told(what: str, tmp_path: Path) -> None:
    subject, wanted = WRONG[what]
    found = failed(checked(subject, tmp_path, *wanted))
    assert set(found) == wanted, found


def test_a_plugin_that_asks_without_awaiting_holds_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manners, "LIFE_SIGN_S", 0.3)
    found = failed(checked(Subject(good.topup(AsksWithoutAwaiting)), tmp_path, "C06"))
    assert "it held the event loop in each of 3 calls" in found["C06"]


def test_a_simulator_that_breaks_is_told_as_such(tmp_path: Path) -> None:
    class Broken(acme.AcmeUpstream):
        def _routed(self, route: tuple[str, ...], key: str, given: Any) -> Any:
            raise RuntimeError("the simulator's own mistake")

    found = failed(checked(Subject(good.topup(), Broken), tmp_path, "M03"))
    assert found["M03"] == "the simulator itself broke (RuntimeError: the simulator's own mistake)"


def test_a_configuration_that_the_plugin_refuses_is_told_as_such(tmp_path: Path) -> None:
    class Wrong(acme.AcmeUpstream):
        def config(self, base_url: str) -> Mapping[str, object]:
            return {**super().config(base_url), "base_url": "nowhere"}

    found = failed(checked(Subject(good.topup(), Wrong), tmp_path, "M01"))
    assert "the upstream's own configuration is refused: base_url" in found["M01"]


def test_what_breaks_in_a_plugin_or_its_simulator_names_the_place(tmp_path: Path) -> None:
    class Silent(acme.AcmeUpstream):
        async def objects(self) -> Any:
            raise LookupError("no books today")

    found = failed(checked(Subject(good.topup(), Silent), tmp_path, "M01"))
    assert found["M01"].startswith("LookupError: no books today (in objects, test_more_wrong_plugins.py:")
