"""`shoutgraph serve`: the API, and the jobs in the same process."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from shoutgraph.cli.shared import DataDir, console, read_settings
from shoutgraph.plugins.statuses import InstanceStatus


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data_dir: DataDir = None,
    test_clock: Annotated[
        bool | None, typer.Option("--test-clock", help="Let an admin move time; never in production.")
    ] = None,
) -> None:
    """Serve the API, and run the jobs, until interrupted.

    The embedded database is created and migrated when it is not there. In development the sandbox provider is
    configured by itself, and GraphiQL is at /graphql.
    """
    import uvloop

    from shoutgraph import app

    settings = read_settings(host=host, port=port, data_dir=data_dir, test_clock=test_clock)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        serving = app.serve(settings, on_ready=lambda it: _say_ready(it.base_url, it.tools.providers.instances))
        runner.run(serving)


def _say_ready(base_url: str, instances: Sequence[InstanceStatus]) -> None:
    console.print(f"[bold]shoutgraph[/] serves [link]{base_url}/graphql[/link]", soft_wrap=True)
    for status in instances:
        console.print(f"  provider {status.instance} ({status.plugin}): {status.state}", soft_wrap=True)
