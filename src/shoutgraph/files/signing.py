"""Ed25519 keys in a file, as a JSON Web Key Set: the first one signs, and all of them prove.

So a key is changed by putting a new one before it, and a machine that only proves has a file without private parts.
Source: RFC 8032, RFC 8037, RFC 9864.
"""

from pathlib import Path
from typing import Final

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, OKPKey

from shoutgraph.domain.errors import FaultError
from shoutgraph.files import key_files

ALGORITHM: Final = "Ed25519"
KEYS_MAX: Final = 32
FILE_BYTES_MAX: Final = 65_536


class KeyFileError(FaultError):
    """A key file cannot be used; the message says which and why."""


class Signer:
    """Signs bytes with the first of its keys, and proves what any of them signed."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    @property
    def public(self) -> dict[str, object]:
        """The key set without its private parts."""
        return {"keys": [key.as_dict(private=False) for key in self._keys.keys]}

    @property
    def count(self) -> int:
        """How many keys there are."""
        return len(self._keys.keys)

    def sign(self, data: bytes) -> str:
        """The bytes and their signature as a compact JSON Web Signature.

        Raises:
            KeyFileError: the first key can only prove.
        """
        key = self._keys.keys[0]
        if not key.is_private:
            raise KeyFileError("the first key of the file has no private part: it proves, and cannot sign")
        return jws.serialize_compact({"alg": ALGORITHM, "kid": key.kid}, data, key, algorithms=[ALGORITHM])

    def prove(self, signed: str) -> bytes:
        """The bytes that one of the keys signed.

        Raises:
            ValueError: none of them did.
        """
        try:
            return jws.deserialize_compact(signed, self._keys, algorithms=[ALGORITHM]).payload
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"it is not signed by a key of ours ({type(error).__name__})") from None


def open_signer(path: Path) -> Signer:
    """The keys of a file; the first use makes one, whole or not at all.

    Raises:
        KeyFileError: the file holds no key set, or another kind of key.
    """
    if not path.exists():
        _make(path)
    try:
        with path.open("rb") as file:
            entries = orjson.loads(file.read(FILE_BYTES_MAX))["keys"]
        keys: list[Key] = [OKPKey.import_key(entry) for entry in entries[:KEYS_MAX]]
    except (OSError, JoseError, ValueError, TypeError, KeyError) as error:
        raise KeyFileError(f"{path} holds no usable keys: {error}") from None
    if not keys or not all(key.kid and key.as_dict(private=False)["crv"] == ALGORITHM for key in keys):
        raise KeyFileError(f"{path} has to hold {ALGORITHM} keys, each with a kid")
    return Signer(KeySet(keys))


def renew(path: Path) -> str:
    """Puts a new key before those of a file, and gives its name: it signs, and the others still prove.

    Raises:
        KeyFileError: the file holds no usable keys, or as many as it can.
    """
    known = open_signer(path).count
    if known >= KEYS_MAX:
        raise KeyFileError(f"{path} holds {known} keys already; remove the oldest by hand")
    entry = _new_key()
    keys = orjson.loads(path.read_bytes())["keys"]
    key_files.write_over(path, orjson.dumps({"keys": [entry, *keys]}))
    return str(entry["kid"])


def read_public(data: bytes) -> Signer:
    """The keys of a published set, which only prove.

    Raises:
        KeyFileError: it is no key set.
    """
    try:
        return Signer(KeySet([OKPKey.import_key(entry) for entry in orjson.loads(data)["keys"][:KEYS_MAX]]))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise KeyFileError(f"it is no set of keys: {error}") from None


def _make(path: Path) -> None:
    """Writes a new key; a process that comes second keeps the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    key_files.write_once(path, orjson.dumps({"keys": [_new_key()]}))


def _new_key() -> dict[str, object]:
    key = OKPKey.generate_key(ALGORITHM, auto_kid=True)
    return {**key.as_dict(private=True), "use": "sig", "alg": ALGORITHM}
