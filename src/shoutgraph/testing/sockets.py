"""A client of a server by WebSocket, in the protocol `graphql-transport-ws`; told to, it sends wrong messages."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from shoutgraph.testing.clients import PATIENCE_S

PROTOCOL: Final = "graphql-transport-ws"
ABNORMAL: Final = 1006
"""The code of a socket that ended without a word."""
MESSAGE_BYTES_MAX: Final = 2**24
CLOSE_S: Final = 0.5


class ClosedError(Exception):
    """The server closed the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code: Final = code
        self.reason: Final = reason


class Socket:
    """One socket, message by message."""

    def __init__(
        self,
        url: str,
        *,
        protocols: Sequence[str] = (PROTOCOL,),
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
            max_size=MESSAGE_BYTES_MAX,
            open_timeout=PATIENCE_S,
            close_timeout=CLOSE_S,
            proxy=None,
        )
        self.connection: ClientConnection = self._open.enter_context(opened)

    def init(self, token: str | None = None) -> Self:
        """Opens the protocol and waits for the acknowledgement."""
        payload = {"authorization": f"Bearer {token}"} if token else {}
        self.send({"type": "connection_init", "payload": payload})
        said = self.receive()
        assert said == {"type": "connection_ack"}, said
        return self

    def subscribe(self, operation_id: str, query: str, /, **variables: object) -> None:
        """Starts an operation."""
        payload = {"query": query, "variables": variables}
        self.send({"type": "subscribe", "id": operation_id, "payload": payload})

    def send(self, message: object) -> None:
        """Sends a message, or a text as it is."""
        self.send_text(message if isinstance(message, str) else json.dumps(message))

    def send_text(self, text: str | bytes) -> None:
        """Sends a frame."""
        self.connection.send(text)

    def receive(self, timeout: float = PATIENCE_S) -> Any:  # noqa: ANN401 - JSON
        """The next message.

        Raises:
            ClosedError: the server closed the socket.
            TimeoutError: nothing came.
        """
        try:
            text = self.connection.recv(timeout)
        except ConnectionClosed as closed:
            frame = closed.rcvd
            raise ClosedError(frame.code if frame else ABNORMAL, frame.reason if frame else "") from None
        assert isinstance(text, str), "every frame is text"
        return json.loads(text)

    def next(self, operation_id: str) -> Any:  # noqa: ANN401 - JSON
        """The payload of the next message, which must be a result of this operation."""
        message = self.receive()
        assert (message["type"], message["id"]) == ("next", operation_id), message
        return message["payload"]

    def closed(self) -> tuple[int, str]:
        """Reads until the server closes, and says how: its code and its reason."""
        try:
            while True:
                self.receive()
        except ClosedError as closed:
            return closed.code, closed.reason

    def close(self) -> None:
        """Closes the socket."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
