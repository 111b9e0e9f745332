"""Delivers signed webhooks, and lets happen what is due, while the simulator runs."""

import asyncio
import base64
import functools
import hashlib
import hmac
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

import httpx
from pydantic import SecretStr

from shoutgraph.sdk import standard_key
from shoutgraph_sandbox.simulator import due, notices, store
from shoutgraph_sandbox.simulator.rules import Rules

POLL_S: Final = 0.2
"""How often the clock is looked at while something is to come. Units: seconds."""

IDLE_S: Final = 5.0
"""How often it is otherwise looked whether another process, which is gone, left something. Units: seconds."""

TIMEOUT_S: Final = 5.0


class Courier:
    """The simulator's one background task."""

    def __init__(
        self,
        memory: store.Store,
        rule: Rules,
        clock: Callable[[], datetime],
        webhook_base_url: str,
        webhook_secret: SecretStr,
    ) -> None:
        self._memory = memory
        self._rule = rule
        self._clock = clock
        self._base_url = webhook_base_url.rstrip("/")
        self._key = standard_key(webhook_secret)
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def start(self) -> None:
        """Starts the task, unless it runs."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="sandbox-courier")

    def wake(self) -> None:
        """Says that something changed."""
        self._news.set()

    async def aclose(self) -> None:
        """Stops; what is not delivered stays in the outbox."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
            while True:
                self._news.clear()
                now = store.micros(self._clock())
                rows = await self._memory.run(functools.partial(self._round, now=now))
                await asyncio.gather(*(self._deliver(client, row) for row in rows))
                if not rows:
                    await self._pause()

    def _round(self, db: sqlite3.Connection, now: int) -> list[sqlite3.Row]:
        due.run(db, self._rule, now)
        return notices.take(db, now)

    async def _pause(self) -> None:
        waiting = await self._memory.run(due.is_waiting)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), POLL_S if waiting else IDLE_S)

    async def _deliver(self, client: httpx.AsyncClient, row: sqlite3.Row) -> None:
        body = row["body"].encode()
        try:
            headers = signed(self._key, row["id"], body, self._clock())
            answer = await client.post(f"{self._base_url}/hooks/{row['instance']}", content=body, headers=headers)
            status = answer.status_code
        except httpx.HTTPError:
            status = None
        now = store.micros(self._clock())
        await self._memory.run(lambda db: notices.record(db, row["seq"], status, now))


def signed(key: bytes, notice_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of a webhook."""
    seconds = str(int(at.timestamp()))
    message = b".".join((notice_id.encode(), seconds.encode(), body))
    signature = base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "webhook-id": notice_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{signature}",
    }
