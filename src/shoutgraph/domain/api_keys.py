"""API keys of internal tools: shown once, kept only as a digest.

A key reads `sg_<id>_<secret>`. The id finds it; the secret, 256 random bits, proves it. SHA-256 is enough for
a secret that nobody chose.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.users import Scope

MARK: Final = "sg_"
SECRET_CHARS: Final = 43
"""32 bytes in URL-safe base64."""
LABEL_CHARS_MAX: Final = 100

NewSecret = Callable[[], str]
"""Makes a fresh secret of `SECRET_CHARS` characters."""

_FORM = re.compile(rf"sg_([0-7][{ids.ALPHABET}]{{25}})_([A-Za-z0-9_-]{{{SECRET_CHARS}}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: whom it is for, what it may do, and what its secret hashes to."""

    id: str
    label: str
    scopes: frozenset[Scope]
    digest: bytes
    created_at: datetime
    revoked_at: datetime | None = None

    def proves(self, secret: str) -> bool:
        """Whether this secret is the key's and the key is still good; takes as long either way."""
        same = hmac.compare_digest(self.digest, digest_of(secret))
        return same and self.revoked_at is None


def make(*, key_id: str, label: str, scopes: frozenset[Scope], secret: str, now: datetime) -> ApiKey:
    """A new key.

    Raises:
        ValidationError: the label is empty or too long, or there is no scope.
    """
    if not 0 < len(label.strip()) <= LABEL_CHARS_MAX or not label.isprintable():
        raise errors.ValidationError(f"A label has 1 to {LABEL_CHARS_MAX} characters.", path=("label",))
    if not scopes:
        raise errors.ValidationError("A key has at least one scope.", path=("scopes",))
    return ApiKey(key_id, label.strip(), scopes, digest_of(secret), now)


def write(key: ApiKey, secret: str) -> str:
    """The text that the tool keeps, shown once."""
    return f"{MARK}{key.id.removeprefix(ids.API_KEY + '_')}_{secret}"


def read(text: str) -> tuple[str, str] | None:
    """The id and the secret inside a key, or None where it is none."""
    match = _FORM.fullmatch(text)
    return None if match is None else (f"{ids.API_KEY}_{match[1]}", match[2])


def digest_of(secret: str) -> bytes:
    """What a secret hashes to."""
    return hashlib.sha256(secret.encode()).digest()
