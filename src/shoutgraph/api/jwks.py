"""The issuer that stands for an OpenID Connect provider: its public keys are fetched, kept, and fetched again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx
from joserfc.jwk import KeySet

from shoutgraph.api import tokens
from shoutgraph.domain.clock import Clock
from shoutgraph.domain.users import Principal

logger = logging.getLogger("shoutgraph.api")

KEYS_BYTES_MAX: Final = 64 * 1024
FETCH_S: Final = 5.0
FRESH: Final = timedelta(hours=1)
"""How long keys are used before they are fetched again; the old ones serve on while that fails."""
PAUSE: Final = timedelta(seconds=60)
"""The least time between two fetches, so that made-up key ids cannot make us flood the provider."""

Fetch = Callable[[str], Awaitable[bytes]]
"""Gets the bytes behind an address.

Raises:
    OSError: it cannot be had now.
"""


class RemoteIssuer:
    """Proves the tokens of a provider."""

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        jwks_url: str,
        clock: Clock,
        role_claim: str = tokens.ROLE_CLAIM,
        fetch: Fetch | None = None,
    ) -> None:
        parts = urlsplit(jwks_url)
        if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError("the keys of a provider are fetched by https")
        self._rules = tokens.Rules(issuer, audience, role_claim, clock)
        self._url = jwks_url
        self._clock = clock
        self._fetch = fetch or fetch_keys
        self._keys = KeySet([])
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._lock = asyncio.Lock()

    @property
    def name(self) -> str:
        """The `iss` of its tokens."""
        return self._rules.issuer

    async def read(self, token: str) -> Principal:
        """Who a token speaks for.

        Raises:
            UnauthenticatedError: the token is not good, or names a key that the provider does not publish.
        """
        _issuer, kid = tokens.peek(token)
        if kid is None:
            raise tokens.refused()
        if self._stale(kid):
            async with self._lock:
                if self._stale(kid):
                    await self._refresh()
        if not self._has(kid):
            raise tokens.refused()
        return self._rules.prove(token, self._keys)

    def _has(self, kid: str) -> bool:
        return any(key.kid == kid for key in self._keys.keys)

    def _stale(self, kid: str) -> bool:
        now = self._clock()
        if self._tried_at is not None and now - self._tried_at < PAUSE:
            return False
        return self._fetched_at is None or now - self._fetched_at > FRESH or not self._has(kid)

    async def _refresh(self) -> None:
        self._tried_at = self._clock()
        try:
            self._keys = tokens.read_keys(await self._fetch(self._url))
        except (OSError, ValueError) as error:
            logger.warning("the keys of %s cannot be had: %s", self.name, error)
        else:
            self._fetched_at = self._tried_at


async def fetch_keys(url: str) -> bytes:
    """Gets a key set within its limits of size and time.

    Raises:
        OSError: the provider does not answer with one.
    """
    try:
        async with asyncio.timeout(FETCH_S), httpx.AsyncClient(timeout=FETCH_S, trust_env=False) as client:
            return await _get(client, url)
    except (httpx.HTTPError, TimeoutError) as error:
        raise OSError(str(error) or type(error).__name__) from error


async def _get(client: httpx.AsyncClient, url: str) -> bytes:
    async with client.stream("GET", url, headers={"accept": "application/json"}) as response:
        response.raise_for_status()
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > KEYS_BYTES_MAX:
                raise OSError("the key set is too long")
        return body
