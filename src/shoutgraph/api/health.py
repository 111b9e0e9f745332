"""Whether the process lives, and whether requests should be sent to it.

`/health/live` answers as long as the event loop does, in a drain too: a process that only waits is not restarted.
`/health/ready` asks every check, in bounded time and never twice at once, and says which of them are against it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shoutgraph.api.drain import Drain
from shoutgraph.api.transport import SAFE_HEADERS

logger = logging.getLogger("shoutgraph.health")

PATH: Final = "/health"
LIVE: Final = "/health/live"
READY: Final = "/health/ready"
ANSWER_S: Final = 1.0
"""How long all checks together may take; what is late is against readiness."""
FRESH_S: Final = 1.0
"""How long the answer of a check is good, so that many who ask cost as much as one."""
FAILED: Final = "it failed; the log says how"
LATE: Final = "it gives no answer in time"

Look = Callable[[], Awaitable[str | None]]
"""Looks at one thing; gives None where it is well, else why not, in words that anybody may read."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be well before requests are sent here.

    Args:
        fresh_s: how long its answer is good.
    """

    name: str
    look: Look
    fresh_s: float = FRESH_S


class Readiness:
    """Asks the checks for whoever wants to know."""

    def __init__(self, checks: Sequence[Check], drain: Drain) -> None:
        self._watched = [_Watched(check) for check in checks]
        self._drain = drain

    async def reasons(self) -> list[dict[str, str]]:
        """What is against sending requests here: the name of each check and its reason; empty if all is well."""
        if self._drain.started:
            return [{"check": "drain", "reason": "the process is going away"}]
        found = await asyncio.gather(*(watched.reason() for watched in self._watched))
        named = zip(self._watched, found, strict=True)
        return [{"check": watched.name, "reason": reason} for watched, reason in named if reason is not None]


def routes(drain: Drain, checks: Sequence[Check] = ()) -> list[Route]:
    """The routes of the process's health."""
    readiness = Readiness(checks, drain)

    async def health(_request: Request) -> Response:
        return _answer(503, {"status": "draining"}) if drain.started else _answer(200, {"status": "ok"})

    async def live(_request: Request) -> Response:
        return _answer(200, {"status": "ok"})

    async def ready(_request: Request) -> Response:
        reasons = await readiness.reasons()
        return _answer(503, {"status": "not ready", "reasons": reasons}) if reasons else _answer(200, _READY)

    return [
        Route(PATH, health, methods=["GET"]),
        Route(LIVE, live, methods=["GET"]),
        Route(READY, ready, methods=["GET"]),
    ]


class _Watched:
    """A check that is asked again only once it has answered, so that a stuck one does not pile up."""

    def __init__(self, check: Check) -> None:
        self.name: Final = check.name
        self._check = check
        self._asking: asyncio.Task[str | None] | None = None
        self._asked_at = 0.0

    async def reason(self) -> str | None:
        """Why it is not well now, or None."""
        now = asyncio.get_running_loop().time()
        asking = self._asking
        if asking is None or (asking.done() and now >= self._asked_at + self._check.fresh_s):
            asking = self._asking = asyncio.create_task(self._ask())
            self._asked_at = now
        done, _ = await asyncio.wait({asking}, timeout=ANSWER_S)
        return asking.result() if done else LATE

    async def _ask(self) -> str | None:
        try:
            return await self._check.look()
        except Exception:
            logger.exception("the check %s failed", self.name)
            return FAILED


_READY: Final = {"status": "ready"}


def _answer(status: int, body: object) -> Response:
    response = Response(orjson.dumps(body), status, media_type="application/json")
    for name, value in SAFE_HEADERS:
        response.headers[name.decode()] = value.decode()
    return response
