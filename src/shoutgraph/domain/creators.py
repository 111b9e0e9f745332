"""Creators and their offers: who films, what they sell, and when they take orders.

Units: `_coins` coins, `_s` seconds, `_days` days; ratings are whole stars, their average hundredths of a star.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict
from urllib.parse import urlsplit

from shoutgraph.domain import errors, ids, policies, reputation
from shoutgraph.domain.categories import Category
from shoutgraph.domain.checks import Checks, tidy
from shoutgraph.domain.orders.order import Occasion

NAME_CHARS_MAX: Final = 60
BIO_CHARS_MAX: Final = 1_000
TITLE_CHARS_MAX: Final = 80
URL_CHARS_MAX: Final = 500
CATEGORIES_MAX: Final = 5
LANGUAGES_MAX: Final = 10
OFFERS_MAX: Final = 20
"""Offers of one creator, switched on or off: a sold offer is changed, not deleted."""
DURATION_MIN_S: Final = 5
DURATION_MAX_S: Final = 600
PAUSE_MAX: Final = timedelta(days=366)
STARS_MAX: Final = 5
SORT_CHARS_MAX: Final = 40
"""How much of a name counts when names are sorted, so that a cursor stays short in every script."""
RESERVED: Final = frozenset(
    {"admin", "api", "help", "moderator", "official", "security", "shoutgraph", "staff", "support"}
)
"""Handles that would pass for the platform itself."""

_HANDLE = re.compile(r"[a-z0-9_.]{2,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a creator says of themselves."""

    handle: str
    name: str
    country: str
    categories: tuple[Category, ...]
    languages: tuple[str, ...]
    bio: str = ""
    avatar_url: str | None = None
    open_orders_max: int | None = None
    takes_gifts: bool = True
    named_in_proofs: bool = False


class ProfileChanges(TypedDict, total=False):
    """The parts of a profile that change; None clears what may be empty."""

    handle: str
    name: str
    country: str
    categories: tuple[Category, ...]
    languages: tuple[str, ...]
    bio: str
    avatar_url: str | None
    open_orders_max: int | None
    takes_gifts: bool
    named_in_proofs: bool


@dataclass(frozen=True, slots=True)
class Creator:
    """A user who films.

    `open` says whether they take orders at all, `paused_until` when they will again. `price_from_coins` is the
    cheapest active offer, None where there is none: the catalogue then leaves the creator out.
    """

    id: ids.CreatorId
    revision: int
    user_id: ids.UserId
    handle: str
    name: str
    country: str
    categories: tuple[Category, ...]
    languages: tuple[str, ...]
    bio: str
    avatar_url: str | None
    open_orders_max: int | None
    open: bool
    paused_until: datetime | None
    featured: bool
    rating_sum: int
    rating_count: int
    price_from_coins: int | None
    created_at: datetime
    takes_gifts: bool = True
    named_in_proofs: bool = False
    response_sort_s: int = reputation.UNKNOWN_S
    badges: tuple[reputation.Badge, ...] = ()

    @property
    def profile(self) -> Profile:
        """What the creator says of themselves."""
        return Profile(**{name: getattr(self, name) for name in Profile.__slots__})

    @property
    def rating_hundredths(self) -> int | None:
        """The average rating in hundredths of a star, half rounded up, or None before the first rating."""
        if not self.rating_count:
            return None
        return (200 * self.rating_sum + self.rating_count) // (2 * self.rating_count)

    def takes_orders(self, now: datetime) -> bool:
        """Whether they are open and not paused; how many orders they already have is the order room's question."""
        return self.open and (self.paused_until is None or self.paused_until <= now)


@dataclass(frozen=True, slots=True)
class OfferTerms:
    """What an offer promises and costs. Units: coins, seconds, days."""

    occasion: Occasion
    title: str
    price_coins: int
    duration_max_s: int
    delivery_days: int
    express_coins: int | None = None
    business_coins: int | None = None


class OfferChanges(TypedDict, total=False):
    """The parts of an offer that change; None takes the express delivery, or orders of businesses, away."""

    occasion: Occasion
    title: str
    price_coins: int
    duration_max_s: int
    delivery_days: int
    express_coins: int | None
    business_coins: int | None


