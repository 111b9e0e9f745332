"""Payouts as the API shows them: where money goes, asking for it, and what finance decides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, fields, loaders, pages as graph_pages
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.payouts.exchange import PayoutExchangeType
from shoutgraph.api.graphql.payouts.holds import SHOWN_MAX, PayoutWaitType
from shoutgraph.api.graphql.scalars import CurrencyCode
from shoutgraph.domain import money, pages
from shoutgraph.domain.money import Coins
from shoutgraph.domain.payouts import HoldCode, Payout, PayoutFilter, PayoutReview, PayoutState
from shoutgraph.domain.recipients import RECIPIENTS_MAX, Recipient, RecipientState
from shoutgraph.domain.users import Scope
from shoutgraph.services.payouts import holds, read
from shoutgraph.services.payouts.read import QUEUE, Listing, Rail

REF_SHOWN_CHARS: Final = 4
"""How much of a recipient's reference is shown: enough to know it again, too little to use."""

enums.describe(
    PayoutState,
    name="PayoutStatus",
    description="Where a payout stands; clients must accept values added later.",
    values={
        PayoutState.REQUESTED: "Finance has not decided.",
        PayoutState.HELD: "Finance waits for what holdCode and note say.",
        PayoutState.DENIED: "Finance said no; the earnings are available again.",
        PayoutState.APPROVED: "It will be sent.",
        PayoutState.SUBMITTING: "It is being handed to the provider.",
        PayoutState.SUBMITTED: "The provider has it.",
        PayoutState.UNKNOWN: "Nobody knows yet whether the provider has it; we are checking.",
        PayoutState.PAID: "The money left. It may still come back.",
        PayoutState.RETURNED: "The money came back; the earnings are available again.",
        PayoutState.REJECTED: "The provider refused it; the earnings are available again.",
        PayoutState.NOT_EXECUTED: "It provably never left; the earnings are available again.",
        PayoutState.CANCELLED: "The creator took it back; the earnings are available again.",
    },
)
enums.describe(
    HoldCode,
    name="PayoutHoldCode",
    description="What a held payout waits for.",
    values={
        HoldCode.IDENTITY: "Proof of who the creator is.",
        HoldCode.TAX_PROFILE: "The creator's tax profile.",
        HoldCode.RECIPIENT: "Something about where the money would go.",
        HoldCode.RISK: "A closer look at where the coins came from.",
        HoldCode.LEGAL: "A decision of somebody outside the platform.",
    },
)
enums.describe(
    PayoutReview,
    name="PayoutReview",
    description="Why finance must look at a payout that cannot settle by itself.",
    values={
        PayoutReview.AMOUNT_MISMATCH: "The provider speaks of another amount.",
        PayoutReview.PAID_AFTER_FAILURE: "The provider paid what it had refused.",
        PayoutReview.FAILED_AFTER_PAID: "The provider refused what it had paid.",
        PayoutReview.UNKNOWN_FOR_LONG: "Nobody knows for more than an hour what became of it.",
    },
)
enums.describe(
    RecipientState,
    name="PayoutRecipientStatus",
    description="Whether money can go to a recipient.",
    values={
        RecipientState.READY: "Money can go there.",
        RecipientState.NEEDS_ACTION: "The provider still needs something from the creator; nextAction leads there.",
        RecipientState.CHECKING: "Nobody knows yet whether the provider knows the creator; we are checking.",
        RecipientState.RESTRICTED: "The provider knows the creator and sends nothing for now; code says why.",
        RecipientState.DECLINED: "The provider does not take the creator; code says why.",
    },
)


@strawberry.type(name="PayoutProvider", description="A way to be paid.")
class PayoutProviderType:
    code: str = strawberry.field(description="Stable code of the provider; send it as providerCode.")
    label: str = strawberry.field(description="For people.")

    @classmethod
    def of(cls, rail: Rail) -> "PayoutProviderType":
        """The graph's view of a way to be paid."""
        return cls(code=rail.code, label=rail.label)


