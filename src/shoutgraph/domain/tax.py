"""Tax profiles: who is paid, as the tax office knows them; versions, the newest counts.

Personal data: never in an event, a log or a message of a refusal. Shown whole to whose it is and to finance only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from stdnum import get_cc_module

from shoutgraph.domain import ages, ids
from shoutgraph.domain.checks import Checks, tidy

NAME_CHARS_MAX: Final = 200
ADDRESS_CHARS_MAX: Final = 300
ID_CHARS_MIN: Final = 4
ID_CHARS_MAX: Final = 40
SHOWN_CHARS: Final = 2
MASK: Final = "•"

ID_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AT": "tin uid", "AU": "tfn abn", "BE": "nn bis vat", "BG": "egn pnf vat", "BR": "cpf cnpj", "CA": "sin bn",
        "CH": "ssn uid vat", "CY": "vat", "CZ": "rc dic", "DE": "idnr stnr vat", "DK": "cpr cvr", "EE": "ik kmkr",
        "ES": "nif dni nie cif", "FI": "hetu ytunnus alv", "FR": "nif siren siret tva", "GB": "utr vat", "GR": "vat",
        "HR": "oib", "HU": "anum", "IE": "pps vat", "IN": "pan gstin", "IS": "kennitala vsk", "IT": "codicefiscale iva",
        "JP": "in_ cn", "KR": "brn rrn", "LT": "asmens pvm", "LU": "tva", "LV": "pvn", "MT": "vat", "MX": "rfc curp",
        "NL": "bsn btw", "NO": "fodselsnummer orgnr mva", "NZ": "ird", "PL": "pesel nip", "PT": "nif", "RO": "cnp cui",
        "SE": "personnummer orgnr vat", "SG": "uen", "SI": "ddv emso", "SK": "rc dph", "TR": "tckimlik vkn",
        "UA": "rntrc edrpou", "US": "tin ssn itin ein atin", "ZA": "tin idnr",
    }
)  # fmt: skip
"""The numbers that a country's tax office knows people and companies by, as `stdnum` names them. Elsewhere the form of
a number is not known, and any text that could be one is taken."""


class SellerKind(StrEnum):
    """Who is paid."""

    PERSON = "PERSON"
    COMPANY = "COMPANY"


@dataclass(frozen=True, slots=True)
class TaxProfile:
    """One version of what a creator certified of themselves. A person has a date of birth, a company a registration."""

    creator_id: ids.CreatorId
    version: int
    kind: SellerKind
    legal_name: str
    address: str
    country: str
    tax_id: str
    born_on: date | None
    registration: str | None
    certified_at: datetime

    @property
    def id(self) -> str:
        """Names the version among what requests made."""
        return f"{self.creator_id}:{self.version}"

    def __repr__(self) -> str:
        """Says whose it is and nothing of what is in it."""
        return f"TaxProfile({self.id})"


@dataclass(frozen=True, slots=True, repr=False)
class Wish:
    """What a creator says of themselves."""

    kind: SellerKind
    legal_name: str
    address: str
    country: str
    tax_id: str
    birth_date: str | None
    registration: str | None
    certified: bool


def certify(wish: Wish, *, creator_id: ids.CreatorId, version: int, now: datetime) -> TaxProfile:
    """The version that this makes. Nothing of what it says is repeated in a refusal.

    Raises:
        ValidationError: a field breaks a rule (an `ExceptionGroup` where several do), or nobody is born then.
    """
    checks = Checks()
    name, address = tidy(wish.legal_name), tidy(wish.address)
    checks.text("legalName", name, chars_max=NAME_CHARS_MAX)
    checks.text("address", address, chars_max=ADDRESS_CHARS_MAX, lines=True)
    checks.country("country", wish.country)
    number = tax_id(wish.country, wish.tax_id)
    if number is None:
        checks.add("taxNumber", f"This is no tax number of {wish.country}.", "TAX_ID")
    if not wish.certified:
        checks.add("certified", "Certify that what you say is true and complete.", "NOT_CERTIFIED")
    is_person = wish.kind is SellerKind.PERSON
    if is_person != (wish.birth_date is not None):
        checks.add("birthDate", "A person says when they were born, a company does not.", "VALIDATION")
    if is_person == (wish.registration is not None):
        checks.add("registration", "A company says where it is registered, a person does not.", "VALIDATION")
    if wish.registration is not None:
        checks.text("registration", wish.registration, chars_max=NAME_CHARS_MAX)
    checks.settle()
    assert number is not None, "what is wrong was refused"
    born = wish.birth_date
    return TaxProfile(
        creator_id=creator_id,
        version=version,
        kind=wish.kind,
        legal_name=name,
        address=address,
        country=wish.country,
        tax_id=number,
        born_on=None if born is None else ages.read(born, today=now.date(), path=("input", "birthDate")),
        registration=None if wish.registration is None else tidy(wish.registration),
        certified_at=now,
    )


def tax_id(country: str, text: str) -> str | None:
    """The number in its shortest form, or None where it is none of that country's."""
    kinds = ID_KINDS.get(country, "").split()
    for kind in kinds:
        module = get_cc_module(country.lower(), kind)
        if module is not None and module.is_valid(text):
            return str(module.compact(text))
    plain = tidy(text)
    fits = ID_CHARS_MIN <= len(plain) <= ID_CHARS_MAX and plain.isprintable() and any(map(str.isdigit, plain))
    return plain if not kinds and fits else None


def masked(text: str | None) -> str | None:
    """The end of a text, and as many marks as it is long."""
    if text is None:
        return None
    shown = SHOWN_CHARS if len(text) > 2 * SHOWN_CHARS else 0
    return MASK * (len(text) - shown) + text[len(text) - shown :]
