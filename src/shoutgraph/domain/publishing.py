"""Publishing policies: what staff may change, within which bounds, and what a version says of itself.

A new field of `Policy` with a default needs nothing here: it is changed by its name, and bounded by how that ends.
Source: docs/adr/0006-policies.md.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import EnumType, StrEnum
from functools import cache
from typing import Any, Final, cast, get_type_hints

from shoutgraph.domain import errors, lapse_rules, money, policies
from shoutgraph.domain.checks import Checks, tidy
from shoutgraph.domain.policies import DAY_S, Policy

POLICY: Final = "policy"
"""What the journal calls the line of all versions."""
REASON_CHARS_MAX: Final = 500
CHANGES_MAX: Final = 200
TEXT_CHARS_MAX: Final = 4_000
NUMBER_MAX: Final = 10**12

FIXED: Final = frozenset({"version", "book_currency", "par_units"})
"""What the books stand on: another currency or par is another ledger."""

BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "topup_min_coins": (1, 10**7),
    "waitlist_offer_s": (60, 366 * DAY_S),
    "payout_min_coins": (1, 10**9),
    "cards_open_max": (1, 1_000),
    "payout_fx_spread_bps": (0, 2_000),
    "payout_quote_s": (0, DAY_S),
    "price_min_coins": (1, 10**7),
    "gift_quantity_max": (1, 999),
    "gift_message_chars": (1, 500),
    "badge_on_time_bps": (0, money.BPS),
    "badge_completion_bps": (0, money.BPS),
    "badge_rating_hundredths": (100, 500),
}
"""The least and the most of single fields; the database refuses more of some."""

ENDINGS: Final[Mapping[str, tuple[int, int]]] = {
    "_s": (0, 5 * 366 * DAY_S),
    "_bps": (0, money.BPS - 1),
    "_coins": (0, 10**9),
    "_chars": (1, 10_000),
    "_max": (1, NUMBER_MAX),
    "_min": (0, NUMBER_MAX),
}
"""The least and the most of all fields whose names end so."""

Pairs = tuple[tuple[str, int], ...]
Value = int | bool | str | Pairs


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a policy with its value as text: a number, `true` or `false`, a word, a JSON object of numbers."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Published:
    """A version of the policy, and how it came to be. The first one is code, and nobody's."""

    policy: Policy
    changed: tuple[str, ...] = ()
    at: datetime | None = None
    by: str | None = None
    reason: str | None = None

    @property
    def id(self) -> str:
        """Names the version among what requests made."""
        return str(self.policy.version)


FIRST: Final = Published(policies.FIRST)


def publish(current: Policy, changes: Sequence[Change], *, expected_version: int) -> Policy:
    """The next version of the policy: the current one with some fields changed.

    Raises:
        StaleRevisionError: another version was published since the viewer read it.
        ValidationError: a field is unknown, fixed, named twice or out of its bounds, or nothing changes (an
            `ExceptionGroup` where several are wrong).
    """
    if expected_version != current.version:
        raise errors.StaleRevisionError(current_revision=current.version, path=("input", "expectedVersion"))
    checks = Checks()
    checks.count("changes", [change.name for change in changes], 1, CHANGES_MAX)
    checks.settle()
    given = {change.name: _read(checks, change) for change in changes}
    checks.settle()
    values = {name: getattr(current, name) for name in names()} | given
    for name in given:
        _check_range(checks, values, name)
    checks.settle()
    if wrong := lapse_rules.wrong_rules(dict(values["dormancy"]), Policy(**values)):
        checks.add("changes", wrong, "POLICY_VALUE")
        checks.settle()
    following = Policy(**values)
    if following == current:
        raise errors.ValidationError("This is the policy already.", code="NOTHING_CHANGED", path=("input", "changes"))
    return replace(following, version=current.version + 1)


def check_reason(reason: str) -> str:
    """The reason as it is kept.

    Raises:
        ValidationError: it is empty, overlong or has hidden characters.
    """
    tidied = tidy(reason)
    checks = Checks()
    checks.text("reason", tidied, chars_max=REASON_CHARS_MAX, lines=True)
    checks.settle()
    return tidied


def values_of(policy: Policy) -> dict[str, str]:
    """Every field of a policy by name, as text that `Change` reads."""
    return {name: _to_text(getattr(policy, name)) for name in names() if name != "version"}


def differing(before: Policy, after: Policy) -> tuple[str, ...]:
    """The fields in which two versions differ."""
    return tuple(name for name in names() if name != "version" and getattr(before, name) != getattr(after, name))


@cache
def names() -> tuple[str, ...]:
    """The fields of a policy."""
    return tuple(each.name for each in fields(Policy))


def from_plain(values: Mapping[str, Any]) -> Policy:
    """A stored policy: what it does not name has the default of today, what no release knows any more is left out."""
    known = {name: _from_plain(hint, values[name]) for name, hint in _hints().items() if name in values}
    return Policy(**known)


@cache
def _hints() -> dict[str, Any]:
    return get_type_hints(Policy)


def _from_plain(hint: object, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(hint, EnumType):
        return cast("type[StrEnum]", hint)(value)
    if isinstance(value, list):
        return tuple(tuple(each) if isinstance(each, list) else each for each in value)
    return value


def _to_text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(dict(value)) if isinstance(value, tuple) else str(value)


def _read(checks: Checks, change: Change) -> Value:
    """The value of a change, or a default where it is refused."""
    hint = _hints().get(change.name)
    if hint is None or change.name in FIXED:
        why = "is no field of the policy" if hint is None else "is what the books stand on: it never changes"
        checks.add("changes", f"{change.name[:60]} {why}.", "POLICY_FIELD")
        return 0
    value = _parsed(hint, change.value)
    if value is None:
        checks.add("changes", f"{change.name} cannot be {change.value[:40]!r}.", "POLICY_VALUE")
        return 0
    if type(value) is int:
        _check_bounds(checks, change.name, value)
    return value


def _parsed(hint: Any, text: str) -> Value | None:  # noqa: ANN401 - a type
    if len(text) > TEXT_CHARS_MAX:
        return None
    if isinstance(hint, EnumType):
        return next((word for word in cast("type[StrEnum]", hint) if word.value == text.lower()), None)
    if hint is str:
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if hint is int or hint is bool:
        return value if type(value) is hint else None
    fits = isinstance(value, dict) and all(type(each) is int for each in value.values())
    return tuple(sorted(value.items())) if fits else None


def _check_bounds(checks: Checks, name: str, value: int) -> None:
    ending = next((bounds for end, bounds in ENDINGS.items() if name.endswith(end)), (0, NUMBER_MAX))
    low, high = BOUNDS.get(name, ending)
    if not low <= value <= high:
        checks.add("changes", f"{name} is between {low} and {high}.", "OUT_OF_RANGE")


def _check_range(checks: Checks, values: Mapping[str, Any], name: str) -> None:
    """A least value is not above the greatest of the same name, whichever of them changed."""
    low, high = name.replace("_max", "_min"), name.replace("_min", "_max")
    if low != high and low in values and high in values and values[low] > values[high]:
        checks.add("changes", f"{low} is more than {high}.", "OUT_OF_RANGE")
