"""What the three transports share: who asks, what runs, and how an answer is written."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final

import orjson
from graphql import GraphQLError
from starlette.types import Scope, Send

from shoutgraph.api import failures, media_types
from shoutgraph.api.addresses import Peers
from shoutgraph.api.drain import Drain
from shoutgraph.api.failures import Code, FailureError
from shoutgraph.api.graphql.answers import Answer
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.execution import Runner
from shoutgraph.api.metering import Meter
from shoutgraph.api.trusted import TrustedDocuments
from shoutgraph.domain import errors
from shoutgraph.domain.buckets import Rates
from shoutgraph.domain.clock import Clock
from shoutgraph.domain.users import Viewer
from shoutgraph.telemetry import spans
from shoutgraph.tools import Tools

Authenticate = Callable[[str | None], Awaitable[Viewer]]
"""Makes a viewer of the value of an `Authorization` header; without one the viewer is anonymous."""

_PARENTS = tuple(name.encode() for name in spans.PARENTS)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Transport:
    """What every transport needs."""

    runner: Runner
    tools: Tools
    authenticate: Authenticate
    new_request_id: Callable[[], str]
    drain: Drain
    clock: Clock
    allowed_origins: frozenset[str] = frozenset()
    graphiql: bool = False
    meter: Meter = field(default_factory=lambda: Meter(Rates(), key=b""))
    peers: Peers = field(default_factory=Peers)
    trusted: TrustedDocuments = field(default_factory=TrustedDocuments)

    async def viewer_of(self, authorization: str | None, *, address: str | None = None) -> Viewer:
        """Who asks.

        Args:
            address: where from, for whoever tries one credential after the other.

        Raises:
            FailureError: the credentials are not valid, or nobody can say now whether they are; the caller is never
                taken for an anonymous one.
        """
        try:
            return await self.authenticate(authorization)
        except errors.UnauthenticatedError as refusal:
            if address is not None:
                self.meter.refuse_guessing(address)
            raise FailureError(Code.UNAUTHENTICATED, refusal.message) from refusal
        except errors.StoreUnavailableError as absence:
            raise failures.of_absence(absence) from absence

    def seconds_left(self, viewer: Viewer) -> float | None:
        """How long the viewer's token is still good, or None where it does not expire."""
        if viewer.expires_at is None:
            return None
        return max((viewer.expires_at - self.clock()).total_seconds(), 0.0)

    def context_of(self, viewer: Viewer, request_id: str, *, address: str, last_event_id: str | None = None) -> Context:
        """The context of one operation.

        Raises:
            FailureError: the caller has spent what they may.
        """
        account = self.meter.account_of(viewer, address)
        if account is not None:
            account.check()
        return Context(
            tools=self.tools, viewer=viewer, request_id=request_id, last_event_id=last_event_id, account=account
        )

    def request_id_of(self, headers: "Headers") -> str:
        """The request id that a proxy gave, or a new one."""
        given = headers.get(b"x-request-id")
        return given if given and _REQUEST_ID.fullmatch(given) else self.new_request_id()


