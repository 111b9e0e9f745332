"""`plugins new`: writes a plugin that works, for its author to change."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from shoutgraph.cli.shared import console, fail
from shoutgraph.plugins import writing
from shoutgraph.plugins.writing import Kind


def new(
    name: Annotated[str, typer.Argument(help="The vendor's name in small letters, such as acme or acme-pay.")],
    kind: Annotated[Kind, typer.Option(help="topup takes money, payout sends it, redeem takes a store's receipts.")],
    folder: Annotated[Path | None, typer.Option(help="Where; shoutgraph-NAME by default.")] = None,
) -> None:
    """Write a new plugin with a simulator: it installs, type-checks and passes the conformance kit as it is."""
    target = folder or Path(f"shoutgraph-{name}")
    try:
        written = writing.write(name, kind, target)
    except writing.WritingError as refused:
        fail(str(refused))
    module = f"shoutgraph_{name.replace('-', '_')}"
    lines = (
        f"Wrote {len(written)} files. Next:",
        f"  pip install -e '{target}[testkit]'",
        f"  shoutgraph plugins check shoutgraph-{name}",
        f"Then teach {target}/src/{module}/provider.py and simulator/ the language of your vendor.",
    )
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False)
