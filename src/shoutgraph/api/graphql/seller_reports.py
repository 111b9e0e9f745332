"""The room of yearly seller reports: what the tax office is told, as data."""

from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, fields, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.earnings import EarnedAmountType
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.pages import After, Connection, First
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.tax import TaxProfileType
from shoutgraph.domain import pages
from shoutgraph.domain.money import Money
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.seller_reports import QUARTERS, Basis, Law, Outcome, Quarter, Report
from shoutgraph.domain.users import Scope
from shoutgraph.services import seller_reports
from shoutgraph.services.tax import Shown

enums.describe(
    Basis,
    name="SellerReportBasis",
    description="Which amount a law compares.",
    values={
        Basis.GROSS: "What fans gave, fee included.",
        Basis.NET: "That, less the fee and what was given back.",
    },
)
enums.describe(
    Outcome,
    name="SellerReportOutcome",
    description="Why a seller is reported, or not; clients must accept values added later.",
    values={
        Outcome.NO_LAW: "No law is known for the country and year.",
        Outcome.BELOW: "Below the thresholds.",
        Outcome.SALES: "So many sales.",
        Outcome.AMOUNT: "So large an amount.",
        Outcome.SALES_AND_AMOUNT: "So many sales of so large an amount.",
        Outcome.NOT_COMPARED: "No exchange rate is known, so the amount counts as too large.",
    },
)

OfYear = Annotated[int, strawberry.argument(description="Which year, of UTC.")]


@strawberry.type(name="SellerReportQuarter", description="What happened in a quarter of UTC, or in all of the year.")
class SellerReportQuarterType:
    number: int = strawberry.field(description="1 to 4; 0 for the year.")
    order_count: int = strawberry.field(description="Orders that were completed.")
    gift_count: int = strawberry.field(description="Gifts that were received.")
    gross: EarnedAmountType = strawberry.field(description="What fans gave for these, fee included.")
    fee: EarnedAmountType = strawberry.field(description="What the platform kept of it.")
    compensation: EarnedAmountType = strawberry.field(description="What the platform paid for delays of its own.")
    refunded: EarnedAmountType = strawberry.field(description="What went back to fans after an order's end.")
    refunded_fee: EarnedAmountType = strawberry.field(description="The part of this that the platform bore.")
    payout_count: int = strawberry.field(description="Payouts that were paid.")
    paid_out: EarnedAmountType = strawberry.field(description="What these came to.")
    returned: EarnedAmountType = strawberry.field(description="What came back of payouts, whenever they were paid.")

    @classmethod
    def of(cls, quarter: Quarter, policy: Policy) -> "SellerReportQuarterType":
        """The graph's view of a quarter."""
        return cls(
            number=quarter.number,
            order_count=quarter.orders,
            gift_count=quarter.gifts,
            gross=EarnedAmountType.of(quarter.gross_coins, policy),
            fee=EarnedAmountType.of(quarter.fee_coins, policy),
            compensation=EarnedAmountType.of(quarter.compensation_coins, policy),
            refunded=EarnedAmountType.of(quarter.refunded_coins, policy),
            refunded_fee=EarnedAmountType.of(quarter.refunded_fee_coins, policy),
            payout_count=quarter.payouts,
            paid_out=EarnedAmountType.of(quarter.paid_out_coins, policy),
            returned=EarnedAmountType.of(quarter.returned_coins, policy),
        )


@strawberry.type(name="SellerReportRule", description="From when on a law wants a seller reported.")
class SellerReportRuleType:
    name: str = strawberry.field(description="What it is called, such as DAC7.")
    sale_count: int = strawberry.field(description="From so many sales in a year on.")
    amount_above: MoneyType = strawberry.field(description="Above this amount in a year.")
    both_needed: bool = strawberry.field(description="Whether neither suffices alone.")
    basis: Basis = strawberry.field(description="Which amount is compared.")
    source: str = strawberry.field(description="Where it is written.")

    @classmethod
    def of(cls, law: Law) -> "SellerReportRuleType":
        """The graph's view of a law."""
        return cls(
            name=law.name,
            sale_count=law.sales_from,
            amount_above=MoneyType.of(Money(law.amount_minor, law.currency)),
            both_needed=law.both,
            basis=law.basis,
            source=law.source,
        )


@strawberry.type(name="SellerReport", description="What a creator earned, gave back and was paid in a year.")
class SellerReportType:
    creator_id: strawberry.ID = strawberry.field(description="Who.")
    year: int = strawberry.field(description="When, in UTC.")
    country: str = strawberry.field(description="Where they pay taxes, or of their profile while none was certified.")
    reportable: bool = strawberry.field(description="Whether the tax office is told.")
    outcome: Outcome = strawberry.field(description="What decided that.")
    rule: SellerReportRuleType | None = strawberry.field(description="The law; null where none is known.")
    total: SellerReportQuarterType = strawberry.field(description="The year.")
    quarters: list[SellerReportQuarterType] = strawberry.field(
        description="Its quarters.", directives=[ListSize(assumed_size=QUARTERS)]
    )
    tax_profile: TaxProfileType | None = strawberry.field(description="What they certified last; null if nothing.")

    @classmethod
    def of(cls, report: Report) -> "SellerReportType":
        """The graph's view of a report; whoever may read it may read the tax profile whole."""
        law, profile = report.verdict.law, report.profile
        return cls(
            creator_id=strawberry.ID(report.creator_id),
            year=report.year,
            country=report.country,
            reportable=report.verdict.reportable,
            outcome=report.verdict.outcome,
            rule=None if law is None else SellerReportRuleType.of(law),
            total=SellerReportQuarterType.of(report.total, report.policy),
            quarters=[SellerReportQuarterType.of(quarter, report.policy) for quarter in report.quarters],
            tax_profile=None if profile is None else TaxProfileType.of(Shown(profile, whole=True)),
        )


@strawberry.type
class SellerReportQuery:
    @fields.resolver(
        description="What the tax office is told of a year, seller by seller; for those who read finances.",
        directives=[PAGED, requires(Scope.FINANCE_READ)],
    )
    async def seller_report(
        self,
        info: Info,
        year: OfYear,
        first: First = None,
        after: After = None,
        *,
        everyone: Annotated[bool, strawberry.argument(description="Also those with nothing in the year.")] = False,
    ) -> Connection[SellerReportType] | None:
        scope = seller_reports.scope(year, everyone=everyone)
        args = pages.read_args(scope=scope, first=first, after=after)
        page = await seller_reports.page(info.context.tools, info.context.viewer, year, args, everyone=everyone)
        return graph_pages.connect(page, SellerReportType.of)


ROOM: Final = Room(query=SellerReportQuery)
