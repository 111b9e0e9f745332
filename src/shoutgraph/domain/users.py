"""Who asks, and what they may do.

A viewer is what authentication made of a bearer token or an API key. Scopes are what staff and internal
tools hold; people act on their own wallet, orders and creator profile without one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids


class Scope(StrEnum):
    """What a token or API key may do beyond its own user's affairs."""

    ORDERS_READ = "orders:read"
    EVENTS_READ = "events:read"
    MODERATION = "moderation"
    FINANCE_READ = "finance:read"
    FINANCE_MANAGE = "finance:manage"
    CATALOGUE_MANAGE = "catalogue:manage"
    ADMIN = "admin"


ROLES: Final[dict[str, frozenset[Scope]]] = {
    "user": frozenset(),
    "moderator": frozenset({Scope.ORDERS_READ, Scope.MODERATION}),
    "finance": frozenset({Scope.ORDERS_READ, Scope.FINANCE_READ, Scope.FINANCE_MANAGE}),
    "service": frozenset({Scope.ORDERS_READ, Scope.EVENTS_READ}),
    "admin": frozenset(Scope),
}
"""The scopes of each role that a token may name."""


@dataclass(frozen=True, slots=True)
class User:
    """A person. Personal data stays in the users table; everything else knows only the id."""

    id: ids.UserId
    revision: int
    display_name: str
    country: str
    locked: bool
    created_at: datetime


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
