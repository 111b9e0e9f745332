"""Refusals as data: one GraphQL type per refusal that a mutation can answer, each with its own fields.

A new refusal is first a new `code` of a type here; a new type only where it carries new data.
"""

from datetime import datetime
from typing import Final

import strawberry
from strawberry.types.union import StrawberryUnion

from shoutgraph.api.graphql import enums, scalars
from shoutgraph.domain import errors, money
from shoutgraph.domain.features import Feature, Reason

enums.describe(
    Feature,
    name="Feature",
    description="A part of the product that is rolled out; clients must accept values added later.",
    values={
        Feature.SHOUTOUTS: "Ordering videos, and selling them.",
        Feature.GIFTS: "Sending gifts, and getting them.",
        Feature.TOPUPS: "Buying coins and gift cards, and redeeming codes.",
        Feature.PAYOUTS: "Being paid out.",
    },
)
enums.describe(
    Reason,
    name="FeatureReason",
    description="Which condition of a rule keeps a feature off; clients must accept values added later.",
    values={
        Reason.SWITCHED_OFF: "It is off for everyone.",
        Reason.LIST: "A list of the operator's leaves this person out.",
        Reason.SCHEDULE: "It is not on yet, or no longer.",
        Reason.COUNTRY: "It is not on in this person's country, or nobody knows their country: userUpdate sets it.",
        Reason.PERCENTAGE: "It is on for a part of all people so far.",
        Reason.CREATOR: "It is not on for the creator.",
    },
)


@strawberry.interface(
    name="UserError",
    description="An expected failure, returned as data. Select it in every errors list: later types implement it too.",
)
class UserErrorType:
    code: str = strawberry.field(description="Stable machine code, listed in the docs.")
    message: str = strawberry.field(description="For people.")
    path: list[str] | None = strawberry.field(
        description="Path into the arguments, such as input.creator.handle; null if no argument is at fault."
    )


@strawberry.type(name="ValidationError", description="An argument broke a rule.")
class ValidationErrorType(UserErrorType):
    pass


@strawberry.type(name="NotFoundError", description="It does not exist, or the caller may not see it.")
class NotFoundErrorType(UserErrorType):
    pass


@strawberry.type(name="ForbiddenError", description="The caller may not do this.")
class ForbiddenErrorType(UserErrorType):
    pass


@strawberry.type(name="StaleRevisionError", description="The object changed since the caller read it.")
class StaleRevisionErrorType(UserErrorType):
    current_revision: int = strawberry.field(description="Revision now stored.")


@strawberry.type(name="IdempotencyKeyReusedError", description="The key was used before with other input.")
class IdempotencyKeyReusedErrorType(UserErrorType):
    pass


@strawberry.type(name="OrderStateError", description="The order's state does not allow this.")
class OrderStateErrorType(UserErrorType):
    state: str = strawberry.field(description="State of the order as stored, a name of OrderStatus.")


@strawberry.type(name="PriceChangedError", description="The price is no longer the one the caller saw.")
class PriceChangedErrorType(UserErrorType):
    current_price: money.Coins = strawberry.field(description="Price now.")


@strawberry.type(name="MoneyPriceChangedError", description="The price of coins is no longer the one that you saw.")
class MoneyPriceChangedErrorType(UserErrorType):
    current_price_minor_units: scalars.BigInt = strawberry.field(description="What it costs now, in minor units.")
    currency: scalars.CurrencyCode = strawberry.field(description="Of which currency.")


@strawberry.type(name="QuoteExpiredError", description="A payout would be of another amount than the one you saw.")
class QuoteExpiredErrorType(UserErrorType):
    current_amount_minor_units: scalars.BigInt = strawberry.field(description="What would be sent now, in minor units.")
    currency: scalars.CurrencyCode = strawberry.field(description="Of which currency.")


@strawberry.type(name="InsufficientCoinsError", description="Too few coins.")
class InsufficientCoinsErrorType(UserErrorType):
    required: money.Coins = strawberry.field(description="Coins needed.")
    available: money.Coins = strawberry.field(description="Coins free to spend.")


@strawberry.type(name="CreatorUnavailableError", description="The creator takes no orders now.")
class CreatorUnavailableErrorType(UserErrorType):
    waiting: int | None = strawberry.field(
        description="AT_CAPACITY: how many are in line before the caller; waitlistJoin joins them. Otherwise null."
    )


@strawberry.type(
    name="FeatureUnavailableError",
    description="A part of the product is off for the caller, or for the creator whom they mean; viewer.features says"
    " what is on.",
)
class FeatureUnavailableErrorType(UserErrorType):
    feature: Feature = strawberry.field(description="What is off.")
    provider: str | None = strawberry.field(description="The provider that is off; null where the whole feature is.")
    reason: Reason = strawberry.field(description="Which condition keeps it off.")


@strawberry.type(name="CampaignUnavailableError", description="The campaign does not take this order.")
class CampaignUnavailableErrorType(UserErrorType):
    state: str = strawberry.field(description="Where the campaign stands, a name of CampaignState.")


@strawberry.type(
    name="WalletLockedError",
    description="The wallet is locked, after a charge-back or by a moderator, or the account closes.",
)
class WalletLockedErrorType(UserErrorType):
    pass


