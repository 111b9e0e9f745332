"""PostgreSQL itself refuses every attack on the books, whoever tries it: by rights, at a statement or at COMMIT."""

import re
from collections.abc import Iterator

import pytest
from tests.storage.attacks import Attack
from tests.storage.postgresql import attacks, scene
from tests.storage.postgresql.conftest import Login, connect
from tests.storage.postgresql.scene import Raw

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
