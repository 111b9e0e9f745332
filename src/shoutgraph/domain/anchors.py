"""Anchors: what the journal was at a time, written where nobody can rewrite it, and what a database must agree with.

A chain of hashes shows a changed line, but not a lost end: a database that went back in time is whole. An anchor that
lies elsewhere shows both. Source: docs/adr/0017-anchors.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

import orjson

from shoutgraph.domain import clock
from shoutgraph.domain.journal import GENESIS, Head

VERSION: Final = 1
TEXT_BYTES_MAX: Final = 1_024
HASH_BYTES: Final = 32
NUMBER_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Epoch:
    """A stretch of the journal's history between two restores.

    `after` is the line at which it began, and `lost_seq` the newest line that is known to be lost by it. Number 0
    began with the first line.
    """

    number: int
    after: Head
    began_at: datetime
    lost_seq: int | None = None

    @property
    def mark(self) -> int:
        """What cursors of it carry: two lives of a database may have counted alike, but did not begin together."""
        return clock.to_micros(self.began_at) if self.number else 0


FIRST: Final = Epoch(0, GENESIS, clock.EPOCH)
"""The epoch of a journal that nothing was ever taken from."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The newest line of a journal at a time. `chain` is the hash of its first line, which names the journal.

    `epoch` is the number of the epoch, and `after_seq` the line at which that began.
    """

    chain: bytes
    epoch: int
    after_seq: int
    seq: int
    hash: bytes
    at: datetime

    @property
    def place(self) -> tuple[int, int]:
        """What anchors are sorted by."""
        return self.epoch, self.seq


@dataclass(frozen=True, slots=True)
class Standing:
    """What a database says of its own journal. `chain` is None where there is no line yet."""

    chain: bytes | None
    head: Head
    epochs: tuple[Epoch, ...] = ()

    @property
    def epoch(self) -> Epoch:
        """The epoch that runs."""
        return self.epochs[-1] if self.epochs else FIRST


class Finding(Enum):
    """How an anchor and a database agree."""

    FINE = "the database has this line"
    AHEAD = "the database ends before this line"
    DIFFERENT = "the database has another line there"
    LOST = "the line was lost by a restore that somebody accepted"


def compare(anchor: Anchor, standing: Standing, there: bytes | None) -> Finding:
    """How an anchor and a database agree.

    Args:
        there: the hash of the database's line at the anchor's number; None if there is none.
    """
    later = [epoch for epoch in standing.epochs if epoch.number > anchor.epoch]
    known = {FIRST.number, *(epoch.number for epoch in standing.epochs)}
    if later and (anchor.epoch not in known or anchor.seq > min(epoch.after.seq for epoch in later)):
        return Finding.LOST
    same = anchor.epoch == standing.epoch.number
    if standing.chain not in {None, anchor.chain} or (same and anchor.after_seq != standing.epoch.after.seq):
        return Finding.DIFFERENT
    if anchor.epoch > standing.epoch.number or there is None:
        return Finding.AHEAD
    return Finding.FINE if there == anchor.hash else Finding.DIFFERENT


def of(standing: Standing, *, at: datetime) -> Anchor | None:
    """The anchor of a database as it stands, at a time in whole milliseconds; None where there is no line yet."""
    if standing.chain is None:
        return None
    epoch, head = standing.epoch, standing.head
    whole = at.replace(microsecond=at.microsecond // 1_000 * 1_000)
    return Anchor(standing.chain, epoch.number, epoch.after.seq, head.seq, head.hash, whole)


def to_bytes(anchor: Anchor) -> bytes:
    """The canonical bytes, which are signed: JSON with sorted keys and no spaces."""
    return orjson.dumps(
        {
            "v": VERSION,
            "chain": anchor.chain.hex(),
            "epoch": anchor.epoch,
            "after": anchor.after_seq,
            "seq": anchor.seq,
            "hash": anchor.hash.hex(),
            "at": clock.to_text(anchor.at),
        },
        option=orjson.OPT_SORT_KEYS,
    )


def from_bytes(data: bytes) -> Anchor:
    """The anchor that canonical bytes say.

    Raises:
        ValueError: these are not the canonical bytes of an anchor.
    """
    if len(data) > TEXT_BYTES_MAX:
        raise ValueError("an anchor is shorter")
    try:
        said = orjson.loads(data)
        chain, last = (bytes.fromhex(said[name]) for name in ("chain", "hash"))
        numbers = [said[name] for name in ("epoch", "after", "seq")]
        epoch, after_seq, seq = numbers
        anchor = Anchor(chain, epoch, after_seq, seq, last, datetime.fromisoformat(said["at"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("this is no anchor") from error
    if not all(type(number) is int and 0 <= number <= NUMBER_MAX for number in numbers):
        raise ValueError("a number of an anchor is out of range")
    if {len(chain), len(last)} != {HASH_BYTES} or anchor.at.tzinfo is None or to_bytes(anchor) != data:
        raise ValueError("this is no anchor in its canonical form")
    return anchor


def newest(anchors: Sequence[Anchor]) -> Anchor | None:
    """The anchor of the latest epoch, and in that of the highest number."""
    return max(anchors, key=lambda anchor: anchor.place, default=None)
