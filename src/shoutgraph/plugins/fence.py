"""The fence around every call of a plugin: a deadline, a breaker, and one rule.

The rule: whatever goes wrong inside a call (an exception, a timeout, an answer of the wrong type) is `Unknown`,
never a failure. `NotExecuted` comes from here only when the plugin was not called at all.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeVar

from shoutgraph.plugins import breaker, scrubbing, threads
from shoutgraph.sdk import BatchOutcome, Call, CallError, NotExecuted, Unknown
from shoutgraph.sdk.outcomes import UNAVAILABLE
from shoutgraph.telemetry import metrics
from shoutgraph.telemetry.spans import observed

CALL_TIMEOUT_MAX: Final = timedelta(seconds=60)
"""No call is waited for longer, whatever its timeout says."""

GRACE_S: Final = 0.1
"""How long a call may take to end after it was cancelled, before it is left behind. Units: seconds."""

CLOSE_TIMEOUT_S: Final = 5.0

LEFT_BEHIND_MAX: Final = 16
"""With this many calls left behind, the plugin is not called any more until some end."""

BREAKER_OPEN: Final = "breaker_open"
BUSY: Final = "busy"
TIMEOUT: Final = "timeout"
EXCEPTION: Final = "exception"
INVALID_ANSWER: Final = "invalid_answer"

T = TypeVar("T")

_log: Final = logging.getLogger("shoutgraph.plugins")


class CallKind(StrEnum):
    """The kinds of calls, each with a breaker of its own."""

    CREATE = "create"
    REDEEM = "redeem"
    SUBMIT = "submit"
    REFUND = "refund"
    CANCEL = "cancel"
    FETCH = "fetch"
    LIST = "list"
    ONBOARD = "onboard"
    RECIPIENT = "recipient"
    QUOTE = "quote"


NEW_MONEY: Final = frozenset({CallKind.CREATE, CallKind.REDEEM, CallKind.SUBMIT})
"""The kinds that an open breaker refuses. Old money can always be looked at, stopped and given back."""

PROVABLE: Final = NEW_MONEY | {CallKind.REFUND, CallKind.ONBOARD, CallKind.QUOTE}
"""The kinds for which "the plugin was not called" proves that nothing happened.

