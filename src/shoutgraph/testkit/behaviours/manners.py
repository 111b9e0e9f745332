"""C04 to C08: how a plugin behaves as a guest: secrets, hosts, the loop, the deadline, requests."""

import asyncio
import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from shoutgraph.testkit import faults, registry, watching
from shoutgraph.testkit.behaviours.money import NOBODY
from shoutgraph.testkit.proxy import Which
from shoutgraph.testkit.registry import Behaviour
from shoutgraph.testkit.trials import Deal, Trial
from shoutgraph.testkit.verdicts import Skipped, declared, require

STALL_S_MAX: Final = 0.05
"""How long a plugin may hold the event loop. Units: seconds."""

LATE_S_MAX: Final = 0.1
"""How long it may go on after it was cancelled. Units: seconds."""

TRIES_MAX: Final = 30
"""A busy machine stalls once in a while; a plugin that blocks does so every time."""

PROOFS: Final = 3
"""This many calls that held the loop, while it stood free without them, are a proof."""

CONTROL_S: Final = 0.1
"""How long it is looked whether the loop stands still by itself. Units: seconds."""

LIFE_SIGN_S: Final = 1.0
"""How long the simulator waits for a sign of life from the plugin's loop. Units: seconds."""

GIVE_UP_S: Final = 5.0
"""How long is waited for what must come to pass. Units: seconds."""

ENDING_S: Final = 2.0
"""How long a task that is just ending may take for it. Units: seconds."""

SHORT: Final = timedelta(milliseconds=300)
GRACE_S: Final = 4.0
"""By how much a blocking call may miss its own time limit: threads are not cancelled, only counted. Units: seconds."""


async def no_secrets_told(trial: Trial) -> None:
    """C04."""
    shown: list[str] = []
    with watching.log_lines() as lines:
        shown += [repr(trial.plugin), repr(trial.providers), repr(trial.provider)]
        shown += [repr(vars(trial.provider)) if hasattr(trial.provider, "__dict__") else ""]
        deal = await trial.deal()
        shown.append(await _shown(trial.send_straight(deal)))
        shown.append(await _shown(trial.look_straight(deal, None)))
        if trial.upstream.app is not None:
            for fault in (faults.echoing(400), faults.echoing(401), faults.echoing(500), faults.DROPPED_AFTER):
                trial.proxy.plan(fault, which=trial.which)
                shown.append(await _shown(trial.send_straight(await trial.deal())))
                trial.proxy.mend()
    for what, text in (("a log line", "\n".join(lines)), ("an outcome, a repr or an exception", "\n".join(shown))):
        for secret in trial.secrets():
            require(secret not in text, f"{what} tells a secret: {_around(text, secret)!r}")


async def _shown(work: Awaitable[object]) -> str:
    try:
        return repr(await work)
    except Exception as error:  # noqa: BLE001 -- whatever the plugin raises is read
        return "".join(traceback.format_exception(error)) + repr(error)


def _around(text: str, secret: str) -> str:
    before, _, after = text.partition(secret)
    return f"{before[-60:]}<the secret>{after[:60]}"


async def declared_hosts_only(trial: Trial) -> None:
    """C05."""
    declared(trial.upstream.app is not None, NOBODY)
    config = trial.plugin.config.model_validate(trial.config())
    hosts = trial.plugin.api_hosts(config)
    here = urlsplit(trial.proxy.url).netloc
    require(here in hosts, f"api_hosts are {sorted(hosts)}, and not where the configuration points: {here}")
    allowed = {urlsplit(f"//{each}").netloc for each in hosts}
    with watching.effects_of_plugin() as effects:
        deal, ref = await trial.begun()
        await trial.look(deal, ref)
        trial.proxy.plan(faults.redirecting(f"{trial.proxy.url}/elsewhere"), which=trial.which)
        await trial.send(await trial.deal())
        trial.proxy.plan(faults.redirecting(f"{trial.proxy.url}/elsewhere"), which=Which.ANY)
        await trial.look(deal, ref)
        trial.proxy.mend()
    strange = sorted(set(effects.connections()) - allowed)
    require(not strange, f"it connected to {strange}, which are not among its api_hosts {sorted(allowed)}")
    followed = [each for each in trial.proxy.asked if each.path == "/elsewhere"]
    require(not followed, "it followed a redirect")


async def free_loop(trial: Trial) -> None:
    """C06."""
    if trial.plugin.threaded:
        trial.notes.append("threaded: it may block its own threads")
    else:
        await _require_free_loop(trial)
    opened = trial.proxy.open_count
    provider = trial.provider  # held, so that it is `aclose` that closes, and not the end of an object
    await trial.providers.aclose()
    closed = await watching.settled(lambda: trial.proxy.open_count == 0, GIVE_UP_S)
    require(closed, f"{trial.proxy.open_count} of {opened} connections are open after its provider was closed")
    del provider


async def _require_free_loop(trial: Trial) -> None:
    """Fails when each of several calls held the loop while nothing else did; a busy machine proves nothing."""
    held_ms: list[int] = []
    for _ in range(TRIES_MAX):
        stall_s = await _stall_of(trial, await trial.deal())
        if stall_s <= STALL_S_MAX:
            return
        if await _stall_of_nothing() <= STALL_S_MAX:
            held_ms.append(round(stall_s * 1000))
        told = f"it held the event loop in each of {len(held_ms)} calls: {held_ms} ms"
        require(len(held_ms) < PROOFS, told)
    trial.notes.append("the machine is too busy to tell whether the loop is held")


