"""Every guard of the books is needed on PostgreSQL: without any one, an attack succeeds or the books go wrong."""

import re
from collections import defaultdict
from collections.abc import Iterator

import psycopg
import pytest
from tests.storage.attacks import Attack
from tests.storage.databases import Place
from tests.storage.postgresql import attacks, mutants, scene
from tests.storage.postgresql.conftest import connect
from tests.storage.postgresql.mutants import Mutant
from tests.storage.postgresql.scene import Raw

from shoutgraph.storage.postgresql import APP, OWNER

pytestmark = pytest.mark.postgresql_only

_LEANING = "what refers to its rows refuses to be emptied, too"
_ONLY_THE_TRIGGER = "only posting_apply itself gets past the other conditions: no posting waits to be applied"
_ONLY_AN_ENTRY = "the entry of an account's newest version is always there, so the first condition refuses before"
_NUMBERED = "a sequence or another guard gives the number; the index finds rows by it"
_IN_ORDER = "of two who write at once, the later one would be refused though nothing is wrong"
_TOPIC_LAW = "topic_law refuses it at COMMIT; this says so at once"

_CORRECTED = "test_later_guards attacks it, where there are corrections"

SURVIVORS = {
    "transfer.transfer_adjusted: the trigger": _CORRECTED,
    "transfer_adjusted: without [id = NEW.ref]": _CORRECTED,
    "transfer_adjusted: without [state <> 'REJECTED']": _CORRECTED,
    "transfer_adjusted: without 'REJECTED'": _CORRECTED,
    "transfer_adjusted: never [NOT EXISTS (SELECT 1 FROM ledger_adjustment WHERE id "
    "= NEW.ref AND state <> 'REJECTED')]": _CORRECTED,
    "account.account_truncate: the trigger": _LEANING,
    "asset.asset_truncate: the trigger": _LEANING,
    "event.event_truncate: the trigger": _LEANING,
    "lot.lot_truncate: the trigger": _LEANING,
    "orders.orders_truncate: the trigger": _LEANING,
    "transfer.transfer_truncate: the trigger": _LEANING,
    "posting.posting_number: the trigger": _IN_ORDER,
    "posting_number: without PERFORM 1 FROM account WHERE id IN (NEW.debit_id, NEW.credit_id) ORDER BY id"
    " FOR NO KEY UPDATE": _IN_ORDER,
    "posting_number: without NEW.id := nextval('posting_id_seq')": _IN_ORDER,
    "posting_number: looking beyond [id IN (NEW.debit_id, NEW.credit_id)]": "it would hold more than it needs",
    "lot_move_guard: without PERFORM 1 FROM lot WHERE id = NEW.lot_id FOR NO KEY UPDATE": (
        "it matters to two who give back at once, who have a test of their own"
    ),
    "lot_move_guard: without NEW.id := nextval('lot_move_id_seq')": _IN_ORDER,
    "lot_move_guard: looking beyond [id = NEW.lot_id]": "it would hold more than it needs",
    "lot_move_guard: without [NEW.coins > 0]": "taking never makes the sum positive; this saves the query",
    "account: account_debits": "accounts are born at zero and only grow",
    "account: account_credits": "accounts are born at zero and only grow",
    "event: event_pkey": "event_guard refuses first; the index makes that cheap",
    "event: event_topic": "event_guard refuses first; the index reads a topic",
    "event: event_prev": "event_guard compares it with a hash of that length",
    "lot: lot_account_id_fkey": "lot_guard asks for a wallet, which accounts stay for ever",
    "lot_move: lot_move_pkey": _NUMBERED,
    "outbox: outbox_pkey": _NUMBERED,
    "outbox: outbox_topic": _NUMBERED,
    "posting: posting_pkey": _NUMBERED,
    "posting: posting_has_two_sides": "account_guard applies a posting once",
    "account_guard: without [NEW.version <> OLD.version + 1]": _ONLY_THE_TRIGGER,
    "account_guard: without [NEW.debits = OLD.debits + p.amount]": _ONLY_THE_TRIGGER,
    "account_guard: without [NEW.credits = OLD.credits]": _ONLY_THE_TRIGGER,
    "account_guard: without [NEW.credits = OLD.credits + p.amount]": _ONLY_THE_TRIGGER,
    "account_guard: without [NEW.debits = OLD.debits]": _ONLY_THE_TRIGGER,
    "entry_guard: without [a.last_posting = NEW.posting_id]": _ONLY_AN_ENTRY,
    "entry_guard: without [a.debits = NEW.debits]": _ONLY_AN_ENTRY,
    "entry_guard: without [a.credits = NEW.credits]": _ONLY_AN_ENTRY,
    "lot_guard: without [NEW.remaining = OLD.remaining + m.coins]": "no lot move waits to be applied",
    "wallet_law: looking beyond [remaining > 0]": "an empty lot adds nothing; this lets the index serve",
    "post: never [NOT FOUND]": "a lot without an account breaks its NOT NULL; this says it in our words",
    "topic: topic_lines": _TOPIC_LAW,
    "topic.topic_guard: on INSERT": _TOPIC_LAW,
    "topic_guard: without [(TG_OP = 'INSERT' AND NEW.lines <> 1)]": _TOPIC_LAW,
    "topic_guard: without [NEW.topic <> OLD.topic]": _TOPIC_LAW,
    "topic_guard: without [TG_OP = 'UPDATE']": "a new row has nothing before it to compare with",
    "topic_law: without [NOT EXISTS (SELECT 1 FROM event WHERE topic = NEW.topic AND topic_seq = NEW.lines)]": (
        "a line that is told and sealed in one transaction: nobody does"
    ),
    "topic_law: without [NOT EXISTS (SELECT 1 FROM outbox_dead WHERE topic = NEW.topic AND topic_seq = NEW.lines)]": (
        "a line that is told and set aside in one transaction: nobody does"
    ),
    "outbox_number: without [NEW.topic_seq IS NOT NULL]": "no number is unlike nothing",
}
"""Guards that nothing can tell from their absence, since another one stands before them, and why they stay."""

