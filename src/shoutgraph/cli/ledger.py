"""`shoutgraph ledger`: proves the books, and prints an account's statement."""

from typing import Annotated, Final

import typer
from rich.table import Table

from shoutgraph import app
from shoutgraph.cli.shared import DataDir, console, fail, read_settings
from shoutgraph.domain import pages
from shoutgraph.domain.errors import FaultError
from shoutgraph.services import books
from shoutgraph.services.books import Proof
from shoutgraph.settings import Settings

LINES_MAX: Final = 500

commands = typer.Typer(help="Prove the books; print statements.", no_args_is_help=True)


@commands.command()
def verify(data_dir: DataDir = None) -> None:
    """Prove the laws of the ledger, the lots, the orders' escrow and the journal's hash chain.

    Exit code 0: everything holds. Exit code 1: something does not; each violation names its law and rows.
    Runs beside a serving process, on a read-only connection.
    """
    try:
        with app.open_reader(read_settings(data_dir=data_dir), any_schema=True) as store:
            fault = store.schema_fault
            if fault is not None:
                console.print(f"[bold red]schema[/] {fault}", soft_wrap=True)
            proof = store.read_now(books.prove)
    except FaultError as error:
        fail(str(error))
    for violation in proof.violations:
        console.print(f"[bold red]{violation.law}[/] {violation.what}: {', '.join(violation.rows)}", soft_wrap=True)
    if proof.violations or fault is not None:
        fail(f"{len(proof.violations) + (fault is not None)} violations in {proof.postings:,} postings")
    console.print(f"[bold green]The books balance.[/] {proven(proof)}", soft_wrap=True)


@commands.command()
def statement(
    account: Annotated[str, typer.Argument(help="Code of an account, such as mint or user:user_...:paid.")],
    lines: Annotated[int, typer.Option(help="How many lines, the newest first.", min=1, max=LINES_MAX)] = 20,
    data_dir: DataDir = None,
) -> None:
    """Print an account's newest entries with the balance after each."""
    args = pages.PageArgs(size=lines, key=None, backward=False)
    try:
        with app.open_reader(read_settings(data_dir=data_dir)) as store:
            entries = store.read_now(lambda tx: books.statement(tx, account, args))
    except FaultError as error:
        fail(str(error))
    if not entries:
        fail(f"There is no account {account}, or nothing was posted to it.")
    table = Table("no.", "at", "kind", "ref", "from / to", "amount", "balance", title=account)
    for entry in entries[:lines]:
        amount = f"{entry.amount:+,}"
        table.add_row(
            str(entry.version),
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            entry.kind,
            entry.ref,
            entry.counter_account,
            amount,
            f"{entry.balance:,}",
        )
    console.print(table)


def prove(settings: Settings) -> Proof:
    """Proves the books of a deployment, beside its server if one runs."""
    with app.open_reader(settings) as store:
        return store.read_now(books.prove)


def proven(proof: Proof) -> str:
    """How much a proof looked at, in words."""
    counted = ", ".join(
        f"{number:,} {name}{'' if number == 1 else 's'}"
        for number, name in (
            (proof.postings, "posting"),
            (proof.accounts, "account"),
            (proof.lots, "lot"),
            (proof.orders, "order"),
            (proof.events, "event"),
        )
    )
    return f"{counted}; chain {proof.head[:12]}"
