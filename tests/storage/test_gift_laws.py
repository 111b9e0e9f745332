"""What hostile SQL could try against gifts: the schema alone refuses it. And gifts move with everything else."""

# ruff: noqa: S608 - attacks are SQL text

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pysqlite3 as dbapi
import pytest
from tests.services.world import World, open_world
from tests.storage import databases
from tests.storage.databases import Clock, Kind, Place

from shoutgraph.domain.gifts import StickerEntry, Tier
from shoutgraph.domain.ids import SUFFIX_CHARS
from shoutgraph.services.gifts import catalogue, send, thank
from shoutgraph.services.gifts.send import Wish
from shoutgraph.storage import ledger_proof, moving, stickers

ROSE = StickerEntry("rose", "Rose", 5, Tier.SMALL, "gifts/rose.webm")
NEW = f"gift_{'0' * SUFFIX_CHARS}"
COLUMNS = "creator_id, user_id, sticker_id, earning_id, quantity, coins, fee_coins, sent_at"
COPY = f"INSERT INTO gift (id, {COLUMNS}) SELECT '{NEW}', {{}} FROM gift"


def furnish(world: World) -> None:
    """Three gifts of two fans, one of them thanked for."""
    tools = world.tools
    world.run(catalogue.load(tools, world.staff("admin"), (ROSE,)))
    (rose,) = world.read(stickers.list_of_current)
    owner, creator, _ = world.creator()
    sent = []
    for name in ("ada", "ada", "bob"):
        fan = world.person(name)
        world.give_coins(fan, 10)
        wish = Wish(creator.id, rose.id, 10, quantity=2, message="For you")
        sent.append(world.run(send.send(tools, fan, world.request("giftSend", fan), wish)).value)
    world.run(thank.thank(tools, owner, [sent[0].id], thanks="You are kind"))


@pytest.fixture(scope="module")
def world(module_place: Place) -> Iterator[World]:
    with open_world(module_place) as world:
        furnish(world)
        yield world


ATTACKS = [
    ("UPDATE gift SET coins = coins + 1", "never changes"),
    ("UPDATE gift SET user_id = creator_id", "never changes"),
    ("UPDATE gift SET message = 'Other words'", "never changes"),
    ("UPDATE gift SET thanks = 'Other words' WHERE thanked_at IS NOT NULL", "once"),
    ("UPDATE gift SET thanks = 'Not yet' WHERE thanked_at IS NULL", "gift_thanked"),
    ("DELETE FROM gift", "never deleted"),
    ("UPDATE gift_total SET coins = coins - 1", "only grows"),
    ("UPDATE gift_total SET coins = coins + 1", "only grows"),
    ("UPDATE gift_total SET user_id = 'user_x'", "theirs"),
    ("DELETE FROM gift_total", "only grows"),
    ("UPDATE sticker SET coins = 1", "never changes"),
    ("DELETE FROM sticker", "never changes"),
    ("INSERT INTO sticker SELECT 'sticker_x', 'x', 1, 'X', 45000, tier, asset, 0, 1 FROM sticker", "sticker_coins"),
    ("INSERT INTO sticker SELECT 'sticker_x', key, 2, name, coins, tier, asset, 0, 1 FROM sticker", "unique"),
    (COPY.format(COLUMNS) + " LIMIT 1", "unique|books, once"),
    (
        COPY.format(COLUMNS.replace("earning_id", "(SELECT id FROM earning ORDER BY id DESC LIMIT 1)")) + " LIMIT 1",
        "unique|books, once",
    ),
]


@pytest.mark.parametrize(("attack", "words"), ATTACKS)
def test_gifts_are_what_was_sent_whatever_is_tried(world: World, module_place: Place, attack: str, words: str) -> None:
    assert world.tools is not None
    said = run(module_place, attack)
    assert said is not None, "it was refused"
    assert any(word in said.lower() for word in words.lower().split("|")), said


def test_a_version_of_a_sticker_that_ended_stays_so(world: World, module_place: Place) -> None:
    assert world.tools is not None
    said = run(module_place, "UPDATE sticker SET current = 0", "UPDATE sticker SET current = 1")
    assert said is not None
    assert "stays so" in said


@pytest.mark.postgresql_only
def test_the_application_writes_no_totals(world: World, module_place: Place) -> None:
    assert world.tools is not None
    for attack in (
        "INSERT INTO gift_total VALUES ('creator_x', 'ALL', 0, 'user_x', 1, 1)",
        "UPDATE gift_total SET coins = coins + 1, gifts = gifts + 1",
        "UPDATE gift SET coins = 1",
    ):
        said = run(module_place, "SET LOCAL ROLE shoutgraph_app", attack)
        assert said is not None
        assert "permission denied" in said


@pytest.mark.parametrize("kind", list(Kind))
def test_gifts_and_their_totals_move(place: Place, tmp_path: Path, kind: Kind) -> None:
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
    assert {name: moved.rows[name] for name in ("sticker", "gift", "gift_total")} == {
        "sticker": 1,
        "gift": 3,
        "gift_total": 6,
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
