"""What was sent to endpoints, and sending one a message that tells of nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shoutgraph.domain import endpoints as rules, ids, pages
from shoutgraph.domain.endpoints import Attempt, Delivery, DeliveryState
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.outbound.courier import Parcel
from shoutgraph.services.endpoints import deliver, manage
from shoutgraph.storage import audit, deliveries, endpoints as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


@dataclass(frozen=True, slots=True)
class Listing:
    """Which deliveries: all the given conditions together."""

    endpoint_id: str | None = None
    state: DeliveryState | None = None

    @property
    def scope(self) -> str:
        """Names the list, so that a cursor of another one is refused."""
        return pages.scope_of("webhook deliveries", self.endpoint_id, self.state)


@dataclass(frozen=True, slots=True)
class Tried:
    """A message as it is or would be sent, and the delivery where it was."""

    url: str
    headers: Mapping[str, str]
    body: str
    delivery: Delivery | None


async def page(tools: Tools, viewer: Viewer, listing: Listing, args: PageArgs) -> Page[Delivery]:
    """A page of deliveries, the newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage webhooks.
    """
    viewer.require(Scope.WEBHOOKS_MANAGE)
    given = {"endpoint_id": listing.endpoint_id, "state": listing.state}
    found = await tools.store.read(lambda tx: deliveries.list_of_page(tx, args, **given))  # type: ignore[arg-type]
    return pages.cut(found, args, scope=listing.scope, key_of=lambda each: (each.id,))


async def list_by_id(tools: Tools, viewer: Viewer, delivery_ids: Sequence[str]) -> list[Delivery | None]:
    """Deliveries in the order asked, None where the viewer may not see them."""
    if not viewer.has(Scope.WEBHOOKS_MANAGE):
        return [None] * len(delivery_ids)
    return await tools.store.read(lambda tx: deliveries.list_of(tx, delivery_ids))


async def attempts_of(tools: Tools, viewer: Viewer, of: Sequence[Delivery]) -> list[tuple[Attempt, ...]]:
    """The newest attempts of deliveries, in the order asked.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage webhooks.
    """
    viewer.require(Scope.WEBHOOKS_MANAGE)
    found = await tools.store.read(lambda tx: deliveries.attempts_of(tx, [each.id for each in of]))
    return [found.get(each.id, ()) for each in of]


async def test(tools: Tools, viewer: Viewer, endpoint_id: str, *, dry_run: bool) -> Tried:
    """Sends an endpoint a message that tells of nothing, whatever its state; or only says what would be sent.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage webhooks.
        NotFoundError: there is no such endpoint.
        ProviderUnavailableError: this process sends no webhooks.
    """
    viewer.require(Scope.WEBHOOKS_MANAGE)
    courier, now, event_id = manage.courier_of(tools), tools.clock(), tools.new_id(ids.EVENT)
    endpoint, kept = await tools.store.read(
        lambda tx: (rows.get(tx, endpoint_id), rows.secrets_of(tx, [endpoint_id], now=now))
    )
    secrets = deliver.secrets_for(courier, kept.get(endpoint_id, ()))
    parcel = Parcel(endpoint.url, event_id, rules.test_message(endpoint.id, event_id, now), secrets)
    headers = courier.headers(parcel)
    if dry_run:
        return Tried(endpoint.url, headers, parcel.body.decode(), None)
    answer = await courier.send(parcel)
    state = DeliveryState.FAILED
    first = Delivery("", endpoint.id, event_id, rules.TEST_TYPE, None, state, 1, now, now)

    def work(tx: Tx) -> Delivery:
        delivery = deliveries.record(tx, *deliver.attempted(tools, first, answer, tx.now))
        audit.note(tx, endpoint.id, {"tested": None}, {"tested": answer.outcome.value})
        return delivery

    delivery = await tools.store.write(work)
    return Tried(endpoint.url, headers, parcel.body.decode(), delivery)
