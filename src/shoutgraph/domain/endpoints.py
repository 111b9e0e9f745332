"""Webhooks out: who is told of which events, how a message is signed, and when a failed one is sent again.

A message says what happened and to what, by ids; whoever gets it asks the graph for the rest, as they may see it then.
Source: docs/adr/0022-webhooks-out.md, the Standard Webhooks specification.
"""

import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import orjson

from shoutgraph.domain import clock, errors, feeds
from shoutgraph.domain.journal import Event

URL_CHARS_MAX: Final = 2_000
LABEL_CHARS_MAX: Final = 100
TYPES_MAX: Final = 50
ENDPOINTS_MAX: Final = 50
"""Endpoints that are not disabled; as many are served side by side."""
EXCERPT_CHARS_MAX: Final = 200
"""How much of an answer is kept."""
KEPT: Final = timedelta(days=30)
"""How long deliveries are told of."""
GIVE_UP: Final = timedelta(hours=72)
"""How long one event is tried before its endpoint is disabled."""
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(hours=1)
DOUBLINGS_MAX: Final = 10
ASKED_PAUSE_MAX: Final = timedelta(hours=12)
"""The longest pause that a receiver can ask for."""
OVERLAP: Final = timedelta(hours=24)
OVERLAP_MAX: Final = timedelta(days=7)
MARK: Final = "whsec_"
"""How the text of a secret begins, as the standard says."""
TEST_TYPE: Final = "webhook.test"
GONE_STATUS: Final = 410
_FRACTIONS: Final = 2**32

TYPES: Final[tuple[str, ...]] = tuple(
    sorted(
        {"order.changed", "order.status_changed", "refund.changed", "refund.status_changed"}.union(
            *(
                feed.types or ()
                for feed in (
                    feeds.TOPUPS,
                    feeds.GIFTS,
                    feeds.PAYOUTS,
                    feeds.USERS,
                    feeds.RATINGS,
                    feeds.WAITLIST,
                    feeds.FEATURES,
                    feeds.CAMPAIGNS,
                    feeds.REPORTS,
                    feeds.WEBHOOKS,
                )
            )
        )
    )
)
"""The events that can be asked for; a type, once told, keeps its name and meaning."""


class EndpointState(StrEnum):
    """Whether an endpoint is told of events."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"


class DisabledReason(StrEnum):
    """Why an endpoint is disabled."""

    STAFF = "STAFF"
    GONE = "GONE"
    FAILING = "FAILING"


class Outcome(StrEnum):
    """What became of an attempt."""

    DELIVERED = "DELIVERED"
    REFUSED = "REFUSED"
    TIMED_OUT = "TIMED_OUT"
    UNREACHABLE = "UNREACHABLE"
    FORBIDDEN_ADDRESS = "FORBIDDEN_ADDRESS"


class DeliveryState(StrEnum):
    """How an event fared with an endpoint so far."""

    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where somebody wants to be told of events. No `event_types` are all of them."""

    id: str
    revision: int
    url: str
    label: str
    event_types: tuple[str, ...]
    state: EndpointState
    reason: DisabledReason | None
    created_by: str
    created_at: datetime
    changed_at: datetime

    @property
    def tells(self) -> tuple[str, ...]:
        """The types of events that it is told of."""
        return self.event_types or TYPES


