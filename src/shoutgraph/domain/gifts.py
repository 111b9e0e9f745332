"""Gifts: stickers of a catalogue that fans send to creators, paid in bought coins, and who gave the most.

A sticker that changes is a new version with the same key; a gift names the version it was sent as. Windows of the
ranking are days and weeks (from Monday) of UTC. Units: coins.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.checks import Checks, tidy
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.policies import Policy

STICKER_COINS_MAX: Final = 44_999
STICKERS_MAX: Final = 1_000
"""Stickers of one catalogue at most."""
NAME_CHARS_MAX: Final = 40
ASSET_CHARS_MAX: Final = 500
QUANTITY_MAX: Final = 999
MESSAGE_CHARS_MAX: Final = 500
"""What the database holds; the policy may allow less."""
THANKED_MAX: Final = 100
"""The most gifts that one thanks is for."""
DAY: Final = timedelta(days=1)

_MONDAY: Final = datetime(1969, 12, 29, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_ASSET: Final = re.compile(r"(https://[!-~]+|[A-Za-z0-9][A-Za-z0-9/._-]*)", re.ASCII)
_SESSION: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)
_FIELDS: Final = frozenset({"key", "name", "coins", "tier", "asset"})


class Tier(StrEnum):
    """How large a sticker's animation is."""

    SMALL = "SMALL"
    MEDIUM = "MEDIUM"
    LARGE = "LARGE"
    FULL_SCREEN = "FULL_SCREEN"


class Span(StrEnum):
    """Over what the ranking adds up."""

    DAY = "DAY"
    WEEK = "WEEK"
    ALL = "ALL"


@dataclass(frozen=True, slots=True)
class StickerEntry:
    """A line of a catalogue: a sticker as an operator writes it. `asset` is a web address, or a key of a store."""

    key: str
    name: str
    coins: int
    tier: Tier
    asset: str


@dataclass(frozen=True, slots=True)
class Sticker:
    """One version of a sticker; only the current one is given."""

    id: str
    key: str
    version: int
    name: str
    coins: int
    tier: Tier
    asset: str
    created_at: datetime
    current: bool = True

    @property
    def entry(self) -> StickerEntry:
        """What an operator wrote of it."""
        return StickerEntry(self.key, self.name, self.coins, self.tier, self.asset)


@dataclass(frozen=True, slots=True)
class Gift:
    """Stickers that a fan sent to a creator. `coins` is what the fan paid; the creator's part is less by the fee.

    `hidden` is what moderators decide: only whoever wrote the message and they read it then.
    """

    id: ids.GiftId
    creator_id: ids.CreatorId
    user_id: ids.UserId
    sticker_id: str
    earning_id: str
    quantity: int
    coins: int
    fee_coins: int
    message: str | None
    live_session: str | None
    sent_at: datetime
    thanked_at: datetime | None = None
    thanks: str | None = None
    hidden: bool = False

    @property
    def earning_coins(self) -> int:
        """The creator's part."""
        return self.coins - self.fee_coins


