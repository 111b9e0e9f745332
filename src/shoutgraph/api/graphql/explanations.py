"""The room of explanations: why coins, deadlines, payouts and prices are as they are, in data and in words."""

from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, fields
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.packages import Country, Currency, On
from shoutgraph.api.graphql.room import Room
from shoutgraph.domain import errors, ids
from shoutgraph.domain.explanations.explanation import Explanation, Fact, Unit
from shoutgraph.domain.money import Coins
from shoutgraph.domain.orders.order import Usage
from shoutgraph.domain.packages import Market, Platform
from shoutgraph.services import offers
from shoutgraph.services.offers import Question
from shoutgraph.services.orders import explain as of_orders
from shoutgraph.services.payouts import explain as of_payouts

EXPLANATIONS_MAX: Final = 20

enums.describe(
    Unit,
    name="FactUnit",
    description="What the value of a fact is in; clients must accept values added later.",
    values={
        Unit.COINS: "Coins.",
        Unit.MINOR_UNITS: "Minor units of a currency, which the sentences name.",
        Unit.SECONDS: "Seconds.",
        Unit.BASIS_POINTS: "Hundredths of a percent.",
        Unit.INSTANT: "A time, RFC 3339 in UTC.",
        Unit.COUNT: "A number of things.",
        Unit.WORD: "A stable word, such as a state, or a text of a person.",
    },
)


@strawberry.type(name="ExplanationFact", description="A value that a rule was asked with, or that came of it.")
class FactType:
    name: str = strawberry.field(description="Stable name, such as refund or window.")
    value: str = strawberry.field(description="The value; numbers without separators.")
    unit: Unit = strawberry.field(description="What it is in.")

    @classmethod
    def of(cls, fact: Fact) -> "FactType":
        """The graph's view of a fact."""
        return cls(name=fact.name, value=fact.text, unit=fact.unit)


@strawberry.type(
    name="Explanation",
    description="Why something is as it is. Every figure of its sentences is one of its facts, and every fact "
    "comes from what decides.",
)
class ExplanationType:
    rule: str = strawberry.field(description="Stable code, such as refund.accept_timeout.")
    source: str = strawberry.field(description="Where the rule is written: a section of the documents.")
    policy_version: int | None = strawberry.field(description="The version of the rules it is under; null without one.")
    inputs: list[FactType] = strawberry.field(
        description="What the rule was asked with.", directives=[ListSize(assumed_size=10)]
    )
    outcome: list[FactType] = strawberry.field(description="What came of it.", directives=[ListSize(assumed_size=10)])
    words: list[str] = strawberry.field(
        description="The same in sentences, for people.", directives=[ListSize(assumed_size=6)]
    )

    @classmethod
    def of(cls, found: Explanation) -> "ExplanationType":
        """The graph's view of an explanation."""
        return cls(
            rule=found.rule,
            source=found.source,
            policy_version=found.policy_version,
            inputs=[FactType.of(fact) for fact in found.inputs],
            outcome=[FactType.of(fact) for fact in found.outcome],
            words=list(found.words),
        )


Order = Annotated[strawberry.ID, strawberry.argument(description="Which order.")]


@strawberry.type
class ExplanationQuery:
    @fields.resolver(
        description="What an order's end did with its coins; of an open order, what a transition would do with them "
        "now. For its two sides and staff."
    )
    async def explain_refund(
        self,
        info: Info,
        order_id: Order,
        transition: Annotated[
            str | None,
            strawberry.argument(description="A transition of an open order; the next that time takes if not given."),
        ] = None,
        back_coins: Annotated[
            Coins | None, strawberry.argument(description="What would go back; only with dispute_split.")
        ] = None,
    ) -> ExplanationType | None:
        tools, viewer = info.context.tools, info.context.viewer
        found = ids.parse(ids.ORDER, order_id, path=("orderId",))
        return ExplanationType.of(
            await of_orders.refund(tools, viewer, found, transition=transition, back_coins=back_coins)
        )

    @fields.resolver(
        description="Why a deadline of an order is when it is, and what happens then. For its two sides and staff."
    )
    async def explain_deadline(
        self,
        info: Info,
        order_id: Order,
        kind: Annotated[
            str | None, strawberry.argument(description="Its transition, as deadlines names it; the next if not given.")
        ] = None,
    ) -> ExplanationType | None:
        found = ids.parse(ids.ORDER, order_id, path=("orderId",))
        return ExplanationType.of(await of_orders.deadline(info.context.tools, info.context.viewer, found, kind=kind))

    @fields.resolver(
        description="Why a payout has not arrived, or what keeps a creator from being paid more: every cause, the "
        "first one first. For the creator and finance.",
        directives=[ListSize(assumed_size=EXPLANATIONS_MAX)],
    )
    async def explain_payout_hold(
        self,
        info: Info,
        payout_id: Annotated[strawberry.ID | None, strawberry.argument(description="Which payout.")] = None,
        creator_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Whose earnings, where no payout is named.")
        ] = None,
    ) -> list[ExplanationType] | None:
        tools, viewer = info.context.tools, info.context.viewer
        if payout_id is not None and creator_id is not None:
            raise errors.ValidationError("Name a payout or a creator.", code="ONE_OF", path=("creatorId",))
        if payout_id is not None:
            found = await of_payouts.payout(tools, viewer, ids.parse(ids.PAYOUT, payout_id, path=("payoutId",)))
        else:
            whose = None if creator_id is None else ids.parse(ids.CREATOR, creator_id, path=("creatorId",))
            found = await of_payouts.creator(tools, viewer, whose)
        return [ExplanationType.of(each) for each in found[:EXPLANATIONS_MAX]]

    @fields.resolver(description="What the price of an offer is made of, and who gets which part of it.")
    async def explain_price(
        self,
        info: Info,
        offer_id: Annotated[strawberry.ID, strawberry.argument(description="Which offer.")],
        country: Country,
        currency: Currency,
        platform: On = Platform.WEB,
        usage: Annotated[Usage, strawberry.argument(description="For whom it would be.")] = Usage.PERSONAL,
        *,
        express: Annotated[bool, strawberry.argument(description="With a fast delivery.")] = False,
        campaign_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="In this campaign of the creator's.")
        ] = None,
    ) -> ExplanationType | None:
        market, found = Market(country, currency, platform), ids.parse(ids.OFFER, offer_id, path=("offerId",))
        tools, viewer = info.context.tools, info.context.viewer
        campaign = None if campaign_id is None else ids.parse(ids.CAMPAIGN, campaign_id, path=("campaignId",))
        asked = Question(found, market, express=express, usage=usage, campaign_id=campaign)
        return ExplanationType.of(await offers.explain_price(tools, viewer, asked))


ROOM: Final = Room(query=ExplanationQuery)
