"""Checks of what people type: every bad field of a form is refused at once, each with its path.

A field is named as the API names it; its path is `input.<name>`, or deeper where `Checks` is told within what.
"""

import unicodedata
from collections.abc import Collection
from typing import Final

from shoutgraph.domain import countries, errors

_HIDDEN: Final = frozenset({"Cc", "Cs"})
"""Unicode categories that no text of a person needs: control characters and halves of surrogate pairs."""

_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows, by which a text can look like another one."""

LINE_BREAKS: Final = "\r\n"


class Checks:
    """Collects what is wrong with an input; `settle` refuses all of it together."""

    __slots__ = ("_found", "_within")

    def __init__(self, *within: str) -> None:
        self._found: list[errors.ShoutgraphError] = []
        self._within = within

    def add(self, name: str, message: str, code: str) -> None:
        """Notes one thing that is wrong with a field."""
        self._found.append(errors.ValidationError(message, code=code, path=("input", *self._within, name)))

    def text(self, name: str, value: str, *, chars_max: int, lines: bool = False, empty: bool = False) -> None:
        """A text is not blank (unless `empty`), not overlong, and has no hidden characters."""
        if not value.strip() and not empty:
            self.add(name, f"{name} is empty.", "EMPTY")
        elif len(value) > chars_max:
            self.add(name, f"{name} has {len(value)} characters; the limit is {chars_max}.", "TOO_LONG")
        elif any(_is_hidden(c) and not (lines and c in LINE_BREAKS) for c in value):
            self.add(name, f"{name} has a control character.", "INVALID_TEXT")

    def between(self, name: str, value: int, low: int, high: int) -> None:
        """A number is within its range, ends included."""
        if not low <= value <= high:
            self.add(name, f"{name} is between {low} and {high}.", "OUT_OF_RANGE")

    def country(self, name: str, value: str) -> None:
        """A country is an ISO 3166-1 code."""
        if not countries.is_country(value):
            self.add(name, f"{name} is an ISO 3166-1 country code in capitals, such as DE.", "INVALID_COUNTRY")

    def languages(self, name: str, values: Collection[str]) -> None:
        """Languages are BCP 47 tags."""
        if not all(map(countries.is_language, values)):
            self.add(name, f"{name} holds BCP 47 tags, such as en or pt-BR.", "INVALID_LANGUAGE")

    def count(self, name: str, values: Collection[object], low: int, high: int) -> None:
        """A list has an allowed number of items, each of them once."""
        if not low <= len(values) <= high:
            self.add(name, f"{name} has {low} to {high} items.", "TOO_MANY" if len(values) > high else "TOO_FEW")
        elif len(set(values)) != len(values):
            self.add(name, f"{name} names something twice.", "REPEATED")

    def settle(self) -> None:
        """Refuses the input if anything is wrong with it.

        Raises:
            ValidationError: one field is wrong.
            ExceptionGroup: several fields are wrong; it holds a `ValidationError` for each.
        """
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise ExceptionGroup("several fields of the input are wrong", self._found)


def tidy(text: str) -> str:
    """The text as it is kept: composed characters, no blanks around it."""
    return unicodedata.normalize("NFC", text).strip()


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN or character in _OVERRIDES
