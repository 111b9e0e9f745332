"""Several processes behind one port: started, watched, started again, and told to end.

The parent opens the port and forks, so that everything is imported once and a worker that dies loses no connection
that nobody had accepted yet: all workers accept from one queue. The parent itself opens no database, makes no id and
starts no thread, so that whatever it forks is clean. uvicorn's own supervisor starts its workers by importing again,
knows only a plain server, waits for a drain without end and starts a worker that cannot live again at once, for ever.
Source: docs/adr/0015-many-processes.md.
"""

import contextlib
import gc
import logging
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NoReturn

from shoutgraph.api.drain import END_S
from shoutgraph.serving.worker import Worker

logger = logging.getLogger("shoutgraph.serving")

TICK_S: Final = 0.5
"""How often the parent looks at its workers, even if nothing is heard of them."""
SILENT_S: Final = 30.0
"""A worker whose event loop says nothing for so long is stuck: it is killed and started again."""
ASLEEP_S: Final = 5.0
"""If the parent itself stood still for so long, so did the workers: they get time to be heard of."""
STEADY_S: Final = 10.0
"""Who lived so long is started again at once."""
PAUSES_S: Final = (0.25, 15.0)
"""The first and the longest pause before a worker is started again; it doubles with each that died early."""
BROKEN: Final = 70
"""The exit code of a worker that broke: EX_SOFTWARE."""
READ_BYTES: Final = 4_096
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

Run = Callable[[Worker], int]
"""What a worker does, in its own process; gives its exit code."""


@dataclass
class _Place:
    """One of the workers, through all of its lives."""

    number: int
    pid: int | None = None
    pipe: int = -1
    ready: bool = False
    began_at: float = 0.0
    heard_at: float = 0.0
    start_at: float = 0.0
    early_deaths: int = 0


@dataclass
class _State:
    """What the parent was told, and how it ends."""

    ending: bool = False
    hurried: bool = False
    code: int = 0
    told: bool = False
    places: list[_Place] = field(default_factory=list)


def supervise(run: Run, count: int, *, on_ready: Callable[[], None], on_end: Callable[[], None]) -> int:
    """Keeps so many workers running until a signal says that it is time to end; gives the exit code.

    The first worker shows that they can live at all: if it ends before it is ready, the others are not started.

    Args:
        on_ready: called once, when all of them are ready.
        on_end: called when it is time to end, before the workers are told.
    """
    assert threading.active_count() == 1, "only a process without threads may fork"
    gc.freeze()  # what is imported now is shared by all workers
    return Supervisor(run, count, on_ready).live(on_end)


