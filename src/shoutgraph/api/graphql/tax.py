"""The room of tax profiles: a creator certifies who is paid; finance and they themselves read it whole."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain.tax import SellerKind, Wish, masked
from shoutgraph.services import tax
from shoutgraph.services.tax import Shown

enums.describe(
    SellerKind,
    name="SellerKind",
    description="Who is paid.",
    values={SellerKind.PERSON: "A person.", SellerKind.COMPANY: "A company."},
)

TaxProfileSetError = Annotated[
    errors.ForbiddenErrorType | errors.IdempotencyKeyReusedErrorType | errors.ValidationErrorType,
    failures_of("taxProfileSet"),
]


@strawberry.type(name="TaxProfile", description="What a creator certified; most of it masked for moderators.")
class TaxProfileType:
    creator_id: strawberry.ID = strawberry.field(description="Whose it is.")
    version: int = strawberry.field(description="Goes up by one each time it is certified; the newest counts.")
    kind: SellerKind = strawberry.field(description="Who is paid.")
    legal_name: str = strawberry.field(description="Name as the tax office knows it.")
    address: str = strawberry.field(description="Where they live or are.")
    country: str = strawberry.field(description="ISO 3166-1 code of where they pay taxes.")
    tax_number: str = strawberry.field(description="Number that the tax office knows them by, in its shortest form.")
    birth_date: str | None = strawberry.field(description="When a person was born.")
    registration: str | None = strawberry.field(description="Where a company is registered, and its number.")
    certified_at: datetime = strawberry.field(description="When they certified that it is true and complete.")

    @classmethod
    def of(cls, shown: Shown) -> "TaxProfileType":
        """The graph's view of a tax profile."""
        profile = shown.profile
        born = None if profile.born_on is None else profile.born_on.isoformat()
        hide = (lambda text: text) if shown.whole else masked
        return cls(
            creator_id=strawberry.ID(profile.creator_id),
            version=profile.version,
            kind=profile.kind,
            legal_name=hide(profile.legal_name) or "",
            address=hide(profile.address) or "",
            country=profile.country,
            tax_number=hide(profile.tax_id) or "",
            birth_date=hide(born),
            registration=hide(profile.registration),
            certified_at=profile.certified_at,
        )


@strawberry.input(description="Input of taxProfileSet.")
class TaxProfileSetInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended version.")
    kind: SellerKind = strawberry.field(description="Who is paid.")
    legal_name: str = strawberry.field(description="Name as the tax office knows it; at most 200 characters.")
    address: str = strawberry.field(description="Where they live or are; at most 300 characters.")
    country: str = strawberry.field(description="ISO 3166-1 code of where they pay taxes.")
    tax_number: str = strawberry.field(description="Number that the tax office knows them by; its form is checked.")
    certified: bool = strawberry.field(description="Whether they certify that all of it is true and complete.")
    birth_date: str | None = strawberry.field(default=None, description="When a person was born, such as 2001-02-28.")
    registration: str | None = strawberry.field(
        default=None, description="Where a company is registered, and its number; at most 200 characters."
    )

    def read(self) -> Wish:
        """What is certified."""
        return Wish(
            kind=self.kind,
            legal_name=self.legal_name,
            address=self.address,
            country=self.country,
            tax_id=self.tax_number,
            birth_date=self.birth_date,
            registration=self.registration,
            certified=self.certified,
        )


@strawberry.type(description="Result of taxProfileSet.")
class TaxProfileSetPayload:
    tax_profile: TaxProfileType | None = mutations.outcome("The profile as it now is.")
    replayed: bool = mutations.replayed()
    errors: list[TaxProfileSetError] = mutations.refusals()


Certified = Annotated[TaxProfileSetInput, strawberry.argument(description="What is certified.")]
Whose = Annotated[strawberry.ID | None, strawberry.argument(description="Whose; the caller's own if not given.")]


@strawberry.type
class TaxQuery:
    @fields.resolver(
        description="The caller's tax profile, or anyone's with the scope FINANCE_READ; masked with MODERATION. "
        "Null where none was certified."
    )
    async def tax_profile(self, info: Info, creator_id: Whose = None) -> TaxProfileType | None:
        found = await tax.get(info.context.tools, info.context.viewer, creator_id)
        return None if found is None else TaxProfileType.of(found)


@strawberry.type
class TaxMutation:
    @mutations.mutation(
        description="Certifies who is paid, as a new version; payouts that wait for it go on by themselves."
    )
    async def tax_profile_set(self, info: Info, input: Certified) -> TaxProfileSetPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        done = await tax.set_profile(tools, viewer, request_of(viewer, "taxProfileSet", input), input.read())
        shown = TaxProfileType.of(Shown(done.value, whole=True))
        return TaxProfileSetPayload(tax_profile=shown, replayed=done.replayed)


ROOM: Final = Room(query=TaxQuery, mutation=TaxMutation)
