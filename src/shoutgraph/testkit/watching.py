"""Watches what a plugin does to the process: connections, files, log lines, the event loop, tasks."""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

BEAT_S: Final = 0.005
"""How often the loop's heart beats. Units: seconds."""

FAR_SIDE: Final = "testkit-far"
"""So the names of the far side's threads begin: what they do is the simulator's doing."""

_CONNECTS: Final = frozenset({"socket.connect", "socket.sendto"})
_EFFECTS: Final = frozenset(
    {"socket.connect", "socket.sendto", "socket.bind", "socket.getaddrinfo", "open", "subprocess.Popen", "time.sleep"}
)


@dataclass
class Effects:
    """What was seen: the event's name, and what it was done to."""

    seen: list[tuple[str, str]] = field(default_factory=list)

    def connections(self) -> list[str]:
        """The addresses that were connected to, as `host:port`, in order."""
        return [what for event, what in self.seen if event in _CONNECTS]


class _Hook:
    """One audit hook for the process; such a hook cannot be taken away again, so it is made once and mostly idle."""

    def __init__(self) -> None:
        self._watching: list[tuple[Effects, Callable[[], bool]]] = []
        self._installed = False
        self._lock = threading.Lock()

    @contextmanager
    def watch(self, applies: Callable[[], bool]) -> Iterator[Effects]:
        """Writes down the effects of the threads that this applies to."""
        effects = Effects()
        entry = (effects, applies)
        with self._lock:
            if not self._installed:
                sys.addaudithook(self._saw)
                self._installed = True
            self._watching = [*self._watching, entry]
        try:
            yield effects
        finally:
            with self._lock:
                self._watching = [each for each in self._watching if each is not entry]

    def _saw(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._watching or event not in _EFFECTS:
            return
        for effects, applies in self._watching:
            if applies():
                effects.seen.append((event, _told(event, args)))


_HOOK: Final = _Hook()


@contextmanager
def effects_of_plugin() -> Iterator[Effects]:
    """Writes down connections and the like of every thread except the simulator's."""
    with _HOOK.watch(_is_near) as effects:
        yield effects


@contextmanager
def effects_of_this_thread() -> Iterator[Effects]:
    """Writes down connections, files and the like of the calling thread."""
    mine = threading.get_ident()
    with _HOOK.watch(lambda: threading.get_ident() == mine) as effects:
        yield effects


@contextmanager
def log_lines() -> Iterator[list[str]]:
    """Collects every line that anybody logs, at every level, tracebacks included."""
    lines: list[str] = []
    handler = _Collector(lines)
    root = logging.getLogger()
    before = root.level
    others = [(other, other.level) for other in root.handlers]
    for other, level in others:
        other.setLevel(max(level, before))  # they go on seeing what they saw, and no more
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        for other, level in others:
            other.setLevel(level)


@dataclass
class Pulse:
    """How long the loop stood still at most. Units: seconds."""

    stall_s: float = 0.0
    last_s: float = field(default_factory=time.monotonic)

    def beat(self) -> None:
        """Takes note that the loop runs."""
        now = time.monotonic()
        self.stall_s = max(self.stall_s, now - self.last_s - BEAT_S)
        self.last_s = now


@asynccontextmanager
async def pulse() -> AsyncIterator[Pulse]:
    """Measures how long the running loop stands still meanwhile."""
    measured = Pulse()
    task = asyncio.create_task(_beat(measured), name="testkit-pulse")
    await asyncio.sleep(0)
    try:
        yield measured
        measured.beat()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def settled(wanted: Callable[[], bool], within_s: float) -> bool:
    """Waits until something is so, and says whether it came to be."""
    until = time.monotonic() + within_s
    while not wanted():
        if time.monotonic() > until:
            return wanted()
        await asyncio.sleep(BEAT_S)
    return True


class _Collector(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.append(self.format(record))
        except Exception as broken:  # noqa: BLE001 -- a line that cannot be formatted; what it holds counts all the same
            self._lines.append(f"{record.msg!r} {record.args!r} {broken!r}")


async def _beat(measured: Pulse) -> None:
    while True:
        measured.beat()
        await asyncio.sleep(BEAT_S)


def _is_near() -> bool:
    return not threading.current_thread().name.startswith(FAR_SIDE)


def _told(event: str, args: tuple[Any, ...]) -> str:
    if event in _CONNECTS and len(args) > 1 and isinstance(args[1], tuple):
        return f"{args[1][0]}:{args[1][1]}"
    return str(args[0]) if args else ""
