"""Promotions as the API shows them: making and ending them, and redeeming a code that grants coins."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import GUESSABLE, PAGED, ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import BigInt, IdempotencyKey
from shoutgraph.domain import ids, pages, promotions as rules
from shoutgraph.domain.money import Coins
from shoutgraph.domain.promotions import Kind, Offered, Promotion
from shoutgraph.domain.users import Scope
from shoutgraph.services import promotions

_DECIDES: Final = (requires(Scope.FINANCE_MANAGE),)

enums.describe(
    Kind,
    name="PromotionKind",
    description="What a promotion gives.",
    values={
        Kind.BONUS_SHARE: "Granted coins with a top-up: amount basis points of the coins that are bought.",
        Kind.BONUS_COINS: "Granted coins with a top-up: amount coins.",
        Kind.DISCOUNT: "A top-up that costs amount basis points less.",
        Kind.GRANT: "Granted coins by promoCodeRedeem: amount coins.",
    },
)


@strawberry.type(name="Promotion", description="What its codes give; that never changes.")
class PromotionType(NodeType):
    label: str = strawberry.field(description="What staff call it.")
    kind: Kind = strawberry.field(description="What it gives.")
    amount: BigInt = strawberry.field(description="How much: basis points or coins, as its kind says.")
    amount_max: BigInt | None = strawberry.field(
        description="Most that a share comes to: coins, or minor units of a discount."
    )
    starts_at: datetime = strawberry.field(description="From when its codes are good.")
    ends_at: datetime | None = strawberry.field(description="Until when; null for no end.")
    ended_at: datetime | None = strawberry.field(description="When staff ended it.")
    uses_max: BigInt | None = strawberry.field(description="Most uses of all its codes; null for any number.")
    code_uses_max: BigInt | None = strawberry.field(description="Most uses of one code; null for any number.")
    user_uses_max: BigInt = strawberry.field(description="Most uses by one person.")
    use_count: int = strawberry.field(description="Uses now; one that was given back counts no more.")
    countries: list[str] = strawberry.field(
        description="Where the users live; none for everywhere.", directives=[ListSize(assumed_size=250)]
    )
    first_purchase_only: bool = strawberry.field(description="Whether only somebody who never bought coins may use it.")
    coins_min: Coins = strawberry.field(description="Fewest coins that must be bought.")
    life_seconds: int = strawberry.field(description="How long its granted coins live.")
    created_at: datetime = strawberry.field(description="When it was made.")
    created_by: str = strawberry.field(description="Who made it.")
    reason: str = strawberry.field(description="Why.")

    @classmethod
    def of(cls, promotion: Promotion) -> "PromotionType":
        """The graph's view of a promotion."""
        offered = promotion.offered
        most = (offered.amount_max, offered.uses_max, offered.code_uses_max)
        amount_max, uses_max, code_uses_max = (None if each is None else BigInt(each) for each in most)
        return cls(
            id=strawberry.ID(promotion.id),
            label=offered.label,
            kind=offered.kind,
            amount=BigInt(offered.amount),
            amount_max=amount_max,
            starts_at=offered.starts_at,
            ends_at=offered.ends_at,
            ended_at=promotion.ended_at,
            uses_max=uses_max,
            code_uses_max=code_uses_max,
            user_uses_max=BigInt(offered.user_uses_max),
            use_count=promotion.uses,
            countries=list(offered.countries),
            first_purchase_only=offered.first_only,
            coins_min=Coins(offered.coins_min),
            life_seconds=offered.life_s,
            created_at=promotion.created_at,
            created_by=promotion.created_by,
            reason=promotion.reason,
        )


_Decided = errors.ForbiddenErrorType | errors.IdempotencyKeyReusedErrorType | errors.ValidationErrorType
PromoCreateError = Annotated[_Decided, failures_of("promoCreate")]
PromoEndError = Annotated[_Decided | errors.NotFoundErrorType, failures_of("promoEnd")]
PromoCodeRedeemError = Annotated[
    _Decided | errors.FeatureUnavailableErrorType | errors.LimitExceededErrorType | errors.WalletLockedErrorType,
    failures_of("promoCodeRedeem"),
]


