"""`shoutgraph people`: what an operator does who was asked in writing: a copy of what is kept, and erasing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from shoutgraph.cli.shared import DataDir, console, fail, work_with
from shoutgraph.domain.audit import Act
from shoutgraph.domain.users import ROLES, Viewer

if TYPE_CHECKING:
    from shoutgraph.tools import Tools

OPERATOR: Final = Viewer(scopes=ROLES["admin"], principal="operator:people")

UserId = Annotated[str, typer.Argument(help="The user's id.")]

commands = typer.Typer(help="Copies of what is kept about people, and erasing them.", no_args_is_help=True)


@commands.command()
def export(
    user_id: UserId,
    file: Annotated[Path, typer.Argument(help="Where to write the archive; it must not be there yet.")],
    reason: Annotated[str, typer.Option(help="Who asked for it, for the audit trail.")],
    data_dir: DataDir = None,
) -> None:
    """Write a copy of everything that is kept about a person.

    The embedded database is worked on while no server runs.
    """
    from shoutgraph.services import audit
    from shoutgraph.services.privacy import export as use_case

    if file.exists():
        fail(f"{file} is there already")

    async def work(tools: "Tools") -> None:
        acting = audit.acting(tools, Act(OPERATOR.principal, "people export", (user_id,), reason))
        await use_case.write_for(acting.tools, OPERATOR, user_id, file)
        await acting.store.settle()

    work_with(data_dir, work)
    console.print(f"Written: {file}, {file.stat().st_size:,} bytes.", soft_wrap=True)


@commands.command()
def erase(
    user_id: UserId,
    reason: Annotated[str, typer.Option(help="Who asked for it, for the audit trail.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="That it is meant: it cannot be undone.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Erase a person at once; refused while their affairs are not settled. The books stay as they are.

    The embedded database is worked on while no server runs.
    """
    from shoutgraph.services import audit
    from shoutgraph.services.privacy import erase as use_case

    if not yes:
        fail("erasing cannot be undone; --yes says that it is meant")

    async def work(tools: "Tools") -> str:
        acting = audit.acting(tools, Act(OPERATOR.principal, "people erase", (user_id,), reason))
        erased = await use_case.erase_now(acting.tools, OPERATOR, user_id)
        return f"{erased.id}: {erased.state.value}"

    console.print(work_with(data_dir, work), soft_wrap=True)
