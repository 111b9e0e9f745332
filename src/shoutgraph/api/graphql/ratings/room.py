"""The room of ratings: what fans, creators and moderators do with them, and the pages of a creator's."""

from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.catalogue import CreatorLookupInput
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.orders.order import OrderType
from shoutgraph.api.graphql.orders.ratings import RatingType, fetch_ratings
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.ratings.events import RatingChangedEventType, RatingEventQuery, RatingEventSubscription
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.api.graphql.sorting import SortDirection
from shoutgraph.domain import clock, ids, pages
from shoutgraph.domain.orders.rating import Decision, Given, Sort
from shoutgraph.domain.users import Scope
from shoutgraph.services.orders import rate, ratings
from shoutgraph.services.orders.moves import Turn
from shoutgraph.services.orders.rate import Subject
from shoutgraph.services.orders.ratings import Listing

_KEY: Final = "One key per intended effect."
_REVISION: Final = "Revision of the rating that the caller read; null gives up the check."
_MODERATES: Final = (requires(Scope.MODERATION),)
_SHARED = (
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.StaleRevisionErrorType
    | errors.ValidationErrorType
)

enums.describe(
    Sort,
    name="RatingSortField",
    description="Keys that ratings sort by, each with an index behind it.",
    values={Sort.NEWEST: "When they were given.", Sort.STARS: "How many stars they have."},
)

OrderRateError = Annotated[_SHARED | errors.OrderStateErrorType, failures_of("orderRate")]
RatingUpdateError = Annotated[_SHARED, failures_of("ratingUpdate")]
RatingReplyError = Annotated[_SHARED, failures_of("ratingReply")]
RatingHideError = Annotated[_SHARED, failures_of("ratingHide")]
RatingRestoreError = Annotated[_SHARED, failures_of("ratingRestore")]


@strawberry.input(description="Input of orderRate.")
class OrderRateInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    order_id: strawberry.ID = strawberry.field(description="Which order.")
    stars: int = strawberry.field(description="1 to 5.")
    opinion: str | None = strawberry.field(default=None, description="In words, at most 1,000 characters.")
    expected_revision: int | None = strawberry.field(
        default=None, description="Revision of the order that the caller read; null gives up the check."
    )


@strawberry.type(description="Result of orderRate.")
class OrderRatePayload:
    rating: RatingType | None = mutations.outcome("The rating.")
    order: OrderType | None = mutations.outcome("The order as it now stands.")
    replayed: bool = mutations.replayed()
    errors: list[OrderRateError] = mutations.refusals()


@strawberry.input(description="Input of ratingUpdate. Both the stars and the opinion are what they shall be.")
class RatingUpdateInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    rating_id: strawberry.ID = strawberry.field(description="Which rating.")
    stars: int = strawberry.field(description="1 to 5.")
    opinion: str | None = strawberry.field(default=None, description="In words; null takes it away.")
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)


@strawberry.type(description="Result of ratingUpdate.")
class RatingUpdatePayload:
    rating: RatingType | None = mutations.outcome("The rating as it now stands.")
    replayed: bool = mutations.replayed()
    errors: list[RatingUpdateError] = mutations.refusals()


@strawberry.input(description="Input of ratingReply.")
class RatingReplyInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    rating_id: strawberry.ID = strawberry.field(description="Which rating.")
    text: str = strawberry.field(description="At most 1,000 characters.")
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)


@strawberry.type(description="Result of ratingReply.")
class RatingReplyPayload:
    rating: RatingType | None = mutations.outcome("The rating as it now stands.")
    replayed: bool = mutations.replayed()
    errors: list[RatingReplyError] = mutations.refusals()


@strawberry.input(description="Input of ratingHide.")
class RatingHideInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    rating_id: strawberry.ID = strawberry.field(description="Which rating.")
    reason: str = strawberry.field(description="Reason code, such as ABUSE or PERSONAL_DATA.")
    note: str = strawberry.field(description="The statement of reasons, for both sides.")
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)


@strawberry.type(description="Result of ratingHide.")
class RatingHidePayload:
    rating: RatingType | None = mutations.outcome("The rating, hidden.")
    replayed: bool = mutations.replayed()
    errors: list[RatingHideError] = mutations.refusals()


@strawberry.input(description="Input of ratingRestore.")
class RatingRestoreInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    rating_id: strawberry.ID = strawberry.field(description="Which rating.")
    reason: str = strawberry.field(description="Reason code, such as APPEAL.")
    note: str = strawberry.field(description="The statement of reasons, for both sides.")
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)


@strawberry.type(description="Result of ratingRestore.")
class RatingRestorePayload:
    rating: RatingType | None = mutations.outcome("The rating, shown again.")
    replayed: bool = mutations.replayed()
    errors: list[RatingRestoreError] = mutations.refusals()


@strawberry.input(name="RatingSortInput", description="How to sort ratings; the id breaks ties.")
class RatingSortInput:
    field: Sort = strawberry.field(description="Sort key.")
    direction: SortDirection = strawberry.field(default=SortDirection.DESC, description="Direction.")


Rates = Annotated[OrderRateInput, strawberry.argument(description="Which order, and how it was.")]
Updates = Annotated[RatingUpdateInput, strawberry.argument(description="Which rating, and what it shall say.")]
Replies = Annotated[RatingReplyInput, strawberry.argument(description="To which rating, and what.")]
Hides = Annotated[RatingHideInput, strawberry.argument(description="Which rating, and why.")]
Restores = Annotated[RatingRestoreInput, strawberry.argument(description="Which rating, and why.")]


