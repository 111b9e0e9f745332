"""What an instance of the sandbox is configured with."""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from shoutgraph.sdk import BadSignature, Idempotency, Lookup, host_of, plain_url, standard_key

SECRETS_MAX: Final = 4
KEY_BYTES_MIN: Final = 16

IDEMPOTENCY: Final = Idempotency(scope="instance", window=timedelta(days=30))
LOOKUP: Final = Lookup(by_key=True, absence_after=timedelta(0))
"""The simulator commits before it answers, so that what it does not find was never there."""

CURRENCIES: Final = frozenset(
    {"AUD", "BRL", "CAD", "CHF", "DKK", "EUR", "GBP", "JPY", "KWD", "MXN", "NOK", "PLN", "SEK", "USD"}
)


def _webhook_secret(secret: SecretStr) -> SecretStr:
    try:
        key = standard_key(secret)
    except BadSignature:
        key = b""
    if len(key) < KEY_BYTES_MIN:
        raise ValueError("a webhook secret is whsec_ and the base64 of at least 16 bytes")
    return secret


class SandboxConfig(BaseModel):
    """Where the simulator is, what it lets us in with, and how it signs."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: Annotated[str, AfterValidator(plain_url)] = Field(
        title="Base URL", description="Where the simulator is mounted."
    )
    api_key: SecretStr = Field(title="API key", description="What the simulator lets callers in with.")
    webhook_secrets: list[Annotated[SecretStr, AfterValidator(_webhook_secret)]] = Field(
        title="Webhook secrets",
        description="The secrets that webhooks may be signed with; two of them while one is replaced.",
        min_length=1,
        max_length=SECRETS_MAX,
    )


def hosts(config: SandboxConfig) -> frozenset[str]:
    """The one host that the sandbox speaks to."""
    return frozenset({host_of(config.base_url)})
