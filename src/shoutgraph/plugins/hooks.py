"""The hooks that are called along the way: ranking, risk review, screening, news. All advise; none moves money."""

import asyncio
import inspect
import logging
from collections.abc import Mapping, Sequence
from typing import Final

import pluggy

from shoutgraph.plugins import scrubbing
from shoutgraph.sdk import OrderRequest, OrderVideo, PayoutBatch, RefundRequest, TopUpRequest, Verdict

REVIEW_TIMEOUT_S: Final = 5.0
SCREEN_TIMEOUT_S: Final = 60.0
NEWS_TIMEOUT_S: Final = 10.0

_log: Final = logging.getLogger("shoutgraph.plugins")


class Hooks:
    """Calls the hooks one plugin at a time, so that a broken one never silences the others."""

    def __init__(self, registry: pluggy.PluginManager, scrubber: scrubbing.Scrubber) -> None:
        self._registry = registry
        self._scrubber = scrubber
        self.screens: Final = bool(self._impls("shoutgraph_screen"))
        """Whether any plugin looks at what fans ask for and creators deliver."""

    def rank_topup(self, request: TopUpRequest, candidates: tuple[str, ...]) -> tuple[str, ...]:
        """The candidates as the first plugin with an opinion orders them; it cannot add any."""
        arguments = {"request": request, "candidates": candidates}
        for name, impl in self._impls("shoutgraph_rank_topup"):
            try:
                chosen = _ranked(_called(impl, arguments))
            except (Exception, SystemExit) as error:  # noqa: BLE001 -- the plugin boundary; the log names it
                self._tell(name, "rank_topup", error)
                continue
            if chosen is not None and set(chosen) <= set(candidates):
                return chosen
        return candidates

    async def review(self, kind: str, request: TopUpRequest | RefundRequest | PayoutBatch) -> Verdict:
        """The strictest verdict of all plugins; an error, a timeout or another answer counts as HOLD."""
        verdicts = await self._verdicts("review", {"kind": kind, "request": request}, REVIEW_TIMEOUT_S)
        return max(verdicts, default=Verdict.ALLOW)

    async def screen(self, subject: OrderRequest | OrderVideo) -> Verdict:
        """The strictest verdict of all plugins that have an opinion.

        HOLD where none has, and for an error, a timeout or another answer.
        """
        verdicts = await self._verdicts("screen", {"subject": subject}, SCREEN_TIMEOUT_S)
        return max(verdicts, default=Verdict.HOLD)

    @property
    def listeners(self) -> tuple[str, ...]:
        """The plugins that hear the news of money."""
        return tuple(dict.fromkeys(name for name, _ in self._impls("shoutgraph_money_event")))

    async def money_event(self, event: Mapping[str, object], *, only: str | None = None) -> tuple[str, ...]:
        """Tells every plugin, or only one; gives the names of those that failed and should be told again."""
        failed = []
        for name, impl in self._impls("shoutgraph_money_event"):
            if only not in {None, name}:
                continue
            try:
                async with asyncio.timeout(NEWS_TIMEOUT_S):
                    await _settled(_called(impl, {"event": event}))
            except (Exception, SystemExit) as error:  # noqa: BLE001 -- the plugin boundary; the log names it
                self._tell(name, "money_event", error)
                failed.append(name)
        return tuple(failed)

    async def _verdicts(self, hook: str, arguments: Mapping[str, object], timeout_s: float) -> list[Verdict]:
        verdicts = []
        for name, impl in self._impls(f"shoutgraph_{hook}"):
            try:
                async with asyncio.timeout(timeout_s):
                    answer = await _settled(_called(impl, arguments))
            except (Exception, SystemExit) as error:  # noqa: BLE001 -- the plugin boundary; the log names it
                self._tell(name, hook, error)
                answer = Verdict.HOLD
            if answer is not None:
                verdicts.append(answer if isinstance(answer, Verdict) else Verdict.HOLD)
        return verdicts

    def _impls(self, hook: str) -> list[tuple[str, pluggy.HookImpl]]:
        caller: pluggy.HookCaller = getattr(self._registry.hook, hook)
        # pluggy keeps the one to be called first at the end.
        return [(impl.plugin_name, impl) for impl in reversed(caller.get_hookimpls())]

    def _tell(self, name: str, hook: str, error: BaseException) -> None:
        _log.warning("plugin %s: its hook %s broke\n%s", name, hook, self._scrubber.trace(error))


def _called(impl: pluggy.HookImpl, arguments: Mapping[str, object]) -> object:
    answer: object = impl.function(*(arguments[name] for name in impl.argnames))
    return answer


def _ranked(answer: object) -> tuple[str, ...] | None:
    if answer is None:
        return None
    if not isinstance(answer, Sequence) or isinstance(answer, str):
        raise TypeError("a ranking is a sequence of names")
    return tuple(dict.fromkeys(answer))


async def _settled(answer: object) -> object:
    return await answer if inspect.isawaitable(answer) else answer
