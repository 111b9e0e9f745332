"""What the host lends to one instance: fenced-in HTTP, the time, a clean log, a small cache."""

import asyncio
import functools
import http.cookiejar
import ipaddress
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx

from shoutgraph.plugins import fence, scrubbing
from shoutgraph.sdk import HttpAnswer, NoAnswer, NotSent

ANSWER_BYTES_MAX: Final = 4 * 1_048_576
CONNECT_TIMEOUT_S: Final = 5.0
CONNECTIONS_MAX: Final = 32
CACHED_MAX: Final = 64
"""The most values that one instance keeps."""

LOG_CHARS_MAX: Final = 2000
HTTPS_PORT: Final = 443

_log: Final = logging.getLogger("shoutgraph.plugins")


class FencedHttp:
    """HTTP to a fixed set of hosts: no redirects, no retries, no cookies, no proxies from the environment."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = frozenset(_with_port(each) for each in allowed)
        self._client: httpx.AsyncClient | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that are spoken to, with their ports."""
        return tuple(sorted(self._allowed))

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> HttpAnswer:
        """Sends one request, once.

        Raises:
            NotSent: no connection was made: a proof that nothing happened.
            NoAnswer: the request may have arrived, and no complete answer came back.
        """
        self._require_allowed(url)
        sent = {"accept-encoding": "identity", **(headers or {})}
        try:
            async with self._opened().stream(method, url, headers=sent, content=content) as response:
                body = await _body(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(f"no connection: {type(error).__name__}") from error
        except httpx.HTTPError as error:
            raise NoAnswer(f"no answer: {type(error).__name__}") from error
        names = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(response.status_code, names, body)

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            await self._client.aclose()

    def _require_allowed(self, url: str) -> None:
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, TypeError) as error:
            raise NotSent("not a URL") from error
        secure = parsed.scheme == "https"
        port = parsed.port or (HTTPS_PORT if secure else 80)
        if f"{parsed.host}:{port}" not in self._allowed:
            raise NotSent(f"{parsed.host}:{port} is not among the plugin's api_hosts")
        if not secure and not (parsed.scheme == "http" and _is_loopback(parsed.host)):
            raise NotSent("only loopback is spoken to without TLS")

    def _opened(self) -> httpx.AsyncClient:
        # At the first request, because its connections belong to the running event loop.
        if self._client is None:
            self._client = httpx.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                verify=_trust(),
                limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
                timeout=httpx.Timeout(
                    fence.CALL_TIMEOUT_MAX.total_seconds(), connect=CONNECT_TIMEOUT_S, pool=CONNECT_TIMEOUT_S
                ),
            )
            self._client.cookies.jar.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        return self._client


@dataclass(frozen=True, slots=True)
class _Cached:
    value: str
    fresh_until: float


class InstanceHost:
    """The host as one instance sees it."""

    def __init__(
        self,
        names: fence.Names,
        lent_http: FencedHttp,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        scrubber: scrubbing.Scrubber,
    ) -> None:
        self._names = names
        self._http = lent_http
        self._clock = clock
        self._monotonic = monotonic
        self._scrubber = scrubber
        self._values: dict[str, _Cached] = {}
        self._making = asyncio.Lock()

    @property
    def instance(self) -> str:
        """The name of this instance in the configuration."""
        return self._names.instance

    @property
    def http(self) -> FencedHttp:
        """HTTP to the hosts that the plugin declared."""
        return self._http

    def now(self) -> datetime:
        """The time, aware and in UTC."""
        return self._clock()

    def log(self, event: str, **fields: object) -> None:
        """Writes a line to the log, without secrets."""
        told = " ".join(f"{name}={value!r}" for name, value in fields.items())
        text = self._scrubber.text(f"{event} {told}".strip())[:LOG_CHARS_MAX]
        _log.info("plugin %s, instance %s: %s", self._names.plugin, self._names.instance, text)

    async def cached(self, key: str, ttl: timedelta, make: Callable[[], Awaitable[str]]) -> str:
        """A value that is still fresh, or a new one; it is made by one caller at a time."""
        async with self._making:
            found = self._values.get(key)
            if found is not None and self._monotonic() < found.fresh_until:
                return found.value
            value = await make()
            if key not in self._values and len(self._values) >= CACHED_MAX:
                self._values.pop(next(iter(self._values)))
            self._values[key] = _Cached(value, self._monotonic() + ttl.total_seconds())
            return value


@functools.cache
def _trust() -> ssl.SSLContext:
    # Reading the certificates takes a while, and they are the same for all.
    return ssl.create_default_context()


async def _body(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise NoAnswer("the answer is compressed, which was not asked for")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise NoAnswer("the answer is too large")
    return bytes(body)


def _with_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit():
        return f"{name.strip('[]').lower()}:{port}"
    return f"{host.strip('[]').lower()}:{HTTPS_PORT}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
