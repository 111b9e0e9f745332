"""GraphQL over HTTP: POST and GET on one path, answered as JSON or as a stream of events.

Source: the GraphQL over HTTP specification, checked by the 61 audits of the `graphql-http` suite.
"""

import asyncio
from typing import Final

from starlette.types import Receive, Scope, Send
from strawberry.http.ides import get_graphql_ide_html

from shoutgraph.api import limits, media_types, requests, sse, transport
from shoutgraph.api.credentials import Credential
from shoutgraph.api.deadline import within
from shoutgraph.api.failures import RETRY_AFTER_MIN_S, Code, FailureError
from shoutgraph.api.graphql.execution import Request
from shoutgraph.api.transport import Headers, Reply, Transport
from shoutgraph.domain.users import ANONYMOUS
from shoutgraph.telemetry import logs, spans

PAGE_POLICY: Final = b"frame-ancestors 'none'"
"""GraphiQL loads its scripts from elsewhere, so the page is for development only."""


GOING: Final = "This server is going away. Ask again: a mutation under the same key, since it may still be done."


class GraphQLOverHttp:
    """The ASGI application of the GraphQL path for HTTP requests."""

    def __init__(self, shared: Transport) -> None:
        self._shared = shared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; nothing it can receive is answered by anything but JSON."""
        headers = Headers(scope)
        request_id = self._shared.request_id_of(headers)
        with spans.continued(headers.trace()), logs.within(request_id):
            reply = await self._reply(scope, headers, receive, send, request_id)
            if reply is not None:
                await reply.send(send, request_id)

    async def _reply(
        self, scope: Scope, headers: Headers, receive: Receive, send: Send, request_id: str
    ) -> Reply | None:
        """What is answered, also where it fails; None where a stream was the answer, or nobody is there to take one."""
        try:
            return await self._answer(scope, headers, receive, send, request_id)
        except FailureError as failure:
            return _failed(failure, headers, request_id)
        except asyncio.CancelledError:
            if not self._shared.drain.started or _accepted(headers) == media_types.EVENTS:
                raise
            return _failed(FailureError(Code.UNAVAILABLE, GOING, retryAfter=RETRY_AFTER_MIN_S), headers, request_id)
        except ClientGoneError:
            return None
        except Exception as error:  # noqa: BLE001 - the last boundary: masked, logged, and still JSON
            return transport.reply_of_bug(error, request_id)

    async def _answer(
        self, scope: Scope, headers: Headers, receive: Receive, send: Send, request_id: str
    ) -> Reply | None:
        method: str = scope["method"]
        if method not in {"GET", "POST"}:
            raise FailureError(Code.METHOD_NOT_ALLOWED, "Use GET or POST.", allow="GET, POST")
        accept = headers.get(b"accept") or ""
        if method == "GET" and not scope["query_string"] and media_types.wants_page(accept):
            return self._page()
        media_type = media_types.accepted(accept)
        if media_type is None:
            raise FailureError(Code.NOT_ACCEPTABLE, f"Accept {media_types.GRAPHQL} or {media_types.JSON}.")
        request = await self._read(scope, headers, receive)
        authorization = headers.get(b"authorization")
        address = self._shared.peers.address_of(scope)
        viewer = await self._shared.viewer_of(authorization, address=address)
        request = self._shared.trusted.find(request, viewer)
        last_event_id = headers.get(b"last-event-id")
        context = self._shared.context_of(viewer, request_id, address=address, last_event_id=last_event_id)
        read_only = method == "GET"
        if media_type == media_types.EVENTS:
            with self._shared.meter.connection(viewer, address):
                answers = self._shared.runner.answers(request, context, read_only=read_only)
                credential = Credential(self._shared, authorization, viewer)
                await sse.respond(credential, answers, context, receive=receive, send=send)
            return None
        answer = await self._shared.runner.answer(request, context, read_only=read_only)
        if read_only and request.document_id is not None and answer.ran and not answer.errors:
            public, known = viewer == ANONYMOUS, headers.get(b"if-none-match") or ""
            return transport.stored_reply_of(answer, media_type, public=public, known=known)
        return transport.reply_of(answer, media_type)

    async def _read(self, scope: Scope, headers: Headers, receive: Receive) -> Request:
        if scope["method"] == "GET":
            return requests.from_query_string(scope["query_string"])
        if not media_types.is_json(headers.get(b"content-type") or ""):
            raise FailureError(Code.UNSUPPORTED_MEDIA_TYPE, f"Send {media_types.JSON} in UTF-8.")
        if headers.get(b"content-encoding") not in {None, "identity"}:
            raise FailureError(Code.UNSUPPORTED_MEDIA_TYPE, "Send the body without a content encoding.")
        body = await read_body(headers, receive)
        return requests.from_value(requests.decode_json(body))

    def _page(self) -> Reply:
        if not self._shared.graphiql:
            raise FailureError(Code.NOT_ACCEPTABLE, "There is no page here: send a GraphQL request.")
        page = get_graphql_ide_html(graphql_ide="graphiql").encode()
        return Reply(200, page, media_types.HTML, ((b"content-security-policy", PAGE_POLICY),))


def _accepted(headers: Headers) -> str | None:
    return media_types.accepted(headers.get(b"accept") or "")


def _failed(failure: FailureError, headers: Headers, request_id: str) -> Reply:
    media_type = media_types.GRAPHQL if _accepted(headers) == media_types.GRAPHQL else media_types.JSON
    return transport.reply_of_failure(failure, request_id, media_type)


DIGITS_MAX: Final = 12
"""How many digits of a declared length are read."""


class ClientGoneError(Exception):
    """The client went away before it had sent its request."""


async def read_body(headers: Headers, receive: Receive) -> bytes:
    """Reads a body within its limits of size and time.

    Raises:
        FailureError: it is too long, or it comes too slowly.
        ClientGoneError: the client went away.
    """
    declared = headers.get(b"content-length") or "0"
    if not declared.isdecimal() or int(declared[:DIGITS_MAX]) > limits.BODY_BYTES_MAX:
        raise _too_large()
    try:
        with within(limits.BODY_S):
            return await _read_chunks(receive)
    except TimeoutError:
        raise FailureError(Code.REQUEST_TIMEOUT, "The body came too slowly.") from None


async def _read_chunks(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        body += message.get("body", b"")
        if len(body) > limits.BODY_BYTES_MAX:
            raise _too_large()
        more = message.get("more_body", False)
    return body


def _too_large() -> FailureError:
    size = limits.BODY_BYTES_MAX
    return FailureError(Code.BODY_TOO_LARGE, f"A request has at most {size} bytes.", limit=size)
