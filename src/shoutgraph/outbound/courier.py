"""The courier: carries one message to one address, and lets nobody choose a machine inside of our own network.

A name is resolved once, every address of it is looked at, and the connection goes to the one that was looked at, with
the name in the certificate's check: whoever changes the name meanwhile changes nothing. No redirects, no proxies, no
cookies, no kept connections, and a bound on everything. Source: docs/adr/0022-webhooks-out.md, OWASP API7:2023.
"""

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpx

from shoutgraph.domain import clock, endpoints
from shoutgraph.domain.clock import Clock
from shoutgraph.domain.endpoints import EXCERPT_CHARS_MAX, Answer, Outcome
from shoutgraph.domain.errors import ValidationError

CALL_S: Final = 5.0
"""How long a call takes at the very most, the name's look-up and the answer with it."""
ANSWER_BYTES_MAX: Final = 65_536
"""How much of an answer is read."""
CONNECTIONS_MAX: Final = 100
ADDRESSES_MAX: Final = 32
"""Addresses that one name may have."""
USER_AGENT: Final = "shoutgraph-webhooks/1"
_OK: Final = range(200, 300)
_PORTS: Final = {"http": 80, "https": 443}


class ForbiddenAddressError(Exception):
    """A name leads to where nothing is sent."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What addresses are good, and how long a call may take.

    Args:
        secure: asks for https.
        local: lets this machine itself be one, for tests.
    """

    secure: bool = True
    local: bool = False
    call_s: float = CALL_S

    def allow(self, address: str) -> bool:
        """Whether something may be sent there."""
        return endpoints.is_public(address) or (self.local and address in {"127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message, where it goes, and the secrets that sign it."""

    url: str
    message_id: str
    body: bytes
    secrets: Sequence[bytes] = field(repr=False)


class Courier:
    """Signs and carries messages, for as long as the process lives."""

    def __init__(
        self,
        key: bytes,
        *,
        clock: Clock,
        rules: Rules,
        counted: Callable[[], float] = time.monotonic,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._key = key
        self._clock = clock
        self._counted = counted
        self._rules = rules
        self._trust = trust
        self._transport: httpx.AsyncHTTPTransport | None = None

    def check(self, url: str) -> None:
        """Refuses an address to which nothing could be sent.

        What a name leads to is looked at when something is sent: it may lead elsewhere by then.

        Raises:
            ValidationError: it is none, not secure enough, or an address in a network that nothing is sent to.
        """
        endpoints.check_url(url, secure=self._rules.secure)
        address = _written(urlsplit(url).hostname or "")
        if address is not None and not self._rules.allow(address):
            msg = "Nothing is sent to this address: it is not on the public internet."
            raise ValidationError(msg, code="FORBIDDEN_ADDRESS", path=("input", "url"))

    def secret(self, endpoint_id: str, salt: str) -> bytes:
        """The secret of an endpoint that this salt belongs to."""
        return endpoints.derive(self._key, endpoint_id, salt)

    def headers(self, parcel: Parcel) -> dict[str, str]:
        """What a parcel is sent with, as of now: receivers live in real time."""
        signed = endpoints.sign(parcel.secrets, parcel.message_id, self._clock(), parcel.body)
        return {"content-type": "application/json", "user-agent": USER_AGENT, **signed}

    async def send(self, parcel: Parcel) -> Answer:
        """Sends a message once; whatever happens is an answer."""
        transport = self._transport or await self._open()
        began, response = self._counted(), None
        found, text, wait = Outcome.UNREACHABLE, "", None
        try:
            async with asyncio.timeout(self._rules.call_s):
                response = await self._post(transport, parcel)
                found = Outcome.DELIVERED if response.status_code in _OK else Outcome.REFUSED
                wait = self._retry_after(response)
                text = await _read(response)
        except ForbiddenAddressError as error:
            found, text = Outcome.FORBIDDEN_ADDRESS, str(error)
        except (TimeoutError, httpx.TimeoutException):
            found = Outcome.TIMED_OUT if response is None else found
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ssl.SSLError, ValueError) as error:
            text = text if response is not None else type(error).__name__
        finally:
            if response is not None:
                await response.aclose()
        took = round((self._counted() - began) * 1000)
        return Answer(found, None if response is None else response.status_code, took, _tidy(text), wait)

    async def aclose(self) -> None:
        """Ends what is open."""
        if self._transport is not None:
            await self._transport.aclose()

    async def _post(self, transport: httpx.AsyncHTTPTransport, parcel: Parcel) -> httpx.Response:
        self._rules_hold(parcel.url)
        url = httpx.URL(parcel.url)
        address = await self._resolve(url.host, url.port or _PORTS[url.scheme])
        request = httpx.Request(
            "POST",
            url.copy_with(host=address),
            content=parcel.body,
            headers={
                "host": url.netloc.decode(),
                "accept": "*/*",
                "accept-encoding": "identity",
                **self.headers(parcel),
            },
            extensions={"sni_hostname": url.host, "timeout": httpx.Timeout(self._rules.call_s).as_dict()},
        )
        return await transport.handle_async_request(request)

    def _rules_hold(self, url: str) -> None:
        """Refuses what was stored under milder rules."""
        if self._rules.secure and not url.startswith("https://"):
            raise ForbiddenAddressError("only https")

    async def _resolve(self, host: str, port: int) -> str:
        """The address of a name, once all of its addresses were looked at.

        Raises:
            ForbiddenAddressError: one of them is not on the internet.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))[:ADDRESSES_MAX]
        if not addresses or not all(map(self._rules.allow, addresses)):
            raise ForbiddenAddressError("the name leads into a network that nothing is sent to")
        return addresses[0]

    async def _open(self) -> httpx.AsyncHTTPTransport:
        # reading the trusted certificates takes tenths of a second, which the event loop does not have
        trust = self._trust
        if trust is None:
            trust = await asyncio.to_thread(httpx.create_ssl_context, trust_env=False)
        if self._transport is None:
            # no client above it: that would keep cookies, follow redirects and ask proxies
            limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=0)
            self._transport = httpx.AsyncHTTPTransport(limits=limits, trust_env=False, verify=trust)
        return self._transport

    def _retry_after(self, response: httpx.Response) -> int | None:
        """How many seconds the receiver asks for, in either of the two forms."""
        text = response.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return int(text[:10])
        try:
            at = parsedate_to_datetime(text)
            return max(0, (clock.to_micros(at) - clock.to_micros(self._clock())) // 1_000_000)
        except (ValueError, TypeError):
            return None


def _written(host: str) -> str | None:
    """The address that a host is without asking anybody, in whatever form it is written; None if it is a name."""
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761: never another machine
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(name))  # 127.1, 0x7f000001, 2130706433
    except OSError:
        return None


async def _read(response: httpx.Response) -> str:
    read = bytearray()
    async for chunk in response.aiter_raw(ANSWER_BYTES_MAX):
        read += chunk
        if len(read) >= ANSWER_BYTES_MAX:
            break
    return read[: 4 * EXCERPT_CHARS_MAX].decode(errors="replace")


def _tidy(text: str) -> str:
    shown = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(shown.split())[:EXCERPT_CHARS_MAX]
