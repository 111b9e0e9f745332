"""What the host lends to a plugin: HTTP to its own provider, the time, a log, a small cache. No database."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> object:
        """The body as JSON.

        Raises:
            ValueError: it is not JSON, or nested too deeply.
        """
        try:
            parsed: object = json.loads(self.body)
        except RecursionError:
            raise ValueError("the body is nested too deeply") from None
        return parsed


class Http(Protocol):
    """HTTP to the hosts that the plugin declared: no redirects, retries or cookies; answers of bounded size.

    The host ends a call whose time is over, so that no request needs a limit of its own.
    """

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> HttpAnswer:
        """Sends one request, once.

        Raises:
            NotSent: no connection was made: a proof that nothing happened.
            NoAnswer: the request may have arrived, and no complete answer came back.
        """
        ...


class Host(Protocol):
    """The services of the host for one configured instance of a plugin."""

    @property
    def instance(self) -> str:
        """The name of this instance in the configuration; its webhooks arrive under it."""
        ...

    @property
    def http(self) -> Http:
        """HTTP to the hosts that the plugin declared."""
        ...

    def now(self) -> datetime:
        """The time, aware and in UTC."""
        ...

    def log(self, event: str, **fields: object) -> None:
        """Writes a line to the log; the values of configured secrets are struck out of it."""
        ...

    async def cached(self, key: str, ttl: timedelta, make: Callable[[], Awaitable[str]]) -> str:
        """A value such as an access token, made when there is none that is still fresh."""
        ...
