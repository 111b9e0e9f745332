"""Tokens and keys: what is proven, what is refused, and the same answer on every transport."""

import asyncio
import base64
import hmac
import json
import stat
import threading
from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import example, given, strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from tests.api.harness import Client, Socket, serving
from tests.api.sample import World, transport_of

from shoutgraph.api import auth, jwks, tokens
from shoutgraph.api.auth import Doorkeeper
from shoutgraph.api.http import build_asgi
from shoutgraph.api.jwks import RemoteIssuer
from shoutgraph.api.tokens import LocalIssuer
from shoutgraph.domain import errors
from shoutgraph.domain.ids import UserId
from shoutgraph.domain.users import ANONYMOUS, Principal, Scope, Viewer

T = TypeVar("T")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
USER = "user_" + "0" * 26
HOUR = timedelta(hours=1)
ISSUER = "https://id.example"
NOON_S = int(NOON.timestamp())


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def local(tmp_path: Path, clock: Clock) -> LocalIssuer:
    return tokens.open_local(tmp_path, clock=clock)


async def identify(principal: Principal) -> Viewer:
    if principal.subject == "nobody":
        raise errors.UnauthenticatedError("The token names no user.")
    return Viewer(UserId(principal.subject), scopes=principal.scopes, principal=principal.subject)


@pytest.fixture
def door(local: LocalIssuer, clock: Clock) -> Doorkeeper:
    return Doorkeeper(issuers=[local], identify=identify, clock=clock)


def run(work: Awaitable[T]) -> T:
    async def wait() -> T:
        return await work

    return asyncio.run(wait())


def refusal(work: Awaitable[object]) -> str:
    with pytest.raises(errors.UnauthenticatedError) as refused:
        run(work)
    return refused.value.message


def test_nobody_is_anonymous(door: Doorkeeper) -> None:
    assert run(door(None)) is ANONYMOUS


def test_a_token_of_our_own_says_who_asks(door: Doorkeeper, local: LocalIssuer) -> None:
    viewer = run(door(f"Bearer {local.issue(USER, ttl=HOUR)}"))
    assert (viewer.user_id, viewer.scopes) == (USER, frozenset())
    viewer = run(door(f"bearer  {local.issue(USER, role='finance', ttl=HOUR)} "))
    assert viewer.has(Scope.FINANCE_MANAGE)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "token",
        "Bearer a.b.c",
        "Bearer " + "x" * 9_000,
        "Bearer sg_x",
        "Bearer \u00e9.\u00e9.\u00e9",
    ],
)
def test_another_header_is_refused_and_not_taken_for_none(door: Doorkeeper, header: str) -> None:
    refusal(door(header))


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
@example("eyJhbGciOiJub25lIn0.eyJpc3MiOiJzaG91dGdyYXBoIn0.")
@example("." * 20)
def test_no_text_breaks_the_door(text: str) -> None:
    issuer = LocalIssuer(KeySet([OKPKey.generate_key("Ed25519", auto_kid=True)]), clock=Clock())
    door = Doorkeeper(issuers=[issuer], identify=identify, clock=Clock())
    for credential in (text, f"{text}.{text}.{text}"):
        with pytest.raises(errors.UnauthenticatedError):
            run(door(f"Bearer {credential}"))


def test_a_token_expires_after_the_leeway(door: Doorkeeper, local: LocalIssuer, clock: Clock) -> None:
    header = f"Bearer {local.issue(USER, ttl=HOUR)}"
    clock.now = NOON + HOUR + timedelta(seconds=29)
    run(door(header))
    clock.now = NOON + HOUR + timedelta(seconds=31)
    assert refusal(door(header)) == "The token has expired."


