"""What hostile SQL could try against the rules of the rollout: the schema alone refuses it. And they move."""

# ruff: noqa: S608 - attacks are SQL text

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.services.world import World, open_world
from tests.storage import databases
from tests.storage.databases import Clock, Kind, Place
from tests.storage.test_gift_laws import run

from shoutgraph.domain.features import WHOLE, Feature, Lists, Terms
from shoutgraph.services import features
from shoutgraph.services.features import Wish
from shoutgraph.storage import feature_rules, ledger_proof, moving

RULE = "'feature_x', 1, 'PAYOUTS', '', 1, 10000, NULL, '[]', NULL, NULL, 0, 'me', 'why', 0, 0, 1"


def furnish(world: World) -> None:
    """A rule of two versions, both of which name people, and one that was removed."""
    admin, tools = world.staff("admin"), world.tools
    ada, bob = (str(world.person(name).user_id) for name in ("ada", "bob"))
    gifts = Wish(Feature.GIFTS, WHOLE, Terms(share_bps=0), Lists((ada,), (bob,)), "First")
    for wish in (gifts, Wish(Feature.GIFTS, WHOLE, Terms(), Lists((ada,)), "Second")):
        world.run(features.set_rule(tools, admin, world.request("featureRuleSet", admin), wish))
    gone = Wish(Feature.SHOUTOUTS, WHOLE, Terms(enabled=False), Lists(), "Third")
    world.run(features.set_rule(tools, admin, world.request("featureRuleSet", admin), gone))
    world.run(features.remove_rule(tools, admin, world.request("featureRuleRemove", admin), gone))


@pytest.fixture(scope="module")
def world(module_place: Place) -> Iterator[World]:
    with open_world(module_place) as world:
        furnish(world)
        yield world


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        ("UPDATE feature_rule SET share_bps = 1", "never changes"),
        ("UPDATE feature_rule SET reason = 'Another'", "never changes"),
        ("UPDATE feature_rule SET current = 1 WHERE current = 0 AND removed = 0", "stays so"),
        ("DELETE FROM feature_rule", "never changes"),
        ("UPDATE feature_user SET allowed = 1 - allowed", "never changes"),
        ("DELETE FROM feature_user", "never changes"),
        (
            "INSERT INTO feature_user SELECT r.id, r.version, u.id, 1 FROM feature_rule r, users u WHERE r.current = 1",
            "as long as",
        ),
        (f"INSERT INTO feature_rule VALUES ({RULE.replace(', 1, ', ', 2, ', 1)})", "follows"),
        (f"INSERT INTO feature_rule VALUES ({RULE.replace('PAYOUTS', 'GIFTS')})", "follows"),
        (f"INSERT INTO feature_rule VALUES ({RULE.replace('10000', '10001')})", "feature_share"),
        (f"INSERT INTO feature_rule VALUES ({RULE.replace(chr(39) * 2, chr(39) + 'stripe' + chr(39))})", "provider"),
        (f"INSERT INTO feature_rule VALUES ({RULE.replace('NULL, NULL', '2, 1')})", "feature_schedule"),
        (f"INSERT INTO feature_rule VALUES ({RULE.replace('0, 0, 1', '0, 1, 1')})", "feature_removed"),
    ],
)
def test_a_rule_is_what_somebody_said_whatever_is_tried(
    world: World, module_place: Place, attack: str, words: str
) -> None:
    assert world.tools is not None
    said = run(module_place, attack)
    assert said is not None, "it was refused"
    assert words in said.lower(), said


def test_people_are_told_which_rules_name_them(world: World) -> None:
    ada = str(world.person("ada").user_id)
    told = world.read(lambda tx: feature_rules.export_of_user(tx, ada))
    assert [(each["feature"], each["version"], each["allowed"]) for each in told] == [
        ("GIFTS", 1, True),
        ("GIFTS", 2, True),
    ]


@pytest.mark.parametrize("kind", list(Kind))
def test_rules_move_with_everything_else(place: Place, tmp_path: Path, kind: Kind) -> None:
    with open_world(place) as world:
        furnish(world)
    (tmp_path / "target").mkdir()
    with databases.placed(kind, tmp_path / "target") as to:
        where = to.database("target")
        moved = moving.move(
            place.database("world"), where, Clock(), prove=ledger_proof.verify, tell=lambda _name, _count: None
        )
    assert {name: moved.rows[name] for name in ("feature_rule", "feature_user")} == {
        "feature_rule": 4,
        "feature_user": 3,
    }
