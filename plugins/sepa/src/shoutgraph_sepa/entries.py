"""camt.054 and camt.053: what was booked on the account that pays.

Two things look like ours and are not: somebody who was ever paid can send a transfer, or take a direct debit, that
repeats our reference. So the kind of an entry counts, too: a payment is a transfer that was issued, and a return is
one that says what it returns.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from shoutgraph.sdk import ItemOutcome, Money, Paid, Returned, Unknown
from shoutgraph_sepa import documents, identifiers
from shoutgraph_sepa.documents import Element
from shoutgraph_sepa.telling import News, reason_in

NO_AMOUNT: Final = "no_amount"
BOOKED: Final = "BOOK"
REVERSED: Final = "reversed"

ISSUED: Final = frozenset({"ICDT", "IRCT", "NTAV"})
"""Families of issued credit transfers, at once or not; and *not available*, which some banks give to everything.

Source: ISO 20022 external code set, bank transaction codes.
"""

RETURN: Final = "RRTN"
_REASONS: Final = "RtrInf"


def news_of(body: Element, at: datetime) -> Iterator[News]:
    """What a notification or a statement says."""
    for path in ("Ntfctn/Ntry", "Stmt/Ntry"):
        for entry in body.all(path):
            if entry.word("Sts/Cd", "Sts") == BOOKED:
                yield from _of_entry(entry, documents.moment(entry.word("BookgDt/Dt", "BookgDt/DtTm")) or at)


def _of_entry(entry: Element, at: datetime) -> Iterator[News]:
    parts = tuple(entry.all("NtryDtls/TxDtls"))
    for part in parts:
        reference = part.word("Refs/EndToEndId") or ""
        ours = identifiers.from_bank(reference)
        if ours is None:
            continue
        outcome = _outcome(reference, entry, part, _amount(entry, part, alone=len(parts) == 1), at)
        if outcome is not None:
            batch = identifiers.from_bank(part.word("Refs/MsgId") or entry.word("NtryDtls/Btch/MsgId"))
            yield News(ours, batch or ours, outcome, at, reference)


def _outcome(reference: str, entry: Element, part: Element, amount: Money | None, at: datetime) -> ItemOutcome | None:
    side = part.word("CdtDbtInd") or entry.word("CdtDbtInd")
    reversal = entry.word("RvslInd") in {"true", "1"}
    if side == "DBIT":
        collected = part.first("Refs/MndtId")  # a direct debit, whatever its kind says
        if reversal or collected or part.first(_REASONS) or _codes(entry, part, "Fmly/Cd") - ISSUED:
            return None
        return Unknown(NO_AMOUNT, reference) if amount is None else Paid(reference, amount, at)
    came_back = part.first(_REASONS) or RETURN in _codes(entry, part, "Fmly/SubFmlyCd")
    if side != "CRDT" or not (came_back or reversal):
        return None
    code = REVERSED if reversal and not came_back else reason_in(part, _REASONS)
    return Unknown(NO_AMOUNT, reference) if amount is None else Returned(reference, amount, code, at)


def _codes(entry: Element, part: Element, path: str) -> frozenset[str]:
    """The code of the kind, of the part where it has one, else of its entry."""
    code = part.word(f"BkTxCd/Domn/{path}") or entry.word(f"BkTxCd/Domn/{path}")
    return frozenset({code} if code else ())


def _amount(entry: Element, part: Element, *, alone: bool) -> Money | None:
    found = part.first("Amt") or part.first("AmtDtls/TxAmt/Amt") or (entry.first("Amt") if alone else None)
    return documents.money(found)
