"""Servers that others wrote, in processes of their own, and where to find the interpreters that have them."""

import importlib.util
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

PATIENCE_S = 20.0


def interpreter(variable: str, module: str) -> str:
    """The Python that has a module: one that is named, else this one; without any, the test is skipped."""
    named = os.environ.get(variable)
    if named:
        return named
    if importlib.util.find_spec(module) is None:
        reason = f"{module} is not installed, and {variable} names no Python that has it"
        pytest.skip(reason)  # its libraries fight with ours, so it runs where somebody set it up
    return sys.executable


@contextmanager
def running(command: Sequence[str], port: int, **environ: str) -> Iterator[str]:
    """A server in a process of its own, until the end."""
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(  # noqa: S603 -- a program that the developer named
        command, env={**os.environ, **environ}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not _answers(url):
            assert process.poll() is None, "the server ended before it began"
            assert time.monotonic() < deadline, "the server took too long to start"
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=1)
    except httpx.TransportError:
        return False
    return True


class Ear:
    """Hears the webhooks that a server sends."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, dict[str, str]]] = []
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                heard.append((body, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks/stripe"

    @contextmanager
    def listening(self) -> Iterator["Ear"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(PATIENCE_S)

    def wait_for(self, kind: str) -> tuple[bytes, dict[str, str]]:
        """The first webhook of a type."""
        wanted = f'"{kind}"'.encode()
        deadline = time.monotonic() + PATIENCE_S
        while True:
            for body, headers in self.heard:
                if wanted in body:
                    return body, headers
            assert time.monotonic() < deadline, f"no {kind} was told"
            time.sleep(0.02)
