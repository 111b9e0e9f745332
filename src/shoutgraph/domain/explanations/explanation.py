"""An explanation: a rule by its code, where it is written, facts that went in and came out, and sentences.

Sentences are templates whose numbers are the facts themselves: what is said cannot differ from what is given.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from string import Formatter
from typing import Final

from shoutgraph.domain import clock, money
from shoutgraph.domain.money import Money

DAY_S: Final = 86_400
HOUR_S: Final = 3_600
MINUTE_S: Final = 60


class Unit(StrEnum):
    """What the value of a fact is in."""

    COINS = "COINS"
    MINOR_UNITS = "MINOR_UNITS"
    SECONDS = "SECONDS"
    BASIS_POINTS = "BASIS_POINTS"
    INSTANT = "INSTANT"
    COUNT = "COUNT"
    WORD = "WORD"


@dataclass(frozen=True, slots=True)
class Fact:
    """A value with its name and unit. `text` is the value as data, `said` as sentences have it."""

    name: str
    unit: Unit
    text: str
    said: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why something is as it is. `source` is a section of the documents, `policy_version` the rules it was under."""

    rule: str
    source: str
    inputs: tuple[Fact, ...]
    outcome: tuple[Fact, ...]
    words: tuple[str, ...]
    policy_version: int | None = None


def explain(
    rule: str,
    source: str,
    *,
    inputs: Iterable[Fact],
    outcome: Iterable[Fact],
    words: Iterable[str],
    policy_version: int | None = None,
) -> Explanation:
    """An explanation whose sentences are these templates, filled with its facts by their names."""
    given, came = tuple(inputs), tuple(outcome)
    facts = {fact.name: fact.said for fact in (*given, *came)}
    return Explanation(rule, source, given, came, tuple(_say(template, facts) for template in words), policy_version)


def coins(name: str, value: int) -> Fact:
    """A number of coins."""
    return Fact(name, Unit.COINS, str(value), f"{value:,} coin" + ("" if value == 1 else "s"))


def seconds(name: str, value: int) -> Fact:
    """A length of time; sentences have it in days, hours, minutes and seconds."""
    left, parts = abs(value), []
    for size, unit in ((DAY_S, "day"), (HOUR_S, "hour"), (MINUTE_S, "minute"), (1, "second")):
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number:,} {unit}" + ("" if number == 1 else "s"))
    return Fact(name, Unit.SECONDS, str(value), " ".join(parts) or "no time")


def span(name: str, value: timedelta) -> Fact:
    """A length of time, whole seconds of it."""
    return seconds(name, value // timedelta(seconds=1))


def instant(name: str, at: datetime) -> Fact:
    """A time."""
    text = clock.to_text(at)
    return Fact(name, Unit.INSTANT, text, text.replace("T", " ")[:19] + " UTC")


def share(name: str, bps: int) -> Fact:
    """A share."""
    whole, rest = divmod(bps, money.BPS // 100)
    return Fact(name, Unit.BASIS_POINTS, str(bps), f"{whole}.{rest:02} %" if rest else f"{whole} %")


def amount(name: str, value: Money) -> Fact:
    """An amount of money; sentences have it as people write it, such as EUR 109.99."""
    return Fact(name, Unit.MINOR_UNITS, str(value.minor), money.to_text(value))


def count(name: str, value: int) -> Fact:
    """A number of things."""
    return Fact(name, Unit.COUNT, str(value), f"{value:,}")


def word(name: str, value: str) -> Fact:
    """A stable word, such as a state or a code."""
    return Fact(name, Unit.WORD, value, value)


def _say(template: str, facts: dict[str, str]) -> str:
    """Fills a template; it has no figure of its own, so that every one is a fact."""
    fixed = [text for text, *_ in Formatter().parse(template)]
    assert not any(character.isdigit() for text in fixed for character in text), "figures of sentences are facts"
    return template.format(**facts)
