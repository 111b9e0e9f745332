"""The room of webhooks out: integrators and staff say where events are sent, and see what became of them."""

from datetime import timedelta
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.endpoints.endpoint import (
    WebhookDeliveryType,
    WebhookEndpointType,
    fetch_deliveries,
    fetch_endpoints,
)
from shoutgraph.api.graphql.endpoints.events import (
    WebhookEndpointChangedEventType,
    WebhookEventQuery,
    WebhookEventSubscription,
)
from shoutgraph.api.graphql.endpoints.states import WebhookStateMutation
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import endpoints as rules, ids, pages
from shoutgraph.domain.endpoints import DeliveryState
from shoutgraph.domain.users import Scope
from shoutgraph.services.endpoints import look, manage
from shoutgraph.services.endpoints.look import Listing, Tried
from shoutgraph.services.endpoints.manage import Wish

_MANAGES: Final = (requires(Scope.WEBHOOKS_MANAGE),)
_KEY: Final = "One key per intended effect."
_WHICH: Final = "Which endpoint."
_TYPES: Final = "The types to be told of, of webhookEventTypes; empty for all."
_OVERLAP_S: Final = int(rules.OVERLAP.total_seconds())
_Tested = (
    errors.ForbiddenErrorType
    | errors.NotFoundErrorType
    | errors.ProviderUnavailableErrorType
    | errors.ValidationErrorType
)
_Changed = _Tested | errors.IdempotencyKeyReusedErrorType
WebhookEndpointCreateError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.ProviderUnavailableErrorType
    | errors.ValidationErrorType,
    failures_of("webhookEndpointCreate"),
]
WebhookEndpointUpdateError = Annotated[_Changed | errors.StaleRevisionErrorType, failures_of("webhookEndpointUpdate")]
WebhookSecretRotateError = Annotated[_Changed, failures_of("webhookSecretRotate")]
WebhookReplayError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType,
    failures_of("webhookReplay"),
]
WebhookTestError = Annotated[_Tested, failures_of("webhookTest")]


@strawberry.input(description="Input of webhookEndpointCreate.")
class WebhookEndpointCreateInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    url: str = strawberry.field(description="Where: https on port 443, in production.")
    label: str = strawberry.field(description="Whose it is, for people; at most 100 characters.")
    event_types: list[str] = strawberry.field(description=_TYPES, default_factory=list)


@strawberry.type(description="Result of webhookEndpointCreate.")
class WebhookEndpointCreatePayload:
    endpoint: WebhookEndpointType | None = mutations.outcome("The new endpoint.")
    secret: str | None = strawberry.field(
        default=None, description="What proves our messages; shown once, and not in a replayed answer."
    )
    replayed: bool = mutations.replayed()
    errors: list[WebhookEndpointCreateError] = mutations.refusals()


@strawberry.input(description="Input of webhookEndpointUpdate; what is left out stays.")
class WebhookEndpointUpdateInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    webhook_endpoint_id: strawberry.ID = strawberry.field(description=_WHICH)
    expected_revision: int | None = strawberry.field(
        default=None, description="The revision you read; null gives up the check."
    )
    url: str | None = strawberry.field(default=None, description="Where.")
    label: str | None = strawberry.field(default=None, description="Whose it is.")
    event_types: list[str] | None = strawberry.field(default=None, description=_TYPES)

    def read(self) -> Wish:
        """What is to change."""
        types = None if self.event_types is None else tuple(self.event_types)
        return Wish(self.url, self.label, types)


@strawberry.type(description="Result of webhookEndpointUpdate.")
class WebhookEndpointUpdatePayload:
    endpoint: WebhookEndpointType | None = mutations.outcome("The endpoint as it is now.")
    replayed: bool = mutations.replayed()
    errors: list[WebhookEndpointUpdateError] = mutations.refusals()


@strawberry.input(description="Input of webhookSecretRotate.")
class WebhookSecretRotateInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    webhook_endpoint_id: strawberry.ID = strawberry.field(description=_WHICH)
    overlap_seconds: int = strawberry.field(
        default=_OVERLAP_S, description="How long the secret before it signs too: a day if not given, seven at most."
    )


