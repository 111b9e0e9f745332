"""Webhooks are believed only with a proof, and every verifier fails closed."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from pydantic import SecretStr

from shoutgraph.sdk import (
    BadSignature,
    Encoding,
    Proof,
    RawWebhook,
    Webhooks,
    external_proof,
    hint_proof,
    hmac_items_proof,
    hmac_proof,
    standard_webhooks_proof,
    timestamped_proof,
)

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)
BODY = b'{"paid": true}'
OLD = SecretStr("the-old-secret")
NEW = SecretStr("the-new-secret")
STANDARD = SecretStr("whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode())
OTHER = SecretStr("whsec_" + base64.b64encode(b"another key that is long enough!").decode())


def raw(headers: dict[str, str] | None = None, body: bytes = BODY) -> RawWebhook:
    return RawWebhook(body=body, headers=headers or {}, query="", received_at=NOW, remote="127.0.0.1")


def sign(secret: SecretStr, message: bytes = BODY) -> str:
    return hmac.new(secret.get_secret_value().encode(), message, hashlib.sha256).hexdigest()


def timestamped(secret: SecretStr, at: datetime = NOW) -> RawWebhook:
    seconds = str(int(at.timestamp()))
    signature = sign(secret, seconds.encode() + b"." + BODY)
    return raw({"x-signature": f"t={seconds},v1={signature}"})


def standard(secret: SecretStr, at: datetime = NOW, body: bytes = BODY) -> RawWebhook:
    # Signed by the specification's own library, not by us.
    signature = standardwebhooks.Webhook(secret.get_secret_value()).sign("msg_1", at, body.decode())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }
    return raw(headers, body)


def test_a_body_signed_with_the_secret_is_proven_and_the_proof_names_that_body() -> None:
    proof = hmac_proof(raw(), [NEW], [sign(NEW)])
    assert proof.trust is Webhooks.SIGNED
    assert proof.body_sha256 == hashlib.sha256(BODY).digest()


def test_a_rotated_secret_is_accepted_while_both_are_configured() -> None:
    assert hmac_proof(raw(), [NEW, OLD], [sign(OLD)])
    assert hmac_proof(raw(), [OLD, NEW], [sign(OLD)])
    with pytest.raises(BadSignature):
        hmac_proof(raw(), [NEW], [sign(OLD)])


@pytest.mark.parametrize(
    ("secrets", "given"),
    [
        ([], [sign(NEW)]),
        ([NEW], []),
        ([NEW], [""]),
        ([NEW], ["not hex"]),
        ([NEW], ["ä"]),
        ([SecretStr("")], [sign(SecretStr(""))]),
        ([NEW, SecretStr("")], [sign(NEW)]),
    ],
    ids=["no secrets", "no signature", "empty", "not hex", "not ascii", "empty secret", "one empty secret"],
)
def test_an_hmac_without_secret_or_signature_is_refused(secrets: Sequence[SecretStr], given: Sequence[str]) -> None:
    with pytest.raises(BadSignature):
        hmac_proof(raw(), secrets, given)


def test_one_changed_byte_of_the_body_is_refused() -> None:
    with pytest.raises(BadSignature):
        hmac_proof(raw(body=BODY.replace(b"true", b"True")), [NEW], [sign(NEW)])


def test_a_base64_signature_over_another_message_than_the_body_is_proven() -> None:
    signature = base64.b64encode(hmac.digest(NEW.get_secret_value().encode(), b"id|time", "sha256")).decode()
    assert hmac_proof(raw(), [NEW], [signature], message=b"id|time", encoding=Encoding.BASE64)


def test_one_forged_item_refuses_the_whole_delivery() -> None:
    def signed(message: bytes) -> tuple[bytes, str]:
        key = NEW.get_secret_value().encode()
        return message, base64.b64encode(hmac.digest(key, message, "sha256")).decode()

    assert hmac_items_proof(raw(), [NEW], [signed(b"one"), signed(b"two")])
    with pytest.raises(BadSignature):
        hmac_items_proof(raw(), [NEW], [signed(b"one"), (b"two", signed(b"one")[1])])
    with pytest.raises(BadSignature):
        hmac_items_proof(raw(), [NEW], [])


def test_a_timestamped_webhook_is_proven_with_its_time() -> None:
    assert timestamped_proof(timestamped(NEW), [NEW], header="X-Signature").signed_at == NOW


@pytest.mark.parametrize("away", [timedelta(minutes=-6), timedelta(minutes=6), timedelta(days=-400)])
def test_a_signed_time_that_is_old_or_in_the_future_is_refused(away: timedelta) -> None:
    with pytest.raises(BadSignature, match="old, or in the future"):
        timestamped_proof(timestamped(NEW, NOW + away), [NEW], header="X-Signature")
    with pytest.raises(BadSignature, match="old, or in the future"):
        standard_webhooks_proof(standard(STANDARD, NOW + away), [STANDARD])


@pytest.mark.parametrize("away", [timedelta(minutes=-4), timedelta(minutes=4)])
def test_a_signed_time_that_is_a_little_off_is_accepted(away: timedelta) -> None:
    assert timestamped_proof(timestamped(NEW, NOW + away), [NEW], header="X-Signature")
    assert standard_webhooks_proof(standard(STANDARD, NOW + away), [STANDARD])


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=1",
        "v1=aa",
        "t=x,v1=aa",
        "t=1,t=2,v1=aa",
        "t=" + "9" * 30 + ",v1=aa",
        "t=²,v1=aa",
        "t=1,v1=" + "a" * 5000,
    ],
)
def test_a_timestamped_header_that_is_missing_or_broken_is_refused(header: str | None) -> None:
    headers = {} if header is None else {"x-signature": header}
    with pytest.raises(BadSignature):
        timestamped_proof(raw(headers), [NEW], header="X-Signature")


def test_a_time_that_was_changed_after_signing_is_refused() -> None:
    seconds, later = str(int(NOW.timestamp())), str(int(NOW.timestamp()) + 1)
    header = timestamped(NEW).headers["x-signature"].replace(f"t={seconds}", f"t={later}")
    with pytest.raises(BadSignature, match="no signature"):
        timestamped_proof(raw({"x-signature": header}), [NEW], header="X-Signature")


def test_what_the_standard_webhooks_library_signs_is_proven() -> None:
    proof = standard_webhooks_proof(standard(STANDARD), [OTHER, STANDARD])
    assert (proof.trust, proof.signed_at) == (Webhooks.SIGNED, NOW)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_standard_webhook_without_one_of_its_headers_is_refused(missing: str) -> None:
    headers = {name: value for name, value in standard(STANDARD).headers.items() if name != missing}
    with pytest.raises(BadSignature):
        standard_webhooks_proof(raw(headers), [STANDARD])


def test_a_standard_webhook_of_another_key_or_version_is_refused() -> None:
    genuine = standard(STANDARD)
    with pytest.raises(BadSignature):
        standard_webhooks_proof(genuine, [OTHER])
    with pytest.raises(BadSignature):
        standard_webhooks_proof(genuine, [])
    with pytest.raises(BadSignature):
        standard_webhooks_proof(genuine, [SecretStr("whsec_not base64")])
    renamed = {**genuine.headers, "webhook-signature": genuine.headers["webhook-signature"].replace("v1,", "v2,")}
    with pytest.raises(BadSignature):
        standard_webhooks_proof(raw(renamed), [STANDARD])


def test_a_vendors_verifier_that_raises_refuses_and_hides_its_text() -> None:
    def refuse(_: RawWebhook) -> None:
        raise RuntimeError("the-new-secret leaked")

    with pytest.raises(BadSignature) as caught:
        external_proof(raw(), "vendor", refuse)
    assert "leaked" not in str(caught.value)


def test_a_vendors_verifier_gives_the_time_which_is_checked_too() -> None:
    assert external_proof(raw(), "vendor", lambda _: NOW).signed_at == NOW
    assert external_proof(raw(), "vendor", lambda _: NOW - timedelta(days=9), tolerance=None)
    for bad in (NOW - timedelta(days=9), NOW + timedelta(days=9), NOW.replace(tzinfo=None)):
        with pytest.raises(BadSignature):
            external_proof(raw(), "vendor", lambda _, at=bad: at)


def test_an_unsigned_webhook_is_a_hint() -> None:
    assert hint_proof(raw()).trust is Webhooks.HINT


def test_a_proof_that_no_verifier_made_cannot_be_made() -> None:
    with pytest.raises(TypeError):
        Proof("mine", Webhooks.SIGNED, b"", None, object())


def test_a_webhook_shows_neither_body_nor_headers_in_its_repr() -> None:
    shown = repr(raw({"authorization": "Bearer hidden"}, b"hidden body"))
    assert "hidden" not in shown
