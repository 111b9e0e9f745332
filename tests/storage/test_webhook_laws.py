"""What hostile SQL could try against webhooks: the schema alone refuses it. And they move with everything else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.services.world import World, open_world
from tests.storage import databases
from tests.storage.databases import Clock, Kind, Place
from tests.storage.test_gift_laws import run

from shoutgraph.domain import ids
from shoutgraph.domain.endpoints import (
    Attempt,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
    Outcome,
    Secret,
    digest_of,
)
from shoutgraph.storage import deliveries, endpoints, ledger_proof, moving
from shoutgraph.storage.tx import Tx


def furnish(world: World) -> None:
    """An endpoint that was told once."""
    fan = world.person("ada")
    world.give_coins(fan, 10)
    made = world.tools.new_id(ids.ENDPOINT)

    def work(tx: Tx) -> None:
        state, now = EndpointState.ACTIVE, tx.now
        endpoint = Endpoint(made, 1, "https://a.example/", "A tool", (), state, None, "me", now, now)
        endpoints.insert(tx, endpoint, Secret(made, 1, "salt", digest_of(b"secret"), now, now))
        event, sent = world.tools.new_id(ids.EVENT), world.tools.new_id(ids.DELIVERY)
        first = Delivery(sent, made, event, "order.changed", None, DeliveryState.DELIVERED, 1, now, now)
        deliveries.record(tx, first, Attempt(sent, 1, Outcome.DELIVERED, 200, 5, "ok", now))

    world.write(work)


@pytest.fixture(scope="module")
def world(module_place: Place) -> Iterator[World]:
    with open_world(module_place) as world:
        furnish(world)
        yield world


ATTACKS = [
    ("UPDATE webhook_endpoint SET url = 'https://b.example/'", "revision by revision"),
    ("UPDATE webhook_endpoint SET revision = 2, created_by = 'another'", "who made it"),
    ("UPDATE webhook_endpoint SET state = 'DISABLED', revision = 2", "webhook_endpoint_reason"),
    ("DELETE FROM webhook_endpoint", "never deleted"),
    ("UPDATE webhook_secret SET digest = zeroblob(32)", "made of"),
    ("UPDATE webhook_secret SET expires_at = NULL", "put off"),
    ("UPDATE webhook_secret SET expires_at = expires_at + 1", "put off"),
    ("DELETE FROM webhook_secret", "never deleted"),
    ("UPDATE webhook_place SET seq = seq - 1", "only a replay|webhook_place_counts"),
    ("UPDATE webhook_place SET replays = replays + 2", "only a replay"),
    ("UPDATE webhook_place SET seq = 1000000", "not happened"),
    ("UPDATE webhook_place SET failures = 1", "webhook_place_failing"),
    ("DELETE FROM webhook_place", "never deleted"),
    ("UPDATE webhook_delivery SET attempts = 2, event_id = 'event_x'", "what it is of"),
    ("UPDATE webhook_delivery SET state = 'FAILED'", "one by one"),
    ("UPDATE webhook_attempt SET status = 500", "never changes"),
]


@pytest.mark.parametrize(("attack", "words"), ATTACKS)
def test_webhooks_are_what_was_done_whatever_is_tried(
    world: World, module_place: Place, attack: str, words: str
) -> None:
    assert world.tools is not None
    shared = module_place.kind is not Kind.SQLITE
    said = run(module_place, attack.replace("zeroblob(32)", "decode('00', 'hex')") if shared else attack)
    assert said is not None, "it was refused"
    assert any(word in said.lower() for word in words.lower().split("|")), said


@pytest.mark.parametrize("kind", list(Kind))
def test_webhooks_move(place: Place, tmp_path: Path, kind: Kind) -> None:
    with open_world(place) as world:
        furnish(world)
    (tmp_path / "target").mkdir()
    with databases.placed(kind, tmp_path / "target") as to:
        between = (place.database("world"), to.database("target"))
        moved = moving.move(*between, Clock(), prove=ledger_proof.verify, tell=lambda _name, _count: None)
    names = ("endpoint", "secret", "place", "delivery", "attempt")
    assert [moved.rows[f"webhook_{name}"] for name in names] == [1] * 5
