"""What a provider has and the books do not know is settled once, by finance, with a note that says how."""

from dataclasses import replace

import pytest
from tests.services.world import World

from shoutgraph.domain import errors
from shoutgraph.domain.money import Money
from shoutgraph.domain.strays import NOTE_CHARS_MAX, Stray, StrayKind
from shoutgraph.domain.users import Viewer
from shoutgraph.services import strays as services
from shoutgraph.storage import strays

NOTE = "paid back by hand"


def _settle(world: World, viewer: Viewer, *, operation_id: str = "po_1", note: str = NOTE) -> None:
    world.run(services.settle(world.tools, viewer, instance="bank", operation_id=operation_id, note=note))


@pytest.fixture
def stray(world: World) -> Stray:
    made = world.clock()
    found = Stray("bank", "po_1", StrayKind.PAYOUT, "po_1", None, "paid", Money(1_000, "USD"), made)
    world.write(lambda tx: strays.keep(tx, found))
    return found


def test_a_stray_is_settled_once(world: World, stray: Stray) -> None:
    finance = world.staff("finance")
    assert world.read(services.list_of) == (stray,)
    _settle(world, finance)
    (settled,) = world.read(services.list_of)
    assert settled.settled_at is not None
    assert replace(settled, settled_at=None) == replace(stray, note=NOTE)
    with pytest.raises(errors.NotFoundError, match="no open stray po_1 at bank"):
        _settle(world, finance, note="once more")


def test_what_is_found_once_more_says_what_its_provider_says_now(world: World, stray: Stray) -> None:
    _settle(world, world.staff("finance"))
    world.write(lambda tx: strays.keep(tx, replace(stray, seen="returned", amount=None)))
    (kept,) = world.read(services.list_of)
    assert (kept.seen, kept.amount, kept.note) == ("returned", stray.amount, NOTE)


@pytest.mark.usefixtures("stray")
def test_a_stray_that_is_not_there_is_not_settled(world: World) -> None:
    with pytest.raises(errors.NotFoundError):
        _settle(world, world.staff("finance"), operation_id="po_2")


@pytest.mark.usefixtures("stray")
@pytest.mark.parametrize("note", ["", " ", "x" * (NOTE_CHARS_MAX + 1)])
def test_a_note_says_something(world: World, note: str) -> None:
    with pytest.raises(errors.ValidationError):
        _settle(world, world.staff("finance"), note=note)


@pytest.mark.usefixtures("stray")
def test_only_finance_settles(world: World) -> None:
    with pytest.raises(errors.ForbiddenError):
        _settle(world, world.staff("moderator"))
    with pytest.raises(errors.UnauthenticatedError):
        _settle(world, Viewer())
