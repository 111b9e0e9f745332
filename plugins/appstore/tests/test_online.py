"""Whether certificates were revoked is asked where that is configured, and never takes the loop."""

import asyncio
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shoutgraph.sdk import Settled, Unknown
from shoutgraph.testkit import watching
from shoutgraph.testkit.kinds import RedeemTrial
from shoutgraph.testkit.trials import opened
from shoutgraph.testkit.upstreams import Stage
from shoutgraph_appstore.offers import TOPUP
from shoutgraph_appstore.simulator.authority import Authority
from shoutgraph_appstore.simulator.upstream import AppStoreUpstream


@dataclass
class Responder:
    """What is asked about certificates, on loopback."""

    url: str = ""
    authority: Authority | None = None
    revoked: bool = False
    status: int = 200
    asked: int = 0
    pause: threading.Event = field(default_factory=threading.Event)

    def answer(self, body: bytes) -> bytes:
        self.asked += 1
        self.pause.wait(5)
        assert self.authority is not None
        return self.authority.confirms(body, datetime.now(UTC) - timedelta(minutes=1), revoked=self.revoked)  # noqa: TID251 -- the library compares with the real time


@pytest.fixture
def responder() -> Iterator[Responder]:
    told = Responder()
    told.pause.set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = told.answer(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(told.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name in the library
            del format, args

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}/ocsp"
    told.authority = Authority("Store", told.url)
    yield told
    server.shutdown()
    server.server_close()
    thread.join(5)


class Online:
    plugin = TOPUP
    distribution = None

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    def upstream(self, stage: Stage) -> AppStoreUpstream:
        assert self._responder.authority is not None
        upstream = AppStoreUpstream(stage)
        upstream.store.authority = self._responder.authority
        return upstream


@pytest.mark.parametrize(("revoked", "status", "good"), [(False, 200, True), (True, 200, False), (False, 503, False)])
def test_certificates_that_nobody_confirms_buy_nothing(
    responder: Responder, tmp_path: Path, *, revoked: bool, status: int, good: bool
) -> None:
    responder.revoked, responder.status = revoked, status

    async def story() -> None:
        async with opened(RedeemTrial(Online(responder), tmp_path)) as trial:
            online = trial.loaded({**trial.config(), "online_checks": True})
            deal = await trial.deal()
            (ref,) = [each.ref for each in await trial.objects()]
            seen = await trial.send(deal, online)
            assert isinstance(seen, Settled) if good else seen == Unknown("certificates_unconfirmed", ref=ref)
            asked = responder.asked
            assert asked > 0
            assert await trial.send(deal, online) == seen
            assert (responder.asked == asked) is good, "a good answer is remembered"
            assert isinstance(await trial.send(deal), Settled), "as configured, nobody is asked"

    asyncio.run(story())


def test_asking_does_not_hold_the_loop(responder: Responder, tmp_path: Path) -> None:
    responder.pause.clear()

    async def story() -> None:
        async with opened(RedeemTrial(Online(responder), tmp_path)) as trial:
            online = trial.loaded({**trial.config(), "online_checks": True})
            redeeming = asyncio.create_task(trial.send(await trial.deal(), online))
            assert await watching.settled(lambda: responder.asked > 0, 5)
            responder.pause.set()  # by a loop that is free, while the thread waits
            assert isinstance(await redeeming, Settled)

    asyncio.run(story())