@dataclass(frozen=True, slots=True)
class Offer:
    """Something a creator sells. Only an active one can be ordered; others are seen by their creator and staff.

    Units: coins, seconds, days. `express_coins` is the surcharge of a fast delivery, None where there is none;
    `business_coins` that of an order of a business, None where only private people are served.
    """

    id: ids.OfferId
    revision: int
    creator_id: ids.CreatorId
    occasion: Occasion
    title: str
    price_coins: int
    duration_max_s: int
    delivery_days: int
    express_coins: int | None
    active: bool
    created_at: datetime
    business_coins: int | None = None

    @property
    def terms(self) -> OfferTerms:
        """What the offer promises and costs."""
        return OfferTerms(**{name: getattr(self, name) for name in OfferTerms.__slots__})


def register(
    profile: Profile, *, creator_id: ids.CreatorId, user_id: ids.UserId, policy: policies.Policy, now: datetime
) -> Creator:
    """A new creator, open, with nothing to sell yet.

    Raises:
        ValidationError: a field of the profile breaks a rule (an `ExceptionGroup` where several do).
    """
    return Creator(
        id=creator_id,
        revision=1,
        user_id=user_id,
        **_fields(_checked(profile, policy)),
        open=True,
        paused_until=None,
        featured=False,
        rating_sum=0,
        rating_count=0,
        price_from_coins=None,
        created_at=now,
    )


def update(creator: Creator, changes: ProfileChanges, *, policy: policies.Policy) -> Creator:
    """The next revision with another profile.

    Raises:
        ValidationError: a field of the profile breaks a rule (an `ExceptionGroup` where several do).
    """
    profile = _checked(replace(creator.profile, **changes), policy)
    return replace(creator, revision=creator.revision + 1, **_fields(profile))


def reopen(creator: Creator) -> Creator:
    """Takes orders again, at once; one who does already is left as they are."""
    if creator.open and creator.paused_until is None:
        return creator
    return replace(creator, revision=creator.revision + 1, open=True, paused_until=None)


def pause(creator: Creator, *, until: datetime | None, now: datetime) -> Creator:
    """Takes no orders until a time, or until reopened where none is given.

    Raises:
        ValidationError: the time is past, or more than a year away.
    """
    if until is not None and not now < until <= now + PAUSE_MAX:
        msg = "until is in the future and at most a year away."
        raise errors.ValidationError(msg, code="OUT_OF_RANGE", path=("input", "until"))
    paused = replace(creator, open=until is not None, paused_until=until)
    return creator if paused == creator else replace(paused, revision=creator.revision + 1)


def leave(creator: Creator) -> Creator:
    """Takes neither orders nor gifts any more; one who does neither is left as they are."""
    off = replace(creator, open=False, paused_until=None, takes_gifts=False)
    return creator if off == creator else replace(off, revision=creator.revision + 1)


def take_gifts(creator: Creator) -> Creator:
    """Takes gifts again; one who does is left as they are."""
    return creator if creator.takes_gifts else replace(creator, revision=creator.revision + 1, takes_gifts=True)


def feature(creator: Creator, *, featured: bool) -> Creator:
    """Puts a creator among the featured ones, or takes them out."""
    same = creator.featured is featured
    return creator if same else replace(creator, revision=creator.revision + 1, featured=featured)


def offer(
    terms: OfferTerms, *, offer_id: ids.OfferId, creator_id: ids.CreatorId, policy: policies.Policy, now: datetime
) -> Offer:
    """A new offer, active.

    Raises:
        ValidationError: a field breaks a rule (an `ExceptionGroup` where several do).
    """
    checked = _fields(_checked_terms(terms, policy))
    return Offer(id=offer_id, revision=1, creator_id=creator_id, **checked, active=True, created_at=now)


def change_offer(was: Offer, changes: OfferChanges, *, policy: policies.Policy) -> Offer:
    """The next revision with other terms; orders keep the terms they were placed under.

    Raises:
        ValidationError: a field breaks a rule (an `ExceptionGroup` where several do).
    """
    terms = _checked_terms(replace(was.terms, **changes), policy)
    return replace(was, revision=was.revision + 1, **_fields(terms))


