"""`plugins list` and `plugins show`."""

import dataclasses
import enum
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from shoutgraph.cli.plugins import loaded
from shoutgraph.cli.shared import DataDir, console, fail, show as show_table
from shoutgraph.plugins.statuses import PluginStatus

if TYPE_CHECKING:
    from shoutgraph.plugins.providers import Providers


def list_plugins(data_dir: DataDir = None) -> None:
    """List the installed plugins and the configured instances with their states."""
    _, providers = loaded.load(data_dir)
    plugins = Table("plugin", "distribution", "version", "offers", "state", "why", title="Plugins")
    for plugin in providers.plugins:
        state, why = loaded.paint(plugin.state), escape(plugin.detail)
        plugins.add_row(plugin.name, plugin.distribution, plugin.version, ", ".join(plugin.keys), state, why)
    show_table(plugins)
    instances = Table("instance", "plugin", "state", "why", title="Instances")
    for instance in providers.instances:
        instances.add_row(
            escape(instance.instance), escape(instance.plugin), loaded.paint(instance.state), escape(instance.detail)
        )
    show_table(instances)


def show(
    key: Annotated[str, typer.Argument(help="The plugin's key, or the name that `plugins list` shows.")],
    data_dir: DataDir = None,
) -> None:
    """Show one plugin: what it promises, what it wants configured, its instances, and whether they hold money."""
    settings, providers = loaded.load(data_dir)
    found = [each for each in providers.plugins if key == each.name or key in each.keys]
    if not found:
        fail(f"no installed plugin is called {key}; `shoutgraph plugins list` shows them")
    in_use = loaded.in_use(settings)
    for plugin in found:
        console.print(
            f"[bold]{plugin.name}[/] of {plugin.distribution} {plugin.version} is {loaded.paint(plugin.state)} "
            f"{escape(plugin.detail)}".rstrip(),
            soft_wrap=True,
        )
        for each in (key,) if key in plugin.keys else plugin.keys:
            show_table(_promises(providers, each))
            show_table(_fields(providers, each))
        show_table(_instances(providers, plugin, in_use))
    console.print(loaded.BREAKERS, soft_wrap=True)


def _promises(providers: "Providers", key: str) -> Table:
    descriptor = providers.descriptors[key]
    table = Table("promise", "value", title=f"{key}: {descriptor.label}")
    table.add_row("API", ".".join(map(str, descriptor.api)))
    table.add_row("threads of its own", _told(descriptor.threaded))
    for field in dataclasses.fields(descriptor.caps):
        table.add_row(field.name, escape(_told(getattr(descriptor.caps, field.name))))
    return table


def _fields(providers: "Providers", key: str) -> Table:
    table = Table("field", "label", "type", "needed", "what", title=f"{key}: configuration")
    schema: Mapping[str, Any] = providers.descriptors[key].config.model_json_schema()
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        told = (str(field.get("title", "")), _type(field), _told(name in required), str(field.get("description", "")))
        table.add_row(name, *map(escape, told))
    return table


def _instances(providers: "Providers", plugin: PluginStatus, in_use: frozenset[str] | None) -> Table:
    table = Table("instance", "state", "why", "hosts", "money in flight", title="Instances")
    for each in providers.instances:
        if each.plugin in plugin.keys:
            money = "unknown: no database" if in_use is None else _told(each.instance in in_use)
            table.add_row(
                each.instance, loaded.paint(each.state), escape(each.detail), "\n".join(each.hosts) or "none", money
            )
    return table


def _type(field: Mapping[str, Any]) -> str:
    if field.get("format") == "password":
        return "secret"
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("type") or " or ".join(_types(field)) or "table")


def _types(field: Mapping[str, Any]) -> Iterator[str]:
    for each in field.get("anyOf", ()):
        yield _type(each)


def _told(value: object) -> str:
    """A promise in words."""
    match value:
        case bool() | None:
            return {True: "yes", False: "no", None: "no limit"}[value]
        case enum.Enum():
            return str(value.value)
        case frozenset() | tuple():
            words = sorted(map(_told, value)) if isinstance(value, frozenset) else map(_told, value)
            return (", " if isinstance(value, frozenset) else " to ").join(words) or "none"
        case Mapping():
            return ", ".join(f"{name} {_told(inner)}" for name, inner in sorted(value.items())) or "none"
        case _ if dataclasses.is_dataclass(value):
            return _told({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
        case _:
            return str(value)
