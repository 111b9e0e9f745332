"""The frozen registry of everything that plugins offer, as the rest of the application sees it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shoutgraph.domain import errors
from shoutgraph.plugins.discovery import Descriptor
from shoutgraph.plugins.hooks import Hooks
from shoutgraph.plugins.hosting import FencedHttp
from shoutgraph.plugins.payouts import Payouts
from shoutgraph.plugins.routes import Routes
from shoutgraph.plugins.scrubbing import Scrubber
from shoutgraph.plugins.statuses import InstanceStatus, PluginStatus
from shoutgraph.plugins.topups import TopUps
from shoutgraph.plugins.webhooks import Inbox
from shoutgraph.sdk import Delivery, RawWebhook


@dataclass(frozen=True, slots=True)
class Providers:
    """The configured instances by name, and the state of every plugin.

    `descriptors` is what active plugins offer, by key.
    `scrubber` belongs, as a filter, on every handler of the application's log.
    """

    topups: Mapping[str, TopUps]
    payouts: Mapping[str, Payouts]
    inboxes: Mapping[str, Inbox]
    plugins: tuple[PluginStatus, ...]
    instances: tuple[InstanceStatus, ...]
    descriptors: Mapping[str, Descriptor]
    hooks: Hooks
    routes: Routes
    scrubber: Scrubber
    connections: tuple[FencedHttp, ...]

    def topup(self, instance: str) -> TopUps:
        """The way to take money that has this name.

        Raises:
            ProviderUnavailableError: there is none, or it is not active.
        """
        found = self.topups.get(instance)
        if found is None:
            raise errors.ProviderUnavailableError(f"The provider {instance} is not available.")
        return found

    def payout(self, instance: str) -> Payouts:
        """The way to send money that has this name.

        Raises:
            ProviderUnavailableError: there is none, or it is not active.
        """
        found = self.payouts.get(instance)
        if found is None:
            raise errors.ProviderUnavailableError(f"The provider {instance} is not available.")
        return found

    def receive(self, instance: str, raw: RawWebhook) -> Delivery:
        """Proves and reads a webhook that came in for an instance.

        Raises:
            NotFoundError: there is no such instance, or it is not active.
            BadSignature: it is not proven.
            MalformedNotice: it is too large, or proven and cannot be read.
            PluginFaultError: the plugin broke; the provider should send it again.
        """
        inbox = self.inboxes.get(instance)
        if inbox is None:
            raise errors.NotFoundError("There is no such provider.")
        return inbox.receive(raw)

    def missing(self, in_use: Iterable[str]) -> tuple[str, ...]:
        """Those of the instances with money in flight that nobody can ask any more: not ready to serve."""
        return tuple(sorted({name for name in in_use if name not in self.inboxes}))

    async def aclose(self) -> None:
        """Lets go of all providers and their connections."""
        for topup in self.topups.values():
            await topup.fence.close(topup.provider)
        for payout in self.payouts.values():
            await payout.fence.close(payout.provider)
        for connection in self.connections:
            await connection.aclose()
