"""Recipients: an IBAN and a name, which need nobody's consent to be paid.

A recipient's ref is `IBAN|BIC|name`, with nothing between the bars where no BIC is needed. It says all that a
payment file needs, so that there is nothing to look up.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException

from shoutgraph.sdk import Declined, OnboardRequest, Ready, RecipientOutcome, Requirement
from shoutgraph_sepa import characters

CURRENCY: Final = "EUR"
NAME_CHARS_MAX: Final = 70
REF_CHARS_MAX: Final = 200

_EEA: Final = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
_OTHERS: Final = "AD AL CH GB GI MC MD ME MK RS SM VA"
_PARTS: Final = "AX BL GF GG GP IM JE MF MQ PM RE YT"

EEA: Final = frozenset(_EEA.split())
"""The European Economic Area: an IBAN is enough there."""

SEPA: Final = EEA | frozenset(_OTHERS.split())
"""Where SEPA credit transfers reach, as the first two letters of an IBAN. Source: EPC409-09."""

COUNTRIES: Final = SEPA | frozenset(_PARTS.split())
"""The same as ISO 3166 counts countries: some have the IBANs of another one."""

IBAN_INVALID: Final = "iban_invalid"
IBAN_NOT_SEPA: Final = "iban_not_sepa"
BIC_INVALID: Final = "bic_invalid"
BIC_MISSING: Final = "bic_missing"
NAME_INVALID: Final = "name_invalid"
UNSUPPORTED: Final = "unsupported_country"

_NAME: Final = Requirement("name", "Name of the account's holder", pattern=rf"[^|\x00-\x1f]{{1,{NAME_CHARS_MAX}}}")
_IBAN: Final = Requirement("iban", "IBAN", pattern=r"\s*[A-Za-z]{2}[0-9]{2}(?:\s?[A-Za-z0-9]){11,30}\s*")
_BIC: Final = Requirement("bic", "BIC", pattern=r"\s*[A-Za-z0-9]{8}(?:[A-Za-z0-9]{3})?\s*", required=False)
_CONTROL: Final = re.compile(r"[|\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Recipient:
    """An account that money can be sent to."""

    iban: str
    bic: str | None
    name: str

    @property
    def ref(self) -> str:
        """What the host keeps of it."""
        return f"{self.iban}|{self.bic or ''}|{self.name}"

    @property
    def latin_name(self) -> str:
        """The name as a payment file can carry it."""
        return characters.latin(self.name, self.iban[:2], NAME_CHARS_MAX)


def requirements(country: str, currency: str) -> tuple[Requirement, ...]:
    """What somebody in a country has to tell; nothing where no euros can be sent."""
    if currency != CURRENCY or country not in COUNTRIES:
        return ()
    return (_NAME, _IBAN, _BIC)


def onboarded(request: OnboardRequest) -> RecipientOutcome:
    """Ready at once, or what is wrong."""
    if not requirements(request.country, request.currency):
        return Declined(None, UNSUPPORTED)
    values = request.values
    return _outcome(checked(values.get("iban", ""), values.get("bic", ""), values.get("name", "")))


def status(ref: str) -> RecipientOutcome:
    """Whether a recipient can still be paid."""
    return _outcome(parsed(ref))


def _outcome(found: Recipient | str) -> RecipientOutcome:
    return Ready(found.ref) if isinstance(found, Recipient) else Declined(None, found)


def parsed(ref: str) -> Recipient | str:
    """The recipient of a ref, or the code of what is wrong with it."""
    iban, _, rest = ref[:REF_CHARS_MAX].partition("|")
    bic, bar, name = rest.partition("|")
    return checked(iban, bic, name) if bar else IBAN_INVALID


def checked(iban: str, bic: str, name: str) -> Recipient | str:
    """The recipient, or the code of what is wrong."""
    try:
        account = IBAN(iban)
    except (SchwiftyException, ValueError):
        return IBAN_INVALID
    country = str(account.country_code)
    if country not in SEPA:
        return IBAN_NOT_SEPA
    try:
        bank = str(BIC(bic).compact) if bic.strip() else None
    except (SchwiftyException, ValueError):
        return BIC_INVALID
    if bank is None and country not in EEA:
        return BIC_MISSING
    holder = " ".join(unicodedata.normalize("NFC", name).split())
    found = Recipient(str(account.compact), bank, holder)
    wrong = not found.latin_name or len(holder) > NAME_CHARS_MAX or _CONTROL.search(holder)
    return NAME_INVALID if wrong else found
