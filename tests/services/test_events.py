"""Pages of the journal read a bounded part of it, and those of single orders only their lines."""

from collections.abc import Iterator

import pytest
from tests.services.world import World, new_id, open_world

from shoutgraph.domain import ids, journal
from shoutgraph.domain.users import Viewer
from shoutgraph.services import events
from shoutgraph.services.events import READ_MAX, READS_MAX, EventFilter
from shoutgraph.storage import journal as journal_rows
from shoutgraph.storage.tx import Tx

FOREIGN = READ_MAX * READS_MAX
"""Lines of others' orders: as many as one page looks at."""

FAN = Viewer(user_id=ids.UserId("user_1"), principal="user_1")


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    """A journal in which the fan's only line stands behind those of everybody else."""
    with open_world(tmp_path_factory.mktemp("events")) as world:
        order_id = new_id(ids.ORDER)

        def work(tx: Tx) -> None:
            for at in range(FOREIGN):
                topic = f"order_{at:026d}"
                journal_rows.append(tx, journal.NewEvent(new_id(ids.EVENT), topic, "t", {"fan": "user_2"}, topic_seq=1))
            body: journal.Body = {"fan": "user_1", "status": "DRAFT"}
            journal_rows.append(tx, journal.NewEvent(new_id(ids.EVENT), order_id, "t", body, topic_seq=1))

        world.write(work)
        yield world, order_id


def test_a_page_looks_at_so_much_and_says_from_where_to_go_on(crowded: tuple[World, str]) -> None:
    world, order_id = crowded
    first, cursor, more = world.run(events.page(world.tools, FAN, after=None, size=10, only=EventFilter()))
    assert (first, more) == ((), True)
    second, _, more = world.run(events.page(world.tools, FAN, after=cursor, size=10, only=EventFilter()))
    assert ([event.topic for event in second], more) == ([order_id], False)


def test_a_page_of_one_order_passes_over_all_others(crowded: tuple[World, str]) -> None:
    world, order_id = crowded
    only = EventFilter(order_ids=frozenset({order_id}))
    found, _, more = world.run(events.page(world.tools, FAN, after=None, size=10, only=only))
    assert ([event.topic for event in found], more) == ([order_id], False)


def test_what_is_no_order_has_no_order_events(crowded: tuple[World, str]) -> None:
    world, _ = crowded
    for given in ("wallet_1", "", "order_"):
        only = EventFilter(order_ids=frozenset({given}))
        assert world.run(events.page(world.tools, FAN, after=None, size=10, only=only))[0] == ()
