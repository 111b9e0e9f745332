"""The restore drill: a server loses its database after a backup, and comes back with books that its provider knows."""

import asyncio
import contextlib
import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api.harness import Client
from tests.e2e import crowd, drill, journal
from tests.e2e.crowd import Crowd
from tests.e2e.drill import Place
from tests.e2e.market import Market
from tests.e2e.processes import PATIENCE_S, Nursery, Server
from tests.e2e.wire import FEED, Feed, over_socket, until

CLIENTS = 8
ORDERS_MIN = 24
DISASTER_S = 240
EVENTS = "query ($after: String) { orderEvents(first: 1, after: $after) { nodes { cursor } pageInfo { endCursor } } }"


@pytest.fixture
def place(nursery: Nursery, market: Market, tmp_path: Path) -> Place:
    return drill.place_of(nursery, market, tmp_path / "elsewhere")


@dataclass
class Past:
    """What was so before the disaster."""

    backup: Path
    cursor: str
    known: dict[str, Any]
    forgotten: dict[str, Any]
    newest: int


@pytest.mark.timeout(DISASTER_S)
def test_a_lost_database_comes_back_with_what_its_provider_knows(place: Place):
    past = live_until_the_disaster(place)
    place.lose()
    place.market.database.write_bytes(past.backup.read_bytes())
    backed_up = journal_of(past.backup)
    code, said = place.run("serve", "--port", 0)
    assert code == 1, said
    assert f"ends at line {backed_up} of epoch 0" in said, said
    assert f"is at line {past.newest} of epoch 0" in said, said
    assert said.count("\n") == 1, said
    code, said = place.run("serve", "--port", 0, "--restore")
    assert (code, f"--accept-loss {past.newest}" in said, "Traceback" in said) == (1, True, False), said

    with drill.serving(place, "--restore", "--accept-loss", past.newest) as restored:
        fan = place.fan(restored)
        assert drill.coins(fan) == drill.HAD + drill.COINS, "the payment that the books know of is credited again, once"
        assert fan.data(drill.TOPUP, id=past.known["id"])["node"] == {"status": "PAID"}
        assert fan.data(drill.TOPUP, id=past.forgotten["id"])["node"] is None
        fan.close()
        check_cursors(place, restored, past.cursor)
        assert place.nursery.prove(place.market.folder) > 0
    check_after(place, past)


def live_until_the_disaster(place: Place) -> Past:
    """Orders, a backup in the middle of them, payments after it, an anchor of everything, and a kill."""
    backup = place.elsewhere / "backup.db"
    server = place.server().start()
    fan = place.fan(server)
    known = drill.buy(fan)
    cursor = asyncio.run(_order_through_a_backup(place, server, Crowd(place.market, server.port), backup))
    forgotten = drill.buy(fan)
    for topup in (known, forgotten):
        drill.pay(topup)
    drill.wait(lambda: drill.coins(fan) == drill.HAD + 2 * drill.COINS, "both payments are credited")
    head = journal_of(place.market.database)
    drill.wait(lambda: place.newest_anchor() >= head, "the newest line is anchored")
    fan.close()
    server.kill()
    return Past(backup, cursor, known, forgotten, place.newest_anchor())


