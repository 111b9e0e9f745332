"""The proof of a webhook: RSA-SHA256 over `transmission_id|transmission_time|webhook_id|crc32(body)`."""

import base64
import binascii
import zlib
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.sdk import BadSignature, Proof, RawWebhook, external_proof
from shoutgraph_paypal.certificates import Signer, is_paypals
from shoutgraph_paypal.config import PayPalConfig

SCHEME: Final = "paypal-sha256-with-rsa"
ALGORITHM: Final = "SHA256withRSA"
TOLERANCE: Final = timedelta(hours=1)
"""How far the signed time may be from ours, in either direction. PayPal repeats what was not accepted for three days;
what is repeated later than this with its old time is refused, and the looks find it."""

HEADER_CHARS_MAX: Final = 1024


class Verifier:
    """Proves the webhooks of one instance, with the certificates that it was given: nothing is fetched."""

    def __init__(self, config: PayPalConfig) -> None:
        self._mode = config.mode
        self._webhook_id = config.webhook_id
        roots = config.certificate_roots
        self._signers = {each.url: Signer(each.chain, roots, config.mode) for each in config.certificates}

    def prove(self, raw: RawWebhook) -> Proof:
        """Proves a webhook.

        Raises:
            BadSignature: it is not signed by PayPal for our webhook, or its time is out of bounds.
        """
        signer = self._signer(_header(raw, "paypal-cert-url"))

        def verify(webhook: RawWebhook) -> datetime:
            transmission, time = (
                _header(webhook, "paypal-transmission-id"),
                _header(webhook, "paypal-transmission-time"),
            )
            if _header(webhook, "paypal-auth-algo") != ALGORITHM:
                raise BadSignature("another algorithm than PayPal's")
            signature = _decoded(_header(webhook, "paypal-transmission-sig"))
            signer.require_valid(webhook.received_at)
            signer.require_signed(message_of(transmission, time, self._webhook_id, webhook.body), signature)
            return datetime.fromisoformat(time)

        return external_proof(raw, SCHEME, verify, tolerance=TOLERANCE)

    def _signer(self, url: str) -> Signer:
        signer = self._signers.get(url)
        if signer is not None:
            return signer
        if is_paypals(url, self._mode):
            raise BadSignature(f"the certificate {url.rpartition('/')[2]} is not configured")
        raise BadSignature("the certificate is not at PayPal's address")


def message_of(transmission: str, time: str, webhook_id: str, body: bytes) -> bytes:
    """What is signed."""
    return f"{transmission}|{time}|{webhook_id}|{zlib.crc32(body)}".encode()


def _header(raw: RawWebhook, name: str) -> str:
    value = raw.header(name)
    if not value or len(value) > HEADER_CHARS_MAX:
        raise BadSignature(f"the header {name} is missing, or too long")
    return value


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature("the signature is not base64") from None
