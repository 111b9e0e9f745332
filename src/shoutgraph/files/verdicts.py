"""The language between the inspector and whoever started it: a line, then one JSON object."""

import base64
import json
from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import errors, media

ATTACHMENT: Final = "attachment"
"""The word that tells the inspector that a file may be a picture or a sound, too."""
READY_LINE: Final = b"ready\n"
"""Said before the first byte of the file is read: what goes wrong after it is the file's doing."""
ANSWER_BYTES_MAX: Final = 2 * 1024**2


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was measured, and the poster as a JPEG."""

    facts: media.VideoFacts
    poster: bytes


def write(facts: dict[str, object], poster: bytes) -> bytes:
    """The answer for a file that plays."""
    return json.dumps({"facts": facts, "poster": base64.b64encode(poster).decode()}).encode()


def write_rejection(code: str, message: str) -> bytes:
    """The answer for a file that is refused."""
    return json.dumps({"rejected": {"code": code, "message": message}}).encode()


def read(answer: bytes, *, size_bytes: int) -> Inspection:
    """The facts of an answer.

    Raises:
        MediaRejectedError: the answer is a refusal.
    """
    verdict = json.loads(answer)
    if "rejected" in verdict:
        reason = verdict["rejected"]
        raise errors.MediaRejectedError(reason["message"], code=media.RejectionCode(reason["code"]))
    facts = verdict["facts"]
    container = media.Container(facts.pop("container"))
    return Inspection(
        facts=media.VideoFacts(container=container, size_bytes=size_bytes, **facts),
        poster=base64.b64decode(verdict["poster"]),
    )
