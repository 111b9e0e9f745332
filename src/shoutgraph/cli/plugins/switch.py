"""`plugins enable` and `plugins disable`: which plugins are imported from the next start on."""

from typing import Annotated

import typer

from shoutgraph.cli.plugins import loaded
from shoutgraph.cli.shared import DataDir, console, fail
from shoutgraph.plugins import switches
from shoutgraph.plugins.statuses import PluginStatus

Key = Annotated[str, typer.Argument(help="The plugin's key, or the name that `plugins list` shows.")]


def disable(
    key: Key,
    force: Annotated[bool, typer.Option("--force", help="Even while money is in flight with it.")] = False,  # noqa: FBT002
    data_dir: DataDir = None,
) -> None:
    """Switch a plugin off: from the next start of each process it is never imported.

    Refused while money is in flight with one of its instances, because nobody could look after it any more.
    """
    settings, providers = loaded.load(data_dir)
    name, keys = _found(providers.plugins, key)
    theirs = {each.instance for each in providers.instances if each.plugin in keys}
    in_flight = sorted(theirs & (loaded.in_use(settings) or frozenset()))
    if in_flight and not force:
        fail(f"money is in flight with {', '.join(in_flight)}; --force does it all the same, and no process gets ready")
    switches.write(settings.data_dir, switches.read(settings.data_dir) | {name})
    console.print(f"{name} is off from the next start of each process.", soft_wrap=True)


def enable(key: Key, data_dir: DataDir = None) -> None:
    """Switch a plugin on again, from the next start of each process. A disabled plugin has no key, but a name."""
    settings, providers = loaded.load(data_dir)
    off = switches.read(settings.data_dir)
    name = key if key in off else _found(providers.plugins, key)[0]
    switches.write(settings.data_dir, off - {name})
    console.print(f"{name} is on from the next start of each process.", soft_wrap=True)


def _found(plugins: tuple[PluginStatus, ...], key: str) -> tuple[str, tuple[str, ...]]:
    found = next((each for each in plugins if key == each.name or key in each.keys), None)
    if found is None:
        fail(f"no installed plugin is called {key}; `shoutgraph plugins list` shows them")
    return found.name, found.keys
