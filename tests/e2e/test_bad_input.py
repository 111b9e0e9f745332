"""What no honest client sends: it is refused with a code, changes nothing, and leaves no trace but the refusal."""

import contextlib
import socket
from typing import Any

import pytest
from tests.api.harness import PATIENCE_S, Client
from tests.e2e import crowd
from tests.e2e.shop import Shop, refusal

MIB = 2**20


def query(text: str, variables: str = "{}") -> bytes:
    return b'{"query": "%s", "variables": %s}' % (text.encode(), variables.encode())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "BAD_REQUEST"),
        (b"{", "BAD_REQUEST"),
        (b"null", "BAD_REQUEST"),
        (b"[]", "BAD_REQUEST"),
        (b'[{"query":"{__typename}"}]', "BAD_REQUEST"),
        (b'"{__typename}"', "BAD_REQUEST"),
        (b'{"query":1}', "BAD_REQUEST"),
        (b'{"query":null}', "BAD_REQUEST"),
        (b'{"query":""}', "BAD_REQUEST"),
        (b'{"query":"{__typename}","variables":[]}', "BAD_REQUEST"),
        (b'{"query":"{__typename}","variables":"{}"}', "BAD_REQUEST"),
        (b'{"query":"{__typename}","operationName":1}', "BAD_REQUEST"),
        (b'{"query":"{__typename}","extensions":7}', "BAD_REQUEST"),
        (query("{__typename}", '{"a": NaN}'), "BAD_REQUEST"),
        (query("{__typename}", '{"a": "\\ud800"}'), "BAD_REQUEST"),
        (query("{__typename}", "[" * 50_000), "BAD_REQUEST"),
        (query("{__typename}", '{"a": %s}' % ("[" * 20_000 + "]" * 20_000)), "BAD_REQUEST"),
        ('{"query":"{__typename}"}'.encode("utf-16"), "BAD_REQUEST"),
        (b'{"query":"{__typename}\xff"}', "BAD_REQUEST"),
        (query("{"), "GRAPHQL_PARSE_FAILED"),
        (query("{__typename\\u0000}"), "GRAPHQL_PARSE_FAILED"),
        (query("{a" + "{a" * 900), "DOCUMENT_LIMIT"),
        (query("{nothing}"), "GRAPHQL_VALIDATION_FAILED"),
        (query("{__typename}" * 900), "DOCUMENT_LIMIT"),
        (query("{" + "a:__typename " * 1_500 + "}"), "DOCUMENT_LIMIT"),
        (query("query($a:Int!){__typename @skip(if:$a)}"), "GRAPHQL_VALIDATION_FAILED"),
        (query("query($a:ID!){order(id:$a){id}}"), "BAD_USER_INPUT"),
        (query("query A{__typename} query B{__typename}"), "BAD_USER_INPUT"),
        (query("{__typename}", '{"a":"%s"}' % ("x" * MIB)), "BODY_TOO_LARGE"),
    ],
)
def test_a_body_that_is_no_request_is_refused(shop: Shop, body: bytes, code: str):
    assert refusal(shop.send(body)) == code


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/json; charset=utf-16"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-encoding": "gzip"}, 415),
        ({"accept": "image/png"}, 406),
        ({"content-length": "9" * 30}, 400),
        ({"content-length": "-1"}, 400),
    ],
)
def test_a_body_in_a_strange_wrapping_is_refused(shop: Shop, headers: dict[str, str], status: int):
    if "content-length" in headers:
        head = f"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{_lines(headers)}\r\n"
        assert _talk(shop, head.encode() + b"{}").startswith((b"HTTP/1.1 400", b"HTTP/1.1 413"))
    else:
        assert shop.send(query("{__typename}"), **headers).status_code == status


