"""`shoutgraph webhooks`: what providers sent, what became of it, and one that is read and applied once more."""

from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.markup import escape
from rich.table import Column, Table

from shoutgraph.cli.shared import DataDir, console, fail, read_settings, show, work_with
from shoutgraph.domain import clock
from shoutgraph.domain.notices import Kept, NoticeState
from shoutgraph.domain.users import ROLES, Viewer

if TYPE_CHECKING:
    from shoutgraph.tools import Tools

OPERATOR: Final = Viewer(scopes=ROLES["admin"], principal="operator:webhooks")
BODY_CHARS_MAX: Final = 4_000
LIST_DEFAULT: Final = 50
LIST_MAX: Final = 1_000

commands = typer.Typer(help="Look at the webhooks of providers that are kept.", no_args_is_help=True)


@commands.command("list")
def list_webhooks(
    instance: Annotated[str | None, typer.Option(help="Of this provider's instance only.")] = None,
    state: Annotated[NoticeState | None, typer.Option(case_sensitive=False, help="In this state only.")] = None,
    limit: Annotated[int, typer.Option(help="So many, the newest.", min=1, max=LIST_MAX)] = LIST_DEFAULT,
    data_dir: DataDir = None,
) -> None:
    """List what is kept, the newest first. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services.money import deliveries

    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = store.read_now(lambda tx: deliveries.list_of(tx, instance=instance, state=state, limit=limit))
    table = Table(
        "id", "received at", "instance", "state", Column("bytes", justify="right"), "detail", title="Webhooks"
    )
    for each in found:
        table.add_row(*map(escape, _told(each)))
    show(table)


@commands.command("show")
def show_webhook(
    number: Annotated[int, typer.Argument(metavar="ID", help="Its number, as the list shows it.")],
    data_dir: DataDir = None,
) -> None:
    """Show one as it came in. It may hold personal data. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services.money import deliveries

    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        kept = store.read_now(lambda tx: deliveries.get(tx, number))
    stored = kept.stored
    _, received, instance, state, size, detail = _told(kept)
    lines = [
        f"delivery {number} of {instance}, received at {received} from {stored.remote}",
        f"{state}, {size} bytes, sha256 {stored.sha256.hex()}, tried {kept.tries} times in vain",
        *([detail] if detail else []),
        *(f"{name}: {value}" for name, value in sorted(stored.headers.items())),
        "",
        stored.body.decode(errors="replace")[:BODY_CHARS_MAX],
    ]
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False)


@commands.command()
def replay(
    number: Annotated[int, typer.Argument(metavar="ID", help="Its number, as the list shows it.")],
    data_dir: DataDir = None,
) -> None:
    """Read and apply one once more; what was applied already stays as it is.

    On PostgreSQL it works beside the server, on an embedded database while no server writes.
    """
    from shoutgraph.jobs import reconcile
    from shoutgraph.services import notices
    from shoutgraph.services.money import deliveries

    async def work(tools: "Tools") -> Kept:
        await deliveries.replay(tools, OPERATOR, number)
        await notices.replay(tools, reconcile.HANDLERS)
        return await tools.store.read(lambda tx: deliveries.get(tx, number))

    kept = work_with(data_dir, work)
    console.print(f"delivery {number}: {kept.state.value.lower()}", highlight=False)
    if kept.state in {NoticeState.UNREADABLE, NoticeState.REFUSED}:
        fail(kept.detail or "its plugin cannot read it")


def _told(kept: Kept) -> tuple[str, ...]:
    stored, state = kept.stored, kept.state.value.lower()
    received, size = clock.to_text(stored.received_at), str(len(stored.body))
    return str(stored.number), received, stored.instance, state, size, kept.detail or ""
