"""Simulators: fake upstreams for development and tests, from the entry-point group `shoutgraph.simulators`.

An entry point names a `SimulatorFactory`. Production never imports one.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from pydantic import SecretStr

SIMULATOR_ENTRY_POINTS: Final = "shoutgraph.simulators"

AsgiMessage: TypeAlias = MutableMapping[str, Any]
"""A scope or a message of ASGI: an open dictionary."""

AsgiReceive: TypeAlias = Callable[[], Awaitable[AsgiMessage]]
"""Waits for the next message of a request."""

AsgiSend: TypeAlias = Callable[[AsgiMessage], Awaitable[None]]
"""Sends a message of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSetup:
    """Where a simulator lives.

    Args:
        base_url: the URL under which it is mounted, without a slash at the end.
        state_path: the file that keeps what it knows. Where several processes serve, each of them makes a simulator,
            and all of these share the file.
        webhook_base_url: its webhooks go to `{webhook_base_url}/hooks/{instance}`.
        api_key: what callers must present; None lets everybody in.
    """

    base_url: str
    state_path: Path
    webhook_base_url: str
    webhook_secret: SecretStr
    clock: Callable[[], datetime]
    api_key: SecretStr | None = None


class Simulator(Protocol):
    """An ASGI application that stands for a provider."""

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Answers one request."""
        ...

    async def start(self) -> None:
        """Takes up what was left to do, such as webhooks that are not delivered yet."""
        ...

    async def aclose(self) -> None:
        """Stops, and keeps what is left to do for the next start."""
        ...


SimulatorFactory: TypeAlias = Callable[[SimulatorSetup], Simulator]
"""Makes a simulator; what an entry point of the group names."""

Simulators: TypeAlias = Mapping[str, SimulatorFactory]
"""Simulators by the name of their entry point."""
