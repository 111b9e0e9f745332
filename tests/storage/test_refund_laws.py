"""What buggy or hostile SQL could try against refunds and what people settled: the schema alone refuses it."""

# ruff: noqa: S608 - attacks are SQL text

from collections.abc import Iterator
from typing import Any

import psycopg
import pysqlite3 as dbapi
import pytest
from tests.api.ledgers import SOMEBODY
from tests.services.test_refunds import ask
from tests.services.till import Till, open_till
from tests.storage.databases import Kind, Place

from shoutgraph.domain.resolutions import Verdict
from shoutgraph.domain.topups import refund as rules
from shoutgraph.services.money import resolve
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import apply, refund, set_aside
from shoutgraph.storage import refunds
from shoutgraph.storage.tx import Tx


@pytest.fixture(scope="module")
def till(module_place: Place) -> Iterator[Till]:
    """A top-up of 1,000 with a refund of 300 that succeeded and one of 200 that is held; a proposal about another."""
    with open_till(module_place) as till:
        fan = till.world.person("ada")
        topup = till.paid(fan, 1_000)
        ask(till, topup, minor=300)

        def hold(tx: Tx) -> None:
            desk = apply.open_desk(till.world.tools, tx, timers.reverse_orders)
            wish = refund.Wish(topup.id, "A kind word", minor=200)
            asked = refund._set_aside(desk, SOMEBODY, wish)
            held = set_aside.keep(desk, asked, rules.held(asked, now=tx.now))
            refunds.schedule(tx, held.id, look_at=None, looks=0)

        till.world.write(hold)
        lost = till.buy(fan, 1_004).value
        wish = resolve.Wish(lost.id, Verdict.PAID, "line 7")
        till.world.run(resolve.propose(till.world.tools, SOMEBODY, till.world.request("x", SOMEBODY), wish))
        yield till


def run(place: Place, *statements: str) -> str | None:
    """The message that refused the attack; None if it succeeded, which is kept then."""
    where = place.database("world")
    raw: Any = (
        dbapi.connect(str(where), isolation_level=None)
        if place.kind is Kind.SQLITE
        else psycopg.connect(str(where), autocommit=True)
    )
    try:
        raw.execute("BEGIN")
        for statement in statements:
            raw.execute(statement)
        raw.execute("COMMIT")
    except (dbapi.DatabaseError, psycopg.DatabaseError) as error:
        return str(error)
    finally:
        raw.close()
    return None


HELD, DONE = "state = 'HELD'", "state = 'SUCCEEDED'"
TWIN = """INSERT INTO refund SELECT 'refund_twin', 1, topup_id, user_id, instance, {minor}, {coins}, 0, currency, '[]',
  reason, 'me', created_at, updated_at, answer_due_at, '{state}', NULL, 0, NULL, NULL, 0, NULL, NULL, 0, NULL,
  '[]', 0 FROM refund WHERE state = 'HELD'"""
SENT = "UPDATE refund SET state = 'SUBMITTING', attempts = 1"
DECIDED = "UPDATE resolution SET state = 'CONFIRMED', decided_at = 1, decided_by ="
SOMETHING = """INSERT INTO taken_back (ref, topup_id, taken, number, minor, coins, book_units, order_coins, owed_coins,
  bonus_coins, back_minor, back_coins, back_book_units, at) SELECT 'other', topup_id, taken, number, minor, coins,
  book_units, 0, 0, 0, 0, 0, 0, at FROM taken_back"""
