"""Who asks, and what they may do.

A viewer is what authentication made of a bearer token or an API key. Scopes are what staff and internal
tools hold; people act on their own wallet, orders and creator profile without one.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypedDict

from shoutgraph.domain import countries, errors, ids
from shoutgraph.domain.checks import Checks, tidy

DISPLAY_NAME_CHARS_MAX: Final = 60
SUBJECT_CHARS_MAX: Final = 500
NAMELESS: Final = "Someone"
"""What a user is called until they say their name."""


class Scope(StrEnum):
    """What a token or API key may do beyond its own user's affairs."""

    ORDERS_READ = "orders:read"
    EVENTS_READ = "events:read"
    MODERATION = "moderation"
    FINANCE_READ = "finance:read"
    FINANCE_MANAGE = "finance:manage"
    CATALOGUE_MANAGE = "catalogue:manage"
    AUDIT = "audit"
    WEBHOOKS_MANAGE = "webhooks:manage"
    ADMIN = "admin"


ROLES: Final[dict[str, frozenset[Scope]]] = {
    "user": frozenset(),
    "moderator": frozenset({Scope.ORDERS_READ, Scope.MODERATION}),
    "finance": frozenset({Scope.ORDERS_READ, Scope.FINANCE_READ, Scope.FINANCE_MANAGE}),
    "auditor": frozenset({Scope.AUDIT}),
    "service": frozenset({Scope.ORDERS_READ, Scope.EVENTS_READ}),
    "admin": frozenset(Scope),
}
"""The scopes of each role that a token may name."""


@dataclass(frozen=True, slots=True)
class User:
    """A person. Personal data stays in the users table; everything else knows only the id.

    `subject` is who an OpenID Connect provider says they are, as `issuer|sub`; None for users of our own tokens.
    `country` is `ZZ` until it is known. Who was erased is nobody any more: only the id is left.
    """

    id: ids.UserId
    revision: int
    display_name: str
    country: str
    locked: bool
    created_at: datetime
    subject: str | None = None
    closed_at: datetime | None = None
    erased_at: datetime | None = None

    def check_stays(self) -> None:
        """Refuses to put anything on the market for an account that its owner closes.

        Raises:
            ForbiddenError: it closes, or is closed.
        """
        if self.closed_at is not None:
            msg = "This account is closing, so nothing new begins here. Its owner can take that back while it closes."
            raise errors.ForbiddenError(msg, code="ACCOUNT_CLOSED")

    def check_open(self) -> None:
        """Refuses to begin anything new in an account that is locked, or that its owner closes.

        Raises:
            WalletLockedError: it is.
        """
        if self.locked or self.closed_at is not None:
            raise locked_out(locked=self.locked)


class UserChanges(TypedDict, total=False):
    """What a person may change of themselves."""

    display_name: str
    country: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a valid token speaks for.

    A token of our own (no `issuer`) names a user by id in `subject`; one of an OpenID Connect provider names a
    person in the provider's words, and may say what they are called, where they live and when they were born.
    """

    subject: str
    issuer: str | None = None
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    expires_at: datetime | None = None
    issued_at: datetime | None = None
    display_name: str | None = None
    country: str | None = None
    birth_date: str | None = None

    @property
    def full_subject(self) -> str | None:
        """The person across all issuers, or None for a token of our own."""
        return None if self.issuer is None else f"{self.issuer}|{self.subject}"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The one who asks: a user, an internal tool (an API key without a user), or nobody."""

    user_id: ids.UserId | None = None
    creator_id: ids.CreatorId | None = None
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    principal: str = "anonymous"
    expires_at: datetime | None = None

    def has(self, *any_of: Scope) -> bool:
        """Whether the viewer holds any of these scopes; `ADMIN` stands for all."""
        return Scope.ADMIN in self.scopes or any(scope in self.scopes for scope in any_of)

    def require(self, *any_of: Scope) -> None:
        """Refuses a viewer without any of these scopes.

        Raises:
            UnauthenticatedError: nobody is signed in.
            ForbiddenError: the viewer holds none of the scopes.
        """
        if self.has(*any_of):
            return
        if self.principal == "anonymous":
            raise errors.UnauthenticatedError("Sign in to do this.")
        names = " or ".join(sorted(any_of))
        raise errors.ForbiddenError(f"This needs the scope {names}.")

    def require_user(self) -> ids.UserId:
        """The id of the signed-in user.

        Raises:
            UnauthenticatedError: nobody is signed in.
            ForbiddenError: the caller is an internal tool, not a person.
        """
        if self.user_id is not None:
            return self.user_id
        if self.principal == "anonymous":
            raise errors.UnauthenticatedError("Sign in to do this.")
        raise errors.ForbiddenError("Only a person can do this, not an internal tool.")

    def require_creator(self) -> ids.CreatorId:
        """The id of the viewer's own creator profile.

        Raises:
            UnauthenticatedError: nobody is signed in.
            ForbiddenError: the viewer has no creator profile.
        """
        self.require_user()
        if self.creator_id is None:
            raise errors.ForbiddenError("Only a creator can do this.", code="NOT_A_CREATOR")
        return self.creator_id


