"""The idempotent request that a mutation's input stands for."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

import strawberry

from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Viewer

_PLAIN: Final = frozenset({str, int, bool, type(None)})


def request_of(viewer: Viewer, mutation: str, given: Any) -> Request:  # noqa: ANN401 - any input type
    """Who asks for which mutation under which key, with a digest of everything else in the input."""
    values = plain(given)
    assert isinstance(values, dict), "an input is an object"
    key = values.pop("idempotency_key")
    return Request.of(principal=viewer.principal, mutation=mutation, key=key, given=values)


def plain(value: object) -> object:
    """An input as JSON values; a field that was left out is the same as null."""
    if value.__class__ in _PLAIN:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is strawberry.UNSET else value
