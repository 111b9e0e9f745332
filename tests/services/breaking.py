"""Rows that break whoever changes them: what no rule foresees, and what must not hold up the rows beside them."""

from tests.storage import databases
from tests.storage.databases import Kind, Place

SQLITE = (
    "CREATE TRIGGER broken_{n} BEFORE UPDATE OF {column} ON {table} WHEN OLD.id = '{row}' AND {when}"
    " BEGIN SELECT RAISE(ABORT, 'this row is broken'); END"
)
POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'this row is broken'; END $$;"
    "CREATE TRIGGER broken_{n} BEFORE UPDATE OF {column} ON {table} FOR EACH ROW"
    " WHEN (OLD.id = '{row}' AND {when}) EXECUTE FUNCTION broken()"
)


def break_rows(place: Place, table: str, *rows: str, column: str = "state", when: str = "true") -> None:
    """From now on the state of these rows of a world's database cannot change, or not so that `when` is true."""
    words = SQLITE if place.kind is Kind.SQLITE else POSTGRESQL
    with databases.outside(place.database("world")) as raw:
        for n, row in enumerate(rows):
            raw.execute(words.format(n=n, table=table, row=row, column=column, when=when))


def mend_rows(place: Place, table: str, count: int) -> None:
    """Lets so many rows that were broken change again."""
    where = "" if place.kind is Kind.SQLITE else f" ON {table}"
    with databases.outside(place.database("world")) as raw:
        for n in range(count):
            raw.execute(f"DROP TRIGGER broken_{n}{where}")
