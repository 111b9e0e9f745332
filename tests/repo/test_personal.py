"""What is kept about people is named: a table that nobody has classified fails here."""

import subprocess
import sys

from sqlmodel import SQLModel
from tests.repo import source

from shoutgraph.storage import personal
from shoutgraph.storage.moving import tables


def test_every_table_is_classified_by_what_it_says_about_people() -> None:
    there = {table.name for table in SQLModel.metadata.sorted_tables if table.name not in tables.ONLY_EMBEDDED}
    unknown = there - personal.tables()
    assert not unknown, (
        f"{sorted(unknown)}: name them in storage/personal.py: in HELD (rows about people: how to blank and tell them) "
        "or IMPERSONAL (ids, codes and numbers only); rooms with functions of their own in ROOMS and ROOM_TABLES"
    )
    assert personal.tables() - tables.ONLY_EMBEDDED <= there, "what is classified is there"


def test_a_program_that_erases_has_every_table() -> None:
    look = "from shoutgraph.storage import personal; [personal._table(name) for name in personal.tables()]"
    subprocess.run([sys.executable, "-c", look], check=True)


def test_what_is_blanked_or_told_are_columns() -> None:
    for held in personal.HELD:
        columns = set(SQLModel.metadata.tables[held.table].c.keys())
        assert set(held.blank) | set(held.told) <= columns, held.table


def test_what_is_kept_is_documented_with_its_reason() -> None:
    assert {
        row[0].strip("`"): row[1] for row in source.rows("PRIVACY.md") if row[0].strip("`") in personal.KEPT
    } == dict(personal.KEPT)
