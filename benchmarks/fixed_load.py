"""One request again and again, whose answer is always as long; it counts bytes and nothing more."""

import asyncio
import json
import sys
import time

import uvloop


class Asker(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes, length: int) -> None:
        self._request = request
        self._length = length
        self._got = 0
        self.count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the first time."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Asks again where an answer is whole."""
        self._got += len(data)
        if self._got == self._length:
            self._got = 0
            self.count += 1
            self._transport.write(self._request)


async def run(port: int, request: bytes, *, connections: int, seconds: float) -> float:
    """Answers per second."""
    length = await _length_of(port, request)
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: Asker(request, length), "127.0.0.1", port) for _ in range(connections)
    ]
    began, before = time.perf_counter(), sum(asker.count for _, asker in opened)
    await asyncio.sleep(seconds)
    done, took = sum(asker.count for _, asker in opened) - before, time.perf_counter() - began
    for transport, _ in opened:
        transport.abort()
    return done / took


async def _length_of(port: int, request: bytes) -> int:
    """How long an answer is with its head; the plans of what is asked are made by then."""
    length = 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(size)
        assert b'"errors"' not in body, body
        length = len(head) + size
    writer.close()
    return length


def main() -> None:
    """Reads the work from standard input and prints the rate."""
    work = json.loads(sys.stdin.read())
    request = work["request"].encode()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        print(loop.run(run(work["port"], request, connections=work["connections"], seconds=work["seconds"])))


if __name__ == "__main__":
    main()
