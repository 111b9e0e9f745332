"""Pages of the journal read a bounded part of it, and those of single orders only their lines."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import aclosing

import pytest
from tests.services.world import World, new_id, open_world
from tests.storage.databases import Place

from shoutgraph.domain import clock, errors, ids, journal, pages
from shoutgraph.domain.users import Viewer
from shoutgraph.services import events
from shoutgraph.services.events import READ_MAX, READS_MAX, EventFilter, Told
from shoutgraph.storage import epochs, journal as journal_rows
from shoutgraph.storage.tx import Tx

FOREIGN = READ_MAX * READS_MAX
"""Lines of others' orders: as many as one page looks at."""

FAN = Viewer(user_id=ids.UserId("user_1"), principal="user_1")


@pytest.fixture(scope="module")
def crowded(module_place: Place) -> Iterator[tuple[World, str]]:
    """A journal in which the fan's only line stands behind those of everybody else."""
    with open_world(module_place) as world:
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
    assert ([told.event.topic for told in second], more) == ([order_id], False)


def test_a_page_of_one_order_passes_over_all_others(crowded: tuple[World, str]) -> None:
    world, order_id = crowded
    only = EventFilter(subject_ids=frozenset({order_id}))
    found, _, more = world.run(events.page(world.tools, FAN, after=None, size=10, only=only))
    assert ([told.event.topic for told in found], more) == ([order_id], False)


def test_what_is_no_order_has_no_order_events(crowded: tuple[World, str]) -> None:
    world, _ = crowded
    for given in ("wallet_1", "", "order_"):
        only = EventFilter(subject_ids=frozenset({given}))
        assert world.run(events.page(world.tools, FAN, after=None, size=10, only=only))[0] == ()


@pytest.fixture
def restored(place: Place) -> Iterator[tuple[World, list[Told]]]:
    """Three lines of the fan's order, as they were told before the journal was restored to the second."""
    with open_world(place) as world:
        told = [_tell(world, number) for number in (1, 2)]
        world.write(epochs.begin)
        yield world, told


def _tell(world: World, number: int) -> Told:
    body: journal.Body = {"fan": "user_1", "status": "SCREENING"}
    line = journal.NewEvent(new_id(ids.EVENT), "order_1", "t", body, topic_seq=number)
    world.write(lambda tx: journal_rows.append(tx, line))
    found, _, _ = world.run(events.page(world.tools, FAN, after=None, size=10, only=EventFilter()))
    return found[-1]


async def _first(stream: AsyncIterator[Told]) -> Told:
    async with aclosing(stream) as told:  # type: ignore[type-var]
        return await anext(told)


def _both_ways(world: World, after: str) -> Iterator[Awaitable[object]]:
    yield events.page(world.tools, FAN, after=after, size=10, only=EventFilter())
    yield _first(events.follow(world.tools, FAN, after=after, only=EventFilter()))


def test_a_cursor_of_before_a_restore_is_told_to_begin_anew(restored: tuple[World, list[Told]]) -> None:
    world, told = restored
    for cursor in (
        told[0].cursor,
        told[1].cursor,
        pages.write_cursor("events", (1,)),
        pages.write_cursor("events", (0, 99)),
    ):
        for asked in _both_ways(world, cursor):
            with pytest.raises(errors.ResyncError) as caught:
                world.run(asked)
            assert caught.value.restored_to == clock.to_text(told[1].event.at)
            assert (caught.value.code, caught.value.path) == ("RESYNC", ("after",))


def test_a_cursor_of_after_a_restore_goes_on(restored: tuple[World, list[Told]]) -> None:
    world, told = restored
    third = _tell(world, 3)
    everything, cursor, _ = world.run(events.page(world.tools, FAN, after=None, size=10, only=EventFilter()))
    assert [each.event.id for each in everything] == [told[0].event.id, told[1].event.id, third.event.id]
    assert cursor == third.cursor
    after_second = everything[1].cursor
    assert after_second != told[1].cursor
    for asked in _both_ways(world, after_second):
        found = world.run(asked)
        assert (found if isinstance(found, Told) else found[0][0]) == third  # type: ignore[index]


def test_a_cursor_of_an_epoch_that_never_was_is_told_to_begin_anew(restored: tuple[World, list[Told]]) -> None:
    world, _ = restored
    for asked in _both_ways(world, pages.write_cursor("events", (2, 1))):
        with pytest.raises(errors.ResyncError):
            world.run(asked)


def test_a_cursor_of_another_life_with_as_many_restores_is_told_to_begin_anew(place: Place) -> None:
    backup = place.inside("backup")
    with open_world(place) as world:
        _tell(world, 1)
        place.copy("world", backup)
        world.write(epochs.begin)
        cursor = _tell(world, 2).cursor
    with open_world(backup) as again:
        again.clock.move(hours=1)
        again.write(epochs.begin)
        _tell(again, 2)
        for asked in _both_ways(again, cursor):
            with pytest.raises(errors.ResyncError):
                again.run(asked)


def test_a_listener_hears_of_a_restore_in_the_middle_of_a_stream(place: Place) -> None:
    with open_world(place) as world:
        first = _tell(world, 1)

        async def listen() -> None:
            stream = events.follow(world.tools, FAN, after=pages.write_cursor("events", (0,)), only=EventFilter())
            assert await anext(stream) == first
            await world.tools.store.write(epochs.begin)
            await anext(stream)

        with pytest.raises(errors.ResyncError):
            world.run(listen())


@pytest.mark.parametrize("key", [(0, 1, 2), (0, "1"), ("0", 1), (0, -1), (-1, 1), (0, 2**63), (True, 1)])
def test_a_cursor_made_by_hand_is_refused(restored: tuple[World, list[Told]], key: tuple[int, ...]) -> None:
    world, _ = restored
    for asked in _both_ways(world, pages.write_cursor("events", key)):
        with pytest.raises(errors.ValidationError) as caught:
            world.run(asked)
        assert caught.value.code == "INVALID_CURSOR"
