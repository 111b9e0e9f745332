"""What every command shares: the console, the settings, the tools of a deployment, and how it fails."""

import asyncio
import gc
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shoutgraph import settings
from shoutgraph.domain.errors import FaultError, ShoutgraphError
from shoutgraph.domain.requests import Request
from shoutgraph.domain.resolutions import PERSON_CHARS_MAX
from shoutgraph.domain.users import ROLES, Viewer
from shoutgraph.plugins.statuses import PluginsBrokenError
from shoutgraph.settings import Settings, SettingsError

if TYPE_CHECKING:
    from shoutgraph.tools import Tools

T = TypeVar("T")

TABLE_WIDTH_MAX: Final = 10_000

EXPECTED: Final = (ShoutgraphError, FaultError, SettingsError, PluginsBrokenError, OSError)
"""What an operator can act on by its message alone; anything else is a bug, and shows where."""

console = Console(emoji=False)  # cash:bank:EUR is an account
errors = Console(stderr=True, emoji=False)

DataDir = Annotated[
    Path | None, typer.Option(help="Folder of the database, the files and the keys; SHOUTGRAPH_DATA_DIR otherwise.")
]

By = Annotated[str, typer.Option(help="Who you are: a name that the other person does not have.")]


@contextmanager
def importing() -> Iterator[None]:
    """Imports much at once: all of it stays, so no garbage is looked for while it comes, or in it later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def fail(message: str) -> NoReturn:
    """Says what is wrong and ends with exit code 1.

    Raises:
        Exit: always.
    """
    _say(message)
    raise typer.Exit(1)


def say_error(error: BaseException) -> None:
    """Says in one line what is wrong."""
    _say(" ".join(str(error).split()))


def read_settings(**overrides: object) -> Settings:
    """The settings, with what the command line gives first.

    Raises:
        SettingsError: a setting is unknown or does not fit.
    """
    return settings.load(overrides)


def work_with(data_dir: Path | None, work: "Callable[[Tools], Awaitable[T]]") -> T:
    """Does something with a deployment that is there: beside its servers on PostgreSQL, alone on an embedded database.

    Raises:
        Exit: there is no database, or the work is refused.
        FaultError: the database cannot be worked on, such as an embedded one that a server has.
    """
    from shoutgraph import app

    chosen = read_settings(data_dir=data_dir)
    if chosen.embedded and not chosen.database_path.exists():
        fail(f"there is no database at {chosen.database_path}; run `shoutgraph migrate` first")

    async def run() -> T:
        async with app.open_tools(chosen, base_url="http://127.0.0.1") as tools:
            return await work(tools)

    try:
        return asyncio.run(run())
    except* ShoutgraphError as refused:
        fail(" ".join(str(each) for each in refused.exceptions))


def person(by: str) -> Viewer:
    """Somebody of finance, by the name that they give.

    Raises:
        Exit: it is no name.
    """
    name = by.strip()
    if not 0 < len(name) <= PERSON_CHARS_MAX or not name.isprintable():
        fail(f"--by is a name of 1 to {PERSON_CHARS_MAX} characters")
    return Viewer(scopes=ROLES["finance"], principal=name)


def asked(viewer: Viewer, mutation: str) -> Request:
    """What somebody types is asked once."""
    return Request.of(principal=viewer.principal, mutation=mutation, key=secrets.token_urlsafe(), given={})


def show(table: Table) -> None:
    """Prints a table; where no terminal has a width, as wide as it is, so that programs read whole words."""
    wide = console if console.is_terminal else Console(width=TABLE_WIDTH_MAX, emoji=False)
    wide.print(table)


def _say(message: str) -> None:
    errors.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