A look or a cancellation that was not made says nothing about the money, so there it is `Unknown`.
"""


@dataclass(frozen=True, slots=True)
class Names:
    """How an instance is named in logs."""

    instance: str
    plugin: str
    distribution: str


class Fence:
    """Calls one instance of a plugin."""

    def __init__(
        self,
        names: Names,
        *,
        threaded: bool,
        monotonic: Callable[[], float],
        scrubber: scrubbing.Scrubber,
    ) -> None:
        self.names: Final = names
        self._scrubber = scrubber
        self._threads = threads.Threads(names.instance) if threaded else None
        self._breakers = {kind: breaker.Breaker(monotonic) for kind in CallKind}
        self._left_behind: set[asyncio.Task[object]] = set()

    def open_breakers(self) -> tuple[CallKind, ...]:
        """The kinds of calls that went wrong several times in a row."""
        return tuple(kind for kind, each in self._breakers.items() if each.is_open)

    def answered_s_ago(self) -> float | None:
        """How long ago a call of any kind went well, or None. Units: seconds."""
        return min((ago for each in self._breakers.values() if (ago := each.answered_s_ago) is not None), default=None)

    def failed_s_ago(self) -> float | None:
        """How long ago a call of any kind failed, or None. Units: seconds."""
        return min((ago for each in self._breakers.values() if (ago := each.failed_s_ago) is not None), default=None)

    async def run(
        self,
        kind: CallKind,
        call: Call,
        work: Callable[[], object],
        accept: Callable[[object], T | None],
    ) -> T | NotExecuted | Unknown:
        """Makes one call.

        Args:
            work: calls the plugin's method.
            accept: gives back an answer of the right type, and None for any other.
        """
        if kind in NEW_MONEY:
            wait = self._breakers[kind].refuses_for()
            if wait is not None:
                return NotExecuted(BREAKER_OPEN, retry_after=wait)
        if len(self._left_behind) >= LEFT_BEHIND_MAX:
            return self._not_called(kind)
        with observed(
            "provider",
            metrics.PROVIDERS,
            self.names.instance,
            kind,
            attributes={"shoutgraph.instance": self.names.instance, "shoutgraph.call": kind},
        ) as entry:
            result = await self._called(kind, call, work, accept)
            entry.outcome = type(result).__name__
        return result

    async def _called(
        self,
        kind: CallKind,
        call: Call,
        work: Callable[[], object],
        accept: Callable[[object], T | None],
    ) -> T | NotExecuted | Unknown:
        try:
            answer = await self._answer(work, call)
        except threads.NoThreadError:
            return self._not_called(kind)
        except TimeoutError:
            answer = self._unknown(kind, call, TIMEOUT)
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- the plugin boundary; the log names the plugin
            answer = self._unknown(kind, call, EXCEPTION, error)
        result = answer if isinstance(answer, Unknown) else accept(answer)
        if result is None:
            result = self._unknown(kind, call, INVALID_ANSWER)
        self._breakers[kind].record(failed=_is_failure(result))
        return result

    def tell(self, method: str, error: BaseException) -> None:
        """Writes to the log that a method which is not a call of money broke."""
        trace = self._scrubber.trace(error)
        names = self.names
        _log.warning("plugin %s, instance %s: its %s broke\n%s", names.plugin, names.instance, method, trace)

    async def close(self, provider: object) -> None:
        """Lets the provider go; that it cannot is told in the log and stops nobody."""
        end: Callable[[], object] = getattr(provider, "close" if self._threads else "aclose", _nothing)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                answer = end()
                if inspect.isawaitable(answer):
                    await answer
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- the plugin boundary; the log names the plugin
            trace = self._scrubber.trace(error)
            _log.warning("plugin %s, instance %s: cannot close\n%s", self.names.plugin, self.names.instance, trace)
        for task in tuple(self._left_behind):
            task.cancel()

    async def _answer(self, work: Callable[[], object], call: Call) -> object:
        seconds = min(call.timeout, CALL_TIMEOUT_MAX).total_seconds()
        if self._threads is not None:
            return await self._threads.run(work, seconds)
        # A task of its own: a plugin that swallows its cancellation is left behind, not waited for.
        task = asyncio.create_task(_awaited(work))
        try:
            done, _ = await asyncio.wait({task}, timeout=max(seconds, 0.0))
            if not done:
                await self._stop(task)
                raise TimeoutError
        except asyncio.CancelledError:
            task.cancel()
            raise
        return _result(task)

    async def _stop(self, task: asyncio.Task[object]) -> None:
        task.cancel()
        await asyncio.wait({task}, timeout=GRACE_S)
        if not task.done():
            self._left_behind.add(task)
            task.add_done_callback(self._forget)
        elif not task.cancelled():
            task.exception()  # looked at, so that asyncio does not report it a second time

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._left_behind.discard(task)
        if not task.cancelled():
            task.exception()

    def _not_called(self, kind: CallKind) -> NotExecuted | Unknown:
        return NotExecuted(BUSY) if kind in PROVABLE else Unknown(BUSY)

    def _unknown(self, kind: CallKind, call: Call, reason: str, error: BaseException | None = None) -> Unknown:
        _log.warning(
            "plugin %s (%s), instance %s: the outcome of %s %s is unknown: %s%s",
            self.names.plugin,
            self.names.distribution,
            self.names.instance,
            kind,
            call.operation_id,
            reason,
            self._told(error),
        )
        return Unknown(reason, detail=type(error).__name__ if error else "")

    def _told(self, error: BaseException | None) -> str:
        """What went wrong: the whole trace of a plugin that broke, a few words of a network that did."""
        if error is None:
            return ""
        if isinstance(error, CallError):
            return f": {self._scrubber.text(str(error))}"
        return "\n" + self._scrubber.trace(error)


async def _awaited(work: Callable[[], object]) -> object:
    answer = work()
    if not inspect.isawaitable(answer):
        return None  # a plugin that is not `threaded` has async methods
    # SystemExit would end the event loop if it left a task.
    try:
        return await answer
    except SystemExit as error:
        raise RuntimeError("the plugin tried to end the process") from error


def _nothing() -> None:
    return None


def _result(task: asyncio.Task[object]) -> object:
    if task.cancelled():
        raise RuntimeError("the plugin cancelled its own call")
    return task.result()


def _is_failure(result: object) -> bool:
    if isinstance(result, BatchOutcome):
        return all(_is_failure(item) for item in result.items.values())
    if isinstance(result, NotExecuted):
        return result.code == UNAVAILABLE
    return isinstance(result, Unknown)
