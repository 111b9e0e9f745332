"""What an instance of the App Store is configured with."""

import binascii
from base64 import b64decode
from enum import StrEnum
from typing import Annotated, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from shoutgraph.sdk import host_of, plain_url

ROOTS_MAX: Final = 4
OCSP_HOST: Final = "ocsp.apple.com:80"
"""Where the vendor's library asks whether a certificate was revoked; the certificates name it."""


class StoreEnvironment(StrEnum):
    """Which App Store. The library's two others, for Xcode, skip every check, and are not offered."""

    PRODUCTION = "Production"
    SANDBOX = "Sandbox"


API: Final = {
    StoreEnvironment.PRODUCTION: "https://api.storekit.apple.com",
    StoreEnvironment.SANDBOX: "https://api.storekit-sandbox.apple.com",
}


def _unwrapped(value: object) -> object:
    # A certificate is no secret; `{ file = ... }` is only the way by which a file gets into the configuration.
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _certificate(text: str) -> str:
    try:
        loaded = x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        try:
            loaded = x509.load_der_x509_certificate(b64decode(text, validate=True))
        except (ValueError, binascii.Error):
            raise ValueError("a certificate is PEM, or the base64 of DER") from None
    return loaded.public_bytes(Encoding.PEM).decode()


def _signing_key(secret: SecretStr) -> SecretStr:
    try:
        key = load_pem_private_key(secret.get_secret_value().encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return secret
    raise ValueError("the key is the .p8 file of App Store Connect: PEM of a P-256 private key")


class AppStoreConfig(BaseModel):
    """Which app, whose certificates are believed, and the key of the App Store Server API."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    environment: StoreEnvironment = Field(title="Environment", description="Production, or Sandbox for TestFlight.")
    bundle_id: str = Field(title="Bundle id", description="The app's, such as com.example.app.", min_length=1)
    app_apple_id: int | None = Field(
        default=None,
        title="Apple id of the app",
        description="The number of the app; needed in Production.",
        gt=0,
        validate_default=True,
    )
    issuer_id: str = Field(title="Issuer id", description="Of the keys, from App Store Connect.", min_length=1)
    key_id: str = Field(title="Key id", description="Of the in-app purchase key.", min_length=1)
    signing_key: Annotated[SecretStr, AfterValidator(_signing_key)] = Field(
        title="Private key", description="The .p8 file of the in-app purchase key."
    )
    root_certificates: list[Annotated[str, BeforeValidator(_unwrapped), AfterValidator(_certificate)]] = Field(
        title="Root certificates",
        description="Apple Root CA - G3, as PEM or base64; two of them while one is replaced.",
        min_length=1,
        max_length=ROOTS_MAX,
    )
    online_checks: bool = Field(
        default=True,
        title="Online checks",
        description="Whether Apple is asked, when a purchase is looked at, if its certificates were revoked.",
    )
    base_url: Annotated[str, AfterValidator(plain_url)] | None = Field(
        default=None, title="Base URL", description="Of the App Store Server API, where it is not Apple's own."
    )

    @field_validator("app_apple_id")
    @classmethod
    def _production_names_its_app(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is None and info.data.get("environment") is StoreEnvironment.PRODUCTION:
            raise ValueError("Production needs the number of the app")
        return value

    @property
    def api(self) -> str:
        """Where the App Store Server API is, without a slash at the end."""
        return self.base_url or API[self.environment]


def hosts(config: AppStoreConfig) -> frozenset[str]:
    """The App Store Server API, and where certificates are asked about if they are."""
    return frozenset({host_of(config.api)}) | ({OCSP_HOST} if config.online_checks else frozenset())
