"""An amount or currency that is not the one we asked for is `Unknown`: somebody must look, nobody is credited."""

from typing import Final, TypeVar

from shoutgraph.sdk import (
    ItemObservation,
    ItemOutcome,
    Money,
    Observation,
    Paid,
    Quote,
    QuoteOutcome,
    Ready,
    RecipientOutcome,
    Rejected,
    Restricted,
    Returned,
    Settled,
    Totals,
    Unknown,
)

AMOUNT_MISMATCH: Final = "amount_mismatch"
CURRENCY_MISMATCH: Final = "currency_mismatch"
TOTALS_MISMATCH: Final = "totals_mismatch"
REF_MISMATCH: Final = "ref_mismatch"

T = TypeVar("T", bound=Observation)
I = TypeVar("I", bound=ItemObservation)  # noqa: E741 -- an item


def topup(seen: T, asked: Money | None) -> T | Unknown:
    """What was seen of a top-up, if its money agrees with what we asked for."""
    if not isinstance(seen, Settled):
        return seen
    reason = None if asked is None else _difference(seen.totals.settled, asked)
    reason = reason or _contradiction(seen.totals)
    if reason is None:
        return seen
    return Unknown(reason, ref=seen.ref, detail=_told(seen.totals.settled, asked))


def refund(seen: T, settled: Money, amount: Money) -> T | Unknown:
    """The answer to a refund, if at least this refund is among what was refunded."""
    agreed = topup(seen, settled)
    if not isinstance(agreed, Settled):
        return agreed
    if agreed.totals.refunded.minor < amount.minor:
        return Unknown(AMOUNT_MISMATCH, ref=agreed.ref, detail=_told(agreed.totals.refunded, amount))
    return agreed


def payout(seen: I, asked: Money | None) -> I | Unknown:
    """What was seen of a payout, if its money agrees with what we asked for."""
    if asked is None or not isinstance(seen, Paid | Returned):
        return seen
    reason = _difference(seen.amount, asked)
    if reason is None:
        return seen
    return Unknown(reason, ref=seen.ref, detail=_told(seen.amount, asked))


def refusal(seen: ItemOutcome, attempt: int) -> ItemOutcome:
    """An answer for a payout, if it proves what it says.

    A refusal that names no object says nothing of earlier attempts: they may have paid, whatever stopped this one.
    """
    if isinstance(seen, Rejected) and seen.ref is None and attempt > 1:
        return Unknown(seen.code)
    return seen


def recipient(seen: RecipientOutcome, ref: str) -> RecipientOutcome:
    """What was seen of a recipient, if it is of the one that was asked about."""
    if isinstance(seen, Ready | Restricted) and seen.ref != ref:
        return Unknown(REF_MISMATCH, ref=seen.ref)
    return seen


def quote(seen: QuoteOutcome, asked: Money) -> QuoteOutcome:
    """A quote, if it is for the amount that was asked about, and its fee can be read."""
    if not isinstance(seen, Quote):
        return seen
    reason = _difference(seen.amount, asked)
    if reason is None and seen.fee.currency not in {asked.currency, seen.arrives.currency}:
        reason = CURRENCY_MISMATCH
    return seen if reason is None else Unknown(reason, ref=seen.ref, detail=_told(seen.amount, asked))


def _difference(seen: Money, asked: Money) -> str | None:
    if seen.currency != asked.currency:
        return CURRENCY_MISMATCH
    return None if seen.minor == asked.minor else AMOUNT_MISMATCH


def _contradiction(totals: Totals) -> str | None:
    decided = sum(each.minor for each in (totals.disputes_won, totals.disputes_lost) if each is not None)
    failed = 0 if totals.refunds_failed is None else totals.refunds_failed.minor
    if failed > totals.refunded.minor or totals.refunded.minor - failed > totals.settled.minor:
        return TOTALS_MISMATCH
    if decided > totals.disputed.minor:
        return TOTALS_MISMATCH
    return None


def _told(seen: Money, asked: Money | None) -> str:
    wanted = "" if asked is None else f", asked for {asked.currency} {asked.minor}"
    return f"saw {seen.currency} {seen.minor}{wanted} (minor units)"
