"""An answer is kept with its effect, for as long as it is promised."""

import pytest
from tests.storage.databases import START, Clock

from shoutgraph.domain import errors
from shoutgraph.domain.requests import KEPT
from shoutgraph.storage import requests
from shoutgraph.storage.engine import Store

DIGEST = bytes(range(32))


def find(store: Store, key: str = "k") -> object:
    return store.read_now(lambda tx: requests.find_by_key(tx, principal="p", mutation="m", key=key))


def test_a_result_is_found_by_its_key(store: Store) -> None:
    assert find(store) is None
    store.write_now(lambda tx: requests.insert(tx, ("p", "m", "k"), DIGEST, result={"id": "order_1"}))
    kept = store.read_now(lambda tx: requests.find_by_key(tx, principal="p", mutation="m", key="k"))
    assert kept is not None
    assert (kept.digest, kept.result, kept.refusal) == (DIGEST, {"id": "order_1"}, None)
    assert kept.at >= START


def test_a_key_belongs_to_its_principal_and_mutation(store: Store) -> None:
    for name in (("p", "m", "k"), ("q", "m", "k"), ("p", "n", "k")):
        store.write_now(lambda tx, name=name: requests.insert(tx, name, DIGEST, result=list(name)))
    kept = store.read_now(lambda tx: requests.find_by_key(tx, principal="q", mutation="m", key="k"))
    assert kept is not None
    assert kept.result == ["q", "m", "k"]
    with pytest.raises(errors.InvariantError, match=r"used once|request_pkey"):
        store.write_now(lambda tx: requests.insert(tx, ("p", "m", "k"), DIGEST, result="again"))


def test_an_answer_is_a_result_or_a_refusal(store: Store) -> None:
    store.write_now(lambda tx: requests.insert(tx, ("p", "m", "k"), DIGEST, refusal={"code": "NOT_FOUND"}))
    kept = store.read_now(lambda tx: requests.find_by_key(tx, principal="p", mutation="m", key="k"))
    assert kept is not None
    assert (kept.result, kept.refusal) == (None, {"code": "NOT_FOUND"})
    with pytest.raises(errors.InvariantError, match="request_answer"):
        store.write_now(lambda tx: requests.insert(tx, ("p", "m", "x"), DIGEST))


def test_old_answers_are_removed_and_young_ones_stay(store: Store, clock: Clock) -> None:
    store.write_now(lambda tx: requests.insert(tx, ("p", "m", "old"), DIGEST, result=1))
    clock.move(days=3)
    store.write_now(lambda tx: requests.insert(tx, ("p", "m", "young"), DIGEST, result=1))
    clock.now = START + KEPT
    assert store.write_now(requests.prune) == 0
    clock.move(minutes=1)
    assert store.write_now(requests.prune) == 1
    assert find(store, "old") is None
    assert find(store, "young") is not None


def test_pruning_takes_some_at_a_time(store: Store, clock: Clock) -> None:
    for n in range(5):
        store.write_now(lambda tx, n=n: requests.insert(tx, ("p", "m", str(n)), DIGEST, result=1))
    clock.move(days=8)
    assert [store.write_now(lambda tx: requests.prune(tx, limit=2)) for _ in range(4)] == [2, 2, 1, 0]