@dataclass(frozen=True, slots=True)
class Place:
    """How far an endpoint was told: a number of the journal, and how its next event fares.

    `replays` counts how often somebody moved it; only so does it go back.
    """

    endpoint_id: str
    seq: int
    replays: int
    failures: int
    failing_since: datetime | None
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Secret:
    """What a secret is made of, together with a key that no database has; `digest` tells whether it is the same key."""

    endpoint_id: str
    number: int
    salt: str
    digest: bytes
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event and an endpoint. `seq` is None for a test, which is no line of the journal."""

    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    seq: int | None
    state: DeliveryState
    attempts: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending. `status` is None where no answer came; `excerpt` is the beginning of the answer, or what broke."""

    delivery_id: str
    number: int
    outcome: Outcome
    status: int | None
    duration_ms: int
    excerpt: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a message. `retry_after_s` is what the receiver asked for."""

    outcome: Outcome
    status: int | None
    duration_ms: int
    excerpt: str
    retry_after_s: int | None = None


def check_terms(*, label: str, event_types: Sequence[str]) -> None:
    """Refuses a label or types that are none.

    Raises:
        ValidationError: the label is empty or too long, or an event type is unknown.
    """
    if not 0 < len(label.strip()) <= LABEL_CHARS_MAX or not label.isprintable():
        raise errors.ValidationError(f"A label has 1 to {LABEL_CHARS_MAX} characters.", path=("input", "label"))
    if len(event_types) > TYPES_MAX:
        raise errors.ValidationError(f"At most {TYPES_MAX} types.", code="TOO_MANY", path=("input", "eventTypes"))
    strange = sorted(set(event_types) - set(TYPES))
    if strange:
        msg = f"There is no event type {strange[0][:50]}; webhookEventTypes lists them."
        raise errors.ValidationError(msg, code="UNKNOWN_EVENT_TYPE", path=("input", "eventTypes"))


def check_url(url: str, *, secure: bool) -> None:
    """Refuses an address that is none, or that has more than a place.

    Args:
        secure: whether only https on its own port will do.

    Raises:
        ValidationError: it is not an address of a web server, names a user, or is not secure.
    """
    path = ("input", "url")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if not host or not plain or len(url) > URL_CHARS_MAX or parts.scheme not in {"http", "https"} or parts.fragment:
        msg = f"A URL of a web server in ASCII, at most {URL_CHARS_MAX} characters, without a fragment."
        raise errors.ValidationError(msg, code="INVALID_URL", path=path)
    if parts.username is not None or parts.password is not None:
        raise errors.ValidationError("A URL names no user.", code="INVALID_URL", path=path)
    if secure and (parts.scheme != "https" or port not in {None, 443}):
        raise errors.ValidationError("Only https on port 443.", code="INSECURE_URL", path=path)


_PRIVATE_4: Final = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/3", "168.63.129.16/32",
        ),
    )
)  # fmt: skip
"""Everything that is not one machine on the internet; the last one is a cloud's own service, behind a public number."""
_PUBLIC_6: Final = ipaddress.IPv6Network("2000::/3")
_PRIVATE_6: Final = tuple(
    map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48"))
)
"""Inside of what is public: tunnels that carry other addresses, documentation, and networks of nobody."""


def is_public(address: str) -> bool:
    """Whether an address is a machine on the internet, not one of our own network, of the host, or of its cloud.

    Source: the IANA registries of special-purpose addresses, OWASP API7:2023.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return not any(found in net for net in _PRIVATE_4)
    return found.scope_id is None and found in _PUBLIC_6 and not any(found in net for net in _PRIVATE_6)


def derive(key: bytes, endpoint_id: str, salt: str) -> bytes:
    """The secret that a key and a salt make for an endpoint."""
    return hmac.digest(key, f"shoutgraph webhook {endpoint_id} {salt}".encode(), hashlib.sha256)


def digest_of(secret: bytes) -> bytes:
    """What a secret hashes to."""
    return hashlib.sha256(secret).digest()


def write_secret(secret: bytes) -> str:
    """The text that the receiver keeps, shown once."""
    return MARK + base64.b64encode(secret).decode()


def sign(secrets: Iterable[bytes], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message: its id, its time, and a signature by each of the secrets."""
    stamp = clock.to_micros(at) // 1_000_000
    signed = f"{message_id}.{stamp}.".encode() + body
    made = [base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": " ".join(f"v1,{each}" for each in made),
    }


def message_of(event: Event, cursor: str) -> bytes:
    """What is told of a line of the journal: ids, a type and a place, never words."""
    data = {"id": event.id, "cursor": cursor, "subjectId": event.topic, "subjectSequence": event.topic_seq}
    return orjson.dumps({"type": event.type, "timestamp": clock.to_text(event.at), "data": data})


def test_message(endpoint_id: str, event_id: str, at: datetime) -> bytes:
    """A message that tells of nothing."""
    data = {"id": event_id, "cursor": None, "subjectId": endpoint_id, "subjectSequence": 0}
    return orjson.dumps({"type": TEST_TYPE, "timestamp": clock.to_text(at), "data": data})


def next_attempt(place: Place, answer: Answer, *, now: datetime) -> datetime | None:
    """When the event that was just refused is sent again, or None if it has been tried for long enough.

    The pauses double, and each is shortened by up to a half, otherwise for each endpoint, so that they do not all
    come back at once. A receiver that asks for a longer one gets it.

    Args:
        place: with this failure counted.
    """
    assert place.failing_since is not None, "a place that fails says since when"
    end = place.failing_since + GIVE_UP
    if now >= end:
        return None
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(place.failures - 1, DOUBLINGS_MAX), LONGEST_PAUSE)
    seed = hashlib.sha256(f"{place.endpoint_id} {place.seq} {place.failures}".encode()).digest()
    pause -= pause * (int.from_bytes(seed[:4]) % _FRACTIONS) // (2 * _FRACTIONS)
    asked = timedelta(seconds=answer.retry_after_s or 0)
    return min(now + max(pause, min(asked, ASKED_PAUSE_MAX)), end)
