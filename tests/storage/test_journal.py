"""The journal is dense, chained, and read without a gap whatever is filtered."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from tests.storage.databases import START

from shoutgraph.domain import clock as times, errors, journal as lines
from shoutgraph.domain.journal import GENESIS, Event, NewEvent, Unsealed
from shoutgraph.storage import journal
from shoutgraph.storage.engine import Store
from shoutgraph.storage.tx import Tx


def told(number: int, topic: str = "order_1", kind: str = "order.placed", **body: int) -> Callable[[Tx], None]:
    event = NewEvent(f"event_{number}", topic, kind, body)
    return lambda tx: journal.append(tx, event)


def tell(store: Store, *work: Callable[[Tx], None]) -> list[Event]:
    """Writes each as a command of its own, and gives the journal once they stand in it."""
    for each in work:
        store.write_now(each)
    store.settle_journal_now()
    return store.read_now(lambda tx: list(journal.each(tx)))


@pytest.fixture
def story(store: Store) -> list[Event]:
    """Twelve lines about three subjects."""
    topics, kinds = ("order_1", "order_2", "user_1"), ("order.placed", "order.accepted")
    return tell(store, *(told(n, topics[n % 3], kinds[n % 2], n=n) for n in range(12)))


def test_lines_are_numbered_and_sealed_one_to_the_other(store: Store, story: list[Event]) -> None:
    read = store.read_now(lambda tx: tuple(journal.each(tx)))
    assert read == tuple(story)
    assert [event.seq for event in read] == list(range(1, 13))
    assert [event.topic_seq for event in read if event.topic == "order_2"] == [1, 2, 3, 4]
    assert read[0].prev == GENESIS.hash == bytes(32)
    assert all(later.prev == earlier.hash for earlier, later in pairwise(read))
    assert lines.first_break(read) is None
    assert store.read_now(journal.head) == lines.Head(12, read[-1].hash, read[-1].at)


def test_the_seal_is_a_hash_over_length_prefixed_fields(store: Store) -> None:
    (line,) = tell(store, told(1, body=1))
    fields = ["1", "event_1", "order_1", "1", "order.placed", "", '{"body":1}', str(times.to_micros(line.at))]
    canonical = b"".join(len(field.encode()).to_bytes(4, "big") + field.encode() for field in fields)
    assert line.hash == hashlib.sha256(bytes(32) + canonical).digest()
    assert line.at >= START
    assert line.body == {"body": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"id": "event_x"},
        {"topic": "order_x"},
        {"topic_seq": 9},
        {"type": "x"},
        {"transfer_id": 1},
        {"text": '{"n":99}'},
        {"at": START},
        {"prev": bytes(32)},
        {"hash": bytes(32)},
        {"seq": 99},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_line_breaks_the_chain_where_it_stands(story: list[Event], change: dict[str, object]) -> None:
    tampered = [*story[:4], replace(story[4], **change), *story[5:]]  # type: ignore[arg-type]
    assert lines.first_break(tampered) == 5


def test_a_lost_or_swapped_line_breaks_the_chain(story: list[Event]) -> None:
    assert lines.first_break(story[1:]) == 1
    assert lines.first_break([*story[:4], *story[5:]]) == 5
    assert lines.first_break([*story[:4], story[5], story[4], *story[6:]]) == 5
    assert lines.first_break(story[:4]) is None, "a lost end shows only beside an anchor"


def test_fields_cannot_flow_into_each_other() -> None:
    one = lines.seal(GENESIS, Unsealed("e", "ab", 1, "c", None, "{}", START))
    other = lines.seal(GENESIS, Unsealed("e", "a", 1, "bc", None, "{}", START))
    assert one.hash != other.hash


def test_reading_goes_on_after_the_last_number_seen(store: Store, story: list[Event]) -> None:
    seen: list[Event] = []
    after = 0
    for _ in range(5):
        events, after = store.read_now(lambda tx, after=after: journal.read_after(tx, after, limit=5))
        seen += events
    assert seen == story
    assert after == 12


def test_a_filtered_reading_says_how_far_it_looked(store: Store, story: list[Event]) -> None:
    orders, until = store.read_now(lambda tx: journal.read_after(tx, 0, limit=100, prefix="order_"))
    assert [event.seq for event in orders] == [event.seq for event in story if event.topic.startswith("order_")]
    assert until == 12
    accepted, until = store.read_now(
        lambda tx: journal.read_after(tx, 0, limit=2, prefix="order_1", types=["order.accepted"])
    )
    assert [(event.topic, event.type) for event in accepted] == [("order_1", "order.accepted")] * 2
    assert until == accepted[-1].seq
    none, until = store.read_now(lambda tx: journal.read_after(tx, 3, limit=5, types=["nothing"]))
    assert (none, until) == ((), 12)
    assert store.read_now(lambda tx: journal.read_after(tx, 12, limit=5)) == ((), 12)


def test_an_underscore_in_a_prefix_is_an_underscore(store: Store, story: list[Event]) -> None:
    assert store.read_now(lambda tx: journal.read_after(tx, 0, limit=5, prefix="orderX"))[0] == ()
    assert len(story) == 12


def test_a_filtered_reading_looks_at_a_bounded_number_of_lines(
    store: Store, story: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SCAN_EVENTS", 4)
    rare = {event.seq for event in story if event.topic == "user_1"}
    after, found, readings = 0, [], 0
    while after < 12:
        events, after = store.read_now(lambda tx, after=after: journal.read_after(tx, after, limit=9, prefix="user_"))
        found += [event.seq for event in events]
        readings += 1
    assert set(found) == rare
    assert readings == 3


def test_a_subject_has_a_story_of_its_own(store: Store, story: list[Event]) -> None:
    mine = [event for event in story if event.topic == "order_2"]
    found = store.read_now(lambda tx: journal.list_of_topic(tx, "order_2", after=1, limit=2))
    assert found == tuple(mine[1:3])
    assert store.read_now(lambda tx: journal.list_of_topic(tx, "order_9", after=0, limit=2)) == ()


def test_a_line_that_tells_too_much_is_a_fault(store: Store) -> None:
    with pytest.raises(AssertionError, match="links to the rest"):
        store.write_now(
            lambda tx: journal.append(tx, NewEvent("event_1", "order_1", "x", {"text": "x" * lines.BODY_BYTES_MAX}))
        )
    assert store.read_now(journal.head) == GENESIS


def test_an_event_is_told_once(store: Store) -> None:
    tell(store, told(1))
    with pytest.raises(errors.InvariantError):
        store.write_now(told(1))
    assert [line.id for line in tell(store, told(2))] == ["event_1", "event_2"]


def test_several_lines_of_one_command_share_its_time_and_follow_each_other(store: Store) -> None:
    def both(tx: Tx) -> None:
        told(1)(tx)
        told(2)(tx)

    one, two = tell(store, both)
    assert (one.seq, two.seq, two.topic_seq, two.prev) == (1, 2, 2, one.hash)
    assert one.at == two.at
