"""Payouts by SEPA from end to end: a file that a person hands to a bank, and the bank's own files that come back."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from tests.services.world import BOOKS, World, new_id, open_world
from tests.storage.databases import Place

import shoutgraph_sepa
from shoutgraph.domain import errors, ids, postings
from shoutgraph.domain.bank_files import Content, Summary
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.earnings import Balances, Earning, EarningKind
from shoutgraph.domain.payouts import Payout, PayoutReview, PayoutState
from shoutgraph.domain.recipients import Recipient, RecipientState
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import payouts as payout_jobs, reconcile
from shoutgraph.plugins import loading
from shoutgraph.plugins.statements import Statements
from shoutgraph.services import earnings as earning_services
from shoutgraph.services.payouts import decide, rail, request as requests, send, statements
from shoutgraph.services.payouts.request import Wish
from shoutgraph.storage import bank_files, batches, earnings, ledger as books, payouts, recipients
from shoutgraph.storage.tx import Tx
from shoutgraph_sepa.simulator.bank import CLOSED_IBAN, MEDIA_TYPE, OWN_IBAN, Bank, RefusedFileError

GOOD = "DE89370400440532013000||Jürgen Weiß"
CLOSED = f"{CLOSED_IBAN}||Initech Services N.V."


@dataclass
class Desk:
    """A creator with earnings, finance, and a bank that takes files."""

    world: World
    bank: Bank
    viewer: Viewer
    creator: Creator
    finance: Viewer
    reader: Statements = field(default_factory=Statements)

    def approved(self, coins: int, ref: str = GOOD) -> Payout:
        """Earned, asked for and approved."""
        world = self.world
        recipient = world.write(lambda tx: self._earn_and_add(tx, coins, ref))
        world.run(earning_services.mature_due(world.tools))
        asked = world.request("payoutRequest", self.viewer, coins=coins)
        wish = Wish(coins, recipient.id)
        payout = world.run(requests.request(world.tools, self.viewer, asked, wish)).value
        asked = world.request("payoutApprove", self.finance, payout=payout.id)
        return world.run(decide.approve(world.tools, self.finance, asked, payout.id)).value

    def _earn_and_add(self, tx: Tx, coins: int, ref: str) -> Recipient:
        order_id = ids.OrderId(new_id(ids.ORDER))
        books.post(tx, postings.creator_compensated(BOOKS, order_id=order_id, creator_id=self.creator.id, coins=coins))
        kind = EarningKind.COMPENSATION
        earnings.insert(tx, Earning(new_id(ids.EARNING), self.creator.id, kind, order_id, coins, 0, tx.now, tx.now))
        id_, state = new_id(ids.RECIPIENT), RecipientState.READY
        recipient = Recipient(id_, self.creator.id, "bank", "Mine", ref, state=state, created_at=tx.now)
        recipients.insert(tx, recipient)
        return recipient

    def tick(self, **move: int) -> None:
        self.world.clock.move(**move)
        for job in (payout_jobs.tick, reconcile.tick):
            self.world.run(job(self.world.tools))

    def file(self, payout: Payout) -> bytes:
        """The file that a payout stands in."""
        batch_id = self.now(payout).batch_id or ""
        (file,) = self.world.read(lambda tx: bank_files.list_of_batches(tx, [batch_id]))[batch_id]
        return self.world.read(lambda tx: bank_files.read(tx, file.id)).body

    def hand_over(self, payout: Payout) -> None:
        """A person gives the file to the bank, and says so."""
        world, batch_id = self.world, self.now(payout).batch_id or ""
        asked = world.request("payoutBatchHandOver", self.finance, batch=batch_id)
        self.bank.take(self.file(payout))
        world.run(rail.hand_over(world.tools, self.finance, asked, batch_id))

    def read_post(self) -> Summary:
        """Takes in every file that the bank has written, each of them twice."""
        told = Summary()
        for paper in self.bank.papers():
            content = Content(paper.name, paper.media_type, paper.body)
            for repeated in (False, True):
                work = statements.ingest(self.world.tools, self.reader, self.finance, "bank", content)
                taken = self.world.run(work)
                assert taken.repeated is repeated
                told = told if repeated else told.joined(taken.file.summary or Summary())
        return told

    def now(self, payout: Payout) -> Payout:
        return self.world.read(lambda tx: payouts.get(tx, payout.id))

    def state(self, payout: Payout) -> PayoutState:
        return self.now(payout).state

    def reference(self, payout: Payout) -> str:
        """What the bank calls it."""
        found = [each.reference for each in self.bank.payments.values() if each.amount.minor == payout.amount_minor]
        return found[0]

    @property
    def balances(self) -> Balances:
        return self.world.run(earning_services.summary(self.world.tools, self.viewer)).balances


@pytest.fixture
def desk(place: Place) -> Iterator[Desk]:
    with open_world(place) as world:
        setup = loading.Setup(
            instances={"bank": {"plugin": "sepa", "name": "Shout & Co. GmbH", "iban": OWN_IBAN}},
            environ={},
            clock=world.clock,
            monotonic=world.loop.time,
            extra={"sepa": shoutgraph_sepa},
            discover=False,
            strict=True,
        )
        world.tools = replace(world.tools, providers=loading.load(setup))
        viewer, creator, _ = world.creator()
        yield Desk(world, Bank(world.clock), viewer, creator, world.staff("finance"))
        world.run(world.tools.providers.aclose())


def test_a_payout_goes_out_by_file_is_paid_and_comes_back(desk: Desk) -> None:
    payout = desk.approved(2_000)
    desk.tick()
    assert desk.state(payout) is PayoutState.SUBMITTING
    assert desk.balances == Balances(0, 0, 2_000, 0)
    desk.tick(days=1)
    assert desk.state(payout) is PayoutState.SUBMITTING  # nobody has given the file to the bank
    desk.hand_over(payout)
    assert desk.read_post().applied == 1
    assert desk.state(payout) is PayoutState.SUBMITTED
    desk.bank.mix_strangers_in()
    desk.bank.pay(desk.reference(payout))
    desk.read_post()
    assert desk.state(payout) is PayoutState.PAID
    assert desk.balances == Balances(0, 0, 0, 2_000)
    desk.world.clock.move(days=9)
    desk.bank.give_back(desk.reference(payout), "AC04")
    desk.read_post()
    seen = desk.now(payout)
    assert (seen.state, seen.failure_code, seen.ref) == (PayoutState.RETURNED, "AC04", desk.reference(payout))
    assert desk.balances == Balances(0, 2_000, 0, 0)


def test_one_account_that_is_closed_does_not_stop_the_others(desk: Desk) -> None:
    good, bad = desk.approved(2_000), desk.approved(3_000, CLOSED)
    desk.tick()
    assert desk.now(good).batch_id == desk.now(bad).batch_id
    desk.hand_over(good)
    desk.read_post()
    assert (desk.state(good), desk.state(bad)) == (PayoutState.SUBMITTED, PayoutState.REJECTED)
    assert desk.now(bad).failure_code == "AC04"
    assert desk.balances == Balances(0, 3_000, 2_000, 0)


def test_a_file_that_is_handed_over_twice_gives_nothing_back(desk: Desk) -> None:
    payout = desk.approved(2_000)
    desk.tick()
    desk.hand_over(payout)
    desk.read_post()
    with pytest.raises(RefusedFileError, match="DUPL"):
        desk.bank.take(desk.file(payout))
    desk.read_post()
    assert desk.state(payout) is PayoutState.SUBMITTED
    # A bank that does not say that it is a duplicate, only that it takes none of it.
    desk.bank.refuse(next(iter(desk.bank.payments.values())).message_id, "NARR")
    desk.read_post()
    assert desk.state(payout) is PayoutState.SUBMITTED
    assert desk.balances == Balances(0, 0, 2_000, 0)


def test_a_file_that_is_refused_as_a_whole_gives_all_back(desk: Desk) -> None:
    one, other = desk.approved(2_000), desk.approved(3_000)
    desk.tick()
    desk.hand_over(one)
    desk.bank.papers()  # the first report is lost
    desk.bank.refuse(next(iter(desk.bank.payments.values())).message_id)
    assert desk.read_post().applied == 1
    assert {desk.state(one), desk.state(other)} == {PayoutState.REJECTED}
    assert desk.balances == Balances(0, 5_000, 0, 0)


def test_silence_proves_nothing_and_the_file_is_the_same_for_ever(desk: Desk) -> None:
    payout = desk.approved(2_000)
    desk.tick()
    desk.hand_over(payout)
    file = desk.file(payout)
    for _ in range(4):
        desk.tick(days=10)
    seen = desk.now(payout)
    assert (seen.state, seen.review) == (PayoutState.UNKNOWN, PayoutReview.UNKNOWN_FOR_LONG)
    assert desk.balances == Balances(0, 0, 2_000, 0)
    assert desk.file(payout) == file
    batch = desk.world.read(lambda tx: batches.get(tx, seen.batch_id or ""))
    assert batch.alarm is None
    desk.read_post()
    desk.bank.pay(desk.reference(payout))
    desk.read_post()
    assert desk.state(payout) is PayoutState.PAID


def test_a_batch_that_is_made_again_days_later_is_the_same_file(desk: Desk) -> None:
    payout = desk.approved(2_000)
    desk.tick()
    first, seen = desk.file(payout), desk.now(payout)
    batch = desk.world.read(lambda tx: batches.get(tx, seen.batch_id or ""))
    desk.world.clock.move(days=3)
    desk.world.run(send.hand_over(desk.world.tools, replace(batch, answer_due_at=batch.answer_due_at + timedelta(9))))
    assert desk.file(payout) == first
    assert desk.world.read(lambda tx: batches.get(tx, batch.id)).alarm is None


def test_what_the_bank_does_not_write_is_not_read(desk: Desk) -> None:
    content = Content("bomb.xml", MEDIA_TYPE, b'<!DOCTYPE a [<!ENTITY a "a">]><a>&a;</a>')
    with pytest.raises(errors.ValidationError, match="DTD"):
        desk.world.run(statements.ingest(desk.world.tools, desk.reader, desk.finance, "bank", content))