@dataclass(frozen=True, slots=True)
class Window:
    """A span of the ranking that holds a time: which day or week since 1970, or all of time."""

    span: Span
    number: int

    @classmethod
    def of(cls, span: Span, at: datetime) -> "Window":
        """The window around a time."""
        numbers = {Span.DAY: (at - _EPOCH) // DAY, Span.WEEK: (at - _MONDAY) // (7 * DAY), Span.ALL: 0}
        return cls(span, numbers[span])

    @property
    def began_at(self) -> datetime | None:
        """When it began, or None for all of time."""
        begun = {Span.DAY: _EPOCH + self.number * DAY, Span.WEEK: _MONDAY + 7 * self.number * DAY}
        return begun.get(self.span)


@dataclass(frozen=True, slots=True)
class Total:
    """What one fan gave to a creator in a window, and their place: equal coins share a rank."""

    user_id: ids.UserId
    coins: int
    gifts: int
    rank: int


def read_catalogue(given: object) -> tuple[StickerEntry, ...]:
    """A catalogue from plain values: `{"stickers": [{"key", "name", "coins", "tier", "asset"}, ...]}`.

    Raises:
        ValidationError: something is missing, unknown or out of its range; the message says where.
    """
    listed = given.get("stickers") if isinstance(given, Mapping) and set(given) == {"stickers"} else None
    if not isinstance(listed, list) or len(listed) > STICKERS_MAX:
        raise _refusal(f"A catalogue is a list named stickers, of {STICKERS_MAX} at most.", "VALIDATION")
    entries = tuple(_read_entry(each, f"stickers, entry {number}") for number, each in enumerate(listed, start=1))
    check_catalogue(entries)
    return entries


def check_catalogue(entries: Iterable[StickerEntry]) -> None:
    """Refuses a catalogue that names a sticker twice.

    Raises:
        ValidationError: it does.
    """
    for key, times in Counter(entry.key for entry in entries).items():
        if times > 1:
            raise _refusal(f"The sticker {key} is given twice.", "REPEATED")


def check_wish(*, quantity: int, message: str | None, live_session: str | None, policy: Policy) -> None:
    """Refuses a gift whose words or number break a rule of the policy.

    Raises:
        ValidationError: one field does (an `ExceptionGroup` where several do).
    """
    checks = Checks()
    checks.between("quantity", quantity, 1, min(policy.gift_quantity_max, QUANTITY_MAX))
    if message is not None:
        checks.text("message", message, chars_max=min(policy.gift_message_chars, MESSAGE_CHARS_MAX))
    if live_session is not None and not _SESSION.fullmatch(live_session):
        checks.add("liveSession", f"liveSession is {_SESSION.pattern}.", "INVALID_TEXT")
    checks.settle()


def check_taken(creator: Creator, user_id: ids.UserId) -> None:
    """Refuses a gift for a creator who wants none, or from themselves.

    Raises:
        CreatorUnavailableError: the creator has switched gifts off.
        ValidationError: it is from themselves.
    """
    path = ("input", "creatorId")
    if creator.user_id == user_id:
        raise errors.ValidationError("You cannot give to yourself.", code="OWN_GIFT", path=path)
    if not creator.takes_gifts:
        msg = "This creator takes no gifts."
        raise errors.CreatorUnavailableError(msg, code="GIFTS_OFF", path=path)


def check_thanks(gift_ids: Sequence[str], thanks: str | None) -> None:
    """Refuses thanks for no gift, for too many, or in words that break a rule.

    Raises:
        ValidationError: one field does (an `ExceptionGroup` where both do).
    """
    checks = Checks()
    checks.count("giftIds", gift_ids, 1, THANKED_MAX)
    if thanks is not None:
        checks.text("message", thanks, chars_max=MESSAGE_CHARS_MAX)
    checks.settle()


def check_limits(coins: int, *, given_coins: int, policy: Policy) -> None:
    """Refuses a gift above what may be given at once, or in a day. `given_coins` is what the fan gave in the last day.

    Raises:
        LimitExceededError: it is.
    """
    path = ("input", "quantity")
    if coins > policy.gift_max_coins:
        msg = f"A gift is of {policy.gift_max_coins:,} coins at most."
        raise errors.LimitExceededError(msg, code="GIFT_COINS", limit=policy.gift_max_coins, path=path)
    if given_coins + coins > policy.gift_day_coins:
        msg = f"You may give {policy.gift_day_coins:,} coins a day, and gave {given_coins:,} in the last 24 hours."
        raise errors.LimitExceededError(msg, code="GIFT_DAY_COINS", limit=policy.gift_day_coins, path=path)


def _read_entry(given: object, where: str) -> StickerEntry:
    if not isinstance(given, Mapping) or set(given) != _FIELDS:
        raise _refusal(f"{where} has {', '.join(sorted(_FIELDS))}, and nothing else.", "VALIDATION")
    key, name, coins, tier, asset = (given[field] for field in ("key", "name", "coins", "tier", "asset"))
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise _refusal(f"{where}: key is {_KEY.pattern}.", "VALIDATION")
    if not isinstance(name, str) or not 0 < len(tidy(name)) <= NAME_CHARS_MAX or not name.isprintable():
        raise _refusal(f"{where}: name is a text of 1 to {NAME_CHARS_MAX} characters.", "VALIDATION")
    if not isinstance(coins, int) or isinstance(coins, bool) or not 1 <= coins <= STICKER_COINS_MAX:
        msg = f"{where}: coins are a whole number from 1 to {STICKER_COINS_MAX}, not {coins!r}."
        raise _refusal(msg, "OUT_OF_RANGE")
    if tier not in list(Tier):
        raise _refusal(f"{where}: tier is one of {', '.join(Tier)}.", "VALIDATION")
    if not isinstance(asset, str) or len(asset) > ASSET_CHARS_MAX or not _ASSET.fullmatch(asset):
        raise _refusal(f"{where}: asset is an https address, or a key such as gifts/rose.webm.", "VALIDATION")
    return StickerEntry(key, tidy(name), coins, Tier(str(tier)), asset)


def _refusal(message: str, code: str) -> errors.ValidationError:
    return errors.ValidationError(message, code=code, path=("input", "stickers"))
