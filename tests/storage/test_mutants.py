"""Every guard of the books is needed: without any one of them, an attack succeeds or the books go wrong."""

from typing import Any

import pysqlite3 as dbapi
import pytest
from tests.storage import attacks, databases, mutants, scene

_ONLY_THE_TRIGGER = "only posting_apply itself gets past the other conditions: no posting waits to be applied"
_ONLY_AN_ENTRY = "the entry of an account's newest version is always there, so the first condition refuses before"

_CORRECTED = "test_later_guards attacks it, where there are corrections"

SURVIVORS = {
    "transfer_adjusted: the trigger": _CORRECTED,
    "transfer_adjusted: without [id = NEW.ref]": _CORRECTED,
    "transfer_adjusted: without [state <> 'REJECTED']": _CORRECTED,
    "transfer_adjusted: without 'REJECTED'": _CORRECTED,
    "transfer_adjusted: without SELECT RAISE(ABORT, 'a correction is what two people agreed on')": _CORRECTED,
    "transfer_adjusted: without [NOT EXISTS (SELECT 1 FROM ledger_adjustment WHERE i"
    "d = NEW.ref AND state <> 'REJECTED')]": _CORRECTED,
    "account: CONSTRAINT account_debits CHECK (debits >= 0)": "accounts are born at zero and only grow",
    "account: CONSTRAINT account_credits CHECK (credits >= 0)": "accounts are born at zero and only grow",
    "account: UNIQUE (code)": "account_new refuses first; the index finds accounts by code",
    "posting: CONSTRAINT posting_has_two_sides CHECK (debit_id <> credit_id)": "account_balance applies a posting once",
    "lot: FOREIGN KEY(account_id) REFERENCES account (id)": "lot_new asks for a wallet, which accounts stay for ever",
    "event: CONSTRAINT event_prev CHECK (length(prev) = 32)": "event_new compares it with a hash of that length",
    "event: CONSTRAINT event_topic UNIQUE (topic, topic_seq)": "event_new refuses first; the index reads a topic",
    "event: UNIQUE (id)": "event_new refuses first; the index makes that cheap",
    "account_balance: without [NEW.version <> OLD.version + 1]": _ONLY_THE_TRIGGER,
    "account_balance: without [NEW.debits = OLD.debits + p.amount]": _ONLY_THE_TRIGGER,
    "account_balance: without [NEW.credits = OLD.credits]": _ONLY_THE_TRIGGER,
    "account_balance: without [NEW.credits = OLD.credits + p.amount]": _ONLY_THE_TRIGGER,
    "account_balance: without [NEW.debits = OLD.debits]": _ONLY_THE_TRIGGER,
    "entry_new: without [a.last_posting = NEW.posting_id]": _ONLY_AN_ENTRY,
    "entry_new: without [a.debits = NEW.debits]": _ONLY_AN_ENTRY,
    "entry_new: without [a.credits = NEW.credits]": _ONLY_AN_ENTRY,
    "lot_balance: without [NEW.remaining = OLD.remaining + m.coins]": "no lot move waits to be applied",
    "lot_move_return: without [NEW.coins > 0]": "taking never makes the sum positive; this saves the query",
    "wallet_ok_law: without [remaining > 0]": "an empty lot adds nothing; this lets the index serve",
}
"""Guards that nothing can tell from their absence, since another one stands before them, and why they stay."""

MUTANTS_MIN = 250


def survives(schema: mutants.Schema) -> bool:
    """Whether nothing notices that this schema is weaker."""
    raw: Any = None
    try:
        raw = scene.build(schema)
        if scene.facts(raw) != scene.FACTS:
            return False
        columns = scene.required_columns(raw)
        return all(attacks.run(raw, attack) is not None for attack in attacks.all_of(columns))
    except dbapi.DatabaseError:
        return False
    finally:
        if raw is not None:
            raw.close()


@pytest.mark.no_cover
def test_no_guard_of_the_books_is_missed_by_the_attacks() -> None:
    whole = databases.schema()
    assert survives(whole)
    weaker = dict(mutants.all_of(whole))
    assert len(weaker) >= MUTANTS_MIN
    assert {name for name, schema in weaker.items() if survives(schema)} == set(SURVIVORS)
