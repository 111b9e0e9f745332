"""A database is served only where it agrees with its anchors, and is anchored only while it does."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.services.world import World, new_id, open_world
from tests.storage.databases import Place

from shoutgraph.domain import errors, ids, journal
from shoutgraph.domain.anchors import Anchor
from shoutgraph.files import anchors as anchor_files
from shoutgraph.files.anchors import AnchorFolder
from shoutgraph.jobs import anchors as jobs
from shoutgraph.services import anchors
from shoutgraph.storage import epochs, journal as journal_rows


@pytest.fixture
def folder(tmp_path: Path) -> AnchorFolder:
    (tmp_path / "elsewhere").mkdir()
    opened = anchor_files.open_folder(tmp_path / "elsewhere", tmp_path / "keys.json")
    assert opened is not None
    return opened


@pytest.fixture
def world(place: Place) -> Iterator[World]:
    with open_world(place) as world:
        yield world


@contextmanager
def going_back(place: Place) -> Iterator[Callable[[], World]]:
    """Remembers the world as it is now; gives a way back to it."""
    backup = place.inside("backup")
    place.copy("world", backup)
    with ExitStack() as parts:
        yield lambda: parts.enter_context(open_world(backup))


def tell(world: World, times: int = 1) -> None:
    for _ in range(times):
        event = journal.NewEvent(new_id(ids.EVENT), new_id(ids.ORDER), "t", {}, topic_seq=1)
        world.write(lambda tx, event=event: journal_rows.append(tx, event))


def anchor(world: World, folder: AnchorFolder) -> Anchor:
    written = world.run(anchors.write(world.tools.store, folder, world.clock))
    assert written is not None
    return written


def fault(world: World, folder: AnchorFolder) -> str | None:
    return world.run(anchors.look(world.tools.store, folder)).fault


def refused(world: World, folder: AnchorFolder) -> str:
    with pytest.raises(errors.StoreUnavailableError) as caught:
        world.run(anchors.require(world.tools.store, folder))
    return str(caught.value)


def test_an_anchor_says_the_newest_line_and_is_written_only_when_the_journal_grew(world: World, folder: AnchorFolder):
    assert world.run(anchors.write(world.tools.store, folder, world.clock)) is None, "an empty journal has no line"
    tell(world, 3)
    first = anchor(world, folder)
    head = world.read(journal_rows.head)
    assert (first.seq, first.hash, first.at, first.epoch, first.after_seq) == (3, head.hash, world.clock.now, 0, 0)
    assert anchor(world, folder) is first
    assert list(folder.each()) == [first]
    tell(world)
    second = anchor(world, folder)
    assert (second.seq, second.chain) == (4, first.chain)
    assert list(folder.each()) == [second, first]
    assert fault(world, folder) is None


def test_a_database_that_went_back_in_time_is_refused_with_both_numbers(
    world: World, folder: AnchorFolder, place: Place
):
    tell(world, 2)
    anchor(world, folder)
    with going_back(place) as go_back:
        tell(world, 3)
        anchor(world, folder)
        old = go_back()
        said = refused(old, folder)
        assert "ends at line 2 of epoch 0" in said
        assert "is at line 5 of epoch 0" in said
        assert "--accept-loss 5" in said
        found = old.run(anchors.look(old.tools.store, folder))
        assert (found.agreeing, len(found.wrong), found.lost) == (1, 1, 0)
        tell(old, 10)
        assert "has another line 5" in refused(old, folder), "growing on does not help"
        assert fault(world, folder) is None


def test_an_empty_database_does_not_pass_for_the_one_that_was_anchored(
    world: World, folder: AnchorFolder, place: Place
):
    tell(world)
    anchor(world, folder)
    with open_world(place.inside("new")) as new:
        assert "ends at line 0" in refused(new, folder)
        tell(new, 2)
        assert "another line 1" in refused(new, folder)


def test_a_restore_that_began_an_epoch_is_served_once_an_anchor_tells_of_it(
    world: World, folder: AnchorFolder, place: Place
):
    tell(world, 2)
    with going_back(place) as go_back:
        tell(world, 3)
        lost = anchor(world, folder)
        old, folder.newest = go_back(), None
        epoch = old.write(lambda tx: epochs.begin(tx, lost_seq=lost.seq))
        assert (epoch.number, epoch.after.seq, epoch.lost_seq) == (1, 2, 5)
        assert "a restore began epoch 1 at line 2" in refused(old, folder)
        fresh = anchor(old, folder)
        assert fresh.place == (1, 2)
        tell(old, 9)
        found = old.run(anchors.require(old.tools.store, folder))
        assert (found.newest, found.agreeing, found.lost) == (fresh, 1, 1)
        assert "is at line 2 of epoch 1" in refused(world, folder), "who goes on with the lost one is refused"


def test_a_forged_anchor_is_told_of_and_changes_nothing(
    world: World, folder: AnchorFolder, caplog: pytest.LogCaptureFixture
):
    tell(world)
    anchor(world, folder)
    forged = folder.folder / "anchor-000000-0000000000000000999.json"
    forged.write_text('{"seq": 999}')
    with caplog.at_level(logging.WARNING, "shoutgraph.anchors"):
        found = world.run(anchors.require(world.tools.store, folder))
    assert [each.name for each in found.ignored] == [forged.name]
    assert forged.name in caplog.text


def test_a_folder_that_is_not_there_stops_a_start_and_no_running_process(world: World, folder: AnchorFolder):
    tell(world)
    folder.folder.rmdir()
    assert "folder of the anchors cannot be read" in refused(world, folder)
    assert world.run(anchors.fault(replace(world.tools, anchors=folder))) is None


def test_a_running_process_notices_that_its_database_was_replaced(world: World, folder: AnchorFolder, place: Place):
    tell(world, 2)
    with going_back(place) as go_back:
        tell(world)
        newest = anchor(world, folder)
        old = go_back()
        assert (
            old.run(anchors.fault(replace(old.tools, anchors=folder))) == "the database does not agree with its anchors"
        )
        with pytest.raises(errors.StoreUnavailableError, match="lost line 3"):
            anchor(old, folder)
        with pytest.raises(errors.StoreUnavailableError, match="ends at line 2"):
            old.read(lambda tx: anchors.write_now(tx, folder, old.clock))
        assert list(folder.each()) == [newest]
    assert world.run(anchors.fault(replace(world.tools, anchors=folder))) is None


def test_the_job_writes_once_a_minute_and_once_more_at_the_end(world: World, folder: AnchorFolder):
    tools = replace(world.tools, anchors=folder)
    world.run(anchors.require(tools.store, folder))

    def tick(**move: int) -> list[int]:
        world.clock.move(**move)
        assert world.run(jobs.tick(tools)) == 0
        return [each.seq for each in folder.each() if isinstance(each, Anchor)]

    tell(world)
    assert tick() == [1]
    tell(world)
    assert tick(seconds=59) == [1]
    assert tick(seconds=1) == [2, 1]
    assert tick(minutes=5) == [2, 1]
    tell(world)
    world.run(jobs.last(tools))
    assert tick() == [3, 2, 1]


def test_a_folder_that_takes_nothing_holds_up_no_end(
    world: World, folder: AnchorFolder, caplog: pytest.LogCaptureFixture
):
    tell(world)
    tools = replace(world.tools, anchors=folder)
    world.run(jobs.tick(tools))
    world.run(jobs.last(tools))
    assert list(folder.each()) == [], "nobody has compared the database with them"
    world.run(anchors.require(tools.store, folder))
    folder.folder.rmdir()
    with pytest.raises(FileNotFoundError):
        world.run(jobs.tick(tools))
    with caplog.at_level(logging.ERROR, "shoutgraph.anchors"):
        world.run(jobs.last(tools))
    assert "could not be written" in caplog.text


def test_many_anchors_are_all_compared_and_a_start_reads_the_newest(world: World, folder: AnchorFolder):
    tell(world, 30)
    hashes = world.read(lambda tx: epochs.list_of_hashes(tx, range(1, 31)))
    newest = anchor(world, folder)
    for seq in range(1, 30):
        folder.write(replace(newest, seq=seq, hash=hashes[seq]))
    assert world.read(lambda tx: anchors.compare(tx, folder)).agreeing == 30
    assert world.read(lambda tx: anchors.compare(tx, folder, limit=7)).agreeing == 7
    folder.write(replace(newest, seq=3, hash=hashes[3], epoch=0, chain=bytes(32)))
    assert world.read(lambda tx: anchors.compare(tx, folder)).different is None, "the name of an anchor is taken once"


def test_two_databases_cannot_share_a_folder(world: World, folder: AnchorFolder, place: Place):
    tell(world)
    anchor(world, folder)
    with open_world(place.inside("other")) as other:
        tell(other, 4)
        with pytest.raises(errors.StoreUnavailableError, match="another line 1"):
            other.read(lambda tx: anchors.write_now(tx, folder, other.clock))
