"""What an instance of PayPal is configured with."""

import re
from typing import Annotated, Final, Literal

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

from shoutgraph.sdk import host_of, origin_url
from shoutgraph_paypal import certificates

API_URLS: Final = {"live": "https://api-m.paypal.com", "sandbox": "https://api-m.sandbox.paypal.com"}
CERTIFICATES_MAX: Final = 8
ROOTS_MAX: Final = 8

_ID: Final = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)


def _unwrapped(value: object) -> object:
    # A certificate is no secret; `{ file = ... }` is only the way by which a file gets into the configuration.
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _client_secret(secret: SecretStr) -> SecretStr:
    if not _ID.fullmatch(secret.get_secret_value()):
        raise ValueError("a client secret has at least 16 letters, digits, - or _")
    return secret


def _one_certificate(pem: str) -> str:
    if len(certificates.read(pem)) != 1:
        raise ValueError("one root in each entry, as PEM")
    return pem


def _chain(pem: str) -> str:
    certificates.read(pem)
    return pem


class PinnedCertificate(BaseModel):
    """A certificate that PayPal signs webhooks with, and the address that PayPal names it by."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(
        title="Address", description="What PAYPAL-CERT-URL says. It is compared, and never asked.", max_length=500
    )
    chain: Annotated[str, BeforeValidator(_unwrapped), AfterValidator(_chain)] = Field(
        title="Chain", description="What is to be downloaded there: PEM, the signing certificate first."
    )


class PayPalConfig(BaseModel):
    """Which application of which PayPal account, and what its webhooks are signed with."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mode: Literal["live", "sandbox"] = Field(title="Mode", description="Whether real money moves.")
    base_url: Annotated[str, AfterValidator(origin_url)] | None = Field(
        default=None, title="Base URL", description="Another API than PayPal's own, in sandbox mode only."
    )
    client_id: str = Field(
        title="Client id", description="Of the application in PayPal's dashboard.", pattern=r"^[A-Za-z0-9_-]{16,128}$"
    )
    client_secret: Annotated[SecretStr, AfterValidator(_client_secret)] = Field(
        title="Client secret", description="Of the same application."
    )
    webhook_id: str = Field(
        title="Webhook id", description="Of the webhook in PayPal's dashboard.", pattern=r"^[A-Z0-9]{8,50}$"
    )
    certificate_roots: list[Annotated[str, BeforeValidator(_unwrapped), AfterValidator(_one_certificate)]] = Field(
        title="Certificate roots",
        description="PEM of the roots that PayPal's certificates have to lead to.",
        min_length=1,
        max_length=ROOTS_MAX,
    )
    certificates: list[PinnedCertificate] = Field(
        title="Certificates",
        description="What PayPal signs webhooks with: those in use, and the next ones while they are replaced.",
        min_length=1,
        max_length=CERTIFICATES_MAX,
    )

    @field_validator("base_url")
    @classmethod
    def _live_is_paypal(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is not None and info.data.get("mode") != "sandbox":
            raise ValueError("real money goes to PayPal itself only")
        return url

    @field_validator("certificates")
    @classmethod
    def _are_paypals(cls, pinned: list[PinnedCertificate], info: ValidationInfo) -> list[PinnedCertificate]:
        mode, roots = info.data.get("mode"), info.data.get("certificate_roots")
        if mode is None or roots is None:
            return pinned  # these have been refused already
        for each in pinned:
            if not certificates.is_paypals(each.url, mode):
                raise ValueError(f"the address of a certificate is {certificates.PREFIXES[mode][0]}CERT-...")
            certificates.check(each.chain, roots, mode)
        if len({each.url for each in pinned}) != len(pinned):
            raise ValueError("one address is named twice")
        return pinned

    @property
    def api_url(self) -> str:
        """Where the API is."""
        return self.base_url or API_URLS[self.mode]


def hosts(config: PayPalConfig) -> frozenset[str]:
    """The one host that is spoken to."""
    return frozenset({host_of(config.api_url)})
