"""Endpoints of webhooks and what they were sent, as the API shows them to those who manage them."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from shoutgraph.api.graphql import enums, loaders
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.domain.endpoints import (
    Attempt,
    Delivery,
    DeliveryState,
    DisabledReason,
    Endpoint,
    EndpointState,
    Outcome,
    Secret,
)
from shoutgraph.services.endpoints import look, manage
from shoutgraph.services.endpoints.manage import Standing

enums.describe(
    EndpointState,
    name="WebhookEndpointStatus",
    description="Whether an endpoint is told of events.",
    values={
        EndpointState.ACTIVE: "It is.",
        EndpointState.PAUSED: "Not now: it goes on where it stood, once it is active.",
        EndpointState.DISABLED: "No more, see disabledReason; it too goes on where it stood, once it is active.",
    },
)
enums.describe(
    DisabledReason,
    name="WebhookDisabledReason",
    description="Why an endpoint is disabled; clients must accept values added later.",
    values={
        DisabledReason.STAFF: "Somebody did it.",
        DisabledReason.GONE: "The receiver answered 410.",
        DisabledReason.FAILING: "One event was tried for 72 hours.",
    },
)
enums.describe(
    Outcome,
    name="WebhookOutcome",
    description="What became of an attempt; clients must accept values added later.",
    values={
        Outcome.DELIVERED: "The receiver answered 2xx.",
        Outcome.REFUSED: "It answered otherwise; redirects are not followed.",
        Outcome.TIMED_OUT: "It did not answer within five seconds.",
        Outcome.UNREACHABLE: "There was no connection, or no answer of HTTP.",
        Outcome.FORBIDDEN_ADDRESS: "The name leads into a network that nothing is sent to.",
    },
)
enums.describe(
    DeliveryState,
    name="WebhookDeliveryStatus",
    description="How an event fared with an endpoint.",
    values={
        DeliveryState.DELIVERED: "The last attempt was taken.",
        DeliveryState.FAILED: "The last attempt was not; while the endpoint is active there is another.",
    },
)


@strawberry.type(name="WebhookPlace", description="How far an endpoint was told, and how its next event fares.")
class WebhookPlaceType:
    cursor: str = strawberry.field(description="Everything up to here was told; webhookReplay takes it as after.")
    behind_count: int = strawberry.field(description="Lines of the log after it, of whatever type.")
    failure_count: int = strawberry.field(description="How often in a row the next event failed.")
    failing_since: datetime | None = strawberry.field(description="Since when it fails.")
    next_attempt_at: datetime = strawberry.field(
        description="When it is tried next, at the earliest; not while the endpoint is DISABLED."
    )

    @classmethod
    def of(cls, standing: Standing) -> "WebhookPlaceType":
        """The graph's view of a place."""
        place = standing.place
        return cls(
            cursor=standing.cursor,
            behind_count=standing.behind,
            failure_count=place.failures,
            failing_since=place.failing_since,
            next_attempt_at=place.due_at,
        )


