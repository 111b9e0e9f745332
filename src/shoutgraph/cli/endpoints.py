"""`shoutgraph endpoints`: who is told of events by webhook."""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer
from rich.markup import escape
from rich.table import Table

from shoutgraph.cli.shared import DataDir, console, read_settings, show, work_with
from shoutgraph.domain import clock, endpoints as rules, pages
from shoutgraph.domain.endpoints import EndpointState
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import ROLES, Viewer

if TYPE_CHECKING:
    pass

OPERATOR: Final = Viewer(scopes=ROLES["admin"], principal="operator:endpoints")
OVERLAP_S: Final = int(rules.OVERLAP.total_seconds())
T = TypeVar("T")

commands = typer.Typer(help="Say who is told of events by webhook.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="ENDPOINT", help="The id of an endpoint.")]


@commands.command("list")
def list_endpoints(data_dir: DataDir = None) -> None:
    """List the newest endpoints, how far each was told, and whether it fails. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services.endpoints import manage

    args = pages.read_args(scope="", first=pages.PAGE_MAX)
    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = store.read_now(lambda tx: manage.list_with_standings(tx, args))
    table = Table("endpoint", "label", "url", "types", "status", "behind", "failing since", title="Endpoints")
    for endpoint, standing in found:
        since = standing.place.failing_since
        told = (endpoint.id, endpoint.label, endpoint.url, " ".join(endpoint.event_types) or "all")
        status = endpoint.state if endpoint.reason is None else f"{endpoint.state}: {endpoint.reason}"
        failing = "" if since is None else clock.to_text(since)
        table.add_row(*map(escape, (*told, status, str(standing.behind), failing)))
    show(table)


@commands.command()
def add(
    url: Annotated[str, typer.Argument(help="Where.")],
    label: Annotated[str, typer.Option(help="Whose it is.")],
    types: Annotated[list[str] | None, typer.Option("--type", help="A type of events; all if none is given.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Have somebody told of what happens from now on; the secret is printed once."""
    from shoutgraph.services.endpoints import manage

    wish = manage.Wish(url, label, tuple(types or ()))
    made = work_with(data_dir, lambda tools: manage.create(tools, OPERATOR, _asked("webhookEndpointCreate"), wish))
    console.print(escape(f"{made.endpoint.id} {made.secret}"), soft_wrap=True)


@commands.command()
def pause(endpoint_id: Which, data_dir: DataDir = None) -> None:
    """Tell an endpoint nothing for a while."""
    _put(data_dir, endpoint_id, EndpointState.PAUSED)


@commands.command()
def resume(endpoint_id: Which, data_dir: DataDir = None) -> None:
    """Tell an endpoint again, from where it stood."""
    _put(data_dir, endpoint_id, EndpointState.ACTIVE)


@commands.command()
def disable(endpoint_id: Which, data_dir: DataDir = None) -> None:
    """Tell an endpoint no more; resume undoes it."""
    _put(data_dir, endpoint_id, EndpointState.DISABLED)


@commands.command()
def rotate(
    endpoint_id: Which,
    overlap_s: Annotated[int, typer.Option(min=0, help="How long the secret before it signs too.")] = OVERLAP_S,
    data_dir: DataDir = None,
) -> None:
    """Make the next secret of an endpoint; it is printed once."""
    from shoutgraph.services.endpoints import manage

    asked, overlap = _asked("webhookSecretRotate"), timedelta(seconds=overlap_s)
    made = work_with(data_dir, lambda tools: manage.rotate(tools, OPERATOR, asked, endpoint_id, overlap=overlap))
    console.print(escape(f"{made.endpoint.id} {made.secret}"), soft_wrap=True)


@commands.command()
def replay(
    endpoint_id: Which,
    after: Annotated[str, typer.Argument(metavar="CURSOR", help="Of a message, an event or the endpoint's place.")],
    *,
    skip: Annotated[bool, typer.Option("--skip", help="Let the cursor be ahead, so that events are left out.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Tell an endpoint again of everything after a cursor."""
    from shoutgraph.services.endpoints import manage

    asked = _asked("webhookReplay")
    work_with(data_dir, lambda tools: manage.replay(tools, OPERATOR, asked, endpoint_id, after=after, skip=skip))
    console.print(escape(f"{endpoint_id} is told again."), soft_wrap=True)


@commands.command("test")
def send_test(
    endpoint_id: Which,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Send an endpoint a message that tells of nothing."""
    from shoutgraph.services.endpoints import look

    tried = work_with(data_dir, lambda tools: look.test(tools, OPERATOR, endpoint_id, dry_run=dry_run))
    for name, value in sorted(tried.headers.items()):
        console.print(escape(f"{name}: {value}"), soft_wrap=True)
    console.print(escape(tried.body), soft_wrap=True)
    if tried.delivery is not None:
        console.print(tried.delivery.state)


def _put(data_dir: Path | None, endpoint_id: str, state: EndpointState) -> None:
    from shoutgraph.services.endpoints import manage

    asked, wish = _asked("webhookEndpointUpdate"), manage.Wish(state=state)
    update = manage.update
    work_with(data_dir, lambda tools: update(tools, OPERATOR, asked, endpoint_id, wish, expected_revision=None))
    console.print(escape(f"{endpoint_id} is {state}."), soft_wrap=True)


def _asked(mutation: str) -> Request:
    return Request.of(principal=OPERATOR.principal, mutation=mutation, key=secrets.token_hex(16), given={})
