"""The sample graph behind one real server, new for each test; and one whole deployment for all of them."""

from collections.abc import Iterator

import pytest
from tests.api.cast import Cast
from tests.api.deployment import Deployment, open_deployment
from tests.api.harness import Client, Served, Socket, serving
from tests.api.sample import World, transport_of

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
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with open_deployment(tmp_path_factory.mktemp("deployment")) as opened:
        yield opened


@pytest.fixture(scope="session")
def cast(deployment: Deployment) -> Cast:
    cast = Cast(deployment)
    cast.introduce()
    return cast
