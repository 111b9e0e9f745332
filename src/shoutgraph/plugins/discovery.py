"""Finds plugins by entry point, and checks them before and after they are imported.

A plugin that is disabled, or asks for another version of shoutgraph, is never imported. A plugin that breaks
stops itself only.
"""

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Final, TypeAlias

import pluggy
from packaging import requirements, utils
from pydantic import BaseModel

from shoutgraph.plugins.scrubbing import Scrubber
from shoutgraph.plugins.statuses import PluginStatus, State
from shoutgraph.sdk import (
    API,
    AnyPayoutPlugin,
    AnyTopUpPlugin,
    HookSpecs,
    PayoutCaps,
    PayoutPlugin,
    TopUpCaps,
    TopUpPlugin,
)
from shoutgraph.sdk.specs import ENTRY_POINTS, PROJECT

DISTRIBUTION: Final = "shoutgraph"
GIVEN: Final = "(given)"
"""Stands for the distribution of a plugin that was handed over."""

KEY: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
NAME: Final = re.compile(r"\A(?:[^\r\n]+\r?\n)*?Name:[ \t]*(\S+)[ \t]*\r?$", re.MULTILINE)
"""The line of a distribution's metadata that names it; an empty line ends the headers."""
DETAIL_CHARS_MAX: Final = 500
OFFERS_MAX: Final = 64
"""The most descriptors that one entry point may offer."""

BATCH_MAX: Final = 10_000

Descriptor: TypeAlias = AnyTopUpPlugin | AnyPayoutPlugin