ANONYMOUS: Final = Viewer()

SYSTEM: Final = Viewer(scopes=frozenset({Scope.ADMIN}), principal="system")
"""The operator at the command line, who loads prices and registers users."""


class CallerKind(StrEnum):
    """Kinds of callers."""

    ANONYMOUS = "anonymous"
    PERSON = "person"
    STAFF = "staff"


def kind_of(viewer: Viewer) -> CallerKind:
    """Nobody who is known, one person who acts on their own affairs, or staff and tools."""
    if viewer.principal == ANONYMOUS.principal:
        return CallerKind.ANONYMOUS
    return CallerKind.PERSON if viewer.user_id is not None and not viewer.scopes else CallerKind.STAFF


def register(*, user_id: ids.UserId, display_name: str, country: str, now: datetime) -> User:
    """A new user.

    Raises:
        ValidationError: the name or the country breaks a rule (an `ExceptionGroup` where both do).
    """
    user = User(user_id, 1, display_name, country, locked=False, created_at=now)
    return replace(update(user, {"display_name": display_name, "country": country}), revision=1)


def provision(principal: Principal, *, user_id: ids.UserId, now: datetime) -> User:
    """The user of a person whom a provider vouches for, seen for the first time.

    What the provider says of them is a hint: a name or a country that breaks a rule is left out.

    Raises:
        UnauthenticatedError: the provider's words are too long to be kept.
    """
    subject = principal.full_subject
    assert subject is not None, "only a provider's person is provisioned"
    if len(subject) > SUBJECT_CHARS_MAX:
        raise errors.UnauthenticatedError("The token's issuer and subject are too long.")
    name = tidy(principal.display_name or "")[:DISPLAY_NAME_CHARS_MAX]
    country = principal.country or countries.UNKNOWN
    return User(
        user_id,
        1,
        name if name and name.isprintable() else NAMELESS,
        country if countries.is_country(country) else countries.UNKNOWN,
        locked=False,
        created_at=now,
        subject=subject,
    )


def update(user: User, changes: UserChanges) -> User:
    """The next revision of a user.

    Raises:
        ValidationError: the name or the country breaks a rule (an `ExceptionGroup` where both do).
    """
    display_name = tidy(changes.get("display_name", user.display_name))
    country = changes.get("country", user.country)
    checks = Checks()
    checks.text("displayName", display_name, chars_max=DISPLAY_NAME_CHARS_MAX)
    if country != user.country or country != countries.UNKNOWN:
        checks.country("country", country)
    checks.settle()
    return replace(user, revision=user.revision + 1, display_name=display_name, country=country)


def locked_out(*, locked: bool) -> errors.WalletLockedError:
    """Why somebody begins nothing new: staff or a charge-back locked them, or their account closes."""
    if locked:
        return errors.WalletLockedError()
    msg = "This account is closing, so nothing new begins here. Its owner can take that back while it closes."
    return errors.WalletLockedError(msg, code="ACCOUNT_CLOSED")
