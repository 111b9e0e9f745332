"""`shoutgraph clock`: whether the time is believed, and an operator's word that it is right."""

from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from shoutgraph.cli.shared import DataDir, console, read_settings
from shoutgraph.settings import Settings

if TYPE_CHECKING:
    from shoutgraph.services.watch import Times

commands = typer.Typer(help="Whether the time is believed; agree to it after a jump.", no_args_is_help=True)


@commands.command()
def show(data_dir: DataDir = None) -> None:
    """Say whether the time is believed. Exit code 1: it is not, and nothing expires. Runs beside the server."""
    from shoutgraph import app

    settings = read_settings(data_dir=data_dir)
    found = _times(settings)
    console.print(f"the time is {found.next:%Y-%m-%d %H:%M:%S} UTC")
    doubt = app.clock_watch(settings).look(found)
    if doubt is not None:
        console.print(f"[bold red]in doubt[/] {escape(doubt)}", soft_wrap=True)
        raise typer.Exit(1)
    console.print("It is believed.")


@commands.command()
def accept(data_dir: DataDir = None) -> None:
    """Agree to the time as it is now, after a jump: what is due by it will be done. Runs beside the server.

    Look at the clock first: what a wrong time has ended stays ended.
    """
    from shoutgraph import app

    settings = read_settings(data_dir=data_dir)
    found = _times(settings)
    app.clock_watch(settings).agree(found)
    console.print(f"{found.next:%Y-%m-%d %H:%M:%S} UTC is the time; what is due by then is done.")


def _times(settings: Settings) -> "Times":
    from shoutgraph import app
    from shoutgraph.services import watch

    with app.open_reader(settings) as store:
        return store.read_now(watch.times)
