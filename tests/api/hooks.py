"""Endpoints of webhooks for tables of who may do what: paused ones, at an address where nobody listens."""

from typing import Any, Final

from tests.api.deployment import Deployment

WISH: Final = {"url": "http://127.0.0.1:1/hook", "label": "Nobody's", "eventTypes": ["campaign.changed"]}


def endpoint(to: Deployment) -> str:
    """A paused endpoint; gives its id."""
    made = to.do("admin", "webhookEndpointCreate", "endpoint { id }", **WISH)["endpoint"]["id"]
    to.do("admin", "webhookEndpointPause", "endpoint { id }", webhookEndpointId=made)
    return str(made)


def delivery(to: Deployment, endpoint_id: str) -> str:
    """Something that was sent to it, and did not arrive; gives its id."""
    made = to.do("admin", "webhookTest", "delivery { id }", webhookEndpointId=endpoint_id)
    return str(made["delivery"]["id"])


def replayed(to: Deployment, endpoint_id: str) -> dict[str, Any]:
    """The input of webhookReplay, from where it is."""
    asked = "query ($id: ID!) { node(id: $id) { ... on WebhookEndpoint { place { cursor } } } }"
    found = to.ask("admin", asked, id=endpoint_id)["node"]["place"]
    return {"webhookEndpointId": endpoint_id, "after": found["cursor"]}
