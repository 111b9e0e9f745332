"""The journal: a dense line of events, each sealed to the one before it by a hash.

The hash covers length-prefixed bytes of the stored columns, not a database's rendering of them, so that both
dialects and an offline verifier agree. Events carry opaque ids and words, never personal data.
Source: docs/adr/0003-ledger.md.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from shoutgraph.domain import clock

JsonValue = str | int | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]
Body = Mapping[str, JsonValue]

BODY_BYTES_MAX: Final = 16_384
"""The longest body of an event, as canonical JSON."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened to a subject, before the journal numbers it.

    `topic` is the id of the subject; `transfer_id` the number of the ledger's transfer that moved its coins;
    `topic_seq` the subject's own number where it counts its events itself, as orders do by their revision.
    """

    id: str
    topic: str
    type: str
    body: Body
    transfer_id: int | None = None
    topic_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A line that waits for its place in the journal. `text` is the body as canonical JSON."""

    id: str
    topic: str
    topic_seq: int
    type: str
    transfer_id: int | None
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the journal. `seq` is dense over everything, `topic_seq` over the subject."""

    seq: int
    id: str
    topic: str
    topic_seq: int
    type: str
    transfer_id: int | None
    text: str
    at: datetime
    prev: bytes
    hash: bytes

    @property
    def body(self) -> dict[str, JsonValue]:
        """The body as a value."""
        value: dict[str, JsonValue] = orjson.loads(self.text)
        return value


@dataclass(frozen=True, slots=True)
class Head:
    """The newest line: its number, hash and time."""

    seq: int
    hash: bytes
    at: datetime


GENESIS: Final = Head(0, bytes(32), clock.EPOCH)
"""What stands before the first line."""


def to_text(body: Body) -> str:
    """The body as canonical JSON: keys sorted, no spaces."""
    text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    assert len(text) <= BODY_BYTES_MAX, "an event says what changed and links to the rest"
    return text.decode()


def seal(head: Head, line: Unsealed) -> Event:
    """The next line after `head`, with its number and hash, and a time that is not before the head's."""
    at = max(line.at, head.at)
    fields = (head.seq + 1, line.id, line.topic, line.topic_seq, line.type, line.transfer_id, line.text, at)
    return Event(*fields, prev=head.hash, hash=_sha256(head.hash, fields))


def hash_of(event: Event) -> bytes:
    """SHA-256 over the previous hash and this line's canonical bytes."""
    return _sha256(
        event.prev,
        (
            event.seq,
            event.id,
            event.topic,
            event.topic_seq,
            event.type,
            event.transfer_id,
            event.text,
            event.at,
        ),
    )


def first_break(events: Iterable[Event], head: Head = GENESIS) -> int | None:
    """The number of the first line that does not follow from the one before it, or None."""
    for event in events:
        expected = head.seq + 1
        if event.seq != expected or event.prev != head.hash or event.hash != hash_of(event):
            return expected
        if event.at < head.at:
            return expected
        head = Head(event.seq, event.hash, event.at)
    return None


_Fields = tuple[int, str, str, int, str, int | None, str, datetime]


def _sha256(prev: bytes, fields: _Fields) -> bytes:
    """The canonical bytes are each field as UTF-8 after its length in four bytes, in the order of the table."""
    seq, event_id, topic, topic_seq, kind, transfer_id, text, at = fields
    transfer = "" if transfer_id is None else str(transfer_id)
    parts = (str(seq), event_id, topic, str(topic_seq), kind, transfer, text, str(clock.to_micros(at)))
    canonical = b"".join([len(part).to_bytes(4) + part for part in map(str.encode, parts)])
    return hashlib.sha256(prev + canonical).digest()
