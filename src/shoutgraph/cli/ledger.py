"""`shoutgraph ledger`: proves the books, and prints an account's statement."""

import json
from collections.abc import Sequence
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Column, Table

from shoutgraph.cli.shared import DataDir, console, fail, read_settings, show
from shoutgraph.domain import pages
from shoutgraph.domain.entries import Entry

LINES_MAX: Final = 500

commands = typer.Typer(help="Prove the books; print statements.", no_args_is_help=True)


@commands.command()
def verify(data_dir: DataDir = None) -> None:
    """Prove the laws of the ledger, the lots, the orders' escrow and the journal's hash chain.

    Exit code 0: everything holds. Exit code 1: something does not; each violation names its law and rows.
    Runs beside a serving process, on a read-only connection.
    """
    from shoutgraph import app
    from shoutgraph.cli.proof import proven
    from shoutgraph.services import books

    with app.open_reader(read_settings(data_dir=data_dir), any_schema=True) as store:
        fault = store.schema_fault
        if fault is not None:
            console.print(f"[bold red]schema[/] {fault}", soft_wrap=True)
        proof = store.read_now(books.prove)
    for violation in proof.violations:
        console.print(f"[bold red]{violation.law}[/] {violation.what}: {', '.join(violation.rows)}", soft_wrap=True)
    if proof.violations or fault is not None:
        fail(f"{len(proof.violations) + (fault is not None)} violations in {proof.postings:,} postings")
    console.print(f"[bold green]The books balance.[/] {proven(proof)}", soft_wrap=True)


@commands.command()
def statement(
    account: Annotated[str, typer.Argument(help="Code of an account, such as mint or user:user_...:paid.")],
    lines: Annotated[int, typer.Option(help="How many lines, the newest first.", min=1, max=LINES_MAX)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of a table.")] = False,  # noqa: FBT002
    data_dir: DataDir = None,
) -> None:
    """Print an account's newest entries with the balance after each, in the account's own units.

    Credits are positive, debits negative. So what we owe people reads positive, and what we hold negative: a balance
    of -500 on cash:psp:... is money that lies there for us.
    """
    from shoutgraph import app
    from shoutgraph.services import books

    args = pages.PageArgs(size=lines, key=None, backward=False)
    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        entries = store.read_now(lambda tx: books.statement(tx, account, args))[:lines]
    if not entries:
        fail(f"There is no account {account}, or nothing was posted to it.")
    if as_json:
        typer.echo(json.dumps([_plain(entry) for entry in entries], indent=2))
    else:
        show(_table(account, entries))


def _table(account: str, entries: Sequence[Entry]) -> Table:
    words = ("at", "kind", "ref", "from / to")
    table = Table(
        Column("no.", justify="right", no_wrap=True, overflow="fold"),
        *(Column(name, overflow="fold") for name in words),
        *(Column(name, justify="right", no_wrap=True, overflow="fold") for name in ("amount", "balance")),
        title=escape(account),
    )
    for entry in entries:
        told = (f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.kind, entry.ref, entry.counter_account)
        table.add_row(str(entry.version), *map(escape, told), f"{entry.amount:+,}", f"{entry.balance:,}")
    return table


def _plain(entry: Entry) -> dict[str, object]:
    return {
        "number": entry.version,
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "ref": entry.ref,
        "reason": entry.reason,
        "counterAccount": entry.counter_account,
        "amount": entry.amount,
        "balance": entry.balance,
    }
