"""A world for each test; its books are verified when the test ends."""

from collections.abc import Iterator

import pytest
from tests.services.processes import Processes, open_processes
from tests.services.world import World, open_world
from tests.storage.databases import Place


@pytest.fixture
def world(place: Place) -> Iterator[World]:
    with open_world(place) as world:
        yield world


@pytest.fixture(scope="module")
def opened(module_place: Place) -> Iterator[Processes]:
    """The processes of a file's tests."""
    with open_processes(module_place) as opened:
        yield opened


@pytest.fixture
def processes(opened: Processes) -> Iterator[Processes]:
    """Several processes on one PostgreSQL; the books are verified when the test ends."""
    yield opened
    opened.verify()
