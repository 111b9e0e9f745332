"""What every command shares: the console, the settings, and how it fails."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from shoutgraph import settings
from shoutgraph.settings import Settings, SettingsError

console = Console()
errors = Console(stderr=True)

DataDir = Annotated[
    Path | None, typer.Option(help="Folder of the database, the files and the keys; SHOUTGRAPH_DATA_DIR otherwise.")
]


def fail(message: str) -> NoReturn:
    """Says what is wrong and ends with exit code 1.

    Raises:
        Exit: always.
    """
    errors.print(f"[bold red]error:[/] {message}", soft_wrap=True)
    raise typer.Exit(1)


def read_settings(**overrides: object) -> Settings:
    """The settings, with what the command line gives first.

    Raises:
        Exit: a setting is unknown or does not fit.
    """
    try:
        return settings.load(overrides)
    except SettingsError as error:
        fail(str(error))


def make_data_dir(settings: Settings) -> None:
    """Makes the data folder where it is not there yet.

    Raises:
        Exit: something else is in its place, or the file system forbids it.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(str(error))
