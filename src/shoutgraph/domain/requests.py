"""Idempotent requests: who asked for what under which key, and the answer that is kept for a repeat."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

JsonValue = str | int | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]

KEPT: Final = timedelta(days=7)
"""How long an answer is kept; after that the natural keys of the books still say "already done"."""


@dataclass(frozen=True, slots=True)
class Request:
    """A mutation under an idempotency key. The key belongs to the principal and the mutation."""

    principal: str
    mutation: str
    key: str
    digest: bytes

    @classmethod
    def of(cls, *, principal: str, mutation: str, key: str, given: Mapping[str, object]) -> "Request":
        """A request whose digest covers the input in canonical form."""
        text = json.dumps(given, sort_keys=True, separators=(",", ":"))
        return cls(principal, mutation, key, hashlib.sha256(text.encode()).digest())


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """An answered request: either a reference to its result, or its refusal."""

    principal: str
    mutation: str
    key: str
    digest: bytes
    result: Any
    refusal: Any
    at: datetime
