"""One attempt at a payment: the risk review, then the provider. No unit of work is open meanwhile."""

from datetime import timedelta
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.tools import Tools

TIMEOUT: Final = timedelta(seconds=20)
"""How long a provider's answer is waited for."""

ANSWER_DUE: Final = timedelta(seconds=60)
"""After this an answer is overdue: the review, the call, and time for the process that waits to store it."""

RISK: Final = "risk"
"""The decline code of a payment that the risk review denied. It does not tell the rule."""

HELD: Final = "risk_review"
"""The decline code of a payment that the risk review could not allow now: nothing was asked for, later it may be."""


async def submit(tools: Tools, topup: Topup) -> sdk.TopUpOutcome:
    """Asks the provider for the money, with the top-up's id as the key, at every attempt.

    What the review does not allow is asked of nobody. Of an earlier attempt that says nothing: there it is `Unknown`.
    """
    way = tools.providers.topups.get(topup.instance)
    if way is None:
        return sdk.NotExecuted(sdk.UNAVAILABLE)
    request = request_of(topup)
    verdict = await tools.providers.hooks.review("topup", request)
    if verdict is not sdk.Verdict.ALLOW and topup.attempts > 1:
        return sdk.Unknown(HELD)
    if verdict is sdk.Verdict.DENY:
        return sdk.Declined(None, RISK)
    if verdict is not sdk.Verdict.ALLOW:
        return sdk.Declined(None, HELD, retryable=True)
    if tools.clock() + TIMEOUT > topup.answer_due_at:
        return sdk.NotExecuted(sdk.UNAVAILABLE)  # this process stood still: others may have gone on by now
    return await way.create(request)


def request_of(topup: Topup) -> sdk.TopUpRequest:
    """What the provider is asked: the same at every attempt."""
    terms, payload = topup.terms, topup.payload
    return sdk.TopUpRequest(
        call=call_of(topup),
        amount=sdk.Money(terms.price_minor, terms.currency),
        customer_ref=topup.user_id,
        country=terms.country,
        locale=payload.locale,
        return_url=payload.return_url,
        cancel_url=payload.cancel_url,
        webhook_url=payload.webhook_url,
        descriptor=payload.descriptor,
        metadata={"topup": topup.id},
    )


def call_of(topup: Topup) -> sdk.Call:
    """One call about this top-up."""
    return sdk.Call(operation_id=topup.id, idempotency_key=topup.id, timeout=TIMEOUT, attempt=topup.attempts)


def target_of(topup: Topup) -> sdk.Target:
    """What to look up, and the money we asked for."""
    amount = sdk.Money(topup.terms.price_minor, topup.terms.currency)
    return sdk.Target(topup.id, topup.id, topup.ref, amount)
