"""`shoutgraph serve`: the API, and the jobs in the same processes."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Annotated

import typer

from shoutgraph.cli.restore import AcceptLoss, Without, first_of
from shoutgraph.cli.shared import EXPECTED, DataDir, console, importing, read_settings, say_error
from shoutgraph.plugins.statuses import InstanceStatus
from shoutgraph.serving.worker import Worker
from shoutgraph.settings import Settings, SettingsError


def serve(  # noqa: PLR0913, PLR0917 - the command line's options
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data_dir: DataDir = None,
    workers: Annotated[int | None, typer.Option(help="How many processes serve; more than 1 on PostgreSQL.")] = None,
    jobs: Annotated[
        bool | None, typer.Option("--jobs/--no-jobs", help="Run the jobs here too; `shoutgraph work` runs them alone.")
    ] = None,
    test_clock: Annotated[
        bool | None, typer.Option("--test-clock", help="Let an admin move time; never in production.")
    ] = None,
    restore: Annotated[  # noqa: FBT002
        bool, typer.Option("--restore", help="First do what `shoutgraph restore` does, then open the doors.")
    ] = False,
    accept_loss: AcceptLoss = None,
    without: Without = None,
) -> None:
    """Serve the API, and run the jobs, until interrupted.

    The embedded database is created and migrated when it is not there. In development the sandbox provider is
    configured by itself, and GraphiQL is at /graphql.
    """
    with importing():
        from shoutgraph.serving import process

    settings = read_settings(host=host, port=port, data_dir=data_dir, workers=workers, jobs=jobs, test_clock=test_clock)
    if settings.workers > 1 and settings.embedded:
        raise SettingsError("SQLite has one writing process: several workers need PostgreSQL.")
    if not restore and (accept_loss is not None or without):
        raise SettingsError("--accept-loss and --without go with --restore.")
    with process.listen(settings) as listener:
        if restore:
            _restore(settings, listener, accept_loss, without)
            return
        if settings.workers > 1:
            raise typer.Exit(_serve_many(settings, listener))
        _run(settings, listener, None)


def _serve_many(settings: Settings, listener: socket.socket) -> int:
    from shoutgraph.serving import process, workers

    def run(worker: Worker) -> int:
        try:
            _run(settings, listener, worker)
        except EXPECTED as error:
            say_error(error)
            return 1
        return 0

    def ready() -> None:
        _say_address(process.address_of(settings, listener))
        console.print(f"  {settings.workers} workers", soft_wrap=True)

    return workers.supervise(run, settings.workers, on_ready=ready, on_end=listener.close)


def _restore(settings: Settings, listener: socket.socket, accept_loss: int | None, without: list[str] | None) -> None:
    import uvloop

    from shoutgraph.serving import process

    first = first_of(settings, accept_loss=accept_loss, without=without, stay=True)
    with process.observed(settings), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(process.serve_after(settings, listener, first, on_ready=lambda address, _: _say_address(address)))


def _run(settings: Settings, listener: socket.socket, worker: Worker | None) -> None:
    import uvloop

    from shoutgraph.serving import process

    def ready(address: str, instances: Sequence[InstanceStatus]) -> None:
        if worker is not None:
            worker.ready()
        else:
            _say_address(address)
        if worker is None or (worker.first and worker.number == 0):
            for status in instances:
                console.print(f"  provider {status.instance} ({status.plugin}): {status.state}", soft_wrap=True)

    number = 0 if worker is None else worker.number
    with process.observed(settings, number), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(process.serve(settings, listener, on_ready=ready, parent=worker))


def _say_address(address: str) -> None:
    console.print(f"[bold]shoutgraph[/] serves [link]{address}/graphql[/link]", soft_wrap=True)
