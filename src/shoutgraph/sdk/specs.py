"""The hooks: registration, ranking, risk review, screening, and news after a commit.

Money calls never go through hooks.

A plugin is a module (or an object) with functions marked `hookimpl`, named by an entry point in the group
`shoutgraph`.
"""

import enum
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pluggy

from shoutgraph.sdk.contracts import AnyPayoutPlugin, AnyTopUpPlugin
from shoutgraph.sdk.requests import PayoutBatch, RefundRequest, TopUpRequest

PROJECT: Final = "shoutgraph"
ENTRY_POINTS: Final = "shoutgraph"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Verdict(enum.IntEnum):
    """The answer of a risk review or a screening; the largest wins."""

    ALLOW = 0
    HOLD = 1
    DENY = 2


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a fan asks for, before the creator sees it.

    `occasion` is a word such as `BIRTHDAY`; `texts` are the fan's words by the field they stand in, such as
    `instructions` or `mustSay.0`; `language` is a BCP 47 tag.
    """

    order_id: str
    occasion: str
    texts: Mapping[str, str] = field(repr=False)
    language: str


@dataclass(frozen=True, slots=True)
class OrderVideo:
    """A video that a creator delivered, before the fan sees it. `path` is the checked file: read it, nothing else.

    Units: `duration_s` in seconds, `width` and `height` in pixels.
    """

    order_id: str
    path: Path = field(repr=False)
    duration_s: float
    width: int
    height: int
    sha256: str


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
    def shoutgraph_screen(self, subject: OrderRequest | OrderVideo) -> Verdict | Awaitable[Verdict] | None:
        """Looks at what a fan asks for, or at a creator's video, before the other side sees it.

        ALLOW passes it, HOLD leaves it to a moderator, DENY rejects it. The strictest verdict wins, an error counts as
        HOLD, and what nobody has an opinion on is left to a moderator.
        """

    @hookspec
    def shoutgraph_money_event(self, event: Mapping[str, object]) -> Awaitable[None] | None:
        """Tells what was committed, at least once."""
