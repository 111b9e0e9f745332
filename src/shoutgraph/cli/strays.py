"""`shoutgraph strays`: money that a provider has and the books do not know, until a person has settled it."""

from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Column, Table

from shoutgraph.cli.shared import DataDir, console, read_settings, show, work_with
from shoutgraph.domain import clock, money
from shoutgraph.domain.strays import Stray
from shoutgraph.domain.users import ROLES, Viewer

OPERATOR: Final = Viewer(scopes=ROLES["admin"], principal="operator:strays")

commands = typer.Typer(help="Look at money that a restore found and the books do not know.", no_args_is_help=True)


@commands.command("list")
def list_strays(
    everything: Annotated[bool, typer.Option("--all", help="Those that are settled, too.")] = False,  # noqa: FBT002
    data_dir: DataDir = None,
) -> None:
    """List what providers have under names of ours that the books do not know, the oldest first."""
    from shoutgraph import app
    from shoutgraph.services import strays

    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = [each for each in store.read_now(strays.list_of) if everything or each.settled_at is None]
    words = ("made at", "instance", "our name", "its name", "is")
    table = Table(*words, Column("amount", justify="right"), "creator", "settled", title="Strays")
    for each in found:
        table.add_row(*map(escape, _told(each)))
    show(table)


@commands.command()
def settle(
    instance: Annotated[str, typer.Argument(help="The provider's instance.")],
    name: Annotated[str, typer.Argument(help="Our name of it, as the list shows it.")],
    note: Annotated[str, typer.Option(help="What was done, for whoever asks later.")],
    data_dir: DataDir = None,
) -> None:
    """Say that one was settled: given back at the provider, or made good by hand. It moves no money by itself.

    Works while no server writes to an embedded database. Payouts to its creator go on afterwards.
    """
    from shoutgraph.services import strays

    work_with(data_dir, lambda tools: strays.settle(tools, OPERATOR, instance=instance, operation_id=name, note=note))
    console.print(f"{instance} {name}: settled", soft_wrap=True, highlight=False)


def _told(stray: Stray) -> tuple[str, ...]:
    amount = "" if stray.amount is None else money.to_text(stray.amount)
    made = clock.to_text(stray.made_at)
    ours = (made, stray.instance, stray.operation_id, stray.ref or "", stray.seen.lower().replace("_", " "))
    return *ours, amount, stray.creator_id or "", stray.note or ""
