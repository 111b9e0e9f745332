"""`shoutgraph schema`: prints the API as text, checks that a file says the same, or what changed since a release."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from shoutgraph.cli.shared import console, fail, show


def schema(
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
    check: Annotated[Path | None, typer.Option(help="Exit with code 1 unless this file says the same.")] = None,
    since: Annotated[
        Path | None, typer.Option(help="Say what changed since this file; exit with code 1 where clients would break.")
    ] = None,
    changelog: Annotated[
        Path | None, typer.Option(help="With --since: what may surprise clients must be named in its newest section.")
    ] = None,
) -> None:
    """Print the GraphQL schema (SDL)."""
    from shoutgraph.api.graphql.schema import build_schema

    text = build_schema().as_str() + "\n"
    if since is not None:
        _compare(since.read_text(encoding="utf-8"), text, changelog)
    elif check is not None:
        if not check.exists() or check.read_text(encoding="utf-8") != text:
            fail(f"{check} is not the schema of this code; run: shoutgraph schema --out {check}")
        console.print(f"{check} is the schema of this code.")
    elif out is not None:
        out.write_text(text, encoding="utf-8")
    else:
        typer.echo(text, nl=False)


def _compare(before: str, after: str, changelog: Path | None) -> None:
    from shoutgraph.api.graphql.evolution import Weight, changes_between
    from shoutgraph.app import wall_clock

    told = _unreleased(changelog.read_text(encoding="utf-8")) if changelog else None
    found = [each for each in changes_between(before, after, today=wall_clock().date()) if each.weight != Weight.SAFE]
    table = Table("Weight", "What", "Change")
    for each in found:
        table.add_row(each.weight, each.coordinate, each.words)
    if found:
        show(table)
    broken = [each.coordinate for each in found if each.weight is Weight.BREAKING]
    untold = [each.coordinate for each in found if told is not None and f"`{each.coordinate}`" not in told]
    if broken:
        fail(f"clients of the last release would break: {', '.join(broken)}")
    if untold:
        fail(f"{changelog} does not name: {', '.join(untold)}")
    console.print("Clients of the last release go on as they are.")


def _unreleased(changelog: str) -> str:
    """The newest section of a changelog, which is of the release that is being made."""
    return changelog.split("\n## ", 2)[1] if "\n## " in changelog else changelog
