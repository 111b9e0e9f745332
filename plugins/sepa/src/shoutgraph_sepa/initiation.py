"""Payment files: pain.001.001.09, the same bytes for the same batch.

sepaxml builds them and brings the schema. It makes a random message id, a random payment id and the time of day: all
three are replaced by the batch's own, and the file is then held to the schema, whatever it was before.
"""

import threading
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from shoutgraph_sepa import characters, vendors
from shoutgraph_sepa.config import SepaConfig
from shoutgraph_sepa.recipients import CURRENCY, NAME_CHARS_MAX, Recipient

NAMESPACE: Final = f"urn:iso:std:iso:20022:tech:xsd:{vendors.SCHEMA}"
HEAD: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
DESCRIPTOR_CHARS_MAX: Final = 140

_ROOM: Final = f"{{{NAMESPACE}}}"
_TURN: Final = threading.Lock()
"""sepaxml changes names of namespaces that all of the process shares: one file at a time."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment of a file. `reference` is what the bank repeats whenever it speaks of it.

    Units: `amount_minor` cents.
    """

    reference: str
    recipient: Recipient
    amount_minor: int
    descriptor: str


@dataclass(frozen=True, slots=True)
class Order:
    """What a file is made of: nothing else decides its bytes."""

    message_id: str
    made_at: datetime
    transfers: Sequence[Transfer]


class InvalidFileError(Exception):
    """The file is not what the schema wants."""


def made(config: SepaConfig, order: Order) -> bytes:
    """The file.

    Raises:
        InvalidFileError: it cannot be written as the schema wants it.
    """
    root = _read(_built(config, order))
    _set(root, "GrpHdr/MsgId", order.message_id)
    _set(root, "GrpHdr/CreDtTm", order.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _set(root, "PmtInf/PmtInfId", order.message_id)
    _set(root, "PmtInf/BtchBookg", "false")  # an entry for each payment, or the bank's news name none of them
    if config.bic is None:
        _name_no_bank(root)
    _check_sums(root, order)
    body: bytes = HEAD + ET.tostring(root, encoding="UTF-8", xml_declaration=False)
    check(body)
    return body


def check(body: bytes) -> None:
    """Holds a file to the schema.

    Raises:
        InvalidFileError: it is not what the schema wants.
    """
    fault = vendors.fault_of(body)
    if fault is not None:
        raise InvalidFileError(fault)


def _built(config: SepaConfig, order: Order) -> bytes:
    own = config.iban[:2]
    head: dict[str, object] = {
        "name": characters.latin(config.name, own, NAME_CHARS_MAX),
        "IBAN": config.iban,
        "currency": CURRENCY,
        "batch": True,
    }
    if config.bic is not None:
        head["BIC"] = config.bic
    day = (order.made_at.astimezone(UTC) + timedelta(days=config.lead_days)).date()
    payments = [_payment(each, own) | {"execution_date": day} for each in order.transfers]
    with _TURN:
        return vendors.payment_file(head, payments)


def _read(built: bytes) -> "ET.Element[str]":
    """The file's tree with plain names: how those of namespaces are written depends on what others did before."""
    root = ET.fromstring(built)  # noqa: S314 -- it was written a moment before
    for each in root.iter():
        each.tag = each.tag.removeprefix(_ROOM)
    root.set("xmlns", NAMESPACE)
    return root


def _payment(transfer: Transfer, own: str) -> dict[str, object]:
    to = transfer.recipient
    payment: dict[str, object] = {
        "name": to.latin_name,
        "IBAN": to.iban,
        "amount": transfer.amount_minor,
        "description": characters.latin(transfer.descriptor, own, DESCRIPTOR_CHARS_MAX) or transfer.reference,
        "endtoend_id": transfer.reference,
    }
    return payment | ({"BIC": to.bic} if to.bic else {})


def _name_no_bank(root: "ET.Element[str]") -> None:
    """The bank finds itself by the IBAN; an agent who is left empty would not do."""
    agent = ET.SubElement(_one(root, "PmtInf/DbtrAgt/FinInstnId"), "Othr")
    ET.SubElement(agent, "Id").text = "NOTPROVIDED"


def _check_sums(root: "ET.Element[str]", order: Order) -> None:
    cents = sum(each.amount_minor for each in order.transfers)
    wanted = {"NbOfTxs": str(len(order.transfers)), "CtrlSum": f"{cents // 100}.{cents % 100:02}"}
    for name, text in wanted.items():
        for level in ("GrpHdr", "PmtInf"):
            found = _one(root, f"{level}/{name}").text
            if found != text:
                raise InvalidFileError(f"{level} says {name} {found}, and it is {text}")


def _set(root: "ET.Element[str]", path: str, text: str) -> None:
    _one(root, path).text = text


def _one(root: "ET.Element[str]", path: str) -> "ET.Element[str]":
    found = root.findall(f"CstmrCdtTrfInitn/{path}")
    if len(found) != 1:
        raise InvalidFileError(f"the file has {len(found)} of {path}, not one")
    return found[0]
