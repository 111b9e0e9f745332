"""Texts as they are compared: what Unicode says is the same, and what only looks the same.

Source: Unicode Standard Annex 15 (normalisation), Technical Standard 39 (confusables; the part that matters for words
of European languages).
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_CYRILLIC: Final = ("авекмнорстухісјѕԁԛԝһӏ", "abekmhopctyxicjsdqwhl")
_GREEK: Final = ("αβεικνορτυχγωηϲ", "abeikvoptuxywnc")
_DIGITS: Final = ("0134578@$!|€£", "oieastbasllel")
_ALIKE: Final = {
    ord(seen): meant
    for seens, meants in (_CYRILLIC, _GREEK, _DIGITS)
    for seen, meant in zip(seens, meants, strict=True)
}
# Letters that stand for each other on a page: they are folded into one.
_ONE: Final = str.maketrans({"i": "l", "j": "l", "v": "u"})

_ENDS: Final = "!?.,;:|"
_WORD: Final = re.compile(r"[^\W_]+")
_MARKED: Final = re.compile(r"[^\s]+")
_REPEATED: Final = re.compile(r"(.)\1{2,}")
_SPELLED: Final = re.compile(r"(?<!\w)\w(?:[\W_]{1,3}\w(?!\w)){2,}")


def plain(text: str) -> str:
    """The text in one form: compatible characters, small, without accents and without what is invisible."""
    shown = "".join(each for each in text if unicodedata.category(each) != "Cf")
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", shown).casefold())
    return "".join(each for each in apart if unicodedata.category(each) not in {"Mn", "Me"}).casefold()


def words(text: str) -> list[str]:
    """The words of a plain text, in their order."""
    return _WORD.findall(text)


def skeletons(text: str) -> Iterator[list[str]]:
    """What the text could be meant to look like: with letters for what looks like them, and spelled words joined."""
    joined = _SPELLED.sub(lambda found: "".join(words(found[0])), text)
    for each in (text, joined):
        yield [skeleton(word) for word in _MARKED.findall(each)]


def skeleton(word: str) -> str:
    """A word as it looks, without what stands between its letters."""
    alike = word.rstrip(_ENDS).translate(_ALIKE).translate(_ONE)
    return _REPEATED.sub(r"\1", "".join(_WORD.findall(alike)))


def alphabets(word: str) -> set[str]:
    """The alphabets that a word's letters are of."""
    names = (unicodedata.name(each, "") for each in word if each.isalpha())
    return {name.partition(" ")[0] for name in names} & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}
