"""`shoutgraph wallets`: statements of wallets and of creators' earnings, to read or as CSV."""

import sys
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.table import Column, Table

from shoutgraph.cli.shared import DataDir, console, fail, read_settings, show
from shoutgraph.domain import ids
from shoutgraph.domain.users import ROLES, Viewer

OPERATOR: Final = Viewer(scopes=ROLES["finance"], principal="operator:wallets")
LINES_SHOWN: Final = 50

Csv = Annotated[bool, typer.Option("--csv", help="All of it as CSV, with opening and closing balances.")]
Since = Annotated[datetime | None, typer.Option(help="From this time of UTC on.")]
Until = Annotated[datetime | None, typer.Option(help="Before this time of UTC.")]

commands = typer.Typer(help="Read statements of wallets and earnings.", no_args_is_help=True)


@commands.command()
def statement(
    user_id: Annotated[str, typer.Argument(metavar="USER", help="Whose wallet, by the user's id.")],
    csv: Csv = False,  # noqa: FBT002 - an option
    since: Since = None,
    until: Until = None,
    data_dir: DataDir = None,
) -> None:
    """Print the statement of a wallet: the newest moves, or all of it as CSV. Works beside a server."""
    _print("wallets", ids.USER, user_id, (csv, since, until), data_dir)


@commands.command()
def earnings(
    creator_id: Annotated[str, typer.Argument(metavar="CREATOR", help="Whose earnings, by the creator's id.")],
    csv: Csv = False,  # noqa: FBT002 - an option
    since: Since = None,
    until: Until = None,
    data_dir: DataDir = None,
) -> None:
    """Print the statement of a creator's earnings: the newest moves, or all of it as CSV. Works beside a server."""
    _print("earnings", ids.CREATOR, creator_id, (csv, since, until), data_dir)


def _print(
    kind: str, prefix: str, subject_id: str, asked: tuple[bool, datetime | None, datetime | None], data_dir: DataDir
) -> None:
    from shoutgraph import app
    from shoutgraph.services import statements
    from shoutgraph.services.statements import Kind, Source, Span

    if ids.prefix_of(subject_id) != prefix:
        fail(f"{subject_id!r} is not the id of a {prefix}")
    csv, *times = asked
    source = Source(Kind(kind), subject_id)
    span = Span(*(None if at is None else at.replace(tzinfo=UTC) for at in times))
    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        if csv:
            for part in store.read_now(lambda tx: list(statements.file_of(tx, source, span))):
                sys.stdout.write(part)
            return
        found = store.read_now(lambda tx: statements.newest(tx, source, LINES_SHOWN))
    if not found:
        fail("nothing has moved")
    numbers = [Column(name, justify="right") for name in ("coins", "balance")]
    table = Table("date", "what", "account", *numbers, title="Statement")
    for told in found:
        line = told.line
        when = line.at.strftime("%Y-%m-%d %H:%M")
        table.add_row(when, told.words, told.account, f"{line.coins:+,}", f"{line.balance_coins:,}")
    show(table)
    console.print(f"The newest {len(found)}; --csv prints all.", highlight=False)
