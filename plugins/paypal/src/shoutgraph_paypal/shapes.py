"""PayPal's JSON, as much of it as we read."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shoutgraph.sdk import Money
from shoutgraph_paypal import amounts


class Shape(BaseModel):
    """A part of PayPal's JSON."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class AmountShape(Shape):
    """An amount of money, as orders and disputes write it."""

    currency_code: str
    value: str

    def money(self) -> Money:
        """What it means.

        Raises:
            ValueError: it is no exact amount of its currency.
        """
        return amounts.money_of(self.value, self.currency_code)


class SentAmountShape(Shape):
    """An amount of money, as payouts write it."""

    currency: str
    value: str

    def money(self) -> Money:
        """What it means.

        Raises:
            ValueError: it is no exact amount of its currency.
        """
        return amounts.money_of(self.value, self.currency)


class LinkShape(Shape):
    """A link. Only those for the fan's browser are ever used as they are."""

    href: str
    rel: str


class _BreakdownShape(Shape):
    paypal_fee: AmountShape | None = None


class _ReasonShape(Shape):
    reason: str | None = None


class _RelatedShape(Shape):
    order_id: str | None = None


class _SupplementShape(Shape):
    related_ids: _RelatedShape = _RelatedShape()


class CaptureShape(Shape):
    """Money that was taken for an order."""

    id: str
    status: str
    amount: AmountShape
    custom_id: str | None = None
    create_time: AwareDatetime | None = None
    status_details: _ReasonShape = _ReasonShape()
    seller_receivable_breakdown: _BreakdownShape = _BreakdownShape()
    supplementary_data: _SupplementShape = _SupplementShape()


class RefundShape(Shape):
    """Money that was given back."""

    id: str
    status: str
    amount: AmountShape
    status_details: _ReasonShape = _ReasonShape()


class _PaymentsShape(Shape):
    captures: tuple[CaptureShape, ...] = ()
    refunds: tuple[RefundShape, ...] = ()


class UnitShape(Shape):
    """What an order is for; ours have one unit."""

    reference_id: str = "default"
    custom_id: str | None = None
    amount: AmountShape
    payments: _PaymentsShape = _PaymentsShape()


class OrderShape(Shape):
    """An order."""

    id: str
    status: str
    create_time: AwareDatetime | None = None
    update_time: AwareDatetime | None = None
    purchase_units: tuple[UnitShape, ...]
    links: tuple[LinkShape, ...] = ()


class _OutcomeShape(Shape):
    outcome_code: str | None = None


class DisputeShape(Shape):
    """A dispute: what the fan wants back, and how that ended."""

    dispute_id: str
    status: str
    dispute_amount: AmountShape
    dispute_outcome: _OutcomeShape = _OutcomeShape()


class _ListedDisputeShape(Shape):
    dispute_id: str


class DisputesShape(Shape):
    """The disputes about one capture."""

    items: tuple[_ListedDisputeShape, ...] = ()
    links: tuple[LinkShape, ...] = ()


class _BatchNameShape(Shape):
    sender_batch_id: str | None = None


class _BatchHeaderShape(Shape):
    payout_batch_id: str
    batch_status: str
    sender_batch_header: _BatchNameShape = _BatchNameShape()


class _SentShape(Shape):
    sender_item_id: str | None = None
    receiver: str | None = None
    amount: SentAmountShape


class _ErrorsShape(Shape):
    name: str | None = None


class ItemShape(Shape):
    """One payout of a batch."""

    payout_item_id: str
    payout_batch_id: str
    sender_batch_id: str | None = None
    transaction_status: str | None = None
    payout_item: _SentShape
    payout_item_fee: SentAmountShape | None = None
    time_processed: AwareDatetime | None = None
    errors: _ErrorsShape | None = None


class BatchShape(Shape):
    """A batch, with a page of its items where it was looked at."""

    batch_header: _BatchHeaderShape
    items: tuple[ItemShape, ...] = ()
    links: tuple[LinkShape, ...] = ()


class EventShape(Shape):
    """A webhook."""

    id: str
    event_type: str
    create_time: AwareDatetime | None = None
    resource: dict[str, Any]  # of a kind that the type says; read by another shape


class TokenShape(Shape):
    """An access token. Units: `expires_in` is in seconds."""

    access_token: str
    expires_in: int


class NothingShape(Shape):
    """An answer of which nothing is read."""


class _DetailShape(Shape):
    issue: str | None = None
    field: str | None = None
    link: object = None
    links: object = None


class ErrorShape(Shape):
    """Why PayPal said no. Its texts may repeat what was sent, and are not read."""

    name: str
    details: tuple[_DetailShape, ...] = ()
    links: object = None

    @property
    def hrefs(self) -> tuple[str, ...]:
        """The addresses of its links, which PayPal writes in several places and forms."""
        told = [self.links, *(value for each in self.details for value in (each.link, each.links))]
        links = [link for value in told for link in (value if isinstance(value, list) else [value])]
        return tuple(link["href"] for link in links if isinstance(link, dict) and isinstance(link.get("href"), str))
