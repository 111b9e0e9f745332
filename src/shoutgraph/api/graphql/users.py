"""The viewer: who is asking, and what they change of themselves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, loaders, mutations
from shoutgraph.api.graphql.closures import ClosureType
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.creators import CreatorType, fetch_creators
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.features.state import STATES_MAX, FeatureStateType
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.privacy import DataExportType, ErasureType
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.waitlist.entry import WaitlistEntryType
from shoutgraph.api.graphql.wallets import WalletType
from shoutgraph.domain import countries, ids
from shoutgraph.domain.ages import Attested
from shoutgraph.domain.users import Scope, User, UserChanges, Viewer
from shoutgraph.services import features, users, wallets
from shoutgraph.services.orders import waiting
from shoutgraph.services.privacy import close, erase, export

enums.describe(
    Attested,
    name="AgeAttestation",
    description="Who vouches for a date of birth.",
    values={
        Attested.SELF: "The user says so.",
        Attested.IDENTITY: "The provider that signs them in says so.",
        Attested.STAFF: "Somebody of the platform saw a proof.",
    },
)


@strawberry.type(name="User", description="A person, as they see themselves; nobody else but administrators does.")
class UserType(NodeType):
    revision: int = strawberry.field(description="Goes up by one at each change; send it as expectedRevision.")
    display_name: str = strawberry.field(description="What they are called.")
    country: str | None = strawberry.field(description="ISO 3166-1 code of where they live; null until known.")
    locked: bool = strawberry.field(description="Whether staff closed the account to purchases.")
    created_at: datetime = strawberry.field(description="When they were registered.")

    @loaders.batch(description="When they were born; null until somebody said, and for everybody else.")
    @staticmethod
    async def birth_date(parents: "list[UserType]", context: Context) -> list[str | None]:
        found = await users.births_of(context.tools, context.viewer, [parent.id for parent in parents])
        return [None if birth is None else birth.born_on.isoformat() for birth in found]

    @loaders.batch(description="Who vouches for the date of birth; null until somebody said.")
    @staticmethod
    async def birth_date_attested(parents: "list[UserType]", context: Context) -> list[Attested | None]:
        found = await users.births_of(context.tools, context.viewer, [parent.id for parent in parents])
        return [None if birth is None else birth.attested for birth in found]

    @classmethod
    def of(cls, user: User) -> "UserType":
        """The graph's view of a user."""
        return cls(
            id=strawberry.ID(user.id),
            revision=user.revision,
            display_name=user.display_name,
            country=None if user.country == countries.UNKNOWN else user.country,
            locked=user.locked,
            created_at=user.created_at,
        )


@strawberry.type(name="Viewer", description="The one who asks.")
class ViewerType:
    value: strawberry.Private[Viewer]
    is_authenticated: bool = strawberry.field(description="Whether a valid token came with the request.")
    scopes: list[Scope] = strawberry.field(
        description="What the token may do beyond the user's own affairs.", directives=[ListSize(assumed_size=10)]
    )

    @classmethod
    def of(cls, viewer: Viewer) -> "ViewerType":
        """The graph's view of a viewer."""
        return cls(value=viewer, is_authenticated=viewer.principal != "anonymous", scopes=sorted(viewer.scopes))

    @fields.resolver(
        description="What is on for them, and why not where it is off; also every way to buy coins. Ask again when "
        "featureEvents tells of a change.",
        directives=[ListSize(assumed_size=STATES_MAX)],
    )
    async def features(self, info: Info) -> list[FeatureStateType]:
        found = await features.of_viewer(info.context.tools, self.value)
        return [FeatureStateType.of(state) for state in found[:STATES_MAX]]

    @fields.resolver(description="The person; null for internal tools and before signing in.")
    async def user(self, info: Info) -> UserType | None:
        return await info.context.load(fetch_users, self.value.user_id) if self.value.user_id else None

    @fields.resolver(description="Their coins; null for internal tools and before signing in.")
    async def wallet(self, info: Info) -> WalletType | None:
        return None if self.value.user_id is None else WalletType.of(await wallets.get(info.context.tools, self.value))

    @fields.resolver(description="The last copy that they asked for of what is kept about them; null if there is none.")
    async def data_export(self, info: Info) -> DataExportType | None:
        found = await export.newest(info.context.tools, self.value)
        return None if found is None else DataExportType.of(found)

    @fields.resolver(description="Whether they asked to be erased, and where that stands; null if they did not.")
    async def erasure(self, info: Info) -> ErasureType | None:
        found = await erase.newest(info.context.tools, self.value)
        return None if found is None else ErasureType.of(found)

    @fields.resolver(description="Where the closure of their account stands; null if they did not ask for it.")
    async def closure(self, info: Info) -> ClosureType | None:
        found = await close.get(info.context.tools, self.value)
        return None if found is None else ClosureType.of(found)

    @fields.resolver(description="Their creator profile; null for those who only order.")
    async def creator(self, info: Info) -> CreatorType | None:
        return await info.context.load(fetch_creators, self.value.creator_id) if self.value.creator_id else None

    @fields.resolver(
        description="Where they are in line, the longest wait first.",
        directives=[ListSize(assumed_size=waiting.LINES_MAX)],
    )
    async def waitlist_entries(self, info: Info) -> list[WaitlistEntryType]:
        return [WaitlistEntryType.of(entry) for entry in await waiting.list_mine(info.context.tools, self.value)]


UserUpdateError = Annotated[
    errors.ForbiddenErrorType | errors.StaleRevisionErrorType | errors.ValidationErrorType, failures_of("userUpdate")
]


@strawberry.input(description="Input of userUpdate. What is left out stays.")
class UserUpdateInput:
    display_name: str | None = strawberry.field(default=None, description="What to be called.")
    country: str | None = strawberry.field(default=None, description="ISO 3166-1 code of where the user lives.")
    birth_date: str | None = strawberry.field(
        default=None, description="When the user was born, such as 2001-02-28. Said once; support can correct it."
    )
    expected_revision: int | None = strawberry.field(
        default=None, description="Revision the caller read; null gives up the check."
    )


@strawberry.type(description="Result of userUpdate.")
class UserUpdatePayload:
    user: UserType | None = mutations.outcome("The user as they now are.")
    errors: list[UserUpdateError] = mutations.refusals()


@strawberry.type
class UserQuery:
    @fields.resolver(description="The one who asks.")
    def viewer(self, info: Info) -> ViewerType | None:
        return ViewerType.of(info.context.viewer)


@strawberry.type
class UserMutation:
    @mutations.mutation(description="Changes what the caller is called, or where they live; says when they were born.")
    async def user_update(
        self, info: Info, input: Annotated[UserUpdateInput, strawberry.argument(description="What to change.")]
    ) -> UserUpdatePayload | None:
        changes = UserChanges()
        if input.display_name is not None:
            changes["display_name"] = input.display_name
        if input.country is not None:
            changes["country"] = input.country
        context, revision = info.context, input.expected_revision
        user = await users.update(
            context.tools, context.viewer, changes, expected_revision=revision, birth_date=input.birth_date
        )
        return UserUpdatePayload(user=UserType.of(user))


async def fetch_users(context: Context, user_ids: Sequence[str]) -> list[UserType | None]:
    """Users by id, null where the caller may not see them."""
    found = await users.list_visible(context.tools, context.viewer, user_ids)
    return [None if user is None else UserType.of(user) for user in found]


ROOM: Final = Room(query=UserQuery, mutation=UserMutation, nodes={ids.USER: fetch_users})
