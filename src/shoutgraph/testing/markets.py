"""A whole deployment in this process, behind a free port of this machine. Its jobs run when they are asked to."""

import asyncio
import socket
import tempfile
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import uvloop

from shoutgraph import app as root, settings
from shoutgraph.api.server import Server, build_server
from shoutgraph.app import App
from shoutgraph.domain.users import SYSTEM
from shoutgraph.files import sample
from shoutgraph.jobs import runner
from shoutgraph.services import packages, seeds
from shoutgraph.services.gifts import catalogue
from shoutgraph.settings import Settings
from shoutgraph.testing.clients import PATIENCE_S, Client
from shoutgraph.testing.sockets import Socket

T = TypeVar("T")

TOKEN_TTL: Final = timedelta(days=1)
"""Tokens live in real time, whatever the test clock says."""
LAVISH: Final = 1_000_000
"""Points a second: a test asks in a second what people ask in a day."""
START_S: Final = 60.0
VIDEO_S: Final = 3
TUS: Final = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
QUOTE: Final = """query ($id: ID!) { quote(offerId: $id, country: "DE", currency: "EUR") { total } }"""
VIDEO: Final = "query ($id: ID!) { node(id: $id) { ... on Video { status } } }"
ORDER: Final = "order { id revision status price }"
BRIEF: Final = {
    "occasion": "BIRTHDAY",
    "recipientName": "Grace",
    "instructions": "Sing something brave.",
    "language": "en",
}


class Person(Client):
    """Somebody of the market. Who sells has a `creator_id`, and an `offer_id` to order."""

    def __init__(self, url: str, token: str, user_id: str) -> None:
        super().__init__(url, token)
        self.user_id: Final = user_id
        self.creator_id = ""
        self.offer_id = ""


class Market:
    """A running deployment, with a client for everybody.

    `anonymous` is nobody; `admin`, `moderator` and `finance` are staff.
    """

    def __init__(self, app: App, url: str, loop: asyncio.AbstractEventLoop) -> None:
        self.url: Final = url
        self._app = app
        self._loop = loop
        self._clients: list[Client] = []
        self.anonymous: Final = self._client(None)
        self.admin: Final = self.staff("admin")
        self.moderator: Final = self.staff("moderator")
        self.finance: Final = self.staff("finance")

    @property
    def socket_url(self) -> str:
        """Where WebSockets are opened."""
        return f"{self.url.replace('http', 'ws', 1)}/graphql"

    def staff(self, role: str, name: str = "desk") -> Client:
        """Somebody of the staff; of two who have to agree, each needs a name."""
        return self._client(self._app.issuer.issue(f"{role}-{name}", role=role, ttl=TOKEN_TTL))

    def person(self, name: str = "Ada", *, country: str = "DE") -> Person:
        """A new person."""
        user = self.admin.run("userRegister", "user { id }", displayName=name, country=country)["user"]
        made = Person(self.url, self._app.issuer.issue(user["id"], ttl=TOKEN_TTL), user["id"])
        self._clients.append(made)
        return made

    def creator(self, name: str = "Nova", *, price: int = 250, country: str = "DE", **terms: object) -> Person:
        """A new creator who sells birthday songs at a price in coins.

        Args:
            terms: more of `OfferCreateInput`.
        """
        made = self.person(name, country=country)
        profile = {"categories": ["MUSICIAN"], "languages": ["en"], "country": country}
        handle = f"{name.lower()}{len(self._clients)}"
        made.creator_id = made.run("creatorRegister", "creator { id }", handle=handle, name=name, **profile)["creator"][
            "id"
        ]
        offer = {
            "occasion": "BIRTHDAY",
            "title": "A song",
            "price": str(price),
            "durationMaxSeconds": 60,
            "deliveryDays": 7,
        }
        made.offer_id = made.run("offerCreate", "offer { id }", **(offer | terms))["offer"]["id"]
        return made

    def buy_coins(self, fan: Person, coins: int) -> str:
        """Buys so many coins with money of the sandbox; gives the top-up's id."""
        purchase = {"currency": "EUR", "providerCode": "sandbox", "returnUrl": f"{self.url}/graphql"}
        topup = fan.do("topUpCreate", "topUp { id }", buy={"coins": str(coins)}, **purchase)["topUp"]
        self.control(f"payments/{topup['id']}/pay")
        self.settle()
        return str(topup["id"])

    def order(self, fan: Person, creator: Person, **wish: object) -> dict[str, Any]:
        """An order that waits for the creator's answer.

        Args:
            wish: more of `OrderPlaceInput`.
        """
        price = fan.data(QUOTE, id=creator.offer_id)["quote"]["total"]
        given = {"offerId": creator.offer_id, "expectedPrice": price, "brief": BRIEF} | wish
        placed = fan.do("orderPlace", ORDER, **given)["order"]
        return self.move(self.moderator, "orderScreenPass", placed)

    def deliver(self, creator: Person, order: dict[str, Any]) -> dict[str, Any]:
        """Takes an order on, films, uploads and hands in; the platform passes it, and the fan has it."""
        order = self.move(creator, "orderAccept", order)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "video.mp4"
            sample.make_sample_video(file, seconds=VIDEO_S, text="Happy birthday!")
            film = file.read_bytes()
        wanted = {"orderId": order["id"], "sizeBytes": str(len(film)), "mediaType": "video/mp4"}
        target = creator.do("orderUploadCreate", "target { videoId url }", **wanted)["target"]
        creator.http.patch(target["url"], content=film, headers=TUS).raise_for_status()
        self._inspected(creator, target["videoId"])
        order = self.move(creator, "orderDeliver", order, videoId=target["videoId"])
        return self.move(self.moderator, "orderReviewPass", order)

    def move(self, who: Client, mutation: str, order: dict[str, Any], **given: object) -> dict[str, Any]:
        """Moves an order by one mutation; gives it as it is then."""
        moved: dict[str, Any] = who.do(
            mutation, ORDER, orderId=order["id"], expectedRevision=order["revision"], **given
        )["order"]
        return moved

    def control(self, path: str, **body: object) -> Any:  # noqa: ANN401 - JSON
        """Does something to the simulated provider, such as `payments/{topUpId}/pay`."""
        key = self._app.settings.data_dir.joinpath("sandbox.key").read_bytes().hex()
        url = f"{self.url}/sandbox/control/{path}"
        answer = httpx.post(url, json=body, headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE_S)
        answer.raise_for_status()
        return answer.json()

    def advance(self, **ahead: float) -> None:
        """Moves the test clock ahead, by `days`, `hours`, `minutes` or `seconds`, and does what became due."""
        self.admin.run("testClockAdvance", "now", seconds=int(timedelta(**ahead).total_seconds()))
        self.settle()

    def settle(self) -> None:
        """Runs the jobs until none has anything to do."""
        self._run(runner.settle(self._app.tools, root.JOBS))

    def socket(self, who: Client) -> Socket:
        """An open WebSocket of somebody."""
        return Socket(self.socket_url).init(who.token)

    def close(self) -> None:
        """Lets everybody's HTTP connections go; whoever opens a socket closes it."""
        for client in self._clients:
            client.close()

    def _client(self, token: str | None) -> Client:
        made = Client(self.url, token)
        self._clients.append(made)
        return made

    def _inspected(self, creator: Client, video_id: str) -> None:
        """Returns when a video was looked at from its first to its last frame.

        Raises:
            TimeoutError: it takes too long.
        """
        until = time.monotonic() + START_S
        while creator.data(VIDEO, id=video_id)["node"]["status"] in {"UPLOADING", "CHECKING"}:
            if time.monotonic() > until:
                raise TimeoutError(f"{video_id} is not looked at")
            self.settle()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_S)


