"""The restore drills on PostgreSQL: from a dump, and from an archive of its log to a point in time."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from psycopg import sql
from tests import postgres
from tests.api.harness import Client
from tests.e2e import drill
from tests.e2e.crowd import Crowd
from tests.e2e.drill import COINS, HAD, Place
from tests.e2e.market import Market, prepare
from tests.e2e.processes import Nursery, Server
from tests.e2e.wire import until
from tests.storage.databases import outside

from shoutgraph.storage import migrations

CLIENTS = 8
ORDERS_MIN = 12
DISASTER_S = 240
STATUSES = "SELECT id, state FROM orders ORDER BY id"
HEAD = "SELECT coalesce(max(seq), 0) FROM event"


def database_of(place: Place) -> str:
    return place.env["SHOUTGRAPH_DATABASE_URL"]


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with outside(url) as raw:
        rows: list[tuple[Any, ...]] = raw.execute(query).fetchall()
    return rows


def sealed(url: str) -> int:
    """The number of the newest line, once every line has its place."""
    postgres.wait_until(lambda: ask(url, "SELECT count(*) FROM outbox") == [(0,)])
    return int(ask(url, HEAD)[0][0])


def order(place: Place, server: Server) -> set[str]:
    """Fans place orders for a while; gives those that were acknowledged."""
    crowd = Crowd(place.market, server.port)

    async def for_a_while() -> None:
        clients = asyncio.create_task(crowd.place(CLIENTS))
        await until(lambda: len(crowd.books.told) >= ORDERS_MIN)
        clients.cancel()
        await asyncio.gather(clients, return_exceptions=True)

    asyncio.run(for_a_while())
    return set(crowd.books.told.values())


def anchored(place: Place) -> int:
    """The number of an anchor of the newest line."""
    head = sealed(database_of(place))
    drill.wait(lambda: place.newest_anchor() >= head, "the newest line is anchored")
    return place.newest_anchor()


def orders_in(url: str) -> set[str]:
    return {order_id for (order_id,) in ask(url, "SELECT id FROM orders")}


@pytest.fixture
def place(nursery: Nursery, first_fleet_market: tuple[Market, str], tmp_path: Path) -> Iterator[Place]:
    market, template = first_fleet_market
    folder = shutil.copytree(market.folder, tmp_path / "data")
    name = postgres.shared().create(template)
    url = postgres.shared().url(name)
    yield drill.place_of(nursery, replace(market, folder=folder), tmp_path / "elsewhere", SHOUTGRAPH_DATABASE_URL=url)
    postgres.shared().drop(name)


@pytest.mark.timeout(DISASTER_S)
def test_a_dump_comes_back_with_what_its_provider_knows(place: Place):
    dump = place.elsewhere / "shoutgraph.dump"
    server = place.server().start()
    fan = place.fan(server)
    known = drill.buy(fan)
    placed = order(place, server)
    sealed(database_of(place))
    postgres.run("pg_dump", "--format=custom", f"--file={dump}", database_of(place))
    forgotten, lost = drill.buy(fan), order(place, server)
    for topup in (known, forgotten):
        drill.pay(topup)
    drill.wait(lambda: drill.coins(fan) == HAD + 2 * COINS, "both payments are credited")
    newest = anchored(place)
    fan.close()
    server.kill()

    restored = _restored(place, dump)
    code, said = place.run("serve", "--port", 0)
    assert (code, f"is at line {newest} of epoch 0" in said, said.count("\n")) == (1, True, 1), said
    with drill.serving(place, "--restore", "--accept-loss", newest) as again:
        fan = place.fan(again)
        assert drill.coins(fan) == HAD + COINS, "the payment that the books know of is credited again, once"
        fan.close()
        assert placed <= orders_in(restored)
        assert not lost & orders_in(restored)
        code, said = place.run("ledger", "verify")
        assert code == 0, said
        code, said = place.run("strays", "list")
        assert (code, forgotten["id"] in said) == (0, True), said
    postgres.shared().drop(urlsplit(restored).path.strip("/"))


def _restored(place: Place, dump: Path) -> str:
    """A new database of the dump, made as docs/OPERATIONS.md says; the place has it from now on."""
    name = postgres.shared().create()
    url = postgres.shared().url(name)
    with outside(url) as admin:
        admin.execute("GRANT USAGE, CREATE ON SCHEMA public TO shoutgraph_owner")
    postgres.run("pg_restore", "--exit-on-error", f"--dbname={url}", dump)
    place.env["SHOUTGRAPH_DATABASE_URL"] = url
    return url


@pytest.fixture
def archived() -> Iterator[postgres.Cluster]:
    """A PostgreSQL that archives its log."""
    with postgres.Cluster(durable=True) as cluster:
        (cluster.home / "archive").mkdir()
        shutil.chown(cluster.home / "archive", cluster.data.owner())
        with outside(cluster.url()) as raw:
            for name, value in {
                "wal_level": "replica",
                "max_wal_senders": "4",
                "archive_mode": "on",
                "archive_command": f"test ! -f {cluster.home}/archive/%f && cp %p {cluster.home}/archive/%f",
            }.items():
                raw.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
        cluster.stop()
        cluster.start()
        migrations.upgrade(cluster.url())
        yield cluster


def recover(cluster: postgres.Cluster, **settings: str) -> None:
    """Puts the base backup in the place of the data, with all that the archive has up to where the settings say."""
    cluster.stop()
    owner = cluster.data.owner()
    shutil.rmtree(cluster.data)
    shutil.copytree(cluster.home / "base", cluster.data)
    (cluster.data / "recovery.signal").touch()
    given = {"restore_command": f"cp {cluster.home}/archive/%f %p", "recovery_target_action": "promote", **settings}
    with (cluster.data / "postgresql.auto.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in given.items())
    for path in (cluster.data, *cluster.data.rglob("*")):
        shutil.chown(path, owner)
    cluster.data.chmod(0o700)
    cluster.start()


def archive_all(cluster: postgres.Cluster) -> None:
    """Waits until everything that was written is in the archive."""
    ((segment,),) = ask(cluster.url(), "SELECT pg_walfile_name(pg_switch_wal())")
    postgres.wait_until((cluster.home / "archive" / segment).exists)


@pytest.mark.timeout(DISASTER_S)
def test_an_archive_brings_back_everything_or_a_point_in_time(
    nursery: Nursery, archived: postgres.Cluster, tmp_path: Path
):
    market = asyncio.run(prepare(tmp_path / "data", archived.url()))
    place = drill.place_of(nursery, market, tmp_path / "elsewhere", SHOUTGRAPH_DATABASE_URL=archived.url())
    base = archived.home / "base"
    postgres.run("pg_basebackup", "--checkpoint=fast", "--wal-method=stream", f"--pgdata={base}", "-d", archived.url())
    with drill.serving(place) as server:
        before = order(place, server)
        sealed(archived.url())
        ((moment,),) = ask(archived.url(), "SELECT clock_timestamp()::text")
        after = order(place, server)
        newest = anchored(place)
    archive_all(archived)

    recover(archived)
    with drill.serving(place) as server:
        assert before | after <= orders_in(archived.url()), "nothing that is in the archive is lost"
        fan = Client(server.url, market.token(market.rich_id))
        assert fan.http.get("/health/ready").json() == {"status": "ready"}
        fan.close()

    recover(archived, recovery_target_time=moment)
    assert before <= orders_in(archived.url())
    assert not after & orders_in(archived.url())
    code, said = place.run("serve", "--port", 0)
    assert (code, "what came after is lost" in said, "Traceback" in said) == (1, True, False), said
    code, said = place.run("restore", "--port", 0, "--accept-loss", max(newest, place.newest_anchor()))
    assert code == 0, said
    with drill.serving(place) as server:
        assert order(place, server)
        assert place.run("ledger", "verify")[0] == 0
