"""What is refused, by whom, and what that proves; the tokens without which nothing is sent."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from plugins.paypal.tests.shops import Staged, approved, order_of, world_of
from pydantic import SecretStr

from shoutgraph.sdk import (
    Declined,
    Money,
    NeedsAction,
    NotExecuted,
    Settled,
    Unknown,
)
from shoutgraph.testkit import faults
from shoutgraph.testkit.kinds import TopUpTrial
from shoutgraph.testkit.proxy import Which
from shoutgraph_paypal.simulator.state import shown
from shoutgraph_paypal.simulator.upstream import CLIENT_ID


def test_an_access_token_is_kept_until_shortly_before_it_ends(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        def tokens() -> int:
            return sum(each.path == "/v1/oauth2/token" for each in trial.proxy.asked)

        deal, ref = await trial.begun()
        await trial.look(deal, ref)
        assert tokens() == 1
        named = dict(trial.proxy.asked[0].headers)[b"authorization"].decode().removeprefix("Basic ")
        assert base64.b64decode(named).decode().startswith(f"{CLIENT_ID}:")
        trial.clock.advance(timedelta(hours=9) - timedelta(seconds=60))
        await trial.send(await trial.deal())
        assert tokens() == 2

    shop(story)


def test_a_token_that_paypal_forgot_is_replaced_at_the_next_request(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.begun()
        world_of(trial).tokens.clear()
        assert await trial.look(deal, ref) == Unknown("not_permitted")
        assert isinstance(await trial.look(deal, ref), NeedsAction)

    shop(story)


ANSWERS = {
    (500, "INTERNAL_SERVICE_ERROR"): Unknown("provider_error"),
    (503, "SERVICE_UNAVAILABLE"): Unknown("provider_error"),
    (409, "PREVIOUS_REQUEST_IN_PROGRESS"): Unknown("in_progress"),
    (422, "DUPLICATE_REQUEST_ID"): Unknown("idempotency_key_reused"),
    (422, "DUPLICATE_INVOICE_ID"): Unknown("idempotency_key_reused"),
    (422, "PAYEE_ACCOUNT_RESTRICTED"): NotExecuted("payee_account_restricted"),
    (422, "In words that may repeat what was sent."): NotExecuted("unprocessable_entity"),
    (403, "PERMISSION_DENIED"): NotExecuted("not_permitted"),
    (302, "FOUND"): Unknown("unreadable"),
}


@pytest.mark.parametrize(("status", "issue", "wanted"), [(*asked, wanted) for asked, wanted in ANSWERS.items()])
def test_every_refusal_is_a_proof_or_unknown(shop: Staged, status: int, issue: str, wanted: object) -> None:
    async def story(trial: TopUpTrial) -> None:
        said = {"name": "UNPROCESSABLE_ENTITY", "message": "In words.", "details": [{"issue": issue}]}
        trial.proxy.plan(faults.saying(issue, json.dumps(said).encode(), status=status), which=Which.MONEY)
        assert await trial.send(await trial.deal()) == wanted

    shop(story)


def test_an_answer_about_another_order_is_unknown(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.begun()
        other, other_ref = await trial.begun()
        whole = json.dumps(shown(order_of(trial, other_ref))).encode()
        for which, ask in ((Which.MONEY, trial.send(await trial.deal())), (Which.ANY, trial.look(deal, ref))):
            trial.proxy.plan(faults.saying("another order", whole), which=which)
            assert await ask == Unknown("other_object")
            trial.proxy.mend()
        assert isinstance(await trial.look(other, other_ref), NeedsAction)

    shop(story)


def test_what_paypal_has_no_room_for_is_not_sent(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal = await trial.deal()
        for changed in ({"operation_id": "x" * 110}, {"operation_id": "a:b"}, {"key": "k" * 109}):
            assert await trial.send(replace(deal, **changed)) == NotExecuted("id_not_expressible")
        paid, ref = await trial.paid()
        outcome = await trial.refund(paid, ref, Money(500, "EUR"), key="k" * 109)
        assert outcome == NotExecuted("id_not_expressible")
        assert [each.path for each in trial.proxy.asked if each.path.endswith("/refund")] == []

    shop(story)


def test_a_wrong_secret_sends_nothing(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        wrong = trial.loaded({**trial.config(), "client_secret": SecretStr("E_another_secret_than_that_one")})
        assert await trial.send(await trial.deal(), wrong) == NotExecuted("not_permitted")
        assert trial.proxy.money() == []

    shop(story)


@pytest.mark.parametrize(
    ("status", "issue", "kind"),
    [(422, "PAYER_CANNOT_PAY", Declined), (422, "ORDER_EXPIRED", Declined), (400, "INVALID_REQUEST", Unknown)],
)
def test_a_completion_that_is_refused_is_a_decision_or_unknown(
    shop: Staged, status: int, issue: str, kind: type
) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await approved(trial)
        said = {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": issue}]}
        trial.proxy.plan(faults.saying(issue, json.dumps(said).encode(), status=status), which=Which.MONEY)
        seen = await trial.look(deal, ref)
        assert type(seen) is kind
        assert getattr(seen, "ref", None) == ref
        assert isinstance(await trial.look(deal, ref), Settled), "the answer lied: it was carried out"

    shop(story)


def test_without_a_token_nothing_is_sent(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        world_of(trial).token_s = 0
        assert await trial.send(await trial.deal()) == NotExecuted("unavailable")
        assert trial.proxy.money() == []

    shop(story)
