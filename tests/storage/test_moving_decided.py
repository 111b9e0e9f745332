"""What people decided by hand moves with everything else: corrections, lines in suspense, codes that were used."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from tests.services.world import World, new_id, open_world
from tests.storage import databases
from tests.storage.databases import Clock, Kind, Place, Where

from shoutgraph.domain.corrections import CorrectionState, Leg
from shoutgraph.domain.money import Money
from shoutgraph.domain.promotions import Kind as Gives, Offered
from shoutgraph.domain.suspense import Line, SuspenseState, Told
from shoutgraph.services import promotions
from shoutgraph.services.money import correct, suspense
from shoutgraph.storage import corrections, ledger_proof, moving, suspending, suspense as lines
from shoutgraph.storage.moving import Tell, replay, tables

LEGS: Final = (Leg("rev:packs:EUR", "exp:psp:EUR", 7),)
BETWEEN: Final = ("transfer", "account", "posting", "lot_move", "orders")
"""What a move replays, after the accounts and lots that it opens and before all the others."""


class Cut(Exception):  # noqa: N818 - not an error of ours
    """The machine went away."""


def line_of(world: World, name: str, *, wasted: int = 0) -> Line:
    """A line in suspense about which people could not agree so many times."""
    told = Told("psp", name, None, Money(500, "EUR"), world.clock())
    world.write(lambda tx: suspending.take_in(tx, new_id, told))
    for _ in range(wasted):
        line = propose(world, now(world, name))
        person, wish = world.staff("finance"), suspense.Wish(line.id, line.revision)
        world.run(suspense.reject(world.tools, person, world.request("suspenseReject", person), wish))
    return now(world, name)


def now(world: World, name: str) -> Line:
    (line,) = world.read(lambda tx: lines.list_of_movement(tx, instance="psp", operation_id=name, ref=None))
    return line


def propose(world: World, line: Line, account: str = "rev:packs:EUR") -> Line:
    person, wish = world.staff("finance"), suspense.Wish(line.id, line.revision, account, "A letter.")
    return world.run(suspense.propose(world.tools, person, world.request("suspensePropose", person), wish)).value


def put(world: World, line: Line, account: str) -> None:
    person, said = replace(world.staff("finance"), principal="olga"), propose(world, line, account)
    wish = suspense.Wish(said.id, said.revision)
    world.run(suspense.confirm(world.tools, person, world.request("suspenseConfirm", person), wish))


def decide_lines(world: World) -> None:
    """A line of every state, some after people could not agree."""
    put(world, line_of(world, "placed"), "rev:packs:EUR")
    put(world, line_of(world, "placed late", wasted=2), "exp:psp:EUR")
    for name, wasted in (("cleared", 0), ("cleared late", 1)):
        line = line_of(world, name, wasted=wasted)
        if wasted:
            propose(world, line)
        world.write(lambda tx, at=name: suspending.explain(tx, new_id, instance="psp", operation_id=at, ref=None))
    propose(world, line_of(world, "proposed", wasted=1))
    line_of(world, "open"), line_of(world, "open late", wasted=1)
    world.clock.move(days=2)
    world.run(suspense.call_people(world.tools))
    line_of(world, "new")


def correct_books(world: World) -> None:
    """A correction of every state."""
    ada, bob = world.staff("finance"), replace(world.staff("finance"), principal="bob")
    wish = correct.Wish("The wrong account.", "CASE-1", LEGS)
    for decide in (correct.confirm, correct.reject, None):
        found = world.run(correct.propose(world.tools, ada, world.request("ledgerAdjust", ada), wish)).value
        if decide is not None:
            world.run(decide(world.tools, bob, world.request("ledgerAdjustDecide", bob), found.id))


def use_codes(world: World) -> None:
    """A promotion that is used up."""
    staff, offered = world.staff("finance"), Offered("A treat", Gives.GRANT, 5, world.clock(), uses_max=3)
    wish = promotions.Wish(offered, "We thank you.", codes=("TREAT",))
    world.run(promotions.create(world.tools, staff, world.request("promoCreate", staff), wish))
    for name in ("ada", "bea", "cyd"):
        fan = world.person(name)
        world.run(promotions.redeem(world.tools, fan, world.request("promoCodeRedeem", fan), "TREAT"))


@pytest.fixture
def source(place: Place) -> Where:
    with open_world(place) as world:
        decide_lines(world)
        correct_books(world)
        use_codes(world)
    return place.database("world")


@pytest.fixture(params=list(Kind), ids=lambda kind: f"to {kind}")
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Where]:
    (tmp_path / "target").mkdir()
    with databases.placed(request.param, tmp_path / "target") as place:
        yield place.database("target")


def move(source: Where, target: Where, tell: Tell = lambda _name, _count: None) -> dict[str, int]:
    clock = Clock()
    clock.move(days=3)
    return dict(moving.move(source, target, clock, prove=proven, tell=tell).rows)


def proven(tx: Any) -> None:
    assert ledger_proof.verify(tx) == []


def test_what_people_decided_moves_though_it_is_cut(
    source: Where, target: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "PART_POSTINGS", 3)
    told: list[str] = []

    def cut(name: str, _count: int) -> None:
        told.append(name)
        if told.count("posting") == 2:
            raise Cut

    with pytest.raises(Cut):
        move(source, target, cut)
    rows = move(source, target)
    expected = {"ledger_adjustment": 3, "ledger_adjustment_leg": 3, "suspense_line": 8, "promo_use": 3}
    assert {name: rows[name] for name in expected} == expected
    store = databases.opened(target, Clock())
    states = store.read_now(_states)
    store.close()
    assert states == (set(CorrectionState), set(SuspenseState))


def _states(tx: Any) -> tuple[set[CorrectionState], set[SuspenseState]]:
    adjusted = tx.all(tables.select(tables.named("ledger_adjustment"), ["id"]))
    found = tx.all(tables.select(tables.named("suspense_line"), ["id"]))
    return {corrections.get(tx, row[0]).state for row in adjusted}, {lines.get(tx, row[0]).state for row in found}


GUARD: Final = re.compile(r"CREATE TRIGGER \w+ (?:BEFORE|AFTER) INSERT ON (\w+)(.*)", re.DOTALL)
READ: Final = re.compile(r"(?:FROM|JOIN) (\w+)")
KEPT_BY_GUARDS: Final = tables.WRITTEN_BY_GUARDS | {"account", "lot"}


def test_what_a_guard_looks_at_is_there_before_what_it_guards() -> None:
    """Both kinds of database have the same guards; the names of one are easier to read."""
    embedded: Any = type("Embedded", (), {"server": False})
    first = [*tables.FIRST, *BETWEEN]
    order = [*first, *(table.name for table in tables.of(embedded) if table.name not in first)]
    found = [GUARD.fullmatch(text) for _, _, _, text in databases.schema()]
    late = {
        (guard[1], seen)
        for guard in found
        if guard is not None and guard[1] not in KEPT_BY_GUARDS
        for seen in READ.findall(guard[2])
        if seen in order and seen not in KEPT_BY_GUARDS and order.index(seen) > order.index(guard[1])
    }
    assert late == set()
    assert len([guard for guard in found if guard is not None]) > 80
