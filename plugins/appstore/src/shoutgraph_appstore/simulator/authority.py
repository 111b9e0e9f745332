"""Certificates like Apple's, and what is signed under them."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

LEAF_MARK: Final = x509.ObjectIdentifier("1.2.840.113635.100.6.11.1")
ISSUER_MARK: Final = x509.ObjectIdentifier("1.2.840.113635.100.6.2.1")
_MARK: Final = b"\x05\x00"
"""A mark says nothing but that it is there. Source: ASN.1's NULL."""

_CA: Final = x509.BasicConstraints(ca=True, path_length=None)
_LEAF: Final = x509.BasicConstraints(ca=False, path_length=None)
ANSWER_LIFE: Final = timedelta(hours=1)

FROM: Final = datetime(2020, 1, 1, tzinfo=UTC)
UNTIL: Final = datetime(2090, 1, 1, tzinfo=UTC)


class Authority:
    """A root, a certificate under it, and one under that whose key signs."""

    def __init__(self, name: str, ocsp_url: str | None = None) -> None:
        root_key, issuer_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        more = [_asks_at(ocsp_url)] if ocsp_url else []
        self.root = _certificate((name, root_key.public_key()), (name, root_key), [_CA])
        issuer = _certificate(
            (f"{name} Issuer", issuer_key.public_key()), (name, root_key), [_CA, _mark(ISSUER_MARK), *more]
        )
        leaf = _certificate(
            (f"{name} Leaf", self._key.public_key()), (f"{name} Issuer", issuer_key), [_LEAF, _mark(LEAF_MARK), *more]
        )
        self._signers = {
            issuer.serial_number: (issuer, self.root, root_key),
            leaf.serial_number: (leaf, issuer, issuer_key),
        }
        self._chain = [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in (leaf, issuer, self.root)]

    def confirms(self, asked: bytes, at: datetime, *, revoked: bool) -> bytes:
        """Answers whether a certificate is still good. Source: RFC 6960."""
        number = ocsp.load_der_ocsp_request(asked).serial_number
        certificate, issuer, key = self._signers[number]
        status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=certificate,
            issuer=issuer,
            algorithm=hashes.SHA256(),
            cert_status=status,
            this_update=at,
            next_update=at + ANSWER_LIFE,
            revocation_time=at if revoked else None,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer)
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        """The root's certificate."""
        return self.root.public_bytes(Encoding.PEM).decode()

    def signed(self, payload: Mapping[str, object]) -> str:
        """The payload as a JWS with the certificates in its header."""
        return jwt.encode(dict(payload), self._key, "ES256", headers={"x5c": self._chain})

    def signed_by_another(self, payload: Mapping[str, object]) -> str:
        """With the right certificates, and another key."""
        other = ec.generate_private_key(ec.SECP256R1())
        return jwt.encode(dict(payload), other, "ES256", headers={"x5c": self._chain})

    def unsigned(self, payload: Mapping[str, object]) -> str:
        """With the right certificates, and the claim that no signature is needed."""
        return jwt.encode(dict(payload), "", "none", headers={"x5c": self._chain})


def payload_of(jws: str) -> dict[str, object]:
    """What a JWS says, whoever signed it."""
    said: dict[str, object] = json.loads(_decoded(jws.split(".")[1]))
    return said


def changed(jws: str, payload: Mapping[str, object]) -> str:
    """The JWS with something else between its header and its signature."""
    header, _, signature = jws.split(".")
    said = base64.urlsafe_b64encode(json.dumps(dict(payload)).encode()).rstrip(b"=").decode()
    return f"{header}.{said}.{signature}"


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _certificate(
    whose: tuple[str, ec.EllipticCurvePublicKey],
    issuer: tuple[str, ec.EllipticCurvePrivateKey],
    extensions: Sequence[x509.ExtensionType],
) -> x509.Certificate:
    (name, key), (issuer_name, issuer_key) = whose, issuer
    above = issuer_key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer_name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(FROM)
        .not_valid_after(UNTIL)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)
    )
    for each in extensions:
        builder = builder.add_extension(each, critical=isinstance(each, x509.BasicConstraints))
    usage = _usage(ca=any(isinstance(each, x509.BasicConstraints) and each.ca for each in extensions))
    return builder.add_extension(usage, critical=True).sign(issuer_key, hashes.SHA256())


def _mark(name: x509.ObjectIdentifier) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(name, _MARK)


def _asks_at(url: str) -> x509.AuthorityInformationAccess:
    where = x509.UniformResourceIdentifier(url)
    return x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)])


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
