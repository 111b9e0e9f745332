"""`shoutgraph payouts`: what finance does with files when nobody wants a browser."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from shoutgraph.cli.shared import DataDir, console, fail, read_settings, work_with
from shoutgraph.domain.bank_files import BODY_BYTES_MAX, Content
from shoutgraph.domain.users import ROLES, Viewer

if TYPE_CHECKING:
    from shoutgraph.tools import Tools

OPERATOR: Final = Viewer(scopes=ROLES["finance"], principal="operator:payouts")
ENTRIES_SHOWN: Final = 10

Csv = Annotated[bool, typer.Option("--csv/--json", help="Rows by quarter, or a line of JSON for each seller.")]

commands = typer.Typer(help="Take in what banks state about payouts, and report sellers.", no_args_is_help=True)


@commands.command()
def ingest(
    instance: Annotated[str, typer.Argument(help="The provider's instance.")],
    file: Annotated[Path, typer.Argument(help="The statement.", exists=True, dir_okay=False)],
    media_type: Annotated[
        str | None, typer.Option("--type", help="Its media type; by the file's name otherwise.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Take in a statement of a bank: pain.002, camt.054, pacs.004, CSV, whatever the provider reads.

    The same file is taken in once. Works while no server writes to an embedded database; beside one, post the file to
    `/bank-files/{instance}`.
    """
    import mimetypes

    from shoutgraph.plugins.statements import Statements
    from shoutgraph.services.payouts import statements
    from shoutgraph.services.payouts.statements import Ingested

    if file.stat().st_size > BODY_BYTES_MAX:
        fail(f"a statement has at most {BODY_BYTES_MAX:,} bytes")
    body = file.read_bytes()

    async def work(tools: "Tools") -> Ingested:
        way = tools.providers.payouts.get(instance)
        read = way.caps.ingest if way is not None else frozenset[str]()
        guessed = mimetypes.guess_type(file.name)[0]
        named = media_type or (guessed if guessed in read else next(iter(sorted(read)), ""))
        content = Content(file.name, named, body)
        return await statements.ingest(tools, Statements(), OPERATOR, instance, content)

    done = work_with(data_dir, work)
    told = done.file.summary
    assert told is not None, "a statement that was read has a summary"
    again = " (taken in before)" if done.repeated else ""
    counts = f"{told.applied} applied, {told.repeated} known, {told.foreign_count} not ours, {told.ignored} ignored"
    console.print(f"{done.file.name}: {counts}{again}", soft_wrap=True, highlight=False)
    for entry in told.foreign[:ENTRIES_SHOWN]:
        console.print(f"  not ours: {entry}", soft_wrap=True, highlight=False, markup=False)


@commands.command("seller-report")
def seller_report(
    year: Annotated[int, typer.Argument(help="Which year, of UTC.")],
    csv: Csv = True,  # noqa: FBT002 - an option
    data_dir: DataDir = None,
) -> None:
    """Write what sellers earned, gave back and were paid in a year, for the tax office. Works beside a server.

    With the personal data of their tax profiles: keep the file where only finance reads it.
    """
    from shoutgraph import app
    from shoutgraph.domain import errors, seller_reports as rules
    from shoutgraph.services import seller_reports

    try:
        rules.check_year(year)
    except errors.ValidationError as refusal:
        fail(refusal.message)
    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        store.read_now(lambda tx: seller_reports.write(tx, year, csv=csv, to=sys.stdout.write))
