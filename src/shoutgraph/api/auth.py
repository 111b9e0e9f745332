"""Who asks: makes a viewer of the value of an `Authorization` header, the same for every transport."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.api import tokens
from shoutgraph.api.tokens import Issuer
from shoutgraph.domain import api_keys
from shoutgraph.domain.clock import Clock
from shoutgraph.domain.users import ANONYMOUS, Principal, Viewer

REMEMBERED_MAX: Final = 10_000
"""Tokens that need no second proof."""
KEY_TRUST: Final = timedelta(seconds=10)
"""How long a proven API key is good before it is asked for again, and so how soon a revocation is felt."""

Identify = Callable[[Principal], Awaitable[Viewer]]
"""Finds the user behind a principal.

Raises:
    UnauthenticatedError: there is none.
"""

ProveKey = Callable[[str, str], Awaitable[Principal]]
"""Who an API key speaks for, by its id and its secret.

Raises:
    UnauthenticatedError: there is no such key, the secret is wrong, or the key was revoked.
"""


class Doorkeeper:
    """Proves credentials once, and remembers who they are for as long as they are good."""

    def __init__(
        self, *, issuers: Sequence[Issuer], identify: Identify, clock: Clock, prove_key: ProveKey | None = None
    ) -> None:
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._identify = identify
        self._prove_key = prove_key
        self._clock = clock
        self._proven: OrderedDict[str, tuple[Principal, datetime]] = OrderedDict()

    async def __call__(self, authorization: str | None) -> Viewer:
        """The viewer behind a header's value; anonymous only where there is no header.

        Raises:
            UnauthenticatedError: the credentials are not good.
        """
        if authorization is None:
            return ANONYMOUS
        scheme, _, credential = authorization.partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not credential or len(credential) > tokens.TOKEN_CHARS_MAX:
            raise tokens.refused("Send Authorization: Bearer and a token or an API key.")
        return await self._identify(await self._principal_of(credential))

    async def _principal_of(self, credential: str) -> Principal:
        known = self._proven.get(credential)
        if known is not None and self._clock() < known[1]:
            self._proven.move_to_end(credential)
            return known[0]
        self._proven.pop(credential, None)
        principal, until = await self._prove(credential)
        self._proven[credential] = (principal, until)
        if len(self._proven) > REMEMBERED_MAX:
            self._proven.popitem(last=False)
        return principal

    async def _prove(self, credential: str) -> tuple[Principal, datetime]:
        if credential.startswith(api_keys.MARK):
            parts = api_keys.read(credential)
            if parts is None or self._prove_key is None:
                raise tokens.refused()
            return await self._prove_key(*parts), self._clock() + KEY_TRUST
        name, _kid = tokens.peek(credential)
        issuer = self._issuers.get(name or "")
        if issuer is None:
            raise tokens.refused()
        principal = await issuer.read(credential)
        assert principal.expires_at is not None, "a good token expires"
        return principal, principal.expires_at
