"""Recipients: where a creator's money goes, in the words of a payout provider."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids

LABEL_CHARS_MAX: Final = 80
REF_CHARS_MAX: Final = 256
RECIPIENTS_MAX: Final = 20
"""The most recipients of one creator; those that their provider declined do not count."""
RECIPIENTS_EVER_MAX: Final = 100
"""The most with those that do not."""


class RecipientState(StrEnum):
    """Whether money can be sent to a recipient.

    A row of `payout_recipient` is READY or NEEDS_ACTION; the others are stations of an onboarding.
    """

    READY = "READY"
    NEEDS_ACTION = "NEEDS_ACTION"
    CHECKING = "CHECKING"
    RESTRICTED = "RESTRICTED"
    DECLINED = "DECLINED"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a creator's money goes. `ref` is the provider's own, or what the rail needs, such as an IBAN.

    `code` is why a provider sends nothing there, and `url` where the creator goes on, until `expires_at`. `currency` is
    that of the account; None is that of the books. Nothing is sent there after `removed_at`.
    """

    id: str
    creator_id: ids.CreatorId
    instance: str
    label: str
    ref: str
    state: RecipientState
    created_at: datetime
    code: str | None = None
    url: str | None = None
    expires_at: datetime | None = None
    currency: str | None = None
    removed_at: datetime | None = None


def check_place(recipients: Collection[Recipient]) -> None:
    """Refuses one recipient too many beside those that a creator has.

    Raises:
        LimitExceededError: there are as many as are allowed.
    """
    standing = [each for each in recipients if each.state is not RecipientState.DECLINED]
    for count, most in ((len(standing), RECIPIENTS_MAX), (len(recipients), RECIPIENTS_EVER_MAX)):
        if count >= most:
            msg = f"A creator has at most {most} recipients."
            raise errors.LimitExceededError(msg, code="RECIPIENTS", limit=most)


def check_recipient(*, label: str, ref: str | None = None) -> None:
    """Refuses an empty or overlong label, or reference where one is told.

    Raises:
        ValidationError: a text is empty, too long, or holds control characters.
    """
    for name, text, chars_max in (("label", label, LABEL_CHARS_MAX), ("ref", ref, REF_CHARS_MAX)):
        path = ("input", name)
        if text is None:
            continue
        if not text.strip():
            raise errors.ValidationError(f"{name} is empty.", code="EMPTY", path=path)
        if len(text) > chars_max:
            raise errors.ValidationError(f"{name} has at most {chars_max} characters.", code="TOO_LONG", path=path)
        if not text.isprintable():
            raise errors.ValidationError(f"{name} is plain text.", code="INVALID_TEXT", path=path)
