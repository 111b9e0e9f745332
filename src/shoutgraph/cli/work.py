"""`shoutgraph work`: the jobs without the API."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from shoutgraph.cli.shared import DataDir, console, importing, read_settings
from shoutgraph.plugins.statuses import InstanceStatus


def work(
    data_dir: DataDir = None,
    health_port: Annotated[
        int | None, typer.Option(help="Port of /health, /health/live and /health/ready; none by default.")
    ] = None,
    test_clock: Annotated[
        bool | None, typer.Option("--test-clock", help="Go by the test clock; never in production.")
    ] = None,
) -> None:
    """Run the jobs until interrupted: deadlines, payouts, checks of videos, looks at open money.

    For PostgreSQL: any number of these run side by side, and beside `shoutgraph serve`; what one has taken up, the
    others leave alone.
    """
    with importing():
        import uvloop

        from shoutgraph.serving import process

    def ready(address: str, instances: Sequence[InstanceStatus]) -> None:
        console.print(f"[bold]shoutgraph[/] works, with {len(instances)} providers", soft_wrap=True)
        if address:
            console.print(f"  health: {address}/health/ready", soft_wrap=True)

    settings = read_settings(data_dir=data_dir, health_port=health_port, test_clock=test_clock)
    with process.observed(settings), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(process.work(settings, on_ready=ready))
