"""Media types: what the client sends, and which answer it accepts. Source: GraphQL over HTTP; RFC 9110, 12.5.1."""

from functools import lru_cache
from typing import Final

JSON: Final = "application/json"
GRAPHQL: Final = "application/graphql-response+json"
EVENTS: Final = "text/event-stream"
HTML: Final = "text/html"

RANGES_MAX: Final = 32
"""How many media ranges of an `Accept` header are read."""

HEADERS_KEPT: Final = 256
"""Headers that are read once: clients have few of them."""

_MEANT: Final = {JSON: JSON, GRAPHQL: GRAPHQL, "*/*": JSON, "application/*": JSON}


def parse(header: str) -> tuple[str, dict[str, str]]:
    """The media type in lower case, and its parameters."""
    name, *rest = header.split(";")
    params: dict[str, str] = {}
    for part in rest:
        key, _, value = part.partition("=")
        params[key.strip().lower()] = value.strip().strip('"').lower()
    return name.strip().lower(), params


@lru_cache(HEADERS_KEPT)
def is_json(header: str) -> bool:
    """Whether a body of this `Content-Type` is JSON in UTF-8."""
    name, params = parse(header)
    return name == JSON and params.get("charset", "utf-8") in {"utf-8", "utf8"}


@lru_cache(HEADERS_KEPT)
def accepted(accept: str) -> str | None:
    """The media type to answer with, or None where nothing we speak is accepted.

    A stream is chosen only where no JSON is accepted: clients list `text/event-stream` beside it for every request.
    """
    if not accept.strip():
        return JSON
    best: dict[str, float] = {}
    for part in accept.split(",")[:RANGES_MAX]:
        name, params = parse(part)
        meant = EVENTS if name == EVENTS else _MEANT.get(name)
        if meant is not None:
            best[meant] = max(best.get(meant, 0.0), _quality(params))
    streams = best.pop(EVENTS, 0.0) > 0
    if best and (wanted := max(best, key=lambda name: best[name])) and best[wanted] > 0:
        return wanted
    return EVENTS if streams else None


def wants_page(accept: str) -> bool:
    """Whether a browser asks for a page."""
    return any(parse(part)[0] == HTML for part in accept.split(",")[:RANGES_MAX])


def _quality(params: dict[str, str]) -> float:
    try:
        return min(max(float(params.get("q", "1")), 0.0), 1.0)
    except ValueError:
        return 0.0
