"""What the kit needs of a provider's simulator, so that it can put a plugin to the test.

A plugin's package has a simulator, and beside it one class that implements `Upstream`: best as a subclass of
`SimulatedUpstream`, which says `NotSupported` to everything that it does not override. Each test gets a new one.

    # shoutgraph_acme/simulator/upstream.py
    class AcmeUpstream(SimulatedUpstream):
        aside = ("/oauth/token",)  # asked beside the money, and left alone by the faults

        def __init__(self, stage: Stage) -> None:
            self._stage = stage
            self._acme = Acme(base_url=stage.base_url, clock=stage.clock)  # the simulator
            self.app = self._acme.app

        def config(self, base_url: str) -> Mapping[str, object]:
            secrets = [SecretStr(NEW), SecretStr(OLD)]
            return {"base_url": base_url, "api_key": SecretStr(API_KEY), "webhook_secrets": secrets}

        async def objects(self) -> Sequence[Seen]:
            return [Seen(each.id, each.operation_id, Money(each.amount, "EUR")) for each in self._acme.payments]

        async def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
            match verb:
                case Act.PAY:
                    self._acme.pay(ref)
                case Act.REFUND:
                    self._acme.refund(ref, amount)
                case _:
                    raise NotSupported(f"Acme knows no {verb}")

        async def deliveries(self) -> Sequence[RawWebhook]:
            return [self._signed(body, NEW) for body in self._acme.take_events()]

        def forge(self, raw: RawWebhook, how: Forgery) -> RawWebhook:
            match how:
                case Forgery.WRONG_KEY:
                    return self._signed(raw.body, "somebody else's key")
                ...

    # tests/test_conformance.py: this is the whole file
    class TestTopUps(TopUpConformance):
        plugin = shoutgraph_acme.TOPUP
        distribution = "shoutgraph-acme"

        def upstream(self, stage: Stage) -> Upstream:
            return AcmeUpstream(stage)

`PayoutConformance` is the same for sending money, `RedeemConformance` for receipts: see `shoutgraph.testkit.suites`.

Who runs where: the app and every `async` method of an upstream run on one event loop, in a thread of its own; the
plugin runs on another, as it does in the host, and reaches the app over real sockets through a proxy that breaks
things. `config` and `forge` are pure. An upstream starts no clock of its own and sends no webhooks: what there is to
tell waits until `deliveries` takes it. Time is `stage.clock`, which the kit moves.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeAlias

from shoutgraph.sdk import Artifact, AsgiMessage, AsgiReceive, AsgiSend, Money, RawWebhook

AsgiApp: TypeAlias = Callable[[AsgiMessage, AsgiReceive, AsgiSend], Awaitable[None]]
"""A simulator as a web application."""


class NotSupported(Exception):  # noqa: N818 -- what the provider says, not what went wrong
    """The provider has no such thing: the behaviour is skipped, and the reason is printed."""


class Act(StrEnum):
    """What happens at the provider, without the plugin.

    `ref` in `Upstream.act` is what the plugin's outcome gave; where that had none, it is our operation id (of a payout:
    the item's id).
    """

    PAY = "pay"
    """The fan pays all of it; or the payout reaches its recipient."""
    PROCESS = "process"
    """The fan pays by a method that takes a while: neither open nor paid until `PAY` or `DECLINE`."""
    DECLINE = "decline"
    """The payment is refused for good."""
    EXPIRE = "expire"
    """The page was left alone until it expired. The upstream does not wait for the clock."""
    PAY_LATE = "pay_late"
    """Money arrives for a payment that was declined or has expired."""
    PAY_OTHER_AMOUNT = "pay_other_amount"
    """Another amount than the one asked for arrives: `amount`."""
    PAY_OTHER_CURRENCY = "pay_other_currency"
    """The amount arrives in another currency: `amount`."""
    REFUND = "refund"
    """`amount` is refunded at the provider itself (by its dashboard, the store, the bank)."""
    HOLD_REFUND = "hold_refund"
    """The next refund that the plugin asks for is accepted and stays pending. `ref` is the payment's."""
    FAIL_REFUND = "fail_refund"
    """The newest refund, be it pending or done, fails or is reversed: the money is with us (again)."""
    DISPUTE = "dispute"
    """The fan's bank takes all of it back for now."""
    WIN = "win"
    """The open dispute is decided for us."""
    LOSE = "lose"
    """The open dispute is decided against us."""
    REJECT = "reject"
    """The payout is refused after it was taken in; no money left."""
    RETURN = "return"
    """A payout that was paid comes back."""
    VERIFY = "verify"
    """A recipient does what the provider asked for, and may be paid now. `ref` is the recipient's."""
    RESTRICT = "restrict"
    """The provider sends this recipient no money any more. `ref` is the recipient's."""
    SILENCE = "silence"
    """Nothing is ever heard of this payout again."""
    LAG = "lag"
    """What is made from now on is found neither by key nor by listing until the provider's index has it: as long as the
    plugin's `lookup.absence_after` says, on `stage.clock`. `ref` is empty."""
    TELL_STRANGE = "tell_strange"
    """The provider tells, properly signed, of a kind of event that the plugin has no use for. `ref` may be empty."""
    STATE_FOREIGN = "state_foreign"
    """The next statement file also has entries which are not ours. `ref` is empty."""