MUTANTS_MIN = 300

_FUNCTION = re.compile(r"PL/pgSQL function (\w+)\(")

Tried = tuple[str, Attack]


class Stage:
    """The scene, the same without the scene, and who refuses which attack."""

    def __init__(self, played: Raw, empty: Raw) -> None:
        self.played, self.empty = played, empty
        columns = scene.required_columns(played)
        self.attacks: list[Tried] = [
            *((OWNER, attack) for attack in attacks.by_owner(columns)),
            *((APP, attack) for attack in attacks.by_app(columns)),
        ]
        self.by: dict[str, list[Tried]] = defaultdict(list)
        self.played.execute("BEGIN")
        for tried in self.attacks:
            for name in refusers(attempt(self.played, *tried)):
                self.by[name].append(tried)
        self.played.execute("ROLLBACK")

    def survives(self, mutant: Mutant) -> bool:
        """Whether nothing notices that the schema is weaker."""
        return self._withstands(mutant, [each for by in mutant.by for each in self.by[by]]) and self._plays(mutant)

    def _withstands(self, mutant: Mutant, tried: list[Tried]) -> bool:
        self.played.execute("BEGIN")
        try:
            self.played.execute(mutant.change)
            return all(attempt(self.played, *each) is not None for each in tried)
        finally:
            self.played.execute("ROLLBACK")

    def _plays(self, mutant: Mutant) -> bool:
        """Whether the scene can be played as it should be."""
        self.empty.execute("BEGIN")
        try:
            self.empty.execute(mutant.change)
            self.empty.execute(f"SET LOCAL ROLE {OWNER}")
            scene.build(self.empty)
            return scene.facts(self.empty) == scene.FACTS
        except psycopg.Error:
            return False
        finally:
            self.empty.execute("ROLLBACK")


def attempt(raw: Raw, role: str, attack: Attack) -> psycopg.Error | None:
    """What refused an attack, in an open transaction; None if it succeeded."""
    raw.execute("SAVEPOINT attack")
    try:
        raw.execute(f"SET LOCAL ROLE {role}")
        for statement in attack.statements:
            attacks.execute(raw, statement)
        raw.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.Error as error:
        return error
    finally:
        raw.execute("ROLLBACK TO SAVEPOINT attack")
    return None


def refusers(refusal: psycopg.Error | None) -> set[str]:
    """The constraint, the functions and the words that refused."""
    assert refusal is not None, "the whole schema withstands"
    diag = refusal.diag
    names = _FUNCTION.findall(diag.context or "")
    return {name for name in (diag.constraint_name, diag.message_primary, *names) if name}


@pytest.fixture(scope="module")
def theatre(stage: str, module_place: Place) -> Iterator[Stage]:
    with connect(stage) as played, connect(str(module_place.database("empty"))) as empty:
        yield Stage(played, empty)


def test_no_guard_of_the_books_is_missed_by_the_attacks(theatre: Stage) -> None:
    assert theatre.survives(Mutant("nothing", "SELECT 1", tuple(theatre.by)))
    weaker = mutants.all_of(theatre.played)
    assert len(weaker) >= MUTANTS_MIN
    assert {name for name, mutant in weaker.items() if theatre.survives(mutant)} == set(SURVIVORS)
