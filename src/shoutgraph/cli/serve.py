"""`shoutgraph serve`: the API, and the jobs in the same process."""

import asyncio
from typing import Annotated

import typer
import uvloop

from shoutgraph import app
from shoutgraph.app import App
from shoutgraph.cli.shared import DataDir, console, fail, read_settings
from shoutgraph.domain.errors import StoreUnavailableError
from shoutgraph.plugins.statuses import PluginsBrokenError


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
    settings = read_settings(host=host, port=port, data_dir=data_dir, test_clock=test_clock)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(app.serve(settings, on_ready=_say_ready))
    except (StoreUnavailableError, PluginsBrokenError, OSError) as error:
        fail(str(error))


def _say_ready(ready: App) -> None:
    console.print(f"[bold]shoutgraph[/] serves [link]{ready.base_url}/graphql[/link]", soft_wrap=True)
    for status in ready.tools.providers.instances:
        console.print(f"  provider {status.instance} ({status.plugin}): {status.state}", soft_wrap=True)
