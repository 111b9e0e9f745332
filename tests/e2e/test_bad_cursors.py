"""Cursors that were made by hand: every list and every stream refuses them."""

import base64
import json
from typing import Any

import pytest
from tests.api.harness import Socket
from tests.e2e.shop import Shop, code_of
from tests.e2e.wire import FEED


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


PAGES = {
    "orderEvents": "query($a: String) { orderEvents(first: 2, after: $a) { pageInfo { endCursor } } }",
    "orders": "query($a: String) { orders(role: ANYONE, first: 2, after: $a) { pageInfo { endCursor } } }",
    "updated": """query($a: String) { orders(role: ANYONE, first: 2, after: $a, sort: {field: UPDATED_AT}) {
      pageInfo { endCursor } } }""",
    "creators": "query($a: String) { creators(first: 2, after: $a) { pageInfo { endCursor } } }",
    "named": "query($a: String) { creators(first: 2, after: $a, sort: {field: NAME}) { pageInfo { endCursor } } }",
}
NONSENSE = ("", "x", "=", "\x00", "\u00e9", "A" * 1_024, "A" * 1_025, forged(), forged("v1", "events", 2**63 - 1))
PARTS = (2**70, -(2**70), 2**63, 1.5, True, "\ud800", [], {})


@pytest.mark.parametrize("name", PAGES)
def test_a_cursor_that_was_made_by_hand_is_refused_in_every_list(shop: Shop, name: str):
    def ask(cursor: str | None) -> dict[str, Any]:
        body: dict[str, Any] = shop.tool.post(PAGES[name], a=cursor).json()
        return body

    good = next(iter(ask(None)["data"].values()))["pageInfo"]["endCursor"]
    version, scope, *key = json.loads(base64.urlsafe_b64decode(good + "=" * (-len(good) % 4)))
    cursors = [*NONSENSE, forged(version, scope), forged(version, scope, *key, *key), forged("v2", scope, *key)]
    cursors += [forged(version, scope, *key[:at], part, *key[at + 1 :]) for at in range(len(key)) for part in PARTS]
    for cursor in cursors:
        body = ask(cursor)
        extensions = body["errors"][0]["extensions"]
        assert (extensions["code"], extensions["argument"]) == ("BAD_USER_INPUT", ["after"]), (cursor, body)
        assert extensions["reason"] in {"INVALID_CURSOR", "CURSOR_AHEAD"}


@pytest.mark.parametrize("cursor", [*NONSENSE[:-1], forged("v1", "events", -1), forged("v1", "events", "\ud800")])
def test_a_stream_after_a_cursor_made_by_hand_is_refused(shop: Shop, cursor: str):
    for stream in (shop.tool.events(FEED, after=cursor), *_resumed(shop, cursor)):
        with stream:
            first, last = stream.next(), stream.next()
        assert first is not None
        assert code_of(first.data) == "BAD_USER_INPUT"
        assert last is not None
        assert last.name == "complete"
    with Socket(shop.server.socket_url) as wire:
        wire.init(shop.market.token("desk", "service")).subscribe("feed", FEED, after=cursor)
        message = wire.receive()
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert errors[0]["extensions"]["code"] == "BAD_USER_INPUT", message


def _resumed(shop: Shop, cursor: str) -> list[Any]:
    """The same by a header, where a header can hold the cursor."""
    return (
        [shop.tool.events(FEED, last_event_id=cursor)] if cursor.isascii() and cursor.isprintable() and cursor else []
    )
