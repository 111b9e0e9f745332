"""The chapter of tools that are told by webhook: a receiver beside the server, and a secret's successor."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

EVENTS: Final = 3
"""The test, the rule, and its end."""
LOOK_S: Final = 0.05
BODY_BYTES_MAX: Final = 65_536


@contextmanager
def _receiver() -> Iterator[tuple[str, list[str]]]:
    """Somebody's server, and the message ids that it got."""
    got: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(min(int(self.headers["content-length"]), BODY_BYTES_MAX))
            got.append(self.headers["webhook-id"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own words
            """Nothing: the story is told elsewhere."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": LOOK_S}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        server.server_close()


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    admin, tell = story.admin, story.tell
    with _receiver() as (url, got):
        wish = {"url": url, "label": "A tool", "eventTypes": ["feature.changed"]}
        made = admin.do("webhookEndpointCreate", "secret endpoint { id }", **wish)
        of = {"webhookEndpointId": made["endpoint"]["id"]}
        tell.step(admin.name, "platform", "has a tool told of events", f"its secret, once: {made['secret'][:11]}...")
        tested = admin.run("webhookTest", "delivery { attempts { status durationMilliseconds } }", **of)
        [attempt] = tested["delivery"]["attempts"]
        tell.step(
            admin.name, "platform", "sends it a test", f"{attempt['status']} in {attempt['durationMilliseconds']} ms"
        )
        admin.do("featureRuleSet", "rule { version }", feature="GIFTS", reason="Something to tell of")
        admin.do("featureRuleRemove", "feature", feature="GIFTS", reason="For everyone again")
        story.until(lambda: len(got), lambda heard: heard == EVENTS)
        tell.step("A tool", "tool", "hears of two events, in order", ", ".join(each[:14] for each in got[1:3]))
        admin.do("webhookSecretRotate", "secret", **of)
        admin.do("webhookEndpointDisable", "endpoint { status }", **of)
        tell.step(admin.name, "platform", "rotates the secret, and lets the tool go", "both sign for a day")
