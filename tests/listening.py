"""An application behind a real socket, served by a thread of its own for as long as a test needs it."""

import asyncio
import inspect
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

PATIENCE_S = 10.0
TICKS = 10


@contextmanager
def listening() -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens, and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def serving(app: Any, listener: socket.socket) -> Iterator[None]:
    """Serves it until the end, and leaves what is unanswered then."""
    server = _Server(uvicorn.Config(app, log_config=None, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assert server.listens.wait(PATIENCE_S), "the server took too long to start"
    try:
        yield
    finally:
        server.end()
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "the server took too long to end"


class _Server(uvicorn.Server):
    """Ends when it is told to, where uvicorn's own would look at a clock: every test would wait for that."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        assert self._loop is not None, "it runs"
        self._loop.call_soon_threadsafe(self._ended.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.listens.set()
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends what is under way here, calls to others too, and what they hold, before the loop is closed."""
        del sockets
        for server in self.servers:
            server.close()
        for _ in range(TICKS):  # what is cancelled closes its connections, and what was accepted comes, in a later one
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                if _is_under_way(task) and not task.cancelling():
                    task.cancel()
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)


def _is_under_way(task: asyncio.Task[Any]) -> bool:
    """Whether it has had its first step: a coroutine that is ended before would be told of as never awaited."""
    coroutine = task.get_coro()
    return not inspect.iscoroutine(coroutine) or inspect.getcoroutinestate(coroutine) != inspect.CORO_CREATED
