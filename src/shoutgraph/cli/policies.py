"""`shoutgraph policy`: the rules in force, how they came to be, and publishing the next version."""

import secrets
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from shoutgraph.cli.shared import DataDir, console, fail, read_settings, show, work_with
from shoutgraph.domain import clock, pages, publishing
from shoutgraph.domain.publishing import Change
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import ROLES, Viewer

OPERATOR: Final = Viewer(scopes=ROLES["admin"], principal="operator:policy")

commands = typer.Typer(help="Show, list and publish the rules: windows, fees and limits.", no_args_is_help=True)


@commands.command("show")
def show_policy(
    version: Annotated[int | None, typer.Option(help="Which version; the one in force by itself.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Show every field of a version. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services import policies

    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = store.read_now(lambda tx: policies.get_published(tx, version))
    table = Table("field", "value", title=f"Policy, version {found.policy.version}")
    for name, value in publishing.values_of(found.policy).items():
        table.add_row(name, escape(value))
    show(table)


@commands.command("list")
def list_policies(data_dir: DataDir = None) -> None:
    """List the newest versions, and who published them why. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services import policies

    args = pages.read_args(scope=policies.SCOPE, first=pages.PAGE_MAX, kinds=(int,))
    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = store.read_now(lambda tx: policies.list_of(tx, args))
    table = Table("version", "at", "by", "changed", "reason", title="Policies")
    for each in found:
        at = "" if each.at is None else clock.to_text(each.at)
        told = (at, each.by or "", ", ".join(each.changed), each.reason or "")
        table.add_row(str(each.policy.version), *map(escape, told))
    show(table)


@commands.command()
def publish(
    changes: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="The fields that change.")],
    expected_version: Annotated[int, typer.Option(help="The version that you saw in force.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")],
    data_dir: DataDir = None,
) -> None:
    """Publish the next version. It is in force at once, for what is agreed from now on.

    On PostgreSQL it works beside the server, on an embedded database while no server writes; the API does the same.
    """
    from shoutgraph.services import policies

    wanted = tuple(_change(text) for text in changes)
    key = secrets.token_hex(16)
    asked = Request.of(principal=OPERATOR.principal, mutation="policyPublish", key=key, given={"changes": changes})
    wish = policies.Wish(wanted, expected_version, reason)
    made = work_with(data_dir, lambda tools: policies.publish(tools, OPERATOR, asked, wish)).value
    console.print(f"Version {made.policy.version} is in force: {', '.join(made.changed)}.", soft_wrap=True)


def _change(text: str) -> Change:
    name, found, value = text.partition("=")
    if not found:
        fail(f"{text}: a change is NAME=VALUE")
    return Change(name, value)
