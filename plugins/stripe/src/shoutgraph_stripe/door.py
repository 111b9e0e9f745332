"""Stripe's own library over the host's HTTP, so that the fence around it holds: hosts, deadline, no redirect, no retry.

What is no answer of Stripe's API (a page of a proxy, half a body, a rate limit, a failure) is told apart here, before
the library sees it: it would put such a body into its exceptions and its log, or stumble over it.
"""

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

import stripe

from shoutgraph.sdk import Host, Http, HttpAnswer, retry_after
from shoutgraph_stripe.config import API_VERSION, StripeConfig


class DoorError(Exception):
    """There was an answer, and it is none of the API's."""


class RateLimitedError(DoorError):
    """Stripe turned the request away at the door: nothing was done."""

    def __init__(self, retry_after: timedelta | None) -> None:
        super().__init__("rate limited")
        self.retry_after: Final = retry_after


class FailedError(DoorError):
    """Stripe failed while it worked on the request: nobody knows what was done."""


class UnreadableError(DoorError):
    """Nobody can tell what the answer means."""


class HostHttp(stripe.HTTPClient):
    """The host's HTTP in the shape that Stripe's library asks for."""

    name = "shoutgraph"

    def __init__(self, http: Http) -> None:
        super().__init__()
        self._http = http

    async def request_async(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,  # noqa: ANN401 -- as the library has it: a form, which is text
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Sends one request, once.

        Raises:
            RateLimitedError: it was turned away.
            FailedError: Stripe failed.
            UnreadableError: the answer is none.
        """
        content = None if post_data is None else str(post_data).encode()
        answer = await self._http.request(method.upper(), url, headers=headers, content=content)
        _require_answer(answer)
        return answer.body, answer.status, answer.headers

    async def close_async(self) -> None:
        """Holds nothing: the connections are the host's."""


def client(config: StripeConfig, host: Host) -> stripe.StripeClient:
    """Stripe's library for one instance: pinned to one version of the API, and never trying twice."""
    # Else the library keeps an id of this machine in a file, and sends it along with how long the last call took.
    stripe.enable_telemetry = False
    # Its lines tell every request, and at the lowest level whole bodies with names and addresses of fans.
    log = logging.getLogger("stripe")
    if log.level == logging.NOTSET:
        log.setLevel(logging.WARNING)
    return stripe.StripeClient(
        config.secret_key.get_secret_value(),
        stripe_version=API_VERSION,
        base_addresses={"api": config.base_url},
        max_network_retries=0,
        http_client=HostHttp(host.http),
    )


async def listed(api: stripe.StripeClient, path: str, wanted: Mapping[str, Any]) -> stripe.StripeResponse:
    """A page of objects as it came over the wire: see `wire.Answer`."""
    page: stripe.StripeResponse = await api.raw_request_async("get", path, **wanted)
    return page


def _require_answer(answer: HttpAnswer) -> None:
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimitedError(retry_after(answer.headers))
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise FailedError
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise UnreadableError from None
    fine = HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
    refused = answer.status >= HTTPStatus.BAD_REQUEST and isinstance(body, dict) and isinstance(body.get("error"), dict)
    if not isinstance(body, dict) or not (fine or refused):
        raise UnreadableError
