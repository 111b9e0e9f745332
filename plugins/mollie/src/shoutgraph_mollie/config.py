"""What an instance of Mollie is configured with."""

import ipaddress
import re
from enum import StrEnum
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from shoutgraph.sdk import host_of, plain_url

_KEY: Final = re.compile(r"(live|test)_[0-9A-Za-z]{30,128}")


class Mode(StrEnum):
    """Whether money moves."""

    LIVE = "live"
    TEST = "test"


def _safe_url(url: str) -> str:
    # Mollie's library does not go over the host's HTTP, which would refuse this.
    parts = urlsplit(url)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError("only loopback is spoken to without TLS")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class MollieConfig(BaseModel):
    """Which profile of Mollie's, and whether its payments are real."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mode: Mode = Field(
        default=Mode.LIVE, title="Mode", description="Live, or test: said here too, so that keys are not mixed up."
    )
    api_key: SecretStr = Field(title="API key", description="The profile's key: live_... or test_...")
    base_url: Annotated[str, AfterValidator(plain_url), AfterValidator(_safe_url)] = Field(
        default="https://api.mollie.com", title="Base URL", description="Of Mollie's API, without its version."
    )

    @field_validator("api_key")
    @classmethod
    def _is_of_the_mode(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        found = _KEY.fullmatch(secret.get_secret_value())
        if found is None:
            raise ValueError("a key of Mollie's API begins with live_ or test_")
        if found[1] != info.data.get("mode"):
            raise ValueError("the key is of the other mode")
        return secret


def hosts(config: MollieConfig) -> frozenset[str]:
    """The one host that Mollie's API is at."""
    return frozenset({host_of(config.base_url)})
