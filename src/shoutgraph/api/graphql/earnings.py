"""Earnings as their creator sees them: where each coin is, and how each price was shared."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import BigInt, IdempotencyKey
from shoutgraph.api.graphql.statements import read_place
from shoutgraph.domain import ids, money, pages
from shoutgraph.domain.earnings import Earning, EarningKind, EarningsPart, EarningState
from shoutgraph.domain.money import Coins
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.statements import Told
from shoutgraph.domain.users import Scope
from shoutgraph.services import earnings, policies, statements
from shoutgraph.services.earnings import Summary

enums.describe(
    EarningKind,
    name="EarningKind",
    description="What was earned with.",
    values={
        EarningKind.ORDER: "A video that a fan paid for.",
        EarningKind.COMPENSATION: "A delay of the platform, which it pays for itself.",
        EarningKind.GIFT: "A gift of a fan.",
    },
)
enums.describe(
    EarningState,
    name="EarningStatus",
    description="Where an earning stands; clients must accept values added later.",
    values={
        EarningState.PENDING: "In its hold.",
        EarningState.AVAILABLE: "It may be paid out, as far as it is not on its way already.",
        EarningState.PAID: "All of it was paid out.",
        EarningState.REVERSED: "All of it was taken back.",
    },
)
enums.describe(
    EarningsPart,
    name="EarningsPart",
    description="Which of a creator's coins moved; clients must accept values added later.",
    values={
        EarningsPart.PENDING: "Those in their hold.",
        EarningsPart.AVAILABLE: "Those that may be paid out.",
        EarningsPart.RESERVE: "Those that are kept back for a while after the hold.",
    },
)


@strawberry.type(name="EarnedAmount", description="Coins that were earned, and what they are worth at par.")
class EarnedAmountType:
    coins: Coins = strawberry.field(description="Coins.")
    money: MoneyType = strawberry.field(description="What they are worth, in the currency of the books.")

    @classmethod
    def of(cls, coins: int, policy: Policy) -> "EarnedAmountType":
        """The graph's view of an amount."""
        worth = money.Money(policy.par_minor(coins), policy.book_currency)
        return cls(coins=Coins(coins), money=MoneyType.of(worth))


@strawberry.type(name="Earning", description="What a creator earned with one order, compensation or gift.")
class EarningType:
    id: strawberry.ID = strawberry.field(description="Names the earning; it is not a node.")
    kind: EarningKind = strawberry.field(description="What was earned with.")
    subject_id: strawberry.ID = strawberry.field(description="The order or gift.")
    status: EarningState = strawberry.field(description="Where it stands.")
    price: EarnedAmountType = strawberry.field(description="What the fan paid: the creator's part and the fee.")
    fee: EarnedAmountType = strawberry.field(description="What the platform kept.")
    earned: EarnedAmountType = strawberry.field(description="The creator's part.")
    remaining: EarnedAmountType = strawberry.field(description="Not paid, not on its way and not taken back.")
    reserved: EarnedAmountType = strawberry.field(description="What of it is in reserve.")
    reserved_until: datetime | None = strawberry.field(description="Until when; null if none ever was.")
    earned_at: datetime = strawberry.field(description="When it was earned.")
    matures_at: datetime = strawberry.field(description="When its hold ends.")

    @classmethod
    def of(cls, earning: Earning, policy: Policy) -> "EarningType":
        """The graph's view of an earning."""
        return cls(
            id=strawberry.ID(earning.id),
            kind=earning.kind,
            subject_id=strawberry.ID(earning.subject_id),
            status=earning.state,
            price=EarnedAmountType.of(earning.price_coins, policy),
            fee=EarnedAmountType.of(earning.fee_coins, policy),
            earned=EarnedAmountType.of(earning.coins, policy),
            remaining=EarnedAmountType.of(earning.remaining_coins, policy),
            reserved=EarnedAmountType.of(earning.reserved_coins, policy),
            reserved_until=earning.reserved_until,
            earned_at=earning.earned_at,
            matures_at=earning.matures_at,
        )


@strawberry.type(name="EarningsLine", description="One move of a creator's earnings, as it stands in the books.")
class EarningsLineType:
    kind: str = strawberry.field(description="What happened, such as order.closed or payout.requested.")
    code: str = strawberry.field(description="What to call it in the reader's language, such as PENDING_GIFT.")
    words: str = strawberry.field(description="What it is called in English.")
    ref: str = strawberry.field(description="Which one: with kind, its name in the books for ever.")
    part: EarningsPart = strawberry.field(description="Which coins moved.")
    coins: BigInt = strawberry.field(description="Coins that came in; negative for those that went out.")
    balance: BigInt = strawberry.field(description="Coins that stand so after it.")
    at: datetime = strawberry.field(description="When.")
    order_id: strawberry.ID | None = strawberry.field(description="The order that it is about.")
    gift_id: strawberry.ID | None = strawberry.field(description="The gift that it is about.")
    payout_id: strawberry.ID | None = strawberry.field(description="The payout that it is about.")

    @classmethod
    def of(cls, told: Told) -> "EarningsLineType":
        """The graph's view of a line."""
        line, about = told.line, told.about
        return cls(
            kind=line.kind,
            code=told.code,
            words=told.words,
            ref=line.ref,
            part=EarningsPart(told.account),
            coins=BigInt(line.coins),
            balance=BigInt(line.balance_coins),
            at=line.at,
            order_id=None if about.order_id is None else strawberry.ID(about.order_id),
            gift_id=None if about.gift_id is None else strawberry.ID(about.gift_id),
            payout_id=None if about.payout_id is None else strawberry.ID(about.payout_id),
        )


