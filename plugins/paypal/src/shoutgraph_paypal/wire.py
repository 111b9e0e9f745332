"""PayPal's language: one request, its access token, and how the answer is read."""

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Final, TypeVar

from pydantic import ValidationError

from shoutgraph.sdk import (
    UNAVAILABLE,
    Call,
    Host,
    HttpAnswer,
    NoAnswer,
    NotExecuted,
    NotSent,
    Unknown,
    retry_after,
)
from shoutgraph_paypal.config import PayPalConfig
from shoutgraph_paypal.shapes import ErrorShape, NothingShape, Shape, TokenShape

NO_ANSWER: Final = "no_answer"
PROVIDER_ERROR: Final = "provider_error"
UNREADABLE: Final = "unreadable"
RATE_LIMITED: Final = "rate_limited"
KEY_REUSED: Final = "idempotency_key_reused"
BUSY: Final = "in_progress"
NOT_FOUND: Final = "resource_not_found"
NOT_PERMITTED: Final = "not_permitted"
REFUSED: Final = "refused"
NO_REF: Final = "no_ref"
OTHER_OBJECT: Final = "other_object"
"""PayPal answered with something that is not what we asked for."""

CODE_CHARS_MAX: Final = 100
KEY_CHARS_MAX: Final = 108
"""The longest `PayPal-Request-Id`."""

TOKEN_TTL: Final = timedelta(hours=8)
TOKEN_MARGIN_S: Final = 120
"""A token that ends sooner than this is not used any more. Units: seconds."""

TOKENS_MAX: Final = 2
"""The most tokens that one request looks at: the one that is kept, and a new one."""

TOKEN_PATH: Final = "/v1/oauth2/token"  # noqa: S105 -- a path

_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,99}", re.ASCII)
_REUSED: Final = frozenset({"duplicate_request_id", "paypal_request_id_previously_used", "duplicate_invoice_id"})
_DONE: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT})

ShapeT = TypeVar("ShapeT", bound=Shape)


@dataclass(frozen=True, slots=True)
class Asking:
    """One request. The key is what PayPal gives the same answer to again."""

    method: str
    path: str
    body: object = field(default=None, repr=False)
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """PayPal answered, and said no; it did nothing."""

    code: str
    status: int
    fields: tuple[str, ...] = ()
    hrefs: tuple[str, ...] = ()

    @property
    def is_missing(self) -> bool:
        """Whether there is no such thing."""
        return self.status == HTTPStatus.NOT_FOUND


class _NoTokenError(Exception):
    """There is no access token, so that nothing was asked for."""

    def __init__(self, why: NotExecuted) -> None:
        super().__init__(why.code)
        self.why: Final = why


