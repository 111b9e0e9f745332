"""A connection that is cut around a COMMIT: whoever asked is told what really happened, and it happened once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import pytest
from tests.storage import databases, killed
from tests.storage.databases import Place
from tests.storage.postgresql import load
from tests.storage.postgresql.proxy import Break, Proxy

from shoutgraph.domain import errors
from shoutgraph.storage import ledger_proof, postgresql
from shoutgraph.storage.engine import Store

pytestmark = pytest.mark.postgresql_only

PATIENCE_S: Final = 120.0
ROUNDS: Final = 5


@pytest.fixture
def url(place: Place) -> str:
    return str(place.database())


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    with Proxy(url) as proxy:
        yield proxy


@pytest.fixture
def store(proxy: Proxy) -> Iterator[Store]:
    store = databases.opened(proxy.url, load.wall, readers=1)
    store.write_now(killed.seed)
    yield store
    store.close()


def gifts(store: Store) -> list[str]:
    """The names of all gifts that are told of; each gift is."""
    store.settle_journal_now()
    there, told = store.read_now(load.gifts)
    assert sorted(there) == sorted(told)
    assert store.read_now(ledger_proof.verify) == []
    return sorted(there)


@pytest.mark.parametrize("place_of_break", Break)
def test_who_asked_is_told_what_happened(store: Store, proxy: Proxy, place_of_break: Break) -> None:
    for number in range(ROUNDS):
        proxy.break_at(place_of_break)
        assert store.write_now(partial(load.give, ref=f"gift{number}", number=number)), "it was done, and once"
        assert proxy.broken.wait(PATIENCE_S), "it was cut"
    assert gifts(store) == [f"gift{number}" for number in range(ROUNDS)]


def test_many_who_share_a_commit_are_told_what_happened(store: Store, proxy: Proxy) -> None:
    with ThreadPoolExecutor(20) as threads:
        for place_of_break in Break:
            proxy.break_at(place_of_break)
            names = [f"{place_of_break.name}-{number}" for number in range(20)]
            asked = [threads.submit(store.write_now, partial(load.give, ref=name, number=1)) for name in names]
            assert all(each.result(PATIENCE_S) for each in asked)
            assert proxy.broken.wait(PATIENCE_S)
    assert len(gifts(store)) == 20 * len(Break)


@pytest.mark.parametrize("place_of_break", [Break.BEFORE, Break.UNANSWERED], ids=["not-there", "there"])
def test_what_nobody_can_tell_in_time_is_unknown_until_it_is_asked_again(
    store: Store, proxy: Proxy, place_of_break: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "SETTLE_S", 0.5)
    give = partial(load.give, ref="gift", number=1)
    with ThreadPoolExecutor(1) as threads:
        proxy.break_at(place_of_break)
        proxy.after = proxy.shut
        asked = threads.submit(store.write_now, give)
        with pytest.raises(errors.StoreUnavailableError, match="outcome of a commit is not known"):
            asked.result(PATIENCE_S)
    proxy.open()
    assert store.write_now(give) == (place_of_break is Break.BEFORE), "asked again, it is done if it was not"
    assert gifts(store) == ["gift"]


def test_a_store_that_asked_and_heard_nothing_goes_on(
    store: Store, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "SETTLE_S", 1.0)
    assert store.write_now(partial(load.give, ref="first", number=1))
    proxy.break_at(Break.BEFORE)
    proxy.loses_asked = True
    with pytest.raises(errors.StoreUnavailableError, match="outcome of a commit is not known"):
        store.write_now(partial(load.give, ref="second", number=2))
    proxy.loses_asked = False
    proxy.open()
    assert store.write_now(partial(load.give, ref="second", number=2))
    assert gifts(store) == ["first", "second"]


def test_a_store_that_finds_no_server_turns_away_and_goes_on(
    store: Store, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shoutgraph.storage.writer.RECONNECT_S", 0.3)
    assert store.write_now(partial(load.give, ref="first", number=1))
    proxy.shut()
    with pytest.raises(errors.StoreUnavailableError, match="connection to the database was lost"):
        store.write_now(partial(load.give, ref="second", number=2))
    with pytest.raises(errors.StoreUnavailableError):
        store.read_now(ledger_proof.verify)
    proxy.open()
    assert store.write_now(partial(load.give, ref="second", number=2))
    assert gifts(store) == ["first", "second"]