class Forgery(StrEnum):
    """What is done to a webhook."""

    WRONG_KEY = "wrong_key"
    """Signed with a key that is not configured (an attacker's own certificate, where there are certificates)."""
    CHANGED_BODY = "changed_body"
    """A byte of the body was changed after signing; it still parses, and says something else."""
    MISSING_SIGNATURE = "missing_signature"
    """There is no signature at all."""
    OLD = "old"
    """Properly signed, and older than any tolerance (a day)."""
    FUTURE = "future"
    """Properly signed, with a time a day ahead."""
    PREVIOUS_SECRET = "previous_secret"  # noqa: S105 -- a word
    """Genuine: signed with the other one of the two secrets that `config` has, as while a secret is replaced."""
    ONE_FORGED_ITEM = "one_forged_item"
    """A delivery of two items of which the second is not properly signed."""


class Recipient(StrEnum):
    """To whom the kit sends payouts."""

    GOOD = "good"
    OTHER = "other"
    """As good, and somebody else."""
    BAD = "bad"
    """Whose payouts are rejected, at once or later: an account that does not exist."""
    NOT_READY = "not_ready"
    """Who is known and may not be paid yet."""


class Receipt(StrEnum):
    """Which receipt the buyer's device presents."""

    GENUINE = "genuine"
    OTHER_BUYER = "other_buyer"
    """Genuine, and bought by somebody else than `customer_ref`."""
    OTHER_APPLICATION = "other_application"
    """Genuine, and for another application (bundle, package)."""
    OTHER_PRODUCT = "other_product"
    """Genuine, of this application, and of another product than `Upstream.product`."""
    OTHER_ENVIRONMENT = "other_environment"
    """From the store's test environment where the live one is configured, or the other way round."""
    FORGED_CHAIN = "forged_chain"
    """Signed under a root that looks like the store's and is not."""
    WRONG_KEY = "wrong_key"
    """With the store's certificates, and signed with another key."""
    UNSIGNED = "unsigned"
    """Says that it needs no signature (alg none)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the kit gives to an upstream.

    Args:
        base_url: where the plugin will reach `app`, without a slash at the end.
        clock: the time; the kit moves it. Thread-safe.
        folder: a new, empty folder.
        instance: the name of the configured instance, under which its webhooks arrive.
    """

    base_url: str
    clock: Callable[[], datetime]
    folder: Path
    instance: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that exists at the provider: a payment, or one payout of a batch (not a customer, not a batch).

    Args:
        ref: the provider's own.
        reference: what the provider keeps of ours: operation id, item id or key. None where it keeps nothing.
        amount: what was asked for, as the provider understood it. Units: ISO minor units.
    """

    ref: str
    reference: str | None
    amount: Money


class Upstream(Protocol):
    """A provider's simulator in the hands of the kit. Best subclass `SimulatedUpstream`."""

    @property
    def app(self) -> AsgiApp | None:
        """The simulator, served under `stage.base_url`; None where there is nobody to ask, as with files."""
        ...

    @property
    def aside(self) -> Sequence[str]:
        """Starts of paths that are asked beside the money: access tokens, certificates. Faults leave them alone."""
        ...

    @property
    def product(self) -> str:
        """The store's id of what `receipt` buys, and what the host expects. For redeeming."""
        ...

    async def start(self) -> None:
        """Called once, before anything else that is async."""
        ...

    async def aclose(self) -> None:
        """Called once, at the end."""
        ...

    def config(self, base_url: str) -> Mapping[str, object]:
        """A valid configuration of an instance that speaks to `base_url`; every secret is a `SecretStr`.

        Where several webhook secrets can be configured, it has two.
        """
        ...

    def wrong_configs(self, base_url: str) -> Mapping[str, Mapping[str, object]]:
        """Configurations with one mistake each, by the field that the refusal must name: malformed, or mixed up."""
        ...

    async def objects(self) -> Sequence[Seen]:
        """Everything that was made so far."""
        ...

    async def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
        """Lets something happen.

        Raises:
            NotSupported: the provider has no such thing.
        """
        ...

    async def deliveries(self) -> Sequence[RawWebhook]:
        """Takes the webhooks that were to be sent since it was last asked, oldest first, signed as they would be now.

        Raises:
            NotSupported: the provider sends none.
        """
        ...

    def forge(self, raw: RawWebhook, how: Forgery) -> RawWebhook:
        """A webhook like this one that something was done to.

        Raises:
            NotSupported: the provider's webhooks have nothing of the kind (no time, one item, one secret).
        """
        ...

    async def recipient(self, kind: Recipient) -> str:
        """The `recipient_ref` of such a recipient. For payouts.

        Raises:
            NotSupported: the provider has no such recipients.
        """
        ...

    def answers(self) -> Mapping[str, str]:
        """What a good recipient answers to the plugin's requirements, by name. For payouts with onboarding."""
        ...

    async def upload(self, document: Artifact) -> None:
        """Hands a file that the plugin made to the bank. For payouts by file.

        Raises:
            NotSupported: there are no files.
            ValueError: the bank refuses the file; the message says why.
        """
        ...

    async def documents(self) -> Sequence[Artifact]:
        """Takes the statement files made since it was last asked, oldest first. For payouts by file.

        Raises:
            NotSupported: there are no files.
        """
        ...

    async def receipt(self, kind: Receipt, customer_ref: str) -> str:
        """Buys something in the store for this customer, and gives the receipt. For redeeming.

        Raises:
            NotSupported: the store has no such receipts.
        """
        ...


