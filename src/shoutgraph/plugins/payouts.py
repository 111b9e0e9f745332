"""One configured way to send money: every call goes through the fence, and every item is compared."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from shoutgraph.plugins import agreement, fence, limits, topups
from shoutgraph.plugins.fence import CallKind
from shoutgraph.sdk import (
    Absent,
    AnyPayoutPlugin,
    Artifact,
    BatchOutcome,
    BlockingPayoutProvider,
    Call,
    Declined,
    ItemObservation,
    ItemOutcome,
    Listed,
    Money,
    NeedsAction,
    NotExecuted,
    Notice,
    OnboardRequest,
    Paid,
    PayoutBatch,
    PayoutProvider,
    Pending,
    Quote,
    QuoteOutcome,
    QuoteRequest,
    Ready,
    RecipientOutcome,
    Rejected,
    Requirement,
    Restricted,
    Returned,
    Target,
    Unknown,
)

AnyPayoutProvider: TypeAlias = PayoutProvider | BlockingPayoutProvider

NOT_ANSWERED: Final = "not_answered"
"""The provider's answer says nothing of this item."""

REQUIREMENTS_MAX: Final = 50
"""The most things that a recipient can be asked for."""

FETCH_MAX: Final = 100
"""The most items of one look."""

_log: Final = logging.getLogger("shoutgraph.plugins")


class Payouts:
    """Sends money through one configured instance."""

    def __init__(self, plugin: AnyPayoutPlugin, provider: AnyPayoutProvider, around: fence.Fence) -> None:
        self.plugin: Final = plugin
        self.caps: Final = plugin.caps
        self.provider: Final = provider
        self.fence: Final = around

    async def submit(self, batch: PayoutBatch) -> BatchOutcome:
        """Hands a batch over; the answer has an outcome for each of its items and for no other."""
        refused = limits.of_batch(self.caps, batch)
        if refused or not batch.items:
            return BatchOutcome(refused)
        work = self._work("submit", batch)
        answer = await self.fence.run(CallKind.SUBMIT, batch.call, work, _as_batch)
        amounts = {item.item_id: item.amount for item in batch.items}
        if isinstance(answer, NotExecuted | Unknown):
            return BatchOutcome(dict.fromkeys(amounts, answer))
        self._tell_foreign(batch.call, answer.items, amounts)
        told = {item_id: answer.items.get(item_id, Unknown(NOT_ANSWERED)) for item_id in amounts}
        items = {
            item_id: agreement.payout(agreement.refusal(told[item_id], batch.call.attempt), amount)
            for item_id, amount in amounts.items()
        }
        return BatchOutcome(items, answer.batch_ref, answer.artifacts)

    async def fetch(self, targets: Sequence[Target], call: Call) -> Mapping[str, ItemObservation]:
        """Looks at items; the answer has each of their operation ids and no other."""
        assert len(targets) <= FETCH_MAX, "a look has a bounded number of items"
        if not targets:
            return {}
        work = self._work("fetch", tuple(targets), call)
        answer = await self.fence.run(CallKind.FETCH, call, work, _as_observations)
        amounts = {target.operation_id: target.amount for target in targets}
        if isinstance(answer, NotExecuted | Unknown):
            # That the look was not made proves nothing about the money.
            reason = answer if isinstance(answer, Unknown) else Unknown(answer.code)
            return dict.fromkeys(amounts, reason)
        self._tell_foreign(call, answer, amounts)
        return {
            item_id: agreement.payout(answer.get(item_id, Unknown(NOT_ANSWERED)), amount)
            for item_id, amount in amounts.items()
        }

    async def cancel(self, target: Target, call: Call) -> ItemOutcome:
        """Stops an item that is not paid yet."""
        if not self.caps.cancel:
            return Unknown(limits.UNSUPPORTED)
        work = self._work("cancel", target, call)
        seen: ItemOutcome = await self.fence.run(CallKind.CANCEL, call, work, as_item_outcome)
        return agreement.payout(seen, target.amount)

    async def list_since(self, since: datetime, call: Call) -> Sequence[Listed] | None:
        """What the provider has since a time, or None where it cannot list or does not answer."""
        return await topups.list_since(self.fence, self.provider, since, call)

    def requirements(self, country: str, currency: str) -> tuple[Requirement, ...] | None:
        """What a recipient there has to tell, or None where the provider knows no onboarding, or breaks."""
        if not self.caps.onboarding:
            return None
        try:
            answer = self._work("requirements", country, currency)()
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- the plugin boundary; the log names the plugin
            self.fence.tell("requirements", error)
            return None
        return _as_requirements(answer)

    async def onboard(self, request: OnboardRequest) -> RecipientOutcome:
        """Makes a recipient known."""
        if not self.caps.onboarding:
            return NotExecuted(limits.UNSUPPORTED)
        if request.currency not in self.caps.currencies:
            return NotExecuted(limits.UNSUPPORTED_CURRENCY)
        work = self._work("onboard", request)
        seen: RecipientOutcome = await self.fence.run(CallKind.ONBOARD, request.call, work, as_recipient_outcome)
        return seen

    async def recipient_status(self, ref: str, call: Call) -> RecipientOutcome:
        """Looks at a recipient; an answer about another one is `Unknown`."""
        if not self.caps.onboarding:
            return Unknown(limits.UNSUPPORTED)
        work = self._work("recipient_status", ref, call)
        seen: RecipientOutcome = await self.fence.run(CallKind.RECIPIENT, call, work, as_recipient_outcome)
        return agreement.recipient(seen, ref)

    async def quote(self, request: QuoteRequest) -> QuoteOutcome:
        """What sending costs; a quote for another amount is `Unknown`."""
        refused = limits.of_quote(self.caps, request)
        if refused is not None:
            return refused
        work = self._work("quote", request)
        seen: QuoteOutcome = await self.fence.run(CallKind.QUOTE, request.call, work, _as_quote)
        return agreement.quote(seen, request.amount)

    def ingest(self, document: Artifact) -> Sequence[Notice]:
        """Reads a statement file of a bank.

        Raises:
            MalformedNotice: the file is not what the plugin reads.
        """
        return self.provider.ingest(document)

    def _tell_foreign(self, call: Call, answered: Mapping[str, object], asked: Mapping[str, Money | None]) -> None:
        foreign_count = len(answered.keys() - asked.keys())
        if foreign_count:
            _log.warning(
                "plugin %s, instance %s: %s answered for %d items that nobody asked about",
                self.fence.names.plugin,
                self.fence.names.instance,
                call.operation_id,
                foreign_count,
            )

    def _work(self, method: str, *args: object) -> Callable[[], object]:
        return lambda: getattr(self.provider, method)(*args)