def switch_offer(was: Offer, *, active: bool) -> Offer:
    """Switches an offer on or off; one that is already so is left as it is."""
    return was if was.active is active else replace(was, revision=was.revision + 1, active=active)


def delivery_s(of: Offer, policy: policies.Policy, *, express: bool) -> int:
    """How long the creator has to deliver once they accepted. Units: seconds."""
    return policy.express_s if express else of.delivery_days * policies.DAY_S


def check_takes_orders(creator: Creator, *, now: datetime) -> None:
    """Refuses an order for a creator who is closed or paused.

    Raises:
        CreatorUnavailableError: the creator takes no orders now.
    """
    if not creator.open:
        raise errors.CreatorUnavailableError("This creator takes no orders now.", code="CREATOR_CLOSED")
    if not creator.takes_orders(now):
        raise errors.CreatorUnavailableError("This creator is on a break.", code="CREATOR_PAUSED")


def read_handle(text: str) -> str:
    """The handle that a person means: without the @ in front, in small letters."""
    return text.strip().removeprefix("@").lower()


def can_be_handle(text: str) -> bool:
    """Whether it is worth looking for somebody of this handle."""
    return _HANDLE.fullmatch(text) is not None


def sort_name(name: str) -> str:
    """The key by which names sort: without accents and case, so that Émile stands beside Emil."""
    parts = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c)).strip()[:SORT_CHARS_MAX]


def _fields(value: Profile | OfferTerms) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _checked(profile: Profile, policy: policies.Policy) -> Profile:
    tidied = replace(
        profile,
        handle=read_handle(profile.handle),
        name=tidy(profile.name),
        bio=tidy(profile.bio),
    )
    checks = Checks()
    _check_handle(checks, tidied.handle)
    checks.text("name", tidied.name, chars_max=NAME_CHARS_MAX)
    checks.text("bio", tidied.bio, chars_max=BIO_CHARS_MAX, lines=True, empty=True)
    checks.country("country", tidied.country)
    checks.count("categories", tidied.categories, 1, CATEGORIES_MAX)
    checks.count("languages", tidied.languages, 1, LANGUAGES_MAX)
    checks.languages("languages", tidied.languages)
    if tidied.avatar_url is not None and not _is_web_address(tidied.avatar_url):
        checks.add("avatarUrl", f"avatarUrl is an https address of at most {URL_CHARS_MAX} characters.", "INVALID_URL")
    if tidied.open_orders_max is not None:
        checks.between("openOrdersMax", tidied.open_orders_max, 1, policy.open_orders_max)
    checks.settle()
    return tidied


def _check_handle(checks: Checks, handle: str) -> None:
    if not _HANDLE.fullmatch(handle) or handle.startswith(".") or handle.endswith(".") or ".." in handle:
        msg = "handle has 2 to 30 small letters, digits, dots or underscores, and no dot at its ends."
        checks.add("handle", msg, "INVALID_HANDLE")
    elif handle in RESERVED:
        checks.add("handle", "This handle is kept for the platform.", "HANDLE_RESERVED")


def _is_web_address(text: str) -> bool:
    if len(text) > URL_CHARS_MAX or not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and parts.username is None


def _checked_terms(terms: OfferTerms, policy: policies.Policy) -> OfferTerms:
    tidied = replace(terms, title=tidy(terms.title))
    checks = Checks()
    checks.text("title", tidied.title, chars_max=TITLE_CHARS_MAX)
    checks.between("price", tidied.price_coins, policy.price_min_coins, policy.price_max_coins)
    checks.between("durationMaxSeconds", tidied.duration_max_s, DURATION_MIN_S, DURATION_MAX_S)
    checks.between("deliveryDays", tidied.delivery_days, 1, policy.delivery_s // policies.DAY_S)
    if tidied.express_coins is not None:
        checks.between("expressSurcharge", tidied.express_coins, 1, policy.price_max_coins)
    if tidied.business_coins is not None:
        checks.between("businessSurcharge", tidied.business_coins, 0, policy.price_max_coins)
    checks.settle()
    return tidied