@pytest.mark.parametrize(
    "text",
    [
        b"GARBAGE\r\n\r\n",
        b"GET /graphql HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /graphql?query=%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET /graphql?query={__typename}&query={a} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET /graphql HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_hardly_http_is_refused(shop: Shop, text: bytes):
    answer = _talk(shop, text)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer
    assert b"Traceback" not in answer


def _lines(headers: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


def _talk(shop: Shop, text: bytes) -> bytes:
    """Says something to the port, then listens until the other side hangs up."""
    with socket.create_connection(("127.0.0.1", shop.server.port), timeout=PATIENCE_S) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.recv(65_536):
                answer += chunk
        return answer


WRONG_COINS = (
    *(-1, 1.5, True, 2**63, [], {}, None),
    *("-1", "", " 5", "5 ", "1e3", "1.0", "0x10", "1_000", "\u0665", "NaN", str(2**63), "9" * 400),
)


@pytest.mark.parametrize("coins", WRONG_COINS, ids=repr)
def test_an_amount_that_is_none_is_refused(shop: Shop, coins: object):
    wish = crowd.wish(shop.market.sellers[0].offer_id, crowd.new_key()) | {"expectedPrice": coins}
    assert refusal(shop.fan.post(crowd.PLACE, input=wish)) == "BAD_USER_INPUT"


@pytest.mark.parametrize("change", [{"express": "yes"}, {"brief": []}, {"brief": None}, {"offerId": 1.5}, {"more": 1}])
def test_an_input_of_another_type_or_with_more_fields_is_refused(shop: Shop, change: dict[str, object]):
    wish = crowd.wish(shop.market.sellers[0].offer_id, crowd.new_key()) | change
    assert refusal(shop.fan.post(crowd.PLACE, input=wish)) == "BAD_USER_INPUT"


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "k" * 15 + " ", "k" * 15 + "\x00", "\u043a" * 20, 7, None])
def test_a_key_that_is_none_is_refused(shop: Shop, key: object):
    wish = crowd.wish(shop.market.sellers[0].offer_id, "") | {"idempotencyKey": key}
    assert refusal(shop.fan.post(crowd.PLACE, input=wish)) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"offerId": "order"}, "input.offerId", "INVALID_ID"),
        ({"offerId": "\x00"}, "input.offerId", "INVALID_ID"),
        ({"offerId": "x" * 50_000}, "input.offerId", "INVALID_ID"),
        ({"offerId": "offer_" + "0" * 26}, "input.offerId", "NOT_FOUND"),
        ({"expectedPrice": 0}, "input.expectedPrice", "PRICE_CHANGED"),
        ({"expectedPrice": 2**63 - 1}, "input.expectedPrice", "PRICE_CHANGED"),
        ({"recipientName": ""}, "input.brief.recipientName", "EMPTY"),
        ({"recipientName": "\x00Ada"}, "input.brief.recipientName", "INVALID_TEXT"),
        ({"recipientName": "\x1b[31mAda"}, "input.brief.recipientName", "INVALID_TEXT"),
        ({"instructions": "x" * 50_000}, "input.brief.instructions", "TOO_LONG"),
        ({"language": "en\x00"}, "input.brief.language", "INVALID_LANGUAGE"),
        ({"mustSay": ["a"] * 6}, "input.brief.mustSay", "TOO_MANY"),
        ({"mustNotSay": ["\x00"]}, "input.brief.mustNotSay", "INVALID_TEXT"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_order_that_breaks_a_rule_is_refused_with_its_path(shop: Shop, change: dict[str, Any], path: str, code: str):
    wish = crowd.wish(shop.market.sellers[0].offer_id, crowd.new_key())
    own = {name: value for name, value in change.items() if name in wish}
    wish |= own | {"brief": wish["brief"] | {name: value for name, value in change.items() if name not in own}}
    if wish["offerId"] == "order":
        wish["offerId"] = shop.order_id
    payload = shop.fan.data(crowd.PLACE, input=wish)["orderPlace"]
    assert payload["order"] is None
    assert [(error["code"], ".".join(error["path"])) for error in payload["errors"]] == [(code, path)]


@pytest.mark.parametrize("reason", ["", " ", "\x00", "x" * 65])
def test_a_move_for_no_good_reason_is_refused(shop: Shop, reason: str):
    given = {"idempotencyKey": crowd.new_key(), "orderId": shop.order_id, "reason": reason, "note": "No."}
    desk = Client(shop.server.url, shop.market.token("desk", "moderator"))
    payload = desk.data(crowd.move("orderScreenReject"), input=given)["orderScreenReject"]
    assert (payload["order"], payload["errors"][0]["path"]) == (None, ["input", "reason"])
    desk.close()