async def _order_through_a_backup(place: Place, server: Server, crowded: Crowd, backup: Path) -> str:
    """Orders without a pause while a backup is made; gives the cursor of an event of after it."""
    feed = Feed(over_socket(server.port, place.market.token("desk", "service")), "")
    feed.cursor = await journal.start_of(place.market, server.port)
    listening = asyncio.create_task(feed.listen())
    clients = asyncio.create_task(crowded.place(CLIENTS))
    await until(lambda: len(crowded.books.told) >= ORDERS_MIN)
    code, said = await asyncio.to_thread(place.run, "backup", backup)
    assert code == 0, said
    assert re.search(r"line [0-9,]+; [0-9,]+ postings", said), said
    code, again = await asyncio.to_thread(place.run, "backup", backup)
    assert (code, "is there already" in again) == (1, True), again
    before = len(crowded.books.told)
    await until(lambda: len(crowded.books.told) >= before + ORDERS_MIN)
    await until(lambda: journal.seq_of(feed.cursor) > journal_of(backup) + ORDERS_MIN // 2)
    clients.cancel()
    listening.cancel()
    await asyncio.gather(clients, listening, return_exceptions=True)
    return feed.cursor


def journal_of(database: Path) -> int:
    return len(journal.stored(database))


def check_cursors(place: Place, server: Server, cursor: str) -> None:
    """Whoever comes back with a cursor of before is told to begin anew, over every transport."""
    tool = Client(server.url, place.market.token("desk", "service"))
    extensions = tool.post(EVENTS, after=cursor).json()["errors"][0]["extensions"]
    assert extensions["code"] == "RESYNC"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", extensions["restoredTo"]), extensions
    said = asyncio.run(_first(over_socket(server.port, place.market.token("desk", "service")), cursor))
    assert said["errors"][0]["extensions"]["code"] == "RESYNC", said
    headers = {"accept": "text/event-stream", "last-event-id": cursor}
    lines = tool.http.post("/graphql", json={"query": FEED}, headers=headers).text.splitlines()
    (said,) = (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {"))
    assert said["errors"][0]["extensions"]["code"] == "RESYNC", said
    fresh = tool.data(EVENTS, after=None)["orderEvents"]
    assert tool.data(EVENTS, after=fresh["pageInfo"]["endCursor"])["orderEvents"]["nodes"]
    tool.close()


async def _first(stream: Callable[[str], Any], cursor: str) -> dict[str, Any]:
    async with contextlib.aclosing(stream(cursor)) as payloads:
        found: dict[str, Any] = await anext(payloads)
        return found


def check_after(place: Place, past: Past) -> None:
    """What a restore leaves behind: anchors of the new epoch, and what a person has to look at."""
    code, said = place.run("ledger", "verify")
    assert code == 0, said
    assert re.search(r"\d+ anchors agree, \d+ of before a restore; 0 ignored\.", said), said
    code, said = place.run("strays", "list")
    assert code == 0, said
    (line,) = [line for line in said.splitlines() if past.forgotten["id"] in line]
    assert "settled" in line
    settling = ("strays", "settle", "sandbox", past.forgotten["id"], "--note", "refunded at the provider")
    code, said = place.run(*settling)
    assert (code, "is in suspense as" in said) == (1, True), said
    place_what_waits(place)
    code, said = place.run(*settling)
    assert code == 0, said
    assert past.forgotten["id"] not in place.run("strays", "list")[1]
    assert "refunded at the provider" in place.run("strays", "list", "--all")[1]
    code, said = place.run("serve", "--port", 0, "--restore", "--accept-loss", past.newest)
    assert (code, "there is no loss to accept" in said) == (1, True), said
    with drill.serving(place) as server:
        fan = place.fan(server)
        assert drill.coins(fan) == drill.HAD + drill.COINS
        fan.close()


def place_what_waits(place: Place) -> None:
    """Two people say where the money belongs that nobody knows."""
    for line in re.findall(r"suspense_\w+", place.run("suspense", "list")[1]):
        to = ("--to", "exp:goodwill:EUR", "--reason", "lost with the disk")
        assert place.run("suspense", "propose", line, *to, "--by", "Frank")[0] == 0
        code, said = place.run("suspense", "confirm", line, "--revision", "2", "--by", "Olga")
        assert (code, "placed at exp:goodwill:EUR" in said) == (0, True), said


@pytest.mark.timeout(DISASTER_S)
def test_a_backup_is_put_in_the_place_of_what_is_broken(place: Place):
    backup = place.elsewhere / "backup.db"
    assert place.run("backup", backup)[0] == 0
    place.market.database.write_bytes(b"broken" * 1_000)
    code, said = place.run("restore", "--port", 0, "--from", backup)
    assert code == 0, said
    assert "epoch 1 begins after line" in said
    (kept,) = place.market.folder.glob("shoutgraph.db.lost-*")
    assert kept.read_bytes().startswith(b"broken")
    assert place.nursery.prove(place.market.folder) == 0
    with drill.serving(place) as server:
        code, said = place.run("restore", "--port", 0, "--from", backup)
        assert (code, "another process writes" in said) == (1, True), said
        assert httpx.get(f"{server.url}/health/ready", timeout=PATIENCE_S).json() == {"status": "ready"}


@pytest.mark.parametrize("content", [None, b"", b"no database" * 100])
def test_what_is_no_backup_takes_no_place(place: Place, content: bytes | None):
    file = place.elsewhere / "other.db"
    if content is not None:
        file.write_bytes(content)
    before = place.market.database.read_bytes()
    code, said = place.run("restore", "--port", 0, "--from", file)
    assert (code, "error: " in said, "Traceback" in said) == (1, True, False), said
    assert place.market.database.read_bytes() == before


@pytest.fixture
def anchored(place: Place) -> Path:
    """A market with prices, one order and one anchor, which a person wrote beside the server."""
    place.env.pop("SHOUTGRAPH_ANCHOR_INTERVAL_S")
    with drill.serving(place, "--no-jobs") as server:
        fan = Client(server.url, place.market.token(place.market.rich_id))
        fan.data(crowd.PLACE, input=crowd.wish(place.market.sellers[0].offer_id, crowd.new_key()))
        fan.close()
        for path in place.anchors.iterdir():
            path.unlink()
        code, said = place.run("ledger", "anchor")
        assert (code, "line 2 of epoch 0" in said) == (0, True), said
        (anchor,) = place.anchors.iterdir()
    return anchor


def test_anchors_are_proven_by_hand(place: Place, anchored: Path):
    forged = json.loads(anchored.read_text()) | {"seq": 6}
    anchored.with_name("anchor-000000-0000000000000000006.json").write_text(json.dumps(forged))
    code, said = place.run("ledger", "verify", "--anchors", place.anchors)
    assert (code, "1 anchors agree; 1 ignored." in said, "00006.json" in said) == (0, True, True), said
    code, said = place.run("ledger", "anchor", "--public-key")
    assert (code, '"crv": "Ed25519"' in said, '"d"' in said) == (0, True, False), said
    place.market.database.with_name("anchor-keys.json").rename(place.elsewhere / "keys.json")
    code, said = place.run("ledger", "verify")
    assert (code, "0 anchors agree; 2 ignored." in said, "not signed by a key of ours" in said) == (0, True, True), said
    place.env["SHOUTGRAPH_ANCHOR_KEY"] = str(place.elsewhere / "keys.json")
    assert "1 anchors agree" in place.run("ledger", "verify")[1]


@pytest.mark.usefixtures("anchored")
def test_a_journal_that_was_rewritten_is_neither_served_nor_restored(place: Place):
    connection = sqlite3.connect(place.market.database)
    (guard,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'event_update'").fetchone()
    connection.execute("DROP TRIGGER event_update")
    connection.execute("UPDATE event SET hash = zeroblob(32)")
    connection.execute(guard)
    connection.commit()
    connection.close()
    for command in (("serve",), ("serve", "--restore"), ("restore",)):
        code, said = place.run(*command, "--port", 0)
        assert (code, "has another line 2 than the anchor" in said, said.count("\n")) == (1, True, 1), said
    code, said = place.run("ledger", "verify")
    assert (code, "anchors" in said, "lost a line: event 1" in said) == (1, True, True), said


@pytest.mark.usefixtures("anchored")
def test_a_folder_of_anchors_that_is_away_stops_a_start(place: Place):
    place.anchors.rename(place.elsewhere / "unmounted")
    for command in (("serve", "--port", 0), ("restore", "--port", 0), ("ledger", "verify"), ("ledger", "anchor")):
        code, said = place.run(*command)
        assert (code, "the folder of the anchors cannot be read" in said, said.count("\n")) == (1, True, 1), said


def test_options_of_a_restore_go_with_a_restore(place: Place):
    code, said = place.run("serve", "--port", 0, "--accept-loss", 5)
    assert (code, said) == (1, "error: --accept-loss and --without go with --restore.\n")
    code, said = place.run("restore", "--port", 0, "--accept-loss", 5)
    assert (code, "there is no loss to accept" in said) == (1, True), said