@strawberry.type(name="WebhookSecret", description="A secret that signs; what it is was shown once.")
class WebhookSecretType:
    number: int = strawberry.field(description="Which one of the endpoint's, counted from 1.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="When it signs no more; null for the newest.")

    @classmethod
    def of(cls, secret: Secret) -> "WebhookSecretType":
        """The graph's view of a secret."""
        return cls(number=secret.number, created_at=secret.created_at, expires_at=secret.expires_at)


@strawberry.type(name="WebhookEndpoint", description="Where somebody is told of events by HTTP.")
class WebhookEndpointType(NodeType):
    value: strawberry.Private[Endpoint]
    revision: int = strawberry.field(description="Goes up by one at each change; send it as expectedRevision.")
    url: str = strawberry.field(description="Where.")
    label: str = strawberry.field(description="Whose it is, for people.")
    event_types: list[str] = strawberry.field(
        description="The types that it is told of; empty for all.", directives=[ListSize(assumed_size=20)]
    )
    status: EndpointState = strawberry.field(description="Whether it is told.")
    disabled_reason: DisabledReason | None = strawberry.field(description="Why not; null unless it is disabled.")
    created_by: str = strawberry.field(description="Who made it: the id of a person, or the name of a tool.")
    created_at: datetime = strawberry.field(description="When it was made.")
    changed_at: datetime = strawberry.field(description="When it was changed last.")

    @classmethod
    def of(cls, endpoint: Endpoint) -> "WebhookEndpointType":
        """The graph's view of an endpoint."""
        return cls(
            id=strawberry.ID(endpoint.id),
            value=endpoint,
            revision=endpoint.revision,
            url=endpoint.url,
            label=endpoint.label,
            event_types=list(endpoint.event_types),
            status=endpoint.state,
            disabled_reason=endpoint.reason,
            created_by=endpoint.created_by,
            created_at=endpoint.created_at,
            changed_at=endpoint.changed_at,
        )

    @loaders.batch(description="How far it was told.")
    @staticmethod
    async def place(parents: "list[WebhookEndpointType]", context: Context) -> list[WebhookPlaceType]:
        found = await manage.standings_of(context.tools, context.viewer, [parent.value for parent in parents])
        return [WebhookPlaceType.of(each) for each in found]

    @loaders.batch(description="The secrets that sign now, the newest first.", directives=[ListSize(assumed_size=2)])
    @staticmethod
    async def secrets(parents: "list[WebhookEndpointType]", context: Context) -> list[list[WebhookSecretType]]:
        found = await manage.secrets_of(context.tools, context.viewer, [parent.value for parent in parents])
        return [[WebhookSecretType.of(secret) for secret in each] for each in found]


@strawberry.type(name="WebhookAttempt", description="One sending.")
class WebhookAttemptType:
    number: int = strawberry.field(description="Which one of the delivery's, counted from 1.")
    outcome: Outcome = strawberry.field(description="What became of it.")
    status: str | None = strawberry.field(description="What HTTP said, such as 200; null where no answer came.")
    duration_milliseconds: int = strawberry.field(description="How long it took.")
    excerpt: str = strawberry.field(description="The beginning of the answer, at most 200 characters; or what broke.")
    at: datetime = strawberry.field(description="When it ended.")

    @classmethod
    def of(cls, attempt: Attempt) -> "WebhookAttemptType":
        """The graph's view of an attempt."""
        return cls(
            number=attempt.number,
            outcome=attempt.outcome,
            status=None if attempt.status is None else str(attempt.status),
            duration_milliseconds=attempt.duration_ms,
            excerpt=attempt.excerpt,
            at=attempt.at,
        )


@strawberry.type(name="WebhookDelivery", description="An event and an endpoint; kept for 30 days.")
class WebhookDeliveryType(NodeType):
    value: strawberry.Private[Delivery]
    event_id: strawberry.ID = strawberry.field(description="Which event; also the webhook-id of every attempt.")
    event_type: str = strawberry.field(description="Its type; webhook.test for a test.")
    status: DeliveryState = strawberry.field(description="How it fared.")
    attempt_count: int = strawberry.field(description="How often it was sent.")
    created_at: datetime = strawberry.field(description="When it was sent first.")
    changed_at: datetime = strawberry.field(description="When it was sent last.")

    @classmethod
    def of(cls, delivery: Delivery) -> "WebhookDeliveryType":
        """The graph's view of a delivery."""
        return cls(
            id=strawberry.ID(delivery.id),
            value=delivery,
            event_id=strawberry.ID(delivery.event_id),
            event_type=delivery.event_type,
            status=delivery.state,
            attempt_count=delivery.attempts,
            created_at=delivery.created_at,
            changed_at=delivery.changed_at,
        )

    @loaders.batch(description="The endpoint as of now.")
    @staticmethod
    async def endpoint(parents: "list[WebhookDeliveryType]", context: Context) -> list[WebhookEndpointType | None]:
        return await fetch_endpoints(context, [parent.value.endpoint_id for parent in parents])

    @loaders.batch(description="The newest 20 attempts, the newest first.", directives=[ListSize(assumed_size=20)])
    @staticmethod
    async def attempts(parents: "list[WebhookDeliveryType]", context: Context) -> list[list[WebhookAttemptType]]:
        found = await look.attempts_of(context.tools, context.viewer, [parent.value for parent in parents])
        return [[WebhookAttemptType.of(attempt) for attempt in each] for each in found]


async def fetch_endpoints(context: Context, endpoint_ids: Sequence[str]) -> list[WebhookEndpointType | None]:
    """Endpoints by id, null where the caller may not see them."""
    found = await manage.list_by_id(context.tools, context.viewer, endpoint_ids)
    return [None if each is None else WebhookEndpointType.of(each) for each in found]


async def fetch_deliveries(context: Context, delivery_ids: Sequence[str]) -> list[WebhookDeliveryType | None]:
    """Deliveries by id, null where the caller may not see them."""
    found = await look.list_by_id(context.tools, context.viewer, delivery_ids)
    return [None if each is None else WebhookDeliveryType.of(each) for each in found]
