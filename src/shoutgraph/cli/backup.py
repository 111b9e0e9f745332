"""`shoutgraph backup`: a proven copy of the embedded database, beside the running server."""

from pathlib import Path
from typing import Annotated

import typer

from shoutgraph.cli.shared import DataDir, console, fail, read_settings


def backup(
    file: Annotated[Path, typer.Argument(help="The new file; one that is there is never written over.")],
    data_dir: DataDir = None,
) -> None:
    """Copy the embedded database to a new file, consistently, and prove the books of the copy.

    Runs beside a serving process. PostgreSQL is backed up by its own tools: see docs/OPERATIONS.md.
    """
    from shoutgraph.cli.proof import prove_copy, proven
    from shoutgraph.services import backup as backups

    settings = read_settings(data_dir=data_dir)
    if not settings.embedded:
        fail("PostgreSQL is backed up by pg_dump and by archiving its log; docs/OPERATIONS.md has the commands")
    draft = backups.draft(settings.database_path, file)
    proof = prove_copy(settings, draft)
    for violation in proof.violations:
        console.print(f"[bold red]{violation.law}[/] {violation.what}: {', '.join(violation.rows)}", soft_wrap=True)
    if proof.violations:
        fail(f"the books of the copy do not balance: it is no backup, and is kept as {draft.name}")
    backups.keep(draft, file)
    console.print(f"{file}: line {proof.events:,}; {proven(proof)}", soft_wrap=True, highlight=False)
