"""What must be true when everything has calmed down: the books say what the provider has, payment by payment."""

from collections import Counter
from collections.abc import Iterator

import sqlalchemy as sa
from tests.services.acquirer import Acquirer, Payment, Transfer
from tests.services.acquirer_plugin import BLIND, BY_KEY, PAYOUTS
from tests.services.simulation import Simulation
from tests.services.world import World

from shoutgraph.domain import money
from shoutgraph.domain.notices import NoticeState
from shoutgraph.domain.payouts import Payout, PayoutState
from shoutgraph.domain.topups.refund import Refund, RefundState
from shoutgraph.domain.topups.topup import MISMATCHES, Review, Status, Submission, Topup
from shoutgraph.services import books
from shoutgraph.storage import columns, notices, payouts, refunds, topups
from shoutgraph.storage.statements import Statement

PAGE = 500
ENDS = {
    "processing": {PayoutState.SUBMITTED},
    "paid": {PayoutState.PAID},
    "returned": {PayoutState.RETURNED},
    "rejected": {PayoutState.REJECTED},
}
NOTHING_THERE = {PayoutState.NOT_EXECUTED, PayoutState.APPROVED, PayoutState.HELD}

_TOPUPS, _PAYOUTS, _REFUNDS = (columns.table_of(row) for row in (topups.TopupRow, payouts.PayoutRow, refunds.RefundRow))
_TABLES = (_TOPUPS, _PAYOUTS, _REFUNDS)
_IDS = {table: Statement[tuple[str]](lambda table=table: sa.select(table.c.id)) for table in _TABLES}


class Reckoning:
    """Compares the books of a simulation with what its provider has."""

    def __init__(self, simulation: Simulation) -> None:
        self.world: World = simulation.world
        self.acquirer: Acquirer = simulation.acquirer
        self.topups = {each.id: each for each in self._each(_TOPUPS, topups.get)}
        self.payouts = {each.key: each for each in self._each(_PAYOUTS, payouts.get)}
        self.refunds: list[Refund] = list(self._each(_REFUNDS, refunds.get))
        self.flagged: Counter[str] = Counter()
        self.apart: set[str] = set()
        """Payments that only people can settle: other money than was asked for, or totals that contradict."""

    def check(self) -> None:
        """Everything."""
        proof = self.world.read(books.prove)
        assert not proof.violations, proof.violations
        assert not self.acquirer.doubles, "one key had one effect"
        for key, payment in self.acquirer.payments.items():
            self._payment(self.topups[key], payment)
        for topup in self.topups.values():
            if topup.id not in self.acquirer.payments:
                self._nothing(topup)
        for payout in self.payouts.values():
            self._payout(payout, self.acquirer.transfers.get(payout.key))
        assert self.acquirer.transfers.keys() <= self.payouts.keys()
        self._refunds()
        self._totals()
        assert self.world.read(lambda tx: notices.count(tx, NoticeState.RECEIVED)) == 0, "every webhook was taken up"

    def _payment(self, topup: Topup, payment: Payment) -> None:
        """One payment that the provider has."""
        said = (topup, payment)
        assert topup.ref == payment.ref, said
        odd = payment.state == "paid" and (payment.settled, payment.currency) != (payment.amount, "EUR")
        contradicts = payment.won + payment.lost > payment.disputed or payment.settled < payment.ours + payment.fee
        if odd or contradicts:
            self.apart.add(topup.id)
            assert topup.review in MISMATCHES, said  # the gravest of what was ever seen
        if odd:
            assert topup.status is Status.NEEDS_REVIEW, said
            assert not topup.booked.credited, said
        elif not contradicts:
            self._agrees(topup, payment)
        if topup.review is not None:
            self.flagged[topup.review] += 1

    def _agrees(self, topup: Topup, payment: Payment) -> None:
        totals, booked, said = topup.totals, topup.booked, (topup, payment)
        assert topup.submission is Submission.KNOWN, said
        assert booked.credited is (payment.state == "paid"), said
        seen = (totals.settled_minor, totals.refunded_minor, totals.disputed_minor, totals.won_minor, totals.lost_minor)
        assert seen == (payment.settled, payment.refunded, payment.disputed, payment.won, payment.lost), said
        assert (booked.refunded_minor, booked.disputed_minor) == (payment.refunded, payment.disputed), said
        assert booked.reversed_minor == payment.refunded + payment.disputed - payment.won, said
        assert booked.fee_minor == payment.fee, said
        if payment.state in {"declined", "cancelled"}:
            assert topup.status is Status.FAILED, said
        assert topup.review in {None, Review.AMOUNT_MISMATCH, Review.CURRENCY_MISMATCH}, said

    def _nothing(self, topup: Topup) -> None:
        """One purchase of which the provider has nothing."""
        assert not topup.booked.credited, topup
        if topup.submission is Submission.UNKNOWN:  # it cannot be asked by our key, and its window is over
            assert (topup.instance, topup.review) == (BLIND, Review.UNKNOWN_FOR_LONG), topup
            self.flagged[f"{topup.review}, and nobody can tell"] += 1
        else:
            assert topup.submission is Submission.NOT_EXECUTED, topup

    def _payout(self, payout: Payout, transfer: Transfer | None) -> None:
        said = (payout, transfer)
        if transfer is None:
            assert payout.state in NOTHING_THERE, said
            return
        assert payout.state in ENDS[transfer.state], said
        assert (payout.ref, payout.review) == (transfer.ref, None), said

    def _refunds(self) -> None:
        """Refunds of ours ended as the provider carried them out."""
        for refund in self.refunds:
            there = refund.id in self.acquirer.refunds
            said = (refund, there, self.topups[refund.topup_id])
            if refund.topup_id in self.apart:
                continue
            if there:
                assert refund.state is RefundState.SUCCEEDED, said
            elif refund.sent:
                assert refund.needs_review, said
                self.flagged[f"refund {refund.state}, and nobody can tell"] += 1
            else:
                assert refund.state in {RefundState.FAILED, RefundState.DENIED}, said

    def _totals(self) -> None:
        """All in all: our cash at the provider by the books, and by the provider."""
        for instance in (BY_KEY, BLIND):
            sound = [each for key, each in self.acquirer.payments.items() if key not in self.apart]
            theirs = sum(each.ours for each in sound if each.instance == instance)
            ours = sum(_ours(self.topups[key]) for key in self.apart if self.topups[key].instance == instance)
            assert self._cash(instance) == theirs + ours
        paid = sum(each.amount for each in self.acquirer.transfers.values() if each.state == "paid")
        assert self._cash(PAYOUTS) == -paid

    def _cash(self, instance: str) -> int:
        units = -self.world.balance(f"cash:psp:{instance}:EUR")
        assert units % money.BOOK_UNITS_PER_MINOR == 0
        return units // money.BOOK_UNITS_PER_MINOR

    def _each(self, table: sa.Table, get: object) -> Iterator[object]:
        rows = self.world.read(lambda tx: [row[0] for row in tx.all(_IDS[table])])
        for start in range(0, len(rows), PAGE):
            part = rows[start : start + PAGE]
            yield from self.world.read(lambda tx, part=part: [get(tx, each) for each in part])  # type: ignore[operator,misc]


def _ours(topup: Topup) -> int:
    """What the books took in of a top-up that a person has to look at."""
    settled = topup.terms.price_minor if topup.booked.credited else 0
    return settled - topup.booked.reversed_minor - topup.booked.fee_minor
