"""Names as SEPA can carry them: the basic Latin letters, digits, a few signs.

Banks have to take only these. Letters beyond them are written as the country of the account writes them without
accents: *Müller* with a German account is *Mueller*, *Mäkinen* with a Finnish one is *Makinen*. So the payee's name
still agrees with the account when the bank compares them.
Source: EPC217-08; Regulation (EU) 2024/886 on the verification of the payee.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from shoutgraph_sepa import vendors

_GERMAN: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
_NORDIC: Final = {"ø": "oe", "å": "aa", "æ": "ae", "Ø": "Oe", "Å": "Aa", "Æ": "Ae"}
_BY_COUNTRY: Final[Mapping[str, Mapping[str, str]]] = {
    **dict.fromkeys(("AT", "CH", "DE", "LI"), _GERMAN),
    **dict.fromkeys(("DK", "NO"), _NORDIC),
}
_STRANGE: Final = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")


def latin(text: str, country: str, chars_max: int) -> str:
    """The text in SEPA's letters, at most so long; empty where nothing of it can be written.

    Args:
        country: that of the account, ISO 3166: it decides how accents are left out.
    """
    composed = unicodedata.normalize("NFC", text)
    spelled = "".join(_BY_COUNTRY.get(country, {}).get(each, each) for each in composed).replace("&", "+")
    plain = _STRANGE.sub(" ", vendors.plain(spelled))
    # A field may neither begin nor end with a slash, nor have two of them.
    return " ".join(re.sub("/{2,}", "/", plain).split())[:chars_max].strip(" /")
