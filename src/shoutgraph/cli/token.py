"""`shoutgraph token`: a token of the local issuer, for development and internal tools."""

from datetime import timedelta
from typing import Annotated

import typer

from shoutgraph import app
from shoutgraph.cli.shared import DataDir, fail, make_data_dir, read_settings
from shoutgraph.domain.errors import ValidationError


def token(
    subject: Annotated[str, typer.Argument(help="A user's id, or the name of a tool such as 'support-desk'.")],
    role: Annotated[str, typer.Option(help="user, moderator, finance, service or admin.")] = "user",
    hours: Annotated[int, typer.Option(help="How long it is good.", min=1, max=24 * 365)] = 12,
    data_dir: DataDir = None,
) -> None:
    """Print a bearer token signed with the key in the data folder."""
    settings = read_settings(data_dir=data_dir)
    make_data_dir(settings)
    try:
        text = app.local_issuer(settings).issue(subject, role=role, ttl=timedelta(hours=hours))
    except ValidationError as refusal:
        fail(refusal.message)
    typer.echo(text)
