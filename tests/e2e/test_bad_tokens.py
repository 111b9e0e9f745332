"""Tokens that prove nothing: the same refusal on every transport, and never a guest's answer."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import Key, KeySet, OctKey, OKPKey
from joserfc.jws import JWSRegistry
from tests.api.harness import Client, Closed, Socket
from tests.e2e.market import Market
from tests.e2e.shop import Shop, refusal

REGISTRY = JWSRegistry(algorithms=["HS256", "Ed25519"], strict_check_header=False)


def own_key(market: Market) -> Key:
    """The key that the deployment signs with."""
    return KeySet.import_key_set(json.loads((market.folder / "signing-keys.json").read_bytes())).keys[0]


def sign(market: Market, key: Key | None = None, alg: str = "Ed25519", **more: object) -> str:
    """A token as the deployment makes it, except for what is given."""
    own, now = own_key(market), int(time.time())
    claims = {"iss": "shoutgraph", "aud": "shoutgraph", "sub": market.rich_id, "iat": now, "exp": now + 600}
    header = {"alg": alg, "kid": own.kid, "typ": "at+jwt"}
    return jwt.encode(header, claims | more, key or own, algorithms=[alg], registry=REGISTRY)


def unsealed(market: Market, seal: str) -> str:
    """A good token whose header says that it needs no signature."""
    head, body, old = sign(market).split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "==")) | {"alg": "none"}
    return f"{base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip('=')}.{body}.{seal and old}"


def changed(market: Market) -> str:
    """A good token with another person in it."""
    head, body, seal = sign(market).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "==")) | {"sub": market.poor_id}
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.{seal}"


def of_public_key(market: Market) -> str:
    """A token sealed with the public key, in the hope that it is taken for a shared secret."""
    public = json.dumps(own_key(market).as_dict(private=False))
    return sign(market, OctKey.import_key(public), "HS256")


TOKENS: Mapping[str, Callable[[Market], str]] = MappingProxyType(
    {
        "expired": lambda market: sign(market, exp=int(time.time()) - 60),
        "not yet good": lambda market: sign(market, nbf=int(time.time()) + 600),
        "without an end": lambda market: sign(market, exp=None),
        "an end that is no number": lambda market: sign(market, exp="tomorrow"),
        "an endless end": lambda market: sign(market, exp=10**400),
        "of another issuer": lambda market: sign(market, iss="https://id.example"),
        "for another audience": lambda market: sign(market, aud="elsewhere"),
        "of nobody": lambda market: sign(market, sub="user_" + "0" * 26),
        "of a NUL": lambda market: sign(market, sub="\x00"),
        "of a number": lambda market: sign(market, sub=7),
        "of a stranger's key": lambda market: sign(market, OKPKey.generate_key("Ed25519")),
        "an admin of a stranger's key": lambda market: sign(market, OKPKey.generate_key("Ed25519"), role="admin"),
        "of the public key": of_public_key,
        "alg none": lambda market: unsealed(market, ""),
        "alg none with a seal": lambda market: unsealed(market, "kept"),
        "another body": changed,
        "without a seal": lambda market: sign(market).rpartition(".")[0] + ".",
        "garbage": lambda _market: "a.b.c",
        "too long": lambda _market: "x" * 9_000,
        "an API key that nobody made": lambda _market: "sg_apikey_" + "0" * 26 + "_" + "x" * 43,
    }
)


def test_a_token_of_the_same_making_is_good(shop: Shop):
    client = Client(shop.server.url, sign(shop.market))
    assert client.data("{ viewer { user { id } } }")["viewer"]["user"]["id"] == shop.market.rich_id
    client.close()


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_that_proves_nothing_is_refused_on_every_transport(shop: Shop, name: str):
    token = TOKENS[name](shop.market)
    client = Client(shop.server.url, token)
    response = client.post("{ __typename }")
    assert (refusal(response), response.status_code) == ("UNAUTHENTICATED", 401)
    with client.events("subscription { orderEvents { id } }") as stream:
        assert stream.response.status_code == 401
    client.close()
    with Socket(shop.server.socket_url) as wire:
        assert _closing(wire, token) == 4403


def _closing(wire: Socket, token: str) -> int:
    wire.send({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
    try:
        answer: Any = wire.receive()
    except Closed as closed:
        return closed.code
    raise AssertionError(answer)
