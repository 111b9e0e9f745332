"""`shoutgraph plugins`: what is installed, and whether it can work."""

from collections.abc import Sequence
from typing import Final

import typer
from rich.table import Table

from shoutgraph.cli.shared import DataDir, console, fail, read_settings, show
from shoutgraph.plugins import statuses
from shoutgraph.plugins.statuses import InstanceStatus, PluginStatus

DEFAULT_URL: Final = "http://127.0.0.1:8000"

commands = typer.Typer(help="Look at the payment plugins.", no_args_is_help=True)


@commands.command("list")
def list_plugins(data_dir: DataDir = None) -> None:
    """List the installed plugins and the configured instances with their states."""
    found, configured = _load(data_dir)
    plugins = Table("plugin", "distribution", "offers", "state", "why", title="Plugins")
    for plugin in found:
        plugins.add_row(plugin.name, plugin.distribution, ", ".join(plugin.keys), _paint(plugin.state), plugin.detail)
    show(plugins)
    instances = Table("instance", "plugin", "state", "why", title="Instances")
    for instance in configured:
        instances.add_row(instance.instance, instance.plugin, _paint(instance.state), instance.detail)
    show(instances)


@commands.command()
def doctor(data_dir: DataDir = None) -> None:
    """Check every plugin and instance; exit code 1 if one is not fine, and say what to do."""
    found, configured = _load(data_dir)
    wrong = [(p.name, p.state, p.detail) for p in found if p.state not in statuses.FINE]
    wrong += [(i.instance, i.state, i.detail) for i in configured if i.state not in statuses.FINE]
    if not configured:
        wrong.append(("instances", statuses.State.MISSING, "no provider is configured: nobody can buy coins"))
    for name, state, detail in wrong:
        console.print(f"[red]{name}[/] is {state}: {detail}", soft_wrap=True)
    if wrong:
        fail(f"{len(wrong)} of the plugins and instances cannot work")
    console.print(f"[green]All well:[/] {len(found)} plugins, {len(configured)} instances.")


def _load(data_dir: DataDir) -> tuple[Sequence[PluginStatus], Sequence[InstanceStatus]]:
    from shoutgraph import app

    settings = read_settings(data_dir=data_dir)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    providers = app.load_providers(settings, base_url=DEFAULT_URL)
    return providers.plugins, providers.instances


def _paint(state: statuses.State) -> str:
    return f"[green]{state}[/]" if state in statuses.FINE else f"[red]{state}[/]"
