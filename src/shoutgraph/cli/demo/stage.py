"""Where the story is played: a server of its own, and what stays up afterwards."""

import asyncio
from pathlib import Path
from typing import Final

from shoutgraph import settings
from shoutgraph.cli import seed
from shoutgraph.cli.demo import chapters, server
from shoutgraph.cli.demo.people import StoryError, client_of
from shoutgraph.cli.demo.server import ServerFailedError
from shoutgraph.cli.demo.story import Story
from shoutgraph.cli.demo.telling import Teller

FAILURES: Final = (StoryError, ServerFailedError)


def play(folder: Path, teller: Teller, port: int | None, *, video: Path | None, stay: bool, full: bool = False) -> None:
    """Plays the story in a folder, and leaves the server up until interrupted if it is to stay.

    Raises:
        StoryError: a step did not go as it should.
        ServerFailedError: the server did not start.
    """
    told = "one order from top-up to payout" + (", and all the rest" if full else "")
    teller.title(f"shoutgraph: {told}", subtitle="a real server, the public API, every coin in the books")
    asyncio.run(seed.load(settings.load({"data_dir": folder})))
    with server.serving(folder, port or server.free_port()) as url, client_of(url) as http:
        story = Story(url, http, folder, teller)
        story.play(video, chapters.FULL if full else ())
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
