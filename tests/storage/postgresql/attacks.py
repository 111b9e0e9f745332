"""What buggy or hostile SQL could try against the books on PostgreSQL, by role. Each must fail, at COMMIT at last.

What wrong code could do on SQLite, the owner of the tables tries here in the same words.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import psycopg
from tests.storage import attacks
from tests.storage.attacks import Attack
from tests.storage.postgresql import appwords, ownerwords, scene
from tests.storage.postgresql.scene import Raw

_SQLITE_ONLY: Final = {
    "OR REPLACE": "PostgreSQL's word is ON CONFLICT",
    "_ok": "a law is a constraint trigger here, and needs no table",
    "post a fraction": "PostgreSQL rounds it, and posts a whole number",
    "posting out of order": "a trigger gives the number",
    "lot move out of order": "a trigger gives the number",
    "leave a gap in a topic": "a line that was set aside leaves one",
    "begin a topic late": "so does one that was the first",
}

_OTHER_WORDS: Final = {
    "FOREIGN KEY": "violates foreign key|its escrow holds|and its lots",
    "NOT NULL": "violates not-null",
    "CHECK": "violates check constraint",
    "closed_is_zero": "closed_is_zero|closed for ever",
    "cannot store TEXT": "invalid input syntax",
    "cannot store REAL": "and its lots",
    "opened once": "duplicate key",
    "happens once": "duplicate key",
    "written twice": "duplicate key",
    "placed once": "duplicate key",
    "used once": "duplicate key",
}
"""What PostgreSQL says where it does not use our words."""


def run(raw: Raw, role: str, attack: Attack) -> str | None:
    """What refused the attack; None if it succeeded. Leaves nothing behind."""
    raw.execute("BEGIN")
    try:
        raw.execute(f"SET LOCAL ROLE {role}")
        for statement in attack.statements:
            execute(raw, statement)
        raw.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.Error as error:
        return str(error)
    finally:
        raw.execute("ROLLBACK")
    return None


def execute(raw: Raw, statement: str) -> None:
    """Runs a statement; what stands below a COPY goes in."""
    command, _, rows = statement.partition("\n")
    if command.startswith("COPY") and rows:
        with raw.cursor().copy(command) as copy:
            copy.write(rows + "\n")
    else:
        raw.execute(statement)


def by_owner(columns: Sequence[tuple[str, str]]) -> Iterator[Attack]:
    """As the role that owns the tables, and may change rows of each."""
    yield from _shared(columns)
    for name, by, *statements in ownerwords.ALL:
        yield Attack(name, by, tuple(statements))


def by_app(columns: Sequence[tuple[str, str]]) -> Iterator[Attack]:
    """As the role that serves."""
    for attack in _shared(columns):
        yield Attack(attack.name, f"permission denied|{attack.by}", attack.statements)
    for name, by, *statements in appwords.ALL:
        yield Attack(name, by, tuple(statements))


PERSONAL = (
    ("topup_receipt", "proof"),
    ("payout_onboarding", "answers"),
    ("payout_onboarding", "url"),
    ("bank_file", "body"),
)
"""What people told or presented, and whose accounts stand in files: reports do without."""


def by_sequencer(_: Sequence[tuple[str, str]]) -> Iterator[Attack]:
    """As the role that seals the journal."""
    for name, by, *statements in (*appwords.DIRECT, *ownerwords.JOURNAL):
        yield Attack(name, f"permission denied|{by}", tuple(statements))


def by_report(_: Sequence[tuple[str, str]]) -> Iterator[Attack]:
    """As the role that only looks."""
    for name, _, *statements in (*appwords.ALL, *ownerwords.JOURNAL):
        yield Attack(
            name, "permission denied|must be|must have admin|can only be called as triggers", tuple(statements)
        )
    for table, column in PERSONAL:
        yield Attack(f"read {column} of {table}", "permission denied", (f"SELECT {column} FROM {table}",))  # noqa: S608 - ours


def _shared(columns: Sequence[tuple[str, str]]) -> Iterator[Attack]:
    for attack in attacks.all_of(list(columns)):
        text = "\n".join((attack.name, *attack.statements))
        statements = [scene.translate(s) for s in attack.statements if "INTO order_ok" not in s or "'y'" not in s]
        if any(word in text.replace("order_ok VALUES ('y')", "") for word in _SQLITE_ONLY):
            continue
        yield Attack(attack.name, _OTHER_WORDS.get(attack.by, attack.by), tuple(statements))
