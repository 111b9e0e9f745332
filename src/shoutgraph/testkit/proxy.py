"""The fault proxy: real sockets on loopback between a plugin and its simulator, and everything that can go wrong there.

It reads each request as a whole, passes it on to the simulator in its own process, and gives the answer back, or
something else. It writes down what it was asked.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final

import h11

from shoutgraph.testkit import asgi
from shoutgraph.testkit.asgi import Asked, Reply
from shoutgraph.testkit.faults import Answer, Fault
from shoutgraph.testkit.upstreams import AsgiApp

CHUNK_BYTES: Final = 65_536
BODY_BYTES_MAX: Final = 8 * 1_048_576
CLOSE_TIMEOUT_S: Final = 5.0
HOST: Final = "127.0.0.1"

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Which(Enum):
    """Which requests a fault is for; what is asked aside of the money is never broken."""

    MONEY = "money"
    """Those that may change something: neither GET nor HEAD."""
    ANY = "any"


@dataclass(slots=True)
class _Planned:
    fault: Fault
    which: Which
    left: int


class Proxy:
    """Stands in front of one simulator. All its coroutines belong to the far side's loop."""

    def __init__(self) -> None:
        self._app: AsgiApp | None = None
        self._aside: tuple[str, ...] = ()
        self._plans: deque[_Planned] = deque()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = socket.create_server((HOST, 0))
        self._listening.setblocking(False)  # noqa: FBT003 -- the socket's own signature
        # Bound and never listening: whoever connects is refused, and nobody else can take the port.
        self._refusing = socket.socket()
        self._refusing.bind((HOST, 0))
        self.asked: list[Asked] = []
        self.broke: list[BaseException] = []
        self.open_count = 0
        self.hurt_count = 0
        self.before_answer: Callable[[], None] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self._listening.getsockname()[1]}"

    @property
    def refusing_url(self) -> str:
        """Where nobody listens."""
        return f"http://{HOST}:{self._refusing.getsockname()[1]}"

    def serve(self, app: AsgiApp | None, aside: Sequence[str]) -> None:
        """Puts a simulator behind it."""
        self._app, self._aside = app, tuple(aside)

    def plan(self, fault: Fault, *, times: int = 1, which: Which = Which.MONEY) -> None:
        """Breaks the next requests."""
        self._plans.append(_Planned(fault, which, times))

    def mend(self) -> None:
        """Breaks nothing any more."""
        self._plans.clear()

    def money(self, since: int = 0) -> list[Asked]:
        """What was asked, without what was asked aside; from this request on."""
        return [each for each in self.asked[since:] if not self._is_aside(each)]

    def changes(self, since: int = 0) -> list[Asked]:
        """What was asked for that may change something."""
        return [each for each in self.money(since) if each.method not in _READS]

    async def start(self) -> None:
        """Listens."""
        self._server = await asyncio.start_server(self._accept, sock=self._listening)

    async def aclose(self) -> None:
        """Hangs up on everybody."""
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_TIMEOUT_S)
        if self._server is not None:
            self._server.close()
        self._listening.close()
        self._refusing.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs this in a task"
        self._tasks.add(task)
        self.open_count += 1
        try:
            await _Connection(self, reader, writer).run()
        except (ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
            pass  # the other one hung up, or we do
        finally:
            self.open_count -= 1
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def fault_for(self, asked: Asked) -> Fault | None:
        """The fault that this request meets, which is used up by it."""
        if self._is_aside(asked):
            return None
        for planned in self._plans:
            if planned.which is Which.MONEY and asked.method in _READS:
                continue
            planned.left -= 1
            if planned.left == 0:
                self._plans.remove(planned)
            self.hurt_count += 1
            return planned.fault
        return None

    async def passed_on(self, asked: Asked, times: int, gone: asyncio.Event) -> Reply | None:
        """Lets the simulator answer, as often as the request arrives; the last answer counts."""
        answer: Reply | None = None
        for _ in range(times):
            try:
                answer = await self._answer(asked, gone)
            except Exception as broken:  # noqa: BLE001 -- the simulator's boundary; the kit tells of it
                self.broke.append(broken)
                answer = asgi.reply(500, b"the simulator broke")
        return answer

    async def _answer(self, asked: Asked, gone: asyncio.Event) -> Reply | None:
        if self._app is None:
            return asgi.NOT_FOUND
        return await asgi.answered(self._app, asked, self.url.removeprefix("http://"), gone)

    def _is_aside(self, asked: Asked) -> bool:
        return bool(self._aside) and asked.path.startswith(self._aside)


class _Connection:
    """One connection of a caller."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER)

    async def run(self) -> None:
        while True:
            asked = await self._request()
            if asked is None:
                return
            self._proxy.asked.append(asked)
            if not await self._respond(asked):
                return
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _request(self) -> Asked | None:
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    await self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
                self._http.receive_data(await self._reader.read(CHUNK_BYTES))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_BYTES_MAX:
                    return None
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                headers = tuple((bytes(name), bytes(value)) for name, value in head.headers)
                return Asked(head.method.decode(), head.target.decode(), headers, bytes(body))
            else:
                return None

    async def _respond(self, asked: Asked) -> bool:
        """Answers, and says whether the connection can go on."""
        fault = self._proxy.fault_for(asked)
        gone = asyncio.Event()
        watching = asyncio.create_task(self._watch(gone))
        try:
            given = await self._proxy.passed_on(asked, fault.arrives if fault else 1, gone)
            await self._hold()
            if fault is not None and fault.answer is Answer.HANG:
                await gone.wait()
                return False
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        return await self._give(_given(fault, given, asked))

    async def _hold(self) -> None:
        if self._proxy.before_answer is not None:
            await asyncio.to_thread(self._proxy.before_answer)

    async def _watch(self, gone: asyncio.Event) -> None:
        # Nothing more comes while we have not answered, unless the caller hangs up (or pipelines, which none does).
        with suppress(ConnectionError):
            await self._reader.read(CHUNK_BYTES)
        gone.set()

    async def _give(self, given: Reply | None) -> bool:
        if given is None:
            return False
        length = len(given.body) if given.whole else len(given.body) + 1
        headers = [pair for pair in given.headers if given.whole or pair[0] != b"content-length"]
        if not any(name == b"content-length" for name, _ in headers):
            headers.append((b"content-length", str(length).encode()))
        # In one piece: two small ones would wait for each other, as Nagle has it.
        data = self._http.send(h11.Response(status_code=given.status, headers=headers)) or b""
        if given.body:
            data += self._http.send(h11.Data(data=given.body)) or b""
        if given.whole:
            data += self._http.send(h11.EndOfMessage()) or b""
        await self._write(data)
        return given.whole

    async def _write(self, data: bytes | None) -> None:
        if data:
            self._writer.write(data)
            await self._writer.drain()


def _given(fault: Fault | None, genuine: Reply | None, asked: Asked) -> Reply | None:
    if fault is None or fault.answer is Answer.GENUINE:
        return genuine
    if fault.answer is Answer.REPLACED:
        instead = fault.instead
        if fault.echoes:
            told = b"".join(name + b": " + value + b"\n" for name, value in asked.headers) + asked.body
            return Reply(instead.status, instead.headers, told)
        return instead
    if fault.answer is Answer.NOTHING or genuine is None:
        return None
    headers = tuple(pair for pair in genuine.headers if pair[0] != b"content-length")
    half = genuine.body[: len(genuine.body) // 2]
    return Reply(genuine.status, headers, half, whole=fault.answer is Answer.HALF)
