"""A way to the server on 127.0.0.1 that breaks where a test says: before a COMMIT, after it, or after its answer.

It reads what a client says message by message, so that it breaks exactly there.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Final, Self

from psycopg.conninfo import conninfo_to_dict

CHUNK_BYTES: Final = 65_536
LENGTH: Final = struct.Struct("!I")
COMMIT: Final = b"COMMIT"
COMMITTED: Final = b"COMMIT\0"
"""What the server says when it has."""
INSERTED: Final = b"INSERT 0 1\0"
SIGNED: Final = b"INSERT INTO writer"
LATE_S: Final = 0.3
"""How long what is late is under way."""


class Break(Enum):
    """Where the connection is cut."""

    BEFORE = "the server never hears of the COMMIT"
    UNANSWERED = "the server commits, and its answer is lost"
    AT_ONCE = "the server hears of the COMMIT, and that the client is gone"
    LATE = "the server hears of the COMMIT when the client has long come back"
    ANSWERED = "the client hears that it is committed, and the connection ends"


class Proxy:
    """Listens on a port of its own for one database."""

    def __init__(self, url: str) -> None:
        parts = conninfo_to_dict(url)
        self._door = str(Path(str(parts["host"])) / f".s.PGSQL.{parts.get('port', 5432)}")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._open = True
        self._break: Break | None = None
        self.loses_asked = False
        """Whether it shuts as soon as the server has answered what became of a COMMIT; nobody hears the answer."""
        self.broken = threading.Event()
        self.after: Callable[[], None] = lambda: None
        """What is done as soon as it has cut where it was told to."""
        where = f"{parts['user']}@127.0.0.1:{self._listener.getsockname()[1]}/{parts['dbname']}"
        self.url = f"postgresql://{where}?sslmode=disable&gssencmode=disable"
        self._run(self._accept)

    def break_at(self, place: Break) -> None:
        """Cuts the next connection that commits, once."""
        self.broken.clear()
        self._break = place

    def shut(self) -> None:
        """Lets nobody in any more, and cuts all connections."""
        with self._lock:
            self._open = False
            pairs = list(self._pairs)
        for pair in pairs:
            self._cut(pair)

    def open(self) -> None:
        """Lets everybody in again."""
        self._open = True

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.shut()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _run(self, work: object, *given: object) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while client := _next_of(self._listener):
            with self._lock:
                let_in = self._open and self._connect(client)
            if not let_in:
                client.close()

    def _connect(self, client: socket.socket) -> bool:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._door)
        except OSError:
            server.close()
            return False
        pair = (client, server)
        self._pairs.add(pair)
        said = _Said(client)
        self._run(self._forward, pair, said)
        self._run(self._answer, pair, said)
        return True

    def _forward(self, pair: tuple[socket.socket, socket.socket], said: "_Said") -> None:
        """What the client says, one message at a time."""
        with contextlib.suppress(OSError):
            while self._pass_on(said, pair[1]):
                pass
        if said.place is Break.LATE:
            pair[0].close()
            time.sleep(LATE_S)
            with contextlib.suppress(OSError):
                pair[1].sendall(said.late)
        if said.place is not None:
            self.after()
            self.broken.set()
        self._cut(pair)

    def _pass_on(self, said: "_Said", server: socket.socket) -> bool:
        """Passes the next message on; False where nothing more is to be said."""
        message = said.next()
        said.unheard = said.unheard or (said.asks and self.loses_asked)
        if said.signs and self._break is Break.LATE:
            said.place, self._break = self._break, None
        if said.place is Break.LATE:
            said.late += message
            return message[:1] not in {b"", b"S"}
        if said.commits and self._break is not None:
            said.place, self._break = self._break, None
        if not message or said.place is Break.BEFORE:
            return False
        server.sendall(message)
        if said.place is not None and message[:1] in {b"S", b"Q"}:
            said.sent.set()
        return not (said.sent.is_set() and said.place is Break.AT_ONCE)

    def _answer(self, pair: tuple[socket.socket, socket.socket], said: "_Said") -> None:
        """What the server answers, until it answers to the COMMIT."""
        client, server = pair
        with contextlib.suppress(OSError):
            while answer := server.recv(CHUNK_BYTES):
                last = said.place is not None and COMMITTED in answer
                if said.unheard and INSERTED in answer:
                    self.shut()
                if not said.unheard and not (last and said.place is Break.UNANSWERED):
                    client.sendall(answer)
                if last:
                    break
        self._cut(pair)

    def _cut(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for end in pair:
            end.close()


def _next_of(listener: socket.socket) -> socket.socket | None:
    """Who connects next; None where it is closed."""
    with contextlib.suppress(OSError):
        return listener.accept()[0]
    return None


class _Said:
    """A client's messages, and whether the last one asks to run a COMMIT of a writer, who signs it."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._buffer = b""
        self._head = 0
        self._prepared: dict[bytes, bytes] = {}
        self.commits = False
        self.signs = False
        self.asks = False
        self.unheard = False
        self.late = b""
        self.place: Break | None = None
        self.sent = threading.Event()

    def next(self) -> bytes:
        """The next message; the first one has no letter. Empty at the end."""
        start = self._head
        while len(self._buffer) < start + LENGTH.size or len(self._buffer) < self._length(start):
            chunk = self._client.recv(CHUNK_BYTES)
            if not chunk:
                return b""
            self._buffer += chunk
        size = self._length(start)
        message, self._buffer = self._buffer[:size], self._buffer[size:]
        self._head = 1
        self.commits = start == 1 and self._is_commit(message)
        named = self._named_in(message) if start == 1 else b""
        self.signs = SIGNED in named and b"VALUES" not in named
        self.asks = SIGNED in named and b"VALUES" in named
        return message

    def _length(self, start: int) -> int:
        length: int = LENGTH.unpack_from(self._buffer, start)[0]
        return start + length

    def _named_in(self, message: bytes) -> bytes:
        """The statement that a message prepares, or binds."""
        _, second, *_ = (*message[1 + LENGTH.size :].split(b"\0", 2), b"", b"")
        return {b"P": second, b"B": self._prepared.get(second, b"")}.get(message[:1], b"")

    def _is_commit(self, message: bytes) -> bool:
        first, second, *_ = (*message[1 + LENGTH.size :].split(b"\0", 2), b"", b"")
        match message[:1]:
            case b"P":
                self._prepared[first] = second
            case b"B":
                return self._prepared.get(second) == COMMIT and any(SIGNED in sql for sql in self._prepared.values())
        return False
