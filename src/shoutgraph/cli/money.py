"""`shoutgraph money`: money that no machine can settle, and the two people who do."""

from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer
from rich.markup import escape
from rich.table import Column, Table

from shoutgraph.cli.shared import By, DataDir, asked, console, fail, person, read_settings, show, work_with
from shoutgraph.domain import clock, money
from shoutgraph.domain.resolutions import Resolution, Unresolved, Verdict
from shoutgraph.domain.users import ROLES, Viewer

if TYPE_CHECKING:
    from shoutgraph.tools import Tools

T = TypeVar("T")
OPERATOR: Final = Viewer(scopes=ROLES["admin"], principal="operator:money")
VERDICTS: Final = {each.value.lower().replace("_", "-"): each for each in Verdict}

commands = typer.Typer(
    help="Look at money that nobody knows the end of, and settle it by two people.", no_args_is_help=True
)

Subject = Annotated[str, typer.Argument(metavar="ID", help="Of a top-up, payout or refund; of a stray as listed.")]
ResolutionId = Annotated[str, typer.Argument(metavar="ID", help="Of what was proposed.")]


@commands.command()
def unresolved(data_dir: DataDir = None) -> None:
    """List what waits for people, the longest waiting first. Exit code 0 either way. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services.money import subjects

    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = store.read_now(subjects.list_of)
    amount = Column("amount", justify="right")
    table = Table("id", "since", "instance", "stands", "why", amount, "people can say", "proposed", title="Unresolved")
    for each in found:
        table.add_row(*map(escape, _told(each)))
    show(table)


@commands.command("show")
def show_money(subject: Subject, data_dir: DataDir = None) -> None:
    """Show everything that is known of one. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services.money import look

    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        story = store.read_now(lambda tx: look.story_of(tx, subject))
    of = story.subject
    amount = "" if of.amount is None else money.to_text(of.amount)
    lines = [
        f"{of.kind.value.lower()} {of.id} at {of.instance}, {amount}, since {clock.to_text(of.since)}",
        f"it stands at {of.stands}" + (f" because of {of.why}" if of.why else ""),
        f"its provider calls it {of.ref or 'nothing that we know'}",
        *(_told_resolution(each) for each in story.resolutions),
        *(f"{clock.to_text(each.at)} {each.type} {each.text}" for each in story.events),
    ]
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False)


@commands.command()
def reconcile(subject: Subject, data_dir: DataDir = None) -> None:
    """Ask the provider about one now.

    On PostgreSQL it works beside the server, on an embedded database while no server writes.
    """
    from shoutgraph.jobs import reconcile as looks
    from shoutgraph.services.money import look, subjects

    async def work(tools: "Tools") -> str:
        await look.bring_forward(tools, OPERATOR, subject)
        await looks.tick(tools)
        found = await tools.store.read(lambda tx: subjects.get(tx, subject))
        return f"{found.id}: {found.stands}"

    console.print(escape(work_with(data_dir, work)), soft_wrap=True, highlight=False)


@commands.command()
def resolve(
    subject: Subject,
    verdict: Annotated[str, typer.Option("--as", help="paid, not-executed or closed.")],
    evidence: Annotated[str, typer.Option(help="Where that is written, for whoever asks later.")],
    by: By,
    data_dir: DataDir = None,
) -> None:
    """Propose what became of one. Nothing moves until another person confirms it.

    On PostgreSQL it works beside the server, on an embedded database while no server writes; the API does the same.
    """
    from shoutgraph.services.money import resolve as resolving

    chosen = VERDICTS.get(verdict.lower())
    if chosen is None:
        fail(f"--as is one of {', '.join(VERDICTS)}")
    viewer = person(by)

    async def work(tools: "Tools") -> Resolution:
        request = asked(viewer, "moneyResolvePropose")
        done = await resolving.propose(tools, viewer, request, resolving.Wish(subject, chosen, evidence))
        return done.value

    made = work_with(data_dir, work)
    console.print(escape(_told_resolution(made)), soft_wrap=True, highlight=False)
    console.print(f"Another person confirms it: shoutgraph money confirm {made.id} --by NAME", soft_wrap=True)


@commands.command()
def confirm(resolution: ResolutionId, by: By, data_dir: DataDir = None) -> None:
    """Confirm what another person proposed; the books follow at once."""
    from shoutgraph.api.graphql.resolutions import FOLLOWS
    from shoutgraph.services.money import resolve as resolving

    viewer = person(by)

    async def work(tools: "Tools") -> Resolution:
        request = asked(viewer, "moneyResolveConfirm")
        return (await resolving.confirm(tools, viewer, request, resolution, follows=FOLLOWS)).value

    console.print(escape(_told_resolution(work_with(data_dir, work))), soft_wrap=True, highlight=False)


@commands.command()
def reject(resolution: ResolutionId, by: By, data_dir: DataDir = None) -> None:
    """Reject what was proposed, or take it back; nothing moves."""
    from shoutgraph.services.money import resolve as resolving

    viewer = person(by)

    async def work(tools: "Tools") -> Resolution:
        request = asked(viewer, "moneyResolveReject")
        return (await resolving.reject(tools, viewer, request, resolution)).value

    console.print(escape(_told_resolution(work_with(data_dir, work))), soft_wrap=True, highlight=False)


@commands.command()
def totals(data_dir: DataDir = None) -> None:
    """Compare the cash books with what top-ups and payouts say. Exit code 1: they differ. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services.money import sweep

    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = store.read_now(lambda tx: sweep.totals_now(tx, ""))
    right = ("books", "top-ups and payouts", "not booked yet")
    table = Table("instance", "currency", *(Column(word, justify="right") for word in right), "", title="Totals")
    for each in found:
        said = "they differ" if each.differs else ""
        units = (_units(each.books_units), _units(each.known_units), str(each.unbooked_minor))
        table.add_row(each.instance, each.currency, *units, said)
    show(table)
    if any(each.differs for each in found):
        fail("the cash books say something else than the rows that they stand for: run `shoutgraph ledger verify`")


def _units(book_units: int) -> str:
    """Minor units, with what is less than one."""
    whole, rest = divmod(abs(book_units), money.BOOK_UNITS_PER_MINOR)
    sign = "-" if book_units < 0 else ""
    return f"{sign}{whole}" + (f".{rest:02}" if rest else "")


def _told(each: Unresolved) -> tuple[str, ...]:
    of, proposed = each.subject, each.proposed
    amount = "" if of.amount is None else money.to_text(of.amount)
    said = "" if proposed is None else f"{proposed.id}: {_word(proposed.verdict)}, by {proposed.proposed_by}"
    words = " ".join(map(_word, of.verdicts))
    return of.id, clock.to_text(of.since), of.instance, of.stands.lower(), (of.why or "").lower(), amount, words, said


def _told_resolution(resolution: Resolution) -> str:
    decided = "" if resolution.decided_by is None else f", {resolution.state.lower()} by {resolution.decided_by}"
    return (
        f"{resolution.id}: {_word(resolution.verdict)}, proposed by {resolution.proposed_by} at"
        f" {clock.to_text(resolution.proposed_at)}{decided}: {resolution.evidence}"
    )


def _word(verdict: Verdict) -> str:
    return verdict.value.lower().replace("_", "-")