@strawberry.type(description="Result of webhookSecretRotate.")
class WebhookSecretRotatePayload:
    endpoint: WebhookEndpointType | None = mutations.outcome("The endpoint as it is now.")
    secret: str | None = strawberry.field(
        default=None, description="What proves our messages; shown once, and not in a replayed answer."
    )
    replayed: bool = mutations.replayed()
    errors: list[WebhookSecretRotateError] = mutations.refusals()


@strawberry.input(description="Input of webhookReplay.")
class WebhookReplayInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=_KEY)
    webhook_endpoint_id: strawberry.ID = strawberry.field(description=_WHICH)
    after: str = strawberry.field(description="A cursor, of a message, an event or the endpoint's place.")
    skip: bool = strawberry.field(
        default=False, description="Whether the cursor may be ahead of the endpoint, so that events are left out."
    )


@strawberry.type(description="Result of webhookReplay.")
class WebhookReplayPayload:
    endpoint: WebhookEndpointType | None = mutations.outcome("The endpoint; its place is the cursor.")
    replayed: bool = mutations.replayed()
    errors: list[WebhookReplayError] = mutations.refusals()


@strawberry.input(description="Input of webhookTest.")
class WebhookTestInput:
    webhook_endpoint_id: strawberry.ID = strawberry.field(description=_WHICH)
    dry_run: bool = strawberry.field(default=False, description="Only say what would be sent.")


@strawberry.type(description="A header of a message.")
class WebhookHeader:
    name: str = strawberry.field(description="Its name, in lower case.")
    value: str = strawberry.field(description="What it says.")


@strawberry.type(description="A message as it is sent.")
class WebhookMessage:
    url: str = strawberry.field(description="Where it goes.")
    headers: list[WebhookHeader] = strawberry.field(
        description="Its headers, with the signature.", directives=[ListSize(assumed_size=5)]
    )
    body: str = strawberry.field(description="Its bytes, as text.")

    @classmethod
    def of(cls, tried: Tried) -> "WebhookMessage":
        """The graph's view of a message."""
        headers = [WebhookHeader(name=name, value=value) for name, value in sorted(tried.headers.items())]
        return cls(url=tried.url, headers=headers, body=tried.body)


@strawberry.type(description="Result of webhookTest.")
class WebhookTestPayload:
    message: WebhookMessage | None = mutations.outcome("What was sent, or would be.")
    delivery: WebhookDeliveryType | None = strawberry.field(
        default=None, description="What became of it; null for a dry run."
    )
    errors: list[WebhookTestError] = mutations.refusals()


Created = Annotated[WebhookEndpointCreateInput, strawberry.argument(description="Where, and of what.")]
Updated = Annotated[WebhookEndpointUpdateInput, strawberry.argument(description="Which endpoint, and what of it.")]
Rotated = Annotated[WebhookSecretRotateInput, strawberry.argument(description="Which endpoint, and until when both.")]
Replayed = Annotated[WebhookReplayInput, strawberry.argument(description="Which endpoint, and from where.")]
Tests = Annotated[WebhookTestInput, strawberry.argument(description="Which endpoint.")]
Of = Annotated[strawberry.ID | None, strawberry.argument(description="Of this endpoint; all if not given.")]
Status = Annotated[DeliveryState | None, strawberry.argument(description="Those that fared so; all if not given.")]


