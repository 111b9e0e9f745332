"""pain.002: what became of a file, and of each payment in it.

The order of truth: what an item says, else what its group says, else what the message says. That a file was refused
as a duplicate says nothing of the money: the bank has had it before, and may have paid it then. So it is `Unknown`,
and never `Rejected`; so is a whole file that was refused without a code, for that may be why. And where payments are
named, nothing is said of the others: a report of one refusal that calls its group refused, too, must not give back what
is on its way.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.sdk import ItemOutcome, Paid, Pending, Rejected, Unknown
from shoutgraph_sepa import documents, identifiers
from shoutgraph_sepa.documents import Element
from shoutgraph_sepa.telling import NO_REASON, News, reasons_in

POLL_AFTER: Final = timedelta(hours=6)
"""How long until the bank's next files may be there. Nobody is asked."""

DUPLICATE: Final = "duplicate"

WHY_UNSAID: Final = "refused_without_code"

UNSAID: Final = frozenset({NO_REASON, "MS03"})
"""Reasons that say none."""

DUPLICATES: Final = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL"})
SETTLED: Final = frozenset({"ACCC", "ACSC"})
REFUSED: Final = frozenset({"CANC", "RJCT"})
ON_ITS_WAY: Final = frozenset({"ACCP", "ACFC", "ACSP", "ACTC", "ACWC", "ACWP", "BLCK", "PATC", "PDNG", "RCVD"})
"""Source: ISO 20022 external code set, payment transaction status."""

_REASONS: Final = "StsRsnInf"
_CODE: Final = re.compile("[A-Z]{4}|[A-Z]{2}[0-9]{2}")
"""A code of ISO's; what else a bank writes is its own."""


def news_of(body: Element, at: datetime) -> Iterator[News]:
    """What a status report says."""
    head = body.first("OrgnlGrpInfAndSts") or Element("", {})
    batch = identifiers.from_bank(head.word("OrgnlMsgId"))
    groups = tuple(body.all("OrgnlPmtInfAndSts"))
    items = [(item, group) for group in groups for item in group.all("TxInfAndSts")]
    for item, group in items:
        reference = item.word("OrgnlEndToEndId") or ""
        ours = identifiers.from_bank(reference)
        outcome = None if ours is None else _outcome(reference, at, item, group, head)
        if ours is not None and outcome is not None:
            yield News(ours, batch or ours, outcome, at, reference)
    if batch is not None and not items:
        # Our files have one group. What is said of one of several is not said of all that we sent.
        outcome = _outcome(None, at, *(groups if len(groups) == 1 else ()), head)
        if outcome is not None:
            yield News(batch, batch, outcome, at)


def _outcome(reference: str | None, at: datetime, *places: Element) -> ItemOutcome | None:
    """The outcome that the first place with a status gives; the reason is the first that is given at or above it."""
    said = [(word, place) for place in places if (word := _status(place))]
    if not said:
        return None
    status, item = said[0][0], places[0]
    if status in REFUSED:
        reasons = [code for place in places for code in reasons_in(place, _REASONS)]
        if DUPLICATES.intersection(reasons):
            return Unknown(DUPLICATE, reference)
        if reference is None and not any(_CODE.fullmatch(each) and each not in UNSAID for each in reasons):
            return Unknown(WHY_UNSAID)
        return Rejected(reference, reasons[0] if reasons else status)
    if status in SETTLED and reference is not None:
        amount = documents.money(item.first("OrgnlTxRef/Amt/InstdAmt"))
        # Without its amount nothing is proven; the entry in the account will say it.
        return Pending(reference, POLL_AFTER) if amount is None else Paid(reference, amount, at)
    return Pending(reference, POLL_AFTER) if status in ON_ITS_WAY | SETTLED else None


def _status(place: Element) -> str | None:
    return place.word("TxSts", "PmtInfSts", "GrpSts")
