"""The plugin against `mock-bank`, a bank that others wrote: a real server on 127.0.0.1, driven over HTTP.

It is an extra of its own (`shoutgraph-sepa[test]`); without it these tests are skipped.
"""

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from shoutgraph.sdk import Artifact, Money, Notice, Paid, Pending, Rejected, Returned, Unknown

pytest.importorskip("mockbank")
from mockbank.server import Config, make_server

pytestmark = pytest.mark.anyio

ABROAD = "DE89370400440532013000||Jürgen Weiß"
CLOSED = "NL84MOCK0000000003||Initech Services N.V."
NO_BANK = "NL57MOCK0000000004|ZZZZNL2AXXX|Eurodis Handels GmbH"
PAYER = "ACME"


class MockBank:
    """Its HTTP interface."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        line = HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            line.request(method, path, body, {"Accept": "application/json"})
            answer = line.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            line.close()

    def mailbox(self) -> list[tuple[str, bytes]]:
        _, messages = self.ask("GET", "/_mock/mailbox")
        return [(each["type"], each["body"].encode()) for each in messages]

    def behave(self, how: str, **parameters: object) -> None:
        body = json.dumps({"behaviour": how, "parameters": parameters}).encode()
        status, answer = self.ask("PATCH", f"/_mock/accounts/{PAYER}", body)
        assert status == 200, answer


@pytest.fixture
def bank() -> Iterator[MockBank]:
    server = make_server(Config(port=0, quiet=True, clock="2026-11-20T09:00"))  # a Friday
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield MockBank(server.server_address[1])
    server.shutdown()
    thread.join()
    server.server_close()


def told(world: Any, bank: MockBank) -> list[tuple[str, Notice]]:
    return [
        (kind, notice)
        for kind, body in bank.mailbox()
        for notice in world.payouts.ingest(Artifact("mail.xml", "application/xml", body))
    ]


def seen(news: list[tuple[str, Notice]]) -> dict[str, list[tuple[str, Any]]]:
    found: dict[str, list[tuple[str, Any]]] = {}
    for kind, notice in news:
        found.setdefault(notice.target.operation_id, []).append((kind[:8], notice.observation))
    return found


async def test_the_bank_finds_nothing_wrong_with_a_file(world: Any, bank: MockBank) -> None:
    body = await world.file(world.batch(world.item(100), world.item(99_999_999_999), world.item(4_250, NO_BANK)))
    status, answer = bank.ask("POST", "/_mock/validate", body)
    assert (status, answer["findings"]) == (200, [])


async def test_accepted_payments_are_booked_and_stated_and_refused_ones_say_why(world: Any, bank: MockBank) -> None:
    items = [world.item(3_000, ABROAD), world.item(4_000, CLOSED), world.item(5_000, NO_BANK), world.item(6_001)]
    status, answer = bank.ask("POST", "/payments", await world.file(world.batch(*items)))
    assert (status, answer["status"]) == (202, "PART")
    first = seen(told(world, bank))
    kinds = [[(kind, type(each)) for kind, each in first[item.item_id]] for item in items]
    assert kinds == [
        [("pain.002", Pending)],
        [("pain.002", Rejected)],
        [("pain.002", Rejected)],
        [("pain.002", Pending)],
    ]
    assert [first[item.item_id][0][1].code for item in items[1:3]] == ["AC04", "RC01"]
    bank.ask("POST", "/_mock/advance?days=4")
    later = seen(told(world, bank))
    assert later.keys() == {items[0].item_id, items[3].item_id}
    for item in (items[0], items[3]):
        assert [(kind, type(each)) for kind, each in later[item.item_id]] == [("camt.054", Paid), ("camt.053", Paid)]
        assert {each.amount for _, each in later[item.item_id]} == {item.amount}
        assert {each.ref for _, each in later[item.item_id]} == {first[item.item_id][0][1].ref}


async def test_a_file_that_comes_twice_gives_nothing_back(world: Any, bank: MockBank) -> None:
    item = world.item(3_000)
    body = await world.file(world.batch(item))
    assert bank.ask("POST", "/payments", body)[0] == 202
    assert [type(each) for _, each in seen(told(world, bank))[item.item_id]] == [Pending]
    status, answer = bank.ask("POST", "/payments", await world.file(world.batch(item)))
    assert (status, answer["status"]) == (422, "RJCT")
    mail = bank.mailbox()
    assert b"DUPL" in mail[0][1]
    assert [each.observation for each in world.read(mail[0][1])] == [Unknown("duplicate")]
    bank.ask("POST", "/_mock/advance?days=4")
    assert {type(each) for _, each in seen(told(world, bank))[item.item_id]} == {Paid}


async def test_a_file_that_is_refused_as_a_whole_names_its_batch(world: Any, bank: MockBank) -> None:
    bank.behave("reject-file")
    status, _ = bank.ask("POST", "/payments", await world.file(world.batch(world.item(3_000), key="batch_7")))
    assert status == 422
    ((kind, notice),) = told(world, bank)
    assert (kind[:8], notice.target.operation_id, notice.observation) == ("pain.002", "batch_7", Rejected(None, "FF01"))


async def test_what_was_paid_comes_back_days_later_under_its_own_ref(world: Any, bank: MockBank) -> None:
    bank.behave("return-later", days=3, reason="AC04")
    item = world.item(3_000)
    bank.ask("POST", "/payments", await world.file(world.batch(item)))
    bank.ask("POST", "/_mock/advance?days=3")
    paid = {each for kind, each in seen(told(world, bank))[item.item_id] if kind == "camt.054"}
    bank.ask("POST", "/_mock/advance?days=6")
    later = seen(told(world, bank))[item.item_id]
    came_back = {kind: each for kind, each in later if isinstance(each, Returned)}
    assert came_back.keys() == {"pacs.004", "camt.054", "camt.053"}
    assert {(each.code, each.amount) for each in came_back.values()} == {("AC04", Money(3_000, "EUR"))}
    assert {each.ref for each in came_back.values()} == {each.ref for each in paid}


async def test_a_silent_bank_says_nothing_of_a_file(world: Any, bank: MockBank) -> None:
    bank.behave("silent")
    status, _ = bank.ask("POST", "/payments", await world.file(world.batch(world.item(3_000))))
    assert status == 202
    assert bank.mailbox() == []


async def test_money_that_somebody_sends_is_no_return(world: Any, bank: MockBank) -> None:
    item = world.item(3_000)
    bank.ask("POST", "/payments", await world.file(world.batch(item)))
    reference = seen(told(world, bank))[item.item_id][0][1].ref
    credit = {"account": PAYER, "amount": 3_000, "end_to_end_id": reference, "debtor": {"name": "Jürgen Weiß"}}
    status, answer = bank.ask("POST", "/_mock/credits", json.dumps(credit).encode())
    assert status in {200, 201}, answer
    bank.ask("POST", "/_mock/advance?days=5")
    assert {type(each) for _, each in seen(told(world, bank))[item.item_id]} == {Paid}
