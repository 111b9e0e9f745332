"""The languages of Mollie's page."""

from typing import Final

LOCALES: Final = frozenset(
    {"en_US", "en_GB", "nl_NL", "nl_BE", "de_DE", "de_AT", "de_CH", "fr_FR", "fr_BE", "es_ES", "ca_ES", "pt_PT"}
    | {"it_IT", "nb_NO", "sv_SE", "fi_FI", "da_DK", "is_IS", "hu_HU", "pl_PL", "lv_LV", "lt_LT"}
)
_BY_LANGUAGE: Final = {"no": "nb_NO", **{each[:2]: each for each in sorted(LOCALES)}}
_USUAL: Final = {"en": "en_US", "nl": "nl_NL", "de": "de_DE", "fr": "fr_FR"}


def locale_of(tag: str) -> str | None:
    """Mollie's name of a BCP 47 tag; None where its page has no such language, so that it chooses by itself."""
    words = tag.replace("_", "-").split("-")
    language, region = words[0].lower(), words[-1].upper()
    exact = f"{language}_{region}"
    return exact if exact in LOCALES else _USUAL.get(language) or _BY_LANGUAGE.get(language)
