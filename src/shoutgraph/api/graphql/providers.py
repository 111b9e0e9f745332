"""The room of providers' health: what staff look at first when money does not move."""

from datetime import datetime
from typing import Final

import strawberry

from shoutgraph.api.graphql import enums, fields
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import Cost, ListSize, requires
from shoutgraph.api.graphql.room import Room
from shoutgraph.domain.users import Scope
from shoutgraph.services import provider_health
from shoutgraph.services.provider_health import Health, ProviderKind

INSTANCES_ASSUMED: Final = 20

enums.describe(
    ProviderKind,
    name="ProviderKind",
    description="Which way a provider moves money.",
    values={ProviderKind.TOPUP: "From fans.", ProviderKind.PAYOUT: "To creators."},
)


@strawberry.type(name="ProviderHealth", description="How a configured provider is.")
class ProviderHealthType:
    code: str = strawberry.field(description="The instance's name; providerCode elsewhere.")
    plugin: str = strawberry.field(description="The plugin's key.")
    kind: ProviderKind | None = strawberry.field(description="Which way it moves money; null while it is not active.")
    label: str | None = strawberry.field(description="For people.")
    state: str = strawberry.field(description="Such as active, misconfigured or missing.")
    detail: str = strawberry.field(description="Why it is not active; empty while it is.")
    open_breakers: list[str] = strawberry.field(
        description="Kinds of calls that went wrong several times in a row, as the process that answers has seen it.",
        directives=[ListSize(assumed_size=INSTANCES_ASSUMED)],
    )
    last_success_at: datetime | None = strawberry.field(
        description="When a call or look last had an answer, in the process that answers."
    )
    last_failure_at: datetime | None = strawberry.field(
        description="When a call or look last had none, in the process that answers."
    )
    last_webhook_at: datetime | None = strawberry.field(description="When its newest webhook that is kept came in.")
    open_count: int = strawberry.field(description="Top-ups and payouts that are under way there.")
    unresolved_count: int = strawberry.field(description="Top-ups and payouts that are unknown, or wait for a person.")

    @classmethod
    def of(cls, health: Health) -> "ProviderHealthType":
        """The graph's view of a provider's health."""
        return cls(
            code=health.status.instance,
            plugin=health.status.plugin,
            kind=health.kind,
            label=health.label,
            state=health.status.state.value,
            detail=health.status.detail,
            open_breakers=list(health.open_breakers),
            last_success_at=health.answered_at,
            last_failure_at=health.failed_at,
            last_webhook_at=health.webhook_at,
            open_count=health.open_count,
            unresolved_count=health.unresolved_count,
        )


@strawberry.type
class ProviderQuery:
    @fields.resolver(
        description="How every configured provider is.",
        directives=[ListSize(assumed_size=INSTANCES_ASSUMED), Cost(weight="20"), requires(Scope.FINANCE_READ)],
    )
    async def provider_health(self, info: Info) -> list[ProviderHealthType] | None:
        found = await provider_health.list_of(info.context.tools, info.context.viewer)
        return [ProviderHealthType.of(each) for each in found]


ROOM: Final = Room(query=ProviderQuery)
