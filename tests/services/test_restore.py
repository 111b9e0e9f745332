"""Books that went back in time meet a provider that did not: money comes back once, or a person is told of it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import pytest
from tests.services.test_payouts import Office
from tests.services.till import Till, open_till
from tests.storage import databases
from tests.storage.databases import Place

from shoutgraph.domain import errors
from shoutgraph.domain.anchors import Anchor
from shoutgraph.domain.payouts import HoldCode, PayoutReview, PayoutState
from shoutgraph.domain.proof import Law, Violation
from shoutgraph.domain.strays import Stray, StrayKind
from shoutgraph.domain.topups.topup import Status
from shoutgraph.files import anchors as anchor_files
from shoutgraph.files.anchors import AnchorFolder
from shoutgraph.jobs import restore
from shoutgraph.jobs.restore import Plan, Report
from shoutgraph.plugins import loading
from shoutgraph.services import anchors, books, strays as stray_services
from shoutgraph.services.books import Proof
from shoutgraph.services.payouts import decide, send
from shoutgraph.storage import epochs, journal, payouts as payout_rows, strays
from shoutgraph_sandbox.simulator import rules

SILENT = 1_023
"""A payout that the simulator neither pays nor rejects by itself. Units: minor units, and coins."""


@dataclass
class Disaster:
    """A till whose database can be put back to what it was."""

    till: Till
    place: Place
    parts: ExitStack = field(default_factory=ExitStack)

    def backup(self, name: str = "backup") -> None:
        self.place.copy("world", self.place.inside(name))

    def lose_all_since(self, name: str = "backup") -> None:
        """The provider goes on with what it has; we go on with the backup."""
        store = databases.opened(self.place.inside(name).database("world"), self.till.world.clock)
        self.parts.callback(store.close)
        self.till.world.tools = replace(self.till.world.tools, store=store, bell=store.bell)
        self.anchors.newest = None  # a process that starts has written none

    @property
    def anchors(self) -> AnchorFolder:
        assert self.till.world.tools.anchors is not None
        return self.till.world.tools.anchors

    def serve(self) -> None:
        """What every start asks first."""
        self.till.world.run(anchors.require(self.till.world.tools.store, self.anchors))

    def restore(self, *violations: Violation, **plan: object) -> Report:
        tools = self.till.world.tools

        async def prove() -> Proof:
            proof = await tools.store.read(books.prove)
            return replace(proof, violations=[*proof.violations, *violations])

        return self.till.world.run(restore.run(tools, Plan(**plan), prove=prove))  # type: ignore[arg-type]

    def strays(self) -> list[Stray]:
        return list(self.till.world.read(strays.list_of))

    def anchor(self) -> Anchor:
        tools = self.till.world.tools
        written = self.till.world.run(anchors.write(tools.store, self.anchors, tools.clock))
        assert written is not None
        return written


@pytest.fixture
def disaster(place: Place) -> Iterator[Disaster]:
    anchors_folder = place.folder / "anchors"
    anchors_folder.mkdir()
    folder = anchor_files.open_folder(anchors_folder, place.folder / "keys.json")
    with open_till(place) as till, ExitStack() as parts:
        before = till.world.tools
        till.world.tools = replace(before, anchors=folder)
        yield Disaster(till, place, parts)
        till.world.verify()
        till.world.tools = before


def test_money_that_came_after_the_backup_is_credited_once(disaster: Disaster) -> None:
    till = disaster.till
    fan = till.world.person("fan")
    topup = till.buy(fan, 1_551).value
    disaster.backup()
    till.control(f"payments/{topup.id}/pay")
    assert till.look(topup).status is Status.PAID
    assert till.world.wallet(fan) == (1_551, 0, 0)
    cash = till.cash()
    disaster.lose_all_since()
    assert till.world.wallet(fan) == (0, 0, 0)
    report = disaster.restore()
    assert till.topup(topup).status is Status.PAID
    assert till.world.wallet(fan) == (1_551, 0, 0)
    assert (report.strays, report.epoch.number, report.unlisted) == (0, 1, ())
    assert report.looked >= 1
    assert report.known >= 1
    till.tick(seconds=10)
    assert till.world.wallet(fan) == (1_551, 0, 0)
    assert till.cash() == cash > 0


def test_money_of_a_purchase_that_is_forgotten_is_kept_for_a_person(disaster: Disaster) -> None:
    till = disaster.till
    fan = till.world.person("fan")
    disaster.backup()
    paid, pending, declined = (till.buy(fan, coins).value for coins in (1_551, 1_657, 1_759))
    till.control(f"payments/{paid.id}/pay")
    till.control(f"payments/{declined.id}/decline")
    disaster.lose_all_since()
    report = disaster.restore()
    assert report.strays == 2
    found = {stray.operation_id: stray for stray in disaster.strays()}
    assert found.keys() == {paid.id, pending.id}
    stray = found[paid.id]
    assert (stray.instance, stray.kind, stray.seen, stray.key) == ("sandbox", StrayKind.TOPUP, "SETTLED", paid.id)
    assert stray.amount is not None
    assert (stray.amount.minor, stray.amount.currency) == (1_551, "EUR")
    assert found[pending.id].seen == "NEEDS_ACTION"
    assert till.world.wallet(fan) == (0, 0, 0)
    till.control(f"payments/{pending.id}/pay")
    disaster.restore()
    assert {stray.operation_id: stray.seen for stray in disaster.strays()} == dict.fromkeys(found, "SETTLED")


def test_a_payout_whose_sending_is_forgotten_is_booked_and_not_sent_again(disaster: Disaster) -> None:
    till = disaster.till
    office = Office(till)
    office.earn(3_000)
    requested, approved = office.ask(1_000), office.approve(office.ask(1_100))
    disaster.backup()
    office.approve(requested)
    till.tick()
    for payout in till.seen("payouts"):
        till.control(f"payouts/{payout['id']}/pay")
    disaster.lose_all_since()
    assert {till.payout(each).state for each in (requested, approved)} == {PayoutState.REQUESTED, PayoutState.APPROVED}
    report = disaster.restore()
    for each in (requested, approved):
        found = till.payout(each)
        assert (found.state, found.review, found.attempts) == (PayoutState.PAID, None, 1)
        assert found.ref is not None
    assert report.strays == 0
    assert till.payout(requested).decided_by == "restore"
    for _ in range(3):
        till.tick(hours=1)
    assert len(till.seen("payouts")) == 2, "nothing was sent twice"
    assert office.balances.paid_coins == 2_100


def test_a_payout_on_its_way_is_waited_for(disaster: Disaster) -> None:
    till = disaster.till
    office = Office(till)
    office.earn(SILENT)
    payout = office.ask(SILENT)
    disaster.backup()
    office.approve(payout)
    till.tick()
    disaster.lose_all_since()
    disaster.restore()
    assert till.payout(payout).state is PayoutState.SUBMITTED
    till.tick(minutes=5)
    (there,) = till.seen("payouts")
    till.control(f"payouts/{there['id']}/pay")
    till.tick(days=1)
    assert till.payout(payout).state is PayoutState.PAID


def test_a_payout_that_was_denied_here_and_paid_there_is_flagged(disaster: Disaster) -> None:
    till = disaster.till
    office = Office(till)
    office.earn(1_000)
    payout = office.ask(1_000)
    disaster.backup()
    office.approve(payout)
    till.tick()
    till.control(f"payouts/{till.seen('payouts')[0]['id']}/pay")
    disaster.lose_all_since()
    deny(office, payout.id)
    disaster.restore()
    found = till.payout(payout)
    assert (found.state, found.review) == (PayoutState.DENIED, PayoutReview.PAID_AFTER_FAILURE)


def deny(office: Office, payout_id: str) -> None:
    world = office.till.world
    asked = world.request("payoutDeny", office.finance, payout=payout_id)
    world.run(decide.deny(world.tools, office.finance, asked, payout_id, note="no"))


def test_a_payout_that_is_forgotten_names_its_creator(disaster: Disaster) -> None:
    till = disaster.till
    office = Office(till)
    office.earn(2_000)
    disaster.backup()
    payout = office.approve(office.ask(1_000))
    till.tick()
    disaster.lose_all_since()
    report = disaster.restore()
    (stray,) = disaster.strays()
    assert (report.strays, report.named) == (1, 1)
    assert (stray.kind, stray.operation_id, stray.creator_id) == (StrayKind.PAYOUT, payout.key, office.creator.id)
    assert stray.amount is not None
    assert stray.amount.minor == 1_000
    assert till.world.read(lambda tx: payout_rows.find_by_key(tx, instance="sandbox-payouts", key=payout.key)) is None


def test_a_payout_that_is_asked_for_again_is_the_one_that_was_sent(disaster: Disaster) -> None:
    till = disaster.till
    office = Office(till)
    office.earn(2_000)
    disaster.backup()
    lost = office.approve(office.ask(1_000))
    till.tick()
    disaster.lose_all_since()
    disaster.restore()
    again = office.approve(office.ask(1_000))
    assert (again.key, again.id != lost.id) == (lost.key, True)
    till.tick(seconds=10)
    till.control("advance", seconds=10)
    till.tick(minutes=1)
    assert till.payout(again).state is PayoutState.PAID
    assert len(till.seen("payouts")) == 1, "nothing was sent twice"
    (stray,) = disaster.strays()
    assert (stray.settled_at is not None, stray.note) == (True, f"taken for {again.id}")


def test_a_creator_who_may_have_been_paid_is_not_paid_until_somebody_settled_it(disaster: Disaster) -> None:
    till = disaster.till
    office = Office(till)
    office.earn(4_000)
    disaster.backup()
    office.approve(office.ask(1_000))
    till.tick()
    disaster.lose_all_since()
    disaster.restore()
    office.earn(1_000)
    other = office.approve(office.ask(1_500))
    (stray,) = disaster.strays()
    assert other.key != stray.operation_id
    till.tick(seconds=10)
    found = till.payout(other)
    assert (found.state, found.hold_code, found.note) == (PayoutState.HELD, HoldCode.RISK, send.STRAY_NOTE)
    assert len(till.seen("payouts")) == 1
    office.approve(found)
    till.tick(seconds=10)
    assert till.payout(other).state is PayoutState.HELD, "to approve it again is not to settle it"
    till.world.run(
        stray_services.settle(
            till.world.tools,
            office.finance,
            instance=stray.instance,
            operation_id=stray.operation_id,
            note="taken back",
        )
    )
    office.approve(till.payout(other))
    till.tick(seconds=10)
    till.control("advance", seconds=10)
    till.tick(minutes=1)
    assert till.payout(other).state is PayoutState.PAID


def test_a_loss_is_accepted_by_its_number_or_not_at_all(disaster: Disaster) -> None:
    till = disaster.till
    till.world.person("fan")
    till.buy(till.world.person("fan"), 1_551)
    disaster.backup()
    with pytest.raises(errors.RestoreError, match="no anchor is ahead"):
        disaster.restore(accept_loss=5)
    till.buy(till.world.person("fan"), 1_657)
    newest = disaster.anchor()
    disaster.lose_all_since()
    for wrong in (None, newest.seq - 1, newest.seq + 1):
        with pytest.raises(errors.RestoreError, match=f"--accept-loss {newest.seq}"):
            disaster.restore(accept_loss=wrong)
    assert till.world.read(epochs.current).number == 0
    report = disaster.restore(accept_loss=newest.seq)
    assert (report.epoch.lost_seq, report.epoch.number) == (newest.seq, 1)
    assert report.anchor is not None
    assert report.anchor.place == (1, till.world.read(journal.head).seq)
    disaster.serve()
    with pytest.raises(errors.RestoreError, match="no anchor is ahead"):
        disaster.restore(accept_loss=newest.seq)


def test_books_that_were_changed_are_not_restored(disaster: Disaster) -> None:
    till = disaster.till
    till.buy(till.world.person("fan"), 1_551)
    disaster.backup()
    disaster.lose_all_since()
    till.buy(till.world.person("fan"), 1_657)
    newest = disaster.anchor()
    disaster.anchors.write(replace(newest, seq=newest.seq - 1, hash=bytes(32)))
    with pytest.raises(errors.StoreUnavailableError, match="has another line"):
        disaster.restore()
    assert till.world.read(epochs.current).number == 0


def test_books_that_do_not_balance_stay_closed(disaster: Disaster) -> None:
    disaster.till.buy(disaster.till.world.person("fan"), 1_551)
    disaster.anchor()
    with pytest.raises(errors.RestoreError, match="do not balance"):
        disaster.restore(Violation(Law.COINS, "coins exist", ("mint",)))
    with pytest.raises(errors.StoreUnavailableError, match="did not come to its end"):
        disaster.serve()


def test_a_provider_that_does_not_answer_keeps_the_doors_closed(disaster: Disaster) -> None:
    till = disaster.till
    topup = till.buy(till.world.person("fan"), 1_551).value
    disaster.anchor()
    with broken(disaster), pytest.raises(errors.RestoreError, match="sandbox does not say what it has"):
        disaster.restore()
    with pytest.raises(errors.StoreUnavailableError, match="did not come to its end"):
        disaster.serve()
    with broken(disaster):
        report = disaster.restore(without=frozenset({"sandbox", "sandbox-payouts"}))
    assert (report.epoch.number, report.known) == (1, 0)
    assert till.topup(topup).status is Status.ACTION_REQUIRED
    disaster.serve()


def test_a_restore_that_was_cut_goes_on_in_its_epoch(disaster: Disaster) -> None:
    till = disaster.till
    fan = till.world.person("fan")
    known = till.buy(fan, 1_551).value
    disaster.backup()
    head = till.world.read(journal.head).seq
    lost = []
    for coins in (1_657, 1_661, 1_663):
        till.buy(fan, coins)
        lost.append(disaster.anchor())
    till.control(f"payments/{known.id}/pay")
    disaster.lose_all_since()
    newest = lost[-1].seq
    for accepted in (newest, None):
        with pytest.raises(errors.RestoreError, match="do not balance"):
            disaster.restore(Violation(Law.COINS, "coins exist", ("mint",)), accept_loss=accepted)
    assert head < till.world.read(journal.head).seq <= newest, "there are other lines with the numbers of lost ones"
    with pytest.raises(errors.RestoreError, match="no loss to accept"):
        disaster.restore(accept_loss=newest - 1)
    report = disaster.restore(accept_loss=newest)
    assert (report.epoch.number, report.epoch.after.seq, report.epoch.lost_seq) == (1, head, newest)
    assert till.world.wallet(fan) == (1_551, 0, 0)
    disaster.serve()
    found = till.world.read(lambda tx: anchors.compare(tx, disaster.anchors))
    assert (found.lost, found.agreeing, found.wrong) == (3, 1, [])


def test_a_newer_copy_that_is_found_later_is_restored_too(disaster: Disaster) -> None:
    """The life between the two restores is lost then; its epoch is not counted twice."""
    till = disaster.till
    fan = till.world.person("fan")
    till.buy(fan, 1_551)
    disaster.backup("older")
    till.buy(fan, 1_657)
    disaster.anchor()
    disaster.backup("newer")
    till.buy(fan, 1_661)
    lost = disaster.anchor()
    disaster.lose_all_since("older")
    assert disaster.restore(accept_loss=lost.seq).epoch.number == 1
    till.buy(fan, 1_663)
    between = disaster.anchor()
    disaster.lose_all_since("newer")
    with pytest.raises(errors.StoreUnavailableError, match=f"is at line {between.seq} of epoch 1"):
        disaster.serve()
    assert disaster.restore(accept_loss=between.seq).epoch.number == 2
    disaster.serve()
    found = till.world.read(lambda tx: anchors.compare(tx, disaster.anchors))
    assert (found.lost, found.agreeing, found.wrong) == (3, 2, [])


@contextmanager
def broken(disaster: Disaster) -> Iterator[None]:
    """The provider answers nothing for a while."""
    world, setup = disaster.till.world, disaster.till.setup
    assert setup is not None
    nowhere = {name: {**given, "base_url": f"{disaster.till.url}/nowhere"} for name, given in setup.instances.items()}
    before, deaf = world.tools, loading.load(replace(setup, instances=nowhere))
    world.tools = replace(before, providers=deaf)
    try:
        yield
    finally:
        world.tools = before
        world.run(deaf.aclose())


def test_more_than_one_page_of_a_list_is_read(disaster: Disaster, monkeypatch: pytest.MonkeyPatch) -> None:
    till = disaster.till
    fan = till.world.person("fan")
    disaster.backup()
    for coins in range(1_650, 1_659):
        till.world.clock.move(seconds=1)
        till.buy(fan, coins)
    disaster.lose_all_since()
    monkeypatch.setattr(rules, "LISTED_MAX", 4)
    assert disaster.restore().strays == 9
