"""Numbers on PostgreSQL: a sequence gives them, so it is set to what each row had, and in the end past all of them."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.storage.moving import tables
from shoutgraph.storage.moving.sides import Side
from shoutgraph.storage.statements import Statement

_SET: Final = Statement[tuple[int]](
    lambda: sa.select(
        sa.func.setval(
            sa.bindparam("name", type_=sa.Text()).op("::")(sa.literal_column("regclass")),
            sa.bindparam("value", type_=sa.BigInteger()),
            sa.bindparam("given", type_=sa.Boolean()),
        )
    )
)


class Numbered:
    """Writes rows of a table that PostgreSQL numbers while they are written, so that each keeps its number."""

    def __init__(self, target: Side, table: str) -> None:
        self._target = target
        self._insert = tables.insert(tables.named(table), tables.written(tables.named(table)))
        self._sequence = f"{table}_id_seq"
        self._next: int | None = None

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Writes rows in the order of their numbers."""
        start = 0
        for at in range(1, len(rows) + 1):
            if at == len(rows) or rows[at]["id"] != rows[at - 1]["id"] + 1:
                self._write_run(rows[start:at])
                start = at

    def _write_run(self, run: Sequence[dict[str, Any]]) -> None:
        if self._target.server and run[0]["id"] != self._next:
            self._target.tx.all(_SET, name=self._sequence, value=run[0]["id"], given=False)
        self._target.tx.many(self._insert, run)
        self._next = run[-1]["id"] + 1


def go_past(target: Side) -> None:
    """Lets every sequence go on after the rows that are there."""
    raw = target.session.raw
    for table in tables.of(target):
        for column in table.primary_key:
            if not isinstance(column.type, sa.BigInteger):
                continue
            name = raw.execute("SELECT pg_get_serial_sequence($1, $2)", (f"public.{table.name}", column.name))
            sequence = name.fetchall()[0][0]
            newest = raw.execute(f"SELECT max({column.name}) FROM {table.name}").fetchall()[0][0]  # noqa: S608 - ours
            if sequence is not None and newest is not None:
                target.tx.all(_SET, name=sequence, value=newest, given=True)
