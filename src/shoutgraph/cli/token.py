"""`shoutgraph token`: a token of the local issuer, for development and internal tools."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from shoutgraph.cli.shared import DataDir, read_settings
from shoutgraph.domain.users import ROLES


def token(
    subject: Annotated[str, typer.Argument(help="A user's id, or the name of a tool such as 'support-desk'.")],
    role: Annotated[str, typer.Option(help=f"{', '.join(ROLES)}.")] = "user",
    hours: Annotated[int, typer.Option(help="How long it is good.", min=1, max=24 * 365)] = 12,
    data_dir: DataDir = None,
) -> None:
    """Print a bearer token signed with the key in the data folder."""
    from shoutgraph.api import tokens

    settings = read_settings(data_dir=data_dir)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    issuer = tokens.open_local(settings.data_dir, audience=settings.jwt_audience, clock=_wall_clock)
    typer.echo(issuer.issue(subject, role=role, ttl=timedelta(hours=hours)))


def _wall_clock() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - app's own comes with all of app, which takes seconds to import