def as_item_outcome(answer: object) -> ItemOutcome | None:
    """The answer, if it is an outcome of a payout."""
    if isinstance(answer, Paid | Returned | Rejected | Pending | NotExecuted | Unknown):
        return answer
    return None


def as_item_observation(answer: object) -> ItemObservation | None:
    """The answer, if it is what a look at a payout may show."""
    return answer if isinstance(answer, Absent) else as_item_outcome(answer)


def as_recipient_outcome(answer: object) -> RecipientOutcome | None:
    """The answer, if it is what may be said of a recipient."""
    if isinstance(answer, Ready | NeedsAction | Restricted | Declined | NotExecuted | Unknown):
        return answer
    return None


def _as_quote(answer: object) -> QuoteOutcome | None:
    return answer if isinstance(answer, Quote | NotExecuted | Unknown) else None


def _as_requirements(answer: object) -> tuple[Requirement, ...] | None:
    if not isinstance(answer, Sequence) or len(answer) > REQUIREMENTS_MAX:
        return None
    names = {each.name for each in answer if isinstance(each, Requirement)}
    return tuple(answer) if len(names) == len(answer) else None


def _as_batch(answer: object) -> BatchOutcome | None:
    if not isinstance(answer, BatchOutcome) or not isinstance(answer.items, Mapping):
        return None
    return answer if all(as_item_outcome(item) is not None for item in answer.items.values()) else None


def _as_observations(answer: object) -> Mapping[str, ItemObservation] | None:
    if not isinstance(answer, Mapping):
        return None
    return answer if all(as_item_observation(item) is not None for item in answer.values()) else None
