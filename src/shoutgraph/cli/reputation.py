"""`shoutgraph reputation`: proves that what creators are known for is what the journal tells, and counts it again."""

import typer
from rich.table import Table

from shoutgraph.cli.shared import DataDir, console, fail, read_settings, show, work_with

commands = typer.Typer(help="Prove and rebuild what creators are known for.", no_args_is_help=True)


@commands.command()
def verify(data_dir: DataDir = None) -> None:
    """Count the journal again, up to where the job stands, and compare every day of every creator."""
    from shoutgraph import app
    from shoutgraph.services import reputation

    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        proof = store.read_now(reputation.prove)
    if proof.wrong:
        table = Table("creator", "day", "kept", "told by the journal", title="Days that differ")
        for creator_id, day, kept, told in proof.wrong:
            table.add_row(creator_id, str(day), str(kept), str(told))
        show(table)
        fail(f"{len(proof.wrong)} days differ; `shoutgraph reputation rebuild` counts them again")
    console.print(f"Reputation holds: {proof.days} days are what {proof.lines} lines of the journal tell.")


@commands.command()
def rebuild(data_dir: DataDir = None) -> None:
    """Count the whole journal again and put that in the place of what was kept, in one unit of work.

    The embedded database is worked on while no server runs.
    """
    from shoutgraph.services import reputation

    console.print(f"Counted again: {work_with(data_dir, reputation.rebuild)} days.")
