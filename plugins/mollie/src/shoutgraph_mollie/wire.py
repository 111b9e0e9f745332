"""Asks Mollie: one request for each question, never a second one."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar

import requests
from mollie.api.error import RequestError
from pydantic import BaseModel, ValidationError
from urllib3.exceptions import MaxRetryError, NewConnectionError

from shoutgraph.sdk import UNAVAILABLE, Call, NotExecuted, Unknown, retry_after
from shoutgraph_mollie.config import MollieConfig
from shoutgraph_mollie.sessions import Caller, Session
from shoutgraph_mollie.shapes import ErrorShape

NO_ANSWER: Final = "no_answer"
PROVIDER_ERROR: Final = "provider_error"
UNREADABLE: Final = "unreadable"
RATE_LIMITED: Final = "rate_limited"
KEY_REUSED: Final = "idempotency_key_reused"
NOT_FOUND: Final = "not_found"
CODE_CHARS_MAX: Final = 64

REFUSALS: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.GONE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""With these Mollie said no, and did nothing. 409 is not among them: another request with the key is under way."""

ShapeT = TypeVar("ShapeT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Refused:
    """Mollie answered, and said no; it did nothing."""

    code: str


@dataclass(frozen=True, slots=True)
class Asking:
    """One request. Units: `until` is when to give up, by `time.monotonic`."""

    method: str
    path: str
    until: float
    key: str = ""
    body: Mapping[str, object] | None = None


def deadline_of(call: Call) -> float:
    """When to give up, however many requests a call takes."""
    return time.monotonic() + call.timeout.total_seconds()


class Wire:
    """Speaks to one profile of Mollie's."""

    def __init__(self, config: MollieConfig) -> None:
        self._config = config
        self._session = Session()

    def ask(self, asking: Asking, shape: type[ShapeT]) -> ShapeT | Refused | NotExecuted | Unknown:
        """Sends one request and reads its answer.

        Only a connection that was never made and a request that was turned away at the door are `NotExecuted`.
        """
        seconds = asking.until - time.monotonic()
        if seconds <= 0:
            return NotExecuted(UNAVAILABLE)
        caller = Caller(self._config, self._session, seconds)
        body = None if asking.body is None else dict(asking.body)
        try:
            answer = caller.perform_http_call(asking.method, asking.path, body, None, asking.key)
        except RequestError as error:
            # Its text may repeat what was sent, and goes no further.
            return NotExecuted(UNAVAILABLE) if _never_left(error.__context__) else Unknown(NO_ANSWER)
        return _read(answer, shape)

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()


def _never_left(cause: BaseException | None) -> bool:
    """Whether no connection was made: a proof that nothing happened."""
    if isinstance(cause, requests.ConnectTimeout):
        return True
    reason = cause.args[0] if isinstance(cause, requests.ConnectionError) and cause.args else None
    return isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError)


def _read(answer: requests.Response, shape: type[ShapeT]) -> ShapeT | Refused | NotExecuted | Unknown:
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return NotExecuted(RATE_LIMITED, retry_after=retry_after(answer.headers))
    try:
        if answer.status_code in {HTTPStatus.OK, HTTPStatus.CREATED}:
            return shape.model_validate_json(answer.content)
        if answer.status_code in REFUSALS:
            return _refusal(ErrorShape.model_validate_json(answer.content))
    except ValidationError:
        return Unknown(UNREADABLE)
    return Unknown(PROVIDER_ERROR, detail=str(answer.status_code))


def _refusal(error: ErrorShape) -> Refused | Unknown:
    if error.status == HTTPStatus.NOT_FOUND:
        return Refused(NOT_FOUND)
    if "idempotency" in error.detail.lower():
        # The key stands for another payload than ours: something exists, and it is not what we asked for.
        return Unknown(KEY_REUSED)
    words = "_".join((error.field or error.title).lower().split())
    return Refused(words[:CODE_CHARS_MAX] or "refused")
