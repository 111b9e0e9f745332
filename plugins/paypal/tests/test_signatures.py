"""Webhooks: an address that anybody can write is compared, and never asked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shoutgraph.sdk import BadSignature, RawWebhook, Webhooks
from shoutgraph_paypal import certificates
from shoutgraph_paypal.certificates import PREFIXES, SUBJECTS
from shoutgraph_paypal.config import PayPalConfig
from shoutgraph_paypal.signatures import TOLERANCE, Verifier, message_of
from shoutgraph_paypal.simulator import signing
from shoutgraph_paypal.simulator.signing import Seal
from shoutgraph_paypal.simulator.upstream import ROOT, WEBHOOK_ID, config_for, foreign, present, previous

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
BODY = b'{"id": "WH-1", "event_type": "CHECKOUT.ORDER.APPROVED", "resource": {}}'
ENDED = signing.seal("ended-in-2025", ROOT, ends=datetime(2025, 1, 1, tzinfo=UTC))
HERE = PREFIXES["sandbox"][0]

FOREIGN_URLS = {
    "another host": "https://shop.example/v1/notifications/certs/CERT-360caa42-0000-present",
    "a host that begins alike": "https://api.sandbox.paypal.com.shop.example/v1/notifications/certs/CERT-360caa42",
    "a user name": "https://api.sandbox.paypal.com@shop.example/v1/notifications/certs/CERT-360caa42-0000",
    "another port": "https://api.sandbox.paypal.com:8443/v1/notifications/certs/CERT-360caa42-0000",
    "no TLS": "http://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-0000-present",
    "a way out": f"{HERE}../../oauth2/token/CERT-360caa42",
    "a query": f"{HERE}CERT-360caa42-0000-present?to=https://shop.example",
    "a line of its own": f"{HERE}CERT-360caa42-0000-present\n",
    "the live one": present().url.replace("sandbox.", ""),
    "a file": "file:///etc/ssl/cert.pem",
    "the same in capitals": present().url.upper(),
}


def webhook(seal: Seal, *, at: datetime = NOW, body: bytes = BODY, name: str = WEBHOOK_ID) -> RawWebhook:
    return RawWebhook(body, seal.headers(body, name, at), "", NOW, "203.0.113.7")


def with_headers(raw: RawWebhook, **changes: str) -> RawWebhook:
    return replace(raw, headers={**raw.headers, **{name.replace("_", "-"): value for name, value in changes.items()}})


def verifier(**changes: object) -> Verifier:
    return Verifier(PayPalConfig.model_validate({**config_for("http://127.0.0.1:1"), **changes}))


def pinned(*seals: Seal) -> list[Mapping[str, str]]:
    return [{"url": each.url, "chain": each.chain} for each in seals]


def test_what_is_signed_is_the_crc_of_the_body_between_bars() -> None:
    signed = message_of("69cd13f0-d67a-11e5-baa3-778b53f4ae55", "2016-02-18T20:01:35Z", "1JE4291016473214C", b"abc")
    assert signed == b"69cd13f0-d67a-11e5-baa3-778b53f4ae55|2016-02-18T20:01:35Z|1JE4291016473214C|891568578"


def test_both_certificates_count_while_one_is_replaced() -> None:
    for seal in (present(), previous()):
        proof = verifier().prove(webhook(seal))
        assert (proof.trust, proof.signed_at) == (Webhooks.SIGNED, NOW)


@pytest.mark.parametrize("url", FOREIGN_URLS.values(), ids=FOREIGN_URLS)
def test_a_certificate_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(BadSignature, match="not at PayPal's address"):
        verifier().prove(with_headers(webhook(foreign()), paypal_cert_url=url))
    assert not certificates.is_paypals(url, "sandbox")


@pytest.mark.parametrize("mode", ["live", "sandbox"])
def test_both_names_of_paypals_api_are_paypals(mode: str) -> None:
    assert all(certificates.is_paypals(f"{each}CERT-360caa42-fca2a594", mode) for each in PREFIXES[mode])


def test_a_certificate_of_paypals_that_is_not_configured_is_refused_by_its_name() -> None:
    url = f"{HERE}CERT-360caa42-0000-next"
    with pytest.raises(BadSignature, match="CERT-360caa42-0000-next is not configured"):
        verifier().prove(with_headers(webhook(present()), paypal_cert_url=url))


@pytest.mark.parametrize("by", [TOLERANCE + timedelta(minutes=1), -TOLERANCE - timedelta(minutes=1)])
def test_a_webhook_of_another_time_is_refused(by: timedelta) -> None:
    with pytest.raises(BadSignature):
        verifier().prove(webhook(present(), at=NOW + by))


def test_what_was_changed_or_left_out_is_refused() -> None:
    raw = webhook(present())
    wrong = [
        webhook(foreign()),
        webhook(present(), name="1JE4291016473214C"),
        replace(raw, body=raw.body + b" "),
        with_headers(raw, paypal_cert_url=previous().url),
        with_headers(raw, paypal_auth_algo="SHA1withRSA"),
        with_headers(raw, paypal_transmission_id="another"),
        with_headers(raw, paypal_transmission_time="2026-11-22T10:00:01Z"),
        with_headers(raw, paypal_transmission_time="today"),
        with_headers(raw, paypal_transmission_time="2026-11-22T10:00:00"),
        with_headers(raw, paypal_transmission_sig="not base64!"),
        with_headers(raw, paypal_transmission_sig=""),
        *[
            replace(raw, headers={name: raw.headers[name] for name in raw.headers if name != each})
            for each in raw.headers
        ],
    ]
    for each in wrong:
        with pytest.raises(BadSignature):
            verifier().prove(each)


def test_a_certificate_that_has_ended_proves_nothing_any_more() -> None:
    known = verifier(certificates=pinned(ENDED))
    with pytest.raises(BadSignature):
        known.prove(webhook(ENDED))
    at = datetime(2024, 6, 1, tzinfo=UTC)
    assert known.prove(replace(webhook(ENDED, at=at), received_at=at)).signed_at == at


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("certificates", {"certificate_roots": [signing.root("Somebody").pem]}),
        ("certificates", {"certificates": pinned(signing.seal("x" * 9, ROOT, subject="shop.example"))}),
        ("certificates", {"certificates": pinned(signing.seal("y" * 9, ROOT, subject=SUBJECTS["live"]))}),
        ("certificates", {"certificates": pinned(replace(present(), url="https://shop.example/CERT-1"))}),
        ("certificates", {"certificates": [{"url": present().url, "chain": present().chain.split("-----BEGIN")[0]}]}),
        ("certificate_roots", {"certificate_roots": [signing.root(ROOT).pem * 2]}),
        ("base_url", {"mode": "live"}),
    ],
)
def test_a_configuration_that_would_refuse_everything_is_refused_at_the_start(field: str, changes: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        verifier(**changes)
    assert field in {str(each["loc"][0]) for each in refused.value.errors()}


def test_the_live_api_is_paypals_own() -> None:
    live = signing.seal("in-use", ROOT, subject=SUBJECTS["live"])
    seal = {"url": f"{PREFIXES['live'][0]}CERT-360caa42-0000", "chain": live.chain}
    config = PayPalConfig.model_validate(
        {
            **config_for(""),
            "mode": "live",
            "base_url": None,
            "certificates": [seal],
            "certificate_roots": [signing.root(ROOT).pem],
        }
    )
    assert config.api_url == "https://api-m.paypal.com"
