"""What creators change of their own offers."""

from typing import Annotated, Final, cast

import strawberry

from shoutgraph.api.graphql import errors, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.creators import OfferType
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.domain import ids
from shoutgraph.domain.creators import OfferChanges, OfferTerms
from shoutgraph.domain.money import Coins
from shoutgraph.domain.orders.order import Occasion
from shoutgraph.services import offers

_REVISION: Final = "Revision the caller read; null gives up the check."
_CHANGED = (
    errors.ForbiddenErrorType | errors.NotFoundErrorType | errors.StaleRevisionErrorType | errors.ValidationErrorType
)

OfferCreateError = Annotated[
    errors.ForbiddenErrorType | errors.LimitExceededErrorType | errors.ValidationErrorType, failures_of("offerCreate")
]
OfferUpdateError = Annotated[_CHANGED, failures_of("offerUpdate")]
OfferActivateError = Annotated[_CHANGED, failures_of("offerActivate")]
OfferDeactivateError = Annotated[_CHANGED, failures_of("offerDeactivate")]


@strawberry.input(description="Input of offerCreate.")
class OfferCreateInput:
    occasion: Occasion = strawberry.field(description="What the video is for.")
    title: str = strawberry.field(description="What it is called, at most 80 characters.")
    price: Coins = strawberry.field(description="What it costs, within the policy's limits.")
    duration_max_seconds: int = strawberry.field(description="Longest video, 5 to 600 seconds.")
    delivery_days: int = strawberry.field(description="Days to deliver after accepting, within the policy's limit.")
    express_surcharge: Coins | None = strawberry.field(
        default=None, description="What a fast delivery costs more; null to offer none."
    )
    business_surcharge: Coins | None = strawberry.field(
        default=None, description="What an order of a business costs more, 0 for nothing; null to serve private people."
    )


@strawberry.type(description="Result of offerCreate.")
class OfferCreatePayload:
    offer: OfferType | None = mutations.outcome("The offer, on sale.")
    errors: list[OfferCreateError] = mutations.refusals()


@strawberry.input(description="Input of offerUpdate. What is left out stays.")
class OfferUpdateInput:
    offer_id: strawberry.ID = strawberry.field(description="Which offer.")
    occasion: Occasion | None = strawberry.field(default=None, description="What the video is for.")
    title: str | None = strawberry.field(default=None, description="What it is called, at most 80 characters.")
    price: Coins | None = strawberry.field(default=None, description="What it costs, within the policy's limits.")
    duration_max_seconds: int | None = strawberry.field(default=None, description="Longest video, 5 to 600 seconds.")
    delivery_days: int | None = strawberry.field(
        default=None, description="Days to deliver after accepting, within the policy's limit."
    )
    express_surcharge: Coins | None = strawberry.field(
        default=strawberry.UNSET, description="What a fast delivery costs more; null to offer none any longer."
    )
    business_surcharge: Coins | None = strawberry.field(
        default=strawberry.UNSET, description="What an order of a business costs more; null to serve none any longer."
    )
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)

    def read(self) -> OfferChanges:
        """The parts of the offer that change."""
        given = {
            "occasion": self.occasion,
            "title": self.title,
            "price_coins": self.price,
            "duration_max_s": self.duration_max_seconds,
            "delivery_days": self.delivery_days,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        clearable = {"express_coins": self.express_surcharge, "business_coins": self.business_surcharge}
        cleared = {name: value for name, value in clearable.items() if value is not strawberry.UNSET}
        return cast("OfferChanges", changes | cleared)


@strawberry.type(description="Result of offerUpdate.")
class OfferUpdatePayload:
    offer: OfferType | None = mutations.outcome("The offer as it now is.")
    errors: list[OfferUpdateError] = mutations.refusals()


@strawberry.input(description="Input of offerActivate.")
class OfferActivateInput:
    offer_id: strawberry.ID = strawberry.field(description="Which offer.")
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)


@strawberry.type(description="Result of offerActivate.")
class OfferActivatePayload:
    offer: OfferType | None = mutations.outcome("The offer, on sale.")
    errors: list[OfferActivateError] = mutations.refusals()


@strawberry.input(description="Input of offerDeactivate.")
class OfferDeactivateInput:
    offer_id: strawberry.ID = strawberry.field(description="Which offer.")
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)


@strawberry.type(description="Result of offerDeactivate.")
class OfferDeactivatePayload:
    offer: OfferType | None = mutations.outcome("The offer, no longer on sale.")
    errors: list[OfferDeactivateError] = mutations.refusals()


Created = Annotated[OfferCreateInput, strawberry.argument(description="What to sell.")]
Updated = Annotated[OfferUpdateInput, strawberry.argument(description="What to change.")]
Activated = Annotated[OfferActivateInput, strawberry.argument(description="Which offer.")]
Deactivated = Annotated[OfferDeactivateInput, strawberry.argument(description="Which offer.")]


@strawberry.type
class OfferMutation:
    @mutations.mutation(description="Adds an offer to the caller's own profile, on sale at once.")
    async def offer_create(self, info: Info, input: Created) -> OfferCreatePayload | None:
        terms = OfferTerms(
            occasion=input.occasion,
            title=input.title,
            price_coins=input.price,
            duration_max_s=input.duration_max_seconds,
            delivery_days=input.delivery_days,
            express_coins=input.express_surcharge,
            business_coins=input.business_surcharge,
        )
        offer = await offers.create(info.context.tools, info.context.viewer, terms)
        return OfferCreatePayload(offer=OfferType.of(offer))

    @mutations.mutation(description="Changes one of the caller's own offers; placed orders keep their terms.")
    async def offer_update(self, info: Info, input: Updated) -> OfferUpdatePayload | None:
        context, revision = info.context, input.expected_revision
        offer = await offers.update(
            context.tools, context.viewer, _id_of(input), input.read(), expected_revision=revision
        )
        return OfferUpdatePayload(offer=OfferType.of(offer))

    @mutations.mutation(description="Puts one of the caller's own offers on sale.")
    async def offer_activate(self, info: Info, input: Activated) -> OfferActivatePayload | None:
        context, revision = info.context, input.expected_revision
        offer = await offers.switch(
            context.tools, context.viewer, _id_of(input), active=True, expected_revision=revision
        )
        return OfferActivatePayload(offer=OfferType.of(offer))

    @mutations.mutation(description="Takes one of the caller's own offers off sale; placed orders go on.")
    async def offer_deactivate(self, info: Info, input: Deactivated) -> OfferDeactivatePayload | None:
        context, revision = info.context, input.expected_revision
        offer = await offers.switch(
            context.tools, context.viewer, _id_of(input), active=False, expected_revision=revision
        )
        return OfferDeactivatePayload(offer=OfferType.of(offer))


def _id_of(given: OfferUpdateInput | OfferActivateInput | OfferDeactivateInput) -> str:
    return ids.parse(ids.OFFER, given.offer_id, path=("input", "offerId"))


ROOM: Final = Room(mutation=OfferMutation)
