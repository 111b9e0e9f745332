"""What creators change of their own profile, and staff of whom the platform features."""

from datetime import datetime
from typing import Annotated, Final, cast

import strawberry

from shoutgraph.api.graphql import errors, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.creators import CreatorType
from shoutgraph.api.graphql.directives import requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.domain import ids
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import Profile, ProfileChanges
from shoutgraph.domain.users import Scope
from shoutgraph.services import creators

_REVISION: Final = "Revision the caller read; null gives up the check."
_CHANGED = errors.ForbiddenErrorType | errors.StaleRevisionErrorType

CreatorRegisterError = Annotated[
    errors.AgeRestrictedErrorType
    | errors.FeatureUnavailableErrorType
    | errors.ForbiddenErrorType
    | errors.ValidationErrorType,
    failures_of("creatorRegister"),
]
CreatorUpdateError = Annotated[_CHANGED | errors.ValidationErrorType, failures_of("creatorUpdate")]
CreatorOpenError = Annotated[_CHANGED | errors.FeatureUnavailableErrorType, failures_of("creatorOpen")]
CreatorPauseError = Annotated[_CHANGED | errors.ValidationErrorType, failures_of("creatorPause")]
CreatorFeatureError = Annotated[
    _CHANGED | errors.NotFoundErrorType | errors.ValidationErrorType, failures_of("creatorFeature")
]


@strawberry.input(description="Input of creatorRegister.")
class CreatorRegisterInput:
    handle: str = strawberry.field(description="Unique: 2 to 30 of a-z, 0-9, dot and underscore.")
    name: str = strawberry.field(description="What to be called, at most 60 characters.")
    country: str = strawberry.field(description="ISO 3166-1 code of where the creator lives.")
    categories: list[Category] = strawberry.field(description="What to be known for, 1 to 5.")
    languages: list[str] = strawberry.field(description="BCP 47 tags of the languages on video, 1 to 10.")
    bio: str | None = strawberry.field(default=None, description="At most 1,000 characters.")
    avatar_url: str | None = strawberry.field(default=None, description="Picture, an https address.")
    open_orders_max: int | None = strawberry.field(
        default=None, description="How many open orders to take; null for the policy's limit."
    )


@strawberry.type(description="Result of creatorRegister.")
class CreatorRegisterPayload:
    creator: CreatorType | None = mutations.outcome("The new profile.")
    errors: list[CreatorRegisterError] = mutations.refusals()


@strawberry.input(description="Input of creatorUpdate. What is left out stays.")
class CreatorUpdateInput:
    handle: str | None = strawberry.field(default=None, description="Unique: 2 to 30 of a-z, 0-9, dot and underscore.")
    name: str | None = strawberry.field(default=None, description="What to be called, at most 60 characters.")
    country: str | None = strawberry.field(default=None, description="ISO 3166-1 code of where the creator lives.")
    categories: list[Category] | None = strawberry.field(default=None, description="What to be known for, 1 to 5.")
    languages: list[str] | None = strawberry.field(
        default=None, description="BCP 47 tags of the languages on video, 1 to 10."
    )
    bio: str | None = strawberry.field(default=None, description="At most 1,000 characters; empty clears it.")
    avatar_url: str | None = strawberry.field(
        default=strawberry.UNSET, description="Picture, an https address; null clears it."
    )
    open_orders_max: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many open orders to take; null for the policy's limit."
    )
    takes_gifts: bool | None = strawberry.field(default=None, description="Whether to take gifts.")
    named_in_proofs: bool | None = strawberry.field(
        default=None, description="Whether verifyVideo names you to whoever holds one of your videos."
    )
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)

    def read(self) -> ProfileChanges:
        """The parts of the profile that change."""
        names = ("handle", "name", "country", "categories", "languages", "bio", "takes_gifts", "named_in_proofs")
        changes = {name: value for name in names if (value := getattr(self, name)) is not None}
        lists = {name: tuple(value) for name, value in changes.items() if isinstance(value, list)}
        clearable = {"avatar_url": self.avatar_url, "open_orders_max": self.open_orders_max}
        given = {name: value for name, value in clearable.items() if value is not strawberry.UNSET}
        return cast("ProfileChanges", changes | lists | given)


