"""`shoutgraph schema`: prints the API as text, or checks that a file says the same."""

from pathlib import Path
from typing import Annotated

import typer

from shoutgraph.cli.shared import console, fail


def schema(
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
    check: Annotated[Path | None, typer.Option(help="Exit with code 1 unless this file says the same.")] = None,
) -> None:
    """Print the GraphQL schema (SDL)."""
    from shoutgraph.api.graphql.schema import build_schema

    text = build_schema().as_str() + "\n"
    if check is not None:
        if not check.exists() or check.read_text(encoding="utf-8") != text:
            fail(f"{check} is not the schema of this code; run: shoutgraph schema --out {check}")
        console.print(f"{check} is the schema of this code.")
    elif out is not None:
        out.write_text(text, encoding="utf-8")
    else:
        typer.echo(text, nl=False)
