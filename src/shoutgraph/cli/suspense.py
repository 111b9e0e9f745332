"""`shoutgraph suspense`: money that a provider moved and no transfer explains, and the two people who place it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.markup import escape
from rich.table import Column, Table

from shoutgraph.cli.shared import By, DataDir, asked, console, person, read_settings, show, work_with
from shoutgraph.domain import clock, money
from shoutgraph.domain.suspense import Line

if TYPE_CHECKING:
    from shoutgraph.tools import Done, Tools

LIST_MAX: Final = 1_000
"""The most lines that are shown at once; the API pages through more."""

commands = typer.Typer(help="Look at money that nobody can explain, and place it by two people.", no_args_is_help=True)

LineId = Annotated[str, typer.Argument(metavar="LINE", help="Its id, as the list shows it.")]


@commands.command("list")
def list_lines(
    everything: Annotated[bool, typer.Option("--all", help="Those that were explained or placed, too.")] = False,  # noqa: FBT002
    data_dir: DataDir = None,
) -> None:
    """List what no transfer explains, the newest first: in above zero, out below. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services.money import suspense

    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = store.read_now(lambda tx: suspense.list_of(tx, LIST_MAX, ended=everything))
    words = ("id", "instance", "line", "its name")
    amount = Column("amount", justify="right")
    table = Table(*words, amount, "found at", "stands", "revision", "place", "by", title="Suspense")
    for line in found:
        table.add_row(*map(escape, _told(line)))
    show(table)


@commands.command()
def propose(
    line: LineId,
    to: Annotated[str, typer.Option(help="Where it belongs: rev:..., exp:..., cash:bank:EUR, user:...:debt.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")],
    by: By,
    data_dir: DataDir = None,
) -> None:
    """Propose where a line belongs. Nothing moves until another person confirms it.

    On PostgreSQL it works beside the server, on an embedded database while no server writes; the API does the same.
    """
    from shoutgraph.services.money import suspense

    viewer = person(by)
    wish = suspense.Wish(line, None, to, reason)
    made = _decide(data_dir, lambda tools: suspense.propose(tools, viewer, asked(viewer, "suspensePropose"), wish))
    again = f"shoutgraph suspense confirm {made.id} --revision {made.revision} --by NAME"
    console.print(f"Another person confirms it: {again}", soft_wrap=True)


@commands.command()
def confirm(
    line: LineId,
    revision: Annotated[int, typer.Option(help="That of the proposal that you saw, as the list shows it.")],
    by: By,
    data_dir: DataDir = None,
) -> None:
    """Confirm where another person said that a line belongs; it goes there at once."""
    from shoutgraph.services.money import suspense

    viewer, wish = person(by), suspense.Wish(line, revision)
    _decide(data_dir, lambda tools: suspense.confirm(tools, viewer, asked(viewer, "suspenseConfirm"), wish))


@commands.command()
def reject(line: LineId, by: By, data_dir: DataDir = None) -> None:
    """Reject what was proposed of a line, or take it back; the line waits on."""
    from shoutgraph.services.money import suspense

    viewer, wish = person(by), suspense.Wish(line, None)
    _decide(data_dir, lambda tools: suspense.reject(tools, viewer, asked(viewer, "suspenseReject"), wish))


def _decide(data_dir: Path | None, step: "Callable[[Tools], Awaitable[Done[Line]]]") -> Line:
    """Takes a step with a line, and tells how it stands then."""

    async def work(tools: "Tools") -> Line:
        return (await step(tools)).value

    line = work_with(data_dir, work)
    where = "" if line.account is None else f" at {line.account}"
    told = f"{line.id}: {line.state.lower()}{where}, {money.to_text(line.amount)}, revision {line.revision}"
    console.print(escape(told), soft_wrap=True, highlight=False)
    return line


def _told(line: Line) -> tuple[str, ...]:
    ours = (line.id, line.instance, line.line_id, line.ref or "", money.to_text(line.amount))
    said = ", ".join(filter(None, (line.proposed_by, line.decided_by)))
    return *ours, clock.to_text(line.found_at), line.state.lower(), str(line.revision), line.account or "", said
