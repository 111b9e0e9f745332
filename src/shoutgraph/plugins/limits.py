"""What a plugin declares that it cannot do is refused before it is called: a proof that nothing happened."""

from collections.abc import Mapping
from typing import Final, Protocol

from shoutgraph.sdk import (
    Intake,
    Money,
    NotExecuted,
    PayoutBatch,
    PayoutCaps,
    QuoteRequest,
    RefundRequest,
    Refunds,
    TopUpCaps,
    TopUpRequest,
)

UNSUPPORTED: Final = "unsupported"
UNSUPPORTED_CURRENCY: Final = "unsupported_currency"
UNSUPPORTED_COUNTRY: Final = "unsupported_country"
AMOUNT_OUT_OF_RANGE: Final = "amount_out_of_range"
AMOUNT_TOO_PRECISE: Final = "amount_too_precise"
REFUND_TOO_LARGE: Final = "refund_too_large"
BATCH_TOO_LARGE: Final = "batch_too_large"
BATCH_INVALID: Final = "batch_invalid"
BATCH_REFUSED: Final = "batch_refused"
"""Another item of the batch was refused, so that none was sent."""


class _Caps(Protocol):
    @property
    def currencies(self) -> frozenset[str]: ...
    @property
    def limits(self) -> Mapping[str, tuple[int, int]]: ...
    @property
    def granularity(self) -> Mapping[str, int]: ...


def of_topup(caps: TopUpCaps, request: TopUpRequest) -> NotExecuted | None:
    """Why this top-up is not for this provider, or None."""
    if caps.intake is not Intake.CREATE:
        return NotExecuted(UNSUPPORTED)
    if caps.countries is not None and request.country not in caps.countries:
        return NotExecuted(UNSUPPORTED_COUNTRY)
    return _of_money(caps, request.amount)


def of_refund(caps: TopUpCaps, request: RefundRequest) -> NotExecuted | None:
    """Why this refund is not for this provider, or None."""
    if caps.refunds in {Refunds.NONE, Refunds.EXTERNAL}:
        return NotExecuted(UNSUPPORTED)
    if request.amount.currency != request.settled.currency:
        return NotExecuted(UNSUPPORTED_CURRENCY)
    if not 0 < request.amount.minor <= request.settled.minor:
        return NotExecuted(REFUND_TOO_LARGE)
    if caps.refunds is Refunds.FULL and request.amount != request.settled:
        return NotExecuted(UNSUPPORTED)
    return None


def of_batch(caps: PayoutCaps, batch: PayoutBatch) -> dict[str, NotExecuted]:
    """Why this batch is not for this provider, item by item; empty when it may be sent.

    A batch goes as a whole or not at all, because its key stands for exactly these items.
    """
    ids = {item.item_id for item in batch.items}
    if len(ids) != len(batch.items):
        return dict.fromkeys(ids, NotExecuted(BATCH_INVALID))
    if len(ids) > caps.max_batch:
        return dict.fromkeys(ids, NotExecuted(BATCH_TOO_LARGE))
    refused = {item.item_id: _of_money(caps, item.amount) for item in batch.items}
    if not any(refused.values()):
        return {}
    return {item_id: reason or NotExecuted(BATCH_REFUSED) for item_id, reason in refused.items()}


def of_quote(caps: PayoutCaps, request: QuoteRequest) -> NotExecuted | None:
    """Why this question is not for this provider, or None."""
    return _of_money(caps, request.amount) if caps.quotes else NotExecuted(UNSUPPORTED)


def _of_money(caps: _Caps, amount: Money) -> NotExecuted | None:
    if amount.currency not in caps.currencies:
        return NotExecuted(UNSUPPORTED_CURRENCY)
    smallest, largest = caps.limits.get(amount.currency, (1, amount.minor))
    if amount.minor <= 0 or not smallest <= amount.minor <= largest:
        return NotExecuted(AMOUNT_OUT_OF_RANGE)
    if amount.minor % caps.granularity.get(amount.currency, 1):
        return NotExecuted(AMOUNT_TOO_PRECISE)
    return None