class Headers:
    """The headers of a request, decoded when asked for. A repeated header counts once, by its last value."""

    __slots__ = ("_raw",)

    def __init__(self, scope: Scope) -> None:
        self._raw: dict[bytes, bytes] = dict(scope["headers"])

    def get(self, name: bytes) -> str | None:
        """The value of a header by its lower-case name."""
        value = self._raw.get(name)
        return None if value is None else value.decode("latin-1")

    def trace(self) -> dict[str, str]:
        """What says of which trace the request is part; empty where nothing does."""
        return {name.decode(): self._raw[name].decode("latin-1") for name in _PARENTS if name in self._raw}


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response."""

    status: int
    body: bytes
    media_type: str = media_types.JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def send(self, send: Send, request_id: str) -> None:
        """Sends it, with headers that keep browsers from guessing, and from caching unless it says otherwise."""
        own = {name for name, _ in self.headers}
        headers = [
            (b"content-type", f"{self.media_type}; charset=utf-8".encode()),
            (b"content-length", str(len(self.body)).encode()),
            (b"x-request-id", request_id.encode()),
            *(pair for pair in SAFE_HEADERS if pair[0] not in own),
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


SAFE_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)

STATUS: Final[dict[Code, int]] = {
    Code.BAD_REQUEST: 400,
    Code.PERSISTED_NOT_FOUND: 400,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.TRUSTED_ONLY: 403,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.NOT_ACCEPTABLE: 406,
    Code.REQUEST_TIMEOUT: 408,
    Code.BODY_TOO_LARGE: 413,
    Code.UNSUPPORTED_MEDIA_TYPE: 415,
    Code.RATE_LIMITED: 429,
    Code.INTERNAL: 500,
    Code.OVERLOADED: 503,
    Code.UNAVAILABLE: 503,
}
"""The status of what fails before GraphQL begins. The draft's 422 and 294 wait until it is final."""

CLOSING: Final = {Code.BODY_TOO_LARGE, Code.REQUEST_TIMEOUT}
"""After these the connection ends, since the rest of the body is not read."""

PUBLIC_S: Final = 30
"""How long a cache may answer strangers by itself."""
MARK_CHARS: Final = 32

REQUEST_ERROR_STATUS: Final = {media_types.GRAPHQL: 400, media_types.JSON: 200}
"""The status of a GraphQL request error: older clients read no body of a 4xx, so JSON gets 200."""


def reply_of(answer: Answer, media_type: str) -> Reply:
    """The response that carries an answer."""
    return Reply(200 if answer.ran else REQUEST_ERROR_STATUS[media_type], answer.json(), media_type)


def stored_reply_of(answer: Answer, media_type: str, *, public: bool, known: str) -> Reply:
    """The response to a GET of a stored document, which caches may keep; 304 where the client has it already.

    Args:
        public: nobody is signed in, so that everybody is answered alike.
        known: the value of `If-None-Match`.
    """
    answer.cost = None  # what is left of somebody's points is nothing to keep
    reply = reply_of(answer, media_type)
    mark = f'"{hashlib.sha256(reply.body).hexdigest()[:MARK_CHARS]}"'
    kept = f"public, max-age={PUBLIC_S}" if public else "private, no-cache"
    named = {"cache-control": kept, "etag": mark, "vary": "accept, authorization"}
    headers = tuple((name.encode(), value.encode()) for name, value in named.items())
    if mark in known or known.strip() == "*":
        return Reply(304, b"", media_type, headers)
    return replace(reply, headers=headers)


def reply_of_failure(failure: FailureError, request_id: str, media_type: str = media_types.JSON) -> Reply:
    """The response that says what failed before GraphQL began."""
    shown = failures.present([failure], request_id=request_id)
    status = STATUS.get(failure.code, REQUEST_ERROR_STATUS[media_type])
    headers: list[tuple[bytes, bytes]] = []
    if failure.code in CLOSING:
        headers.append((b"connection", b"close"))
    if failure.code is Code.UNAUTHENTICATED:
        headers.append((b"www-authenticate", b"Bearer"))
    after = (failure.extensions or {}).get("retryAfter")
    if isinstance(after, int):
        headers.append((b"retry-after", str(after).encode()))
    allow = (failure.extensions or {}).get("allow")
    if isinstance(allow, str):
        headers.append((b"allow", allow.encode()))
    return Reply(status, orjson.dumps({"errors": shown}), media_type, tuple(headers))


def reply_of_bug(error: Exception, request_id: str) -> Reply:
    """The masked response to an exception that no one foresaw."""
    shown = failures.present([GraphQLError(str(error), original_error=error)], request_id=request_id)
    return Reply(500, orjson.dumps({"errors": shown}))
