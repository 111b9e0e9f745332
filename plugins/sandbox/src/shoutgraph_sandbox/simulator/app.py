"""The simulator as one ASGI application, to be mounted under its base URL or served alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources

from starlette.applications import Starlette
from starlette.routing import Mount

from shoutgraph.sdk import AsgiMessage, AsgiReceive, AsgiSend, SimulatorSetup
from shoutgraph_sandbox.simulator.api import Api
from shoutgraph_sandbox.simulator.checkout import Checkout
from shoutgraph_sandbox.simulator.control import Controls
from shoutgraph_sandbox.simulator.delivery import Courier
from shoutgraph_sandbox.simulator.door import Desk, refused
from shoutgraph_sandbox.simulator.rules import RefusedError, Rules
from shoutgraph_sandbox.simulator.store import Store


class Sandbox:
    """The simulated provider.

    Args:
        by_itself: whether anything happens, and webhooks are sent, without anybody asking.
    """

    def __init__(self, setup: SimulatorSetup, rule: Rules | None = None, *, by_itself: bool = True) -> None:
        self._rule = rule or Rules(setup.base_url.rstrip("/"))
        self._by_itself = by_itself
        self.memory = Store(setup.state_path)
        self._courier = Courier(self.memory, self._rule, setup.clock, setup.webhook_base_url, setup.webhook_secret)
        desk = Desk(self.memory, self._courier, self._rule, setup.clock, setup.api_key)
        css = resources.files("shoutgraph_sandbox.simulator").joinpath("page.css").read_text("utf-8")
        self._app = Starlette(
            routes=[
                Mount("/v1", routes=Api(desk).routes()),
                Mount("/control", routes=Controls(desk).routes()),
                Mount("/checkout", routes=Checkout(desk, css).routes()),
            ],
            exception_handlers={RefusedError: refused},
            lifespan=self._lifespan,
        )

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Answers one request; the first one starts what runs in the background."""
        if scope["type"] == "http":
            await self.start()
        await self._app(scope, receive, send)

    async def start(self) -> None:
        """Takes up what was left to do."""
        if self._by_itself:
            self._courier.start()

    async def aclose(self) -> None:
        """Stops, and keeps what is left to do for the next start."""
        await self._courier.aclose()
        await self.memory.aclose()

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        del app
        await self.start()
        try:
            yield
        finally:
            await self.aclose()


def build(setup: SimulatorSetup) -> Sandbox:
    """Makes the simulator."""
    return Sandbox(setup)
