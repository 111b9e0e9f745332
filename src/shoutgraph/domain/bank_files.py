"""Files that go to a bank or come from one: their bytes never change, and each is taken in once."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from shoutgraph.domain import errors

BODY_BYTES_MAX: Final = 8 * 1_048_576
"""The largest file that is kept."""

FILES_MAX: Final = 8
"""The most files of one batch."""

NAME_CHARS_MAX: Final = 120
TYPE_CHARS_MAX: Final = 100

FOREIGN_LISTED_MAX: Final = 50
"""The most entries of others that a summary names; all of them are counted."""


class Direction(StrEnum):
    """Whether a file goes to the bank or came from it."""

    OUT = "OUT"
    IN = "IN"


class FileState(StrEnum):
    """What became of a file: ours is made at once; the bank's is kept first, and then read or not."""

    MADE = "MADE"
    RECEIVED = "RECEIVED"
    READ = "READ"
    UNREADABLE = "UNREADABLE"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a statement told: how many entries changed something, were known, were not ours, or said nothing.

    `foreign` names some of those that were not ours, in the bank's words.
    """

    applied: int = 0
    repeated: int = 0
    foreign_count: int = 0
    ignored: int = 0
    foreign: tuple[str, ...] = ()
    problem: str | None = None

    def to_data(self) -> dict[str, Any]:
        """The summary as JSON values."""
        return asdict(self) | {"foreign": list(self.foreign)}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Summary":
        """The summary that `to_data` wrote."""
        return cls(**{**data, "foreign": tuple(data["foreign"])})

    def joined(self, other: "Summary") -> "Summary":
        """Both parts of one statement."""
        return Summary(
            applied=self.applied + other.applied,
            repeated=self.repeated + other.repeated,
            foreign_count=self.foreign_count + other.foreign_count,
            ignored=self.ignored + other.ignored,
            foreign=(self.foreign + other.foreign)[:FOREIGN_LISTED_MAX],
            problem=self.problem or other.problem,
        )


@dataclass(frozen=True, slots=True)
class BankFile:
    """A file without its bytes. `batch_id` is the batch that a file of ours hands over."""

    id: str
    instance: str
    direction: Direction
    sha256: bytes
    media_type: str
    name: str
    size_bytes: int
    batch_id: str | None
    made_at: datetime
    made_by: str
    state: FileState
    summary: Summary | None = None


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Which files a list holds: all the given conditions together."""

    instance: str | None = None
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a file says of itself, and its bytes."""

    name: str
    media_type: str
    body: bytes = field(repr=False)

    @property
    def sha256(self) -> bytes:
        """The digest of its bytes."""
        return hashlib.sha256(self.body).digest()


def fault_of(contents: Sequence[Content]) -> str | None:
    """Why files that a plugin made cannot be kept, or None."""
    if not 0 < len(contents) <= FILES_MAX:
        return "no_file" if not contents else "too_many_files"
    if len({content.sha256 for content in contents}) < len(contents):
        return "same_file_twice"
    return None if all(_is_sound(content) for content in contents) else "bad_file"


def check(content: Content, *, types: frozenset[str]) -> Content:
    """A file that somebody uploads, its name made plain.

    Raises:
        ValidationError: it is empty, too large, of another type than the provider reads, or its name is no name.
    """
    media_type = content.media_type.partition(";")[0].strip().lower()
    if media_type not in types:
        known = ", ".join(sorted(types)) or "no file at all"
        raise errors.ValidationError(f"This provider reads {known}.", code="UNSUPPORTED_MEDIA_TYPE")
    checked = Content(content.name.strip() or "statement", media_type, content.body)
    if not _is_sound(checked):
        msg = f"A statement has 1 to {BODY_BYTES_MAX} bytes, and a plain name of at most {NAME_CHARS_MAX} characters."
        raise errors.ValidationError(msg, code="BANK_FILE")
    return checked


def _is_sound(content: Content) -> bool:
    plain = content.name.isprintable() and not set(content.name) & set('"\\/')
    named = 0 < len(content.name) <= NAME_CHARS_MAX and plain
    typed = 0 < len(content.media_type) <= TYPE_CHARS_MAX and content.media_type.isascii()
    return named and typed and 0 < len(content.body) <= BODY_BYTES_MAX
