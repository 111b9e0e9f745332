"""`shoutgraph demo`: its options, and where it keeps its data."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from shoutgraph.cli.shared import fail

PREFIX: Final = "shoutgraph-demo-"


def demo(
    video: Annotated[
        Path | None, typer.Option(help="The video to deliver; by default one is made.", exists=True)
    ] = None,
    keep: Annotated[
        bool | None, typer.Option(help="Leave the server up with tokens and links; the default in a terminal.")
    ] = None,
    full: Annotated[
        bool | None, typer.Option("--full", help="Play more than one order: gifts, and what else there is.")
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Write the story as a picture to this file.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the server; by default a free one.")] = None,
) -> None:
    """Play one real order from top-up to payout through the public API, and prove the books.

    Starts a server on an embedded database with the sandbox provider. Exit code 0: every step worked and every
    coin is accounted for.
    """
    from shoutgraph.cli.demo import stage, telling

    wide = telling.WIDTH if svg or not sys.stdout.isatty() else None
    console = Console(width=wide, record=svg is not None, emoji=False)
    stay = sys.stdout.isatty() if keep is None else keep
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        stage.play(folder, telling.Teller(console), port, video=video, stay=stay, full=bool(full))
    except stage.FAILURES as error:
        fail(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if svg is not None:
        svg.write_text(telling.picture(console), encoding="utf-8")
