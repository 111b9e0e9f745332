"""What the pretended bank writes: status reports, notifications, statements and returns."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from shoutgraph.sdk import Money, minor_digits

STATUS: Final = "pain.002.001.10"
NOTIFICATION: Final = "camt.054.001.08"
STATEMENT: Final = "camt.053.001.08"
RETURN: Final = "pacs.004.001.09"
BANK: Final = "MOCKNL2A"

TRANSFER: Final = ("PMNT", "ICDT", "ESCT")
RETURNED: Final = ("PMNT", "ICDT", "RRTN")
RECEIVED: Final = ("PMNT", "RCDT", "ESCT")
COLLECTED: Final = ("PMNT", "RDDT", "ESDD")

Tree: TypeAlias = "tuple[str, str | Money | Sequence[Tree]]"
"""An element: its name, and its text, an amount, or what is in it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the bank says of one payment of a file; `reason` where it says no."""

    reference: str
    amount: Money
    status: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """One entry of the account. `reason` is that of a return."""

    reference: str
    message_id: str | None
    amount: Money
    credit: bool
    kind: tuple[str, str, str] = TRANSFER
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What every paper begins with."""

    number: str
    at: datetime
    iban: str

    @property
    def head(self) -> list[Tree]:
        """Its id and its time."""
        return [("MsgId", self.number), ("CreDtTm", self.at.strftime("%Y-%m-%dT%H:%M:%S"))]


def status(sheet: Sheet, message_id: str, verdicts: Sequence[Verdict], group: str = "", why: str = "") -> bytes:
    """A pain.002; `group` is what is said of the whole file, and `why`, where anything is said of it."""
    head: list[Tree] = [("OrgnlMsgId", message_id), ("OrgnlMsgNmId", "pain.001.001.09")]
    if group:
        head.append(("GrpSts", group))
    if why:
        head.append(_reason("StsRsnInf", why))
    items: list[Tree] = [("TxInfAndSts", _item(each)) for each in verdicts]
    report: list[Tree] = [("GrpHdr", sheet.head), ("OrgnlGrpInfAndSts", head)]
    if items:
        report.append(("OrgnlPmtInfAndSts", [("OrgnlPmtInfId", message_id), *items]))
    return _written(STATUS, ("CstmrPmtStsRpt", report))


def notification(sheet: Sheet, bookings: Sequence[Booking]) -> bytes:
    """A camt.054."""
    account: list[Tree] = [("Id", sheet.number), ("CreDtTm", sheet.head[1][1]), ("Acct", _account(sheet.iban))]
    entries: list[Tree] = [("Ntry", _entry(sheet, each)) for each in bookings]
    return _written(NOTIFICATION, ("BkToCstmrDbtCdtNtfctn", [("GrpHdr", sheet.head), ("Ntfctn", [*account, *entries])]))


def returned(sheet: Sheet, message_id: str, booking: Booking) -> bytes:
    """A pacs.004."""
    day = sheet.at.date().isoformat()
    part: list[Tree] = [
        ("RtrId", f"R-{sheet.number}"),
        ("OrgnlEndToEndId", booking.reference),
        ("OrgnlIntrBkSttlmAmt", booking.amount),
        ("RtrdIntrBkSttlmAmt", booking.amount),
        ("IntrBkSttlmDt", day),
        _reason("RtrRsnInf", booking.reason or "MS03"),
    ]
    origin: list[Tree] = [("OrgnlMsgId", message_id), ("OrgnlMsgNmId", "pain.001.001.09")]
    head: list[Tree] = [*sheet.head, ("NbOfTxs", "1"), ("SttlmInf", [("SttlmMtd", "INDA")])]
    return _written(RETURN, ("PmtRtr", [("GrpHdr", head), ("OrgnlGrpInf", origin), ("TxInf", part)]))


def _item(verdict: Verdict) -> list[Tree]:
    item: list[Tree] = [("OrgnlEndToEndId", verdict.reference), ("TxSts", verdict.status)]
    if verdict.reason:
        item.append(_reason("StsRsnInf", verdict.reason))
    return [*item, ("OrgnlTxRef", [("Amt", [("InstdAmt", verdict.amount)])])]


def _entry(sheet: Sheet, booking: Booking) -> list[Tree]:
    side: Tree = ("CdtDbtInd", "CRDT" if booking.credit else "DBIT")
    domain, family, sub = booking.kind
    refs: list[Tree] = [("MsgId", booking.message_id)] if booking.message_id else []
    part: list[Tree] = [("Refs", [*refs, ("EndToEndId", booking.reference)]), ("Amt", booking.amount), side]
    if booking.reason:
        part.append(("RtrInf", [("Rsn", [("Cd", booking.reason)])]))
    day: list[Tree] = [("Dt", sheet.at.date().isoformat())]
    code: list[Tree] = [("Cd", domain), ("Fmly", [("Cd", family), ("SubFmlyCd", sub)])]
    return [
        ("Amt", booking.amount),
        side,
        ("Sts", [("Cd", "BOOK")]),
        ("BookgDt", day),
        ("ValDt", day),
        ("BkTxCd", [("Domn", code)]),
        ("NtryDtls", [("TxDtls", part)]),
    ]


def _account(iban: str) -> list[Tree]:
    return [("Id", [("IBAN", iban)])]


def _reason(name: str, code: str) -> Tree:
    return (name, [("Rsn", [("Cd", code)])])


def _written(message: str, tree: Tree) -> bytes:
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{message}"
    root = ET.Element("Document", {"xmlns": namespace})
    _add(root, tree)
    written: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def _add(parent: "ET.Element[str]", tree: Tree) -> None:
    name, inner = tree
    element = ET.SubElement(parent, name)
    if isinstance(inner, str):
        element.text = inner
    elif isinstance(inner, Money):
        digits = minor_digits(inner.currency)
        whole, rest = divmod(inner.minor, 10**digits)
        element.set("Ccy", inner.currency)
        element.text = f"{whole}.{rest:0{digits}}" if digits else str(whole)
    else:
        for each in inner:
            _add(element, each)