def test_a_token_that_was_proven_is_not_proven_again(
    door: Doorkeeper, local: LocalIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = f"Bearer {local.issue(USER, ttl=HOUR)}"
    run(door(header))
    monkeypatch.setattr(jwt, "decode", None)
    run(door(header))


def test_proven_tokens_are_remembered_within_a_bound(
    door: Doorkeeper, local: LocalIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "REMEMBERED_MAX", 2)
    for number in range(5):
        run(door(f"Bearer {local.issue(f'user_{number}', ttl=HOUR)}"))
    assert len(door._proven) == 2


def test_a_token_without_its_user_is_refused(door: Doorkeeper, local: LocalIssuer) -> None:
    refusal(door(f"Bearer {local.issue('nobody', ttl=HOUR)}"))


@pytest.mark.parametrize(("role", "ttl"), [("king", HOUR), ("user", timedelta(0)), ("user", timedelta(days=400))])
def test_strange_tokens_are_not_issued(local: LocalIssuer, role: str, ttl: timedelta) -> None:
    with pytest.raises(errors.ValidationError):
        local.issue(USER, role=role, ttl=ttl)


def test_the_signing_key_is_made_once_and_is_private(tmp_path: Path, clock: Clock) -> None:
    folder = tmp_path / "data"
    header = f"Bearer {tokens.open_local(folder, clock=clock).issue(USER, ttl=HOUR)}"
    again = Doorkeeper(issuers=[tokens.open_local(folder, clock=clock)], identify=identify, clock=clock)
    assert run(again(header)).user_id == USER
    assert stat.S_IMODE((folder / tokens.KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [tokens.KEY_FILE]


def test_a_new_signing_key_leaves_older_tokens_good(tmp_path: Path, clock: Clock) -> None:
    old = tokens.open_local(tmp_path, clock=clock).issue(USER, ttl=HOUR)
    path = tmp_path / tokens.KEY_FILE
    fresh = OKPKey.generate_key("Ed25519", auto_kid=True).as_dict(private=True)
    path.write_text(json.dumps({"keys": [fresh, *json.loads(path.read_text())["keys"]]}))
    issuer = tokens.open_local(tmp_path, clock=clock)
    for token in (old, issuer.issue(USER, ttl=HOUR)):
        assert run(issuer.read(token)).subject == USER
    assert tokens.peek(issuer.issue(USER, ttl=HOUR))[1] == fresh["kid"]


class Provider:
    """An OpenID Connect provider that publishes keys on a real socket."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.status = 200
        self.body: bytes | None = None
        self.requests = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.requests += 1
                body = provider.body or json.dumps({"keys": provider.keys}).encode()
                self.send_response(provider.status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"

    def publish(self, key: Key, **changes: object) -> None:
        self.keys.append({**key.as_dict(private=False), "kid": key.kid, **changes})


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()
    thread.join()


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.keys, running.status, running.body, running.requests = [], 200, None, 0
    return running


EC = ECKey.generate_key("P-256", auto_kid=True)
RSA = RSAKey.generate_key(2048, auto_kid=True)
ED = OKPKey.generate_key("Ed25519", auto_kid=True)


def remote(provider: Provider, clock: Clock) -> RemoteIssuer:
    return RemoteIssuer(issuer=ISSUER, audience="shoutgraph", jwks_url=provider.url, clock=clock)


def sign(key: Key, alg: str, *, header: dict[str, object] | None = None, **claims: object) -> str:
    """A token of the provider; None takes a claim or a header away."""
    said = {"iss": ISSUER, "aud": "shoutgraph", "sub": "jane", "iat": NOON_S, "exp": NOON_S + 600} | claims
    head = {"alg": alg, "kid": key.kid, "typ": "JWT"} | (header or {})
    parts = [{name: value for name, value in part.items() if value is not None} for part in (head, said)]
    signed = ".".join(encode(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{encode(JWSRegistry.algorithms[alg].sign(signed.encode(), key))}"


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize(("key", "alg"), [(EC, "ES256"), (RSA, "RS256"), (ED, "EdDSA"), (ED, "Ed25519")])
def test_a_providers_token_says_who_asks(provider: Provider, clock: Clock, key: Key, alg: str) -> None:
    provider.publish(key)
    principal = run(
        remote(provider, clock).read(sign(key, alg, role="moderator", name="Jane", address={"country": "DE"}))
    )
    assert principal == Principal(
        subject="jane",
        issuer=ISSUER,
        scopes=frozenset({Scope.ORDERS_READ, Scope.MODERATION}),
        expires_at=NOON + timedelta(seconds=630),
        issued_at=NOON,
        display_name="Jane",
        country="DE",
    )


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({}, {"iss": "https://evil.example"}),
        ({}, {"iss": None}),
        ({}, {"aud": "another"}),
        ({}, {"aud": ["another", "third"]}),
        ({}, {"aud": None}),
        ({}, {"aud": 7}),
        ({}, {"exp": NOON_S - 31}),
        ({}, {"exp": None}),
        ({}, {"exp": "tomorrow"}),
        ({}, {"exp": 10**30}),
        ({}, {"iat": NOON_S + 60}),
        ({}, {"iat": None}),
        ({}, {"nbf": NOON_S + 60}),
        ({}, {"sub": None}),
        ({}, {"sub": ""}),
        ({}, {"sub": 7}),
        ({}, {"sub": "x" * 256}),
        ({"typ": "logout+jwt"}, {}),
        ({"typ": 7}, {}),
        ({"kid": None}, {}),
        ({"kid": "another"}, {}),
        ({"crit": ["b64"], "b64": False}, {}),
    ],
)
def test_a_token_with_a_wrong_word_is_refused(
    provider: Provider, clock: Clock, header: dict[str, object], claims: dict[str, object]
) -> None:
    provider.publish(EC)
    refusal(remote(provider, clock).read(sign(EC, "ES256", header=header, **claims)))


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"typ": None}, {}),
        ({"typ": "AT+JWT"}, {}),
        ({"x5t": "abc", "nonce": "n"}, {}),
        ({}, {"aud": ["another", "shoutgraph"]}),
        ({}, {"nbf": NOON_S + 20, "iat": NOON_S + 20}),
        ({}, {"exp": NOON_S - 20}),
        ({}, {"role": "king"}),
        ({}, {"role": ["admin"]}),
    ],
)
def test_what_providers_vary_is_accepted_and_grants_nothing(
    provider: Provider, clock: Clock, header: dict[str, object], claims: dict[str, object]
) -> None:
    provider.publish(EC)
    principal = run(remote(provider, clock).read(sign(EC, "ES256", header=header, **claims)))
    assert (principal.subject, principal.scopes) == ("jane", frozenset())


def test_the_algorithm_is_not_the_tokens_choice(provider: Provider, clock: Clock) -> None:
    provider.publish(RSA)
    signed, _dot, _signature = sign(RSA, "RS256", header={"alg": "HS256"}).rpartition(".")
    proof = hmac.digest(RSA.as_pem(private=False), signed.encode(), "sha256")
    refusal(remote(provider, clock).read(f"{signed}.{encode(proof)}"))
    refusal(remote(provider, clock).read(sign(RSA, "PS256")))
    head, body, _signature = sign(RSA, "RS256").split(".")
    none = encode(json.dumps({"alg": "none", "kid": RSA.kid}).encode())
    for token in (f"{none}.{body}.", f"{none}.{body}.AAAA", f"{head}.{body}.", f"{head}.{body}.AAAA"):
        refusal(remote(provider, clock).read(token))


def test_a_key_inside_the_token_is_not_used(provider: Provider, clock: Clock) -> None:
    provider.publish(EC)
    mine = ECKey.generate_key("P-256", parameters={"kid": str(EC.kid)})
    forged = sign(mine, "ES256", header={"jwk": mine.as_dict(private=False), "jku": "https://evil.example/jwks"})
    refusal(remote(provider, clock).read(forged))


def test_weak_secret_and_foreign_keys_of_a_provider_are_left_out(provider: Provider, clock: Clock) -> None:
    secret = OctKey.generate_key(256, auto_kid=True)
    provider.keys += [{**secret.as_dict(private=True), "kid": secret.kid}, {"kty": "new"}, {"kid": "x"}]
    provider.publish(EC, use="enc")
    provider.publish(ED)
    keys = tokens.read_keys(json.dumps({"keys": provider.keys}).encode())
    assert [key.kid for key in keys.keys] == [ED.kid]
    refusal(remote(provider, clock).read(sign(EC, "ES256")))


def test_a_new_key_is_fetched_but_not_in_a_flood(provider: Provider, clock: Clock) -> None:
    provider.publish(EC)
    issuer = remote(provider, clock)
    run(issuer.read(sign(EC, "ES256")))
    provider.publish(ED)
    for _ in range(5):
        refusal(issuer.read(sign(ED, "Ed25519")))
    assert provider.requests == 1
    clock.now = NOON + jwks.PAUSE
    run(issuer.read(sign(ED, "Ed25519")))
    run(issuer.read(sign(EC, "ES256")))
    assert provider.requests == 2


def test_old_keys_serve_on_while_the_provider_is_down(provider: Provider, clock: Clock) -> None:
    provider.publish(EC)
    issuer = remote(provider, clock)
    run(issuer.read(sign(EC, "ES256")))
    clock.now = NOON + 2 * jwks.FRESH
    later: dict[str, Any] = {"iat": NOON_S + 7200, "exp": NOON_S + 7800}
    for provider.status, provider.body in ((500, b"broken"), (200, b"no json"), (200, b"x" * 70_000)):
        clock.now += jwks.PAUSE
        run(issuer.read(sign(EC, "ES256", **later)))
    assert provider.requests == 4


def test_a_provider_that_never_answered_lets_nobody_in(clock: Clock) -> None:
    issuer = RemoteIssuer(issuer=ISSUER, audience="shoutgraph", jwks_url="http://127.0.0.1:9/jwks", clock=clock)
    refusal(issuer.read(sign(EC, "ES256")))


def test_keys_are_fetched_by_https(clock: Clock) -> None:
    with pytest.raises(ValueError, match="https"):
        RemoteIssuer(issuer=ISSUER, audience="a", jwks_url="http://id.example/jwks", clock=clock)


def test_several_issuers_stand_side_by_side(provider: Provider, local: LocalIssuer, clock: Clock) -> None:
    provider.publish(EC)
    door = Doorkeeper(issuers=[local, remote(provider, clock)], identify=identify, clock=clock)
    assert run(door(f"Bearer {sign(EC, 'ES256')}")).principal == "jane"
    assert run(door(f"Bearer {local.issue(USER, ttl=HOUR)}")).principal == USER
    refusal(door(f"Bearer {sign(EC, 'ES256', iss='shoutgraph')}"))


KEY = f"sg_{'0' * 26}_{'s' * 43}"


def test_an_api_key_is_proven_and_asked_for_again_soon(clock: Clock) -> None:
    asked: list[tuple[str, str]] = []

    async def prove(key_id: str, secret: str) -> Principal:
        asked.append((key_id, secret))
        if len(asked) > 1:
            raise errors.UnauthenticatedError("The API key is not valid.")
        return Principal(subject=key_id, scopes=frozenset({Scope.EVENTS_READ}))

    door = Doorkeeper(issuers=[], identify=identify, clock=clock, prove_key=prove)
    for _ in range(3):
        assert run(door(f"Bearer {KEY}")).has(Scope.EVENTS_READ)
    assert asked == [("apikey_" + "0" * 26, "s" * 43)]
    clock.now += auth.KEY_TRUST
    refusal(door(f"Bearer {KEY}"))


def test_every_transport_asks_the_same_doorkeeper(door: Doorkeeper, local: LocalIssuer, world: World) -> None:
    token = local.issue(USER, ttl=HOUR)
    shared = transport_of(world, authenticate=door)
    with serving(build_asgi(shared), shared.drain) as served:
        client = Client(served.url, token=token)
        assert client.data("{ viewer }") == {"viewer": USER}
        with client.events("{ viewer }") as stream:
            event = stream.next()
            assert event is not None
            assert event.data == {"data": {"viewer": USER}}
        client.close()
        with Socket(served.socket_url) as socket:
            socket.init(token).subscribe("q", "{ viewer }")
            assert socket.next("q") == {"data": {"viewer": USER}}
        forger = Client(served.url, token=token[:-4] + "AAAA")
        assert forger.post("{ viewer }").status_code == 401
        forger.close()
