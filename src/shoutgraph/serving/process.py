"""One process from its start to its end: the API and the jobs, or the jobs alone.

Told to end, it takes nothing new, lets streams end and finishes what has begun. What does not end in time is cut; it is
taken up elsewhere once its lease has run out. Source: docs/adr/0015-many-processes.md.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Final, Protocol

from starlette.applications import Starlette

from shoutgraph import app
from shoutgraph.api import health
from shoutgraph.api.closed import ClosedDoors
from shoutgraph.api.drain import CUT_S, WORK_S, Drain
from shoutgraph.api.server import build_server
from shoutgraph.jobs import runner
from shoutgraph.plugins.statuses import InstanceStatus
from shoutgraph.settings import Settings, SettingsError
from shoutgraph.telemetry import logs, metrics, spans
from shoutgraph.tools import Tools

logger = logging.getLogger("shoutgraph.serving")

SWITCH_S: Final = 0.0005
"""How long the event loop may keep the interpreter from the writing thread; at Python's 5 ms, answers queue."""
GARBAGE: Final = (50_000, 10, 10)
"""How much is made until garbage is looked for; at Python's 700, what is in flight is looked at over and over."""
CANCEL_S: Final = 0.5
"""How long jobs may take to end after they were cut."""
CUT: Final = 1
"""The exit code of a process that had to be cut."""
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

Ready = Callable[[str, Sequence[InstanceStatus]], None]
"""Called once, when it has begun: with its address, empty where it has none, and the state of each provider."""


First = Callable[[app.App], Awaitable[bool]]
"""What is done before anybody is let in; gives False where nobody is to be let in after it."""


class Parent(Protocol):
    """The process that started this one."""

    def tied(self, end: Callable[[], None]) -> contextlib.AbstractContextManager[None]:
        """Tells it that this one lives, for as long as the event loop answers; `end` is called when it is gone."""


@contextlib.contextmanager
def observed(settings: Settings, number: int = 0) -> Iterator[None]:
    """Sets up the logs and traces of this process, and serves its metrics meanwhile.

    Args:
        number: which of several workers this is; each has a port of its own for its metrics.

    Raises:
        SettingsError: traces are wanted, and what exports them is not installed.
        OSError: the port of the metrics is taken.
    """
    logs.configure(settings.log_form, settings.log_level)
    try:
        spans.configure(settings.traces)
    except spans.MissingExporterError as missing:
        raise SettingsError(str(missing)) from missing
    port = None if settings.metrics_port is None else settings.metrics_port + number
    with metrics.served(port, settings.metrics_host):
        yield


def listen(settings: Settings) -> socket.socket:
    """Opens the port of the API.

    Raises:
        OSError: it is taken, or not ours to take.
    """
    return socket.create_server((settings.host, settings.port))


def address_of(settings: Settings, listener: socket.socket) -> str:
    """The address of the API in its own network."""
    return f"http://{settings.host}:{listener.getsockname()[1]}"


async def serve(settings: Settings, listener: socket.socket, *, on_ready: Ready, parent: Parent | None = None) -> None:
    """Serves until told to end: the API, and the jobs unless they run elsewhere."""
    address = address_of(settings, listener)
    async with app.open_app(settings, base_url=address) as opened:
        tools, drain = opened.tools, opened.drain
        drain.when_started(_watch)
        server = build_server(
            opened.asgi, drain, on_started=lambda: on_ready(address, tools.providers.instances), signals=False
        )
        jobs = _start_jobs(tools, drain, settings) if settings.jobs else None
        _freeze()
        try:
            with _told(server.end), contextlib.nullcontext() if parent is None else parent.tied(server.end):
                await server.serve(sockets=[listener])
        finally:
            drain.start()
            await _finish(jobs, drain)


async def serve_after(settings: Settings, listener: socket.socket, first: First, *, on_ready: Ready) -> None:
    """Does something behind closed doors, and then serves until told to end, if that says so.

    The process listens all the while: simulators answer, and everybody else is told to come back later.
    """
    address = address_of(settings, listener)
    async with app.open_app(settings, base_url=address, restoring=True) as opened:
        drain = opened.drain
        drain.when_started(_watch)
        doors = ClosedDoors(opened.asgi, free=(health.LIVE, app.SANDBOX_PATH))
        server = build_server(doors, drain, signals=False)

        async def go() -> None:
            try:
                if not await first(opened):
                    return
                doors.open()
                on_ready(address, opened.tools.providers.instances)
                await (_start_jobs(opened.tools, drain, settings) if settings.jobs else drain.wait())
            finally:
                server.end()

        going = asyncio.create_task(go())
        _freeze()
        try:
            with _told(server.end):
                await server.serve(sockets=[listener])
        finally:
            drain.start()
            await _finish(going, drain)


async def work(settings: Settings, *, on_ready: Ready) -> None:
    """Runs the jobs until told to end. Of HTTP there is only the process's health, where a port is set for it."""
    async with app.open_tools(settings, base_url=f"http://{settings.host}:{settings.port}") as tools:
        drain = Drain()
        drain.when_started(_watch)
        jobs = _start_jobs(tools, drain, settings)
        _freeze()
        async with _healthy(settings, tools, drain) as address:
            on_ready(address, tools.providers.instances)
            with _told(drain.start):
                told = asyncio.create_task(drain.wait())
                await asyncio.wait({jobs, told}, return_when=asyncio.FIRST_COMPLETED)
                drain.start()
                await _finish(jobs, drain)


@contextlib.asynccontextmanager
async def _healthy(settings: Settings, tools: Tools, drain: Drain) -> AsyncIterator[str]:
    """Answers how the process is, also while it drains; gives the address, empty where none is wanted."""
    if settings.health_port is None:
        yield ""
        return
    with socket.create_server((settings.host, settings.health_port)) as listener:
        asgi = Starlette(routes=health.routes(drain, app.checks_of_jobs(settings, tools)))
        server = build_server(asgi, drain, signals=False)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield address_of(settings, listener)
        finally:
            server.end()
            await serving


def _start_jobs(tools: Tools, drain: Drain, settings: Settings) -> "asyncio.Task[None]":
    stop = asyncio.Event()
    drain.when_started(stop.set)
    return asyncio.create_task(runner.run(tools, app.jobs_of(settings), pause_s=settings.job_interval_s, stop=stop))


async def _finish(jobs: "asyncio.Task[None] | None", drain: Drain) -> None:
    """Waits for what the jobs have begun, and cuts what does not end in time."""
    if jobs is None:
        return
    done, _ = await asyncio.wait({jobs}, timeout=drain.left(WORK_S))
    if done:
        jobs.result()
        return
    logger.warning("the jobs are cut; what they had begun is taken up when its lease has run out")
    jobs.cancel()
    await asyncio.wait({jobs}, timeout=CANCEL_S)


@contextlib.contextmanager
def _told(end: Callable[[], None]) -> Iterator[None]:
    """Calls `end` when a signal says that it is time. After that signals change nothing: the process is ending."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    for each in SIGNALS:
        loop.add_signal_handler(each, end)
    try:
        yield
    finally:
        for each in SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_IGN)


def _freeze() -> None:
    """Leaves alone what lives as long as the process, the schema and the libraries, when garbage is looked for."""
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def _watch() -> None:
    """Ends the process if it has not ended by itself in time: a stuck disk or library must not hold it for ever."""
    timer = threading.Timer(CUT_S, _cut)
    timer.daemon = True
    timer.start()


def _cut() -> None:
    logger.error("the process has not ended within %s s and is cut", CUT_S)
    os._exit(CUT)
