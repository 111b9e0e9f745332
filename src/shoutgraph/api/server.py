"""uvicorn with our limits, and a drain that lets streams end by themselves.

uvicorn waits for open streams before it stops, and then cuts them; so they are told first.
"""

import asyncio
import contextlib
import functools
import socket
from collections.abc import Callable, Generator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from shoutgraph.api import limits, sockets
from shoutgraph.api.drain import REQUESTS_S, Drain

HEADERS_S: Final = 10.0
"""How long a client may take to send the head of a request."""
KEEP_ALIVE_S: Final = 30
PING_S: Final = 20.0
CONNECTIONS_MAX: Final = 20_000

_HEAD: Final = b"HTTP/1.1 "
_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LONG: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _Whole:
    """What responses are written to: the head of one leaves with the first of its body, in one packet.

    uvicorn writes them apart, and each write wakes the client; the first is for nothing.
    """

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        """Sends something. A head waits for what follows, at most until the loop has done what it has to do now."""
        if not self._head and data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self.flush)
        else:
            data, self._head = self._head + data, b""
            self._transport.write(data)

    def flush(self) -> None:
        """Sends a head that waits."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Closes the connection when everything is sent."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever uvicorn asks of a transport
        return getattr(self._transport, name)


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with limits of size and time for the head of a request, which it lacks.

    Heads and bodies of answers leave together.
    """

    _whole: _Whole
    _head_bytes = 0
    _in_head = True
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts the clock of the first head."""
        super().connection_made(transport)
        self._whole = _Whole(transport, self.loop)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clock."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses what came, unless the head is too long by now."""
        was_in_head = self._in_head
        super().data_received(data)
        if was_in_head and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > limits.HEADERS_BYTES_MAX:
                self._refuse(_TOO_LONG)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._head_bytes = True, 0
        if self._timer is None:
            self._start_timer()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head ends."""
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def shutdown(self) -> None:
        """Ends as soon as nothing is being answered."""
        self._whole.flush()
        super().shutdown()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - as it is declared there
        cycle.transport = self._whole  # type: ignore[assignment]
        super()._start_asgi_task(cycle, app)

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(HEADERS_S, self._refuse, _TOO_SLOW)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, response: bytes) -> None:
        self._stop_timer()
        if not self.transport.is_closing():
            self.transport.write(response)
            self.transport.close()


class DirectProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, which also sends a text to many without a task, a timer and a copy for each."""

    def handle_connect(self, event: Request) -> None:
        """Offers the way past the queue to the application, which has not begun yet."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][sockets.PUT] = self.put  # type: ignore[assignment]  # it knows one only

    def put(self, text: str) -> bool:
        """Writes a text, unless the client is behind: then it takes no more in buffers than with `send`."""
        is_open = self.writable.is_set() and self.conn.state is State.OPEN and self.handshake_complete
        if not is_open or self.close_sent or self.transport.is_closing():
            return False
        self.transport.write(frame_of(text))
        return True


@functools.lru_cache(maxsize=8)
def frame_of(text: str) -> bytes:
    """A text as a server sends it; made once for all clients in a row."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


class Server(uvicorn.Server):
    """A server that announces its end before it waits for connections to close."""

    def __init__(self, config: uvicorn.Config, drain: Drain, on_started: Callable[[], None], *, signals: bool) -> None:
        super().__init__(config)
        self._drain = drain
        self._on_started = on_started
        self._signals = signals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen, and says so."""
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tells every stream to end, then stops."""
        self._drain.start()
        await super().shutdown(sockets)

    def end(self) -> None:
        """Has it drain and stop."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Takes signals, unless whoever runs this server does: uvicorn raises them again when it has stopped."""
        with super().capture_signals() if self._signals else contextlib.nullcontext():
            yield

    @property
    def port(self) -> int:
        """The port that was taken, which matters where port 0 was asked for."""
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port


def build_server(
    app: ASGIApp,
    drain: Drain,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    on_started: Callable[[], None] = lambda: None,
    signals: bool = True,
) -> Server:
    """A server of this application with every limit set.

    Args:
        host: where it listens, unless it is given sockets.
        on_started: called when it listens.
        signals: whether SIGTERM and SIGINT end it.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=GuardedProtocol,
        ws=DirectProtocol,
        ws_max_size=limits.MESSAGE_BYTES_MAX,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(REQUESTS_S),
    )
    return Server(config, drain, on_started, signals=signals)
