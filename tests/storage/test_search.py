"""The search index: the same words find the same creators in either database, and in those of an earlier release."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from tests import postgres
from tests.storage import databases
from tests.storage.test_creators import creator, insert, offer

from shoutgraph.domain import pages
from shoutgraph.domain.catalogue import CreatorFilter, CreatorSort, Sort
from shoutgraph.storage import catalogue, creators, engine, migrations
from shoutgraph.storage.tx import Tx

BEFORE = "0007"
"""The revision before the words of a profile were folded by us."""
PROFILES = (
    ("sofia.cometa", "Sofía Müller", "Flamenco, naïvely. ♥Straße♥"),
    ("handle_2", "Łukasz 李小龙", "flame \u0915\u093f\u0924\u093e\u092c"),
    ("handle_3", "So\u0301fia İzmir", "x" * 80),
)
SEARCHES = (
    ("SOFIA mull", [1]),
    ("cometa", [1]),
    ("naive", [1]),
    ("straße", [1]),
    ("strass", [1]),
    ("flam", [1, 2]),
    ("sofia", [1, 3]),
    ("izmir", [3]),
    ("lukasz", []),
    ("łuk", [2]),
    ("李小", [2]),
    ("\u0915\u093f\u0924", [2]),
    ("x" * 70, [3]),
    ("flam xyz", []),
    ("c0chef", []),
    ("w0flam", []),
    ("?!", [1, 2, 3]),
)


def found(tx: Tx, text: str) -> list[int]:
    args = pages.PageArgs(20, None, backward=False)
    page = catalogue.list_of_page(tx, args, CreatorFilter(text=text), CreatorSort.of(Sort.NEWEST, descending=False))
    return [int(each.id.removeprefix("creator_")) for each in page]


def fill(tx: Tx) -> None:
    for number, (handle, name, bio) in enumerate(PROFILES, start=1):
        of = insert(tx, creator(number, handle=handle, name=name, bio=bio))
        creators.insert_offer(tx, offer(number, of))


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """An empty database without a schema."""
    if request.param == "sqlite":
        yield tmp_path / "books.db"
        return
    name = postgres.shared().create()
    yield postgres.shared().url(name)
    postgres.shared().drop(name)


def test_the_same_words_find_the_same_creators(where: Any) -> None:
    migrations.upgrade(where)
    store = engine.open_store(where, lambda: databases.START, engine.Options(readers=1))
    store.write_now(fill)
    assert {text: store.read_now(lambda tx, text=text: found(tx, text)) for text, _ in SEARCHES} == dict(SEARCHES)
    store.close()


def test_creators_of_an_earlier_release_are_found_once_it_is_upgraded(where: Any) -> None:
    migrations.upgrade(where, BEFORE)
    change(where, fill_as_before)
    migrations.upgrade(where)
    store = engine.open_store(where, lambda: databases.START, engine.Options(readers=1))
    assert {text: store.read_now(lambda tx, text=text: found(tx, text)) for text, _ in SEARCHES} == dict(SEARCHES)
    store.close()


@pytest.mark.parametrize("text", ["\0", "sofia\0cometa", "", "@", "x" * 300, "söfia"])
def test_a_text_that_can_be_no_handle_is_nobodys(where: Any, text: str) -> None:
    migrations.upgrade(where)
    store = engine.open_store(where, lambda: databases.START, engine.Options(readers=1))
    store.write_now(fill)
    assert store.read_now(lambda tx: creators.find_by_handle(tx, text)) is None
    assert store.read_now(lambda tx: creators.find_by_handle(tx, " @Sofia.Cometa")) is not None
    store.close()


def fill_as_before(connection: sa.Connection) -> None:
    """What the earlier release wrote."""
    for number, (handle, name, bio) in enumerate(PROFILES, start=1):
        values = {"n": f"{number:026d}", "handle": handle, "name": name, "bio": bio}
        for statement in (
            (
                "INSERT INTO users (id, revision, display_name, country, locked, created_at)"
                " VALUES ('user_' || :n, 1, 'x', 'DE', 0, 0)"
            ),
            (
                "INSERT INTO creator (id, revision, user_id, handle, name, country, categories, languages, bio, open,"
                " featured, rating_sum, rating_count, created_at, name_sort, facets)"
                " VALUES ('creator_' || :n, 1, 'user_' || :n, :handle, :name, 'DE', '|CHEF|', '|de|', :bio, 1, 0, 0, 0,"
                " 0, 'x', 'k0de c0chef l0de')"
            ),
            (
                "INSERT INTO offer (id, revision, creator_id, occasion, title, price_coins, duration_max_s,"
                " delivery_days, active, created_at)"
                " VALUES ('offer_' || :n, 1, 'creator_' || :n, 'BIRTHDAY', 'x', 500, 60, 7, 1, 0)"
            ),
        ):
            used = {key: value for key, value in values.items() if f":{key}" in statement}
            connection.execute(sa.text(statement), used)


def change(where: Any, work: Any) -> None:
    """Runs this on a connection that only the guards hold back."""
    if isinstance(where, Path):
        file = sa.create_engine(f"sqlite:///{where}", module=databases.sqlite.MODULE, poolclass=sa.NullPool)
    else:
        file = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(where), poolclass=sa.NullPool)
    with file.begin() as connection:
        work(connection)
