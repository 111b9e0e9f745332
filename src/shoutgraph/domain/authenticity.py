"""Authenticity: what a deployment says about the videos that it delivered, and how anybody finds out if it is true.

A manifest is signed and says which file was delivered on which day; it names no order and no person. Who holds a file,
or its manifest, learns that it is genuine, and no more than that. Source: docs/adr/0021-authenticity.md.
"""

import hashlib
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

import orjson

from shoutgraph.domain import errors, ids

VERSION: Final = 1
MANIFEST_CHARS_MAX: Final = 4_096
ISSUER_CHARS_MAX: Final = 500
MARK_ATTEMPTS_MAX: Final = 3

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NAME: Final = b"shoutgraph manifest 1"


class Verdict(StrEnum):
    """What is known of a file or a manifest."""

    AUTHENTIC = "AUTHENTIC"
    REVOKED = "REVOKED"
    UNKNOWN = "UNKNOWN"
    OTHER_FILE = "OTHER_FILE"
    FORGED_SIGNATURE = "FORGED_SIGNATURE"


class Variant(StrEnum):
    """Which file of a delivered video it is."""

    ORIGINAL = "ORIGINAL"
    WATERMARKED = "WATERMARKED"


class MarkState(StrEnum):
    """Where the copy with the watermark is in its life."""

    WAITING = "WAITING"
    READY = "READY"
    FAILED = "FAILED"
    OFF = "OFF"


@dataclass(frozen=True, slots=True)
class Delivered:
    """A video that passed review. Units: `_ms` milliseconds, `day` days since 1970-01-01 UTC."""

    video_id: ids.VideoId
    manifest_id: str
    creator_id: ids.CreatorId
    sha256: str
    duration_ms: int
    day: int
    mark: MarkState
    marked_sha256: str | None = None
    marked_bytes: int | None = None

    def variant_of(self, sha256: str) -> Variant | None:
        """Which of its files has this digest."""
        if sha256 == self.sha256:
            return Variant.ORIGINAL
        return Variant.WATERMARKED if sha256 == self.marked_sha256 else None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is signed. `day` is an ISO date."""

    id: str
    issuer: str
    sha256: str
    watermarked_sha256: str | None
    duration_ms: int
    delivered_on: str
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to who asks about a file. `compared` says whether a file was, and not its manifest alone."""

    verdict: Verdict
    compared: bool
    variant: Variant | None = None
    day: int | None = None
    creator_id: ids.CreatorId | None = None


def manifest_id(video_id: str) -> str:
    """The public id of a video's manifest: the same each time, and no way back to the video, the order or the hour."""
    digest = hashlib.sha256(_NAME + video_id.encode()).digest()
    return ids.encode(ids.MANIFEST, digest[: ids.UUID_BYTES])


def to_bytes(manifest: Manifest) -> bytes:
    """The bytes that are signed: canonical JSON."""
    return orjson.dumps(asdict(manifest), option=orjson.OPT_SORT_KEYS)


def from_bytes(data: bytes) -> Manifest:
    """The manifest of bytes that are signed.

    Raises:
        ValueError: they are none, or of a version that is not known.
    """
    said: Any = orjson.loads(data)
    if not isinstance(said, dict) or set(said) != set(Manifest.__slots__) or not _fits(said):
        raise ValueError("what is signed is no manifest")
    return Manifest(**said)


def _fits(said: dict[str, Any]) -> bool:
    marked = said["watermarked_sha256"]
    return (
        said["version"] == VERSION
        and ids.prefix_of(str(said["id"])) == ids.MANIFEST
        and _DIGEST.fullmatch(str(said["sha256"])) is not None
        and (marked is None or _DIGEST.fullmatch(str(marked)) is not None)
    )


def check_digest(text: str) -> str:
    """The digest that a person means, in small letters.

    Raises:
        ValidationError: it is no SHA-256 in hexadecimal.
    """
    digest = text.strip().lower()
    if not _DIGEST.fullmatch(digest):
        msg = "sha256 is the SHA-256 of the file: 64 hexadecimal digits."
        raise errors.ValidationError(msg, code="INVALID_DIGEST", path=("sha256",))
    return digest


def nothing_given() -> errors.ValidationError:
    """The refusal of who asks about nothing."""
    msg = "Give the sha256 of a file, the text of a manifest, or both."
    return errors.ValidationError(msg, code="REQUIRED", path=("sha256",))


def check_manifest(text: str) -> str:
    """The text of a manifest without the white space around it.

    Raises:
        ValidationError: it is longer than any manifest.
    """
    if len(text) > MANIFEST_CHARS_MAX:
        msg = f"manifest has at most {MANIFEST_CHARS_MAX:,} characters."
        raise errors.ValidationError(msg, code="TOO_LONG", path=("manifest",))
    return text.strip()
