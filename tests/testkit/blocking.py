# ruff: noqa: ARG002 -- protocols name their arguments
"""The same plugin with a vendor library that blocks: every method is sync, and runs on the host's threads."""

import http.client
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from tests.testkit import good

from shoutgraph.sdk import Call, HttpAnswer, NoAnswer, NotSent, Observation, RefundRequest, Target, TopUpRequest


def now(work: Any) -> Any:
    """What an awaitable gives that awaits nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("nothing of it waits")


class Vendor:
    """A library that blocks."""

    def __init__(self, timeouts: Any) -> None:
        self.timeouts = timeouts

    async def request(self, method: str, url: str, *, headers: Any = None, content: Any = None) -> HttpAnswer:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=self.timeouts.seconds)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise NotSent("no connection") from error
            try:
                connection.request(method, url.removeprefix(f"http://{parts.netloc}"), content, headers)
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                raise NoAnswer("no answer") from error
            return HttpAnswer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)
        finally:
            connection.close()


class BlockingTopUps:
    """Wraps the provider; its time limits come from the call."""

    def __init__(self, config: good.Config, host: Any) -> None:
        self.timeouts = threading.local()
        self.inner = good.TopUps(config, host)
        vendor = Vendor(self.timeouts)
        self.inner.request = lambda method, url, headers, content: vendor.request(  # type: ignore[method-assign]
            method, url, headers=headers, content=content
        )

    def limit(self, timeout: timedelta) -> None:
        self.timeouts.seconds = timeout.total_seconds()

    def create(self, request: TopUpRequest) -> Any:
        self.limit(request.call.timeout)
        return now(self.inner.create(request))

    def fetch(self, target: Target, call: Call) -> Observation:
        self.limit(call.timeout)
        return now(self.inner.fetch(target, call))

    def refund(self, request: RefundRequest) -> Any:
        self.limit(request.call.timeout)
        return now(self.inner.refund(request))

    def cancel(self, target: Target, call: Call) -> Any:
        self.limit(call.timeout)
        return now(self.inner.cancel(target, call))

    def receive(self, raw: Any) -> Any:
        return self.inner.receive(raw)

    def close(self) -> None:
        pass


class NeverEnds(BlockingTopUps):
    """Waits much longer than it may."""

    def limit(self, timeout: timedelta) -> None:
        self.timeouts.seconds = 2


def threaded(provider: type = BlockingTopUps) -> Any:
    return good.topup(provider, threaded=True)
