"""Coins that lapse: owners keep them or take them back, finance sees what came of it, and both are told why."""

from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.explanations import ExplanationType
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.api.graphql.wallets import WalletType, fetch_wallets
from shoutgraph.domain.dormancy import Totals
from shoutgraph.domain.lapse_rules import LapseOutcome
from shoutgraph.domain.money import BOOK_UNITS_PER_MINOR, Coins, Money
from shoutgraph.domain.users import Scope
from shoutgraph.services import dormancy


@strawberry.type(name="LapseTotals", description="What lapsed with one outcome, since the first coin.")
class LapseTotalsType:
    outcome: LapseOutcome = strawberry.field(description="Which outcome.")
    lot_count: int = strawberry.field(description="Lots that lapsed.")
    coins: Coins = strawberry.field(description="Coins that lapsed.")
    returned: Coins = strawberry.field(description="How many of these came back to their owners.")
    worth: MoneyType = strawberry.field(
        description="What the books hold of it now, in whole minor units: rev:breakage or liab:unclaimed."
    )

    @classmethod
    def of(cls, found: Totals, currency: str) -> "LapseTotalsType":
        """The graph's view of totals."""
        return cls(
            outcome=found.outcome,
            lot_count=found.lots,
            coins=Coins(found.coins),
            returned=Coins(found.returned_coins),
            worth=MoneyType.of(Money(found.held_units // BOOK_UNITS_PER_MINOR, currency)),
        )


WalletKeepError = Annotated[
    errors.ForbiddenErrorType | errors.IdempotencyKeyReusedErrorType | errors.ValidationErrorType,
    failures_of("walletKeep"),
]
WalletReclaimError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.ValidationErrorType
    | errors.WalletLockedErrorType,
    failures_of("walletReclaim"),
]


@strawberry.input(description="Input of walletKeep.")
class WalletKeepInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended answer to a notice.")


@strawberry.type(description="Result of walletKeep.")
class WalletKeepPayload:
    wallet: WalletType | None = mutations.outcome("The wallet, of which nothing is about to lapse.")
    replayed: bool = mutations.replayed()
    errors: list[WalletKeepError] = mutations.refusals()


@strawberry.input(description="Input of walletReclaim.")
class WalletReclaimInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended reclaiming.")


@strawberry.type(description="Result of walletReclaim.")
class WalletReclaimPayload:
    wallet: WalletType | None = mutations.outcome("The wallet, with its coins.")
    replayed: bool = mutations.replayed()
    errors: list[WalletReclaimError] = mutations.refusals()


@strawberry.type
class LapseQuery:
    @fields.resolver(
        description="What lapsed of bought coins, by outcome.",
        directives=[ListSize(assumed_size=len(LapseOutcome)), requires(Scope.FINANCE_READ)],
    )
    async def lapse_totals(self, info: Info) -> list[LapseTotalsType] | None:
        currency, found = await dormancy.totals(info.context.tools, info.context.viewer)
        return [LapseTotalsType.of(each, currency) for each in found]

    @fields.resolver(
        description="Why bought coins of somebody may lapse, lapsed, or do not. For their owner and finance."
    )
    async def explain_dormancy(
        self,
        info: Info,
        user_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Whose; the caller's own if not given.")
        ] = None,
    ) -> ExplanationType | None:
        return ExplanationType.of(await dormancy.explain(info.context.tools, info.context.viewer, user_id))


@strawberry.type
class LapseMutation:
    @mutations.mutation(description="Says that the caller is there, so that their bought coins do not lapse.")
    async def wallet_keep(
        self, info: Info, input: Annotated[WalletKeepInput, strawberry.argument(description="The answer to a notice.")]
    ) -> WalletKeepPayload | None:
        viewer = info.context.viewer
        done = await dormancy.keep(info.context.tools, viewer, request_of(viewer, "walletKeep", input))
        (wallet,) = await fetch_wallets(info.context, [done.value.id])
        return WalletKeepPayload(wallet=wallet, replayed=done.replayed)

    @mutations.mutation(
        description="Takes back what lapsed of the caller's coins and is kept for them; what they owe is paid first."
    )
    async def wallet_reclaim(
        self, info: Info, input: Annotated[WalletReclaimInput, strawberry.argument(description="The reclaiming.")]
    ) -> WalletReclaimPayload | None:
        viewer = info.context.viewer
        done = await dormancy.reclaim(info.context.tools, viewer, request_of(viewer, "walletReclaim", input))
        (wallet,) = await fetch_wallets(info.context, [done.value.id])
        return WalletReclaimPayload(wallet=wallet, replayed=done.replayed)


ROOM: Final = Room(query=LapseQuery, mutation=LapseMutation)
