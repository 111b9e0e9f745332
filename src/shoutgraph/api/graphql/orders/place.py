"""Placing orders: draft, submit, or both at once; and the upload target of a delivery."""

from datetime import datetime
from typing import Annotated

import strawberry

from shoutgraph.api.graphql import errors, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.orders.brief import BriefInput
from shoutgraph.api.graphql.orders.order import OrderType
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.scalars import BigInt, IdempotencyKey
from shoutgraph.domain import ids
from shoutgraph.domain.money import Coins
from shoutgraph.services.orders import deliver, place
from shoutgraph.services.orders.deliver import File
from shoutgraph.services.orders.place import Wish

_Wished = (
    errors.CampaignUnavailableErrorType
    | errors.CreatorUnavailableErrorType
    | errors.FeatureUnavailableErrorType
    | errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.PriceChangedErrorType
    | errors.ValidationErrorType
)
_Paid = (
    _Wished
    | errors.AgeRestrictedErrorType
    | errors.BuyingPausedErrorType
    | errors.InsufficientCoinsErrorType
    | errors.LimitExceededErrorType
    | errors.WalletLockedErrorType
)

OrderDraftError = Annotated[_Wished, failures_of("orderDraft")]
OrderPlaceError = Annotated[_Paid, failures_of("orderPlace")]
OrderSubmitError = Annotated[_Paid | errors.OrderStateErrorType, failures_of("orderSubmit")]
OrderUploadCreateError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.LimitExceededErrorType
    | errors.MediaRejectedErrorType
    | errors.NotFoundErrorType
    | errors.OrderStateErrorType
    | errors.ValidationErrorType,
    failures_of("orderUploadCreate"),
]


@strawberry.input(description="Input of orderDraft.")
class OrderDraftInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended draft.")
    offer_id: strawberry.ID = strawberry.field(description="What is ordered.")
    brief: BriefInput = strawberry.field(description="What to say, and to whom.")
    expected_price: Coins = strawberry.field(description="The price the fan saw; another price now is a refusal.")
    express: bool = strawberry.field(default=False, description="Whether to pay for a fast delivery.")
    campaign_id: strawberry.ID | None = strawberry.field(default=None, description="In this campaign of the creator's.")


@strawberry.type(description="Result of orderDraft.")
class OrderDraftPayload:
    order: OrderType | None = mutations.outcome("The draft.")
    replayed: bool = mutations.replayed()
    errors: list[OrderDraftError] = mutations.refusals()


@strawberry.input(description="Input of orderPlace.")
class OrderPlaceInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended order.")
    offer_id: strawberry.ID = strawberry.field(description="What is ordered.")
    brief: BriefInput = strawberry.field(description="What to say, and to whom.")
    expected_price: Coins = strawberry.field(description="The price the fan saw; another price now is a refusal.")
    express: bool = strawberry.field(default=False, description="Whether to pay for a fast delivery.")
    campaign_id: strawberry.ID | None = strawberry.field(default=None, description="In this campaign of the creator's.")


@strawberry.type(description="Result of orderPlace.")
class OrderPlacePayload:
    order: OrderType | None = mutations.outcome("The order, its price in escrow.")
    replayed: bool = mutations.replayed()
    errors: list[OrderPlaceError] = mutations.refusals()


@strawberry.input(description="Input of orderSubmit.")
class OrderSubmitInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended order.")
    order_id: strawberry.ID = strawberry.field(description="The draft.")
    expected_price: Coins = strawberry.field(description="The price the fan saw; another price now is a refusal.")


@strawberry.type(description="Result of orderSubmit.")
class OrderSubmitPayload:
    order: OrderType | None = mutations.outcome("The order, its price in escrow.")
    replayed: bool = mutations.replayed()
    errors: list[OrderSubmitError] = mutations.refusals()


@strawberry.type(name="UploadTarget", description="Where a file goes, by the tus 1.0.0 protocol for resumable uploads.")
class UploadTargetType:
    video_id: strawberry.ID = strawberry.field(description="The video that the file becomes; send it to orderDeliver.")
    url: str = strawberry.field(description="Takes HEAD and PATCH; works until it expires.")
    expires_at: datetime = strawberry.field(description="When the target stops taking bytes.")


@strawberry.input(description="Input of orderUploadCreate.")
class OrderUploadCreateInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended upload.")
    order_id: strawberry.ID = strawberry.field(description="Which order.")
    size_bytes: BigInt = strawberry.field(description="Exact size of the file.")
    media_type: str = strawberry.field(description="video/mp4, video/quicktime or video/webm.")


@strawberry.type(description="Result of orderUploadCreate.")
class OrderUploadCreatePayload:
    target: UploadTargetType | None = mutations.outcome("Where the file goes.")
    replayed: bool = mutations.replayed()
    errors: list[OrderUploadCreateError] = mutations.refusals()


Drafted = Annotated[OrderDraftInput, strawberry.argument(description="What to write down.")]
Placed = Annotated[OrderPlaceInput, strawberry.argument(description="What to order.")]
Submitted = Annotated[OrderSubmitInput, strawberry.argument(description="Which draft to pay.")]
Uploaded = Annotated[OrderUploadCreateInput, strawberry.argument(description="Which file, for which order.")]


@strawberry.type
class OrderPlaceMutation:
    @mutations.mutation(description="Writes an order down without paying; the creator sees nothing of it.")
    async def order_draft(self, info: Info, input: Drafted) -> OrderDraftPayload | None:
        viewer, request = info.context.viewer, request_of(info.context.viewer, "orderDraft", input)
        done = await place.draft(info.context.tools, viewer, request, _wish(input))
        return OrderDraftPayload(order=OrderType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Places an order and holds its price in escrow, granted coins first.")
    async def order_place(self, info: Info, input: Placed) -> OrderPlacePayload | None:
        viewer, request = info.context.viewer, request_of(info.context.viewer, "orderPlace", input)
        done = await place.place(info.context.tools, viewer, request, _wish(input))
        return OrderPlacePayload(order=OrderType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Pays a draft, at the price and under the rules of now.")
    async def order_submit(self, info: Info, input: Submitted) -> OrderSubmitPayload | None:
        viewer, request = info.context.viewer, request_of(info.context.viewer, "orderSubmit", input)
        order_id = ids.parse(ids.ORDER, input.order_id, path=("input", "orderId"))
        done = await place.submit(info.context.tools, viewer, request, order_id, input.expected_price)
        return OrderSubmitPayload(order=OrderType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Gives the creator a target for a resumable upload of the video.")
    async def order_upload_create(self, info: Info, input: Uploaded) -> OrderUploadCreatePayload | None:
        viewer, request = info.context.viewer, request_of(info.context.viewer, "orderUploadCreate", input)
        order_id = ids.parse(ids.ORDER, input.order_id, path=("input", "orderId"))
        file = File(size_bytes=input.size_bytes, media_type=input.media_type)
        done, link = await deliver.open_upload(info.context.tools, viewer, request, order_id, file)
        target = UploadTargetType(video_id=strawberry.ID(done.value.id), url=link.url, expires_at=link.expires_at)
        return OrderUploadCreatePayload(target=target, replayed=done.replayed)


def _wish(given: OrderDraftInput | OrderPlaceInput) -> Wish:
    path, campaign_id = ("input", "campaignId"), given.campaign_id
    return Wish(
        offer_id=ids.parse(ids.OFFER, given.offer_id, path=("input", "offerId")),
        brief=given.brief.read(),
        expected_price_coins=given.expected_price,
        express=given.express,
        campaign_id=None if campaign_id is None else ids.parse(ids.CAMPAIGN, campaign_id, path=path),
    )
