"""The pretended bank: it reads payment files as strictly as a real one, and does what its controls say."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from schwifty import IBAN

from shoutgraph.sdk import Artifact, MalformedNotice, Money
from shoutgraph_sepa import documents, vendors
from shoutgraph_sepa.documents import Element
from shoutgraph_sepa.simulator import papers
from shoutgraph_sepa.simulator.papers import Booking, Sheet, Verdict

OWN_IBAN: Final = "NL41MOCK0000000001"
CLOSED_IBAN: Final = "NL84MOCK0000000003"
"""An account that is closed: what is sent there is refused with AC04."""

MEDIA_TYPE: Final = "application/xml"
CLOSED: Final = "AC04"
DUPLICATE: Final = "DUPL"
REFUSED: Final = "RJCT"
BROKEN: Final = "FF01"
FILES_MAX: Final = 10_000


class RefusedFileError(ValueError):
    """The bank does not take a file; a status report says so, too."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as the bank has it."""

    reference: str
    message_id: str
    iban: str
    name: str
    amount: Money
    state: str = "accepted"


class Bank:
    """Accounts, payments, and the papers that were not fetched yet."""

    def __init__(self, clock: Callable[[], datetime], iban: str = OWN_IBAN) -> None:
        self._clock = clock
        self._iban = iban
        self._messages: set[str] = set()
        self._papers: list[Artifact] = []
        self._written = 0
        self._strangers = False
        self.payments: dict[str, Payment] = {}

    def take(self, body: bytes) -> None:
        """Reads a payment file, and reports on it.

        Raises:
            RefusedFileError: nothing of it is carried out.
        """
        fault = vendors.fault_of(body)
        if fault is not None:
            raise RefusedFileError(f"{BROKEN}: {fault}")
        try:
            message = documents.read(body).body
            message_id, found = self._read(message)
        except MalformedNotice as error:
            raise RefusedFileError(f"{BROKEN}: {error}") from None
        if message_id in self._messages:
            self._put("pain.002", papers.status(self._sheet(), message_id, [], REFUSED, DUPLICATE))
            raise RefusedFileError(f"{DUPLICATE}: {message_id} was there before")
        self._messages.add(message_id)
        self.payments |= {each.reference: each for each in found}
        verdicts = [_verdict(each) for each in found]
        refused_count = sum(each.reason is not None for each in verdicts)
        group = REFUSED if refused_count == len(verdicts) else "PART" if refused_count else "ACCP"
        self._put("pain.002", papers.status(self._sheet(), message_id, verdicts, group))

    def refuse(self, message_id: str, reason: str = "FF01") -> None:
        """Refuses all of a file after it was taken, and names no payment."""
        self._put("pain.002", papers.status(self._sheet(), message_id, [], REFUSED, reason))

    def pay(self, reference: str, amount: Money | None = None) -> None:
        """Books a payment, or another amount in its place."""
        payment = self._moved(reference, "paid")
        if amount is None:
            verdict = Verdict(reference, payment.amount, "ACSC")
            self._put("pain.002", papers.status(self._sheet(), payment.message_id, [verdict]))
        booking = Booking(reference, payment.message_id, amount or payment.amount, credit=False)
        strangers = self._foreign(payment) if self._strangers else []
        self._strangers = False
        self._put("camt.054", papers.notification(self._sheet(), [*strangers, booking]))

    def reject(self, reference: str, reason: str = "AC01") -> None:
        """Refuses a payment that was accepted before."""
        payment = self._moved(reference, "rejected")
        verdict = Verdict(reference, payment.amount, REFUSED, reason)
        self._put("pain.002", papers.status(self._sheet(), payment.message_id, [verdict]))

    def give_back(self, reference: str, reason: str = "MS03") -> None:
        """Returns a payment: a pacs.004, and the entry in the account."""
        payment = self._moved(reference, "returned")
        booking = Booking(reference, payment.message_id, payment.amount, True, papers.RETURNED, reason)  # noqa: FBT003
        self._put("pacs.004", papers.returned(self._sheet(), payment.message_id, booking))
        self._put("camt.054", papers.notification(self._sheet(), [booking]))

    def mix_strangers_in(self) -> None:
        """The next notification also has entries that are not ours, and such as pretend to be."""
        self._strangers = True

    def papers(self) -> list[Artifact]:
        """Takes what was written since it was last asked."""
        taken, self._papers = self._papers, []
        return taken

    def _read(self, message: Element) -> tuple[str, list[Payment]]:
        message_id = message.word("GrpHdr/MsgId") or ""
        found = [_payment(each, message_id) for group in message.all("PmtInf") for each in group.all("CdtTrfTxInf")]
        cents = sum(each.amount.minor for each in found)
        for place in (*message.all("GrpHdr"), *message.all("PmtInf")):
            if Decimal(place.word("CtrlSum") or 0) != Decimal(cents) / 100:
                raise RefusedFileError("AM10: the control sum is wrong")
            if place.word("NbOfTxs") != str(len(found)):
                raise RefusedFileError("AM18: the number of payments is wrong")
        known = [each.reference for each in found if each.reference in self.payments]
        if len({each.reference for each in found}) != len(found):
            raise RefusedFileError("AM05: a reference is there twice")
        if known and message_id not in self._messages:
            raise RefusedFileError(f"AM05: {known[0]} was there before, in another file")
        if message.word("PmtInf/DbtrAcct/Id/IBAN") != self._iban:
            raise RefusedFileError("AC02: it is not the account of this customer")
        return message_id, found

    def _moved(self, reference: str, state: str) -> Payment:
        payment = replace(self.payments[reference], state=state)
        self.payments[reference] = payment
        return payment

    def _foreign(self, payment: Payment) -> list[Booking]:
        other = Money(payment.amount.minor + 1, payment.amount.currency)
        return [
            Booking("SALARY-2026-11", "HR-77", other, credit=False),
            Booking("NOTPROVIDED", None, other, credit=False),
            # Whoever was paid knows the reference, and can send or collect money with it.
            Booking(payment.reference, None, other, credit=True, kind=papers.RECEIVED),
            Booking(payment.reference, None, other, credit=False, kind=papers.COLLECTED),
        ]

    def _sheet(self) -> Sheet:
        self._written += 1
        return Sheet(f"BANK-{self._written:06}", self._clock(), self._iban)

    def _put(self, kind: str, body: bytes) -> None:
        assert len(self._papers) < FILES_MAX, "somebody fetches the papers"
        self._papers.append(Artifact(f"{kind}-{self._written:06}.xml", MEDIA_TYPE, body))


def _verdict(payment: Payment) -> Verdict:
    if payment.iban == CLOSED_IBAN:
        return Verdict(payment.reference, payment.amount, REFUSED, CLOSED)
    return Verdict(payment.reference, payment.amount, "ACCP")


def _payment(part: Element, message_id: str) -> Payment:
    amount = documents.money(part.first("Amt/InstdAmt"))
    iban = part.word("CdtrAcct/Id/IBAN") or ""
    if amount is None or amount.currency != "EUR" or amount.minor <= 0:
        raise RefusedFileError("AM03: only euros are sent")
    if not IBAN(iban, allow_invalid=True).is_valid:
        raise RefusedFileError(f"AC01: the check digits of {iban} are wrong")
    return Payment(part.word("PmtId/EndToEndId") or "", message_id, iban, part.word("Cdtr/Nm") or "", amount)
