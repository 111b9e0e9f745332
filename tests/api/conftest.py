"""The sample graph behind one real server, new for each test; and one whole deployment for all of them."""

from collections.abc import Iterator

import pytest
from tests.api.cast import Cast
from tests.api.deployment import Deployment, open_deployment
from tests.api.harness import Client, Served, Socket, serving
from tests.api.sample import World, transport_of
from tests.storage.databases import Place

from shoutgraph.api.http import build_asgi


@pytest.fixture(scope="session")
def shared_world() -> World:
    return World()


@pytest.fixture(scope="session")
def shared_server(shared_world: World) -> Iterator[Served]:
    transport = transport_of(shared_world)
    with serving(build_asgi(transport), transport.drain) as served:
        yield served


@pytest.fixture
def world(shared_world: World) -> World:
    shared_world.begin_anew()
    return shared_world


@pytest.fixture
def served(shared_server: Served, world: World) -> Served:
    assert world.version == 1, "each test begins with a new world"
    return shared_server


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    client = Client(served.url)
    yield client
    client.close()


@pytest.fixture
def socket(served: Served) -> Iterator[Socket]:
    with Socket(served.socket_url) as socket:
        yield socket


@pytest.fixture(scope="session")
def deployment(session_place: Place) -> Iterator[Deployment]:
    with open_deployment(session_place) as opened:
        yield opened


@pytest.fixture(scope="session")
def cast(deployment: Deployment) -> Cast:
    cast = Cast(deployment)
    cast.introduce()
    return cast