@strawberry.type
class WebhookQuery(WebhookEventQuery):
    @fields.resolver(
        description="The types of events that webhooks tell of; a type keeps its name and meaning.",
        directives=[ListSize(assumed_size=50)],
    )
    def webhook_event_types(self) -> list[str] | None:
        return list(rules.TYPES)

    @fields.resolver(description="Endpoints, the newest first.", directives=[PAGED, *_MANAGES])
    async def webhook_endpoints(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[WebhookEndpointType] | None:
        scope = pages.scope_of(manage.SCOPE_OF_PAGES)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before)
        page = await manage.page(info.context.tools, info.context.viewer, args)
        return graph_pages.connect(page, WebhookEndpointType.of)

    @fields.resolver(description="What was sent in the last 30 days, the newest first.", directives=[PAGED, *_MANAGES])
    async def webhook_deliveries(
        self,
        info: Info,
        endpoint_id: Of = None,
        status: Status = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[WebhookDeliveryType] | None:
        of = None if endpoint_id is None else ids.parse(ids.ENDPOINT, endpoint_id, path=("endpointId",))
        listing = Listing(of, status)
        args = pages.read_args(scope=listing.scope, first=first, after=after, last=last, before=before)
        page = await look.page(info.context.tools, info.context.viewer, listing, args)
        return graph_pages.connect(page, WebhookDeliveryType.of)


@strawberry.type
class WebhookMutation(WebhookStateMutation):
    @mutations.mutation(
        description="Has somebody told of events by HTTP, from now on, in the order of the log.", directives=_MANAGES
    )
    async def webhook_endpoint_create(self, info: Info, input: Created) -> WebhookEndpointCreatePayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        wish = Wish(input.url, input.label, tuple(input.event_types))
        made = await manage.create(tools, viewer, request_of(viewer, "webhookEndpointCreate", input), wish)
        endpoint = WebhookEndpointType.of(made.endpoint)
        return WebhookEndpointCreatePayload(endpoint=endpoint, secret=made.secret, replayed=made.replayed)

    @mutations.mutation(description="Changes where an endpoint is, and what it is told of.", directives=_MANAGES)
    async def webhook_endpoint_update(self, info: Info, input: Updated) -> WebhookEndpointUpdatePayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        asked, of = request_of(viewer, "webhookEndpointUpdate", input), _read(input.webhook_endpoint_id)
        expected = input.expected_revision
        done = await manage.update(tools, viewer, asked, of, input.read(), expected_revision=expected)
        return WebhookEndpointUpdatePayload(endpoint=WebhookEndpointType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Makes the next secret of an endpoint; the one before it signs too for a while.",
        directives=_MANAGES,
    )
    async def webhook_secret_rotate(self, info: Info, input: Rotated) -> WebhookSecretRotatePayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        asked, overlap = request_of(viewer, "webhookSecretRotate", input), _overlap(input.overlap_seconds)
        made = await manage.rotate(tools, viewer, asked, _read(input.webhook_endpoint_id), overlap=overlap)
        endpoint = WebhookEndpointType.of(made.endpoint)
        return WebhookSecretRotatePayload(endpoint=endpoint, secret=made.secret, replayed=made.replayed)

    @mutations.mutation(
        description="Has an endpoint told again of everything after a cursor, in order and under the ids of before.",
        directives=_MANAGES,
    )
    async def webhook_replay(self, info: Info, input: Replayed) -> WebhookReplayPayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        asked, of = request_of(viewer, "webhookReplay", input), _read(input.webhook_endpoint_id)
        done = await manage.replay(tools, viewer, asked, of, after=input.after, skip=input.skip)
        return WebhookReplayPayload(endpoint=WebhookEndpointType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Sends an endpoint a message that tells of nothing, whatever its status; each call sends one.",
        directives=_MANAGES,
    )
    async def webhook_test(self, info: Info, input: Tests) -> WebhookTestPayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        tried = await look.test(tools, viewer, _read(input.webhook_endpoint_id), dry_run=input.dry_run)
        delivery = None if tried.delivery is None else WebhookDeliveryType.of(tried.delivery)
        return WebhookTestPayload(message=WebhookMessage.of(tried), delivery=delivery)


def _read(endpoint_id: str) -> str:
    return ids.parse(ids.ENDPOINT, endpoint_id, path=manage.PATH)


def _overlap(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


ROOM: Final = Room(
    query=WebhookQuery,
    mutation=WebhookMutation,
    subscription=WebhookEventSubscription,
    nodes={ids.ENDPOINT: fetch_endpoints, ids.DELIVERY: fetch_deliveries},
    types=(WebhookEndpointChangedEventType,),
)