@strawberry.type(name="PayoutRecipientAction", description="What the creator has to do at the provider.")
class PayoutRecipientActionType:
    url: str = strawberry.field(description="Send the creator to this page.")
    expires_at: datetime | None = strawberry.field(
        description="Until when it works; payoutRecipientRefresh gets another."
    )


@strawberry.type(name="PayoutRecipient", description="Where a creator's money goes.")
class PayoutRecipientType(NodeType):
    provider_code: str = strawberry.field(description="Who sends it.")
    label: str = strawberry.field(description="What the creator calls it.")
    currency: CurrencyCode | None = strawberry.field(description="Of the account; null for that of the books.")
    ref_ending: str = strawberry.field(description="The end of the provider's reference, such as of an IBAN.")
    status: RecipientState = strawberry.field(description="Whether money can go there.")
    code: str | None = strawberry.field(description="Why the provider sends nothing there, in its words.")
    next_action: PayoutRecipientActionType | None = strawberry.field(description="What the creator has to do.")
    created_at: datetime = strawberry.field(description="When it was added.")
    removed_at: datetime | None = strawberry.field(description="When its creator removed it; nothing goes there since.")

    @classmethod
    def of(cls, recipient: Recipient) -> "PayoutRecipientType":
        """The graph's view of a recipient."""
        shown = min(REF_SHOWN_CHARS, len(recipient.ref) // 2)
        return cls(
            id=strawberry.ID(recipient.id),
            provider_code=recipient.instance,
            label=recipient.label,
            currency=None if recipient.currency is None else CurrencyCode(recipient.currency),
            ref_ending=recipient.ref[len(recipient.ref) - shown :],
            status=recipient.state,
            code=recipient.code,
            next_action=None
            if recipient.url is None
            else PayoutRecipientActionType(url=recipient.url, expires_at=recipient.expires_at),
            created_at=recipient.created_at,
            removed_at=recipient.removed_at,
        )


@strawberry.type(name="Payout", description="Earnings on their way out.")
class PayoutType(NodeType):
    value: strawberry.Private[Payout]
    revision: int = strawberry.field(description="Goes up by one at each change.")
    status: PayoutState = strawberry.field(description="Where it stands.")
    coins: Coins = strawberry.field(description="Earnings that are paid out.")
    amount: MoneyType = strawberry.field(description="What is sent for them, in the currency of the account.")
    creator_id: strawberry.ID = strawberry.field(description="Whose earnings.")
    provider_code: str = strawberry.field(description="Who sends it.")
    hold_code: HoldCode | None = strawberry.field(description="What it waits for while it is held.")
    note: str | None = strawberry.field(description="What finance said with its last decision.")
    failure_code: str | None = strawberry.field(description="Why it failed or came back, in the provider's words.")
    review: PayoutReview | None = strawberry.field(description="Why finance looks at it; null for no reason.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    paid_at: datetime | None = strawberry.field(description="When the money left.")

    @classmethod
    def of(cls, payout: Payout) -> "PayoutType":
        """The graph's view of a payout."""
        return cls(
            value=payout,
            id=strawberry.ID(payout.id),
            revision=payout.revision,
            status=payout.state,
            coins=Coins(payout.coins),
            amount=MoneyType.of(money.Money(payout.amount_minor, payout.currency)),
            creator_id=strawberry.ID(payout.creator_id),
            provider_code=payout.instance,
            hold_code=payout.hold_code if payout.state is PayoutState.HELD else None,
            note=payout.note,
            failure_code=payout.failure_code,
            review=payout.review,
            created_at=payout.created_at,
            updated_at=payout.updated_at,
            paid_at=payout.paid_at,
        )

    @loaders.batch(
        description="Why it waits, and what its creator can do; empty once it is sent, or if nothing keeps it back.",
        directives=[ListSize(assumed_size=SHOWN_MAX)],
    )
    @staticmethod
    async def holds(parents: "list[PayoutType]", context: Context) -> list[list[PayoutWaitType]]:
        found = await holds.of_payouts(context.tools, context.viewer, [parent.id for parent in parents])
        return [[PayoutWaitType.of(hold) for hold in each] for each in found]

    @loaders.batch(description="At what it was exchanged; null where the books' own currency is sent.")
    @staticmethod
    async def exchange(parents: "list[PayoutType]", context: Context) -> list[PayoutExchangeType | None]:
        found = await read.exchanges_of(context.tools, context.viewer, [parent.value for parent in parents])
        return [None if each is None else PayoutExchangeType.of(each) for each in found]

    @loaders.batch(description="Where the money goes; null once erased.")
    @staticmethod
    async def recipient(parents: "list[PayoutType]", context: Context) -> list[PayoutRecipientType | None]:
        return await fetch_recipients(context, [parent.value.recipient_id for parent in parents])


@strawberry.input(description="Keeps the payouts that match all the given fields.")
class PayoutFilterInput:
    status: list[PayoutState] | None = strawberry.field(default=None, description="Any of these states.")


@strawberry.type
class PayoutQuery:
    @fields.resolver(description="The ways to be paid.", directives=[ListSize(assumed_size=20)])
    async def payout_providers(self, info: Info) -> list[PayoutProviderType] | None:
        return [PayoutProviderType.of(rail) for rail in read.list_of_rails(info.context.tools, info.context.viewer)]

    @fields.resolver(
        description="Where the calling creator's money can go, the newest first.",
        directives=[ListSize(assumed_size=RECIPIENTS_MAX)],
    )
    async def payout_recipients(self, info: Info) -> list[PayoutRecipientType] | None:
        found = await read.list_of_recipients(info.context.tools, info.context.viewer)
        return [PayoutRecipientType.of(recipient) for recipient in found]

    @fields.resolver(description="Payouts, newest first: the calling creator's own, or everyone's.", directives=[PAGED])
    async def payouts(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[PayoutFilterInput | None, strawberry.argument(description="Which payouts.")] = None,
        *,
        everyone: Annotated[
            bool, strawberry.argument(description=f"Everyone's; needs the scope {Scope.FINANCE_READ.name}.")
        ] = False,
    ) -> Connection[PayoutType] | None:
        states = tuple(filter.status or ()) if filter is not None else ()
        listing = Listing(PayoutFilter(states=states), mine=not everyone)
        args = pages.read_args(scope=listing.scope, first=first, after=after, last=last, before=before)
        page = await read.page(info.context.tools, info.context.viewer, listing, args)
        return graph_pages.connect(page, PayoutType.of)

    @fields.resolver(
        description="What waits for finance, the longest waiting first.",
        directives=[PAGED, requires(Scope.FINANCE_READ)],
    )
    async def payout_queue(self, info: Info, first: First = None, after: After = None) -> Connection[PayoutType] | None:
        args = pages.read_args(scope=QUEUE.scope, first=first, after=after)
        page = await read.page(info.context.tools, info.context.viewer, QUEUE, args)
        return graph_pages.connect(page, PayoutType.of)


async def fetch_payouts(context: Context, payout_ids: Sequence[str]) -> list[PayoutType | None]:
    """Payouts by id, null where the caller may not see them."""
    found = await read.list_by_id(context.tools, context.viewer, payout_ids)
    return [None if payout is None else PayoutType.of(payout) for payout in found]


async def fetch_recipients(context: Context, recipient_ids: Sequence[str]) -> list[PayoutRecipientType | None]:
    """Recipients by id, null where the caller may not see them."""
    found = await read.recipients_by_id(context.tools, context.viewer, recipient_ids)
    return [None if recipient is None else PayoutRecipientType.of(recipient) for recipient in found]
