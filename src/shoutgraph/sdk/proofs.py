"""Verifiers of webhooks. They fail closed: no secret, no signature, no clock agreement, no proof.

Every verifier takes a list of secrets, so that a secret can be replaced while both are valid, compares in
constant time, and refuses a time that is too old as well as one in the future.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import SecretStr

from shoutgraph.sdk.capabilities import Webhooks
from shoutgraph.sdk.errors import BadSignature
from shoutgraph.sdk.webhooks import SEAL, Proof, RawWebhook

TOLERANCE: Final = timedelta(minutes=5)
"""How far a signed time may be from ours, in either direction."""

SIGNATURES_MAX: Final = 16
"""The most signatures that are looked at in one header."""

HEADER_CHARS_MAX: Final = 4096
STANDARD_PREFIX: Final = "whsec_"


class Encoding(StrEnum):
    """How a provider writes its signatures."""

    HEX = "hex"
    BASE64 = "base64"


def hmac_proof(
    raw: RawWebhook,
    secrets: Sequence[SecretStr],
    given: Sequence[str],
    *,
    message: bytes | None = None,
    digest: str = "sha256",
    encoding: Encoding = Encoding.HEX,
) -> Proof:
    """Proves a webhook by an HMAC over its body, or over `message` where the provider signs something else.

    Raises:
        BadSignature: no given signature belongs to any of the secrets.
    """
    keys = [secret.get_secret_value().encode() for secret in secrets]
    signed = raw.body if message is None else message
    _require_match(keys, signed, given, digest=digest, encoding=encoding)
    return _proof(raw, f"hmac-{digest}", signed_at=None)


def hmac_items_proof(
    raw: RawWebhook,
    secrets: Sequence[SecretStr],
    items: Sequence[tuple[bytes, str]],
    *,
    digest: str = "sha256",
    encoding: Encoding = Encoding.BASE64,
) -> Proof:
    """Proves a delivery of which every item is signed alone: one forged item refuses all of it.

    Args:
        items: the message and the signature of each item.

    Raises:
        BadSignature: there is no item, or one of them is not signed by any of the secrets.
    """
    if not items:
        raise BadSignature("there is nothing that is signed")
    keys = [secret.get_secret_value().encode() for secret in secrets]
    for message, signature in items:
        _require_match(keys, message, [signature], digest=digest, encoding=encoding)
    return _proof(raw, f"hmac-{digest}-items", signed_at=None)


def timestamped_proof(
    raw: RawWebhook,
    secrets: Sequence[SecretStr],
    *,
    header: str,
    version: str = "v1",
    tolerance: timedelta = TOLERANCE,
) -> Proof:
    """Proves a webhook whose header reads `t=<seconds>,v1=<hex>`: an HMAC over the time, a dot and the body.

    Raises:
        BadSignature: no signature belongs to any of the secrets, or the time is out of bounds.
    """
    pairs = [part.strip().partition("=") for part in _header(raw, header).split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    given = [value for name, _, value in pairs if name == version]
    if len(times) != 1:
        raise BadSignature("the header names no time, or several")
    signed_at = _time(times[0])
    keys = [secret.get_secret_value().encode() for secret in secrets]
    _require_match(keys, times[0].encode() + b"." + raw.body, given)
    _require_recent(raw, signed_at, tolerance)
    return _proof(raw, f"timestamped-{version}", signed_at=signed_at)


def standard_webhooks_proof(
    raw: RawWebhook, secrets: Sequence[SecretStr], *, tolerance: timedelta = TOLERANCE
) -> Proof:
    """Proves a webhook signed after the Standard Webhooks specification, symmetric scheme `v1`.

    Raises:
        BadSignature: a header is missing, no signature belongs to any of the secrets, or the time is out of
            bounds.
    """
    message_id, seconds = _header(raw, "webhook-id"), _header(raw, "webhook-timestamp")
    signatures = [part.partition(",") for part in _header(raw, "webhook-signature").split(" ")]
    given = [value for version, _, value in signatures if version == "v1"]
    signed_at = _time(seconds)
    message = b".".join((message_id.encode(), seconds.encode(), raw.body))
    keys = [standard_key(secret) for secret in secrets]
    _require_match(keys, message, given, encoding=Encoding.BASE64)
    _require_recent(raw, signed_at, tolerance)
    return _proof(raw, "standard-webhooks-v1", signed_at=signed_at)


def external_proof(
    raw: RawWebhook,
    scheme: str,
    verify: Callable[[RawWebhook], datetime | None],
    *,
    tolerance: timedelta | None = TOLERANCE,
) -> Proof:
    """Proves a webhook by a vendor's verifier, which raises when it disagrees, else gives the signed time.

    Args:
        tolerance: None where the vendor's signatures stay valid for ever, as a store's receipts do.

    Raises:
        BadSignature: the vendor's verifier raised, or the time is out of bounds.
    """
    try:
        signed_at = verify(raw)
    except Exception as broken:
        raise BadSignature(f"{scheme}: {type(broken).__name__}") from broken
    if signed_at is not None and signed_at.tzinfo is None:
        raise BadSignature("the signed time has no zone")
    if signed_at is not None and tolerance is not None:
        _require_recent(raw, signed_at, tolerance)
    return _proof(raw, scheme, signed_at=signed_at)


def hint_proof(raw: RawWebhook, scheme: str = "unsigned") -> Proof:
    """Lets an unsigned webhook in as a hint: it may say where to look, never what is there."""
    return _proof(raw, scheme, signed_at=None, trust=Webhooks.HINT)


def standard_key(secret: SecretStr) -> bytes:
    """The key inside a Standard Webhooks secret: base64 after an optional `whsec_`.

    Raises:
        BadSignature: the secret is not base64.
    """
    text = secret.get_secret_value().removeprefix(STANDARD_PREFIX)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature("a configured secret is not base64") from None


def _require_match(
    keys: Sequence[bytes],
    message: bytes,
    given: Sequence[str],
    *,
    digest: str = "sha256",
    encoding: Encoding = Encoding.HEX,
) -> None:
    matched = False
    for key in keys:
        if not key:
            raise BadSignature("a configured secret is empty")
        wanted = hmac.new(key, message, digest).digest()
        for signature in given[:SIGNATURES_MAX]:
            matched |= hmac.compare_digest(wanted, _decoded(signature, encoding))
    if not matched:
        raise BadSignature("no signature matched")


def _decoded(signature: str, encoding: Encoding) -> bytes:
    try:
        if encoding is Encoding.HEX:
            return bytes.fromhex(signature)
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _header(raw: RawWebhook, name: str) -> str:
    value = raw.header(name)
    if not value or len(value) > HEADER_CHARS_MAX:
        raise BadSignature(f"the header {name} is missing, or too long")
    return value


def _time(seconds: str) -> datetime:
    if not (seconds.isascii() and seconds.isdigit()):
        raise BadSignature("the signed time is not a number of seconds")
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (OverflowError, ValueError, OSError):
        raise BadSignature("the signed time is out of range") from None


def _require_recent(raw: RawWebhook, signed_at: datetime, tolerance: timedelta) -> None:
    if abs(raw.received_at - signed_at) > tolerance:
        raise BadSignature("the signed time is too old, or in the future")


def _proof(raw: RawWebhook, scheme: str, *, signed_at: datetime | None, trust: Webhooks = Webhooks.SIGNED) -> Proof:
    return Proof(
        scheme=scheme,
        trust=trust,
        body_sha256=hashlib.sha256(raw.body).digest(),
        signed_at=signed_at,
        seal=SEAL,
    )
