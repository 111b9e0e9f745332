"""What hostile SQL could try against lines and campaigns: the schema alone refuses it. And both move with the rest."""

# ruff: noqa: S608 - attacks are SQL text

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pysqlite3 as dbapi
import pytest
from tests.services.world import BRIEF, World, open_world
from tests.storage import databases
from tests.storage.databases import Clock, Kind, Place

from shoutgraph.domain.campaigns import Plan, Standing
from shoutgraph.domain.ids import SUFFIX_CHARS
from shoutgraph.jobs import waitlist as job
from shoutgraph.services import creators
from shoutgraph.services.campaigns import change
from shoutgraph.services.orders import place as placing, wait
from shoutgraph.services.orders.place import Wish
from shoutgraph.storage import ledger_proof, moving

NEW = f"waitlist_{'0' * SUFFIX_CHARS}"
ENTRY = "id, revision, creator_id, offer_id, fan_id, number, state, joined_at, updated_at"
COPY = f"INSERT INTO waitlist_entry ({ENTRY}) SELECT '{NEW}', 1, {{}}, 'WAITING', 0, 0 FROM waitlist_entry LIMIT 1"
PIECE = (
    "INSERT INTO campaign_order SELECT {} FROM orders AS o, campaign AS c"
    " WHERE o.campaign_id IS NULL AND c.fee_bps = 900"
)


def furnish(world: World) -> None:
    """A creator with two places: two orders in a campaign with a fee, one offered place, and one who waits."""
    tools = world.tools
    owner, _, offer = world.creator()
    world.run(creators.update(tools, owner, {"open_orders_max": 3}, expected_revision=None))
    now = world.clock()
    for fee_bps in (900, None):
        plan = Plan("Spring", now, now + timedelta(days=7), (offer.id,), price_coins=500, fee_bps=fee_bps, orders_max=2)
        made = world.run(change.create(tools, owner, world.request("campaignCreate", owner), plan, None)).value
        if fee_bps is not None:
            spring = world.run(change.decide(tools, world.staff("finance"), made.id, Standing.APPROVED))
    for name in ("ada", "bob", "cyd"):
        fan, campaign_id = world.person(name), None if name == "cyd" else spring.id
        world.give_coins(fan, 1_000)
        wish = Wish(offer.id, BRIEF, 1_000 if campaign_id is None else 500, campaign_id=campaign_id)
        world.run(placing.place(tools, fan, world.request("orderPlace", fan), wish))
    for name in ("dee", "eve"):
        world.run(wait.join(tools, world.person(name), offer.id))
    world.run(creators.update(tools, owner, {"open_orders_max": 4}, expected_revision=None))
    assert world.run(job.tick(tools)) == 1


@pytest.fixture(scope="module")
def world(module_place: Place) -> Iterator[World]:
    with open_world(module_place) as world:
        furnish(world)
        yield world


ATTACKS = [
    ("UPDATE waitlist_entry SET number = number + 10", "stays whose it is"),
    ("UPDATE waitlist_entry SET fan_id = (SELECT user_id FROM creator)", "stays whose it is"),
    ("UPDATE waitlist_entry SET state = 'LEFT'", "step by step"),
    ("UPDATE waitlist_entry SET state = 'LAPSED', revision = revision + 1 WHERE state = 'WAITING'", "step by step"),
    (
        "UPDATE waitlist_entry SET state = 'ORDERED', revision = revision + 1, order_id = (SELECT min(id) FROM orders)",
        "for themselves",
    ),
    ("DELETE FROM waitlist_entry", "not forgotten"),
    (COPY.format("creator_id, offer_id, fan_id, 99"), "unique"),
    (COPY.format("creator_id, offer_id, (SELECT min(user_id) FROM creator), 99"), "somebody else"),
    ("UPDATE campaign SET fee_bps = 1", "terms of a campaign"),
    ("UPDATE campaign SET price_coins = 1, revision = revision + 1", "terms of a campaign"),
    ("UPDATE campaign SET orders_max = 1, revision = revision + 1 WHERE fee_bps = 900", "leaves no order out"),
    ("UPDATE campaign SET ends_at = starts_at + 1, revision = revision + 1 WHERE fee_bps = 900", "leaves no order out"),
    ("UPDATE campaign SET standing = 'DENIED', revision = revision + 1 WHERE fee_bps = 900", "step by step"),
    (
        "UPDATE campaign SET decided_by = proposed_by, decided_at = 1, revision = revision + 1",
        "step by step|campaign_decided",
    ),
    ("DELETE FROM campaign", "never deleted"),
    ("UPDATE campaign_order SET number = number + 1", "append-only"),
    ("DELETE FROM campaign_order", "append-only"),
    (PIECE.format("o.id, c.id, 2, o.created_at"), "has its terms|unique"),
    (PIECE.format("o.id, c.id, 3, o.created_at"), "has its terms"),
    ("UPDATE orders SET fee_bps = 0, revision = revision + 1", "agreed at submit"),
    ("UPDATE orders SET campaign_id = NULL, revision = revision + 1 WHERE campaign_id IS NOT NULL", "agreed at submit"),
]


@pytest.mark.parametrize(("attack", "words"), ATTACKS)
def test_lines_and_campaigns_are_what_they_were(world: World, module_place: Place, attack: str, words: str) -> None:
    assert world.tools is not None
    said = run(module_place, attack)
    assert said is not None, "it was refused"
    assert any(word in said.lower() for word in words.lower().split("|")), said


@pytest.mark.parametrize("kind", list(Kind))
def test_lines_and_campaigns_move(place: Place, tmp_path: Path, kind: Kind) -> None:
    with open_world(place) as world:
        furnish(world)
    (tmp_path / "target").mkdir()
    with databases.placed(kind, tmp_path / "target") as to:
        moved = moving.move(
            place.database("world"),
            to.database("target"),
            Clock(),
            prove=ledger_proof.verify,
            tell=lambda _name, _count: None,
        )
    assert {name: moved.rows[name] for name in ("waitlist_entry", "campaign", "campaign_order")} == {
        "waitlist_entry": 2,
        "campaign": 2,
        "campaign_order": 2,
    }


def run(place: Place, *statements: str) -> str | None:
    """The message that refused the attack; None if nothing did."""
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
