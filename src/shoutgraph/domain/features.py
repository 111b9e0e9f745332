"""Features and their rollout: for whom a part of the product is on, as rules that staff change while it runs.

Without a rule a feature is on for everyone. A rule's conditions hold together, and are asked in one order: the switch,
the two lists of users, the schedule, the countries, the percentage. Who is on the list of those who have it has it
before everybody else; only the switch and the other list go before that. Units: `_bps` basis points.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shoutgraph.domain import countries, ids, money
from shoutgraph.domain.checks import Checks

LISTED_MAX: Final = 1_000
"""Users on both lists of a rule together."""
COUNTRIES_MAX: Final = 250
RULES_MAX: Final = 100
REASON_CHARS_MAX: Final = 500
PROVIDER_CHARS_MAX: Final = 40
WHOLE: Final = ""
"""Stands for a feature as a whole, where a provider may stand."""


class Feature(StrEnum):
    """A part of the product that is rolled out."""

    SHOUTOUTS = "SHOUTOUTS"
    GIFTS = "GIFTS"
    TOPUPS = "TOPUPS"
    PAYOUTS = "PAYOUTS"


class Reason(StrEnum):
    """Why a feature is off for somebody: never more than which condition it was."""

    SWITCHED_OFF = "SWITCHED_OFF"
    LIST = "LIST"
    SCHEDULE = "SCHEDULE"
    COUNTRY = "COUNTRY"
    PERCENTAGE = "PERCENTAGE"
    CREATOR = "CREATOR"


@dataclass(frozen=True, slots=True)
class Person:
    """What a rule knows of somebody: a guest has no id, and a country only if they say one."""

    user_id: str | None = None
    country: str = countries.UNKNOWN


GUEST: Final = Person()


@dataclass(frozen=True, slots=True)
class Terms:
    """For whom a feature is on, lists aside. `countries_on` is None where every country has it.

    `ends_at` is the first moment at which it is off again.
    """

    enabled: bool = True
    share_bps: int = money.BPS
    countries_on: tuple[str, ...] | None = None
    countries_off: tuple[str, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lists:
    """Users who have a feature whatever the other conditions say, and users who do not."""

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of a rule. It never changes; `removed` says that from here on there is none.

    `provider` is the code of an instance, or `WHOLE`. `listed_count` is how many users its lists name.
    """

    id: str
    version: int
    feature: Feature
    provider: str
    terms: Terms
    listed_count: int
    changed_by: str
    reason: str
    changed_at: datetime
    removed: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """Whether a feature, or one provider of it, is on for somebody; `reason` is None where it is."""

    feature: Feature
    provider: str
    reason: Reason | None


def bucket(feature: Feature, provider: str, user_id: str) -> int:
    """The basis point that a user is in, the same for ever, and another one for each feature and provider.

    A share has the users whose basis point is below it, so raising the share keeps everybody who was in.
    """
    digest = hashlib.sha256(f"{feature}:{provider}:{user_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % money.BPS


def off(rule: Rule, person: Person, *, listed: bool | None, now: datetime) -> Reason | None:
    """Why the rule keeps the feature from somebody, or None where they have it.

    Args:
        listed: whether a list names them: True for those who have it, False for those who do not, None for neither.
    """
    terms = rule.terms
    if not terms.enabled:
        return Reason.SWITCHED_OFF
    if listed is not None:
        return None if listed else Reason.LIST
    if (terms.starts_at is not None and now < terms.starts_at) or (terms.ends_at is not None and now >= terms.ends_at):
        return Reason.SCHEDULE
    if person.country in terms.countries_off:
        return Reason.COUNTRY
    if terms.countries_on is not None and person.country not in terms.countries_on:
        return Reason.COUNTRY
    return None if _within(rule, person) else Reason.PERCENTAGE


def check(feature: Feature, provider: str, terms: Terms, lists: Lists, reason: str) -> None:
    """Refuses a rule that says nothing sensible.

    Raises:
        ValidationError: a field breaks a rule (an `ExceptionGroup` where several do).
    """
    checks = Checks()
    if provider != WHOLE:
        checks.text("provider", provider, chars_max=PROVIDER_CHARS_MAX)
        if feature is not Feature.TOPUPS:
            checks.add("provider", "Only top-ups have a rule for each provider.", "NO_PROVIDER")
    checks.between("shareBasisPoints", terms.share_bps, 0, money.BPS)
    _check_countries(checks, "countriesOn", terms.countries_on or ())
    _check_countries(checks, "countriesOff", terms.countries_off)
    if terms.starts_at is not None and terms.ends_at is not None and terms.starts_at >= terms.ends_at:
        checks.add("endsAt", "endsAt is after startsAt.", "OUT_OF_RANGE")
    _check_users(checks, "allowUserIds", lists.allowed, LISTED_MAX)
    _check_users(checks, "denyUserIds", lists.denied, max(0, LISTED_MAX - len(lists.allowed)))
    if not set(lists.allowed).isdisjoint(lists.denied):
        checks.add("denyUserIds", "Somebody is on both lists.", "REPEATED")
    checks.text("reason", reason, chars_max=REASON_CHARS_MAX)
    checks.settle()


def _within(rule: Rule, person: Person) -> bool:
    if person.user_id is None:
        return rule.terms.share_bps == money.BPS
    return bucket(rule.feature, rule.provider, person.user_id) < rule.terms.share_bps


def _check_countries(checks: Checks, name: str, codes: Collection[str]) -> None:
    checks.count(name, codes, 0, COUNTRIES_MAX)
    for code in codes:
        if code != countries.UNKNOWN and not countries.is_country(code):
            checks.add(name, f"{name} holds ISO 3166-1 codes in capitals, or {countries.UNKNOWN}.", "INVALID_COUNTRY")
            break


def _check_users(checks: Checks, name: str, user_ids: Collection[str], most: int) -> None:
    checks.count(name, user_ids, 0, most)
    if any(ids.prefix_of(user_id) != ids.USER for user_id in user_ids):
        checks.add(name, f"{name} holds ids of users.", "INVALID_ID")
