"""A self-made authority as vouches for PayPal's certificates, and webhooks signed as PayPal signs them."""

import base64
import functools
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shoutgraph_paypal.certificates import PREFIXES, SUBJECTS
from shoutgraph_paypal.signatures import ALGORITHM, message_of

BORN: Final = datetime(2020, 1, 1, tzinfo=UTC)
ENDS: Final = datetime(2044, 1, 1, tzinfo=UTC)
KEY_BITS: Final = 2048

CaKey = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Issuer:
    """Somebody who vouches for others, and what leads from them to their root, without it."""

    certificate: x509.Certificate
    key: CaKey = field(repr=False)
    chain: str = ""

    @property
    def pem(self) -> str:
        """Their certificate."""
        return self.certificate.public_bytes(Encoding.PEM).decode()


@dataclass(frozen=True, slots=True)
class Seal:
    """What webhooks are signed with."""

    url: str
    chain: str
    key: rsa.RSAPrivateKey = field(repr=False)

    def headers(self, body: bytes, webhook_id: str, at: datetime) -> dict[str, str]:
        """The headers of a webhook."""
        transmission, time = secrets.token_hex(16), at.strftime("%Y-%m-%dT%H:%M:%SZ")
        signature = self.key.sign(message_of(transmission, time, webhook_id, body), padding.PKCS1v15(), hashes.SHA256())
        return {
            "paypal-auth-algo": ALGORITHM,
            "paypal-cert-url": self.url,
            "paypal-transmission-id": transmission,
            "paypal-transmission-sig": base64.b64encode(signature).decode(),
            "paypal-transmission-time": time,
        }


@functools.cache
def root(name: str) -> Issuer:
    """A root of this name."""
    key = ec.generate_private_key(ec.SECP256R1())
    return Issuer(_certificate(name, key.public_key(), name, key, is_authority=True), key)


@functools.cache
def between(name: str, above: str) -> Issuer:
    """Somebody for whom a root vouches."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = _certificate(name, key.public_key(), above, root(above).key, is_authority=True)
    return Issuer(made, key, made.public_bytes(Encoding.PEM).decode())


@functools.cache
def seal(name: str, above: str, *, subject: str = SUBJECTS["sandbox"], ends: datetime = ENDS) -> Seal:
    """A certificate that signs webhooks, for whom somebody under this root vouches."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    issuer = between(f"{above} CA", above)
    made = _certificate(subject, key.public_key(), f"{above} CA", issuer.key, ends=ends)
    return Seal(f"{PREFIXES['sandbox'][0]}CERT-{name}", made.public_bytes(Encoding.PEM).decode() + issuer.chain, key)


def _certificate(
    name: str,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    above: str,
    above_key: CaKey,
    *,
    is_authority: bool = False,
    ends: datetime = ENDS,
) -> x509.Certificate:
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, above)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(BORN)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above_key.public_key()), critical=False)
        .add_extension(_usage(is_authority=is_authority), critical=True)
    )
    if not is_authority:
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return built.sign(above_key, hashes.SHA256())


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
