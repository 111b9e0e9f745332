from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.storage import databases
from tests.storage.databases import Clock

from shoutgraph.storage.engine import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return databases.migrated(tmp_path)


@pytest.fixture
def store(path: Path, clock: Clock) -> Iterator[Store]:
    store = databases.opened(path, clock, readers=2)
    yield store
    store.close()
