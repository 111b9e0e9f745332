"""A server's fixtures: the scene of the attacks, and logins that may be some of the roles."""

import itertools
import os
from collections.abc import Callable, Iterator

import psycopg
import pytest
from tests import postgres
from tests.storage.databases import Place
from tests.storage.postgresql import scene
from tests.storage.postgresql.scene import Raw

NUMBERS = itertools.count()

Login = Callable[..., str]
"""Gives the URL of a database for a new login that may be these roles."""


def connect(url: str) -> Raw:
    return psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor)


@pytest.fixture(scope="module")
def login() -> Iterator[Login]:
    made: list[str] = []
    with connect(postgres.shared().url()) as admin:

        def grant(url: str, *roles: str) -> str:
            name = f"login_{os.getpid()}_{next(NUMBERS)}"
            made.append(name)
            admin.execute(f"CREATE ROLE {name} LOGIN")
            if roles:
                admin.execute(f"GRANT {', '.join(roles)} TO {name}")
            return url.replace("postgres@", f"{name}@")

        yield grant
        for name in made:
            admin.execute(f"DROP OWNED BY {name}")
            admin.execute(f"DROP ROLE {name}")


@pytest.fixture(scope="module")
def stage(module_place: Place) -> str:
    """The URL of a database with the scene of the attacks."""
    return played(str(module_place.database("stage")))


def played(url: str) -> str:
    """The same URL, once the scene was played there."""
    with connect(url) as raw:
        raw.execute("BEGIN")
        raw.execute("SET LOCAL ROLE shoutgraph_owner")
        scene.build(raw)
        raw.execute("COMMIT")
    return url
