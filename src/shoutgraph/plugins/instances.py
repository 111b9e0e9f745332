"""Builds the configured instances: configuration checked, secrets resolved, provider made and looked over."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shoutgraph.plugins import discovery, fence, hosting, references
from shoutgraph.plugins.payouts import Payouts
from shoutgraph.plugins.references import ConfigurationError
from shoutgraph.plugins.scrubbing import Scrubber
from shoutgraph.plugins.statuses import InstanceStatus, State
from shoutgraph.plugins.topups import TopUps
from shoutgraph.plugins.webhooks import Inbox
from shoutgraph.sdk import Intake, TopUpPlugin

PLUGIN_FIELD: Final = "plugin"
"""The field of an instance's configuration that names its plugin's key."""

_CREATES: Final = ("create", "fetch", "refund", "cancel")
_REDEEMS: Final = ("redeem", "fetch")
_PAYS_OUT: Final = ("submit", "fetch", "cancel")
_ONBOARDS: Final = ("onboard", "recipient_status")
_QUOTES: Final = ("quote",)


@dataclass(frozen=True, slots=True)
class Source:
    """What instances are built from."""

    descriptors: Mapping[str, tuple[discovery.Descriptor, str]]
    environ: Mapping[str, str]
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    scrubber: Scrubber


@dataclass(frozen=True, slots=True)
class Built:
    """An instance: its status, and while it is active everything that belongs to it."""

    status: InstanceStatus
    guarded: TopUps | Payouts | None = None
    inbox: Inbox | None = None
    http: hosting.FencedHttp | None = None


def build(name: str, raw: Mapping[str, object], source: Source) -> Built:
    """Builds one instance. Whatever is wrong with it is in its status."""
    plugin = str(raw.get(PLUGIN_FIELD, ""))
    if not discovery.KEY.fullmatch(name):
        detail = f"an instance's name reads {discovery.KEY.pattern}"
        return Built(InstanceStatus(name, plugin, State.MISCONFIGURED, detail))
    descriptor, distribution = source.descriptors.get(plugin, (None, ""))
    if descriptor is None:
        return Built(InstanceStatus(name, plugin, State.MISSING, "no active plugin has this key"))
    names = fence.Names(name, plugin, distribution)
    try:
        return _built(names, descriptor, raw, source)
    except ConfigurationError as error:
        state, detail = State.MISCONFIGURED, str(error)
    except discovery.UnfitError as unfit:
        state, detail = unfit.state, str(unfit)
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- the plugin boundary; the status names the plugin
        state, detail = State.MISCONFIGURED, f"{type(error).__name__}: {error}"
    clean = source.scrubber.text(detail)[: discovery.DETAIL_CHARS_MAX]
    return Built(InstanceStatus(name, plugin, state, clean))


def _built(names: fence.Names, descriptor: discovery.Descriptor, raw: Mapping[str, object], source: Source) -> Built:
    found = references.References(source.environ)
    fields = {field: value for field, value in raw.items() if field != PLUGIN_FIELD}
    try:
        config = references.validated(descriptor.config, fields, found)
    finally:
        # Before anything else is said about it.
        source.scrubber.learn(found.secrets)
    http = hosting.FencedHttp(descriptor.api_hosts(config))
    host = hosting.InstanceHost(names, http, source.clock, source.monotonic, source.scrubber)
    provider = descriptor.build(config, host)
    _require_methods(provider, descriptor)
    around = fence.Fence(names, threaded=descriptor.threaded, monotonic=source.monotonic, scrubber=source.scrubber)
    inbox = Inbox(names, descriptor.caps.webhooks, provider, source.scrubber)
    status = InstanceStatus(names.instance, names.plugin, State.ACTIVE, hosts=http.hosts)
    return Built(status, _guarded(descriptor, provider, around), inbox, http)


def _guarded(descriptor: discovery.Descriptor, provider: object, around: fence.Fence) -> TopUps | Payouts:
    # The provider's methods were looked over, which is more than its type could promise at run time.
    if isinstance(descriptor, TopUpPlugin):
        return TopUps(descriptor, provider, around)  # type: ignore[arg-type]
    return Payouts(descriptor, provider, around)  # type: ignore[arg-type]


def _require_methods(provider: object, descriptor: discovery.Descriptor) -> None:
    for name in _methods(descriptor):
        method = getattr(provider, name, None)
        if not callable(method):
            raise discovery.UnfitError(State.INVALID, f"its provider has no method {name}")
        if descriptor.threaded and inspect.iscoroutinefunction(method):
            raise discovery.UnfitError(State.INVALID, f"a threaded provider's {name} is not async")
    for name in _pure_methods(descriptor):
        method = getattr(provider, name, None)
        if not callable(method) or inspect.iscoroutinefunction(method):
            raise discovery.UnfitError(State.INVALID, f"its provider has no method {name}, or an async one")


def _methods(descriptor: discovery.Descriptor) -> tuple[str, ...]:
    end = "close" if descriptor.threaded else "aclose"
    if not isinstance(descriptor, TopUpPlugin):
        optional = (*(_ONBOARDS if descriptor.caps.onboarding else ()), *(_QUOTES if descriptor.caps.quotes else ()))
        return (*_PAYS_OUT, *optional, end)
    return (*(_CREATES if descriptor.caps.intake is Intake.CREATE else _REDEEMS), end)


def _pure_methods(descriptor: discovery.Descriptor) -> tuple[str, ...]:
    if isinstance(descriptor, TopUpPlugin):
        return ("receive",)
    caps = descriptor.caps
    return (
        "receive",
        *(("ingest",) if caps.ingest else ()),
        *(("requirements",) if caps.onboarding else ()),
    )