@contextmanager
def open_market(folder: Path | None = None, **chosen: Any) -> Iterator[Market]:  # noqa: ANN401 - settings
    """Serves a new marketplace, which sells coins and gifts, until the block ends.

    Args:
        folder: where it keeps everything; a temporary one if not given.
        chosen: settings by their names, such as `allowed_origins`.

    Raises:
        SettingsError: a setting is unknown or does not fit.
    """
    with ExitStack() as parts:
        where = folder or Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="shoutgraph-")))
        lavish = {"rate_anonymous": LAVISH, "rate_person": LAVISH, "rate_staff": LAVISH, "connections": 0}
        told = settings.load(lavish | chosen | {"data_dir": where, "jobs": False, "test_clock": True}, {})
        listener = parts.enter_context(socket.create_server(("127.0.0.1", 0)))
        opened: Future[tuple[Market, Server]] = Future()
        thread = threading.Thread(target=_serve_in_thread, args=(told, listener, opened), daemon=True)
        thread.start()
        market, server = opened.result(START_S)
        try:
            yield market
        finally:
            market.close()
            server.should_exit = True
            thread.join(START_S)


def _serve_in_thread(told: Settings, listener: socket.socket, opened: "Future[tuple[Market, Server]]") -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(_serve(told, listener, opened))


async def _serve(told: Settings, listener: socket.socket, opened: "Future[tuple[Market, Server]]") -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        async with root.open_app(told, base_url=url, environ={}) as app:
            await packages.load(app.tools, SYSTEM, seeds.read_prices())
            await catalogue.load(app.tools, SYSTEM, seeds.read_gifts())
            market = Market(app, url, asyncio.get_running_loop())

            def started() -> None:
                opened.set_result((market, server))

            server = build_server(app.asgi, app.drain, on_started=started, signals=False)
            await server.serve(sockets=[listener])
    except BaseException as error:
        if not opened.done():
            opened.set_exception(error)
        raise