async def _stall_of(trial: Trial, deal: Deal) -> float:
    signs = _LifeSigns(asyncio.get_running_loop())
    trial.proxy.before_answer = signs.wait
    async with watching.pulse() as pulse:
        await trial.send(deal)
    trial.proxy.before_answer = None
    return LIFE_SIGN_S if signs.missing else pulse.stall_s


async def _stall_of_nothing() -> float:
    async with watching.pulse() as pulse:
        await asyncio.sleep(CONTROL_S)
    return pulse.stall_s


class _LifeSigns:
    """Lets the simulator wait until the plugin's loop has shown that it runs while the answer is awaited."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.missing = False

    def wait(self) -> None:
        alive = threading.Event()
        self._loop.call_soon_threadsafe(alive.set)
        if not alive.wait(LIFE_SIGN_S):
            self.missing = True


async def in_time(trial: Trial) -> None:
    """C07."""
    before = _tasks()
    deal, ref = await trial.begun()
    left = await _left(before)
    require(not left, f"after a call these tasks go on: {left}")
    if trial.upstream.app is None:
        return
    if trial.plugin.threaded:
        await _ends_by_itself(trial)
        return
    await _stops(trial, trial.send_straight, await trial.deal(), trial.which)
    await _stops(trial, lambda each: trial.look_straight(each, ref), deal, Which.ANY)
    left = await _left(before)
    require(not left, f"after a call that was cancelled these tasks go on: {left}")


async def _stops(trial: Trial, method: Callable[[Deal], Awaitable[object]], deal: Deal, which: Which) -> None:
    """Cancels a call for which no answer comes, as the fence does when its time is over."""
    late_ms: list[int] = []
    for _ in range(TRIES_MAX):
        trial.proxy.plan(faults.HANG_BEFORE, which=which)
        task = asyncio.ensure_future(method(deal))
        if not await _is_under_way(trial, task):
            return  # it asks nobody
        started = time.monotonic()
        task.cancel()
        await asyncio.wait({task}, timeout=GIVE_UP_S)
        late_s = time.monotonic() - started
        require(task.done(), "a call that was cancelled goes on")
        with suppress(asyncio.CancelledError, Exception):
            await task
        if late_s <= LATE_S_MAX:
            return
        if await _stall_of_nothing() <= STALL_S_MAX:
            late_ms.append(round(late_s * 1000))
        require(len(late_ms) < PROOFS, f"calls that were cancelled went on: {late_ms} ms")
    trial.notes.append("the machine is too busy to tell whether calls end in time")


async def _is_under_way(trial: Trial, task: "asyncio.Future[object]") -> bool:
    """Waits until the simulator was asked, and says whether it was; a call that asks nobody just ends."""
    asked = trial.proxy.hurt_count
    await watching.settled(lambda: trial.proxy.hurt_count > asked or task.done(), GIVE_UP_S)
    trial.proxy.mend()
    return trial.proxy.hurt_count > asked or not task.done()


async def _ends_by_itself(trial: Trial) -> None:
    deal = replace(await trial.deal(), timeout=SHORT)
    trial.proxy.plan(faults.HANG_BEFORE, which=trial.which)
    started = time.monotonic()
    with suppress(Exception):
        await trial.send_straight(deal)
    trial.proxy.mend()
    took_s = time.monotonic() - started
    within_s = SHORT.total_seconds() + GRACE_S
    require(
        took_s <= within_s, f"a blocking call with {SHORT.total_seconds()} s of time held its thread {took_s:.1f} s"
    )


def _tasks() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks()


async def _left(before: set[asyncio.Task[Any]]) -> list[str]:
    """The tasks that are there and were not before; those that are just ending get the time for it."""
    await watching.settled(lambda: not _tasks() - before, ENDING_S)
    return [each.get_name() + " " + str(each.get_coro()) for each in _tasks() - before]


async def no_hidden_retries(trial: Trial) -> None:
    """C08."""
    declared(trial.upstream.app is not None, NOBODY)
    for fault in (faults.DROPPED_BEFORE, faults.DROPPED_AFTER, faults.RATE_LIMITED, *map(faults.failing, (500, 503))):
        before = len(trial.proxy.asked)
        with suppress(Skipped):
            await trial.hurt(fault)
        _require_no_repeats(trial, before, fault.name)
    before = len(trial.proxy.asked)
    await trial.send(await trial.deal())
    _require_no_repeats(trial, before, "a call that goes well")
    refused, where = trial.refused(), urlsplit(trial.proxy.refusing_url).netloc
    with watching.effects_of_plugin() as effects:
        await trial.send(await trial.deal(), refused)
    count = effects.connections().count(where)
    require(count <= 1, f"one call tried a connection that is refused {count} times")


def _require_no_repeats(trial: Trial, before: int, after: str) -> None:
    same = [(each.method, each.target, each.body) for each in trial.proxy.money(before)]
    require(len(set(same)) == len(same), f"{after}: one call sent the same request {len(same)} times")
    changes = [f"{each.method} {each.path}" for each in trial.proxy.changes(before)]
    require(len(changes) <= 1, f"{after}: one money call sent {len(changes)} requests that change something: {changes}")


BEHAVIOURS: Final = (
    Behaviour("C04", "No secret is told by a log line, an outcome or an exception", registry.ALL, no_secrets_told),
    Behaviour(
        "C05", "It speaks to its declared hosts only, and follows no redirect", registry.ALL, declared_hosts_only
    ),
    Behaviour("C06", "It never holds the event loop, and closes its connections", registry.ALL, free_loop),
    Behaviour("C07", "It stops when its time is over, and leaves nothing behind", registry.ALL, in_time),
    Behaviour("C08", "One money call is one request", registry.ALL, no_hidden_retries),
)
