"""Gift cards as the API shows them: buying one, redeeming a code, cancelling."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, loaders, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import GUESSABLE, PAGED
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import cards as rules, ids, pages
from shoutgraph.domain.cards import Card, CardState, Origin, Words
from shoutgraph.domain.money import Coins
from shoutgraph.domain.users import Scope
from shoutgraph.services.topups import cards

enums.describe(
    CardState,
    name="GiftCardStatus",
    description="Where a gift card stands.",
    values={
        CardState.OPEN: "Its code can be redeemed.",
        CardState.REDEEMED: "Somebody has its coins.",
        CardState.CANCELLED: "Its buyer cancelled it, and has the coins again.",
        CardState.REVOKED: "The buyer's payment went back, and the coins with it.",
        CardState.EXPIRED: "It lapsed; its buyer has the coins again, if it had one.",
        CardState.VOIDED: "Staff called it back; its buyer has the coins again, if it had one.",
    },
)
enums.describe(
    Origin,
    name="GiftCardOrigin",
    description="How a gift card came to be. Clients must accept values added later.",
    values={
        Origin.COINS: "Its buyer took the coins out of the wallet.",
        Origin.PURCHASE: "Its buyer paid for it: the coins came from a top-up.",
        Origin.ISSUED: "The platform gives it away: it has no buyer, and its coins are granted ones.",
    },
)


@strawberry.type(name="GiftCard", description="Coins under a code, until somebody redeems it or they go back.")
class GiftCardType(NodeType):
    value: strawberry.Private[Card]
    coins: Coins = strawberry.field(description="How many.")
    status: CardState = strawberry.field(description="Where it stands.")
    origin: Origin = strawberry.field(description="How it came to be.")
    code_ending: str = strawberry.field(description="How its code ends; empty until giftCardCode made one.")
    message: str | None = strawberry.field(description="What the buyer says with it.")
    recipient_name: str | None = strawberry.field(description="Whom the buyer means it for.")
    created_at: datetime = strawberry.field(description="When it was bought.")
    expires_at: datetime | None = strawberry.field(description="When it lapses; null where it never does.")
    ended_at: datetime | None = strawberry.field(description="When it was redeemed, or ended otherwise.")

    @classmethod
    def of(cls, card: Card) -> "GiftCardType":
        """The graph's view of a card."""
        return cls(
            value=card,
            id=strawberry.ID(card.id),
            coins=Coins(card.coins),
            status=card.state,
            origin=card.origin,
            code_ending=card.hint,
            message=card.message,
            recipient_name=card.recipient_name,
            created_at=card.created_at,
            expires_at=card.expires_at,
            ended_at=card.ended_at,
        )

    @loaders.batch(
        description="From when on its code can be redeemed: a policy may have it wait after it was paid for."
    )
    @staticmethod
    async def redeemable_since(parents: "list[GiftCardType]", context: Context) -> list[datetime]:
        return await cards.list_of_redeemable_since(context.tools, [parent.value for parent in parents])

    @fields.resolver(description="The purchase that paid for it, for its buyer and for finance; null for none.")
    def top_up_id(self, info: Info) -> strawberry.ID | None:
        card, viewer = self.value, info.context.viewer
        if card.topup_id is None or not (viewer.user_id == card.buyer_id or viewer.has(Scope.FINANCE_READ)):
            return None
        return strawberry.ID(card.topup_id)


_Refused = errors.ForbiddenErrorType | errors.IdempotencyKeyReusedErrorType | errors.ValidationErrorType
GiftCardBuyError = Annotated[
    _Refused
    | errors.BuyingPausedErrorType
    | errors.FeatureUnavailableErrorType
    | errors.InsufficientCoinsErrorType
    | errors.LimitExceededErrorType
    | errors.WalletLockedErrorType,
    failures_of("giftCardBuy"),
]
GiftCardRedeemError = Annotated[
    _Refused | errors.FeatureUnavailableErrorType | errors.LimitExceededErrorType | errors.WalletLockedErrorType,
    failures_of("giftCardRedeem"),
]
GiftCardCancelError = Annotated[_Refused | errors.NotFoundErrorType, failures_of("giftCardCancel")]
GiftCardCodeError = Annotated[
    _Refused | errors.NotFoundErrorType | errors.WalletLockedErrorType, failures_of("giftCardCode")
]


@strawberry.input(description="Input of giftCardBuy.")
class GiftCardBuyInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended card.")
    coins: Coins = strawberry.field(description="How many bought coins of the wallet.")
    message: str | None = strawberry.field(
        default=None, description=f"What to say with it; at most {rules.MESSAGE_CHARS_MAX} characters."
    )
    recipient_name: str | None = strawberry.field(
        default=None, description=f"Whom it is meant for; at most {rules.NAME_CHARS_MAX} characters."
    )