class SimulatedUpstream(ABC):
    """An `Upstream` that supports nothing yet: override what the provider has."""

    app: AsgiApp | None = None
    aside: Sequence[str] = ()
    product: str = "coins"

    async def start(self) -> None:  # noqa: B027 - many need nothing
        """Does nothing."""

    async def aclose(self) -> None:  # noqa: B027 - many need nothing
        """Does nothing."""

    @abstractmethod
    def config(self, base_url: str) -> Mapping[str, object]:
        """Every upstream has to say."""

    def wrong_configs(self, base_url: str) -> Mapping[str, Mapping[str, object]]:
        """None."""
        del base_url
        return {}

    @abstractmethod
    async def objects(self) -> Sequence[Seen]:
        """Every upstream has to say."""

    async def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
        """Nothing ever happens.

        Raises:
            NotSupported: always.
        """
        del ref, amount
        raise NotSupported(f"the provider knows no {verb}")

    async def deliveries(self) -> Sequence[RawWebhook]:
        """There are none.

        Raises:
            NotSupported: always.
        """
        raise NotSupported("the provider sends no webhooks")

    def forge(self, raw: RawWebhook, how: Forgery) -> RawWebhook:
        """There are none.

        Raises:
            NotSupported: always.
        """
        del raw
        raise NotSupported(f"the provider's webhooks know no {how}")

    async def recipient(self, kind: Recipient) -> str:
        """There are none.

        Raises:
            NotSupported: always.
        """
        raise NotSupported(f"the provider has no recipient that is {kind}")

    def answers(self) -> Mapping[str, str]:
        """None."""
        return {}

    async def upload(self, document: Artifact) -> None:
        """There are no files.

        Raises:
            NotSupported: always.
        """
        del document
        raise NotSupported("the provider takes no files")

    async def documents(self) -> Sequence[Artifact]:
        """There are no files.

        Raises:
            NotSupported: always.
        """
        raise NotSupported("the provider has no statement files")

    async def receipt(self, kind: Receipt, customer_ref: str) -> str:
        """There are none.

        Raises:
            NotSupported: always.
        """
        del customer_ref
        raise NotSupported(f"the store has no receipt that is {kind}")
