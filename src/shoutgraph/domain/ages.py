"""Ages: from which birthday on a person may do what with money, by country.

Only the date is kept, with who vouches for it; a person says it once, and others may correct it. Whoever told no date
may do everything unless the policy asks for one.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.policies import Pairs, Policy

YEARS_MAX: Final = 130
ANYWHERE: Final = "*"
NO_AGE: Final = 0


class Deed(StrEnum):
    """What needs an age, as the policy's ages name it."""

    BUY = "buy"
    ORDER = "order"
    GIFT = "gift"
    EARN = "earn"


class Attested(StrEnum):
    """Who vouches for a date of birth."""

    SELF = "SELF"
    IDENTITY = "IDENTITY"
    STAFF = "STAFF"


@dataclass(frozen=True, slots=True)
class Birth:
    """When a person was born, and who says so. Personal data in a row of its own."""

    user_id: ids.UserId
    born_on: date
    attested: Attested
    attested_by: str
    at: datetime


def read(text: str, *, today: date, path: tuple[str, ...]) -> date:
    """A date of birth that can be one.

    Raises:
        ValidationError: it is no date, in the future, or of nobody alive.
    """
    try:
        born_on = date.fromisoformat(text)
    except ValueError:
        born_on = date.max
    if born_on > today or years(born_on, today) > YEARS_MAX or text != born_on.isoformat():
        msg = "A date of birth is a day in the past, such as 2001-02-28."
        raise errors.ValidationError(msg, code="BIRTH_DATE", path=path)
    return born_on


def told(known: Birth | None, birth: Birth) -> Birth | None:
    """The date that a person says themselves; None where they said the same before.

    Raises:
        ValidationError: another date is known: only others correct it.
    """
    if known is None:
        return birth
    if known.born_on != birth.born_on:
        msg = "Your date of birth is known already; support can correct it."
        raise errors.ValidationError(msg, code="BIRTH_DATE_SET", path=("input", "birthDate"))
    return None


def years(born_on: date, today: date) -> int:
    """How old somebody is. Who was born on 29 February has their birthday on 1 March in other years."""
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))


def least(ages: Pairs, country: str, deed: Deed) -> int:
    """From which age on this may be done there: the narrowest entry counts."""
    found = dict(ages)
    names = (f"{country}.{deed}", country, f"{ANYWHERE}.{deed}", ANYWHERE)
    return next((found[name] for name in names if name in found), NO_AGE)


def check(born_on: date | None, *, country: str, deed: Deed, today: date, policy: Policy) -> None:
    """Refuses somebody who is too young for this where they live, or did not say how old they are where they must.

    Raises:
        AgeRestrictedError: they are (`UNDERAGE`), or did not (`AGE_REQUIRED`).
    """
    needed = least(policy.ages, country, deed)
    if born_on is None:
        if policy.age_required and needed > NO_AGE:
            msg = "Say when you were born first."
            raise errors.AgeRestrictedError(msg, code="AGE_REQUIRED", minimum_age=needed)
        return
    if years(born_on, today) < needed:
        msg = f"This is for people of {needed} years and older."
        raise errors.AgeRestrictedError(msg, code="UNDERAGE", minimum_age=needed)
