"""JSON Web Tokens: those this deployment signs itself, and those of an OpenID Connect provider.

Algorithms are fixed, keys come only from our own set, and every registered claim is checked. A token that is not
good is refused, never taken for none. Source: RFC 7519, RFC 8725 (best current practices), RFC 9864.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSAlgModel, JWSRegistry

from shoutgraph.domain import errors
from shoutgraph.domain.clock import Clock
from shoutgraph.domain.users import ROLES, Principal

logger = logging.getLogger("shoutgraph.api")

ALGORITHMS: Final = ("Ed25519", "EdDSA", "ES256", "RS256")
SIGNING_ALGORITHM: Final = "Ed25519"
TYPES: Final = {"jwt", "at+jwt", "application/at+jwt"}
TOKEN_TYPE: Final = "at+jwt"  # noqa: S105 - a media type, no secret
ISSUER: Final = "shoutgraph"
AUDIENCE: Final = "shoutgraph"
ROLE: Final = "role"

LEEWAY: Final = timedelta(seconds=30)
"""How far two clocks may be apart."""
TTL_MAX: Final = timedelta(days=365)
TOKEN_CHARS_MAX: Final = 8_192
KEYS_MAX: Final = 32
RSA_BITS_MIN: Final = 2_048
SUBJECT_CHARS_MAX: Final = 255
KEY_FILE: Final = "signing-keys.json"


class Issuer(Protocol):
    """Whose tokens are trusted."""

    @property
    def name(self) -> str:
        """The `iss` of its tokens."""

    async def read(self, token: str) -> Principal:
        """Who a token of this issuer speaks for.

        Raises:
            UnauthenticatedError: the token is not good.
        """


class _Registry(JWSRegistry):
    """joserfc's, without its warning at the widely used name `EdDSA`, and open to providers' own headers."""

    def get_alg(self, name: str) -> JWSAlgModel:
        """The algorithm of this name, if it is one of ours."""
        if name not in ALGORITHMS:
            raise JoseError("unsupported_algorithm")
        return self.algorithms[name]


_REGISTRY: Final = _Registry(strict_check_header=False)


def refused(why: str = "The token is not valid.") -> errors.UnauthenticatedError:
    """The one refusal of tokens; the log says more than the client learns."""
    return errors.UnauthenticatedError(why)


def issuer_of(token: str) -> str | None:
    """What a token says of its issuer, unproven: it only chooses whose keys must prove it."""
    try:
        claims = orjson.loads(_part(token, 1))
    except (orjson.JSONDecodeError, ValueError):
        return None
    name = claims.get("iss") if isinstance(claims, dict) else None
    return name if isinstance(name, str) else None


def kid_of(token: str) -> str | None:
    """Which key a token names, unproven."""
    try:
        header = orjson.loads(_part(token, 0))
    except (orjson.JSONDecodeError, ValueError):
        return None
    kid = header.get("kid") if isinstance(header, dict) else None
    return kid if isinstance(kid, str) else None