_OFFERS: Final[Mapping[str, type]] = {
    "shoutgraph_topup_plugins": TopUpPlugin,
    "shoutgraph_payout_plugins": PayoutPlugin,
}


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin after all checks: its status, and what it offers while it is active."""

    status: PluginStatus
    plugin: object = None
    descriptors: tuple[Descriptor, ...] = ()


class UnfitError(Exception):
    """A plugin cannot be used; the state says in which way."""

    def __init__(self, state: State, detail: str) -> None:
        super().__init__(detail)
        self.state: Final = state


def installed(disabled: frozenset[str], host_version: str, scrubber: Scrubber) -> list[Found]:
    """The plugins of all installed distributions, in the order of their names."""
    return [
        _from_entry_point(distribution, entry_point, disabled, host_version, scrubber)
        for distribution, entry_point in entry_points(ENTRY_POINTS)
    ]


def given(name: str, plugin: object, scrubber: Scrubber) -> Found:
    """A plugin that was handed over rather than found."""
    return _checked(PluginStatus(name, GIVEN, "", State.ACTIVE), plugin, scrubber)


def without_double_keys(found: Iterable[Found]) -> list[Found]:
    """The plugins, without those whose key another one offers too.

    All of them are refused: which of two was meant is not for the loader to guess where money is moved.
    """
    listed = list(found)
    counted = Counter(each.key for one in listed for each in one.descriptors)
    result = []
    for one in listed:
        doubles = sorted({each.key for each in one.descriptors if counted[each.key] > 1})
        if doubles:
            detail = f"the key {doubles[0]} is offered {counted[doubles[0]]} times"
            one = Found(replace(one.status, state=State.INVALID, detail=detail))  # noqa: PLW2901
        result.append(one)
    return result


def registry_of(found: Iterable[Found]) -> pluggy.PluginManager:
    """The pluggy registry of all active plugins."""
    registry = pluggy.PluginManager(PROJECT)
    registry.add_hookspecs(HookSpecs)
    for one in found:
        if one.status.state is State.ACTIVE:
            registry.register(one.plugin, name=f"{one.status.distribution}:{one.status.name}")
    return registry


def entry_points(group: str) -> list[tuple[metadata.Distribution, metadata.EntryPoint]]:
    """The entry points of a group, in the order of their distributions' names and their own.

    One unreadable distribution hides itself only.
    """
    seen: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions():
        seen.setdefault(_name(distribution), distribution)
    pairs = [
        (distribution, entry_point)
        for _, distribution in sorted(seen.items())
        for entry_point in _entry_points(distribution, group)
    ]
    return sorted(pairs, key=lambda pair: (_name(pair[0]), pair[1].name))


def _entry_points(distribution: metadata.Distribution, group: str) -> list[metadata.EntryPoint]:
    try:
        if f"[{group}]" not in (distribution.read_text("entry_points.txt") or ""):
            return []
        return list(distribution.entry_points.select(group=group))
    except Exception:  # noqa: BLE001 -- a file of anybody's; a name of its own makes it show up as broken
        return [metadata.EntryPoint(name=_name(distribution), value="", group=group)]


def _name(distribution: metadata.Distribution) -> str:
    """Read from the head of the file: to parse that of everything installed would take a tenth of a second."""
    try:
        found = NAME.search(distribution.read_text("METADATA") or "")
        return utils.canonicalize_name(found[1] if found else distribution.metadata["Name"])
    except Exception:  # noqa: BLE001 -- metadata of anybody's, which may say nothing at all
        return "(nameless)"


def _from_entry_point(
    distribution: metadata.Distribution,
    entry_point: metadata.EntryPoint,
    disabled: frozenset[str],
    host_version: str,
    scrubber: Scrubber,
) -> Found:
    status = PluginStatus(entry_point.name, _name(distribution), distribution.version or "", State.ACTIVE)
    if entry_point.name in disabled:
        return Found(replace(status, state=State.DISABLED))
    try:
        _require_compatible(distribution, host_version)
        plugin = _imported(entry_point)
    except UnfitError as unfit:
        return Found(replace(status, state=unfit.state, detail=scrubber.text(str(unfit))[:DETAIL_CHARS_MAX]))
    return _checked(status, plugin, scrubber)


def _require_compatible(distribution: metadata.Distribution, host_version: str) -> None:
    try:
        wanted = [requirements.Requirement(text) for text in distribution.requires or ()]
    except requirements.InvalidRequirement as error:
        raise UnfitError(State.INVALID, f"its requirements cannot be read: {error}") from None
    ours = [
        each
        for each in wanted
        if utils.canonicalize_name(each.name) == DISTRIBUTION
        and (each.marker is None or each.marker.evaluate({"extra": ""}))
    ]
    if not ours:
        raise UnfitError(State.INCOMPATIBLE, f"it does not say which {DISTRIBUTION} it needs")
    for each in ours:
        if not each.specifier.contains(host_version, prereleases=True):
            detail = f"it needs {DISTRIBUTION} {each.specifier}, and this is {host_version}"
            raise UnfitError(State.INCOMPATIBLE, detail)


def _imported(entry_point: metadata.EntryPoint) -> object:
    try:
        plugin: object = entry_point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- the plugin boundary; the status names the plugin
        raise UnfitError(State.IMPORT_ERROR, f"{type(error).__name__}: {error}") from None
    return plugin


def _checked(status: PluginStatus, plugin: object, scrubber: Scrubber) -> Found:
    try:
        descriptors = tuple(_offers(plugin))
    except UnfitError as unfit:
        state, detail = unfit.state, str(unfit)
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- the plugin boundary; the status names the plugin
        state, detail = State.INVALID, f"{type(error).__name__}: {error}"
    else:
        return Found(replace(status, keys=tuple(each.key for each in descriptors)), plugin, descriptors)
    return Found(replace(status, state=state, detail=scrubber.text(detail)[:DETAIL_CHARS_MAX]))


def _offers(plugin: object) -> Iterator[Descriptor]:
    # A registry of its own, so that a plugin which is refused leaves nothing behind in the real one.
    registry = pluggy.PluginManager(PROJECT)
    registry.add_hookspecs(HookSpecs)
    registry.register(plugin)
    registry.check_pending()
    for hook, kind in _OFFERS.items():
        for impl in getattr(registry.hook, hook).get_hookimpls():
            answer = impl.function()
            if inspect.iscoroutine(answer):
                answer.close()
                raise UnfitError(State.INVALID, f"{hook} is not async")
            offers = list(answer)
            if len(offers) > OFFERS_MAX:
                raise UnfitError(State.INVALID, f"{hook} offers more than {OFFERS_MAX} plugins")
            for each in offers:
                _require_sound(each, kind)
                yield each


def _require_sound(descriptor: object, kind: type) -> None:
    if not isinstance(descriptor, TopUpPlugin | PayoutPlugin) or not isinstance(descriptor, kind):
        raise UnfitError(State.INVALID, f"expected a {kind.__name__}, not {type(descriptor).__name__}")
    if not KEY.fullmatch(descriptor.key):
        raise UnfitError(State.INVALID, f"a key reads {KEY.pattern}")
    major, minor = descriptor.api
    if major != API[0] or minor > API[1]:
        detail = f"{descriptor.key} is written for API {major}.{minor}, and this is {API[0]}.{API[1]}"
        raise UnfitError(State.INCOMPATIBLE, detail)
    caps = descriptor.caps
    if not isinstance(caps, TopUpCaps if kind is TopUpPlugin else PayoutCaps):
        raise UnfitError(State.INVALID, f"{descriptor.key} does not declare its capabilities")
    if isinstance(caps, PayoutCaps) and not 1 <= caps.max_batch <= BATCH_MAX:
        raise UnfitError(State.INVALID, f"{descriptor.key}: max_batch is between 1 and {BATCH_MAX}")
    if not (inspect.isclass(descriptor.config) and issubclass(descriptor.config, BaseModel)):
        raise UnfitError(State.INVALID, f"{descriptor.key}: config is a pydantic model")
