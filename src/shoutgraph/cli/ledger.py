"""`shoutgraph ledger`: proves the books, anchors the journal, and prints an account's statement."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Column, Table

from shoutgraph.cli.shared import DataDir, console, fail, read_settings, show, work_with
from shoutgraph.domain import clock, pages
from shoutgraph.domain.entries import Entry

LINES_MAX: Final = 500
IGNORED_TOLD_MAX: Final = 20

commands = typer.Typer(help="Prove the books; anchor the journal; print statements.", no_args_is_help=True)

Anchors = Annotated[
    Path | None, typer.Option(help="Folder of the anchors; SHOUTGRAPH_ANCHOR_DIR otherwise.", show_default=False)
]


@commands.command()
def verify(anchors: Anchors = None, data_dir: DataDir = None) -> None:
    """Prove the laws of the ledger, the lots, the orders' escrow and the journal's hash chain.

    Where there is a folder of anchors, every one of them is compared too. Exit code 0: everything holds. Exit code 1:
    something does not; each violation names its law and rows. Runs beside a serving process, on a read-only connection.
    """
    from shoutgraph import app
    from shoutgraph.cli.proof import patiently, proven
    from shoutgraph.services import anchors as anchoring, books

    settings = read_settings(data_dir=data_dir, anchor_dir=anchors)
    folder = app.anchor_folder(settings)
    with app.open_reader(settings, any_schema=True) as store:
        wrong = [("schema", store.schema_fault)] if store.schema_fault is not None else []
        proof = patiently(store, books.prove)
        compared = None if folder is None else patiently(store, lambda tx: anchoring.compare(tx, folder))
    if compared is not None:
        for each in compared.ignored[:IGNORED_TOLD_MAX]:
            console.print(f"[yellow]ignored[/] {escape(each.name)}: {escape(each.why)}", soft_wrap=True)
        if compared.fault is not None:
            wrong.append(("anchors", compared.fault))
    for what, fault in wrong:
        console.print(f"[bold red]{what}[/] {fault}", soft_wrap=True)
    for violation in proof.violations:
        console.print(f"[bold red]{violation.law}[/] {violation.what}: {', '.join(violation.rows)}", soft_wrap=True)
    if proof.violations or wrong:
        fail(f"{len(proof.violations) + len(wrong)} violations in {proof.postings:,} postings")
    console.print(f"[bold green]The books balance.[/] {proven(proof)}", soft_wrap=True)
    if compared is not None:
        lost = f", {compared.lost:,} of before a restore" if compared.lost else ""
        console.print(f"{compared.agreeing:,} anchors agree{lost}; {len(compared.ignored):,} ignored.", soft_wrap=True)


@commands.command()
def anchor(
    anchors: Anchors = None,
    public_key: Annotated[  # noqa: FBT002
        bool, typer.Option("--public-key", help="Only print the keys that prove, for another machine.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Write an anchor of the journal's newest line now, beside a serving process or without one."""
    from shoutgraph import app
    from shoutgraph.files import signing
    from shoutgraph.services import anchors as anchoring

    settings = read_settings(data_dir=data_dir, anchor_dir=anchors)
    if public_key:
        typer.echo(json.dumps(signing.open_signer(settings.anchor_key_path).public))
        return
    folder = app.anchor_folder(settings)
    if folder is None:
        fail("there is no folder for anchors: give --anchors, or set SHOUTGRAPH_ANCHOR_DIR")
    with app.open_reader(settings) as store:
        written = store.read_now(lambda tx: anchoring.write_now(tx, folder, app.wall_clock))
    if written is None:
        fail("the journal has no line yet")
    told = f"line {written.seq:,} of epoch {written.epoch}, {written.hash.hex()[:12]}, {clock.to_text(written.at)}"
    console.print(f"{folder.folder}: {told}", soft_wrap=True, highlight=False)


@commands.command("sweep-fees")
def sweep_fees(data_dir: DataDir = None) -> None:
    """Make revenue of the fees that no refund can ask for any more; a worker does it once a day by itself.

    On PostgreSQL it works beside the server, on an embedded database while no server writes.
    """
    from shoutgraph.services.money import fees

    coins = work_with(data_dir, fees.sweep)
    console.print(f"Booked as revenue: {coins:,} coins of fees." if coins else "Nothing to sweep.", soft_wrap=True)


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