ATTACKS: list[tuple[str, ...]] = [
    ("of nothing", "refund_part", TWIN.format(minor=0, coins=0, state="REQUESTED")),
    ("of less than nothing", "refund_part", TWIN.format(minor=-5, coins=0, state="REQUESTED")),
    ("that is sent already", "requested once|refund_", TWIN.format(minor=5, coins=0, state="PENDING")),
    ("whose coins are not set aside", "set aside", TWIN.format(minor=5, coins=5, state="REQUESTED")),
    (
        "of more than was paid",
        "no more is refunded",
        TWIN.format(minor=701, coins=0, state="REQUESTED"),
        f"{SENT} WHERE id = 'refund_twin'",
    ),
    ("decided by who asked", "refund_two_people", f"{SENT}, decided_by = requested_by WHERE {HELD}"),
    ("that goes back", "forward", f"UPDATE refund SET state = 'REQUESTED' WHERE {HELD}"),
    ("that ended", "forward|refund_", f"UPDATE refund SET state = 'PENDING', closed_at = NULL WHERE {DONE}"),
    ("that ended, to another end", "forward|in the books", f"UPDATE refund SET state = 'FAILED' WHERE {DONE}"),
    (
        "that ends unsent",
        "refund_sent|in the books",
        f"UPDATE refund SET state = 'SUCCEEDED', closed_at = 1 WHERE {HELD}",
    ),
    (
        "that ends beside the books",
        "in the books",
        f"{SENT} WHERE {HELD}",
        "UPDATE refund SET state = 'SUCCEEDED', closed_at = 1 WHERE state = 'SUBMITTING'",
    ),
    ("whose coins do not return", "in the books", f"UPDATE refund SET state = 'DENIED', closed_at = 1 WHERE {HELD}"),
    ("whose money came back beside the books", "in the books", f"UPDATE refund SET state = 'REVERSED' WHERE {DONE}"),
    (
        "of which more came back than went",
        "no more comes back",
        "UPDATE topup SET refunds_failed_minor = refunded_minor + 1 WHERE refunded_minor > 0",
    ),
    (
        "of which more is booked as come back than was seen",
        "no more comes back",
        "UPDATE topup SET booked_refunds_failed_minor = 1 WHERE refunded_minor > 0",
    ),
    ("that took something else", "never changes", "UPDATE taken_back SET taken = '[]', coins = 1"),
    ("that gives back beside the books", "in the books", "UPDATE taken_back SET back_minor = 1"),
    ("that gives back more than it took", "taken_back_", "UPDATE taken_back SET back_coins = coins + 1"),
    ("that is forgotten", "never deleted", "DELETE FROM taken_back"),
    (
        "that took nothing of the books",
        "in the books",
        SOMETHING,
    ),
    ("of another amount", "never changes", f"UPDATE refund SET minor = 1 WHERE {HELD}"),
    ("of somebody else", "never changes", f"UPDATE refund SET requested_by = 'x' WHERE {HELD}"),
    ("said to be a withdrawal", "asked for never changes", f"UPDATE refund SET withdrawal = 1 WHERE {HELD}"),
    ("that is deleted", "never deleted", f"DELETE FROM refund WHERE {HELD}"),
    ("confirmed by who proposed", "resolution_two_people", f"{DECIDED} proposed_by"),
    ("confirmed by nobody", "resolution_decided", "UPDATE resolution SET state = 'CONFIRMED'"),
    ("confirmed by no name", "resolution_named", f"{DECIDED} ''"),
    ("of another verdict", "never changes", "UPDATE resolution SET verdict = 'CLOSED'"),
    ("of other evidence", "never changes", "UPDATE resolution SET evidence = 'x'"),
    ("proposed by another", "never changes", "UPDATE resolution SET proposed_by = 'x'"),
    (
        "decided twice",
        "decided once",
        f"{DECIDED} 'olga'",
        "UPDATE resolution SET decided_by = 'otto'",
    ),
    ("forgotten", "never deleted", "DELETE FROM resolution"),
]


@pytest.mark.usefixtures("till")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack[0])
def test_an_attack_on_refunds_is_refused(module_place: Place, attack: tuple[str, ...]) -> None:
    _, by, *statements = attack
    refusal = run(module_place, *statements)
    assert refusal is not None, "the attack succeeded"
    assert any(part in refusal for part in by.split("|")), refusal
