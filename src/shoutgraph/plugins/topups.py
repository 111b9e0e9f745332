"""One configured way to take money: every call goes through the fence, and every answer is compared."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from shoutgraph.plugins import agreement, fence, limits
from shoutgraph.plugins.fence import CallKind
from shoutgraph.sdk import (
    Absent,
    AnyTopUpPlugin,
    BlockingRedeemProvider,
    BlockingTopUpProvider,
    Call,
    Declined,
    Intake,
    Listed,
    NeedsAction,
    NotExecuted,
    Observation,
    Pending,
    RedeemProvider,
    Redemption,
    RefundRequest,
    Settled,
    Target,
    TopUpOutcome,
    TopUpProvider,
    TopUpRequest,
    Unknown,
)

AnyTopUpProvider: TypeAlias = TopUpProvider | RedeemProvider | BlockingTopUpProvider | BlockingRedeemProvider

LISTED_MAX: Final = 10_000
"""The most objects that one listing may give."""


class TopUps:
    """Takes money through one configured instance."""

    def __init__(self, plugin: AnyTopUpPlugin, provider: AnyTopUpProvider, around: fence.Fence) -> None:
        self.plugin: Final = plugin
        self.caps: Final = plugin.caps
        self.provider: Final = provider
        self.fence: Final = around

    async def create(self, request: TopUpRequest) -> TopUpOutcome:
        """Starts a payment."""
        refused = limits.of_topup(self.caps, request)
        if refused is not None:
            return refused
        seen = await self._outcome(CallKind.CREATE, request.call, "create", request)
        return agreement.topup(seen, request.amount)

    async def redeem(self, request: Redemption) -> TopUpOutcome:
        """Redeems a receipt of a store."""
        if self.caps.intake is not Intake.REDEEM:
            return NotExecuted(limits.UNSUPPORTED)
        seen = await self._outcome(CallKind.REDEEM, request.call, "redeem", request)
        return agreement.topup(seen, None)

    async def fetch(self, target: Target, call: Call) -> Observation:
        """Looks at a payment, and compares it with `target.amount` where that is given."""
        if target.ref is None and not self.caps.lookup.by_key:
            return Unknown(limits.UNSUPPORTED)
        work = self._work("fetch", target, call)
        seen: Observation = await self.fence.run(CallKind.FETCH, call, work, as_observation)
        return agreement.topup(seen, target.amount)

    async def refund(self, request: RefundRequest) -> TopUpOutcome:
        """Gives money back."""
        refused = limits.of_refund(self.caps, request)
        if refused is not None:
            return refused
        seen = await self._outcome(CallKind.REFUND, request.call, "refund", request)
        return agreement.refund(seen, request.settled, request.amount)

    async def cancel(self, target: Target, call: Call) -> TopUpOutcome:
        """Ends a payment that is not paid yet."""
        if self.caps.intake is not Intake.CREATE:
            return Unknown(limits.UNSUPPORTED)
        seen = await self._outcome(CallKind.CANCEL, call, "cancel", target, call)
        return agreement.topup(seen, target.amount)

    async def list_since(self, since: datetime, call: Call) -> Sequence[Listed] | None:
        """What the provider has since a time, or None where it cannot list or does not answer."""
        return await list_since(self.fence, self.provider, since, call)

    async def _outcome(self, kind: CallKind, call: Call, method: str, *args: object) -> TopUpOutcome:
        return await self.fence.run(kind, call, self._work(method, *args), as_outcome)

    def _work(self, method: str, *args: object) -> Callable[[], object]:
        # By name, so that a method which is missing after all is one more thing that the fence catches.
        return lambda: getattr(self.provider, method)(*args)


def as_outcome(answer: object) -> TopUpOutcome | None:
    """The answer, if it is an outcome of a top-up."""
    if isinstance(answer, Settled | Pending | NeedsAction | Declined | NotExecuted | Unknown):
        return answer
    return None


def as_observation(answer: object) -> Observation | None:
    """The answer, if it is what a look at a top-up may show."""
    return answer if isinstance(answer, Absent) else as_outcome(answer)


async def list_since(around: fence.Fence, provider: object, since: datetime, call: Call) -> Sequence[Listed] | None:
    """What a provider has since a time, or None where it cannot list or does not answer."""
    if not hasattr(provider, "list_since"):
        return None
    listed = await around.run(CallKind.LIST, call, lambda: provider.list_since(since, call), _as_listed)
    return None if isinstance(listed, NotExecuted | Unknown) else listed


def _as_listed(answer: object) -> tuple[Listed, ...] | None:
    if not isinstance(answer, Sequence) or len(answer) > LISTED_MAX:
        return None
    return tuple(answer) if all(isinstance(each, Listed) for each in answer) else None
