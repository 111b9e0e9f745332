"""What is kept about people is named: a table that nobody has classified fails here."""

import re
import subprocess
import sys
from typing import Final

import sqlalchemy as sa
from sqlmodel import SQLModel
from tests.repo import source

from shoutgraph.storage import personal, reasons
from shoutgraph.storage.moving import tables

PERSON: Final = re.compile(
    r"(^|_)(user|creator|fan|buyer|debtor|recipient|reporter|affected|uploader|subject|topup|payout|order)_id$"
    r"|^(principal|actor|account)$|_by$"
)
"""A column that names a person, or what belongs to one."""


def test_every_table_is_classified_by_what_it_says_about_people() -> None:
    there = {table.name for table in SQLModel.metadata.sorted_tables if table.name not in tables.ONLY_EMBEDDED}
    unknown = there - personal.tables()
    assert not unknown, (
        f"{sorted(unknown)}: name them in storage/personal.py: in HELD (rows about people: how to blank and tell them) "
        "or ROOMS (with functions of their own); or in storage/reasons.py: in UNTOLD (why it is in nobody's copy) or "
        "IMPERSONAL (nobody is in it)"
    )
    assert personal.tables() - tables.ONLY_EMBEDDED <= there, "what is classified is there"


def test_a_program_that_erases_has_every_table() -> None:
    look = "from shoutgraph.storage import personal; [personal._table(name) for name in personal.tables()]"
    subprocess.run([sys.executable, "-c", look], check=True)


def test_what_is_blanked_or_told_are_columns() -> None:
    for held in personal.HELD:
        columns = set(SQLModel.metadata.tables[held.table].c.keys())
        assert set(held.blank) | set(held.told) | set(held.untold) <= columns, held.table


def test_a_copy_has_every_table_that_names_somebody_or_says_why_not() -> None:
    told = {held.table for held in personal.HELD} | set(personal.ROOMS)
    assert not told & set(reasons.UNTOLD), "it is one or the other"
    naming = {name for name, table in SQLModel.metadata.tables.items() if _names_somebody(table, told)}
    assert naming - told <= set(reasons.UNTOLD), "name it in HELD, so that it is told, or in UNTOLD with the reason"
    assert not naming & reasons.IMPERSONAL


def _names_somebody(table: sa.Table, told: set[str]) -> bool:
    """Whether a column is about a person, or about a row that somebody is told of as theirs."""
    whose = {key.column.table.name for key in table.foreign_keys} & told
    return bool(whose) or any(PERSON.search(column.name) for column in table.c)


def test_what_is_in_nobodys_copy_is_documented_with_its_reason() -> None:
    assert set(reasons.UNTOLD.items()) <= {(row[0].strip("`"), row[1]) for row in source.rows("PRIVACY.md")}


def test_what_is_kept_is_documented_with_its_reason() -> None:
    assert {
        row[0].strip("`"): row[1] for row in source.rows("PRIVACY.md") if row[0].strip("`") in reasons.KEPT
    } == dict(reasons.KEPT)
