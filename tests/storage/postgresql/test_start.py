"""A store serves no database whose guards someone loosened, and serves one with no more rights than it needs."""

from collections.abc import Iterator

import psycopg
import pytest
from tests.storage import databases
from tests.storage.databases import Clock, Place
from tests.storage.postgresql.conftest import Login, connect
from tests.storage.postgresql.scene import Raw

from shoutgraph.domain import errors
from shoutgraph.storage import engine, guards, migrations
from shoutgraph.storage.engine import Options
from shoutgraph.storage.postgresql import APP, OWNER, ROLES, SEQUENCER
from shoutgraph.storage.statements import Statement

pytestmark = pytest.mark.postgresql_only

_HARMLESS = "CREATE OR REPLACE FUNCTION order_law() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"

KNOWN = {
    "a dropped trigger": "DROP TRIGGER posting_apply ON posting",
    "a trigger that is switched off": "ALTER TABLE lot DISABLE TRIGGER lot_law",
    "a function with another body": _HARMLESS,
    "a dropped check": "ALTER TABLE account DROP CONSTRAINT no_overdraft",
    "one more right": f"GRANT UPDATE ON account TO {APP}",
}
"""What anybody would think of."""

SUBTLE = {
    "a right to a column": f"GRANT UPDATE (credits) ON account TO {APP}",
    "a right that may be handed on": f"GRANT SELECT ON account TO {APP} WITH GRANT OPTION",
    "a right to a sequence": f"GRANT UPDATE ON SEQUENCE posting_id_seq TO {APP}",
    "a function that everybody may run": "GRANT EXECUTE ON FUNCTION close_account TO PUBLIC",
    "a right to add functions": f"GRANT CREATE ON SCHEMA public TO {APP}",
    "a right for everybody to add functions": "GRANT CREATE ON SCHEMA public TO PUBLIC",
    "a role that may be the owner": f"GRANT {OWNER} TO {APP}",
    "a role that may be the sequencer": f"GRANT {SEQUENCER} TO {APP}",
    "a role above all rights": f"ALTER ROLE {APP} SUPERUSER",
    "a role above row security": f"ALTER ROLE {APP} BYPASSRLS",
    "a table that is another's": f"ALTER TABLE lot OWNER TO {APP}",
    "a function that is another's": "ALTER FUNCTION extend_lot OWNER TO postgres",
    "a function that runs as its caller": "ALTER FUNCTION outbox_number() SECURITY INVOKER",
    "a function that is led elsewhere": "ALTER FUNCTION order_law() SET search_path = pg_temp, public",
    "a function of one's own": "CREATE FUNCTION nextval(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
    "an aggregate of one's own": "CREATE AGGREGATE sum(text) (SFUNC = textcat, STYPE = text)",
    "an operator of one's own": "CREATE OPERATOR <<>> (FUNCTION = int8ne, LEFTARG = bigint, RIGHTARG = bigint)",
    "a trigger of one's own": "CREATE TRIGGER z BEFORE INSERT ON posting EXECUTE FUNCTION refuse('x')",
    "a trigger for replicas only": "ALTER TABLE lot ENABLE REPLICA TRIGGER lot_guard",
    "foreign keys that are switched off": "ALTER TABLE posting DISABLE TRIGGER ALL",
    "a foreign key that is dropped": "ALTER TABLE posting DROP CONSTRAINT posting_debit",
    "a foreign key that is checked late": (
        "ALTER TABLE posting ALTER CONSTRAINT posting_debit DEFERRABLE INITIALLY DEFERRED"
    ),
    "a check that says less": (
        "ALTER TABLE account DROP CONSTRAINT no_overdraft, ADD CONSTRAINT no_overdraft CHECK (floor <> 2)"
    ),
    "a check that was never made": (
        "ALTER TABLE account DROP CONSTRAINT no_overdraft,"
        " ADD CONSTRAINT no_overdraft CHECK (floor <> 1 OR credits >= debits) NOT VALID"
    ),
    "a law that is checked at once": (
        "DROP TRIGGER lot_law ON lot; CREATE CONSTRAINT TRIGGER lot_law AFTER UPDATE ON lot"
        " FOR EACH ROW EXECUTE FUNCTION wallet_law()"
    ),
    "a law of fewer rows": (
        "DROP TRIGGER escrow_law ON account; CREATE CONSTRAINT TRIGGER escrow_law AFTER UPDATE ON account"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.order_id = 'x') EXECUTE FUNCTION order_law()"
    ),
    "a law of fewer columns": (
        "DROP TRIGGER lot_law ON lot; CREATE CONSTRAINT TRIGGER lot_law AFTER UPDATE OF granted ON lot"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wallet_law()"
    ),
    "another word in a refusal": (
        "DROP TRIGGER lot_delete ON lot; CREATE TRIGGER lot_delete BEFORE DELETE ON lot"
        " FOR EACH ROW EXECUTE FUNCTION refuse('please do not')"
    ),
    "a rule": "CREATE RULE z AS ON INSERT TO outbox DO INSTEAD NOTHING",
    "rows that some do not see": "ALTER TABLE account ENABLE ROW LEVEL SECURITY",
    "a policy of rows": "CREATE POLICY z ON account USING (false)",
    "a table that a crash empties": "ALTER TABLE deadline SET UNLOGGED",
    "a child of a table": "CREATE TABLE z () INHERITS (request)",
    "a table of one's own": "CREATE TABLE z (id bigint)",
    "a view of one's own": "CREATE VIEW z AS SELECT * FROM account",
    "one column more": "ALTER TABLE lot ADD COLUMN z text",
    "a column that may be empty": "ALTER TABLE posting ALTER COLUMN reason DROP NOT NULL",
    "a column with a default": "ALTER TABLE account ALTER COLUMN credits SET DEFAULT 5",
    "names that are sorted otherwise": 'ALTER TABLE creator ALTER COLUMN name_sort TYPE text COLLATE "POSIX"',
    "a unique index that is plain": "ALTER TABLE transfer DROP CONSTRAINT transfer_once CASCADE",
    "an index that is missing": "DROP INDEX posting_transfer",
    "an index that is not whole": "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'transfer_once'::regclass",
}
"""What only shows where the catalogue is read closely."""


