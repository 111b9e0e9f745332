"""JSON Web Tokens: what makes one good, and the issuer that signs this deployment's own.

Algorithms are fixed, keys come only from our own sets, and every registered claim is checked. A token that is not
good is refused, never taken for none. Source: RFC 7519, RFC 8725 (best current practices), RFC 9864.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from shoutgraph.domain import errors
from shoutgraph.domain.clock import Clock
from shoutgraph.domain.users import ROLES, Principal
from shoutgraph.files import key_files

logger = logging.getLogger("shoutgraph.api")

ALGORITHMS: Final = ("Ed25519", "EdDSA", "ES256", "RS256")
SIGNING_ALGORITHM: Final = "Ed25519"
TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
ISSUER: Final = "shoutgraph"
AUDIENCE: Final = "shoutgraph"
ROLE_CLAIM: Final = "role"

LEEWAY: Final = timedelta(seconds=30)
"""How far two clocks may be apart."""
TTL_MAX: Final = timedelta(days=366)
TOKEN_CHARS_MAX: Final = 8_192
SUBJECT_CHARS_MAX: Final = 255
KEYS_MAX: Final = 32
RSA_BITS_MIN: Final = 2_048
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


def refused(why: str = "The token is not valid.") -> errors.UnauthenticatedError:
    """The refusal of a token; a client learns only whether it has expired."""
    return errors.UnauthenticatedError(why)


def peek(token: str) -> tuple[str | None, str | None]:
    """The issuer and the key id that a token names, unproven: they only choose whose keys must prove it."""
    try:
        parts = jws.extract_compact(token.encode("ascii"), registry=_REGISTRY)
        claims = orjson.loads(parts.payload)
        issuer, kid = claims.get("iss"), parts.headers().get("kid")
    except (JoseError, ValueError, AttributeError, RecursionError):
        return None, None
    return issuer if isinstance(issuer, str) else None, kid if isinstance(kid, str) else None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a good token says. `local` is for tokens of our own, whose subjects are our ids."""

    issuer: str
    audience: str
    role_claim: str
    clock: Clock
    local: bool = False

    def prove(self, token: str, keys: KeySet) -> Principal:
        """Who a token speaks for.

        Raises:
            UnauthenticatedError: its signature, its type or one of its claims is not good.
        """
        now = int(self.clock().timestamp())
        claims_rules = jwt.JWTClaimsRegistry(
            now,
            int(LEEWAY.total_seconds()),
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            proven = jwt.decode(token, keys, algorithms=ALGORITHMS, registry=_REGISTRY)
            claims_rules.validate(proven.claims)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            logger.info("a token of %s was refused: %s", self.issuer, type(error).__name__)
            expired = type(error).__name__ == "ExpiredTokenError"
            raise refused("The token has expired." if expired else "The token is not valid.") from None
        kind = str(proven.header.get("typ", "jwt")).lower()
        if kind not in TYPES or not 0 < len(proven.claims["sub"]) <= SUBJECT_CHARS_MAX:
            raise refused()
        return self._principal_of(proven.claims)

    def _principal_of(self, claims: dict[str, Any]) -> Principal:
        role = claims.get(self.role_claim)
        address = claims.get("address")
        country = claims.get("country") or (address.get("country") if isinstance(address, dict) else None)
        try:
            expires_at = datetime.fromtimestamp(claims["exp"], UTC) + LEEWAY
            issued_at = datetime.fromtimestamp(claims["iat"], UTC)
        except (OverflowError, ValueError, OSError):
            raise refused() from None
        return Principal(
            subject=claims["sub"],
            issuer=None if self.local else self.issuer,
            scopes=ROLES.get(role, frozenset()) if isinstance(role, str) else frozenset(),
            expires_at=expires_at,
            issued_at=issued_at,
            display_name=_text(claims.get("name")),
            country=_text(country),
            birth_date=_text(claims.get("birthdate")),
        )


def read_keys(data: bytes) -> KeySet:
    """The keys of a JSON Web Key Set that may prove a token: no shared secrets, no weak ones.

    Raises:
        ValueError: this is no key set.
    """
    try:
        entries = orjson.loads(data)["keys"][:KEYS_MAX]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise ValueError("this is no JSON Web Key Set") from None
    keys: list[Key] = []
    for entry in entries:
        try:
            key = JWKRegistry.import_key(entry)
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # sets may hold keys of kinds that are not ours
        weak = isinstance(key, RSAKey) and key.public_key.key_size < RSA_BITS_MIN
        if not isinstance(key, OctKey) and not weak and entry.get("use", "sig") == "sig" and entry.get("kid"):
            keys.append(key)
    return KeySet(keys)


class LocalIssuer:
    """Signs and proves this deployment's own tokens with the keys of a file."""

    def __init__(self, keys: KeySet, *, audience: str = AUDIENCE, clock: Clock) -> None:
        self._keys = keys
        self._rules = Rules(ISSUER, audience, ROLE_CLAIM, clock, local=True)
        self._clock = clock

    @property
    def name(self) -> str:
        """The `iss` of its tokens."""
        return ISSUER

    async def read(self, token: str) -> Principal:
        """Who a token speaks for.

        Raises:
            UnauthenticatedError: the token is not good.
        """
        return self._rules.prove(token, self._keys)

    def issue(self, subject: str, *, role: str = "user", ttl: timedelta) -> str:
        """A token for a user's id, or for a tool's name with the role of one.

        Raises:
            ValidationError: the role is not known, or the time is too short or too long.
        """
        if role not in ROLES:
            raise errors.ValidationError(f"A role is one of {', '.join(ROLES)}.", path=("role",))
        if not timedelta(0) < ttl <= TTL_MAX:
            raise errors.ValidationError(f"A token lasts at most {TTL_MAX.days} days.", path=("ttl",))
        now = int(self._clock().timestamp())
        key = self._keys.keys[0]
        header = {"alg": SIGNING_ALGORITHM, "kid": key.kid, "typ": "at+jwt"}
        claims = {
            "iss": ISSUER,
            "aud": self._rules.audience,
            "sub": subject,
            "iat": now,
            "exp": now + int(ttl.total_seconds()),
            ROLE_CLAIM: role,
        }
        return jwt.encode(header, claims, key, algorithms=[SIGNING_ALGORITHM], registry=_REGISTRY)


def open_local(folder: Path, *, audience: str = AUDIENCE, clock: Clock) -> LocalIssuer:
    """The issuer whose keys are in this folder; the first use makes one.

    The first key of the file signs and all of them prove, so a key is changed by putting a new one before it.
    """
    path = folder / KEY_FILE
    if not path.exists():
        _make_keys(path)
    return LocalIssuer(read_keys(path.read_bytes()), audience=audience, clock=clock)


def _make_keys(path: Path) -> None:
    """Writes a new key whole or not at all; a process that comes second keeps the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    key = OKPKey.generate_key("Ed25519", auto_kid=True)
    entry = {**key.as_dict(private=True), "use": "sig", "alg": SIGNING_ALGORITHM}
    if not key_files.write_once(path, orjson.dumps({"keys": [entry]})):
        logger.info("another process has made the signing key")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


class _Registry(JWSRegistry):
    """joserfc's, without its warning at the widely used name `EdDSA`, and open to providers' own headers."""

    def get_alg(self, name: str) -> Any:  # noqa: ANN401 - the library does not export its class
        """The algorithm of this name, if it is one of ours."""
        if name not in ALGORITHMS:
            raise JoseError(f"{name[:SUBJECT_CHARS_MAX]} is not allowed")
        return self.algorithms[name]


_REGISTRY: Final = _Registry(strict_check_header=False)
