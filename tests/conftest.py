"""What all tests share: the two databases that they run on, and how much a long run does.

The PostgreSQL of a test session belongs to the process that controls it, and ends with it.
"""

import gc
import os
import sys
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from httpx._transports import default as transports
from tests import postgres, soak
from tests.api.engines import Tally
from tests.soak import extent
from tests.storage import databases
from tests.storage.databases import Kind, Place
from xdist.scheduler import WorkStealingScheduling

__all__ = ["extent"]

CLUSTER: Final = pytest.StashKey[postgres.Cluster]()
ONLY: Final = {f"{kind}_only": kind for kind in Kind}
"""Marks of tests that are about one database itself."""

transports.create_ssl_context = cache(transports.create_ssl_context)
"""The world's certificates take 20 ms to read: once a process, not for each client, since tests speak to 127.0.0.1."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    soak.pytest_addoption(parser, pluginmanager)
    pluginmanager.register(Tally(), "engine")
    Tally.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    for mark, kind in ONLY.items():
        config.addinivalue_line("markers", f"{mark}: it is about {kind} itself")
    _keep_bytecode(config)
    if postgres.PLACE not in os.environ:  # the workers find it there
        cluster = postgres.Cluster()
        config.stash[CLUSTER] = cluster
        os.environ[postgres.PLACE] = str(cluster.home)


def _keep_bytecode(config: pytest.Config) -> None:
    """Where Python is told to leave no bytecode among the sources, it goes to pytest's own folder.

    Otherwise each of the processes that the tests start compiles all sources again.
    """
    cache: pytest.Cache | None = getattr(config, "cache", None)
    if sys.dont_write_bytecode and cache is not None:
        sys.dont_write_bytecode, sys.pycache_prefix = False, str(cache.mkdir("bytecode"))
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_unconfigure(config: pytest.Config) -> None:
    postgres.leave()
    cluster = config.stash.get(CLUSTER, None)
    if cluster is not None:
        del os.environ[postgres.PLACE]
        cluster.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WorkStealingScheduling | None:
    """Neighbours run in one process, which makes what they share once; who is done first takes of the others' rest."""
    return WorkStealingScheduling(config, log) if config.getvalue("dist") == "load" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays until the end: the collector of garbage need not look at it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever takes a database runs once on each kind."""
    if "database" in metafunc.fixturenames:
        marks = {mark.name for mark in metafunc.definition.iter_markers()}
        kinds = [kind for mark, kind in ONLY.items() if mark in marks] or list(Kind)
        metafunc.parametrize("database", kinds, ids=str, indirect=True, scope="session")


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> Kind:
    """The kind of database that this test runs on."""
    kind: Kind = request.param
    return kind


@pytest.fixture
def place(database: Kind, tmp_path: Path) -> Iterator[Place]:
    """A folder of this test, with databases."""
    with databases.placed(database, tmp_path) as place:
        yield place


@pytest.fixture(scope="module")
def module_place(database: Kind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A folder of all tests of a file, with databases."""
    with databases.placed(database, tmp_path_factory.mktemp("module")) as place:
        yield place


@pytest.fixture(scope="session")
def session_place(database: Kind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A folder of all tests of this process, with databases."""
    with databases.placed(database, tmp_path_factory.mktemp("session")) as place:
        yield place