class Supervisor:
    """The parent of the workers."""

    def __init__(self, run: Run, count: int, on_ready: Callable[[], None]) -> None:
        self._run = run
        self._on_ready = on_ready
        self._state = _State(places=[_Place(number) for number in range(count)])
        self._lifeline, self._holds = os.pipe()
        self._wakes, self._woken = os.pipe()
        for fd in (self._wakes, self._woken):
            os.set_blocking(fd, False)
        self._looked_at = time.monotonic()

    def live(self, on_end: Callable[[], None]) -> int:
        """Runs the workers until it is time to end; gives the exit code."""
        state = self._state
        with self._signals():
            self._start(state.places[0])
            while not state.ending:
                self._look()
            on_end()
            self._end()
        return state.code

    def _look(self) -> None:
        """One round: hears the workers, buries the dead, kills the stuck and starts who is due."""
        self._hear(TICK_S)
        state = self._state
        now = time.monotonic()
        asleep, self._looked_at = now - self._looked_at > ASLEEP_S, now
        may_start = not state.ending and (state.told or state.places[0].ready)
        for place in state.places:
            if asleep:
                place.heard_at = now
            if place.pid is None:
                if may_start and now >= place.start_at:
                    self._start(place)
            elif place.ready and now - place.heard_at > SILENT_S:
                logger.error(
                    "worker %d (%d) has not answered for %s s and is killed", place.number, place.pid, SILENT_S
                )
                os.kill(place.pid, signal.SIGKILL)
        if not state.told and all(place.ready for place in state.places):
            state.told = True
            self._on_ready()

    def _start(self, place: _Place) -> None:
        """Forks a worker. Signals wait meanwhile, so that none finds it half made."""
        heard, says = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._become(Worker(place.number, says, self._lifeline, first=place.began_at == 0), heard)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        os.close(says)
        os.set_blocking(heard, False)
        place.pid, place.pipe, place.ready = pid, heard, False
        place.began_at = place.heard_at = time.monotonic()

    def _become(self, worker: Worker, heard: int) -> NoReturn:
        """The rest of a worker's life."""
        code = BROKEN
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a keyboard's goes to the parent too, which tells us
            for fd in (heard, self._holds, self._wakes, self._woken, *self._pipes()):
                os.close(fd)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            code = self._run(worker)
        except BaseException:  # noqa: BLE001 - the last that can be said of it
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _pipes(self) -> list[int]:
        return [place.pipe for place in self._state.places if place.pid is not None]

    def _hear(self, seconds: float) -> None:
        """Waits for signs of life, signals and deaths, and takes them in."""
        found, _, _ = select.select([self._wakes, *self._pipes()], [], [], seconds)
        if self._wakes in found:
            self._obey(os.read(self._wakes, READ_BYTES))
        for place in self._state.places:
            if place.pid is not None and place.pipe in found:
                said = os.read(place.pipe, READ_BYTES)
                place.heard_at = time.monotonic()
                place.ready = place.ready or Worker.READY in said
                if not said:
                    self._bury(place)

    def _obey(self, signals: bytes) -> None:
        """The first signal ends, gently; an interrupt after it ends at once."""
        for each in signals:
            self._state.hurried = self._state.hurried or (self._state.ending and each == signal.SIGINT)
            self._state.ending = True

    def _bury(self, place: _Place) -> None:
        """Takes note of a worker's end, and of when the next one starts in its place."""
        assert place.pid is not None, "only who lived can die"
        _, status = os.waitpid(place.pid, 0)
        code, state = os.waitstatus_to_exitcode(status), self._state
        os.close(place.pipe)
        was_ready, pid = place.ready, place.pid
        place.pid, place.ready = None, False
        if state.ending:
            if code not in {0, -signal.SIGTERM}:
                logger.error("worker %d (%d) ended with %d", place.number, pid, code)
                state.code = 1
            return
        if not was_ready and not state.told:
            state.ending, state.code = True, max(code, 1)
            return
        now = time.monotonic()
        steady = was_ready and now - place.began_at >= STEADY_S
        place.early_deaths = 0 if steady else place.early_deaths + 1
        first, longest = PAUSES_S
        place.start_at = now if steady else now + min(first * 2 ** (place.early_deaths - 1), longest)
        logger.error("worker %d (%d) ended with %d and is started again", place.number, pid, code)

    def _end(self) -> None:
        """Tells all workers to end, waits for them as long as they may take, and kills who is left."""
        until = time.monotonic() + END_S
        for place in self._state.places:
            if place.pid is not None:
                os.kill(place.pid, signal.SIGTERM)
        while self._pipes() and not self._state.hurried and (left := until - time.monotonic()) > 0:
            self._hear(min(left, TICK_S))
        for place in self._state.places:
            if place.pid is not None:
                logger.error("worker %d (%d) has not ended and is killed", place.number, place.pid)
                os.kill(place.pid, signal.SIGKILL)
                self._bury(place)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Has signals written to a pipe, so that the parent acts on them where it looks at everything else."""
        wakeup = signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        before = {each: signal.signal(each, _do_nothing) for each in SIGNALS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
            signal.set_wakeup_fd(wakeup)
            for fd in (self._lifeline, self._holds, self._wakes, self._woken):
                os.close(fd)


def _do_nothing(_signal: int, _frame: object) -> None:
    pass
