"""The PostgreSQL of a test session belongs to the process that controls it, and ends with it."""

import os
from typing import Final

import pytest
from tests import postgres
from tests.soak import extent, pytest_addoption

__all__ = ["extent", "pytest_addoption"]

CLUSTER: Final = pytest.StashKey[postgres.Cluster]()


def pytest_configure(config: pytest.Config) -> None:
    if postgres.PLACE not in os.environ:  # the workers find it there
        cluster = postgres.Cluster()
        config.stash[CLUSTER] = cluster
        os.environ[postgres.PLACE] = str(cluster.home)


def pytest_unconfigure(config: pytest.Config) -> None:
    postgres.leave()
    cluster = config.stash.get(CLUSTER, None)
    if cluster is not None:
        del os.environ[postgres.PLACE]
        cluster.close()
