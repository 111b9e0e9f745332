"""Stripe's objects, as far as the money needs them: read strictly, so that what cannot be read is never guessed."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeInt


def _some(metadata: object) -> object:
    return {} if metadata is None else metadata


Metadata = Annotated[dict[str, str], BeforeValidator(_some), Field(default_factory=dict)]
"""What whoever made an object noted with it; Stripe may say that it is null."""


class Shape(BaseModel):
    """An object of Stripe's. Amounts are in Stripe's own units, times in seconds, currencies in small letters."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class BalanceShape(Shape):
    """What a payment did to our balance. The currency is the balance's."""

    fee: int
    currency: str


class RefundShape(Shape):
    """A refund."""

    id: str
    object: Literal["refund"]
    amount: NonNegativeInt
    currency: str
    metadata: Metadata
    status: str
    failure_reason: str | None = None


class RefundsShape(Shape):
    """A page of refunds."""

    object: Literal["list"]
    data: list[RefundShape]
    has_more: bool


class ChargeShape(Shape):
    """A payment that was made, or tried."""

    id: str
    amount_refunded: NonNegativeInt
    disputed: bool
    created: NonNegativeInt
    balance_transaction: BalanceShape | str | None = None
    refunds: RefundsShape | None = None


class PaymentErrorShape(Shape):
    """Why the last attempt to pay failed."""

    code: str | None = None
    decline_code: str | None = None


class IntentShape(Shape):
    """A payment with its attempts."""

    id: str
    object: Literal["payment_intent"]
    amount_received: NonNegativeInt
    currency: str
    status: str
    latest_charge: ChargeShape | str | None = None
    last_payment_error: PaymentErrorShape | None = None


class AnySessionShape(Shape):
    """A visit to the Checkout page, whoever led there: others who use the account may sell nothing by it."""

    id: str
    object: Literal["checkout.session"]
    metadata: Metadata


class SessionShape(AnySessionShape):
    """A visit in which something is paid. `payment_intent` is its id where nobody asked for more."""

    amount_total: NonNegativeInt
    currency: str
    client_reference_id: str | None = None
    created: NonNegativeInt = 0
    expires_at: NonNegativeInt | None = None
    payment_intent: IntentShape | str | None = None
    payment_status: Literal["paid", "unpaid", "no_payment_required"]
    status: Literal["open", "complete", "expired"]
    url: str | None = None


class SessionsShape(Shape):
    """A page of sessions, newest first."""

    object: Literal["list"]
    data: list[Annotated[SessionShape | AnySessionShape, Field(union_mode="left_to_right")]]
    has_more: bool


class DisputeShape(Shape):
    """A dispute, or an inquiry that may become one."""

    id: str
    object: Literal["dispute"]
    amount: NonNegativeInt
    currency: str
    status: str


class DisputesShape(Shape):
    """A page of disputes."""

    object: Literal["list"]
    data: list[DisputeShape]
    has_more: bool


class ReversalShape(Shape):
    """Money of a transfer that came back."""

    created: NonNegativeInt


class ReversalsShape(Shape):
    """The reversals of a transfer, newest first."""

    data: list[ReversalShape]


class TransferShape(Shape):
    """Money that went to a connected account."""

    id: str
    object: Literal["transfer"]
    amount: NonNegativeInt
    amount_reversed: NonNegativeInt
    created: NonNegativeInt
    currency: str
    destination: str | None = None
    metadata: Metadata
    reversals: ReversalsShape | None = None
    transfer_group: str | None = None


class TransfersShape(Shape):
    """A page of transfers, newest first."""

    object: Literal["list"]
    data: list[TransferShape]
    has_more: bool


class RequirementsShape(Shape):
    """What Stripe still wants to know of an account."""

    currently_due: list[str] = Field(default_factory=list)
    past_due: list[str] = Field(default_factory=list)
    disabled_reason: str | None = None


class AccountShape(Shape):
    """A connected account."""

    id: str
    object: Literal["account"]
    capabilities: dict[str, str] = Field(default_factory=dict)
    details_submitted: bool = False
    metadata: Metadata
    payouts_enabled: bool = False
    requirements: RequirementsShape | None = None


class AccountsShape(Shape):
    """A page of accounts, newest first."""

    object: Literal["list"]
    data: list[AccountShape]
    has_more: bool


class LinkShape(Shape):
    """A page on which an account is completed, once and for some minutes."""

    object: Literal["account_link"]
    url: str
    expires_at: NonNegativeInt


class EventDataShape(Shape):
    """What an event is about; it is read further by its kind."""

    object: dict[str, object]


class EventShape(Shape):
    """A webhook. `account` is set where it speaks of a connected account."""

    id: str
    object: Literal["event"]
    type: str
    created: NonNegativeInt
    livemode: bool
    account: str | None = None
    data: EventDataShape
