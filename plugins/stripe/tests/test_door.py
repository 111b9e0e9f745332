"""What answers are worth that are none, or none that Stripe's own library would survive."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import stripe
from pydantic import SecretStr

from shoutgraph.sdk import HttpAnswer, NotExecuted, Unknown
from shoutgraph_stripe import door, wire
from shoutgraph_stripe.config import StripeConfig
from shoutgraph_stripe.shapes import TransferShape
from shoutgraph_stripe.simulator.upstream import API_KEY, SECRET
from shoutgraph_stripe.wire import Refused

pytestmark = pytest.mark.anyio

CONFIG = StripeConfig(mode="test", secret_key=API_KEY, webhook_secrets=[SECRET])


@dataclass
class Canned:
    """A provider that always answers the same."""

    answer: HttpAnswer
    count: int = 0

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> HttpAnswer:
        del method, url, headers, content
        self.count += 1
        return self.answer


class Lent:
    def __init__(self, http: Canned) -> None:
        self.http = http


def refusal(kind: str, code: str | None = None, param: str | None = None) -> bytes:
    return json.dumps({"error": {"type": kind, "code": code, "param": param, "message": "sk_test_told"}}).encode()


ANSWERS = {
    "a page of somebody in between": (400, b"<h1>Bad request</h1>", Unknown("unreadable")),
    "an error that is a text": (400, b'{"error": "slow down"}', Unknown("unreadable")),
    "a redirect": (302, b"{}", Unknown("unreadable")),
    "nested without an end": (200, b"[" * 100_000, Unknown("unreadable")),
    "another object": (200, b'{"object": "charge", "id": "ch_1"}', Unknown("unreadable")),
    "a failure with a word": (500, refusal("api_error"), Unknown("provider_error")),
    "a failure of somebody behind Stripe": (424, refusal("api_error"), Unknown("provider_error")),
    "the same key at work": (409, refusal("idempotency_error", "idempotency_key_in_use"), Unknown("in_progress")),
    "the same key for something else": (400, refusal("idempotency_error"), Unknown("idempotency_key_reused")),
    "a lock": (
        429,
        refusal("invalid_request_error", "lock_timeout"),
        NotExecuted("rate_limited", timedelta(seconds=3)),
    ),
    "a word": (400, refusal("invalid_request_error", "balance_insufficient"), Refused("balance_insufficient")),
    "a field": (400, refusal("invalid_request_error", None, "destination"), Refused("invalid_destination")),
    "nothing but no": (400, refusal("invalid_request_error"), Refused("refused")),
    "no such thing": (
        404,
        refusal("invalid_request_error", "resource_missing"),
        Refused("resource_missing", is_missing=True),
    ),
    "no such key": (401, refusal("invalid_request_error"), Refused("not_permitted")),
    "no such right": (403, refusal("invalid_request_error"), Refused("not_permitted")),
    "a card": (402, refusal("card_error", "card_declined"), Refused("card_declined")),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_is_worth_what_it_proves_and_is_asked_for_once(name: str) -> None:
    status, body, wanted = ANSWERS[name]
    headers = {"retry-after": "3", "stripe-should-retry": "true", "content-type": "application/json"}
    http = Canned(HttpAnswer(status, headers, body))
    host: Any = Lent(http)
    api = door.client(CONFIG, host).v1
    params: Any = {"amount": 100, "currency": "eur", "destination": "acct_1"}
    assert await wire.ask(api.transfers.create_async(params), TransferShape) == wanted
    assert http.count == 1


def test_the_library_believes_webhooks_from_the_future_which_is_why_another_verifier_is_used() -> None:
    body, tomorrow = '{"object": "event"}', 4_102_444_800
    secret = SECRET.get_secret_value()
    header = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=tomorrow)
    assert stripe.WebhookSignature.verify_header(body, header, secret, tolerance=300)


def test_a_configuration_never_shows_its_secrets() -> None:
    assert API_KEY.get_secret_value() not in repr(CONFIG)
    assert not CONFIG.is_live
    live = StripeConfig(mode="live", secret_key=SecretStr("rk_live_51Restricted"), webhook_secrets=[SECRET])
    assert (live.is_live, live.base_url) == (True, "https://api.stripe.com")
