"""What a provider tells us by webhook, and the proof without which nothing of it is believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from shoutgraph.sdk.capabilities import Webhooks
from shoutgraph.sdk.outcomes import ItemOutcome, Observation, RecipientOutcome
from shoutgraph.sdk.requests import Target

BODY_BYTES_MAX: Final = 1_048_576
"""The largest webhook that is read at all."""

NOTICES_MAX: Final = 1000
"""The most notices of one delivery."""


@dataclass(frozen=True, slots=True)
class RawWebhook:
    """A webhook as it came in: the body byte for byte, header names in lower case."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    query: str = field(repr=False)
    received_at: datetime
    remote: str

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        return self.headers.get(name.lower())


class NoticeKind(StrEnum):
    """What a notice is about."""

    TOPUP = "topup"
    PAYOUT = "payout"
    RECIPIENT = "recipient"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a provider tells us.

    `notice_id` is the provider's own and the same in every repeat. Without an observation it is a hint: the
    host looks for itself. Of a recipient, `target.ref` is the recipient's ref. What is said of a whole payout batch has
    the batch's key as its target's operation id, and counts for those of its items that were not named before.
    """

    notice_id: str
    target: Target
    kind: NoticeKind
    observation: Observation | ItemOutcome | RecipientOutcome | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """Why a webhook may be believed. Only the verifiers of the SDK make one; see `shoutgraph.sdk.proofs`.

    `body_sha256` ties it to the one body that was verified.
    """

    scheme: str
    trust: Webhooks
    body_sha256: bytes = field(repr=False)
    signed_at: datetime | None
    seal: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.seal is not SEAL:
            raise TypeError("a proof comes from a verifier of the SDK")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A proven webhook: its notices, and the answer that the provider waits for."""

    proof: Proof
    notices: tuple[Notice, ...]
    ack: bytes = b""
    ack_type: str = "text/plain"


SEAL: Final = object()
"""Held by the verifiers. It stops mistakes, not malice: a plugin is trusted code."""
