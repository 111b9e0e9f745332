"""The audit trail: what members of staff did, why, and what it changed; one line for each act, sealed by the journal.

A line says codes, numbers and ids. Texts that may be about a person are kept beside it, so that erasing somebody leaves
the line, and its digest in the journal, as they are. Source: docs/PRIVACY.md.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from shoutgraph.domain import clock, ids

JsonValue = str | int | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]

GIVEN_BYTES_MAX: Final = 8_192
"""The longest input that a line repeats; of a longer one it keeps the digest."""
SUBJECTS_MAX: Final = 20
"""The most subjects whose change one line tells."""
REASONS: Final = ("reason", "note", "evidence", "reasons", "facts", "code")
"""The fields of an input that say why, in the order in which they are told."""
PERSONAL: Final = frozenset(
    {
        "address",
        "avatar_url",
        "bio",
        "birth_date",
        "display_name",
        "explanation",
        "handle",
        "label",
        "legal_name",
        "name",
        "registration",
        "tax_id",
        "tax_number",
        "title",
    }
)
"""The fields of an input that are somebody's own words, however short."""

_CODE: Final = re.compile(r"[A-Za-z0-9_.:/+=-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody sets out to do. `given` are the codes, numbers and ids of the input, `words` its texts."""

    actor: str
    action: str
    subject_ids: tuple[str, ...] = ()
    reason: str | None = None
    given: Mapping[str, JsonValue] | None = None
    words: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a subject that is another one than it was. None: there was nothing, or there is nothing now."""

    subject_id: str
    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """An act as it was done."""

    id: str
    actor: str
    action: str
    subject_id: str | None
    reason: str | None
    given: Mapping[str, JsonValue]
    changes: tuple[Change, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines: of whom, about what, of which kind, from a time on and before another."""

    actor: str | None = None
    subject_id: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


Row = Mapping[str, str | None]
"""What a subject says, by column, as text."""


def act_of(actor: str, action: str, given: Mapping[str, object]) -> Act:
    """The act that an input of plain values stands for; the idempotency key is no part of it."""
    kept, words = _parted({name: value for name, value in given.items() if name != "idempotency_key"})
    reasons = [str(given[name]) for name in REASONS if given.get(name)]
    found = tuple(dict.fromkeys(each for each in _texts(kept) if ids.prefix_of(each)))
    return Act(
        actor=actor,
        action=action,
        subject_ids=found[:SUBJECTS_MAX],
        reason=": ".join(reasons) or None,
        given=_bounded(kept),
        words={name: text for name, text in words.items() if name not in REASONS},
    )


def changes_of(before: Mapping[str, Row], after: Mapping[str, Row]) -> tuple[Change, ...]:
    """What is another than it was, subject by subject."""
    return tuple(
        Change(subject_id, field, was.get(field), now.get(field))
        for subject_id in dict.fromkeys([*before, *after])
        for was, now in [(before.get(subject_id, {}), after.get(subject_id, {}))]
        for field in dict.fromkeys([*was, *now])
        if was.get(field) != now.get(field)
    )


def digest(line: Line) -> str:
    """SHA-256 over a line, as the journal seals it."""
    parts = (
        line.id, line.actor, line.action, line.subject_id, line.reason, line.given,
        [[each.subject_id, each.field, each.before, each.after] for each in line.changes], clock.to_micros(line.at),
    )  # fmt: skip
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _parted(given: Mapping[str, object], path: str = "") -> tuple[dict[str, JsonValue], dict[str, str]]:
    """An input in two: what names nobody, and texts by their path."""
    kept: dict[str, JsonValue] = {}
    words: dict[str, str] = {}
    for name, value in given.items():
        where = f"{path}{name}"
        if isinstance(value, Mapping):
            kept[name], inner = _parted(value, f"{where}.")
            words |= inner
        elif isinstance(value, list):
            kept[name], inner = _parted({str(at): each for at, each in enumerate(value)}, f"{where}.")
            words |= inner
        elif isinstance(value, str) and (name in PERSONAL or name in REASONS or not _CODE.fullmatch(value)):
            words[where] = value
        elif value is None or isinstance(value, (str, int, bool)):
            kept[name] = value
    return kept, words


def _bounded(given: dict[str, JsonValue]) -> dict[str, JsonValue]:
    text = orjson.dumps(given, option=orjson.OPT_SORT_KEYS)
    if len(text) <= GIVEN_BYTES_MAX:
        return given
    return {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
