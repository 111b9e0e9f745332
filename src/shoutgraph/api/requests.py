"""Bytes to a GraphQL request, with a coded failure for everything that is not one."""

import json
import sys
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import orjson

from shoutgraph.api.failures import Code, FailureError
from shoutgraph.api.graphql.execution import Request

PARAMETERS_MAX: Final = 10
"""How many parameters of a query string are read."""


DOCUMENT_ID_CHARS_MAX: Final = 200
NO_DIGEST: Final = "-"


def decode_json(data: bytes | str) -> object:
    """Reads JSON in UTF-8.

    Raises:
        FailureError: it is not: NaN, another encoding and endless nesting are none of it.
    """
    try:
        value: object = orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError):
        raise FailureError(Code.BAD_REQUEST, "The request is not JSON in UTF-8.") from None
    return value


def id_in(text: str) -> str | None:
    """The id of an operation in a message that is JSON, but none that we read: with half a character, or NaN.

    A person who cuts an emoji in two sends such a text, which must cost them that operation and not the socket.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    found = message.get("id") if isinstance(message, dict) and message.get("type") == "subscribe" else None
    return found if isinstance(found, str) and found.isprintable() else None


def from_query_string(query_string: bytes) -> Request:
    """The request of a GET.

    Raises:
        FailureError: a parameter is missing, repeated, or of a wrong shape.
    """
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX
        )
    except ValueError:
        raise FailureError(Code.BAD_REQUEST, "The query string cannot be read.") from None
    given: dict[str, object] = {}
    for name, text in pairs:
        if name in given:
            raise FailureError(Code.BAD_REQUEST, "A parameter is given twice.")
        given[name] = decode_json(text) if name in {"variables", "extensions"} and text else text or None
    return from_value(given)


def from_value(value: object) -> Request:
    """The request that a JSON value describes, over HTTP or a socket.

    Raises:
        FailureError: it is no object with a `query`, or a member is of a wrong shape.
    """
    if not isinstance(value, dict):
        raise FailureError(Code.BAD_REQUEST, "A request is a JSON object.")
    _check(value, "variables", dict)
    _check(value, "extensions", dict)
    _check(value, "operationName", str)
    _check(value, "query", str)
    _check(value, "documentId", str)
    query, name = value.get("query") or "", value.get("documentId") or None
    automatic = None if name else _automatic(value)
    if not query and not name and not automatic:
        raise FailureError(Code.BAD_REQUEST, "The request has no query.")
    if len(name or automatic or "") > DOCUMENT_ID_CHARS_MAX:
        raise FailureError(Code.BAD_REQUEST, f"An id of a document has at most {DOCUMENT_ID_CHARS_MAX} characters.")
    return Request(
        query=sys.intern(query),  # all who subscribe alike share one text
        variables=value.get("variables") or {},
        operation_name=value.get("operationName") or None,
        document_id=name or automatic,
        automatic=automatic is not None,
    )


def _check(value: Mapping[str, object], name: str, kind: type) -> None:
    if not isinstance(value.get(name), (kind, type(None))):
        wanted = "an object" if kind is dict else "text"
        raise FailureError(Code.BAD_REQUEST, f"{name} is {wanted} or null.")


def _automatic(value: Mapping[str, object]) -> str | None:
    """The digest by which clients ask before they send the text; some other text where there is none."""
    found = (value.get("extensions") or {}).get("persistedQuery")  # type: ignore[attr-defined]
    if found is None:
        return None
    digest = found.get("sha256Hash") if isinstance(found, dict) else None
    return digest if isinstance(digest, str) and digest else NO_DIGEST
