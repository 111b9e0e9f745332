"""The schema directives: cost, list sizes, scopes and cache hints, all of them visible in the SDL."""

from enum import StrEnum
from typing import Final

import strawberry
from strawberry.schema_directive import Location

from shoutgraph.api.graphql import enums
from shoutgraph.domain.users import Scope

enums.describe(
    Scope,
    name="Scope",
    description="What a token or API key may do beyond its own user's affairs.",
    values={
        Scope.ORDERS_READ: "Read any order.",
        Scope.EVENTS_READ: "Read the events of all orders.",
        Scope.MODERATION: "Screen briefs, review videos and settle disputes.",
        Scope.FINANCE_READ: "Read the ledger, top-ups and payouts.",
        Scope.FINANCE_MANAGE: "Decide about payouts and unlock wallets.",
        Scope.CATALOGUE_MANAGE: "Choose the featured creators.",
        Scope.WEBHOOKS_MANAGE: "Say who is told of events by HTTP.",
        Scope.AUDIT: "Read what members of staff did, and why.",
        Scope.ADMIN: "Everything.",
    },
)


class CacheScope(StrEnum):
    """Who may store a cached response."""

    PUBLIC = "public"
    PRIVATE = "private"


enums.describe(
    CacheScope,
    name="CacheScope",
    description="Who may store a cached response.",
    values={CacheScope.PUBLIC: "Any cache.", CacheScope.PRIVATE: "The caller's cache only."},
)


@strawberry.schema_directive(
    name="cost",
    locations=[Location.FIELD_DEFINITION, Location.ARGUMENT_DEFINITION, Location.OBJECT, Location.SCALAR],
    description="Static cost of a field or argument (IBM cost spec); default 1 for objects, 0 for scalars.",
)
class Cost:
    weight: str = strawberry.field(name="weight", description="Weight as a decimal string.")


@strawberry.schema_directive(
    name="listSize",
    locations=[Location.FIELD_DEFINITION],
    description="How many items a list field can return (IBM cost spec).",
)
class ListSize:
    assumed_size: int | None = strawberry.field(
        name="assumedSize",
        default=strawberry.UNSET,
        description="Size assumed when no slicing argument bounds it.",
    )
    slicing_arguments: list[str] | None = strawberry.field(
        name="slicingArguments", default=strawberry.UNSET, description="Arguments that bound the size."
    )
    sized_fields: list[str] | None = strawberry.field(
        name="sizedFields", default=strawberry.UNSET, description="Child fields the bound applies to."
    )


@strawberry.schema_directive(
    name="requiresScope",
    locations=[Location.FIELD_DEFINITION],
    description="Any one of these scopes is needed; without one the field is null and errors[] says FORBIDDEN.",
)
class RequiresScope:
    any_of: list[Scope] = strawberry.field(name="anyOf", description="Accepted scopes.")


@strawberry.schema_directive(
    name="rateLimited",
    locations=[Location.FIELD_DEFINITION],
    description="A root field that may be asked only so often by one caller, whatever it costs.",
)
class RateLimited:
    per_minute: int = strawberry.field(name="perMinute", description="How often in a minute.")


def requires(*any_of: Scope) -> RequiresScope:
    """The directive that lets only viewers with one of these scopes read a field; the schema enforces it."""
    return RequiresScope(any_of=list(any_of))


GUESSABLE: Final = RateLimited(per_minute=30)
"""On every field that tells whether a secret or a file is known."""

PAGED: Final = ListSize(slicing_arguments=["first", "last"], sized_fields=["edges", "nodes"])
"""On every field that returns a connection."""
