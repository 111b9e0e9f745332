from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.storage import databases
from tests.storage.databases import Clock, Place, Where

from shoutgraph.storage.engine import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def where(place: Place) -> Where:
    """A migrated database."""
    return place.database()


@pytest.fixture
def path(where: Where) -> Path:
    """The same, for tests that are about the file."""
    assert isinstance(where, Path), "a test that takes the file is marked sqlite_only"
    return where


@pytest.fixture
def store(where: Where, clock: Clock) -> Iterator[Store]:
    store = databases.opened(where, clock)
    yield store
    store.close()
