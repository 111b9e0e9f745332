"""The internal tool of the demo: a subscription in a thread of its own that keeps what it hears."""

import asyncio
import contextlib
import queue
import threading
from typing import Any, Final, Self

from shoutgraph.cli import watch

HEAR_S: Final = 10.0


class Feed:
    """Hears the order events of a server over a WebSocket."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.replace("http", "ws", 1) + "/graphql"
        self._token = token
        self._heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(HEAR_S)

    def next(self) -> dict[str, Any]:
        """The next event.

        Raises:
            Empty: none was heard in time.
        """
        return self._heard.get(timeout=HEAR_S)

    def _run(self) -> None:
        self._task = self._loop.create_task(self._listen())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.close()

    async def _listen(self) -> None:
        async for event in watch.follow(self._url, self._token, None):
            self._heard.put(event)
