"""`shoutgraph move`: a whole deployment from one database into another, of either kind."""

from typing import Annotated

import typer

from shoutgraph.cli.shared import console

DATABASE = "sqlite:///path or postgresql://user@host/name, as its owner."


def move(
    source: Annotated[str, typer.Argument(help=f"Where everything is: {DATABASE}", show_default=False)],
    target: Annotated[str, typer.Argument(help=f"Where it goes, migrated and empty: {DATABASE}", show_default=False)],
) -> None:
    """Copy a whole database into an empty one, and have that one prove it. Nobody may use either meanwhile.

    Ids, numbers and hashes stay; balances arise anew from their postings, through the target's own guards. In the end
    every row is compared and the books are proven, before anything is kept: so it may be stopped and started again.
    """
    from shoutgraph import app
    from shoutgraph.services import books, move as moving

    def tell(table: str, rows: int) -> None:
        if rows:
            console.print(f"  {table}: {rows:,}", highlight=False)

    moved = moving.move(source, target, app.wall_clock, prove=books.prove, tell=tell)
    rows, seconds = sum(moved.rows.values()), moved.seconds
    speed = f"{rows:,} rows in {seconds:,.1f} s, {rows / seconds:,.0f} a second" if seconds else f"{rows:,} rows"
    console.print(f"[bold green]The books balance.[/] {speed}; line {moved.seq:,}, chain {moved.hash.hex()[:12]}")
