"""The catalogue: which creators a page shows and in which order.

Units: `_coins` coins, ratings hundredths of a star.
"""

import unicodedata
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Final

from shoutgraph.domain import clock, creators, errors, pages
from shoutgraph.domain.creators import Category, Creator
from shoutgraph.domain.orders.order import Occasion

TEXT_CHARS_MAX: Final = 100
WORDS_MAX: Final = 8
"""Words of a search text that are looked for; the rest is not."""


class Sort(StrEnum):
    """By what the catalogue sorts."""

    FEATURED = "FEATURED"
    PRICE = "PRICE"
    RATING = "RATING"
    NEWEST = "NEWEST"
    NAME = "NAME"


DESCENDING: Final = {Sort.FEATURED: True, Sort.PRICE: False, Sort.RATING: True, Sort.NEWEST: True, Sort.NAME: False}
"""The direction in which people expect each sort when they name none."""


@dataclass(frozen=True, slots=True)
class CreatorFilter:
    """Keeps the creators that match all that is given. Price and occasion are those of one active offer."""

    category: Category | None = None
    language: str | None = None
    country: str | None = None
    occasion: Occasion | None = None
    price_min: int | None = None
    price_max: int | None = None
    rating_min: int | None = None
    open_only: bool = False
    featured: bool | None = None
    text: str | None = None


ALL: Final = CreatorFilter()


@dataclass(frozen=True, slots=True)
class CreatorSort:
    """A sort and its direction; the id breaks ties."""

    by: Sort = Sort.FEATURED
    descending: bool = True

    @classmethod
    def of(cls, by: Sort, *, descending: bool | None = None) -> "CreatorSort":
        """This sort, in the direction that people expect where none is given."""
        return cls(by, DESCENDING[by] if descending is None else descending)


def scope(sort: CreatorSort, only: CreatorFilter) -> str:
    """Names this list for its cursors."""
    return pages.scope_of("creators", *astuple(sort), *astuple(only))


def key_of(creator: Creator, sort: Sort) -> pages.Key:
    """The place of a creator in this sort."""
    rating = creator.rating_hundredths or 0
    match sort:
        case Sort.FEATURED:
            return (int(creator.featured), rating, creator.id)
        case Sort.PRICE:
            return (creator.price_from_coins, creator.id)
        case Sort.RATING:
            return (rating, creator.rating_count, creator.id)
        case Sort.NEWEST:
            return (clock.to_micros(creator.created_at), creator.id)
        case Sort.NAME:
            return (creators.sort_name(creator.name), creator.id)


def check_filter(only: CreatorFilter) -> None:
    """Refuses a search text that no one types.

    Raises:
        ValidationError: the text is too long.
    """
    if only.text is not None and len(only.text) > TEXT_CHARS_MAX:
        msg = f"text has at most {TEXT_CHARS_MAX} characters."
        raise errors.ValidationError(msg, code="TOO_LONG", path=("filter", "text"))


def words_of(text: str) -> tuple[str, ...]:
    """The words that a search text names: runs of letters and digits, each once, in small letters.

    Whatever else a person types, quotes and operators of a search language too, only separates words.
    """
    spaced = "".join(c if _in_word(c) else " " for c in unicodedata.normalize("NFC", text).casefold())
    return tuple(dict.fromkeys(spaced.split()))[:WORDS_MAX]


def _in_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")
