"""Signed webhooks that only hint, and name an object of the provider's that we have never heard of."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import httpx
import pytest
from tests.services.till import Till, open_till
from tests.storage.databases import Place

from shoutgraph.domain.topups.topup import Status
from shoutgraph.domain.users import Viewer
from shoutgraph.plugins import loading
from shoutgraph.sdk import (
    Absent,
    AnyPayoutPlugin,
    AnyTopUpPlugin,
    Call,
    Delivery,
    Notice,
    Observation,
    RawWebhook,
    Settled,
    Target,
    Unknown,
    hookimpl,
)
from shoutgraph_sandbox import wire
from shoutgraph_sandbox.payouts import PAYOUT
from shoutgraph_sandbox.topups import TOPUP, SandboxTopUps, outcome_of

CASE = "case_of_"
asked: list[str] = []
silent: list[str] = []
foreign: list[str] = []


class NamesCases(SandboxTopUps):
    """Tells of a dispute by the number of the case alone, and finds the payment of a case."""

    def receive(self, raw: RawWebhook) -> Delivery:
        delivery = super().receive(raw)
        return Delivery(delivery.proof, tuple(map(self._hinted, delivery.notices)))

    def _hinted(self, notice: Notice) -> Notice:
        seen = notice.observation
        if not isinstance(seen, Settled) or seen.totals.disputed.minor == 0:
            return notice
        case = CASE + (foreign[0] if foreign else seen.ref)
        return replace(notice, target=Target(case, case, case), observation=None)

    async def fetch(self, target: Target, call: Call) -> Observation:
        if target.ref is None or not target.ref.startswith(CASE):
            return await super().fetch(target, call)
        asked.append(target.ref)
        if silent:
            return Unknown(silent.pop())
        url = f"{self._config.base_url}/v1/payments/{target.ref.removeprefix(CASE)}"
        headers = {"authorization": f"Bearer {self._config.api_key.get_secret_value()}"}
        async with httpx.AsyncClient() as client:  # of its own: webhooks come in on another event loop here
            answer = await client.get(url, headers=headers)
        return outcome_of(wire.PaymentShape.model_validate_json(answer.content)) if answer.is_success else Absent()


class Offer:
    @hookimpl
    def shoutgraph_topup_plugins(self) -> Sequence[AnyTopUpPlugin]:
        return [replace(TOPUP, build=NamesCases)]

    @hookimpl
    def shoutgraph_payout_plugins(self) -> Sequence[AnyPayoutPlugin]:
        return [PAYOUT]


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    def prepare(setup: loading.Setup) -> loading.Setup:
        return replace(setup, extra={"sandbox": Offer()})

    for told in (asked, silent, foreign):
        told.clear()
    with open_till(place, prepare) as till:
        yield till


@pytest.fixture
def fan(till: Till) -> Viewer:
    return till.world.person("mia")


def answers(till: Till) -> list[int]:
    return [status for body, _, status in till.hooks if b'"disputed": 0' not in body]


def test_a_dispute_that_is_named_by_its_case_reaches_its_top_up(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 1000)
    till.control(f"payments/{topup.id}/dispute", outcome="open")
    till.hear(lambda: len(asked) > 0 and answers(till)[-1:] == [200])
    till.tick()
    assert till.topup(topup).status is Status.DISPUTED
    till.world.verify()


def test_a_case_that_nobody_can_name_now_is_asked_for_again(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 1000)
    silent.append("no_answer")
    till.control(f"payments/{topup.id}/dispute", outcome="open")
    till.hear(lambda: len(asked) > 0)
    till.hear(lambda: any(status >= 500 for status in answers(till)))
    till.hear(lambda: len(asked) > 1 and answers(till)[-1] == 200)
    till.tick()
    assert till.topup(topup).status is Status.DISPUTED


def test_a_case_of_somebody_else_is_answered_and_changes_nothing(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 1000)
    foreign.append("payment_of_another_shop")
    till.control(f"payments/{topup.id}/dispute", outcome="open")
    till.hear(lambda: len(asked) > 0 and answers(till)[-1:] == [200])
    assert asked == [CASE + "payment_of_another_shop"]
    till.world.clock.move(seconds=1)
    assert till.topup(topup).status is Status.PAID
