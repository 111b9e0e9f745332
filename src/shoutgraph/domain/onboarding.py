"""Onboarding: a payout provider gets to know a recipient before money can go there.

What the recipient answers is kept only until the provider has taken it; what stays is the provider's own reference.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.patience import OPEN_STEPS, UNKNOWN_STEPS, pause
from shoutgraph.domain.recipients import RecipientState

ANSWER_CHARS_MAX: Final = 500
ANSWERS_MAX: Final = 50

ANSWERS_KEPT: Final = timedelta(days=1)
"""Answers that no provider took in this time are forgotten; the recipient is added again."""

FORGOTTEN: Final = "answers_forgotten"
"""Why a recipient was given up whose provider never said whether it took the answers."""

READY_STEPS: Final = ()
"""One that is ready is looked at daily: a provider may restrict it later."""


class RecipientSeen(StrEnum):
    """What a look at a recipient shows."""

    READY = "READY"
    NEEDS_ACTION = "NEEDS_ACTION"
    RESTRICTED = "RESTRICTED"
    DECLINED = "DECLINED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at a recipient. `url` is where the recipient goes on, until `expires_at`."""

    seen: RecipientSeen
    ref: str | None = None
    code: str | None = None
    url: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Onboarding:
    """How far a recipient is. `key` names the attempt at the provider; `answers` go once they were taken."""

    recipient_id: str
    creator_id: ids.CreatorId
    instance: str
    key: str
    country: str
    currency: str
    return_url: str
    created_at: datetime
    updated_at: datetime
    state: RecipientState = RecipientState.CHECKING
    revision: int = 1
    ref: str | None = None
    code: str | None = None
    url: str | None = None
    expires_at: datetime | None = None
    answers: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that a recipient has to tell."""

    name: str
    pattern: str | None
    required: bool


def check_answers(answers: Mapping[str, str], wanted: tuple[Wanted, ...]) -> None:
    """Refuses answers that do not fit what the provider wants to know; no message repeats one.

    Raises:
        ValidationError: one is missing, was not asked for, is too long or does not have the right form.
    """
    known = {each.name: each for each in wanted}
    for name in answers:
        if name not in known:
            _refuse(name, "REQUIREMENT_UNKNOWN", "This was not asked for.")
    for name, each in known.items():
        answer = answers.get(name, "")
        if not answer.strip():
            if each.required:
                _refuse(name, "REQUIREMENT_MISSING", "This is needed.")
        elif len(answer) > ANSWER_CHARS_MAX or not answer.isprintable():
            _refuse(name, "REQUIREMENT_INVALID", f"This is plain text of at most {ANSWER_CHARS_MAX} characters.")
        elif each.pattern is not None and not re.fullmatch(each.pattern, answer):
            _refuse(name, "REQUIREMENT_INVALID", "This does not have the right form.")


def observe(onboarding: Onboarding, sight: Sight, *, now: datetime) -> Onboarding:
    """What one look changes. What nobody knows changes nothing, and a reference that was given stays."""
    ref = onboarding.ref or sight.ref
    if sight.ref is not None and ref != sight.ref:
        return onboarding  # it speaks of somebody else
    if sight.seen is RecipientSeen.UNKNOWN:
        after = replace(onboarding, ref=ref)
    else:
        state = RecipientState(sight.seen.value)
        after = _moved(onboarding, state, ref=ref, code=sight.code, url=sight.url, expires_at=sight.expires_at)
    return after if after == onboarding else replace(after, revision=onboarding.revision + 1, updated_at=now)


def given_up(onboarding: Onboarding, *, now: datetime) -> Onboarding:
    """Forgets answers that were kept for too long without knowing whether the provider took them."""
    if onboarding.answers is None or now < onboarding.created_at + ANSWERS_KEPT:
        return onboarding
    return observe(onboarding, Sight(RecipientSeen.DECLINED, code=FORGOTTEN), now=now)


def next_look(onboarding: Onboarding, *, looks: int, now: datetime) -> datetime | None:
    """When to look next, or None for never again."""
    match onboarding.state:
        case RecipientState.CHECKING:
            return now + pause(UNKNOWN_STEPS, looks)
        case RecipientState.NEEDS_ACTION:
            return now + pause(OPEN_STEPS, looks)
        case RecipientState.RESTRICTED | RecipientState.READY:
            return now + pause(READY_STEPS, looks)
        case RecipientState.DECLINED:
            return None


def _moved(onboarding: Onboarding, state: RecipientState, **changes: Any) -> Onboarding:  # noqa: ANN401 - fields
    return replace(onboarding, state=state, answers=None, **changes)


def _refuse(name: str, code: str, message: str) -> None:
    raise errors.ValidationError(message, code=code, path=("input", "answers", name))
