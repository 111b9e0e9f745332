"""Coins that lapsed, came back or are about to lapse move with everything else, and so they are in a restored copy."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from tests.services.world import World, open_world
from tests.storage import databases
from tests.storage.databases import Kind, Place

from shoutgraph.domain import ids
from shoutgraph.domain.dormancy import DormancyState
from shoutgraph.domain.lapse_rules import LapseOutcome
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import dormancy as job
from shoutgraph.services import dormancy
from shoutgraph.storage import dormancy as rows, lapses, ledger_proof, moving, policies

AWAY: Final = timedelta(days=370)
NOTICE: Final = timedelta(days=30, minutes=1)
PAIRS: Final = (("DE.income", "DE.unclaimed"), (("months", 12), ("notice_days", 30)))
TOTALS: Final = [(LapseOutcome.INCOME, 1, 700, 0), (LapseOutcome.UNCLAIMED, 2, 1_400, 700)]


def publish(world: World, version: int, outcome: str) -> None:
    rule = tuple((f"{outcome}.{name}", value) for name, value in PAIRS[1])
    world.write(lambda tx: policies.insert(tx, replace(FIRST, version=version, dormancy=rule)))


def let_lapse(world: World, *names: str) -> list[Viewer]:
    people = [replace(each, principal=str(each.user_id)) for each in map(world.person, names)]
    for each in people:
        world.give_coins(each, 700)
    for by in (AWAY, NOTICE):
        world.clock.now += by
        world.run(job.tick(world.tools))
    return people


def furnish(world: World) -> tuple[str, datetime]:
    """Coins of every fate; gives who has some to claim, and the time."""
    publish(world, 2, PAIRS[0][0])
    let_lapse(world, "ada")
    publish(world, 3, PAIRS[0][1])
    bea, cyd = let_lapse(world, "bea", "cyd")
    world.run(dormancy.reclaim(world.tools, cyd, world.request("walletReclaim", cyd)))
    dan, eve = (replace(world.person(name), principal=name) for name in ("dan", "eve"))
    for each in (dan, eve):
        world.give_coins(each, 700)
    world.clock.now += AWAY
    world.run(job.tick(world.tools))
    world.run(dormancy.keep(world.tools, dan, world.request("walletKeep", dan)))
    return str(bea.user_id), world.clock.now


def moved(source: Place, target: Place) -> None:
    prove: Callable[[Any], None] = lambda tx: None if ledger_proof.verify(tx) == [] else pytest.fail("it is not proven")  # noqa: E731
    clock = databases.Clock()
    clock.now += 4 * AWAY
    where = source.database("world"), target.database("world")
    moving.move(*where, clock, prove=prove, tell=lambda _name, _count: None)


def goes_on(place: Place, owner: str, at: datetime) -> None:
    """What lapsed can be claimed, what is about to lapse does."""
    with open_world(place) as world:
        world.clock.now = at
        assert world.read(lapses.list_of_totals) == TOTALS
        bea = Viewer(user_id=ids.UserId(owner), principal=owner)
        world.run(dormancy.reclaim(world.tools, bea, world.request("walletReclaim", bea, "a-key-of-this-test-00001")))
        world.clock.now += NOTICE
        assert world.run(job.tick(world.tools))
        assert world.read(lapses.list_of_totals) == [TOTALS[0], (LapseOutcome.UNCLAIMED, 4, 2_800, 1_400)]
        assert world.read(rows.any_open) is False


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: f"to {kind}")
def test_what_lapsed_moves_there_and_back(place: Place, tmp_path: Path, kind: Kind) -> None:
    with open_world(place) as world:
        owner, at = furnish(world)
    for folder in ("target", "back"):
        (tmp_path / folder).mkdir()
    with databases.placed(kind, tmp_path / "target") as there, databases.placed(place.kind, tmp_path / "back") as back:
        moved(place, there)
        moved(there, back)
        goes_on(back, owner, at)


def test_what_lapsed_is_in_a_restored_copy(place: Place) -> None:
    with open_world(place) as world:
        owner, at = furnish(world)
        states = [each.state for each in world.read(lambda tx: rows.list_of_page(tx, after="", limit=9))]
    copy = place.inside("copy")
    place.copy("world", copy)
    assert states
    assert set(states) == {DormancyState.NOTICED}
    goes_on(copy, owner, at)
