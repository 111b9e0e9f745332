"""`shoutgraph gifts`: what fans can send to creators, from a file of the operator's."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Column, Table

from shoutgraph.cli import prices
from shoutgraph.cli.shared import DataDir, console, fail, read_settings, show, work_with
from shoutgraph.domain.gifts import read_catalogue
from shoutgraph.domain.users import ROLES, Viewer

OPERATOR: Final = Viewer(scopes=ROLES["admin"], principal="operator:gifts")

commands = typer.Typer(help="Load and list what fans can give.", no_args_is_help=True)


@commands.command()
def load(
    file: Annotated[Path, typer.Argument(help="The catalogue: JSON, or TOML if its name ends in .toml.")],
    data_dir: DataDir = None,
) -> None:
    """Make a catalogue of stickers the one that holds. What it does not name ends; loading it twice changes nothing.

    The embedded database is worked on while no server runs. Gifts keep the version that they were sent as.
    """
    from shoutgraph.services.gifts import catalogue

    entries = prices.read_with(file, read_catalogue)
    loaded = work_with(data_dir, lambda tools: catalogue.load(tools, OPERATOR, entries))
    told = f"Added: {loaded.stickers} stickers. Retired: {loaded.retired}. In the catalogue: {len(entries)}."
    console.print(told, soft_wrap=True)


@commands.command("list")
def list_gifts(data_dir: DataDir = None) -> None:
    """List what can be given, the cheapest first."""
    from shoutgraph import app
    from shoutgraph.services.gifts import catalogue

    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = store.read_now(catalogue.on_sale)
    if not found:
        fail("the catalogue is empty; `shoutgraph gifts load` fills it")
    table = Table("key", "name", Column("coins", justify="right"), "tier", "asset", "version", title="Gifts")
    for each in found:
        table.add_row(each.key, each.name, f"{each.coins:,}", each.tier, each.asset, str(each.version))
    show(table)
