"""Mollie's JSON, as much of it as we read."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from shoutgraph.sdk import Money
from shoutgraph_mollie import amounts


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class AmountShape(_Shape):
    """An amount of money."""

    value: str
    currency: str

    def money(self) -> Money:
        """What it means.

        Raises:
            ValueError: it is no exact amount of its currency.
        """
        return amounts.money_of(self.value, self.currency)


class Ours(_Shape):
    """What we gave to Mollie with a payment, and get back: which of ours it is."""

    model_config = ConfigDict(alias_generator=None)

    instance: str
    operation_id: str
    key: str


class RefundShape(_Shape):
    """A refund. Money is on its way back from `processing` on, and may still fail to arrive."""

    id: str
    status: str
    amount: AmountShape
    payment_id: str


class ChargebackShape(_Shape):
    """Money that the fan's bank took back, and when it gave it back to us."""

    id: str
    amount: AmountShape
    reversed_at: AwareDatetime | None = None


class _Embedded(_Shape):
    refunds: tuple[RefundShape, ...] | None = None
    chargebacks: tuple[ChargebackShape, ...] | None = None


class _Link(_Shape):
    href: str


class _Links(_Shape):
    checkout: _Link | None = None
    next: _Link | None = None


class PaymentShape(_Shape):
    """A payment, with its refunds and chargebacks where they were asked for."""

    resource: Literal["payment"]
    id: str
    status: str
    amount: AmountShape
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    paid_at: AwareDatetime | None = None
    amount_refunded: AmountShape | None = None
    amount_charged_back: AmountShape | None = None
    metadata: object = None
    links: _Links = Field(default=_Links(), alias="_links")
    embedded: _Embedded = Field(default=_Embedded(), alias="_embedded")

    @property
    def ours(self) -> Ours | None:
        """Which of ours it is, or None where it is somebody else's."""
        try:
            return Ours.model_validate(self.metadata)
        except ValidationError:
            return None


class _Payments(_Shape):
    payments: tuple[PaymentShape, ...]


class PageShape(_Shape):
    """A page of payments, the newest first."""

    found: _Payments = Field(alias="_embedded")
    links: _Links = Field(alias="_links")


class ErrorShape(_Shape):
    """Why Mollie said no."""

    status: int
    title: str
    detail: str
    field: str | None = None
