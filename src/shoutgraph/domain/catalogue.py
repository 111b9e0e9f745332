"""The catalogue: which creators a page shows and in which order.

Units: `_coins` coins, ratings hundredths of a star.
"""

import unicodedata
from dataclasses import astuple, dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from shoutgraph.domain import clock, countries, creators, errors, pages
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.orders.order import Occasion
from shoutgraph.domain.reputation import Badge

TEXT_CHARS_MAX: Final = 100
WORDS_MAX: Final = 8
"""Words of a search text that are looked for; the rest is not."""
WORD_CHARS_MAX: Final = 64
"""How much of a word counts in a search."""
SCOPES_MAX: Final = 1_024
"""Different lists whose names are remembered."""


class Sort(StrEnum):
    """By what the catalogue sorts."""

    FEATURED = "FEATURED"
    PRICE = "PRICE"
    RATING = "RATING"
    NEWEST = "NEWEST"
    NAME = "NAME"
    RESPONSE_TIME = "RESPONSE_TIME"


DESCENDING: Final = {sort: sort in {Sort.FEATURED, Sort.RATING, Sort.NEWEST} for sort in Sort}
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
    response_time_max: int | None = None
    badge: Badge | None = None
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


@lru_cache(SCOPES_MAX)
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
        case Sort.RESPONSE_TIME:
            return (creator.response_sort_s, creator.id)


def check_args(args: pages.PageArgs, sort: CreatorSort) -> None:
    """Refuses a cursor that was not written by this list.

    Raises:
        ValidationError: the values inside it are not those of a place in this sort.
    """
    if args.key is None:
        return
    if not _fits(args.key, _KINDS[sort.by]):
        msg = "This cursor does not belong to this list, sort and filter."
        raise errors.ValidationError(msg, code="INVALID_CURSOR", path=("before" if args.backward else "after",))


def check_filter(only: CreatorFilter) -> None:
    """Refuses a search text that no one types, and codes that are none.

    Raises:
        ValidationError: the text is too long, or the language or the country is not one.
    """
    if only.language is not None and not countries.is_language(only.language):
        msg = "language is a BCP 47 tag, such as en or pt-BR."
        raise errors.ValidationError(msg, code="INVALID_LANGUAGE", path=("filter", "language"))
    if only.country is not None and not countries.is_country(only.country):
        msg = "country is an ISO 3166-1 country code in capitals, such as DE."
        raise errors.ValidationError(msg, code="INVALID_COUNTRY", path=("filter", "country"))
    if only.text is not None and len(only.text) > TEXT_CHARS_MAX:
        msg = f"text has at most {TEXT_CHARS_MAX} characters."
        raise errors.ValidationError(msg, code="TOO_LONG", path=("filter", "text"))


def words_of(text: str) -> tuple[str, ...]:
    """The words that a search text names: runs of letters and digits, each once, in small letters without accents.

    Whatever else a person types, quotes and operators of a search language too, only separates words.
    """
    return _words(text)[:WORDS_MAX]


_KINDS: Final[dict[Sort, tuple[type, ...]]] = {
    Sort.FEATURED: (int, int, str),
    Sort.PRICE: (int, str),
    Sort.RATING: (int, int, str),
    Sort.NEWEST: (int, str),
    Sort.NAME: (str, str),
    Sort.RESPONSE_TIME: (int, str),
}
_INT64: Final = 2**63


def _fits(key: pages.Key, kinds: tuple[type, ...]) -> bool:
    """Whether a key from a cursor, which anyone can forge, can be compared with the columns of a sort."""
    if len(key) != len(kinds) or any(type(value) is not kind for value, kind in zip(key, kinds, strict=True)):
        return False
    numbers = all(-_INT64 <= value < _INT64 for value in key if isinstance(value, int))
    return numbers and not any(
        c == "\0" or unicodedata.category(c) == "Cs" for text in key if isinstance(text, str) for c in text
    )


def indexed(creator: Creator) -> tuple[str, ...]:
    """The words under which the search index finds a creator: the facets, and every word of the profile."""
    words = _words(f"{creator.handle} {creator.name} {creator.bio}")
    return (*facets_of(creator), *(_WORD + word for word in words))


def facets_of(creator: Creator) -> tuple[str, ...]:
    """The words of the search index that say a creator's country, categories, badges and languages.

    A language is found under every beginning of its tag, so that pt finds pt-BR.
    """
    tags = [tag.lower().split("-") for tag in creator.languages]
    beginnings = {_LANGUAGE + "".join(tag[:parts]) for tag in tags for parts in range(1, len(tag) + 1)}
    categories = {_CATEGORY + category.lower() for category in creator.categories}
    badges = [_badge(badge) for badge in creator.badges]
    return (_COUNTRY + creator.country.lower(), *sorted(categories), *badges, *sorted(beginnings))


def words_wanted(only: CreatorFilter) -> tuple[str, ...]:
    """The beginnings of words that a creator needs in the search index to match the text of this filter."""
    return tuple(_WORD + word for word in words_of(only.text or ""))


def facets_wanted(only: CreatorFilter) -> tuple[str, ...]:
    """The whole words that a creator needs in the search index to match the rest of this filter."""
    wanted = []
    if only.category is not None:
        wanted.append(_CATEGORY + only.category.lower())
    if only.language is not None:
        wanted.append(_LANGUAGE + only.language.lower().replace("-", ""))
    if only.country is not None:
        wanted.append(_COUNTRY + only.country.lower())
    if only.badge is not None:
        wanted.append(_badge(only.badge))
    return tuple(wanted)


def _badge(badge: Badge) -> str:
    return _BADGE + badge.lower().replace("_", "")


_BADGE: Final = "b0"
_CATEGORY: Final = "c0"
_COUNTRY: Final = "k0"
_LANGUAGE: Final = "l0"
_WORD: Final = "w0"
"""What a word of the search index begins with, by its kind: a letter and a digit, so that it stays one word."""


def _words(text: str) -> tuple[str, ...]:
    spaced = "".join(c if c.isalnum() or unicodedata.category(c).startswith("M") else " " for c in _plain(text))
    return tuple(dict.fromkeys(word[:WORD_CHARS_MAX] for word in spaced.split()))


def _plain(text: str) -> str:
    """Without case and without the accents of alphabets; the vowel signs of other scripts stay."""
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f"))
