"""The room of access: administrators register users and make API keys for internal tools."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.users import UserType
from shoutgraph.domain import ids
from shoutgraph.domain.api_keys import ApiKey
from shoutgraph.domain.users import Scope
from shoutgraph.services import api_keys, users

_ADMIN = [requires(Scope.ADMIN)]

UserRegisterError = Annotated[errors.ForbiddenErrorType | errors.ValidationErrorType, failures_of("userRegister")]
UserBirthDateCorrectError = Annotated[
    errors.ForbiddenErrorType | errors.NotFoundErrorType | errors.ValidationErrorType,
    failures_of("userBirthDateCorrect"),
]
ApiKeyCreateError = Annotated[errors.ForbiddenErrorType | errors.ValidationErrorType, failures_of("apiKeyCreate")]
ApiKeyRevokeError = Annotated[
    errors.ForbiddenErrorType | errors.NotFoundErrorType | errors.ValidationErrorType, failures_of("apiKeyRevoke")
]


@strawberry.type(name="ApiKey", description="What lets an internal tool in; its secret is shown once, when it is made.")
class ApiKeyType:
    id: strawberry.ID = strawberry.field(description="Global id.")
    label: str = strawberry.field(description="Whom it is for.")
    scopes: list[Scope] = strawberry.field(description="What it may do.", directives=[ListSize(assumed_size=10)])
    created_at: datetime = strawberry.field(description="When it was made.")
    revoked_at: datetime | None = strawberry.field(description="When it ended.")

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyType":
        """The graph's view of a key."""
        return cls(
            id=strawberry.ID(key.id),
            label=key.label,
            scopes=sorted(key.scopes),
            created_at=key.created_at,
            revoked_at=key.revoked_at,
        )


@strawberry.input(description="Input of userRegister.")
class UserRegisterInput:
    display_name: str = strawberry.field(description="What to be called.")
    country: str = strawberry.field(description="ISO 3166-1 code of where the user lives.")
    birth_date: str | None = strawberry.field(
        default=None, description="When they were born, such as 2001-02-28, where somebody saw a proof."
    )


@strawberry.type(description="Result of userRegister.")
class UserRegisterPayload:
    user: UserType | None = mutations.outcome("The new user; a local token for it names this id.")
    errors: list[UserRegisterError] = mutations.refusals()


@strawberry.input(description="Input of apiKeyCreate.")
class ApiKeyCreateInput:
    label: str = strawberry.field(description="Whom it is for; at most 100 characters.")
    scopes: list[Scope] = strawberry.field(description="What it may do.")


@strawberry.type(description="Result of apiKeyCreate.")
class ApiKeyCreatePayload:
    api_key: ApiKeyType | None = mutations.outcome("The new key.")
    token: str | None = strawberry.field(default=None, description="What the tool sends as a bearer token; shown once.")
    errors: list[ApiKeyCreateError] = mutations.refusals()


@strawberry.input(description="Input of apiKeyRevoke.")
class ApiKeyRevokeInput:
    api_key_id: strawberry.ID = strawberry.field(description="Which key.")


@strawberry.type(description="Result of apiKeyRevoke.")
class ApiKeyRevokePayload:
    revoked: bool | None = mutations.outcome("True once it has ended.")
    errors: list[ApiKeyRevokeError] = mutations.refusals()


@strawberry.input(description="Input of userBirthDateCorrect.")
class UserBirthDateCorrectInput:
    user_id: strawberry.ID = strawberry.field(description="Whose.")
    birth_date: str = strawberry.field(description="When they were born, such as 2001-02-28.")


@strawberry.type(description="Result of userBirthDateCorrect.")
class UserBirthDateCorrectPayload:
    user: UserType | None = mutations.outcome("The user.")
    errors: list[UserBirthDateCorrectError] = mutations.refusals()


Corrected = Annotated[UserBirthDateCorrectInput, strawberry.argument(description="Whose, and what.")]
Registered = Annotated[UserRegisterInput, strawberry.argument(description="Whom.")]
Made = Annotated[ApiKeyCreateInput, strawberry.argument(description="For whom, and what for.")]
Revoked = Annotated[ApiKeyRevokeInput, strawberry.argument(description="Which key.")]


@strawberry.type
class AccessQuery:
    @fields.resolver(
        description="The API keys of internal tools, the oldest first.",
        directives=[*_ADMIN, ListSize(assumed_size=50)],
    )
    async def api_keys(self, info: Info) -> list[ApiKeyType] | None:
        found = await api_keys.list_all(info.context.tools, info.context.viewer)
        return [ApiKeyType.of(key) for key in found]


@strawberry.type
class AccessMutation:
    @mutations.mutation(description="Registers a user of this deployment's own tokens.", directives=_ADMIN)
    async def user_register(self, info: Info, input: Registered) -> UserRegisterPayload | None:
        user = await users.register(
            info.context.tools,
            info.context.viewer,
            display_name=input.display_name,
            country=input.country,
            birth_date=input.birth_date,
        )
        return UserRegisterPayload(user=UserType.of(user))

    @mutations.mutation(
        description="Says when a user was born, in the place of what was known; their userEvents tell of it.",
        directives=_ADMIN,
    )
    async def user_birth_date_correct(self, info: Info, input: Corrected) -> UserBirthDateCorrectPayload | None:
        context = info.context
        user = await users.correct_birth_date(context.tools, context.viewer, input.user_id, input.birth_date)
        return UserBirthDateCorrectPayload(user=UserType.of(user))

    @mutations.mutation(description="Makes an API key for an internal tool.", directives=_ADMIN)
    async def api_key_create(self, info: Info, input: Made) -> ApiKeyCreatePayload | None:
        tools = info.context.tools
        key, token = await api_keys.create(
            tools, info.context.viewer, label=input.label, scopes=input.scopes, new_secret=tools.new_secret
        )
        return ApiKeyCreatePayload(api_key=ApiKeyType.of(key), token=token)

    @mutations.mutation(description="Ends an API key.", directives=_ADMIN)
    async def api_key_revoke(self, info: Info, input: Revoked) -> ApiKeyRevokePayload | None:
        key_id = ids.parse(ids.API_KEY, input.api_key_id, path=("input", "apiKeyId"))
        await api_keys.revoke(info.context.tools, info.context.viewer, key_id)
        return ApiKeyRevokePayload(revoked=True)


ROOM: Final = Room(query=AccessQuery, mutation=AccessMutation)
