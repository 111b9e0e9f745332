"""The certificates that PayPal signs webhooks with: pinned by their address, and proven to be PayPal's nevertheless.

The address comes in a header, so from anybody. It is compared with what is configured and never asked: there is no
request that somebody else could aim.
Source: https://developer.paypal.com/api/rest/webhooks/rest/
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

PREFIXES: Final = {
    "live": ("https://api.paypal.com/v1/notifications/certs/", "https://api-m.paypal.com/v1/notifications/certs/"),
    "sandbox": (
        "https://api.sandbox.paypal.com/v1/notifications/certs/",
        "https://api-m.sandbox.paypal.com/v1/notifications/certs/",
    ),
}
"""How the addresses of PayPal's certificates begin, by mode: exactly these."""

SUBJECTS: Final = {
    "live": "messageverificationcerts.paypal.com",
    "sandbox": "messageverificationcerts.sandbox.paypal.com",
}
CHAIN_MAX: Final = 6
DEPTH_MAX: Final = 4
KEY_BITS_MIN: Final = 2048

_NAME: Final = re.compile(r"CERT-[A-Za-z0-9-]{8,100}", re.ASCII)


class UntrustedError(ValueError):
    """A certificate is not PayPal's, or not valid at the time."""


def is_paypals(url: str, mode: str) -> bool:
    """Whether this is exactly an address of a certificate of PayPal's, in this mode."""
    return any(url.startswith(each) and _NAME.fullmatch(url.removeprefix(each)) for each in PREFIXES[mode])


def read(pem: str) -> list[x509.Certificate]:
    """The certificates in a text.

    Raises:
        ValueError: there are none, or too many.
    """
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise ValueError("certificates are PEM") from None
    if not 1 <= len(found) <= CHAIN_MAX:
        raise ValueError(f"one to {CHAIN_MAX} certificates")
    return found


def check(pem: str, roots: Sequence[str], mode: str) -> None:
    """Says at the start what would refuse every webhook; whether it is still valid is asked when one comes.

    Raises:
        ValueError: the chain does not lead to a root, or is of somebody else, or its key is of another kind.
    """
    leaf = read(pem)[0]
    Signer(pem, roots, mode).require_valid(leaf.not_valid_after_utc - timedelta(seconds=1))


class Signer:
    """One certificate of PayPal's, with what leads from it to a root."""

    def __init__(self, pem: str, roots: Sequence[str], mode: str) -> None:
        self._leaf, *self._between = read(pem)
        self._store = Store([each for root in roots for each in read(root)])
        self._subject = x509.DNSName(SUBJECTS[mode])
        key = self._leaf.public_key()
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < KEY_BITS_MIN:
            raise UntrustedError("PayPal signs with RSA keys of at least 2048 bits")
        self._key = key

    def require_valid(self, at: datetime) -> None:
        """Follows the chain to a root, for PayPal's own name, at a time.

        Raises:
            UntrustedError: it does not hold.
        """
        policy = PolicyBuilder().store(self._store).time(at).max_chain_depth(DEPTH_MAX)
        try:
            policy.build_server_verifier(self._subject).verify(self._leaf, self._between)
        except VerificationError:
            raise UntrustedError("the certificate is not PayPal's, or not valid at the time") from None

    def require_signed(self, message: bytes, signature: bytes) -> None:
        """Checks the signature, RSA with SHA-256.

        Raises:
            InvalidSignature: it is not of this key over this message.
        """
        self._key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