@pytest.fixture(scope="module")
def raw(module_place: Place) -> Iterator[Raw]:
    with connect(str(module_place.database())) as raw:
        yield raw


@pytest.mark.parametrize("change", KNOWN.values(), ids=KNOWN)
def test_a_store_does_not_open_a_database_that_someone_changed(place: Place, clock: Clock, change: str) -> None:
    url = str(place.database())
    with connect(url) as raw:
        raw.execute(change)
    with pytest.raises(errors.StoreUnavailableError, match="someone dropped a guard"):
        databases.opened(url, clock)
    look = databases.opened(url, clock, writing=False, any_schema=True)
    assert look.schema_fault is not None, "a proof of the books looks all the more"
    look.close()


@pytest.mark.parametrize("change", (KNOWN | SUBTLE).values(), ids=(KNOWN | SUBTLE))
def test_whoever_changes_a_guard_is_found_out(raw: Raw, change: str) -> None:
    expected = migrations.schema_digest("postgresql")
    assert guards.digest(raw) == expected
    assert digest_after(raw, change) != expected


def digest_after(raw: Raw, change: str) -> str:
    """What a database would hash to with a change, which is taken back."""
    raw.execute("BEGIN")
    try:
        raw.execute(change)
        return guards.digest(raw)
    finally:
        raw.execute("ROLLBACK")


def test_what_guards_nothing_may_be_tuned(raw: Raw) -> None:
    tuned = (
        "ALTER TABLE posting SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.01);"
        "COMMENT ON TABLE posting IS 'large'; ALTER TABLE orders ALTER COLUMN state SET STATISTICS 500"
    )
    assert digest_after(raw, tuned) == migrations.schema_digest("postgresql")


def test_a_login_needs_no_more_than_to_serve_and_to_seal(place: Place, clock: Clock, login: Login) -> None:
    url = login(str(place.database()), APP, SEQUENCER)
    store = databases.opened(url, clock)
    assert store.write_now(lambda tx: tx.now) is not None
    store.settle_journal_now()
    store.close()
    with connect(url) as raw:
        for role in (OWNER, "postgres"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                raw.execute(f"SET ROLE {role}")


@pytest.mark.parametrize("roles", [(), (APP,), ROLES[2:]], ids=["none", "application", "sequencer-and-report"])
def test_a_login_without_its_roles_is_told_so(place: Place, clock: Clock, login: Login, roles: tuple[str, ...]) -> None:
    url = login(str(place.database()), *roles)
    with pytest.raises(errors.StoreUnavailableError, match=r"permission denied to set role|may not be"):
        databases.opened(url, clock)


def test_a_database_whose_guards_are_switched_off_for_all_is_refused(place: Place, clock: Clock) -> None:
    url = str(place.database())
    with connect(url) as raw:
        raw.execute(f"ALTER DATABASE {raw.info.dbname} SET session_replication_role = replica")
    with pytest.raises(errors.StoreUnavailableError, match="switches every guard off"):
        databases.opened(url, clock)


def test_a_database_that_would_lose_commits_is_served_with_commits_that_last(place: Place, clock: Clock) -> None:
    url = str(place.database())
    with connect(url) as raw:
        raw.execute(f"ALTER DATABASE {raw.info.dbname} SET synchronous_commit = off")
    store = engine.open_store(url, clock, Options(readers=1))
    setting = Statement[tuple[str]](lambda: databases.sql("SELECT current_setting('synchronous_commit')"))
    assert store.write_now(lambda tx: tx.one(setting)) == ("on",)
    store.close()
