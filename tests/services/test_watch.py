"""A wall clock that jumps: what time ends waits until somebody agrees, and money goes on."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from tests.services.world import World

from shoutgraph import app
from shoutgraph.domain.creators import Offer
from shoutgraph.domain.jumps import Counted
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import State
from shoutgraph.domain.users import Viewer
from shoutgraph.files.agreed_time import NAME, AgreedTime, counted
from shoutgraph.jobs import expiry, runner
from shoutgraph.services import watch
from shoutgraph.services.watch import Watch
from shoutgraph.settings import Settings


@dataclass
class Machine:
    """A machine whose clocks run together, until the wall clock is moved alone."""

    world: World
    folder: Path
    counted: Counted = field(default=Counted(timedelta(days=3), "first"))

    def run(self, **by: int) -> None:
        """Time passes."""
        self.jump(**by)
        self.counted = Counted(self.counted.since_boot + timedelta(**by), self.counted.boot)

    def jump(self, **by: int) -> None:
        """Only the wall clock says that time has passed."""
        self.world.clock.move(**by)

    def boot(self, **off: int) -> None:
        """It was off, and counts anew."""
        self.jump(**off)
        self.counted = Counted(timedelta(seconds=40), self.counted.boot + " next")

    def started(self, *, strict: bool = True) -> "Process":
        """A process on this machine, with the jobs that expire something."""
        return Process(self, Watch(AgreedTime(self.folder), lambda: self.counted, strict=strict))


@dataclass
class Shop:
    """A fan who orders."""

    world: World
    fan: Viewer
    offer: Offer

    def place(self) -> Order:
        return self.world.place(self.fan, self.offer)

    def state(self, order: Order) -> State:
        return self.world.order(order).state


@dataclass
class Process:
    """What its jobs do when they look."""

    machine: Machine
    watch: Watch

    @property
    def doubt(self) -> str | None:
        return self.machine.world.run(self.watch.doubt(self.machine.world.tools))

    def work(self) -> int:
        """Runs the jobs until they find nothing more to do."""
        world, jobs = self.machine.world, expiry.guarded(app.JOBS, self.watch)
        return world.run(runner.settle(world.tools, {name: jobs[name] for name in expiry.EXPIRING}))

    def agree(self) -> None:
        self.watch.agree(self.machine.world.read(watch.times))


@pytest.fixture
def machine(world: World, tmp_path: Path) -> Machine:
    folder = tmp_path / "machine"
    folder.mkdir()
    return Machine(world, folder)


@pytest.fixture
def shop(world: World) -> Shop:
    _, _, offer = world.creator()
    fan = world.person("fan")
    world.give_coins(fan, 10_000)
    return Shop(world, fan, offer)


def test_time_that_passes_is_believed(machine: Machine) -> None:
    process = machine.started()
    for _ in range(3):
        machine.run(days=30)
        assert process.doubt is None


def test_a_jump_ahead_expires_nothing_until_an_operator_agrees(
    machine: Machine, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    process, order = machine.started(), shop.place()
    assert process.work() == 0
    machine.jump(days=365, minutes=1)
    assert process.work() == 0
    assert "ahead by 365 days" in (process.doubt or "")
    assert [record.levelname for record in caplog.records if record.name == "shoutgraph.jobs"] == ["ERROR"]
    later = shop.place()
    assert process.work() == 0, "money goes on, and what is written meanwhile agrees to nothing"
    machine.started().agree()
    assert process.work() > 0
    assert (shop.state(order), shop.state(later)) == (State.CANCELLED, State.SCREENING)
    machine.run(days=4)
    assert process.work() > 0
    assert shop.state(later) is State.CANCELLED, "the clock is as good as before"


def test_a_jump_that_is_put_right_is_over_by_itself(machine: Machine, shop: Shop) -> None:
    process, order = machine.started(), shop.place()
    assert process.doubt is None
    machine.jump(days=365)
    assert process.work() == 0
    assert process.doubt is not None
    machine.jump(days=-365)
    assert process.doubt is None
    assert process.work() == 0
    assert shop.state(order) is State.SCREENING
    machine.run(days=4)
    assert process.work() == 1


def test_what_was_written_in_a_jump_keeps_the_store_ahead(machine: Machine, shop: Shop) -> None:
    process, order = machine.started(), shop.place()
    assert process.doubt is None
    machine.jump(days=365)
    shop.place()
    machine.jump(days=-365)
    assert process.work() == 0, "its time is the store's, which never goes back"
    assert process.doubt is not None
    assert shop.state(order) is State.SCREENING
    machine.run(days=366)
    assert process.doubt is None


def test_a_jump_back_ends_nothing_early_and_is_no_jump_when_it_is_put_right(machine: Machine, shop: Shop) -> None:
    process, order = machine.started(), shop.place()
    assert process.doubt is None
    machine.jump(days=-30)
    assert process.work() == 0
    late = shop.place()
    assert machine.world.order(late).created_at > machine.world.order(order).created_at
    machine.run(hours=1)
    assert process.work() == 0
    machine.jump(days=30)
    assert process.doubt is None
    machine.run(days=4)
    assert process.work() == 2


def test_a_step_of_a_few_minutes_is_believed(machine: Machine) -> None:
    process = machine.started()
    for _ in range(20):
        assert process.doubt is None
        machine.jump(minutes=10)


def test_a_process_that_starts_again_knows_of_the_jump(machine: Machine) -> None:
    assert machine.started().doubt is None
    machine.jump(hours=1)
    assert machine.started().doubt is not None
    machine.run(days=1)
    assert machine.started().doubt is not None


def test_a_process_that_was_down_believes_what_its_machine_counted(machine: Machine) -> None:
    assert machine.started().doubt is None
    machine.run(days=7)
    assert machine.started().doubt is None


def test_what_nobody_counted_is_in_doubt_where_real_people_are_served(machine: Machine) -> None:
    assert machine.started().doubt is None
    machine.boot(minutes=9)
    assert machine.started().doubt is None
    machine.boot(minutes=11)
    assert machine.started().doubt is not None
    assert machine.started(strict=False).doubt is None


def test_without_a_file_the_newest_line_of_the_journal_counts(machine: Machine, shop: Shop) -> None:
    assert machine.started().doubt is None, "nothing was written yet"
    (machine.folder / NAME).unlink()
    shop.place()
    machine.run(minutes=9)
    assert machine.started().doubt is None
    for damaged in (b"", b"{}", b'{"at": 1.5}'):
        (machine.folder / NAME).write_bytes(damaged)
        machine.run(minutes=11)
        assert machine.started().doubt is not None
        shop.place()
        assert machine.started().doubt is not None, "what is written meanwhile agrees to nothing"
        machine.started().agree()
        assert machine.started().doubt is None


def test_whoever_only_looks_changes_nothing(machine: Machine) -> None:
    found = machine.world.read(watch.times)
    assert machine.started().watch.look(found) is None
    assert list(machine.folder.iterdir()) == []


def test_a_machine_counts_on_and_knows_its_start() -> None:
    first, second = counted(), counted()
    assert first.boot == second.boot != ""
    assert timedelta() < first.since_boot <= second.since_boot


def test_a_deployment_guards_every_job_that_expires_something(tmp_path: Path) -> None:
    real = app.jobs_of(Settings(data_dir=tmp_path))
    assert {name for name, tick in real.items() if tick is not app.JOBS[name]} == expiry.EXPIRING
    assert app.jobs_of(Settings(data_dir=tmp_path, test_clock=True)) == app.JOBS, "it is moved on purpose"
