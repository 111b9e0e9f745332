"""Our ids on the bank's paper: at most 35 characters of a small alphabet, and read back without a database.

An id of 40 hexadecimal digits becomes `SH` and 32 letters of base 32, of which no bank can spoil the case. A short id
of letters, digits, `_`, `-` and `.` becomes `S:` and itself, with `:` in place of `_`. Whatever else stands in a
bank's file is not ours.
Source: EPC230-15, the character set of references; ISO 20022 Max35Text.
"""

import base64
import binascii
import re
from typing import Final

CHARS_MAX: Final = 35
"""The longest reference. Units: characters."""

_HEX: Final = re.compile("[0-9a-f]{40}")
_TEXT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,31}[A-Za-z0-9])?")
_OF_HEX: Final = re.compile("SH([A-Z2-7]{32})")
_OF_TEXT: Final = re.compile("S:([A-Za-z0-9:.-]{1,33})")


def to_bank(ours: str) -> str | None:
    """An id of ours as the bank gets it, or None where it does not fit."""
    if _HEX.fullmatch(ours):
        return "SH" + base64.b32encode(bytes.fromhex(ours)).decode()
    return "S:" + ours.replace("_", ":") if _TEXT.fullmatch(ours) else None


def from_bank(theirs: str | None) -> str | None:
    """The id of ours that a reference stands for, or None where it is somebody else's."""
    reference = (theirs or "").strip()
    if found := _OF_HEX.fullmatch(reference.upper()):
        try:
            return base64.b32decode(found[1]).hex()
        except binascii.Error:
            return None
    found = _OF_TEXT.fullmatch(reference)
    ours = found[1].replace(":", "_") if found else ""
    return ours if to_bank(ours) == reference else None