@strawberry.input(description="Input of promoCreate.")
class PromoCreateInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended promotion.")
    label: str = strawberry.field(description=f"What staff call it; at most {rules.LABEL_CHARS_MAX} characters.")
    kind: Kind = strawberry.field(description="What it gives.")
    amount: BigInt = strawberry.field(description="How much: basis points or coins, as its kind says.")
    reason: str = strawberry.field(description=f"Why; at most {rules.REASON_CHARS_MAX} characters.")
    codes: list[str] = strawberry.field(
        default_factory=list, description="Codes of your own: 4 to 32 letters and digits, in capitals or not."
    )
    code_count: int = strawberry.field(
        default=0, description=f"Or how many random ones are to be made, at most {rules.CODES_MAX}."
    )
    starts_at: datetime | None = strawberry.field(default=None, description="From when; from now on if not given.")
    ends_at: datetime | None = strawberry.field(default=None, description="Until when; no end if not given.")
    amount_max: BigInt | None = strawberry.field(default=None, description="Most that a share comes to.")
    uses_max: BigInt | None = strawberry.field(default=None, description="Most uses of all its codes.")
    code_uses_max: BigInt | None = strawberry.field(default=None, description="Most uses of one code.")
    user_uses_max: BigInt = strawberry.field(default=BigInt(1), description="Most uses by one person, at most 100.")
    countries: list[str] = strawberry.field(default_factory=list, description="Where the users live.")
    first_purchase_only: bool = strawberry.field(default=False, description="Only for who never bought coins.")
    coins_min: Coins = strawberry.field(default=Coins(0), description="Fewest coins that must be bought.")
    life_seconds: int = strawberry.field(default=90 * 86_400, description="How long its granted coins live.")

    def read(self, now: datetime) -> promotions.Wish:
        """The promotion that this input describes."""
        offered = Offered(
            label=self.label,
            kind=self.kind,
            amount=self.amount,
            starts_at=self.starts_at or now,
            ends_at=self.ends_at,
            amount_max=self.amount_max,
            uses_max=self.uses_max,
            code_uses_max=self.code_uses_max,
            user_uses_max=self.user_uses_max,
            countries=tuple(self.countries),
            first_only=self.first_purchase_only,
            coins_min=self.coins_min,
            life_s=self.life_seconds,
        )
        return promotions.Wish(offered, self.reason, tuple(self.codes), self.code_count)


@strawberry.type(description="Result of promoCreate.")
class PromoCreatePayload:
    promotion: PromotionType | None = mutations.outcome("The promotion.")
    codes: list[str] | None = strawberry.field(
        default=None,
        description="Its codes. They are shown now and never again: a repeat of the request has none.",
        directives=[ListSize(assumed_size=rules.CODES_MAX)],
    )
    replayed: bool = mutations.replayed()
    errors: list[PromoCreateError] = mutations.refusals()


@strawberry.input(description="Input of promoEnd.")
class PromoEndInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended end.")
    promotion_id: strawberry.ID = strawberry.field(description="Which promotion.")


@strawberry.type(description="Result of promoEnd.")
class PromoEndPayload:
    promotion: PromotionType | None = mutations.outcome("The promotion, whose codes are good no longer.")
    replayed: bool = mutations.replayed()
    errors: list[PromoEndError] = mutations.refusals()


@strawberry.input(description="Input of promoCodeRedeem.")
class PromoCodeRedeemInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per code that is tried.")
    promo_code: str = strawberry.field(description="The code; capitals, blanks and hyphens do not matter.")


@strawberry.type(description="Result of promoCodeRedeem.")
class PromoCodeRedeemPayload:
    coins: Coins | None = mutations.outcome("How many coins were granted; wallet has them.")
    expires_at: datetime | None = strawberry.field(default=None, description="When they lapse.")
    replayed: bool = mutations.replayed()
    errors: list[PromoCodeRedeemError] = mutations.refusals()


Made = Annotated[PromoCreateInput, strawberry.argument(description="What it gives, to whom and when.")]
Ended = Annotated[PromoEndInput, strawberry.argument(description="Which promotion.")]
Tried = Annotated[PromoCodeRedeemInput, strawberry.argument(description="The code.")]


@strawberry.type
class PromotionQuery:
    @fields.resolver(description="All promotions, newest first.", directives=[PAGED, requires(Scope.FINANCE_READ)])
    async def promotions(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[PromotionType] | None:
        args = pages.read_args(scope=promotions.SCOPE, first=first, after=after, last=last, before=before)
        page = await promotions.page(info.context.tools, info.context.viewer, args)
        return graph_pages.connect(page, PromotionType.of)


@strawberry.type
class PromotionMutation:
    @mutations.mutation(description="Makes a promotion and its codes, and shows them once.", directives=_DECIDES)
    async def promo_create(self, info: Info, input: Made) -> PromoCreatePayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "promoCreate", input)
        done = await promotions.create(tools, viewer, asked, input.read(tools.clock().astimezone(UTC)))
        codes = None if done.replayed else list(done.value.codes)
        made = PromotionType.of(done.value.promotion)
        return PromoCreatePayload(promotion=made, codes=codes, replayed=done.replayed)

    @mutations.mutation(description="Ends a promotion; what was begun keeps what it was promised.", directives=_DECIDES)
    async def promo_end(self, info: Info, input: Ended) -> PromoEndPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "promoEnd", input)
        done = await promotions.end(tools, viewer, asked, input.promotion_id)
        return PromoEndPayload(promotion=PromotionType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Turns a code into granted coins. A code that cannot be used is refused in one way.",
        directives=[GUESSABLE],
    )
    async def promo_code_redeem(self, info: Info, input: Tried) -> PromoCodeRedeemPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "promoCodeRedeem", input)
        done = await promotions.redeem(tools, viewer, asked, input.promo_code)
        use = done.value
        return PromoCodeRedeemPayload(coins=Coins(use.coins), expires_at=use.expires_at, replayed=done.replayed)


async def fetch_promotions(context: Context, promotion_ids: Sequence[str]) -> list[PromotionType | None]:
    """Promotions by id, null where the caller may not see them."""
    found = await promotions.list_by_id(context.tools, context.viewer, promotion_ids)
    return [None if each is None else PromotionType.of(each) for each in found]


ROOM: Final = Room(query=PromotionQuery, mutation=PromotionMutation, nodes={ids.PROMOTION: fetch_promotions})
