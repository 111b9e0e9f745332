"""GraphQL over WebSocket: many operations on one socket, by the `graphql-transport-ws` protocol.

Close codes are chosen by what clients do with them: 1012, 1013 and 4403 make them come back, 4400 does not.
Source: the `graphql-ws` protocol and the behaviour of its client.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from typing import Any, Final, ParamSpec

import orjson
from starlette.types import Receive, Scope, Send
from strawberry.http.websocket_origin import is_same_origin, normalize_allowed_origins, normalize_origin

from shoutgraph.api import failures, limits, requests
from shoutgraph.api.credentials import Credential
from shoutgraph.api.deadline import within
from shoutgraph.api.failures import Code, FailureError
from shoutgraph.api.graphql.answers import Answer
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.execution import Request
from shoutgraph.api.graphql.sharing import SlowConsumerError
from shoutgraph.api.transport import Headers, Transport
from shoutgraph.domain.users import ANONYMOUS, Viewer
from shoutgraph.telemetry import logs, metrics

logger = logging.getLogger("shoutgraph.api")

P = ParamSpec("P")

PROTOCOL: Final = "graphql-transport-ws"
PUT: Final = "shoutgraph.put"
"""The extension of ASGI by which our server offers `Wire.put`."""

BAD_MESSAGE: Final = 4400
UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403
NO_PROTOCOL: Final = 4406
INIT_TIMEOUT: Final = 4408
REPEATED_ID: Final = 4409
REPEATED_INIT: Final = 4429
RESTART: Final = 1012
TRY_LATER: Final = 1013


class CloseError(Exception):
    """The socket must be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code: Final = code
        self.reason: Final = reason


class GoneError(Exception):
    """The client has closed the socket."""


