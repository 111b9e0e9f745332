"""The command: where the demo keeps its data, how it tells, and what stays up afterwards."""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from shoutgraph import settings
from shoutgraph.cli import seed
from shoutgraph.cli.demo import server, telling
from shoutgraph.cli.demo.people import StoryError, client_of
from shoutgraph.cli.demo.server import ServerFailedError
from shoutgraph.cli.demo.story import Story
from shoutgraph.cli.demo.telling import WIDTH, Teller
from shoutgraph.cli.shared import fail

PREFIX: Final = "shoutgraph-demo-"


def demo(
    video: Annotated[
        Path | None, typer.Option(help="The video to deliver; by default one is made.", exists=True)
    ] = None,
    keep: Annotated[
        bool | None, typer.Option(help="Leave the server up with tokens and links; the default in a terminal.")
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Write the story as a picture to this file.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the server; by default a free one.")] = None,
) -> None:
    """Play one real order from top-up to payout through the public API, and prove the books.

    Starts a server on an embedded database with the sandbox provider. Exit code 0: every step worked and every
    coin is accounted for.
    """
    console = Console(width=WIDTH if svg or not sys.stdout.isatty() else None, record=svg is not None)
    stay = sys.stdout.isatty() if keep is None else keep
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        _play(folder, Teller(console), port or server.free_port(), video=video, stay=stay)
    except (StoryError, ServerFailedError) as error:
        fail(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if svg is not None:
        svg.write_text(telling.picture(console), encoding="utf-8")


def _play(folder: Path, teller: Teller, port: int, *, video: Path | None, stay: bool) -> None:
    teller.title(
        "shoutgraph: one order from top-up to payout", subtitle="a real server, the public API, every coin in the books"
    )
    asyncio.run(seed.load(settings.load({"data_dir": folder})))
    with server.serving(folder, port) as url, client_of(url) as http:
        story = Story(url, http, folder, teller)
        story.play(video)
        if stay:
            _stay(story, teller)


def _stay(story: Story, teller: Teller) -> None:
    teller.console.rule("the server stays up; Ctrl-C ends it")
    for line in story.links():
        teller.console.print(line, soft_wrap=True)
    try:
        story.wait_for_ever()
    except KeyboardInterrupt:
        teller.console.print("[dim]stopped[/]")
