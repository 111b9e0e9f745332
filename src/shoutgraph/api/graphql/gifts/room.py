"""The room of gifts: the catalogue, sending, the feed, thanks, and who gave the most."""

from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.gifts.events import GiftChangedEventType, GiftEventQuery, GiftEventSubscription
from shoutgraph.api.graphql.gifts.gift import GiftType, fetch_gifts
from shoutgraph.api.graphql.gifts.ranking import GiftRankingQuery
from shoutgraph.api.graphql.gifts.sticker import GiftCatalogueQuery, fetch_stickers
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import gifts as rules, ids
from shoutgraph.domain.money import Coins
from shoutgraph.services.gifts import send, thank
from shoutgraph.services.gifts.send import Wish

GiftSendError = Annotated[
    errors.AgeRestrictedErrorType
    | errors.BuyingPausedErrorType
    | errors.CreatorUnavailableErrorType
    | errors.FeatureUnavailableErrorType
    | errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.InsufficientCoinsErrorType
    | errors.LimitExceededErrorType
    | errors.NotFoundErrorType
    | errors.PriceChangedErrorType
    | errors.ValidationErrorType
    | errors.WalletLockedErrorType,
    failures_of("giftSend"),
]
GiftThankError = Annotated[
    errors.ForbiddenErrorType | errors.NotFoundErrorType | errors.ValidationErrorType, failures_of("giftThank")
]


@strawberry.input(description="Input of giftSend.")
class GiftSendInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended gift.")
    creator_id: strawberry.ID = strawberry.field(description="To whom.")
    sticker_id: strawberry.ID = strawberry.field(description="What, from giftCatalogue.")
    expected_price: Coins = strawberry.field(description="What the fan saw: the sticker's price times quantity.")
    quantity: int = strawberry.field(default=1, description="How many; giftCatalogue names the most.")
    message: str | None = strawberry.field(default=None, description="What to say with it; one line.")
    live_session: str | None = strawberry.field(
        default=None, description="The client's name for the live session: up to 100 of A-Z, a-z, 0-9, and . _ : -."
    )

    def read(self) -> Wish:
        """The wish that this input describes."""
        return Wish(
            creator_id=ids.parse(ids.CREATOR, self.creator_id, path=("input", "creatorId")),
            sticker_id=ids.parse(ids.STICKER, self.sticker_id, path=("input", "stickerId")),
            expected_price_coins=self.expected_price,
            quantity=self.quantity,
            message=self.message,
            live_session=self.live_session,
        )


@strawberry.type(description="Result of giftSend.")
class GiftSendPayload:
    gift: GiftType | None = mutations.outcome("The gift; it is the creator's.")
    replayed: bool = mutations.replayed()
    errors: list[GiftSendError] = mutations.refusals()


@strawberry.input(description="Input of giftThank.")
class GiftThankInput:
    gift_ids: list[strawberry.ID] = strawberry.field(
        description=f"For what; 1 to {rules.THANKED_MAX} gifts to the caller."
    )
    message: str | None = strawberry.field(
        default=None, description=f"What to say, the same to all; {rules.MESSAGE_CHARS_MAX} characters at most."
    )

    def read(self) -> list[str]:
        """The gifts that are meant."""
        return [ids.parse(ids.GIFT, each, path=("input", "giftIds")) for each in self.gift_ids]


@strawberry.type(description="Result of giftThank.")
class GiftThankPayload:
    gifts: list[GiftType] | None = strawberry.field(
        default=None,
        description="The gifts as they are now, in the order given.",
        directives=[ListSize(assumed_size=rules.THANKED_MAX)],
    )
    errors: list[GiftThankError] = mutations.refusals()


@strawberry.type
class GiftMutation:
    @mutations.mutation(
        description="Sends a gift. It is paid at once, in bought coins only: granted ones are for orders."
    )
    async def gift_send(
        self, info: Info, input: Annotated[GiftSendInput, strawberry.argument(description="What, and to whom.")]
    ) -> GiftSendPayload | None:
        viewer, request = info.context.viewer, request_of(info.context.viewer, "giftSend", input)
        done = await send.send(info.context.tools, viewer, request, input.read())
        return GiftSendPayload(gift=GiftType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Says thanks for gifts, one or many; their givers hear it by giftEvents. All are thanked for, or "
        "none."
    )
    async def gift_thank(
        self, info: Info, input: Annotated[GiftThankInput, strawberry.argument(description="For what.")]
    ) -> GiftThankPayload | None:
        context = info.context
        found = await thank.thank(context.tools, context.viewer, input.read(), thanks=input.message)
        return GiftThankPayload(gifts=[GiftType.of(gift) for gift in found])


@strawberry.type
class GiftQuery(GiftCatalogueQuery, GiftRankingQuery, GiftEventQuery):
    pass


ROOM: Final = Room(
    query=GiftQuery,
    mutation=GiftMutation,
    subscription=GiftEventSubscription,
    nodes={ids.GIFT: fetch_gifts, ids.STICKER: fetch_stickers},
    types=(GiftChangedEventType,),
)
