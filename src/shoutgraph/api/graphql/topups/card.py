"""The gift card that a top-up is for, as the API shows it."""

import strawberry

from shoutgraph.api.graphql import enums
from shoutgraph.api.graphql.cards import GiftCardType
from shoutgraph.domain import cards as rules
from shoutgraph.domain.cards import Card, Kept, Purchase, PurchaseState, Words

enums.describe(
    PurchaseState,
    name="TopUpGiftCardStatus",
    description="What became of the gift card that a purchase is for.",
    values={
        PurchaseState.WAITING: "It is made when the purchase is paid.",
        PurchaseState.ISSUED: "It was made; giftCardCode gives its code.",
        PurchaseState.KEPT: "There is none: the coins are in the buyer's own wallet.",
    },
)
enums.describe(
    Kept,
    name="TopUpGiftCardKept",
    description="Why coins that were bought for a gift card went to the buyer's own wallet.",
    values={
        Kept.ACCOUNT_LOCKED: "The buyer's account was locked or closing when the money came.",
        Kept.WALLET_LOCKED: "The buyer's wallet was locked when the money came.",
        Kept.DEBT: "The buyer owed coins when the money came: they were paid first.",
    },
)


@strawberry.input(description="Has the coins put under the code of a gift card, and not into the wallet.")
class TopUpGiftCardInput:
    message: str | None = strawberry.field(
        default=None, description=f"What to say with it; at most {rules.MESSAGE_CHARS_MAX} characters."
    )
    recipient_name: str | None = strawberry.field(
        default=None, description=f"Whom it is meant for; at most {rules.NAME_CHARS_MAX} characters."
    )

    def read(self) -> Words:
        """The words that go with the card."""
        return Words(self.message, self.recipient_name)


@strawberry.type(name="TopUpGiftCard", description="The gift card that a purchase is for.")
class TopUpGiftCardType:
    status: PurchaseState = strawberry.field(description="What became of it.")
    kept_because: Kept | None = strawberry.field(description="Why there is none though it was paid.")
    message: str | None = strawberry.field(description="What the buyer says with it.")
    recipient_name: str | None = strawberry.field(description="Whom the buyer means it for.")
    card: GiftCardType | None = strawberry.field(description="The card, once it was paid for.")

    @classmethod
    def of(cls, purchase: Purchase, card: Card | None) -> "TopUpGiftCardType":
        """The graph's view of it; the words are with the card once there is one."""
        words = purchase if card is None else card
        return cls(
            status=purchase.state,
            kept_because=purchase.kept,
            message=words.message,
            recipient_name=words.recipient_name,
            card=None if card is None else GiftCardType.of(card),
        )
