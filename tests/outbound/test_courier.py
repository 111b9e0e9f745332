"""The courier and its rules: where nothing is ever sent, what an answer may cost, and how a message is proven."""

# ruff: noqa: S104 - addresses to refuse

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook
from starlette.responses import Response, StreamingResponse
from tests.receiving import Receiver, receiving

from shoutgraph.app import wall_clock
from shoutgraph.domain import endpoints, errors
from shoutgraph.domain.endpoints import Answer, Outcome, Place
from shoutgraph.outbound.courier import Courier, Parcel, Rules

KEY = bytes(32)
SECRET = endpoints.derive(KEY, "endpoint_1", "salt")
NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
OPEN = Rules(secure=False, local=True, call_s=0.5)
ROOT = Path(__file__).resolve().parents[2]

PRIVATE = (
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "100.100.100.200", "169.254.169.254", "169.254.170.2", "192.0.0.192", "198.18.0.1", "203.0.113.9", "224.0.0.1",
    "239.1.1.1", "255.255.255.255", "240.0.0.1", "168.63.129.16", "::", "::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "5f00::1",
    "2606:4700::1%eth0", "localhost", "1", "",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450:4001::1")


def test_only_machines_on_the_internet_are_public() -> None:
    assert [each for each in PRIVATE if endpoints.is_public(each)] == []
    assert [each for each in PUBLIC if not endpoints.is_public(each)] == []


HOSTS = (
    "127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]",
    "169.254.169.254", "10.0.0.1", "[fd00:ec2::254]", "0.0.0.0",
)  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_nothing_is_sent_into_our_own_network_whatever_the_address_looks_like(host: str) -> None:
    with receiving() as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        answer = send(f"http://{host}:{port}/hook", Rules(secure=False))
        assert (answer.status, receiver.got) == (None, [])
        assert answer.outcome is Outcome.FORBIDDEN_ADDRESS or answer.excerpt == "InvalidURL", "it is no name at all"


@pytest.mark.parametrize("host", [*HOSTS, "LOCALHOST", "hook.localhost", "127.0.0.1.", "[fe80::1%25eth0]"])
def test_an_address_that_nothing_is_ever_sent_to_is_refused_when_it_is_given(host: str) -> None:
    with pytest.raises(errors.ValidationError) as refused:
        courier_of(Rules()).check(f"https://{host}/hook")
    assert (refused.value.code, refused.value.path) == ("FORBIDDEN_ADDRESS", ("input", "url"))


def test_names_and_public_addresses_may_be_given_and_this_machine_where_it_is_let() -> None:
    for url in ("https://example.com/", "https://1.1.1.1/", "https://[2606:4700::1111]/", "https://10.example/"):
        courier_of(Rules()).check(url)
    for host in ("127.0.0.1", "localhost", "127.1", "[::1]"):
        courier_of(OPEN).check(f"http://{host}:8000/hook")
    with pytest.raises(errors.ValidationError):
        courier_of(OPEN).check("http://10.0.0.1/hook")


def test_production_sends_by_https_on_its_own_port_whatever_was_stored() -> None:
    with receiving() as receiver:
        assert send(receiver.url, Rules(secure=True, local=True)).outcome is Outcome.FORBIDDEN_ADDRESS
        assert receiver.got == []
    for url in ("http://example.com/", "https://example.com:8443/"):
        with pytest.raises(errors.ValidationError) as refused:
            endpoints.check_url(url, secure=True)
        assert refused.value.code == "INSECURE_URL"
    endpoints.check_url("https://example.com:443/hook?a=b", secure=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        found.secrets.append(endpoints.write_secret(SECRET))
        yield found


def test_an_answer_is_read_to_a_bound_and_its_beginning_kept_in_one_line(receiver: Receiver) -> None:
    async def endless() -> Any:
        for _ in range(1_000):
            yield b"a\nb\x00\xff" * 10_000
            await asyncio.sleep(0)

    async def dripping() -> Any:
        yield b"wait"
        await asyncio.sleep(60)

    receiver.answers = [StreamingResponse(endless(), 200), StreamingResponse(dripping(), 500)]
    answer = send(receiver.url)
    assert (answer.outcome, len(answer.excerpt)) == (Outcome.DELIVERED, endpoints.EXCERPT_CHARS_MAX)
    assert answer.excerpt.isprintable()
    began = time.monotonic()
    assert send(receiver.url).outcome is Outcome.REFUSED, "its status came in time"
    assert time.monotonic() - began < 3
    assert receiver.proven == [[True], [True]]


def test_what_does_not_answer_or_is_not_there_is_told_apart(receiver: Receiver) -> None:
    receiver.answers = [Slow()]
    assert send(receiver.url).outcome is Outcome.TIMED_OUT
    gone = send("http://127.0.0.1:1/hook")
    assert (gone.outcome, gone.status, gone.excerpt) == (Outcome.UNREACHABLE, None, "ConnectError")


@pytest.mark.parametrize(
    ("text", "at_least", "at_most"),
    [
        ("120", 120, 120),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 10**9, 3 * 10**9),
        ("Fri, 01 Jan 1999 00:00:00 GMT", 0, 0),
        ("soon", None, None),
    ],
)
def test_a_receiver_says_in_two_forms_how_long_it_wants_to_be_left_alone(
    receiver: Receiver, text: str, at_least: int | None, at_most: int | None
) -> None:
    receiver.answers = [Response("", 429, {"retry-after": text})]
    asked = send(receiver.url).retry_after_s
    assert asked is None if at_least is None or at_most is None else at_least <= (asked or 0) <= at_most


def test_the_name_is_looked_up_once_and_the_certificate_is_the_names(tmp_path: Path) -> None:
    for name, outcome in (("localhost", Outcome.DELIVERED), ("another.example", Outcome.UNREACHABLE)):
        certificate = tmp_path / name
        certificate.write_bytes(_certificate(name))
        found = asyncio.run(_by_tls(certificate))
        assert found.outcome is outcome, found


def test_pauses_double_with_jitter_until_three_days_are_over() -> None:
    begin = now = datetime(2026, 1, 1, tzinfo=UTC)
    place, answer, pauses = Place("endpoint_1", 7, 0, 0, begin, begin), Answer(Outcome.REFUSED, 500, 1, ""), []
    while True:
        place = Place(place.endpoint_id, place.seq, 0, place.failures + 1, begin, begin)
        following = endpoints.next_attempt(place, answer, now=now)
        if following is None:
            break
        pauses.append(following - now)
        now = following
    assert now == begin + timedelta(hours=72), "the last attempt is at the end"
    for number, pause in enumerate(pauses[:-1]):
        longest = min(timedelta(seconds=5) * 2 ** min(number, 10), timedelta(hours=1))
        assert longest / 2 <= pause <= longest
    assert len(set(pauses[12:-1])) > 50, "no two are alike"
    assert 80 < len(pauses) < 140
    other = Place("endpoint_2", 7, 0, 1, begin, begin)
    assert endpoints.next_attempt(other, answer, now=begin) != begin + pauses[0]
    patient = Answer(Outcome.REFUSED, 503, 1, "", 10**9)
    assert endpoints.next_attempt(other, patient, now=begin) == begin + timedelta(hours=12), (
        "a longer pause is not asked"
    )


def test_the_receiver_of_the_guide_believes_what_is_signed_and_nothing_else() -> None:
    text = (ROOT / "docs" / "GRAPHQL.md").read_text()
    [lines] = re.findall(r"```python\n(import base64.+?)```", text, re.DOTALL)
    assert len([line for line in lines.splitlines() if line and not line.startswith("import")]) <= 10
    guide: dict[str, Callable[..., bool]] = {}
    exec(lines, guide)  # noqa: S102 - the guide's own lines
    body, now = b'{"type":"webhook.test"}', wall_clock()
    secret, old = endpoints.write_secret(SECRET), endpoints.write_secret(bytes(32))
    both = endpoints.sign((SECRET, bytes(32)), "event_1", now, body)
    assert [guide["proven"](each, both, body) for each in (secret, old)] == [True, True]
    assert not guide["proven"](secret, both, body + b" ")
    assert not guide["proven"](secret, both | {"webhook-id": "event_2"}, body)
    assert not guide["proven"](secret, endpoints.sign((bytes(32),), "event_1", now, body), body)
    assert not guide["proven"](secret, endpoints.sign((SECRET,), "event_1", now - timedelta(hours=1), body), body)
    assert Webhook(secret).sign("event_1", now, body.decode()) == both["webhook-signature"].split()[0]


class Slow(Response):
    async def __call__(self, *_: Any) -> None:
        await asyncio.sleep(2)


def courier_of(rules: Rules) -> Courier:
    return Courier(KEY, clock=wall_clock, rules=rules, trust=NOBODY)


def send(url: str, rules: Rules = OPEN) -> Answer:
    return asyncio.run(_carried(courier_of(rules), url))


async def _carried(courier: Courier, url: str) -> Answer:
    try:
        return await courier.send(Parcel(url, "event_1", b"{}", (SECRET,)))
    finally:
        await courier.aclose()


async def _by_tls(certificate: Path) -> Answer:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate)
    trust = ssl.create_default_context(cafile=str(certificate))
    server = await asyncio.start_server(_answers, "localhost", 0, ssl=served)
    courier = Courier(KEY, clock=wall_clock, rules=Rules(local=True), trust=trust)
    try:
        return await _carried(courier, f"https://localhost:{server.sockets[0].getsockname()[1]}/hook")
    finally:
        server.close()


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    writer.close()


def _certificate(name: str) -> bytes:
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = wall_clock()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return text + made.public_bytes(serialization.Encoding.PEM)