@strawberry.type(description="Result of creatorUpdate.")
class CreatorUpdatePayload:
    creator: CreatorType | None = mutations.outcome("The profile as it now is.")
    errors: list[CreatorUpdateError] = mutations.refusals()


@strawberry.input(description="Input of creatorOpen.")
class CreatorOpenInput:
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)


@strawberry.type(description="Result of creatorOpen.")
class CreatorOpenPayload:
    creator: CreatorType | None = mutations.outcome("The profile, open.")
    errors: list[CreatorOpenError] = mutations.refusals()


@strawberry.input(description="Input of creatorPause.")
class CreatorPauseInput:
    until: datetime | None = strawberry.field(
        default=None, description="When orders are taken again, at most a year away; null means until creatorOpen."
    )
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)


@strawberry.type(description="Result of creatorPause.")
class CreatorPausePayload:
    creator: CreatorType | None = mutations.outcome("The profile, paused.")
    errors: list[CreatorPauseError] = mutations.refusals()


@strawberry.input(description="Input of creatorFeature.")
class CreatorFeatureInput:
    creator_id: strawberry.ID = strawberry.field(description="Whom.")
    featured: bool = strawberry.field(description="Whether to feature them.")
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)


@strawberry.type(description="Result of creatorFeature.")
class CreatorFeaturePayload:
    creator: CreatorType | None = mutations.outcome("The creator, featured or not.")
    errors: list[CreatorFeatureError] = mutations.refusals()


Registered = Annotated[CreatorRegisterInput, strawberry.argument(description="The profile.")]
Updated = Annotated[CreatorUpdateInput, strawberry.argument(description="What to change.")]
Opened = Annotated[CreatorOpenInput, strawberry.argument(description="Which revision.")]
Paused = Annotated[CreatorPauseInput, strawberry.argument(description="Until when.")]
Featured = Annotated[CreatorFeatureInput, strawberry.argument(description="Whom to feature.")]


@strawberry.type
class ProfileMutation:
    @mutations.mutation(description="Makes the caller a creator. The same registration again gives the same profile.")
    async def creator_register(self, info: Info, input: Registered) -> CreatorRegisterPayload | None:
        profile = Profile(
            handle=input.handle,
            name=input.name,
            country=input.country,
            categories=tuple(input.categories),
            languages=tuple(input.languages),
            bio=input.bio or "",
            avatar_url=input.avatar_url,
            open_orders_max=input.open_orders_max,
        )
        creator = await creators.register(info.context.tools, info.context.viewer, profile)
        return CreatorRegisterPayload(creator=CreatorType.of(creator))

    @mutations.mutation(description="Changes the caller's own profile.")
    async def creator_update(self, info: Info, input: Updated) -> CreatorUpdatePayload | None:
        context, revision = info.context, input.expected_revision
        creator = await creators.update(context.tools, context.viewer, input.read(), expected_revision=revision)
        return CreatorUpdatePayload(creator=CreatorType.of(creator))

    @mutations.mutation(description="Takes orders again, at once; the break, if any, is over.")
    async def creator_open(self, info: Info, input: Opened) -> CreatorOpenPayload | None:
        context, revision = info.context, input.expected_revision
        creator = await creators.reopen(context.tools, context.viewer, expected_revision=revision)
        return CreatorOpenPayload(creator=CreatorType.of(creator))

    @mutations.mutation(description="Takes no new orders for a while; open ones go on.")
    async def creator_pause(self, info: Info, input: Paused) -> CreatorPausePayload | None:
        context, revision = info.context, input.expected_revision
        creator = await creators.pause(context.tools, context.viewer, until=input.until, expected_revision=revision)
        return CreatorPausePayload(creator=CreatorType.of(creator))

    @mutations.mutation(
        description="Puts a creator among the featured ones, or takes them out.",
        directives=[requires(Scope.CATALOGUE_MANAGE)],
    )
    async def creator_feature(self, info: Info, input: Featured) -> CreatorFeaturePayload | None:
        context, revision = info.context, input.expected_revision
        creator_id = ids.parse(ids.CREATOR, input.creator_id, path=("input", "creatorId"))
        creator = await creators.feature(
            context.tools, context.viewer, creator_id, featured=input.featured, expected_revision=revision
        )
        return CreatorFeaturePayload(creator=CreatorType.of(creator))


ROOM: Final = Room(mutation=ProfileMutation)
