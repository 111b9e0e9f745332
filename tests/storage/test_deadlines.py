"""Deadlines are taken once, in order, and their clock can stand still."""

from collections.abc import Collection
from datetime import timedelta

import pytest
from tests.storage.databases import START, Clock

from shoutgraph.domain.deadlines import Deadline
from shoutgraph.storage import deadlines
from shoutgraph.storage.engine import Store

HOUR = timedelta(hours=1)


def due(hours: int, subject: str = "order_1", kind: str = "accept", revision: int = 1) -> Deadline:
    return Deadline(subject, kind, START + hours * HOUR, revision)


def put(store: Store, *given: Deadline) -> None:
    store.write_now(lambda tx: [deadlines.put(tx, deadline) for deadline in given])


def of(store: Store, subject: str = "order_1") -> tuple[Deadline, ...]:
    return store.read_now(lambda tx: deadlines.list_of_subject(tx, subject))


def listed(store: Store, kinds: Collection[str] = ("accept",), limit: int = 100) -> list[Deadline]:
    return list(store.read_now(lambda tx: deadlines.list_due(tx, kinds=kinds, limit=limit)))


def test_a_subject_has_one_deadline_of_a_kind(store: Store) -> None:
    put(store, due(5), due(3, kind="deliver"), due(4, subject="order_2"))
    put(store, due(7, revision=2))
    assert of(store) == (due(3, kind="deliver"), due(7, revision=2))
    assert store.read_now(lambda tx: deadlines.list_of_subjects(tx, ["order_2", "order_1", "order_9"])) == (
        due(3, kind="deliver"),
        due(7, revision=2),
        due(4, subject="order_2"),
    )
    assert store.read_now(deadlines.find_next_due) == START + 3 * HOUR


def test_a_deadline_is_dropped_alone_or_with_the_others(store: Store) -> None:
    put(store, due(5), due(3, kind="deliver"))
    assert store.write_now(lambda tx: deadlines.delete(tx, "order_1", "accept")) == 1
    assert store.write_now(lambda tx: deadlines.delete(tx, "order_1", "accept")) == 0
    assert of(store) == (due(3, kind="deliver"),)
    put(store, due(5))
    assert store.write_now(lambda tx: deadlines.delete(tx, "order_1")) == 2
    assert of(store) == ()
    assert store.read_now(deadlines.find_next_due) is None


def test_what_is_due_comes_with_the_longest_due_first(store: Store, clock: Clock) -> None:
    put(store, *(due(hours, subject=f"order_{hours}") for hours in (3, 1, 2, 9)), due(1, kind="deliver"))
    assert listed(store) == []
    clock.move(hours=4)
    assert listed(store) == [due(hours, subject=f"order_{hours}") for hours in (1, 2, 3)]
    assert listed(store, limit=2) == [due(1), due(2, subject="order_2")]
    assert listed(store, kinds={"deliver", "accept"}, limit=2) == [due(1), due(1, kind="deliver")]


def test_a_deadline_is_taken_once_and_only_as_it_was(store: Store) -> None:
    put(store, due(1))
    assert not store.write_now(lambda tx: deadlines.delete_due(tx, due(2)))
    assert store.write_now(lambda tx: deadlines.delete_due(tx, due(1)))
    assert not store.write_now(lambda tx: deadlines.delete_due(tx, due(1)))
    put(store, due(1))
    store.write_now(lambda tx: deadlines.pause(tx, "order_1"))
    assert not store.write_now(lambda tx: deadlines.delete_due(tx, due(1)))


def test_only_deadlines_of_orders_are_claimed(store: Store, clock: Clock) -> None:
    put(store, due(1))
    clock.move(hours=2)
    assert store.write_now(lambda tx: deadlines.claim_due(tx, kinds={"accept"})) == ()


def test_a_paused_deadline_is_not_due_and_keeps_its_rest(store: Store, clock: Clock) -> None:
    put(store, due(5), due(6, kind="deliver"))
    clock.move(hours=2)
    assert store.write_now(lambda tx: deadlines.pause(tx, "order_1", "accept")) == 1
    assert store.write_now(lambda tx: deadlines.pause(tx, "order_1", "accept")) == 0
    paused = of(store)[0]
    assert paused.paused
    assert paused.paused_remaining is not None
    assert timedelta(0) <= 3 * HOUR - paused.paused_remaining < timedelta(seconds=1)
    assert paused.paused_at is not None
    clock.move(hours=20)
    assert [deadline.kind for deadline in listed(store, kinds={"accept", "deliver"})] == ["deliver"]
    assert store.write_now(lambda tx: deadlines.delete(tx, "order_1", "deliver")) == 1
    assert store.write_now(lambda tx: deadlines.resume(tx, "order_1")) == 1
    assert of(store)[0].due_at - clock.now == pytest.approx(3 * HOUR, abs=timedelta(seconds=1))
    assert not of(store)[0].paused
    assert store.write_now(lambda tx: deadlines.resume(tx, "order_1")) == 0
    clock.move(hours=4)
    assert [deadline.kind for deadline in listed(store)] == ["accept"]


def test_a_resumed_clock_has_at_least_what_it_is_given(store: Store, clock: Clock) -> None:
    put(store, due(1))
    clock.move(hours=3)
    store.write_now(lambda tx: deadlines.pause(tx, "order_1"))
    assert of(store)[0].paused_remaining == timedelta(0)
    store.write_now(lambda tx: deadlines.resume(tx, "order_1", at_least=48 * HOUR))
    assert of(store)[0].due_at >= clock.now + 48 * HOUR


def test_a_paused_deadline_can_be_set_as_it_was(store: Store) -> None:
    paused = Deadline("order_1", "accept", START, 1, 5 * HOUR, START)
    put(store, paused)
    assert of(store) == (paused,)
    assert store.read_now(deadlines.find_next_due) is None
