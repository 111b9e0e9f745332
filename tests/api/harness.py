"""A real server on a free port of 127.0.0.1, and small clients that speak to it as strangers do."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx
from starlette.types import ASGIApp
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from shoutgraph.api.drain import Drain
from shoutgraph.api.server import Server, build_server

PATIENCE_S = 10.0


@dataclass(frozen=True)
class Served:
    """A server that runs in a thread."""

    server: Server
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"


@contextmanager
def serving(app: ASGIApp, drain: Drain) -> Iterator[Served]:
    """Serves the application until the block ends, then drains it."""
    server = build_server(app, drain, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline, "the server took too long to start"
        time.sleep(0.005)
    try:
        yield Served(server, server.port)
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "the server did not stop"


class Client:
    """GraphQL over HTTP."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_S)

    def post(self, query: str, /, **variables: object) -> httpx.Response:
        """Sends one operation and gives the whole response."""
        return self.post_for("application/graphql-response+json", query, **variables)

    def post_for(self, accept: str, query: str, /, **variables: object) -> httpx.Response:
        """Sends one operation and says which media types the answer may have."""
        body = {"query": query, "variables": variables}
        return self.http.post("/graphql", json=body, headers={"accept": accept})

    def data(self, query: str, /, **variables: object) -> Any:
        """The data of one operation that has no errors."""
        body = self.post(query, **variables).json()
        assert "errors" not in body, body["errors"]
        return body["data"]

    def code(self, query: str, /, **variables: object) -> str:
        """The code of the first error."""
        body = self.post(query, **variables).json()
        return str(body["errors"][0]["extensions"]["code"])

    def events(self, query: str, /, *, last_event_id: str | None = None, **variables: object) -> "EventStream":
        """Opens a stream of Server-Sent Events."""
        headers = {"accept": "text/event-stream"}
        if last_event_id is not None:
            headers["last-event-id"] = last_event_id
        request = self.http.build_request(
            "POST", "/graphql", json={"query": query, "variables": variables}, headers=headers
        )
        return EventStream(self.http.send(request, stream=True))

    def close(self) -> None:
        self.http.close()


@dataclass(frozen=True)
class ServerEvent:
    """One event of a stream."""

    name: str
    data: Any
    id: str | None


class EventStream:
    """Reads Server-Sent Events one at a time."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.comments = 0
        self._lines = response.iter_raw()
        self._rest = b""

    def next(self) -> ServerEvent | None:
        """The next event, or None at the end of the stream."""
        while True:
            while b"\n\n" not in self._rest:
                chunk = next(self._lines, None)
                if chunk is None:
                    return None
                self._rest += chunk
            block, self._rest = self._rest.split(b"\n\n", 1)
            if block.startswith(b":"):
                self.comments += 1
                continue
            return _parse_event(block.decode())

    def close(self) -> None:
        self.response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _parse_event(block: str) -> ServerEvent:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    data = fields.get("data", "")
    return ServerEvent(fields.get("event", "message"), json.loads(data) if data else None, fields.get("id"))


class Closed(Exception):  # noqa: N818 - an outcome that tests look at
    """The server closed the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class Socket:
    """GraphQL over WebSocket by hand, so that wrong messages can be sent too."""

    def __init__(
        self,
        url: str,
        *,
        protocols: Sequence[str] = ("graphql-transport-ws",),
        headers: Mapping[str, str] | None = None,
        origin: str | None = None,
    ) -> None:
        self._open = ExitStack()
        opened = connect(
            url,
            subprotocols=[Subprotocol(name) for name in protocols] or None,
            additional_headers=headers,
            origin=None if origin is None else Origin(origin),
            compression=None,
            max_size=2**24,
            open_timeout=PATIENCE_S,
            close_timeout=0.5,
            proxy=None,
        )
        self.connection: ClientConnection = self._open.enter_context(opened)

    def init(self, token: str | None = None) -> "Socket":
        """Opens the protocol and waits for the acknowledgement."""
        payload = {"authorization": f"Bearer {token}"} if token else {}
        self.send({"type": "connection_init", "payload": payload})
        assert self.receive() == {"type": "connection_ack"}
        return self

    def subscribe(self, operation_id: str, query: str, /, **variables: object) -> None:
        """Starts an operation."""
        payload = {"query": query, "variables": variables}
        self.send({"type": "subscribe", "id": operation_id, "payload": payload})

    def send(self, message: object) -> None:
        self.send_text(message if isinstance(message, str) else json.dumps(message))

    def send_text(self, text: str | bytes) -> None:
        self.connection.send(text)

    def receive(self, timeout: float = PATIENCE_S) -> Any:
        """The next message, or the way the server closed."""
        try:
            text = self.connection.recv(timeout)
        except ConnectionClosed as closed:
            frame = closed.rcvd
            raise Closed(frame.code if frame else 1006, frame.reason if frame else "") from None
        assert isinstance(text, str), "every frame is text"
        return json.loads(text)

    def next(self, operation_id: str) -> Any:
        """The payload of the next `next` message, which must be of this operation."""
        message = self.receive()
        assert (message["type"], message["id"]) == ("next", operation_id), message
        return message["payload"]

    def closed(self) -> tuple[int, str]:
        """Reads until the server closes, and says how."""
        try:
            while True:
                self.receive()
        except Closed as closed:
            return closed.code, closed.reason

    def close(self) -> None:
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
