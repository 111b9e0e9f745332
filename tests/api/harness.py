"""A real server on a free port of 127.0.0.1, and the clients of `shoutgraph.testing` that speak to it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp

from shoutgraph.api.drain import Drain
from shoutgraph.api.server import Server, build_server
from shoutgraph.testing import Client, ClosedError as Closed, EventStream, ServerEvent, Socket
from shoutgraph.testing.clients import PATIENCE_S

__all__ = ["PATIENCE_S", "Client", "Closed", "EventStream", "Served", "ServerEvent", "Socket", "serving"]


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
