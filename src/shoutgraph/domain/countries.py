"""Countries and languages by their codes: ISO 3166-1 alpha-2 and BCP 47."""

import re
from typing import Final

UNKNOWN: Final = "ZZ"
"""Stands for a country that nobody told us, and for every country without a price list of its own."""

LANGUAGE_CHARS_MAX: Final = 12

_ASSIGNED: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW "
    "BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI "
    "FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN "
    "IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME "
    "MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF "
    "PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV "
    "SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE "
    "YT ZA ZM ZW"
)

CODES: Final = frozenset(_ASSIGNED.split())
"""Source: ISO 3166-1, officially assigned codes."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", re.ASCII)


def is_country(code: str) -> bool:
    """Whether this is an ISO 3166-1 alpha-2 code in capitals."""
    return code in CODES


def is_language(tag: str) -> bool:
    """Whether this is a BCP 47 tag of a language, with a script and a region where they matter: de, pt-BR, zh-Hant."""
    return len(tag) <= LANGUAGE_CHARS_MAX and _LANGUAGE.fullmatch(tag) is not None
