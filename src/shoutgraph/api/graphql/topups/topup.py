"""A top-up as the API shows it, and what its buyer must do next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.packages import CoinPackageType, fetch_packages
from shoutgraph.api.graphql.topups.card import TopUpGiftCardType
from shoutgraph.api.graphql.topups.withdrawal import TopUpWaiverType, TopUpWithdrawalType
from shoutgraph.domain import money
from shoutgraph.domain.money import Coins
from shoutgraph.domain.topups.topup import Action, ActionKind, Review, Status, Topup
from shoutgraph.services.topups import bought_cards, read, withdraw

WITHDRAWALS_SHOWN: Final = 10
"""The newest withdrawals of a purchase that it shows."""

enums.describe(
    Status,
    name="TopUpStatus",
    description="Where a top-up stands. None is final: late money opens a failed one again, and a paid one can be "
    "refunded or disputed. Clients must accept values added later.",
    values={
        Status.CREATED: "The provider is being asked.",
        Status.PROCESSING: "Nobody knows yet whether the provider has it; we are checking.",
        Status.ACTION_REQUIRED: "The buyer has to do what nextAction says.",
        Status.PENDING: "The provider works on it.",
        Status.FAILED: "Nothing was paid, as far as is known.",
        Status.PAID: "The money arrived and the coins were credited, once.",
        Status.NEEDS_REVIEW: "The money does not agree with the price; nothing was credited and staff look at it.",
        Status.PARTLY_REFUNDED: "Some of the money went back, and its coins with it.",
        Status.REFUNDED: "All of the money went back, and its coins with it.",
        Status.DISPUTED: "The buyer's bank took the money back and nothing is decided.",
    },
)
enums.describe(
    Review,
    name="TopUpReview",
    description="Why staff must look at a top-up.",
    values={
        Review.CURRENCY_MISMATCH: "Money of another currency arrived.",
        Review.AMOUNT_MISMATCH: "Another amount arrived.",
        Review.TOTALS_MISMATCH: "More went back than ever arrived.",
        Review.REF_TAKEN: "The provider names a payment that pays another top-up.",
        Review.UNKNOWN_FOR_LONG: "Nobody knows for more than an hour what became of it.",
    },
)


@strawberry.type(name="RedirectAction", description="Send the buyer to this page.")
class RedirectActionType:
    url: str = strawberry.field(description="Where to.")


@strawberry.type(name="ClientAction", description="Let the provider's own form in the front end finish the payment.")
class ClientActionType:
    secret: str = strawberry.field(description="What the provider's client library needs for this payment.")
    publishable_key: str = strawberry.field(description="What it needs for our account.")


@strawberry.type(name="InstructionsAction", description="Show the buyer what to do, such as a bank transfer.")
class InstructionsActionType:
    lines: list[str] = strawberry.field(description="What to read.", directives=[ListSize(assumed_size=20)])
    qr: str | None = strawberry.field(description="Content of a QR code that says the same.")


TopUpNextAction = Annotated[
    RedirectActionType | ClientActionType | InstructionsActionType,
    strawberry.union("TopUpNextAction", description="What the buyer must do next."),
]


@strawberry.type(name="TopUp", description="A purchase of coins through a provider.")
class TopUpType(NodeType):
    value: strawberry.Private[Topup]
    revision: int = strawberry.field(description="Goes up by one at each change.")
    status: Status = strawberry.field(description="Where it stands.")
    coins: Coins = strawberry.field(description="Coins that are bought.")
    bonus_coins: Coins = strawberry.field(description="Granted coins that come with them.")
    price: MoneyType = strawberry.field(description="What is charged.")
    discount: MoneyType = strawberry.field(description="What a promotion took off the price.")
    provider_code: str = strawberry.field(description="Who charges.")
    next_action_expires_at: datetime | None = strawberry.field(description="Until when the buyer can act.")
    refunded: MoneyType = strawberry.field(description="Money that ever went back.")
    refunds_failed: MoneyType = strawberry.field(
        description="What of the refunded money came back to us since, because a refund failed later or was reversed."
    )
    disputed: MoneyType = strawberry.field(description="Money that the buyer's bank ever took back.")
    decline_code: str | None = strawberry.field(description="Why it failed, in the provider's words.")
    review: Review | None = strawberry.field(description="Why staff look at it; null for no reason.")
    created_at: datetime = strawberry.field(description="When it was started.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @classmethod
    def of(cls, topup: Topup) -> "TopUpType":
        """The graph's view of a top-up."""
        terms, totals = topup.terms, topup.totals

        def money_of(minor: int) -> MoneyType:
            return MoneyType.of(money.Money(minor, terms.currency))

        return cls(
            value=topup,
            id=strawberry.ID(topup.id),
            revision=topup.revision,
            status=topup.status,
            coins=Coins(terms.coins),
            bonus_coins=Coins(terms.bonus_coins),
            price=money_of(terms.price_minor),
            discount=money_of(terms.discount_minor),
            provider_code=topup.instance,
            next_action_expires_at=topup.expires_at,
            refunded=money_of(totals.refunded_minor),
            refunds_failed=money_of(totals.refunds_failed_minor),
            disputed=money_of(totals.disputed_minor),
            decline_code=topup.declined_code,
            review=topup.review,
            created_at=topup.created_at,
            updated_at=topup.updated_at,
        )

    @fields.resolver(description="What the buyer must do next, for the buyer only; null once there is nothing.")
    def next_action(self, info: Info) -> TopUpNextAction | None:
        topup = self.value
        if topup.user_id != info.context.viewer.user_id:  # whoever has the provider's page or secret could pay
            return None
        return None if topup.action is None or topup.status is not Status.ACTION_REQUIRED else _action(topup.action)

    @loaders.batch(description="The package that was bought; null for an exact number of coins.")
    @staticmethod
    async def package(parents: "list[TopUpType]", context: Context) -> list[CoinPackageType | None]:
        wanted = list({each for parent in parents if (each := parent.value.terms.package_id) is not None})
        found = dict(zip(wanted, await fetch_packages(context, wanted), strict=True))
        return [found.get(parent.value.terms.package_id or "") for parent in parents]

    @loaders.batch(
        description="The attempt of the same purchase that this one follows: its provider proved that it did nothing."
    )
    @staticmethod
    async def follows(parents: "list[TopUpType]", context: Context) -> list["TopUpType | None"]:
        wanted = list({each for parent in parents if (each := parent.value.follows) is not None})
        found = dict(zip(wanted, await fetch_topups(context, wanted), strict=True))
        return [None if parent.value.follows is None else found[parent.value.follows] for parent in parents]

    @loaders.batch(description="The consents by which the buyer waived the right to withdraw; null for none.")
    @staticmethod
    async def waiver(parents: "list[TopUpType]", context: Context) -> list[TopUpWaiverType | None]:
        found = await withdraw.list_of_waivers(context.tools, [parent.value for parent in parents])
        return [None if waiver is None else TopUpWaiverType.of(waiver) for waiver in found]

    @loaders.batch(description="The gift card that its coins are for; null where they are for the wallet.")
    @staticmethod
    async def gift_card(parents: "list[TopUpType]", context: Context) -> list[TopUpGiftCardType | None]:
        asked = [parent.value for parent in parents if parent.value.terms.as_card]
        found = await bought_cards.list_of_topups(context.tools, context.viewer, asked)
        known = {
            topup.id: None if each is None else TopUpGiftCardType.of(*each)
            for topup, each in zip(asked, found, strict=True)
        }
        return [known.get(parent.value.id) for parent in parents]

    @loaders.batch(
        description="What the buyer withdrew from it, the oldest first.",
        directives=[ListSize(assumed_size=WITHDRAWALS_SHOWN)],
    )
    @staticmethod
    async def withdrawals(parents: "list[TopUpType]", context: Context) -> list[list[TopUpWithdrawalType]]:
        found = await withdraw.list_of_topups(context.tools, [parent.value for parent in parents])
        return [[TopUpWithdrawalType.of(each) for each in of_one[-WITHDRAWALS_SHOWN:]] for of_one in found]


async def fetch_topups(context: Context, topup_ids: Sequence[str]) -> list[TopUpType | None]:
    """Top-ups by id, null where the caller may not see them."""
    found = await read.list_by_id(context.tools, context.viewer, topup_ids)
    return [None if topup is None else TopUpType.of(topup) for topup in found]


def _action(action: Action) -> RedirectActionType | ClientActionType | InstructionsActionType:
    match action.kind:
        case ActionKind.REDIRECT:
            return RedirectActionType(url=action.lines[0])
        case ActionKind.CLIENT:
            return ClientActionType(secret=action.lines[0], publishable_key=action.lines[1])
        case ActionKind.INSTRUCTIONS:
            return InstructionsActionType(lines=list(action.lines), qr=action.qr)
