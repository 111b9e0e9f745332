"""The bank's files as trees of words. A file is a stranger: bounded, without a DTD, and so without entities.

Names lose the namespace of the document, so that the versions of a message read alike; an element of any other
namespace keeps its own, and nobody looks for it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final
from xml.parsers import expat

from shoutgraph.sdk import MalformedNotice, Money, minor_digits

BODY_BYTES_MAX: Final = 16 * 1_048_576
ELEMENTS_MAX: Final = 400_000
DEPTH_MAX: Final = 64
TEXT_CHARS_MAX: Final = 4_000
"""The longest text of one element that is kept. Units: characters."""

_NAMESPACE: Final = re.compile(r"urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.\d{3})\.\d{3}\.\d{2}")
_AMOUNT: Final = re.compile(r"\d{1,18}(?:\.\d{0,9})?")
_BREAK: Final = "\n"


@dataclass(slots=True)
class Element:
    """An element: its name, its attributes, its text, and what is in it."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, path: str) -> Iterator["Element"]:
        """The elements at the end of a path of names."""
        step, _, rest = path.partition("/")
        for child in self.children:
            if child.name == step:
                if rest:
                    yield from child.all(rest)
                else:
                    yield child

    def first(self, path: str) -> "Element | None":
        """The first of them, or None."""
        return next(self.all(path), None)

    def word(self, *paths: str) -> str | None:
        """The text at the end of the first of these paths that has one."""
        for path in paths:
            for found in self.all(path):
                if text := found.text.strip():
                    return text
        return None


@dataclass(frozen=True, slots=True)
class Document:
    """A message of a bank: `family` is its kind without the version, such as `pain.002`."""

    family: str
    body: Element


class _Builder:
    """Makes the tree while expat reads."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0
        self._home = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > ELEMENTS_MAX or len(self._open) >= DEPTH_MAX:
            raise MalformedNotice("the file has too many elements, or too many inside each other")
        namespace, _, local = name.rpartition(_BREAK)
        if self.root is None:
            self._home = namespace
        element = Element(local if namespace == self._home else name, attributes)
        if self.root is None:
            self.root = element
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, name: str) -> None:
        del name
        self._open.pop()

    def text(self, text: str) -> None:
        inner = self._open[-1]
        if len(inner.text) + len(text) <= TEXT_CHARS_MAX:
            inner.text += text

    @property
    def home(self) -> str:
        return self._home


def read(body: bytes) -> Document:
    """The message in a file.

    Raises:
        MalformedNotice: it is no message, too large, or has a DTD.
    """
    if len(body) > BODY_BYTES_MAX:
        raise MalformedNotice("the file is too large")
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=_BREAK)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = _refuse_dtd
    try:
        parser.Parse(body, True)  # noqa: FBT003 -- expat's word for the end
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise MalformedNotice(f"the file is no XML: {error}") from None
    known = _NAMESPACE.fullmatch(builder.home)
    root = builder.root
    if root is None or root.name != "Document" or known is None or len(root.children) != 1:
        raise MalformedNotice("the file is no message of ISO 20022")
    return Document(known[1], root.children[0])


def _refuse_dtd(*_: object) -> None:
    raise MalformedNotice("the file has a DTD")


def money(amount: Element | None) -> Money | None:
    """An amount with its currency, or None where there is none.

    Raises:
        MalformedNotice: it is no amount, or more precise than its currency.
    """
    if amount is None:
        return None
    text, currency = amount.text.strip(), amount.attributes.get("Ccy", "")
    minor = Decimal(text).scaleb(minor_digits(currency)) if _AMOUNT.fullmatch(text) else Decimal("NaN")
    if not minor.is_finite() or minor != minor.to_integral_value():
        raise MalformedNotice("an amount is none, or finer than its currency")
    try:
        return Money(int(minor), currency)
    except ValueError:
        raise MalformedNotice("an amount is too large, or of no currency") from None


def moment(text: str | None) -> datetime | None:
    """A day or a time of day, aware; None where it is neither. What has no zone is taken for UTC."""
    if text is None:
        return None
    try:
        at = datetime.combine(date.fromisoformat(text), time()) if "T" not in text else datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        return None
