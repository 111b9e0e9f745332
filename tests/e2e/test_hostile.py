"""Hostile requests over HTTP and on a socket: no answer is a fault of ours, none takes a second, and no memory is kept.

The long form sends 10,000 of them: `pytest -m soak tests/e2e/test_hostile.py`.
"""

import time
from collections import Counter
from collections.abc import Iterator

import httpx
import psutil
import pytest
from tests.api.harness import PATIENCE_S, Closed, Socket
from tests.api.released import released
from tests.e2e.hostile import Hostile, Maker
from tests.e2e.market import Market
from tests.e2e.processes import Nursery, Server
from tests.soak import Extent
from websockets.exceptions import ConnectionClosed

LEFT_OUT = frozenset({"testClockAdvance"})
ANSWER_S = 1.0
GROWTH_BYTES = 50 * 2**20
MIB = 2**20
SPOKEN_EVERY = 20
"""How many requests go by between two messages on the socket."""
HUNG_UP_PART = 10
WARM_PART = 5
"""After this part of the requests the server has met everything that it keeps on purpose."""
FAULTS = {"INTERNAL", "UNAVAILABLE", "OVERLOADED"}


class Attacker:
    """Sends, and notes whatever is not as it should be."""

    def __init__(self, server: Server, tokens: list[str | None], maker: Maker) -> None:
        self._server = server
        self._tokens = tokens
        self._maker = maker
        self._http = httpx.Client(base_url=server.url, timeout=PATIENCE_S)
        self._socket = Socket(server.socket_url).init(tokens[-1])
        self.wrong: list[object] = []
        self.codes: Counter[str] = Counter()
        self.slowest_s = 0.0

    def send(self) -> None:
        """One request as somebody."""
        sent = self._maker.request()
        token = self._maker.chance.choice(self._tokens)
        began = time.perf_counter()
        status, body = self._answer(sent, token)
        took = time.perf_counter() - began
        if took > ANSWER_S:  # once more, lest it was another process that took the time
            began = time.perf_counter()
            status, body = self._answer(sent, token)
            took = time.perf_counter() - began
        self.slowest_s = max(self.slowest_s, took)
        codes = [error["extensions"]["code"] for error in body.get("errors", ())]
        self.codes.update(codes or [str(status)])
        if status >= 500 or took > ANSWER_S or FAULTS.intersection(codes):
            self.wrong.append((status, round(took, 2), codes, sent))

    def _answer(self, sent: Hostile, token: str | None) -> tuple[int, dict[str, object]]:
        """The status and the JSON; of a stream only how it begins."""
        headers = {name: value.encode("latin-1") for name, value in sent.headers.items()}
        if token is not None:
            headers.setdefault("authorization", f"Bearer {token}".encode())
        url = httpx.URL("/graphql", query=sent.query) if sent.query else httpx.URL("/graphql")
        asked = self._http.build_request(sent.method, url, headers=headers, content=sent.content)
        try:
            response = self._http.send(asked, stream=True)
        except (httpx.RemoteProtocolError, httpx.LocalProtocolError):
            return 0, {}  # a head that is none is answered by the end of the connection
        try:
            kind = response.headers.get("content-type", "")
            if kind.startswith(("text/event-stream", "text/html")) or sent.method == "HEAD":
                return response.status_code, {}
            response.read()
            body = response.json() if kind.startswith("application/") else {}
            assert isinstance(body, dict), body
            return response.status_code, body
        finally:
            response.close()

    def speak(self, number: int) -> None:
        """One message on the socket, which has to live: its protocol is spoken."""
        sent = self._maker.message(number)
        try:
            self._socket.send_text(sent)
            self._socket.send({"type": "complete", "id": f"o{number}"})
            self._socket.send({"type": "ping"})
            while (message := self._socket.receive())["type"] != "pong":
                found = message["payload"] if message["type"] == "error" else ()
                codes = [error["extensions"]["code"] for error in found]
                self.codes.update(codes)
                self.wrong += [message] if FAULTS.intersection(codes) else []
        except (Closed, ConnectionClosed) as closed:
            self.wrong.append((number, str(closed), sent))
            self._socket = Socket(self._server.socket_url).init(self._tokens[-1])

    def close(self) -> None:
        self._socket.close()
        self._http.close()


@pytest.fixture(scope="module")
def server(nursery: Nursery, first_market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    market = first_market.copy_to(tmp_path_factory.mktemp("hostile") / "data")
    server = Server(nursery, market.folder).start()
    yield server
    said = server.log.read_text()
    assert server.stop() == 0, said
    assert "Traceback" not in said, said


def test_no_hostile_request_breaks_or_holds_the_server(server: Server, first_market: Market, extent: Extent) -> None:
    people = [first_market.token(first_market.rich_id), first_market.token(first_market.sellers[0].user_id)]
    tokens = [
        None,
        *people,
        first_market.token("tool-moderator", "moderator"),
        first_market.token("tool-admin", "admin"),
    ]
    assert server.pid is not None
    process = psutil.Process(server.pid)
    count = extent.count("requests", suite=200, soak=10_000)
    attacker = Attacker(server, tokens, Maker(released(), extent.chance, LEFT_OUT))
    before = process.memory_info().rss
    for number in range(count):
        attacker.send()
        if number % SPOKEN_EVERY == 0:
            attacker.speak(number)
        if number == count // WARM_PART:
            before = process.memory_info().rss
    grown = process.memory_info().rss - before
    attacker.close()
    commonest = ", ".join(f"{name} {number}" for name, number in attacker.codes.most_common(12))
    extent.tell(
        f"{count} requests, the slowest {attacker.slowest_s:.2f} s, grown by {grown / MIB:.1f} MiB: {commonest}"
    )
    assert attacker.wrong == []
    assert attacker.codes["0"] < count / HUNG_UP_PART, "only a head that is none ends the connection"
    assert attacker.codes["200"] > 0, "some of them are only strange"
    assert grown < GROWTH_BYTES
