"""The least of HTTP: one request on one connection. The tests make thousands of them."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from shoutgraph.sdk import HttpAnswer, NoAnswer, NotSent


async def request(method: str, url: str, headers: dict[str, str], content: bytes | None) -> HttpAnswer:
    parts = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except OSError as error:
        raise NotSent("no connection") from error
    try:
        return await _exchange(reader, writer, method, url.removeprefix(f"http://{parts.netloc}"), headers, content)
    except (OSError, EOFError, ValueError) as error:
        raise NoAnswer("no answer") from error
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    method: str,
    target: str,
    headers: dict[str, str],
    content: bytes | None,
) -> HttpAnswer:
    body = content or b""
    sent = {"host": "acme", "content-length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    writer.write(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body)
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    pairs = (line.partition(":") for line in lines[1:] if line)
    told = {name.lower(): value.strip() for name, _, value in pairs}
    return HttpAnswer(int(lines[0].split()[1]), told, await reader.readexactly(int(told["content-length"])))