@strawberry.type(name="LimitExceededError", description="A limit of the policy, or of the caller's own, is reached.")
class LimitExceededErrorType(UserErrorType):
    limit: scalars.BigInt = strawberry.field(description="The limit, in the units that its code names.")
    spent: scalars.BigInt | None = strawberry.field(
        default=None, description="How much of it is used up; null where it counts nothing that was spent."
    )
    remaining: scalars.BigInt | None = strawberry.field(
        default=None, description="How much of it is left; null as spent."
    )
    resets_at: datetime | None = strawberry.field(
        default=None, description="When there is room for this again; null for never, or where nothing is counted."
    )
    retry_after_seconds: int | None = strawberry.field(
        default=None, description="When to try again, where it was only too fast."
    )


@strawberry.type(name="BuyingPausedError", description="The caller pauses buying, or has excluded themselves.")
class BuyingPausedErrorType(UserErrorType):
    until: datetime = strawberry.field(description="Until when.")


@strawberry.type(
    name="AgeRestrictedError", description="The caller is too young for this where they live, or did not say their age."
)
class AgeRestrictedErrorType(UserErrorType):
    minimum_age: int = strawberry.field(description="From which age on, in years.")


@strawberry.type(name="MediaRejectedError", description="The uploaded file is not an acceptable video.")
class MediaRejectedErrorType(UserErrorType):
    pass


@strawberry.type(
    name="ProviderUnavailableError",
    description="No provider can do this now; nothing was charged and another attempt is safe.",
)
class ProviderUnavailableErrorType(UserErrorType):
    pass


@strawberry.type(name="ProviderDeclinedError", description="The provider refused the payment.")
class ProviderDeclinedErrorType(UserErrorType):
    decline_code: str = strawberry.field(description="The provider's own reason code.")
    retryable: bool = strawberry.field(description="Whether the same input may work later, under a new key.")


AS_DATA: Final[dict[type[errors.ShoutgraphError], type[UserErrorType]]] = {
    errors.ValidationError: ValidationErrorType,
    errors.NotFoundError: NotFoundErrorType,
    errors.ForbiddenError: ForbiddenErrorType,
    errors.StaleRevisionError: StaleRevisionErrorType,
    errors.IdempotencyKeyReusedError: IdempotencyKeyReusedErrorType,
    errors.OrderStateError: OrderStateErrorType,
    errors.PriceChangedError: PriceChangedErrorType,
    errors.MoneyPriceChangedError: MoneyPriceChangedErrorType,
    errors.QuoteExpiredError: QuoteExpiredErrorType,
    errors.InsufficientCoinsError: InsufficientCoinsErrorType,
    errors.CreatorUnavailableError: CreatorUnavailableErrorType,
    errors.FeatureUnavailableError: FeatureUnavailableErrorType,
    errors.CampaignUnavailableError: CampaignUnavailableErrorType,
    errors.WalletLockedError: WalletLockedErrorType,
    errors.LimitExceededError: LimitExceededErrorType,
    errors.BuyingPausedError: BuyingPausedErrorType,
    errors.AgeRestrictedError: AgeRestrictedErrorType,
    errors.MediaRejectedError: MediaRejectedErrorType,
    errors.ProviderUnavailableError: ProviderUnavailableErrorType,
    errors.ProviderDeclinedError: ProviderDeclinedErrorType,
}
"""Which refusal is which GraphQL type; the others are never data, see `failures`."""


def as_data(refusal: errors.ShoutgraphError) -> UserErrorType | None:
    """The refusal as a value of its GraphQL type, or None where it is never data."""
    graph = AS_DATA.get(type(refusal))
    if graph is None:
        return None
    path = None if refusal.path is None else list(refusal.path)
    return graph(code=refusal.code, message=refusal.message, path=path, **_data_of(refusal))


def _data_of(refusal: errors.ShoutgraphError) -> dict[str, object]:
    """What a refusal carries; one that an older release stored may lack some of it."""
    return {name: getattr(refusal, source, None) for name, source in _CARRIED.get(type(refusal), {}).items()}


_CARRIED: Final[dict[type[errors.ShoutgraphError], dict[str, str]]] = {
    errors.StaleRevisionError: {"current_revision": "current_revision"},
    errors.OrderStateError: {"state": "state"},
    errors.CampaignUnavailableError: {"state": "state"},
    errors.PriceChangedError: {"current_price": "current_price_coins"},
    errors.MoneyPriceChangedError: {"current_price_minor_units": "current_minor", "currency": "currency"},
    errors.QuoteExpiredError: {"current_amount_minor_units": "current_minor", "currency": "currency"},
    errors.InsufficientCoinsError: {"required": "required_coins", "available": "available_coins"},
    errors.CreatorUnavailableError: {"waiting": "waiting"},
    errors.FeatureUnavailableError: {"feature": "feature", "provider": "provider", "reason": "reason"},
    errors.LimitExceededError: {
        "limit": "limit",
        "spent": "spent",
        "remaining": "remaining",
        "resets_at": "resets",
        "retry_after_seconds": "retry_after_s",
    },
    errors.BuyingPausedError: {"until": "ends"},
    errors.AgeRestrictedError: {"minimum_age": "minimum_age"},
    errors.ProviderDeclinedError: {"decline_code": "decline_code", "retryable": "retryable"},
}
"""The fields of a type that say more than `UserError`, and where the refusal has them."""


def failures_of(mutation: str) -> StrawberryUnion:
    """The union of a mutation's refusals.

    A room writes `OrderPlaceError = Annotated[ValidationErrorType | ..., failures_of("orderPlace")]`.
    """
    name = mutation[0].upper() + mutation[1:] + "Error"
    return strawberry.union(name, description=f"Failures of {mutation}.")
