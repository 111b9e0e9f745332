"""What an instance of Stripe is configured with."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from shoutgraph.sdk import host_of, origin_url

API_VERSION: Final = "2026-10-28.endive"
"""The version of Stripe's API that every request asks for, and that webhook endpoints have to be made with."""

API_URL: Final = "https://api.stripe.com"
SECRETS_MAX: Final = 4

_KEY: Final = re.compile(r"(?:sk|rk)_(test|live)_[A-Za-z0-9_]{8,240}")
_WEBHOOK_SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/=_-]{16,240}")


def _webhook_secret(secret: SecretStr) -> SecretStr:
    if not _WEBHOOK_SECRET.fullmatch(secret.get_secret_value()):
        raise ValueError("the signing secret of a webhook endpoint begins with whsec_")
    return secret


class StripeConfig(BaseModel):
    """Which account of Stripe, in which mode, and how its webhooks are signed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mode: Literal["test", "live"] = Field(
        title="Mode", description="Whether real money moves; the key and every webhook have to be of this mode."
    )
    base_url: Annotated[str, AfterValidator(origin_url)] = Field(
        default=API_URL, title="Base URL", description="Stripe itself; a simulator can stand here in test mode only."
    )
    secret_key: SecretStr = Field(
        title="Secret key", description="sk_... or, better, a restricted key rk_... with the rights that README names."
    )
    webhook_secrets: list[Annotated[SecretStr, AfterValidator(_webhook_secret)]] = Field(
        title="Webhook secrets",
        description="The signing secrets of the webhook endpoints; two of one endpoint while it is rolled.",
        min_length=1,
        max_length=SECRETS_MAX,
    )

    @field_validator("base_url")
    @classmethod
    def _live_is_stripe(cls, url: str, info: ValidationInfo) -> str:
        if info.data.get("mode") == "live" and url != API_URL:
            raise ValueError("real money goes to Stripe itself only")
        return url

    @field_validator("secret_key")
    @classmethod
    def _of_the_mode(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        read = _KEY.fullmatch(secret.get_secret_value())
        if read is None:
            raise ValueError("a secret or restricted key begins with sk_test_, sk_live_, rk_test_ or rk_live_")
        if info.data.get("mode") != read.group(1):
            raise ValueError("the key is of the other mode: test and live are not mixed")
        return secret

    @property
    def is_live(self) -> bool:
        """Whether real money moves."""
        return self.mode == "live"


def hosts(config: StripeConfig) -> frozenset[str]:
    """The one host that is spoken to."""
    return frozenset({host_of(config.base_url)})
