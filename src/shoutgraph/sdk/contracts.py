"""What a provider is: protocols for its methods, and the frozen descriptors by which a plugin offers it.

A provider whose vendor library blocks declares `threaded=True` and gives the `Blocking...` form: the host
then calls it on a few threads of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel

from shoutgraph.sdk.capabilities import PayoutCaps, TopUpCaps
from shoutgraph.sdk.host import Host
from shoutgraph.sdk.outcomes import (
    Artifact,
    BatchOutcome,
    ItemObservation,
    ItemOutcome,
    Observation,
    QuoteOutcome,
    RecipientOutcome,
    TopUpOutcome,
)
from shoutgraph.sdk.requests import (
    Call,
    OnboardRequest,
    PayoutBatch,
    QuoteRequest,
    Redemption,
    RefundRequest,
    Requirement,
    Target,
    TopUpRequest,
)
from shoutgraph.sdk.webhooks import Delivery, Notice, RawWebhook

API: Final = (1, 0)
"""The version of this SDK: a plugin's major must be equal, its minor not larger."""

ConfigT = TypeVar("ConfigT", bound=BaseModel)


class Receives(Protocol):
    """Reads the webhooks of one provider."""

    def receive(self, raw: RawWebhook) -> Delivery:
        """Proves and reads a webhook. Pure: no I/O, and the same answer for the same bytes.

        Raises:
            BadSignature: it is not proven.
            MalformedNotice: it is proven and cannot be read.
        """
        ...


class TopUpProvider(Receives, Protocol):
    """Takes money from fans, started by the host."""

    async def create(self, request: TopUpRequest) -> TopUpOutcome:
        """Starts a payment; the same key starts it once."""
        ...

    async def fetch(self, target: Target, call: Call) -> Observation:
        """Looks at a payment, by ref or by key."""
        ...

    async def refund(self, request: RefundRequest) -> TopUpOutcome:
        """Gives money back; the totals of the answer are those of the whole payment."""
        ...

    async def cancel(self, target: Target, call: Call) -> TopUpOutcome:
        """Ends a payment that is not paid yet; the answer is what the payment is now."""
        ...

    async def aclose(self) -> None:
        """Lets go of everything that the provider holds."""
        ...


class RedeemProvider(Receives, Protocol):
    """Turns receipts of a store into money; the store starts refunds."""

    async def redeem(self, request: Redemption) -> TopUpOutcome:
        """Redeems a receipt; the same receipt counts once."""
        ...

    async def fetch(self, target: Target, call: Call) -> Observation:
        """Looks at a purchase."""
        ...

    async def aclose(self) -> None:
        """Lets go of everything that the provider holds."""
        ...


class PayoutProvider(Receives, Protocol):
    """Sends money to creators."""

    async def submit(self, batch: PayoutBatch) -> BatchOutcome:
        """Hands a batch over; the same key hands it over once."""
        ...

    async def fetch(self, targets: Sequence[Target], call: Call) -> Mapping[str, ItemObservation]:
        """Looks at several items; the answer is keyed by their operation ids."""
        ...

    async def cancel(self, target: Target, call: Call) -> ItemOutcome:
        """Stops an item that is not paid yet; the answer is what the item is now."""
        ...

    def ingest(self, document: Artifact) -> Sequence[Notice]:
        """Reads a statement file of a bank. Pure: no I/O."""
        ...

    async def aclose(self) -> None:
        """Lets go of everything that the provider holds."""
        ...


class BlockingTopUpProvider(Receives, Protocol):
    """`TopUpProvider` for a vendor library that blocks."""

    def create(self, request: TopUpRequest) -> TopUpOutcome:
        """Starts a payment; the same key starts it once."""
        ...

    def fetch(self, target: Target, call: Call) -> Observation:
        """Looks at a payment, by ref or by key."""
        ...

    def refund(self, request: RefundRequest) -> TopUpOutcome:
        """Gives money back; the totals of the answer are those of the whole payment."""
        ...

    def cancel(self, target: Target, call: Call) -> TopUpOutcome:
        """Ends a payment that is not paid yet; the answer is what the payment is now."""
        ...

    def close(self) -> None:
        """Lets go of everything that the provider holds."""
        ...


class BlockingRedeemProvider(Receives, Protocol):
    """`RedeemProvider` for a vendor library that blocks."""

    def redeem(self, request: Redemption) -> TopUpOutcome:
        """Redeems a receipt; the same receipt counts once."""
        ...

    def fetch(self, target: Target, call: Call) -> Observation:
        """Looks at a purchase."""
        ...

    def close(self) -> None:
        """Lets go of everything that the provider holds."""
        ...


