"""A server of its own for the demo: a process that is started, waited for, and stopped."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx

START_S: Final = 60.0
STOP_S: Final = 15.0
LOOK_S: Final = 0.05
PORTS: Final = range(10_000, 32_768)
"""Below those that connections are given, of which one could take a port before its server does."""


class ServerFailedError(Exception):
    """The server did not start; the message is what it said."""


def free_port() -> int:
    """A port that nobody listens on now."""
    while True:
        port = secrets.choice(PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def serving(data_dir: Path, port: int) -> Iterator[str]:
    """Runs `shoutgraph serve` in a process of its own until the block ends; gives its address.

    Raises:
        ServerFailedError: it ended, or did not answer in time.
    """
    url = f"http://127.0.0.1:{port}"
    log = data_dir / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [
                sys.executable,
                "-m",
                "shoutgraph",
                "serve",
                "--port",
                str(port),
                "--data-dir",
                str(data_dir),
                "--test-clock",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "SHOUTGRAPH_WEBHOOKS_LOCAL": "1"},
        )
    try:
        _wait(process, url, log)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerFailedError(log.read_text(errors="replace"))
        try:
            if httpx.get(f"{url}/health", timeout=1).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(LOOK_S)
    raise ServerFailedError(f"no answer within {START_S} s; {log.read_text(errors='replace')}")
