"""Loads the plugins: entry points and configuration in, a frozen registry out."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib import metadata
from types import MappingProxyType
from typing import Final, TypeVar

from shoutgraph.plugins import discovery, instances, statuses
from shoutgraph.plugins.discovery import Found
from shoutgraph.plugins.hooks import Hooks
from shoutgraph.plugins.instances import Built
from shoutgraph.plugins.payouts import Payouts
from shoutgraph.plugins.providers import Providers
from shoutgraph.plugins.routes import Route, Routes
from shoutgraph.plugins.scrubbing import Scrubber
from shoutgraph.plugins.statuses import PluginStatus, State
from shoutgraph.plugins.topups import TopUps
from shoutgraph.sdk import SimulatorFactory
from shoutgraph.sdk.simulators import SIMULATOR_ENTRY_POINTS

T = TypeVar("T", TopUps, Payouts)

_log: Final = logging.getLogger("shoutgraph.plugins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What loading needs.

    Args:
        instances: the configuration of each instance by name; `plugin` in it names the plugin's key.
        environ: where `{env = "NAME"}` looks.
        disabled: names of entry points that are never imported.
        routes: who takes which payments.
        extra: plugins by name that are handed over rather than found.
        discover: whether entry points are looked for at all.
        strict: whether anything that is not fine ends loading.
        host_version: the version that plugins must agree with; None means the installed one.
    """

    instances: Mapping[str, Mapping[str, object]]
    environ: Mapping[str, str] = field(repr=False)
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    disabled: frozenset[str] = frozenset()
    routes: tuple[Route, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    discover: bool = True
    strict: bool = False
    host_version: str | None = None


def load(setup: Setup) -> Providers:
    """Finds, checks, configures and builds every plugin.

    Raises:
        PluginsBrokenError: loading is strict, and something is not fine.
    """
    scrubber = Scrubber()
    found = _found(setup, scrubber)
    source = instances.Source(
        descriptors={each.key: (each, one.status.distribution) for one in found for each in one.descriptors},
        environ=setup.environ,
        clock=setup.clock,
        monotonic=setup.monotonic,
        scrubber=scrubber,
    )
    built = [instances.build(name, raw, source) for name, raw in sorted(setup.instances.items())]
    topups = _by_name(built, TopUps)
    registry = Providers(
        topups=topups,
        payouts=_by_name(built, Payouts),
        inboxes=MappingProxyType({one.status.instance: one.inbox for one in built if one.inbox}),
        plugins=tuple(_after_building(one, built) for one in found),
        instances=tuple(one.status for one in built),
        descriptors=MappingProxyType({each.key: each for one in found for each in one.descriptors}),
        hooks=Hooks(discovery.registry_of(found), scrubber),
        routes=Routes(setup.routes, topups),
        scrubber=scrubber,
        connections=tuple(one.http for one in built if one.http),
    )
    _tell(registry, strict=setup.strict)
    return registry


def simulators() -> Mapping[str, SimulatorFactory]:
    """The installed simulators by the names of their entry points. Never call this in production.

    Raises:
        ImportError: a simulator cannot be imported.
    """
    return {point.name: point.load() for _, point in discovery.entry_points(SIMULATOR_ENTRY_POINTS)}


def _found(setup: Setup, scrubber: Scrubber) -> list[Found]:
    found: list[Found] = []
    if setup.discover:
        version = setup.host_version or metadata.version(discovery.DISTRIBUTION)
        found = discovery.installed(setup.disabled, version, scrubber)
    found += [discovery.given(name, plugin, scrubber) for name, plugin in sorted(setup.extra.items())]
    return discovery.without_double_keys(found)


def _by_name(built: Sequence[Built], kind: type[T]) -> Mapping[str, T]:
    pairs = {one.status.instance: one.guarded for one in built if isinstance(one.guarded, kind)}
    return MappingProxyType(pairs)


def _after_building(one: Found, built: Sequence[Built]) -> PluginStatus:
    for each in built:
        status = each.status
        if status.plugin in one.status.keys and status.state not in statuses.FINE:
            detail = f"instance {status.instance}: {status.detail}"
            return replace(one.status, state=status.state, detail=detail)
    return one.status


def _tell(registry: Providers, *, strict: bool) -> None:
    told = [
        f"plugin {each.name} ({each.distribution}) is {each.state}: {each.detail}"
        for each in registry.plugins
        if each.state not in statuses.FINE
    ]
    told += [
        f"instance {each.instance} of {each.plugin} is {each.state}: {each.detail}"
        for each in registry.instances
        if each.state is State.MISSING
    ]
    told += [f"a route names {each}, which takes no money" for each in registry.routes.strangers()]
    if strict and told:
        raise statuses.PluginsBrokenError("; ".join(told))
    for line in told:
        _log.warning("%s", line)
