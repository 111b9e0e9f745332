"""The hooks: registration, ranking, risk review, and news after a commit. Money calls never go through hooks.

A plugin is a module (or an object) with functions marked `hookimpl`, named by an entry point in the group
`shoutgraph`.
"""

import enum
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Final

import pluggy

from shoutgraph.sdk.contracts import AnyPayoutPlugin, AnyTopUpPlugin
from shoutgraph.sdk.requests import PayoutBatch, RefundRequest, TopUpRequest

PROJECT: Final = "shoutgraph"
ENTRY_POINTS: Final = "shoutgraph"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Verdict(enum.IntEnum):
    """The answer of a risk review; the largest wins."""

    ALLOW = 0
    HOLD = 1
    DENY = 2


class HookSpecs:
    """The signatures of all hooks."""

    @hookspec
    def shoutgraph_topup_plugins(self) -> Iterable[AnyTopUpPlugin]:
        """Offers top-up plugins. Called once at start."""
        return ()

    @hookspec
    def shoutgraph_payout_plugins(self) -> Iterable[AnyPayoutPlugin]:
        """Offers payout plugins. Called once at start."""
        return ()

    @hookspec(firstresult=True)
    def shoutgraph_rank_topup(self, request: TopUpRequest, candidates: tuple[str, ...]) -> Sequence[str] | None:
        """Orders or shortens the instances that could take a payment. CPU only; an error changes nothing."""

    @hookspec
    def shoutgraph_review(
        self, kind: str, request: TopUpRequest | RefundRequest | PayoutBatch
    ) -> Verdict | Awaitable[Verdict] | None:
        """Looks at a risk before money is asked for. The strictest verdict wins; an error counts as HOLD."""

    @hookspec
    def shoutgraph_money_event(self, event: Mapping[str, object]) -> Awaitable[None] | None:
        """Tells what was committed, at least once."""