class GraphQLOverSockets:
    """The ASGI application of the GraphQL path for WebSocket handshakes."""

    def __init__(self, shared: Transport) -> None:
        self._shared = shared
        self._origins = normalize_allowed_origins(shared.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one socket until either side closes it."""
        headers = Headers(scope)
        await receive()
        if self._shared.drain.started or not self._may_open(headers):
            await send({"type": "websocket.close", "code": FORBIDDEN})
            return
        spoken = PROTOCOL in scope["subprotocols"]
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL if spoken else None})
        address = self._shared.peers.address_of(scope)
        wire = Wire(receive, send, scope.get("extensions", {}).get(PUT, _never))
        connection = Connection(self._shared, address, self._shared.request_id_of(headers), wire)
        if not spoken:
            await connection.close(NO_PROTOCOL, f"Speak {PROTOCOL}.")
            return
        try:
            with self._shared.meter.connection(None, address), metrics.SOCKETS.track_inprogress():
                await connection.serve(headers.get(b"authorization"))
        except FailureError as failure:
            await connection.close(TRY_LATER, failure.message)

    def _may_open(self, headers: Headers) -> bool:
        origin = headers.get(b"origin")
        if origin is None or is_same_origin(origin, headers.get(b"host")):
            return True
        return "*" in self._origins or normalize_origin(origin) in self._origins


@dataclass(frozen=True, slots=True)
class Wire:
    """How messages come and go.

    `put` sends a text at once, without a task of its own; it gives False where the client has to be waited for.
    """

    receive: Receive
    send: Send
    put: Callable[[str], bool]


class Connection:
    """One socket: who it belongs to, and the operations that run on it."""

    def __init__(self, shared: Transport, address: str, request_id: str, wire: Wire) -> None:
        self._shared = shared
        self._address = address
        self._request_id = request_id
        self._wire = wire
        self._place = ExitStack()
        self._header: str | None = None
        self._viewer: Viewer | None = None
        self._initialised = False
        self._closed = False
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._main = asyncio.current_task()
        self._given_up = False

    async def serve(self, authorization: str | None) -> None:
        """Reads messages until the socket ends, then ends its operations."""
        self._header = authorization
        self._close_after(limits.INIT_S, INIT_TIMEOUT, "connection_init did not come.")
        forget = self._shared.drain.when_started(lambda: self._close_soon(RESTART, "The server restarts."))
        try:
            while True:
                await self._handle(await self._next_message())
        except CloseError as close:
            await self.close(close.code, close.reason)
        except GoneError:
            self._closed = True
        except asyncio.CancelledError:
            if not self._given_up:
                raise
        finally:
            forget()
            await self._end()

    async def close(self, code: int, reason: str) -> None:
        """Closes the socket once, with a reason that fits into a control frame."""
        if self._closed:
            return
        self._closed = True
        text = reason.encode()[: limits.CLOSE_REASON_BYTES_MAX].decode(errors="ignore")
        try:
            with within(limits.SEND_S):
                await self._wire.send({"type": "websocket.close", "code": code, "reason": text})
        except (TimeoutError, OSError, RuntimeError):
            logger.info("socket %s could not be told to close", self._request_id)
            self._give_up()

    def _give_up(self) -> None:
        """Ends a socket whose client takes no more bytes: waiting for its next message would be for ever."""
        if self._main is not None and self._main is not asyncio.current_task():
            self._given_up = True
            self._main.cancel()

    async def _next_message(self) -> Mapping[str, object]:
        event = await self._wire.receive()
        if event["type"] == "websocket.disconnect":
            raise GoneError
        text = event.get("text")
        if text is None:
            raise CloseError(BAD_MESSAGE, "A message is text.")
        if len(text) > limits.MESSAGE_BYTES_MAX:
            raise CloseError(BAD_MESSAGE, "The message is too long.")
        try:
            message = requests.decode_json(text)
        except FailureError as failure:
            operation_id = requests.id_in(text)
            if operation_id is None:
                raise CloseError(BAD_MESSAGE, failure.message) from None
            return {"type": "subscribe", "id": operation_id, "payload": failure}
        if not isinstance(message, dict):
            raise CloseError(BAD_MESSAGE, "A message is a JSON object.")
        return message

    async def _handle(self, message: Mapping[str, object]) -> None:
        match message.get("type"):
            case "connection_init":
                await self._init(message.get("payload"))
            case "subscribe":
                self._subscribe(_id_of(message), message.get("payload"))
            case "complete":
                self._stop(_id_of(message))
            case "ping":
                await self._write(b'{"type":"pong"}')
            case "pong":
                pass
            case _:
                raise CloseError(BAD_MESSAGE, "This message has no known type.")

    async def _init(self, payload: object) -> None:
        if not isinstance(payload, (dict, type(None))):
            raise CloseError(BAD_MESSAGE, "The payload of connection_init is an object.")
        if self._initialised:
            raise CloseError(REPEATED_INIT, "connection_init came twice.")
        self._initialised = True
        authorization = _authorization_in(payload or {}) or self._header
        try:
            viewer = await self._shared.viewer_of(authorization, address=self._address)
            if viewer != ANONYMOUS:  # they have a place of their own beside that of their address
                self._place.enter_context(self._shared.meter.connection(viewer, self._address))
        except FailureError as failure:
            later = failure.code in {Code.UNAVAILABLE, Code.RATE_LIMITED}
            raise CloseError(TRY_LATER if later else FORBIDDEN, failure.message) from None
        self._cancel_timer()
        self._check_later(Credential(self._shared, authorization, viewer))
        self._viewer = viewer
        await self._write(b'{"type":"connection_ack"}')

    def _subscribe(self, operation_id: str, payload: object) -> None:
        if self._viewer is None:
            raise CloseError(UNAUTHORIZED, "Send connection_init first.")
        if operation_id in self._operations:
            raise CloseError(REPEATED_ID, f"Subscriber for {operation_id} already exists")
        full = len(self._operations) >= limits.OPERATIONS_PER_SOCKET
        task = asyncio.create_task(self._run(operation_id, _asked(payload), self._viewer, full=full))
        self._operations[operation_id] = task
        task.add_done_callback(lambda done: self._forget(operation_id, done))

    def _stop(self, operation_id: str) -> None:
        task = self._operations.pop(operation_id, None)
        if task is not None:
            task.cancel()

    def _forget(self, operation_id: str, task: asyncio.Task[None]) -> None:
        if self._operations.get(operation_id) is task:
            del self._operations[operation_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("an operation of socket %s broke", self._request_id, exc_info=error)

    async def _run(self, operation_id: str, asked: Request | FailureError, viewer: Viewer, *, full: bool) -> None:
        """Runs one operation to its end; its id is free again before the last message goes out."""
        request_id = self._shared.new_request_id()
        with logs.within(request_id):
            try:
                if full:
                    raise _too_many()
                context = self._shared.context_of(viewer, request_id, address=self._address)
                if isinstance(asked, FailureError):
                    raise asked
                if await self._relay(operation_id, self._shared.trusted.find(asked, viewer), context):
                    await self._finish(operation_id, b'{"id":%b,"type":"complete"}' % orjson.dumps(operation_id))
            except FailureError as failure:
                shown = failures.present([failure], request_id=request_id)
                await self._finish(operation_id, _frame(operation_id, b"error", orjson.dumps(shown)))
            except SlowConsumerError:
                self._close_soon(TRY_LATER, "The client reads too slowly: resume from the last cursor.")

    async def _relay(self, operation_id: str, request: Request, context: Context) -> bool:
        """Sends each answer; gives False where the request was refused and its error was the last message."""

        def write(answer: Answer) -> str:
            return _frame(operation_id, b"next", answer.json()).decode()

        def take(answer: Answer) -> bool:
            return answer.ran and not self._closed and self._wire.put(answer.written(("next", operation_id), write))

        async with aclosing(self._shared.runner.answers(request, context, take=take)) as answers:
            async for answer in answers:
                if not answer.ran:
                    await self._finish(operation_id, _frame(operation_id, b"error", orjson.dumps(answer.errors)))
                    return False
                await self._write(answer.written(("next", operation_id), write))
        return True

    async def _finish(self, operation_id: str, frame: bytes) -> None:
        self._operations.pop(operation_id, None)
        await self._write(frame)

    async def _write(self, frame: bytes | str) -> None:
        if self._closed:
            raise asyncio.CancelledError
        try:
            with within(limits.SEND_S):
                await self._wire.send(
                    {"type": "websocket.send", "text": frame if isinstance(frame, str) else frame.decode()}
                )
        except TimeoutError:
            raise SlowConsumerError from None
        except (OSError, RuntimeError):
            self._closed = True
            raise asyncio.CancelledError from None

    def _close_after(self, seconds: float, code: int, reason: str) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._close_soon, code, reason)

    def _check_later(self, credential: Credential) -> None:
        if credential.next_check_s is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(credential.next_check_s, self._in_background, self._check, credential)

    async def _check(self, credential: Credential) -> None:
        reason = await credential.why_not()
        if reason is None:
            self._check_later(credential)
        else:
            await self.close(FORBIDDEN, reason)

    def _close_soon(self, code: int, reason: str) -> None:
        self._in_background(self.close, code, reason)

    def _in_background(self, work: Callable[P, Coroutine[Any, Any, None]], *args: P.args, **kwargs: P.kwargs) -> None:
        task = asyncio.create_task(work(*args, **kwargs))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _end(self) -> None:
        self._place.close()
        self._cancel_timer()
        tasks = [*self._operations.values(), *self._background]
        for task in self._operations.values():
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=limits.SEND_S)


def _never(_text: str) -> bool:
    """For a server that can only be waited for."""
    return False


def _id_of(message: Mapping[str, object]) -> str:
    value = message.get("id")
    if not isinstance(value, str) or not 0 < len(value) <= limits.OPERATION_ID_CHARS_MAX:
        raise CloseError(BAD_MESSAGE, f"An id has 1 to {limits.OPERATION_ID_CHARS_MAX} characters.")
    return value


def _asked(payload: object) -> Request | FailureError:
    """What a message asks for, or why that cannot be told."""
    if isinstance(payload, FailureError):
        return payload
    try:
        return requests.from_value(payload)
    except FailureError as failure:
        return failure


def _authorization_in(payload: Mapping[str, object]) -> str | None:
    for name, value in payload.items():
        if name.lower() == "authorization" and value is not None:
            if not isinstance(value, str):
                raise CloseError(BAD_MESSAGE, "authorization is text.")
            return value
    return None


def _frame(operation_id: str, kind: bytes, payload: bytes) -> bytes:
    return b'{"id":%b,"type":"%b","payload":%b}' % (orjson.dumps(operation_id), kind, payload)


def _too_many() -> FailureError:
    most = limits.OPERATIONS_PER_SOCKET
    return FailureError(Code.OPERATION_LIMIT, f"A socket runs at most {most} operations.", limit=most)
