"""The least that a living database can do: give its revision, and take a write that changes nothing."""

from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_VERSION: Final = sa.table("alembic_version", sa.column("version_num", sa.Text()))
_DEADLINE: Final = sa.table("deadline", sa.column("subject_id", sa.Text()))
_REVISION: Final = Statement[tuple[str]](lambda: sa.select(_VERSION.c.version_num))
_NOTHING: Final = Statement[Any](lambda: sa.delete(_DEADLINE).where(_DEADLINE.c.subject_id == sa.bindparam("of")))


def revision(tx: Tx) -> str | None:
    """The revision that the schema is at."""
    row = tx.one(_REVISION)
    return None if row is None else row[0]


def write_nothing(tx: Tx) -> None:
    """Writes as a command does, and changes no row; a database that takes no writes refuses it."""
    tx.run(_NOTHING, of="")
