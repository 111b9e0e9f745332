"""Rows that break whoever changes them: what no rule foresees, and what must not hold up the rows beside them."""

import psycopg
import pysqlite3 as dbapi
from tests.storage.databases import Place

SQLITE = (
    "CREATE TRIGGER broken_{n} BEFORE UPDATE OF state ON {table} WHEN OLD.id = '{row}'"
    " BEGIN SELECT RAISE(ABORT, 'this row is broken'); END"
)
POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'this row is broken'; END $$;"
    "CREATE TRIGGER broken_{n} BEFORE UPDATE OF state ON {table} FOR EACH ROW"
    " WHEN (OLD.id = '{row}') EXECUTE FUNCTION broken()"
)


def break_rows(place: Place, table: str, *rows: str) -> None:
    """From now on the state of these rows of a world's database cannot change."""
    where = place.database("world")
    if isinstance(where, str):
        with psycopg.connect(where, autocommit=True) as server:
            for n, row in enumerate(rows):
                server.execute(POSTGRESQL.format(n=n, table=table, row=row))
        return
    file = dbapi.connect(where)
    for n, row in enumerate(rows):
        file.execute(SQLITE.format(n=n, table=table, row=row))
    file.close()


def mend_rows(place: Place, table: str, count: int) -> None:
    """Lets so many rows that were broken change again."""
    where = place.database("world")
    if isinstance(where, str):
        with psycopg.connect(where, autocommit=True) as server:
            for n in range(count):
                server.execute(f"DROP TRIGGER broken_{n} ON {table}")
        return
    file = dbapi.connect(where)
    for n in range(count):
        file.execute(f"DROP TRIGGER broken_{n}")
    file.close()
