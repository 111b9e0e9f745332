"""PostgreSQL itself refuses every attack on the books, whoever tries it: by rights, at a statement or at COMMIT."""

import re
import threading
from collections.abc import Iterator

import psycopg
import pytest
from tests import postgres
from tests.storage.attacks import Attack
from tests.storage.databases import Place
from tests.storage.postgresql import appwords, attacks, scene
from tests.storage.postgresql.conftest import Login, connect, played
from tests.storage.postgresql.scene import Raw
from tests.storage.scene import ESCROW, FAN, FREE, LIVE_ORDER, move, posting

from shoutgraph.storage.postgresql import ROLES

pytestmark = pytest.mark.postgresql_only

ATTACKS_MIN = 40
"""Of a role's own, beside those that SQLite knows too."""

BY_ROLE = dict(zip(ROLES, (attacks.by_owner, attacks.by_app, attacks.by_sequencer, attacks.by_report), strict=True))


@pytest.fixture(scope="module")
def raw(stage: str, login: Login) -> Iterator[Raw]:
    with connect(login(stage, *ROLES)) as raw:
        yield raw


def test_the_scene_is_what_the_attacks_assume(raw: Raw) -> None:
    raw.execute("SET ROLE shoutgraph_report")
    assert scene.facts(raw) == scene.FACTS
    raw.execute("RESET ROLE")


@pytest.mark.parametrize("role", ROLES)
def test_every_attack_on_the_books_is_refused_for_its_own_reason(raw: Raw, role: str) -> None:
    tried = list(BY_ROLE[role](scene.required_columns(raw)))
    assert len(tried) >= ATTACKS_MIN
    assert len({attack.name for attack in tried}) == len(tried)
    wrong = {attack.name: said for attack in tried if (said := refusal(raw, role, attack)) is not None}
    assert wrong == {}


def refusal(raw: Raw, role: str, attack: Attack) -> str | None:
    """What was wrong with the refusal of an attack; None if nothing was."""
    said = attacks.run(raw, role, attack)
    if said is None:
        return "it succeeded"
    return None if re.search(attack.by, said) else said


def test_the_attacks_left_nothing_behind(raw: Raw) -> None:
    raw.execute("SET ROLE shoutgraph_report")
    assert scene.facts(raw) == scene.FACTS
    raw.execute("RESET ROLE")


@pytest.mark.parametrize(
    "law", ["escrow_law", "orders_law", "wallet_law", "lot_law", "topic_law", "outbox_law", "event_law"]
)
def test_a_law_is_checked_at_commit(raw: Raw, law: str) -> None:
    """The attacks ask for the check; this is the COMMIT itself."""
    broken = {
        "escrow_law": "drain an escrow",
        "orders_law": "end an order with its coins stuck",
        "wallet_law": "spend coins of no lot",
        "lot_law": "spend a lot and keep the coins",
        "topic_law": "count a line that nobody told of",
        "outbox_law": "lose what waits",
        "event_law": "seal a line and stay behind it",
    }
    attack = next(each for each in attacks.by_owner(scene.required_columns(raw)) if each.name == broken[law])
    raw.execute("BEGIN")
    raw.execute("SET LOCAL ROLE shoutgraph_owner")
    for statement in attack.statements:
        attacks.execute(raw, statement)
    with pytest.raises(Exception, match=attack.by):
        raw.execute("COMMIT")
    assert raw.info.transaction_status == 0
    test_the_attacks_left_nothing_behind(raw)


WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def at_once(place: Place, first: tuple[str, ...], second: tuple[str, ...]) -> str | None:
    """Has a second one write while a first one has not committed; gives what refused the second, if anything did."""
    url = played(str(place.database()))
    said: list[str] = []

    def write() -> None:
        with connect(url) as raw:
            raw.execute("BEGIN")
            try:
                for statement in (*second, "COMMIT"):
                    raw.execute(statement)
            except psycopg.Error as error:
                said.append(str(error))

    with connect(url) as raw, connect(url) as onlooker:
        raw.execute("BEGIN")
        for statement in first:
            raw.execute(statement)
        other = threading.Thread(target=write)
        other.start()
        postgres.wait_until(lambda: onlooker.execute(WAITS).fetchall() == [(1,)])
        raw.execute("COMMIT")
        other.join()
    return said[0] if said else None


def test_two_who_give_back_at_once_give_back_what_was_taken_at_most(place: Place) -> None:
    lowered = f"UPDATE orders SET price_coins = 20, revision = 3 WHERE id = '{LIVE_ORDER}'"  # noqa: S608 - a constant
    given = (move("lot_fan", 30, order=LIVE_ORDER), posting(ESCROW, FAN, 30), lowered)
    assert "at most what it took" in str(at_once(place, given, given))


def test_two_who_spend_at_once_spend_what_is_there_at_most(place: Place) -> None:
    spent = (posting(FAN, FREE, 30), move("lot_fan", -30))
    assert "no_overdraft" in str(at_once(place, spent, spent))


def test_two_who_post_at_once_in_any_order_are_both_served(place: Place) -> None:
    assert (
        at_once(
            place,
            (posting(FREE, ESCROW, 5), posting(ESCROW, FREE, 5)),
            (posting(FREE, ESCROW, 1), posting(ESCROW, FREE, 1)),
        )
        is None
    )


def test_two_who_end_an_order_at_once_end_it_once(place: Place) -> None:
    ended = (posting(ESCROW, FREE, 50), appwords.end(LIVE_ORDER))
    assert "no_overdraft" in str(at_once(place, ended, ended))


def test_two_who_tell_of_one_subject_at_once_tell_one_after_the_other(place: Place) -> None:
    assert at_once(place, (scene.outbox("event_a"),), (scene.outbox("event_b"),)) is None
    with connect(str(place.database())) as raw:
        told = raw.execute("SELECT event_id, topic_seq FROM outbox WHERE topic_seq > 3 ORDER BY id").fetchall()
    assert told == [("event_a", 4), ("event_b", 5)]
