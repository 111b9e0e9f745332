"""Rules by which bought coins lapse: of one country each, none until staff publish one. Units: calendar months, days.

Many laws forbid that paid value lapses, and others want what nobody asks for to be kept for its owner: a rule's outcome
says whose the value is then.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from shoutgraph.domain import countries
from shoutgraph.domain.policies import DAY_S, Policy

MONTHS_MIN: Final = 6
MONTHS_MAX: Final = 600
NOTICE_DAYS_MIN: Final = 14
NOTICE_DAYS_MAX: Final = 366
MONTH_DAYS_MIN: Final = 28

_NAME: Final = re.compile(r"([A-Z]{2})\.(income|unclaimed)\.(months|notice_days)")


class LapseOutcome(StrEnum):
    """Whose the value is when coins have lapsed."""

    INCOME = "INCOME"
    UNCLAIMED = "UNCLAIMED"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a country's law lets become of coins whose owner does nothing."""

    country: str
    outcome: LapseOutcome
    months: int
    notice_days: int


def rules_of(policy: Policy) -> dict[str, Rule]:
    """The rules in force, by country; a name that no release knows is left out."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for name, value in policy.dormancy:
        if match := _NAME.fullmatch(name):
            found.setdefault((match[1], match[2]), {})[match[3]] = value
    return {
        country: Rule(country, LapseOutcome(outcome.upper()), values["months"], values["notice_days"])
        for (country, outcome), values in found.items()
        if len(values) == len(("months", "notice_days"))
    }


def wrong_rules(given: Mapping[str, int], policy: Policy) -> str | None:
    """What is wrong with rules that are to be published, or None."""
    names = {name: _NAME.fullmatch(name) for name in given}
    odd = next((name for name, match in names.items() if match is None or not countries.is_country(match[1])), None)
    if odd is not None:
        return f"{odd[:40]} is not <country>.income|unclaimed.months|notice_days; there is no rule for all countries."
    rules = rules_of(replace(policy, dormancy=tuple(sorted(given.items()))))
    if len(given) != len(rules) * 2:
        return "Each country has one outcome, with its months and its notice_days."
    for rule in rules.values():
        if not (MONTHS_MIN <= rule.months <= MONTHS_MAX and NOTICE_DAYS_MIN <= rule.notice_days <= NOTICE_DAYS_MAX):
            return (
                f"{rule.country}: {MONTHS_MIN} to {MONTHS_MAX} months, and a notice of {NOTICE_DAYS_MIN} to"
                f" {NOTICE_DAYS_MAX} days."
            )
        if rule.months * MONTH_DAYS_MIN * DAY_S <= _withdrawal_s(policy, rule.country):
            return f"{rule.country}: nothing lapses while its buyer may still withdraw from the purchase."
    return None


def _withdrawal_s(policy: Policy, country: str) -> int:
    windows = dict(policy.withdrawal_by_country)
    return windows.get(country, windows.get("*", policy.withdrawal_s))