class BlockingPayoutProvider(Receives, Protocol):
    """`PayoutProvider` for a vendor library that blocks."""

    def submit(self, batch: PayoutBatch) -> BatchOutcome:
        """Hands a batch over; the same key hands it over once."""
        ...

    def fetch(self, targets: Sequence[Target], call: Call) -> Mapping[str, ItemObservation]:
        """Looks at several items; the answer is keyed by their operation ids."""
        ...

    def cancel(self, target: Target, call: Call) -> ItemOutcome:
        """Stops an item that is not paid yet; the answer is what the item is now."""
        ...

    def ingest(self, document: Artifact) -> Sequence[Notice]:
        """Reads a statement file of a bank. Pure: no I/O."""
        ...

    def close(self) -> None:
        """Lets go of everything that the provider holds."""
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """An object that the provider has: which of ours it says it is, and what it shows."""

    target: Target
    observation: Observation | ItemOutcome
    created_at: datetime


class Lists(Protocol):
    """Optional: the provider can list what it has, so that money which we do not know of is found."""

    async def list_since(self, since: datetime, call: Call) -> Sequence[Listed]:
        """The objects of this instance made at or after a time, oldest first."""
        ...


class Onboards(Protocol):
    """Optional, declared by `caps.onboarding`: the provider has to know a recipient before money can be sent."""

    def requirements(self, country: str, currency: str) -> Sequence[Requirement]:
        """What a recipient there has to tell. Pure: no I/O, and the same answer for the same arguments."""
        ...

    async def onboard(self, request: OnboardRequest) -> RecipientOutcome:
        """Makes a recipient known, or goes on where it was left; the same key makes one recipient."""
        ...

    async def recipient_status(self, ref: str, call: Call) -> RecipientOutcome:
        """Looks at a recipient."""
        ...


class BlockingOnboards(Protocol):
    """`Onboards` for a vendor library that blocks."""

    def requirements(self, country: str, currency: str) -> Sequence[Requirement]:
        """What a recipient there has to tell. Pure: no I/O, and the same answer for the same arguments."""
        ...

    def onboard(self, request: OnboardRequest) -> RecipientOutcome:
        """Makes a recipient known, or goes on where it was left; the same key makes one recipient."""
        ...

    def recipient_status(self, ref: str, call: Call) -> RecipientOutcome:
        """Looks at a recipient."""
        ...


class Quotes(Protocol):
    """Optional, declared by `caps.quotes`: the provider says what sending costs before it is done."""

    async def quote(self, request: QuoteRequest) -> QuoteOutcome:
        """What it costs, and what arrives. It moves no money."""
        ...


class BlockingQuotes(Protocol):
    """`Quotes` for a vendor library that blocks."""

    def quote(self, request: QuoteRequest) -> QuoteOutcome:
        """What it costs, and what arrives. It moves no money."""
        ...


@dataclass(frozen=True)
class TopUpPlugin(Generic[ConfigT]):
    """Offers a way to take money.

    Args:
        key: `[a-z][a-z0-9-]*`, the same for ever: stored top-ups name it.
        api_hosts: the only `host` or `host:port` that `Host.http` will speak to, from the configuration.
            Everything except loopback is spoken to over TLS only.
    """

    key: str
    label: str
    caps: TopUpCaps
    config: type[ConfigT]
    build: Callable[
        [ConfigT, Host],
        TopUpProvider | RedeemProvider | BlockingTopUpProvider | BlockingRedeemProvider,
    ]
    api_hosts: Callable[[ConfigT], frozenset[str]]
    threaded: bool = False
    api: tuple[int, int] = API


@dataclass(frozen=True)
class PayoutPlugin(Generic[ConfigT]):
    """Offers a way to send money; the arguments are those of `TopUpPlugin`."""

    key: str
    label: str
    caps: PayoutCaps
    config: type[ConfigT]
    build: Callable[[ConfigT, Host], PayoutProvider | BlockingPayoutProvider]
    api_hosts: Callable[[ConfigT], frozenset[str]]
    threaded: bool = False
    api: tuple[int, int] = API


# Each plugin has a configuration of its own type, so a list of plugins cannot name it.
AnyTopUpPlugin: TypeAlias = TopUpPlugin[Any]
"""A top-up plugin with a configuration of any type."""

AnyPayoutPlugin: TypeAlias = PayoutPlugin[Any]
"""A payout plugin with a configuration of any type."""
