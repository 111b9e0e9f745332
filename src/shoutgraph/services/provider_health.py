"""How every configured provider is: what this process has seen of it, and what the tables say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.plugins.statuses import InstanceStatus
from shoutgraph.storage import provider_health
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


class ProviderKind(StrEnum):
    """Which way a provider moves money."""

    TOPUP = "TOPUP"
    PAYOUT = "PAYOUT"


@dataclass(frozen=True, slots=True)
class Health:
    """How one instance is. The breakers and the times of calls are those of the process that answers."""

    status: InstanceStatus
    kind: ProviderKind | None
    label: str | None
    open_breakers: tuple[str, ...]
    answered_at: datetime | None
    failed_at: datetime | None
    webhook_at: datetime | None
    open_count: int
    unresolved_count: int


@dataclass(frozen=True, slots=True)
class _Counts:
    open: Mapping[str, int]
    unresolved: Mapping[str, int]
    webhooks: Mapping[str, datetime | None]


async def list_of(tools: Tools, viewer: Viewer) -> tuple[Health, ...]:
    """Every configured instance, by name.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    instances = sorted(tools.providers.instances, key=lambda status: status.instance)

    def count(tx: Tx) -> _Counts:
        webhooks = {each.instance: provider_health.find_last_webhook(tx, each.instance) for each in instances}
        return _Counts(provider_health.open_counts(tx), provider_health.unresolved_counts(tx), webhooks)

    counts = await tools.store.read(count)
    return tuple(_health(tools, each, counts) for each in instances)


def _health(tools: Tools, status: InstanceStatus, counts: _Counts) -> Health:
    name = status.instance
    topup, payout = tools.providers.topups.get(name), tools.providers.payouts.get(name)
    way = topup or payout
    kind = None if way is None else ProviderKind.TOPUP if topup is not None else ProviderKind.PAYOUT
    fence = None if way is None else way.fence
    return Health(
        status=status,
        kind=kind,
        label=None if way is None else way.plugin.label,
        open_breakers=() if fence is None else tuple(kind.value for kind in fence.open_breakers()),
        answered_at=_at(tools, None if fence is None else fence.answered_s_ago()),
        failed_at=_at(tools, None if fence is None else fence.failed_s_ago()),
        webhook_at=counts.webhooks.get(name),
        open_count=counts.open.get(name, 0),
        unresolved_count=counts.unresolved.get(name, 0),
    )


def _at(tools: Tools, ago_s: float | None) -> datetime | None:
    return None if ago_s is None else tools.clock() - timedelta(seconds=ago_s)
