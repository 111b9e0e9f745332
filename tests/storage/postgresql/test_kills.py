"""The server dies under load, or is away for a while: what was acknowledged is there, and all goes on."""

import random
import signal
import time
from collections.abc import Iterator
from typing import Final

import psutil
import pytest
from tests.postgres import Cluster
from tests.soak import Extent
from tests.storage.databases import Place
from tests.storage.postgresql.conftest import connect
from tests.storage.postgresql.load import Load, loaded

from shoutgraph.storage import migrations

pytestmark = pytest.mark.postgresql_only

STORES: Final = 3
MORE: Final = 5
"""What every store answers between two faults, at the least."""
LIFE_S: Final = 0.3
AWAY_S: Final = 2.0
STORM_PAUSE_S: Final = (0.02, 0.1)
OURS: Final = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'shoutgraph'"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster(durable=True) as cluster:
        migrations.upgrade(cluster.url())
        yield cluster


def kill_a_backend(cluster: Cluster, chance: random.Random) -> None:
    """SIGKILL for one backend, after which the postmaster begins anew with all others."""
    with connect(cluster.url()) as raw:
        pids = [pid for (pid,) in raw.execute(OURS).fetchall()]
    if pids:
        psutil.Process(chance.choice(pids)).send_signal(signal.SIGKILL)


def kill(cluster: Cluster, chance: random.Random) -> None:
    """Kills all of the server, its postmaster alone, or one backend."""
    way = chance.randrange(3)
    if way == 2:
        kill_a_backend(cluster, chance)
    else:
        cluster.kill(alone=way == 1)
        cluster.start()


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(cluster: Cluster, extent: Extent) -> None:
    kills = 0
    with loaded(cluster.url(), stores=STORES) as load:
        load.wait_for_more(MORE)
        for _ in extent.seeds("kills", suite=5, soak=1_000):
            chance = extent.chance
            time.sleep(chance.random() * LIFE_S)
            kill(cluster, chance)
            load.wait_for_more(MORE)
            kills += 1
    tell(extent, load, f"{kills} kills")


def test_a_store_goes_on_when_its_connections_are_ended_again_and_again(module_place: Place, extent: Extent) -> None:
    ended = 0
    url = str(module_place.database("storm"))
    with loaded(url, stores=2) as load, connect(url) as raw:
        for _ in extent.seeds("kills", suite=40, soak=20_000):
            chance = extent.chance
            time.sleep(chance.uniform(*STORM_PAUSE_S))
            pids = [pid for (pid,) in raw.execute(OURS).fetchall()]
            if pids:
                raw.execute("SELECT pg_terminate_backend($1)", (chance.choice(pids),))
                ended += 1
        load.wait_for_more(MORE)
    tell(extent, load, f"{ended} connections ended")


def test_a_store_waits_for_a_server_that_is_away_for_a_while(cluster: Cluster) -> None:
    with loaded(cluster.url(), stores=2) as load:
        load.wait_for_more(MORE)
        cluster.stop()
        time.sleep(AWAY_S)
        assert load.faults == []
        cluster.start()
        load.wait_for_more(MORE)


def tell(extent: Extent, load: Load, what: str) -> None:
    counts = load.counts
    extent.tell(
        f"{what}: {len(load.acknowledged)} acknowledged, 0 lost, 0 twice; {counts['unknown']} times unknown,"
        f" of which {counts['there after all']} were there; {counts['turned away']} times turned away"
    )
