"""What the plugin's own connections do where the kit cannot look: over TLS, and with answers that never end."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shoutgraph.sdk import NotExecuted, Unknown
from shoutgraph.testkit import watching
from shoutgraph.testkit.kinds import TopUpTrial
from shoutgraph_mollie.config import Mode, MollieConfig
from shoutgraph_mollie.simulator.upstream import API_KEY

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/hal+json\r\ncontent-length: 100000\r\n\r\n"


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that answers a byte at a time."""
    stop = threading.Event()

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(HEAD)
                while not stop.wait(0.02):
                    connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        stop.set()
    thread.join(5)


def test_a_refused_connection_is_tried_once_over_tls_too(staged: Any) -> None:
    async def story(trial: TopUpTrial) -> None:
        address = trial.proxy.refusing_url.removeprefix("http://")
        refused = trial.loaded({**trial.config(), "base_url": f"https://{address}"})
        with watching.effects_of_plugin() as effects:
            assert await trial.send(await trial.deal(), refused) == NotExecuted("unavailable")
        assert effects.connections().count(address) == 1, "the library's own retry is for TLS only"

    staged(story)


def test_an_answer_a_byte_at_a_time_lets_the_thread_go(staged: Any, dripping: str) -> None:
    async def story(trial: TopUpTrial) -> None:
        slow = trial.loaded({**trial.config(), "base_url": dripping})
        provider: Any = trial.guarded(slow).provider
        request = trial.request(replace(await trial.deal(), timeout=timedelta(seconds=0.2)))
        started = time.monotonic()
        assert await asyncio.to_thread(provider.create, request) == Unknown("no_answer")
        assert time.monotonic() - started < 3

    staged(story)


def test_a_connection_is_used_again(staged: Any) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.begun()
        with watching.effects_of_plugin() as effects:
            for _ in range(5):
                await trial.look(deal, ref)
        assert effects.connections() == []

    staged(story)


@pytest.mark.parametrize("url", ["http://api.mollie.com", "http://10.0.0.7:8080", "http://127.0.0.1.shop.test"])
def test_no_key_goes_over_the_network_in_clear(url: str) -> None:
    with pytest.raises(ValidationError, match="without TLS"):
        MollieConfig(mode=Mode.TEST, api_key=API_KEY, base_url=url)