class Wire:
    """Speaks to PayPal: one request for each call, never a second one, and an access token beside it."""

    def __init__(self, config: PayPalConfig, host: Host) -> None:
        self._config = config
        self._host = host
        self._turn = 0

    async def ask(self, asking: Asking, shape: type[ShapeT]) -> ShapeT | Refused | NotExecuted | Unknown:
        """Sends one request and reads its answer.

        Only a connection that was never made and a request that was turned away at the door are `NotExecuted`.
        """
        try:
            turn, token = await self._token()
        except _NoTokenError as error:
            return error.why
        headers = {
            "authorization": f"Bearer {token}",
            "content-type": "application/json",
            "prefer": "return=representation",
        }
        if asking.key is not None:
            headers["paypal-request-id"] = asking.key
        content = None if asking.body is None else json.dumps(asking.body).encode()
        url = self._config.api_url + asking.path
        try:
            answer = await self._host.http.request(asking.method, url, headers=headers, content=content)
        except NotSent:
            return NotExecuted(UNAVAILABLE)
        except NoAnswer:
            return Unknown(NO_ANSWER)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self._forget(turn)
        return _read(answer, shape)

    async def _token(self) -> tuple[int, str]:
        for _ in range(TOKENS_MAX):
            turn = self._turn
            kept = await self._host.cached(f"token-{turn}", TOKEN_TTL, self._new_token)
            until, _, token = kept.partition(" ")
            if self._host.now().timestamp() < int(until):
                return turn, token
            self._forget(turn)
        raise _NoTokenError(NotExecuted(UNAVAILABLE))

    def _forget(self, turn: int) -> None:
        """The next request gets a new token; the host's cache forgets nothing by itself before its time."""
        if self._turn == turn:
            self._turn += 1

    async def _new_token(self) -> str:
        named = f"{self._config.client_id}:{self._config.client_secret.get_secret_value()}"
        headers = {
            "authorization": f"Basic {base64.b64encode(named.encode()).decode()}",
            "content-type": "application/x-www-form-urlencoded",
        }
        url, content = self._config.api_url + TOKEN_PATH, b"grant_type=client_credentials"
        try:
            answer = await self._host.http.request("POST", url, headers=headers, content=content)
        except (NotSent, NoAnswer):
            raise _NoTokenError(NotExecuted(UNAVAILABLE)) from None
        read = _read(answer, TokenShape)
        if not isinstance(read, TokenShape):
            raise _NoTokenError(not_sent(read))
        # PayPal gives the same token again while it lives, so a new one may be an old one that ends soon.
        until = int(self._host.now().timestamp()) + read.expires_in - min(TOKEN_MARGIN_S, read.expires_in // 2)
        return f"{until} {read.access_token}"


def _read(answer: HttpAnswer, shape: type[ShapeT]) -> ShapeT | Refused | NotExecuted | Unknown:
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotExecuted(RATE_LIMITED, retry_after=retry_after(answer.headers))
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unknown(PROVIDER_ERROR)
    try:
        if answer.status in _DONE:
            empty = shape is NothingShape and not answer.body
            return shape.model_validate_json(b"{}" if empty else answer.body)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return _refusal(answer)
    except ValidationError:
        return Unknown(UNREADABLE)
    return Unknown(UNREADABLE)


def _refusal(answer: HttpAnswer) -> Refused | Unknown:
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Refused(NOT_PERMITTED, answer.status)
    if answer.status in {HTTPStatus.CONFLICT, HTTPStatus.REQUEST_TIMEOUT}:
        return Unknown(BUSY)
    error = ErrorShape.model_validate_json(answer.body)
    issues = [each.issue for each in error.details if each.issue is not None and _CODE.fullmatch(each.issue)]
    code = (issues[0] if issues else error.name if _CODE.fullmatch(error.name) else REFUSED).lower()
    if code in _REUSED:
        # The key stands for another payload than ours: something exists, and it is not what we asked for.
        return Unknown(KEY_REUSED)
    code = NOT_FOUND if answer.status == HTTPStatus.NOT_FOUND else code
    fields = tuple((each.field or "").lower() for each in error.details)
    return Refused(code, answer.status, fields, error.hrefs)


def not_sent(answer: Refused | NotExecuted | Unknown) -> NotExecuted:
    """What is said of a request that was not sent, because something that it needs was not given."""
    match answer:
        case NotExecuted():
            return answer
        case Refused():
            return NotExecuted(answer.code)
        case Unknown():
            return NotExecuted(UNAVAILABLE)


def not_done(answer: Refused | NotExecuted | Unknown, call: Call) -> NotExecuted | Unknown:
    """What is said of a money call of which the preparation failed: nothing was done by this attempt."""
    if call.attempt > 1:
        return Unknown(answer.reason if isinstance(answer, Unknown) else answer.code)
    return not_sent(answer)


def unknown(answer: Shape | Refused | NotExecuted | Unknown) -> Unknown:
    """What is said where only an answer of another kind would have helped: that nobody looked proves nothing."""
    if isinstance(answer, Unknown):
        return answer
    return Unknown(OTHER_OBJECT if isinstance(answer, Shape) else answer.code)