def _subject(rating_id: str, expected_revision: int | None) -> Subject:
    return Subject(ids.parse(ids.RATING, rating_id, path=("input", "ratingId")), expected_revision)


def _statement(given: RatingHideInput | RatingRestoreInput, *, hidden: bool) -> Decision:
    return Decision(hidden=hidden, reason=given.reason, note=given.note, by="", at=clock.EPOCH)


@strawberry.type
class RatingMutation:
    @mutations.mutation(
        description="Rates a delivered video, once; an order that waits for its fan completes by it, and the creator "
        "earns as by orderConfirm."
    )
    async def order_rate(self, info: Info, input: Rates) -> OrderRatePayload | None:
        context, request = info.context, request_of(info.context.viewer, "orderRate", input)
        turn = Turn(ids.parse(ids.ORDER, input.order_id, path=("input", "orderId")), input.expected_revision)
        given = Given(input.stars, input.opinion)
        done = await rate.rate(context.tools, context.viewer, request, turn, given)
        rated = done.value
        return OrderRatePayload(
            rating=RatingType.of(rated.rating, context.viewer), order=OrderType.of(rated.order), replayed=done.replayed
        )

    @mutations.mutation(description="Changes the caller's own rating, until its editableUntil.")
    async def rating_update(self, info: Info, input: Updates) -> RatingUpdatePayload | None:
        context, request = info.context, request_of(info.context.viewer, "ratingUpdate", input)
        subject, given = _subject(input.rating_id, input.expected_revision), Given(input.stars, input.opinion)
        done = await rate.update(context.tools, context.viewer, request, subject, given)
        rating = RatingType.of(done.value.rating, context.viewer)
        return RatingUpdatePayload(rating=rating, replayed=done.replayed)

    @mutations.mutation(
        description="Replies to a rating of the caller's profile, or changes the reply until its replyEditableUntil."
    )
    async def rating_reply(self, info: Info, input: Replies) -> RatingReplyPayload | None:
        context, request = info.context, request_of(info.context.viewer, "ratingReply", input)
        subject = _subject(input.rating_id, input.expected_revision)
        done = await rate.reply(context.tools, context.viewer, request, subject, input.text)
        rating = RatingType.of(done.value.rating, context.viewer)
        return RatingReplyPayload(rating=rating, replayed=done.replayed)

    @mutations.mutation(
        description="Hides a rating with a statement of reasons: it neither shows nor counts.", directives=_MODERATES
    )
    async def rating_hide(self, info: Info, input: Hides) -> RatingHidePayload | None:
        context, request = info.context, request_of(info.context.viewer, "ratingHide", input)
        subject, statement = _subject(input.rating_id, input.expected_revision), _statement(input, hidden=True)
        done = await rate.decide(context.tools, context.viewer, request, subject, statement)
        rating = RatingType.of(done.value.rating, context.viewer)
        return RatingHidePayload(rating=rating, replayed=done.replayed)

    @mutations.mutation(
        description="Shows a hidden rating again with a statement of reasons: it counts again.", directives=_MODERATES
    )
    async def rating_restore(self, info: Info, input: Restores) -> RatingRestorePayload | None:
        context, request = info.context, request_of(info.context.viewer, "ratingRestore", input)
        subject, statement = _subject(input.rating_id, input.expected_revision), _statement(input, hidden=False)
        done = await rate.decide(context.tools, context.viewer, request, subject, statement)
        rating = RatingType.of(done.value.rating, context.viewer)
        return RatingRestorePayload(rating=rating, replayed=done.replayed)


@strawberry.type
class RatingQuery:
    @fields.resolver(
        description="A creator's ratings that are shown, with what was said; for moderators, hidden ones too.",
        directives=[PAGED],
    )
    async def ratings(
        self,
        info: Info,
        of: Annotated[CreatorLookupInput, strawberry.argument(description="Whose.")],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        sort: Annotated[
            RatingSortInput | None, strawberry.argument(description="In which order; the newest first if not given.")
        ] = None,
        *,
        hidden: Annotated[bool, strawberry.argument(description="The hidden ones instead; for moderators.")] = False,
    ) -> Connection[RatingType] | None:
        listing = _listing(of, sort, hidden=hidden)
        args = pages.read_args(
            scope=listing.scope, first=first, after=after, last=last, before=before, kinds=listing.kinds
        )
        tools, viewer = info.context.tools, info.context.viewer
        page = await ratings.page(tools, viewer, listing, args)
        limit = graph_pages.COUNT_MAX + 1
        return graph_pages.connect(
            page,
            lambda rating: RatingType.of(rating, viewer),
            count=lambda: ratings.count(tools, viewer, listing, limit=limit),
        )


def _listing(of: CreatorLookupInput, sort: RatingSortInput | None, *, hidden: bool) -> Listing:
    by, descending = (Sort.NEWEST, True) if sort is None else (sort.field, sort.direction is SortDirection.DESC)
    if of.handle is not None and of.handle is not strawberry.UNSET:
        return Listing(handle=of.handle, sort=by, descending=descending, hidden=hidden)
    assert of.id is not None, "exactly one of the two is given"
    creator_id = ids.parse(ids.CREATOR, of.id, path=("of", "id"))
    return Listing(creator_id=creator_id, sort=by, descending=descending, hidden=hidden)


@strawberry.type
class RatingRoomQuery(RatingQuery, RatingEventQuery):
    pass


ROOM: Final = Room(
    query=RatingRoomQuery,
    mutation=RatingMutation,
    subscription=RatingEventSubscription,
    nodes={ids.RATING: fetch_ratings},
    types=(RatingChangedEventType,),
)
