"""Short queries are made by whoever asks, long ones by a thread, and nobody can tell but by the thread's name."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from tests.storage.databases import START, Clock

from shoutgraph.domain import errors, ids
from shoutgraph.domain.users import User
from shoutgraph.storage import engine, glances, users
from shoutgraph.storage.columns import Integer, Text
from shoutgraph.storage.engine import Options, Store
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

pytestmark = pytest.mark.sqlite_only

GLANCE_MS: Final = 100
"""What a short query never takes, not on a busy machine either."""
LONG: Final = 2_000_000
"""Rows that nobody counts in that time."""
WORDS: Final = ('a "quote"', "a\nline", "\x01", "ß漢🎬", "", None)
NUMBERS: Final = (0, -1, 2**63 - 1, -(2**63), None)


def _numbers() -> sa.Select[Any]:
    n = sa.literal_column("1", Integer).label("n")
    first = sa.select(n).cte("numbers", recursive=True)
    return sa.select(sa.func.count()).select_from(
        first.union_all(sa.select(first.c.n + 1).where(first.c.n < sa.bindparam("to")))
    )


_COUNT: Final = Statement[tuple[int]](_numbers)
_SAID: Final = Statement[tuple[int, str | None]](
    lambda: sa.union_all(
        *(
            sa.select(sa.bindparam(f"number_{at}", type_=Integer), sa.bindparam(f"word_{at}", type_=Text))
            for at in range(len(WORDS))
        )
    )
)
_WRITE: Final = Statement[Any](lambda: sa.text("DELETE FROM users"))


@pytest.fixture
def store(path: Path, clock: Clock) -> Iterator[Store]:
    opened = engine.open_store(path, clock, Options(glance_ms=GLANCE_MS))
    yield opened
    opened.close()


def count(to: int) -> Callable[[Tx], tuple[int | None, str]]:
    """Counts, and says in which thread."""

    def query(tx: Tx) -> tuple[int | None, str]:
        row = tx.one(_COUNT, to=to)
        return None if row is None else row[0], threading.current_thread().name

    return query


def read(store: Store, query: Callable[[Tx], Any]) -> Any:
    return asyncio.run(store.read(query))


def test_a_short_query_is_made_here_and_a_long_one_by_a_thread(store: Store) -> None:
    async def ask() -> list[tuple[int | None, str]]:
        await store.read(count(10))  # makes its text first
        return [await store.read(count(to)) for to in (10, LONG, 10)]

    here = threading.current_thread().name
    short, long, rested = asyncio.run(ask())
    assert short == (10, here)
    assert long[0] == LONG
    assert long[1].startswith("shoutgraph-reader")
    assert rested[1].startswith("shoutgraph-reader"), "its like go to a thread for a while"


def test_after_a_rest_a_query_is_tried_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glances, "REST_MIN_S", 0)

    async def ask() -> list[tuple[int | None, str]]:
        return [await store.read(count(to)) for to in (10, LONG, 10)]

    assert asyncio.run(ask())[-1] == (10, threading.current_thread().name)


def test_the_loop_does_not_stand_still_for_a_long_query(store: Store) -> None:
    async def ask() -> int:
        ticks, counting = 0, asyncio.ensure_future(store.read(count(LONG)))
        while not counting.done():
            await asyncio.sleep(0.001)
            ticks += 1
        return ticks

    assert asyncio.run(ask()) > 5


def test_where_no_glances_are_wanted_a_thread_reads(path: Path, clock: Clock) -> None:
    store = engine.open_store(path, clock, Options(glance_ms=0))
    assert read(store, count(10))[1].startswith("shoutgraph-reader")
    store.close()


def test_a_glance_sees_what_was_acknowledged(store: Store) -> None:
    ada = User(ids.UserId("user_ada"), 1, "Ada", "GB", locked=False, created_at=START, subject=None)

    async def ask() -> list[str]:
        await store.write(lambda tx: users.insert(tx, ada))
        names = [(await store.read(lambda tx: users.get(tx, ada.id))).display_name]
        for revision in range(2, 6):
            renamed = replace(ada, revision=revision, display_name=f"Ada {revision}")
            await store.write(lambda tx, renamed=renamed: users.save(tx, renamed))
            names.append((await store.read(lambda tx: users.get(tx, ada.id))).display_name)
        return names

    assert asyncio.run(ask()) == ["Ada", "Ada 2", "Ada 3", "Ada 4", "Ada 5"]


def test_a_glance_cannot_write(store: Store) -> None:
    with pytest.raises(errors.StoreUnavailableError, match="attempt to write a readonly database"):
        read(store, lambda tx: tx.run(_WRITE))


def test_a_refusal_in_a_glance_is_the_callers_own(store: Store) -> None:
    def refuse(tx: Tx) -> None:
        raise errors.NotFoundError(f"nothing at {tx.now}")

    with pytest.raises(errors.NotFoundError, match="nothing at"):
        read(store, refuse)
    assert read(store, count(3))[0] == 3


def test_glances_end_with_the_store(path: Path, clock: Clock) -> None:
    store = engine.open_store(path, clock)
    read(store, count(10))
    store.close()
    with pytest.raises(errors.StoreUnavailableError, match="the store is closed"):
        read(store, count(10))


def test_loops_of_several_threads_look_at_once(store: Store) -> None:
    async def ask() -> list[int | None]:
        return [(await store.read(count(1_000)))[0] for _ in range(50)]

    found: list[list[int | None]] = []
    threads = [threading.Thread(target=lambda: found.append(asyncio.run(ask()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[1_000] * 50] * 4


def test_a_list_in_one_piece_has_the_values_and_the_order_of_its_rows(store: Store) -> None:
    given = {f"word_{at}": word for at, word in enumerate(WORDS)}
    given |= {f"number_{at}": number for at, number in enumerate((*NUMBERS, 7))}
    rows = read(store, lambda tx: tx.all(_SAID, **given))
    assert rows == list(zip((*NUMBERS, 7), WORDS, strict=True))
    assert read(store, lambda tx: [*tx.each(_SAID, **given)]) == rows
