"""`shoutgraph restore`: puts books that went back in time beside what the providers know, before anybody comes in."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shoutgraph.cli.shared import DataDir, console, fail, read_settings
from shoutgraph.domain import clock
from shoutgraph.settings import Settings, SettingsError

if TYPE_CHECKING:  # what a command needs is imported when it runs
    from shoutgraph.jobs.restore import Report
    from shoutgraph.serving.process import First

AcceptLoss = Annotated[
    int | None,
    typer.Option(help="The newest anchored line, to accept that it is lost with all after the database's.", min=1),
]
Without = Annotated[list[str] | None, typer.Option(help="A provider that need not answer; compare its list by hand.")]


def restore(  # noqa: PLR0913, PLR0917 - the command line's options
    backup: Annotated[
        Path | None, typer.Option("--from", help="A backup, put in the place of the embedded database first.")
    ] = None,
    accept_loss: AcceptLoss = None,
    without: Without = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on, with closed doors.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, with closed doors.")] = None,
    test_clock: Annotated[
        bool | None, typer.Option("--test-clock", help="Go by the test clock; never in production.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Reconcile a restored database with its providers, prove its books, and begin a new epoch of its journal.

    Nobody is let in meanwhile; `shoutgraph serve` opens afterwards. It refuses a database that ends before its newest
    anchor unless the loss is accepted by its number, and may be repeated until it comes to its end.
    """
    import uvloop

    from shoutgraph.serving import process

    settings = read_settings(host=host, port=port, test_clock=test_clock, data_dir=data_dir)
    if backup is not None:
        _put_in_place(settings, backup)
    with process.listen(settings) as listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        first = first_of(settings, accept_loss=accept_loss, without=without, stay=False)
        runner.run(process.serve_after(settings, listener, first, on_ready=lambda *_: None))


def first_of(settings: Settings, *, accept_loss: int | None, without: Sequence[str] | None, stay: bool) -> "First":
    """What a restore does before anybody is let in.

    Raises:
        SettingsError: several processes would serve.
    """
    from shoutgraph import app
    from shoutgraph.cli import proof
    from shoutgraph.jobs import restore as jobs

    if settings.workers > 1:
        raise SettingsError("A restore runs in one process: restore with one worker, then serve with more.")
    plan = jobs.Plan(accept_loss, frozenset(without or ()))

    async def first(opened: app.App) -> bool:
        prove = lambda: asyncio.to_thread(proof.prove, settings)  # noqa: E731
        _say(await jobs.run(opened.tools, plan, prove=prove))
        return stay

    return first


def _put_in_place(settings: Settings, backup: Path) -> None:
    from shoutgraph import app
    from shoutgraph.cli import proof
    from shoutgraph.services import backup as backups

    if not settings.embedded:
        fail("PostgreSQL is restored by pg_restore or from its archived log; docs/OPERATIONS.md has the commands")
    proven = proof.prove_copy(settings, backup)
    if proven.violations:
        fail(f"the books of {backup} do not balance: {len(proven.violations)} violations")
    console.print(f"{backup}: line {proven.events:,}; {proof.proven(proven)}", soft_wrap=True, highlight=False)
    for moved in backups.put_in_place(backup, settings.database_path, now=app.wall_clock()):
        console.print(f"kept {moved}", soft_wrap=True, highlight=False)


def _say(report: "Report") -> None:
    from shoutgraph.cli.proof import proven

    _tell(f"asked about everything since {clock.to_text(report.since)}: {report.looked:,} looks")
    _tell(
        f"{report.known:,} objects are in the books, {report.strays:,} are not, {report.named:,} of those have a name"
    )
    for name in report.unlisted:
        _tell(f"{name} cannot list what it has: compare its list with the books by hand")
    _tell(proven(report.proof))
    _tell(f"epoch {report.epoch.number} begins after line {report.epoch.after.seq:,}; cursors of before are refused")


def _tell(line: str) -> None:
    console.print(f"restore: {line}", soft_wrap=True, highlight=False)
