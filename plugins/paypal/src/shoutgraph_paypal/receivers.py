"""Whom PayPal pays: an e-mail address, or the id of an account."""

import re
from dataclasses import dataclass
from typing import Final

from shoutgraph.sdk import Requirement

NAME: Final = "paypal_account"
INVALID: Final = "invalid_account"
ADDRESS_CHARS_MAX: Final = 127

EMAIL: Final = r"[A-Za-z0-9.!#$%&'*+=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
PAYER_ID: Final = r"[2-9A-HJ-NP-Z]{13}"

REQUIREMENTS: Final = (
    Requirement(NAME, "E-mail address or account id at PayPal", pattern=f"(?:{EMAIL})|(?:{PAYER_ID})"),
)

_EMAIL: Final = re.compile(EMAIL, re.ASCII)
_PAYER_ID: Final = re.compile(PAYER_ID, re.ASCII)


@dataclass(frozen=True, slots=True)
class Receiver:
    """An account, in PayPal's words."""

    kind: str
    ref: str


def read(text: str) -> Receiver | None:
    """The account that a text names, or None."""
    if _PAYER_ID.fullmatch(text):
        return Receiver("PAYPAL_ID", text)
    if len(text) <= ADDRESS_CHARS_MAX and _EMAIL.fullmatch(text):
        local, _, domain = text.rpartition("@")
        return Receiver("EMAIL", f"{local}@{domain.lower()}")
    return None