@strawberry.type(description="Result of giftCardBuy.")
class GiftCardBuyPayload:
    gift_card: GiftCardType | None = mutations.outcome("The card.")
    code: str | None = strawberry.field(
        default=None,
        description="Its code. It is shown now and never again: a repeat has none. giftCardCode makes a new one.",
    )
    replayed: bool = mutations.replayed()
    errors: list[GiftCardBuyError] = mutations.refusals()


@strawberry.input(description="Input of giftCardCode.")
class GiftCardCodeInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per code that is wanted.")
    gift_card_id: strawberry.ID = strawberry.field(description="Which card.")


@strawberry.type(description="Result of giftCardCode.")
class GiftCardCodePayload:
    gift_card: GiftCardType | None = mutations.outcome("The card.")
    code: str | None = strawberry.field(
        default=None,
        description="Its code from now on. It is shown now and never again: a repeat has none; ask with a new key.",
    )
    replayed: bool = mutations.replayed()
    errors: list[GiftCardCodeError] = mutations.refusals()


@strawberry.input(description="Input of giftCardRedeem.")
class GiftCardRedeemInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per code that is tried.")
    code: str = strawberry.field(description="The code; capitals, blanks and hyphens do not matter.")


@strawberry.type(description="Result of giftCardRedeem.")
class GiftCardRedeemPayload:
    gift_card: GiftCardType | None = mutations.outcome("The card, whose coins are in the wallet.")
    replayed: bool = mutations.replayed()
    errors: list[GiftCardRedeemError] = mutations.refusals()


@strawberry.input(description="Input of giftCardCancel.")
class GiftCardCancelInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended cancellation.")
    gift_card_id: strawberry.ID = strawberry.field(description="Which card.")


@strawberry.type(description="Result of giftCardCancel.")
class GiftCardCancelPayload:
    gift_card: GiftCardType | None = mutations.outcome("The card; its coins are back.")
    replayed: bool = mutations.replayed()
    errors: list[GiftCardCancelError] = mutations.refusals()


Bought = Annotated[GiftCardBuyInput, strawberry.argument(description="How many coins.")]
Redeemed = Annotated[GiftCardRedeemInput, strawberry.argument(description="The code.")]
Coded = Annotated[GiftCardCodeInput, strawberry.argument(description="Which card.")]
Cancelled = Annotated[GiftCardCancelInput, strawberry.argument(description="Which card.")]


@strawberry.type
class GiftCardQuery:
    @fields.resolver(description="The gift cards that the caller bought, newest first.", directives=[PAGED])
    async def gift_cards(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[GiftCardType] | None:
        scope = cards.scope_of(info.context.viewer.user_id)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before)
        page = await cards.page(info.context.tools, info.context.viewer, args)
        return graph_pages.connect(page, GiftCardType.of)


@strawberry.type
class GiftCardMutation:
    @mutations.mutation(description="Sets bought coins aside under a code, for whoever is given it.")
    async def gift_card_buy(self, info: Info, input: Bought) -> GiftCardBuyPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "giftCardBuy", input)
        words = Words(input.message, input.recipient_name)
        done = await cards.buy(tools, viewer, asked, coins=input.coins, words=words)
        return GiftCardBuyPayload(
            gift_card=GiftCardType.of(done.value.card), code=done.value.code, replayed=done.replayed
        )

    @mutations.mutation(
        description="Makes a new code for the caller's own open card, such as one that was bought with money. Any code "
        "that it had before is good no more."
    )
    async def gift_card_code(self, info: Info, input: Coded) -> GiftCardCodePayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        done = await cards.give_code(tools, viewer, request_of(viewer, "giftCardCode", input), input.gift_card_id)
        return GiftCardCodePayload(
            gift_card=GiftCardType.of(done.value.card), code=done.value.code, replayed=done.replayed
        )

    @mutations.mutation(description="Gives the coins of a card to whoever has its code, once.", directives=[GUESSABLE])
    async def gift_card_redeem(self, info: Info, input: Redeemed) -> GiftCardRedeemPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        done = await cards.redeem(tools, viewer, request_of(viewer, "giftCardRedeem", input), input.code)
        return GiftCardRedeemPayload(gift_card=GiftCardType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Cancels the caller's own open card; its coins go back where they came from.")
    async def gift_card_cancel(self, info: Info, input: Cancelled) -> GiftCardCancelPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        done = await cards.cancel(tools, viewer, request_of(viewer, "giftCardCancel", input), input.gift_card_id)
        return GiftCardCancelPayload(gift_card=GiftCardType.of(done.value), replayed=done.replayed)


async def fetch_cards(context: Context, card_ids: Sequence[str]) -> list[GiftCardType | None]:
    """Cards by id, null where the caller may not see them."""
    found = await cards.list_by_id(context.tools, context.viewer, card_ids)
    return [None if each is None else GiftCardType.of(each) for each in found]


ROOM: Final = Room(query=GiftCardQuery, mutation=GiftCardMutation, nodes={ids.GIFT_CARD: fetch_cards})