@strawberry.type(name="Earnings", description="All that a creator earned, by where it is.")
class EarningsType:
    value: strawberry.Private[Summary]
    creator_id: strawberry.Private[str | None]
    pending: EarnedAmountType = strawberry.field(description="In the hold.")
    available: EarnedAmountType = strawberry.field(description="May be paid out now.")
    reserved: EarnedAmountType = strawberry.field(description="Matured, and kept in reserve; no payout takes of it.")
    next_release_at: datetime | None = strawberry.field(description="When the first of the reserve is released.")
    held_until: datetime | None = strawberry.field(description="When the last of the reserve is released.")
    in_payout: EarnedAmountType = strawberry.field(description="Set aside for payouts under way.")
    paid: EarnedAmountType = strawberry.field(description="Paid out.")

    @classmethod
    def of(cls, summary: Summary, creator_id: str | None) -> "EarningsType":
        """The graph's view of a summary."""
        balances, policy = summary.balances, summary.policy
        return cls(
            value=summary,
            creator_id=creator_id,
            pending=EarnedAmountType.of(balances.pending_coins, policy),
            available=EarnedAmountType.of(balances.available_coins, policy),
            reserved=EarnedAmountType.of(summary.reserve.coins, policy),
            next_release_at=summary.reserve.next_at,
            held_until=summary.reserve.until,
            in_payout=EarnedAmountType.of(balances.in_payout_coins, policy),
            paid=EarnedAmountType.of(balances.paid_coins, policy),
        )

    @fields.resolver(description="Each earning, newest first.", directives=[PAGED])
    async def items(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[EarningType]:
        context, policy = info.context, self.value.policy
        scope = earnings.scope(self.creator_id or context.viewer.require_creator())
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before)
        page = await earnings.page(context.tools, context.viewer, args, self.creator_id)
        return graph_pages.connect(page, lambda earning: EarningType.of(earning, policy))

    @fields.resolver(description="Every move of them, newest first: earned, adjusted, paid out.", directives=[PAGED])
    async def statement(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[EarningsLineType]:
        context = info.context
        source = statements.of_earnings(context.viewer, self.creator_id)
        page = await statements.page(context.tools, source, read_place(source, (first, after, last, before)))
        return graph_pages.connect(page, EarningsLineType.of)


@strawberry.type
class EarningQuery:
    @fields.resolver(description="What the calling creator earned, or any creator with the scope FINANCE_READ.")
    async def earnings(
        self,
        info: Info,
        creator_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Whose; the caller's own if not given.")
        ] = None,
    ) -> EarningsType | None:
        summary = await earnings.summary(info.context.tools, info.context.viewer, creator_id)
        return EarningsType.of(summary, creator_id)


CreatorReserveSetError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType,
    failures_of("creatorReserveSet"),
]


@strawberry.input(description="Input of creatorReserveSet.")
class CreatorReserveSetInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    creator_id: strawberry.ID = strawberry.field(description="Whose earnings.")
    reason: str = strawberry.field(description="Why; at most 500 characters.")
    reserve_basis_points: int | None = strawberry.field(
        default=None, description="What share of an earning is kept when it matures; null for the policy's."
    )


@strawberry.type(description="Result of creatorReserveSet.")
class CreatorReserveSetPayload:
    reserve_basis_points: int | None = strawberry.field(
        default=None, description="The share that counts now; null if it was refused."
    )
    follows_policy: bool | None = strawberry.field(
        default=None, description="Whether the policy's share counts; null if it was refused."
    )
    replayed: bool = mutations.replayed()
    errors: list[CreatorReserveSetError] = mutations.refusals()


@strawberry.type
class EarningMutation:
    @mutations.mutation(
        description="Says what share of a creator's earnings is kept in reserve from now on, when they mature.",
        directives=(requires(Scope.FINANCE_MANAGE),),
    )
    async def creator_reserve_set(
        self, info: Info, input: Annotated[CreatorReserveSetInput, strawberry.argument(description="Whose, and why.")]
    ) -> CreatorReserveSetPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        creator_id = ids.parse(ids.CREATOR, input.creator_id, path=("input", "creatorId"))
        asked = request_of(viewer, "creatorReserveSet", input)
        share, why = input.reserve_basis_points, input.reason
        done = await earnings.set_reserve(tools, viewer, asked, creator_id, basis_points=share, reason=why)
        own = done.value.basis_points
        counts = (await policies.current(tools)).reserve_bps if own is None else own
        return CreatorReserveSetPayload(reserve_basis_points=counts, follows_policy=own is None, replayed=done.replayed)


ROOM: Final = Room(query=EarningQuery, mutation=EarningMutation)
