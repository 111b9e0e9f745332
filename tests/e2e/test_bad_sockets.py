"""Messages that no client of the protocol sends over a socket."""

import json

import pytest
from tests.api.harness import Socket
from tests.e2e.crowd import PLACE, new_key, wish
from tests.e2e.shop import Shop
from tests.e2e.wire import FEED


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", 4400),
        ("{", 4400),
        ("null", 4400),
        ("[]", 4400),
        ('{"type": 7}', 4400),
        ('{"type": "subscribe"}', 4400),
        ('{"type": "subscribe", "id": 7, "payload": {}}', 4400),
        ('{"type": "subscribe", "id": "", "payload": {}}', 4400),
        (json.dumps({"type": "subscribe", "id": "x" * 129}), 4400),
        ('{"type": "complete"}', 4400),
        ('{"type": "ping", "payload": "\\ud800"}', 4400),
        ("[" * 30_000, 4400),
        (b"\x00\xff", 4400),
        ('{"type": "connection_init"}', 4429),
        ('{"type": "ping", "payload": "%s"}' % ("x" * 2**20), 1009),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_message_of_no_sense_closes_the_socket_with_a_code(shop: Shop, message: str | bytes, code: int):
    with Socket(shop.server.socket_url) as wire:
        wire.init(shop.market.token(shop.market.rich_id)).send_text(message)
        assert wire.closed()[0] == code


def test_a_socket_that_has_not_said_who_it_is_places_no_order(shop: Shop):
    with Socket(shop.server.socket_url) as wire:
        wire.subscribe("1", PLACE, input=wish(shop.market.sellers[0].offer_id, new_key()))
        assert wire.closed()[0] == 4401


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (None, "BAD_REQUEST"),
        ([], "BAD_REQUEST"),
        ({"query": 7}, "BAD_REQUEST"),
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{nothing}"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": PLACE, "variables": {"input": {}}}, "BAD_USER_INPUT"),
        ({"query": PLACE, "variables": {"input": {"expectedPrice": -1}}}, "BAD_USER_INPUT"),
        ({"query": FEED, "variables": {"after": 7}}, "BAD_USER_INPUT"),
        ({"query": FEED, "variables": {"after": "\x00"}}, "BAD_USER_INPUT"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_operation_fails_alone(shop: Shop, payload: object, code: str):
    with Socket(shop.server.socket_url) as wire:
        wire.init(shop.market.token(shop.market.rich_id))
        wire.send({"type": "subscribe", "id": "\x00", "payload": payload})
        message = wire.receive()
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert (message["id"], errors[0]["extensions"]["code"]) == ("\x00", code)
        if message["type"] == "next":
            assert wire.receive()["type"] == "complete"
        wire.subscribe("2", "{ __typename }")
        assert wire.next("2")["data"] == {"__typename": "Query"}
