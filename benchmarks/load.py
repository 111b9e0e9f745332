"""A load generator in a process of its own: many requests in flight over kept-alive connections, little work each."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from itertools import count, cycle
from typing import TypedDict
from urllib.parse import urlsplit


class Told(TypedDict):
    """What the load met. `wrong` answers have errors, or are none; `example` is the first of them."""

    rate: float
    p50_ms: float
    p99_ms: float
    count: int
    wrong: int
    example: str


async def run(url: str, bodies: Iterator[bytes], *, in_flight: int, seconds: float, headers: list[str]) -> Told:
    """Sends bodies for a time, each for the next of those who ask; gives the rate, the latencies, and what was refused.

    Args:
        headers: of each of them, as lines of a head.
    """
    parts = urlsplit(url)
    latencies: list[float] = []
    wrong = 0
    example = ""
    end = time.perf_counter() + seconds

    asking = cycle(headers)

    async def worker() -> None:
        nonlocal wrong, example
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while time.perf_counter() < end:
            body = next(bodies)
            head = (
                f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
                f"accept: application/graphql-response+json\r\n{next(asking)}content-length: {len(body)}\r\n\r\n"
            )
            start = time.perf_counter()
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            size = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            data = await reader.readexactly(size)
            latencies.append(time.perf_counter() - start)
            if b'"errors":[{' in data or not answer.startswith(b"HTTP/1.1 200"):
                wrong += 1
                example = example or data.decode()
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    took = time.perf_counter() - started
    latencies.sort()
    return {
        "rate": len(latencies) / took,
        "p50_ms": latencies[len(latencies) // 2] * 1e3,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1e3,
        "count": len(latencies),
        "wrong": wrong,
        "example": example,
    }


def bodies_of(template: str) -> Iterator[bytes]:
    """The template with a fresh number for each %KEY% and a turn of the list for each %OFFER%."""
    given = json.loads(template)
    offers = given.get("offers") or [""]
    text = json.dumps(given["body"])
    for at in count():
        offer = offers[at % len(offers)]
        yield text.replace("%KEY%", f"{at:032d}{given.get('salt', '')}").replace("%OFFER%", offer).encode()


def main() -> None:
    """Reads the work from standard input and prints the result as JSON."""
    work = json.loads(sys.stdin.read())
    result = asyncio.run(
        run(
            work["url"],
            bodies_of(work["template"]),
            in_flight=work["in_flight"],
            seconds=work["seconds"],
            headers=work["headers"],
        )
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
