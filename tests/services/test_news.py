"""News of money: in order, at least once, and a plugin that breaks holds up nobody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from tests.services.world import World

from shoutgraph import sdk
from shoutgraph.domain import ids, journal as lines
from shoutgraph.jobs import news
from shoutgraph.plugins import loading
from shoutgraph.storage import journal, news as places


@dataclass(eq=False)
class Ear:
    """A plugin that hears; `broken` breaks so often."""

    broken: int = 0
    heard: list[Mapping[str, object]] = field(default_factory=list)

    @sdk.hookimpl
    def shoutgraph_money_event(self, event: Mapping[str, object]) -> None:
        if self.broken:
            self.broken -= 1
            raise RuntimeError("not now")
        self.heard.append(event)

    @property
    def subjects(self) -> list[object]:
        return [each["subject"] for each in self.heard]


@pytest.fixture
def ears(world: World) -> tuple[Ear, Ear]:
    good, bad = Ear(), Ear()
    setup = loading.Setup(
        instances={},
        environ={},
        clock=world.clock,
        monotonic=world.loop.time,
        extra={"good": good, "bad": bad},
        discover=False,
        strict=True,
    )
    world.tools = replace(world.tools, providers=loading.load(setup))
    return good, bad


def happen(world: World, *subjects: str, kind: str = "topup.status_changed") -> None:
    for subject in subjects:
        event = lines.NewEvent(world.tools.new_id(ids.EVENT), subject, kind, {"coins": 1})
        world.write(lambda tx, event=event: journal.append(tx, event))


def test_each_plugin_hears_everything_once_and_in_order(world: World, ears: tuple[Ear, Ear]) -> None:
    happen(world, "before")
    assert world.run(news.tick(world.tools)) == 0
    happen(world, "a", "b")
    happen(world, "order", kind="order.placed")
    happen(world, "c")
    assert world.run(news.tick(world.tools)) == 6
    assert world.run(news.tick(world.tools)) == 0
    for ear in ears:
        assert ear.subjects == ["a", "b", "c"]
    first = ears[0].heard[0]
    assert (first["type"], first["body"]) == ("topup.status_changed", {"coins": 1})
    assert set(first) == {"id", "seq", "type", "subject", "subject_seq", "at", "body"}


def test_one_that_breaks_is_told_again_later_and_others_go_on(world: World, ears: tuple[Ear, Ear]) -> None:
    good, bad = ears
    world.run(news.tick(world.tools))
    bad.broken = 2
    happen(world, "a", "b")
    world.run(news.tick(world.tools))
    assert (good.subjects, bad.subjects) == (["a", "b"], [])
    world.run(news.tick(world.tools))
    assert bad.broken == 1, "it is left alone for a while"
    world.clock.move(seconds=2)
    world.run(news.tick(world.tools))
    happen(world, "c")
    world.clock.move(seconds=1)
    world.run(news.tick(world.tools))
    assert (good.subjects, bad.subjects, bad.broken) == (["a", "b", "c"], [], 0), "the pause grows"
    world.clock.move(seconds=2)
    world.run(news.tick(world.tools))
    assert bad.subjects == ["a", "b", "c"]


def test_a_worker_that_went_away_leaves_its_turn_to_another(world: World, ears: tuple[Ear, Ear]) -> None:
    world.run(news.tick(world.tools))
    happen(world, "a")
    for name in world.tools.providers.hooks.listeners:
        world.write(lambda tx, name=name: places.claim(tx, name, lease=timedelta(minutes=2)))
    world.run(news.tick(world.tools))
    assert ears[0].subjects == []
    world.clock.move(minutes=3)
    world.run(news.tick(world.tools))
    assert ears[0].subjects == ["a"]
