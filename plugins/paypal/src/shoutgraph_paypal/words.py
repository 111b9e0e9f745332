"""What we write into PayPal's objects, and read back: which of ours they are."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

CANCELLED: Final = "cancelled"
CUSTOM_CHARS_MAX: Final = 127
LABEL_CHARS_MAX: Final = 127
SEAL_CHARS: Final = 8
CAPTURE: Final = "capture:"
"""How a ref begins that names a capture, as disputes and refunds do, and no order."""

_LOCALE: Final = re.compile(r"[a-z]{2}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?", re.ASCII)
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}", re.ASCII)
_ID: Final = re.compile(r"[A-Z0-9]{1,36}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ours:
    """Which top-up of which instance an order is for, and whether it was given up."""

    instance: str
    operation_id: str
    is_cancelled: bool = False

    @property
    def custom_id(self) -> str:
        """As PayPal keeps it, in the order, its captures and its refunds."""
        return ":".join([self.instance, self.operation_id, *([CANCELLED] if self.is_cancelled else [])])


def ours_of(custom_id: str | None) -> Ours | None:
    """What a `custom_id` says, or None where it is somebody else's."""
    parts = (custom_id or "").split(":")
    if not 2 <= len(parts) <= 3 or not all(_PLAIN.fullmatch(each) for each in parts):  # noqa: PLR2004 -- as above
        return None
    if parts[2:] not in ([], [CANCELLED]):
        return None
    return Ours(parts[0], parts[1], is_cancelled=bool(parts[2:]))


def ref_of(order_id: str, ours: Ours) -> str:
    """Our ref of an order: its id, and a check that ties it to the top-up for which PayPal named it to us.

    PayPal forgets orders that nobody approved. By the check it can be told whether an order that is not found was
    once there for this top-up, and is over, or never was.
    """
    told = hashlib.sha256(f"{ours.instance}:{ours.operation_id}:{order_id}".encode()).hexdigest()
    return f"{order_id}-{told[:SEAL_CHARS]}"


def order_id_of(ref: str, ours: Ours) -> str | None:
    """The order's id, or None where the ref is not one of this top-up's."""
    order_id = ref.partition("-")[0]
    return order_id if _ID.fullmatch(order_id) and ref == ref_of(order_id, ours) else None


def is_id(text: str) -> bool:
    """Whether this can be an id of PayPal's, and so be a part of a path."""
    return _ID.fullmatch(text) is not None


def locale(tag: str) -> str | None:
    """The language of the page, or None where PayPal had better choose by itself."""
    return tag if _LOCALE.fullmatch(tag) else None


def label(text: str) -> str | None:
    """What is paid for, as the fan sees it."""
    return text.strip()[:LABEL_CHARS_MAX] or None
