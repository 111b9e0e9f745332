"""`shoutgraph plugins`: what is installed, and whether it can work."""

from typing import Final

import typer
from rich.table import Table

from shoutgraph import app
from shoutgraph.cli.shared import DataDir, console, fail, make_data_dir, read_settings
from shoutgraph.plugins import statuses
from shoutgraph.plugins.providers import Providers

DEFAULT_URL: Final = "http://127.0.0.1:8000"

commands = typer.Typer(help="Look at the payment plugins.", no_args_is_help=True)


@commands.command("list")
def list_plugins(data_dir: DataDir = None) -> None:
    """List the installed plugins and the configured instances with their states."""
    providers = _load(app_dir=data_dir)
    plugins = Table("plugin", "distribution", "offers", "state", "why", title="Plugins")
    for plugin in providers.plugins:
        plugins.add_row(plugin.name, plugin.distribution, ", ".join(plugin.keys), _paint(plugin.state), plugin.detail)
    console.print(plugins)
    instances = Table("instance", "plugin", "state", "why", title="Instances")
    for instance in providers.instances:
        instances.add_row(instance.instance, instance.plugin, _paint(instance.state), instance.detail)
    console.print(instances)


@commands.command()
def doctor(data_dir: DataDir = None) -> None:
    """Check every plugin and instance; exit code 1 if one is not fine, and say what to do."""
    providers = _load(app_dir=data_dir)
    wrong = [(p.name, p.state, p.detail) for p in providers.plugins if p.state not in statuses.FINE]
    wrong += [(i.instance, i.state, i.detail) for i in providers.instances if i.state not in statuses.FINE]
    if not providers.instances:
        wrong.append(("instances", statuses.State.MISSING, "no provider is configured: nobody can buy coins"))
    for name, state, detail in wrong:
        console.print(f"[red]{name}[/] is {state}: {detail}", soft_wrap=True)
    if wrong:
        fail(f"{len(wrong)} of the plugins and instances cannot work")
    console.print(f"[green]All well:[/] {len(providers.plugins)} plugins, {len(providers.instances)} instances.")


def _load(app_dir: DataDir) -> Providers:
    settings = read_settings(data_dir=app_dir)
    make_data_dir(settings)
    return app.load_providers(settings, base_url=DEFAULT_URL)


def _paint(state: statuses.State) -> str:
    return f"[green]{state}[/]" if state in statuses.FINE else f"[red]{state}[/]"
