"""A webhook is believed only with a proof of the declared kind, for these very bytes."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr
from tests.plugins.written import EUR, NOW, SECRET, TOPUP_CAPS, offering, topup_plugin

from shoutgraph.plugins.providers import Providers
from shoutgraph.plugins.webhooks import PluginFaultError
from shoutgraph.sdk import (
    Absent,
    BadSignature,
    Delivery,
    MalformedNotice,
    Notice,
    NoticeKind,
    Paid,
    Pending,
    Proof,
    RawWebhook,
    Target,
    Webhooks,
    hint_proof,
    hmac_proof,
)
from shoutgraph.sdk.webhooks import BODY_BYTES_MAX, NOTICES_MAX

BODY = b"body"


def raw(body: bytes = BODY) -> RawWebhook:
    return RawWebhook(body=body, headers={}, query="", received_at=NOW, remote="127.0.0.1")


def signed(body: bytes = BODY) -> Proof:
    secret = SecretStr(SECRET)
    return hmac_proof(raw(body), [secret], [hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()])


def notice(**changes: object) -> Notice:
    plain = Notice("n1", Target("topup_1", "key_1"), NoticeKind.TOPUP, Pending("ref", timedelta(1)), NOW)
    return replace(plain, **changes)


def receiving(receive: Callable[[RawWebhook], object], trust: Webhooks = Webhooks.SIGNED) -> Providers:
    caps = replace(TOPUP_CAPS, webhooks=trust)
    return offering(topup_plugin({"receive": receive}, caps=caps))


def test_a_proven_delivery_passes_unchanged() -> None:
    delivery = Delivery(signed(), (notice(),), ack=b"[accepted]")
    assert receiving(lambda _: delivery).receive("one", raw()) == delivery


def test_a_proof_of_another_body_is_refused() -> None:
    with pytest.raises(BadSignature, match="another body"):
        receiving(lambda _: Delivery(signed(b"other"), ())).receive("one", raw())


def test_a_hint_where_signatures_were_declared_is_refused() -> None:
    with pytest.raises(BadSignature, match="not of the kind"):
        receiving(lambda each: Delivery(hint_proof(each), ())).receive("one", raw())


def test_a_hint_may_say_where_to_look_and_never_what_is_there() -> None:
    hinting = receiving(lambda each: Delivery(hint_proof(each), (notice(observation=None),)), Webhooks.HINT)
    assert hinting.receive("one", raw()).notices[0].observation is None
    claiming = receiving(lambda each: Delivery(hint_proof(each), (notice(),)), Webhooks.HINT)
    with pytest.raises(PluginFaultError):
        claiming.receive("one", raw())


def test_a_provider_without_webhooks_receives_none() -> None:
    with pytest.raises(BadSignature, match="no webhooks"):
        receiving(lambda _: Delivery(signed(), ()), Webhooks.NONE).receive("one", raw())


def test_a_body_that_is_too_large_never_reaches_the_plugin() -> None:
    with pytest.raises(MalformedNotice, match="too large"):
        receiving(lambda _: 1 / 0).receive("one", raw(b"x" * (BODY_BYTES_MAX + 1)))


def test_too_many_notices_are_refused() -> None:
    with pytest.raises(MalformedNotice, match="too many"):
        receiving(lambda _: Delivery(signed(), (notice(),) * (NOTICES_MAX + 1))).receive("one", raw())


@pytest.mark.parametrize(
    "answer",
    [
        None,
        True,
        b"ok",
        Delivery(None, ()),
        Delivery(signed(), ("notice",)),
        Delivery(signed(), (notice(notice_id=""),)),
        Delivery(signed(), (notice(observation=Absent()),)),
        Delivery(signed(), (notice(observation=Paid("ref", EUR, NOW)),)),
        Delivery(signed(), (notice(kind=NoticeKind.PAYOUT, observation=Absent()),)),
        Delivery(signed(), (notice(kind=NoticeKind.IGNORED),)),
    ],
)
def test_a_delivery_against_the_contract_is_the_plugins_fault(answer: object) -> None:
    with pytest.raises(PluginFaultError):
        receiving(lambda _: answer).receive("one", raw())


@pytest.mark.parametrize("error", [BadSignature, MalformedNotice])
def test_what_the_plugin_refuses_is_refused(error: type[Exception]) -> None:
    def receive(_: RawWebhook) -> Delivery:
        raise error("no")

    with pytest.raises(error):
        receiving(receive).receive("one", raw())


def test_a_plugin_that_breaks_is_named_and_its_secret_struck(caplog: pytest.LogCaptureFixture) -> None:
    def receive(_: RawWebhook) -> Delivery:
        raise ValueError(f"cannot use {SECRET}")

    with pytest.raises(PluginFaultError) as caught:
        receiving(receive).receive("one", raw())
    assert "plugin written, instance one: cannot read a webhook" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
