"""Whether endpoints are told: paused, resumed and disabled by those who manage them."""

from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import requires
from shoutgraph.api.graphql.endpoints.endpoint import WebhookEndpointType
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import ids
from shoutgraph.domain.endpoints import Endpoint, EndpointState
from shoutgraph.domain.users import Scope
from shoutgraph.services.endpoints import manage
from shoutgraph.services.endpoints.manage import Wish
from shoutgraph.tools import Done

_MANAGES: Final = (requires(Scope.WEBHOOKS_MANAGE),)
_REVISION: Final = "The revision you read; null gives up the check."
_Changed = (
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.StaleRevisionErrorType
    | errors.ValidationErrorType
)
WebhookEndpointPauseError = Annotated[_Changed, failures_of("webhookEndpointPause")]
WebhookEndpointResumeError = Annotated[_Changed, failures_of("webhookEndpointResume")]
WebhookEndpointDisableError = Annotated[_Changed, failures_of("webhookEndpointDisable")]


@strawberry.input(description="Which endpoint, as it was read.")
class Which:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended effect.")
    webhook_endpoint_id: strawberry.ID = strawberry.field(description="Which endpoint.")
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)


@strawberry.input(description="Input of webhookEndpointPause.")
class WebhookEndpointPauseInput(Which):
    pass


@strawberry.type(description="Result of webhookEndpointPause.")
class WebhookEndpointPausePayload:
    endpoint: WebhookEndpointType | None = mutations.outcome("The endpoint as it is now.")
    replayed: bool = mutations.replayed()
    errors: list[WebhookEndpointPauseError] = mutations.refusals()


@strawberry.input(description="Input of webhookEndpointResume.")
class WebhookEndpointResumeInput(Which):
    pass


@strawberry.type(description="Result of webhookEndpointResume.")
class WebhookEndpointResumePayload:
    endpoint: WebhookEndpointType | None = mutations.outcome("The endpoint as it is now.")
    replayed: bool = mutations.replayed()
    errors: list[WebhookEndpointResumeError] = mutations.refusals()


@strawberry.input(description="Input of webhookEndpointDisable.")
class WebhookEndpointDisableInput(Which):
    pass


@strawberry.type(description="Result of webhookEndpointDisable.")
class WebhookEndpointDisablePayload:
    endpoint: WebhookEndpointType | None = mutations.outcome("The endpoint as it is now.")
    replayed: bool = mutations.replayed()
    errors: list[WebhookEndpointDisableError] = mutations.refusals()


Paused = Annotated[WebhookEndpointPauseInput, strawberry.argument(description="Which endpoint.")]
Resumed = Annotated[WebhookEndpointResumeInput, strawberry.argument(description="Which endpoint.")]
Disabled = Annotated[WebhookEndpointDisableInput, strawberry.argument(description="Which endpoint.")]


@strawberry.type
class WebhookStateMutation:
    @mutations.mutation(description="Tells an endpoint nothing for a while.", directives=_MANAGES)
    async def webhook_endpoint_pause(self, info: Info, input: Paused) -> WebhookEndpointPausePayload | None:
        done = await _put(info, "webhookEndpointPause", input, EndpointState.PAUSED)
        return WebhookEndpointPausePayload(endpoint=WebhookEndpointType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Tells an endpoint again, at once, from where it stood; also one that is disabled.",
        directives=_MANAGES,
    )
    async def webhook_endpoint_resume(self, info: Info, input: Resumed) -> WebhookEndpointResumePayload | None:
        done = await _put(info, "webhookEndpointResume", input, EndpointState.ACTIVE)
        return WebhookEndpointResumePayload(endpoint=WebhookEndpointType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Tells an endpoint no more; webhookEndpointResume undoes it.", directives=_MANAGES)
    async def webhook_endpoint_disable(self, info: Info, input: Disabled) -> WebhookEndpointDisablePayload | None:
        done = await _put(info, "webhookEndpointDisable", input, EndpointState.DISABLED)
        return WebhookEndpointDisablePayload(endpoint=WebhookEndpointType.of(done.value), replayed=done.replayed)


async def _put(info: Info, mutation: str, given: Which, state: EndpointState) -> Done[Endpoint]:
    tools, viewer = info.context.tools, info.context.viewer
    of = ids.parse(ids.ENDPOINT, given.webhook_endpoint_id, path=manage.PATH)
    asked, wish = request_of(viewer, mutation, given), Wish(state=state)
    return await manage.update(tools, viewer, asked, of, wish, expected_revision=given.expected_revision)
