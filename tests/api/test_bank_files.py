"""File rails: files that people carry to a bank, and statements that come back, by whole documents and real HTTP."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa
from tests.api.filerail import TYPE, Rail
from tests.api.finance import Finance, open_finance
from tests.api.harness import PATIENCE_S
from tests.storage.databases import Place

from shoutgraph.services.payouts import send
from shoutgraph.storage import batches, columns
from shoutgraph.storage.payouts import PayoutRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_T = columns.table_of(PayoutRow)
LOOK_AT = Statement[Any](lambda: sa.select(_T.c.look_at).where(_T.c.id == sa.bindparam("id")))


@pytest.fixture
def finance(place: Place) -> Iterator[Finance]:
    with open_finance(place, Rail()) as finance:
        yield finance


@pytest.fixture(scope="module")
def shared(module_place: Place) -> Iterator[Finance]:
    """One for all that changes nothing."""
    with open_finance(module_place, Rail()) as finance:
        yield finance


def fetch(finance: Finance, link: Any) -> httpx.Response:
    parts = urlsplit(link["url"])
    return httpx.get(f"{finance.served.url}{parts.path}?{parts.query}", timeout=PATIENCE_S)


def exported(finance: Finance) -> tuple[str, Any]:
    payout = finance.approved(1_000)
    finance.tick()
    return payout, finance.batch()


def test_a_payout_goes_by_file_and_comes_back_weeks_later(finance: Finance) -> None:
    payout, batch = exported(finance)
    assert finance.payout(payout)["status"] == "SUBMITTING"
    assert (batch["status"], batch["ref"][:2], batch["handedOverAt"]) == ("EXPORTED", "M-", None)
    assert batch["parts"] == [{"status": "SUBMITTING", "count": 1, "total": {"minorUnits": "1000", "currency": "EUR"}}]
    (file,) = batch["files"]
    assert (file["direction"], file["status"], file["name"]) == ("OUT", "MADE", "payouts.txt")
    answer = fetch(finance, file["download"])
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-type"].startswith("text/x-bank")
    assert f"{finance.key_of(payout)} 1000 12345678" in answer.text
    handed = finance.hand_over(batch["id"])
    assert (handed["errors"], handed["batch"]["status"]) == ([], "HANDED_OVER")
    key = finance.key_of(payout)
    assert finance.state(f"took {key} 1000")["applied"] == 1
    assert (finance.batch()["status"], finance.payout(payout)["status"]) == ("SUBMITTED", "SUBMITTED")
    finance.tick(days=1)
    told = finance.state(f"paid {key} 1000", "paid somebody-else 77", "fee other 3")
    assert (told["applied"], told["foreign"], told["ignored"]) == (1, 1, 1)
    assert told["foreignEntries"] == ["somebody-else"]
    assert finance.payout(payout)["status"] == "PAID"
    assert finance.balance() == {"pending": "0", "available": "0", "inPayout": "0", "paid": "1000"}
    finance.tick(days=31)
    assert finance.state(f"back {key} 1000")["applied"] == 1
    assert (finance.payout(payout)["status"], finance.payout(payout)["failureCode"]) == ("RETURNED", "AC04")
    assert finance.balance() == {"pending": "0", "available": "1000", "inPayout": "0", "paid": "0"}
    again = finance.state(f"back {key} 1000", "note other 1")
    assert (again["applied"], again["known"]) == (0, 1)
    assert finance.balance()["available"] == "1000"


def test_every_download_says_who_fetched_which_bytes(finance: Finance) -> None:
    _, batch = exported(finance)
    (file,) = batch["files"]
    for _ in range(2):
        assert fetch(finance, file["download"]).status_code == 200
    lines = [body for kind, body in finance.told(file["id"]) if kind == "bank_file.downloaded"]
    assert [(line["sha256"], line["by"]) for line in lines] == [(file["sha256"], "staff:finance")] * 2


def test_a_link_to_a_file_ends_and_belongs_to_one_file(finance: Finance) -> None:
    _, batch = exported(finance)
    link = batch["files"][0]["download"]
    other = {"url": link["url"].replace(batch["files"][0]["id"], "bankfile_00000000000000000000000000")}
    assert fetch(finance, other).status_code == 403
    assert fetch(finance, {"url": link["url"].partition("?")[0] + "?token="}).status_code == 403
    left = datetime.fromisoformat(link["expiresAt"]) - finance.world.clock()
    assert 0 < left.total_seconds() <= 120
    finance.world.clock.move(minutes=3)
    assert fetch(finance, link).json()["errors"][0]["extensions"]["code"] == "LINK_EXPIRED"


def test_only_finance_sees_batches_and_files(finance: Finance) -> None:
    payout, batch = exported(finance)
    creator = finance.creator()
    assert creator.code("{ payoutBatches { nodes { id } } }") == "FORBIDDEN"
    assert creator.code("{ bankFiles { nodes { id } } }") == "FORBIDDEN"
    assert creator.data("query($id: ID!) { node(id: $id) { id } }", id=batch["id"])["node"] is None
    one = finance.staff.data("query($id: ID!) { payoutBatch(id: $id) { id status } }", id=batch["id"])
    assert one["payoutBatch"] == {"id": batch["id"], "status": "EXPORTED"}
    statement = f"paid {finance.key_of(payout)} 1000".encode()
    assert finance.post(statement, by=finance.world.people["nova"].user_id or "").status_code == 403
    assert finance.post(statement, by="").status_code == 401
    assert finance.payout(payout)["status"] == "SUBMITTING"


def test_a_batch_is_handed_over_once_and_only_with_files(finance: Finance) -> None:
    _, batch = exported(finance)
    finance.hand_over(batch["id"])
    again = finance.hand_over(batch["id"])
    assert (again["batch"], again["errors"][0]["code"]) == (None, "BATCH_STATE")
    shown = finance.batch()
    assert (shown["handedOverBy"], shown["status"]) == ("staff:finance", "HANDED_OVER")
    assert finance.hand_over("batch_00000000000000000000000000")["errors"][0]["code"] == "NOT_FOUND"


def test_a_file_waits_for_its_person_however_long_it_takes(finance: Finance) -> None:
    payout, batch = exported(finance)
    for _ in range(3):
        finance.tick(days=2)
    assert (finance.payout(payout)["status"], finance.batch()["status"]) == ("SUBMITTING", "EXPORTED")
    assert finance.rail.calls == ["submit 1"]
    finance.hand_over(batch["id"])
    finance.tick(days=2)
    assert finance.payout(payout)["status"] == "SUBMITTING"
    finance.tick(days=2)
    shown = finance.payout(payout)
    assert (shown["status"], shown["review"]) == ("UNKNOWN", "UNKNOWN_FOR_LONG")
    finance.tick(days=1)
    assert finance.rail.calls == ["submit 1"]  # nothing is ever written or sent again
    finance.state(f"paid {finance.key_of(payout)} 1000")
    assert finance.payout(payout)["status"] == "PAID"


def test_a_statement_that_comes_in_several_times_at_once_counts_once(finance: Finance) -> None:
    payout, _ = exported(finance)
    finance.state(f"paid {finance.key_of(payout)} 1000")
    line = f"back {finance.key_of(payout)} 1000".encode()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(finance.post, [line, line, line + b"\n", line + b"\n\n"]))
    assert {answer.status_code for answer in answers} == {200}
    assert finance.payout(payout)["status"] == "RETURNED"
    assert finance.balance() == {"pending": "0", "available": "1000", "inPayout": "0", "paid": "0"}


def test_a_call_that_gave_no_file_is_made_again(finance: Finance) -> None:
    finance.rail.files = False
    payout = finance.approved(1_000)
    finance.tick()
    assert (finance.payout(payout)["status"], finance.batch()["status"]) == ("UNKNOWN", "RESERVED")
    finance.rail.files = True
    finance.tick(seconds=10)
    assert (finance.payout(payout)["status"], finance.batch()["status"]) == ("SUBMITTING", "EXPORTED")
    assert finance.rail.calls == ["submit 1", "submit 2"]


def test_a_bank_that_speaks_first_has_the_file(finance: Finance) -> None:
    payout, _ = exported(finance)
    finance.state(f"paid {finance.key_of(payout)} 1000")
    shown = finance.batch()
    assert (shown["status"], shown["handedOverBy"]) == ("SUBMITTED", "bank")


def test_what_is_said_of_a_whole_batch_counts_for_those_in_flight(finance: Finance) -> None:
    one, two = finance.approved(1_000, name="nova"), finance.approved(2_000, name="vega")
    finance.tick()
    batch = finance.batch()
    finance.hand_over(batch["id"])
    key = finance.world.read(lambda tx: batches.get(tx, batch["id"])).key
    assert finance.state(f"took {finance.key_of(one)} 1000", f"no {key} 0")["applied"] == 2
    assert finance.payout(one)["status"] == "SUBMITTED"
    assert finance.payout(two)["status"] == "REJECTED"
    assert finance.balance("vega")["available"] == "2000"


def test_the_same_statement_is_taken_in_once(finance: Finance) -> None:
    payout, _ = exported(finance)
    line = f"paid {finance.key_of(payout)} 1000"
    first, again = finance.state(line), finance.state(line)
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert (again["id"], again["applied"]) == (first["id"], 1)
    shown = """{ bankFiles(filter: {direction: IN}) { nodes { id status madeBy summary { appliedCount } } } }"""
    (file,) = finance.staff.data(shown)["bankFiles"]["nodes"]
    assert (file["status"], file["madeBy"], file["summary"]) == ("READ", "staff:finance", {"appliedCount": 1})


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"what is this", "text/x-bank", 422, "STATEMENT_UNREADABLE"),
        (b"\xff\xfe", "text/x-bank", 422, "STATEMENT_UNREADABLE"),
        (b"crash", "text/x-bank", 500, "STATEMENT_PLUGIN_FAULT"),
        (b"took one 1", "application/pdf", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"", "text/x-bank", 400, "BANK_FILE"),
    ],
)
def test_what_is_no_statement_is_refused(shared: Finance, body: bytes, media_type: str, status: int, code: str) -> None:
    answer = shared.post(body, media_type=media_type)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (status, code)


def test_what_a_newer_plugin_understands_is_read_when_it_comes_again(finance: Finance) -> None:
    payout, _ = exported(finance)
    line = f"paid {finance.key_of(payout)} 1000".encode()
    finance.rail.reads = False
    for _ in range(2):
        refusal = finance.post(line)
        assert (refusal.status_code, "newer version" in refusal.text) == (422, True)
    assert [kind for kind, _ in finance.told(_only_file(finance)["id"])] == ["bank_file.received", "bank_file.read"]
    finance.rail.reads = True
    assert finance.post(line).json()["status"] == "READ"
    assert (finance.payout(payout)["status"], _only_file(finance)["status"]) == ("PAID", "READ")
    assert finance.post(line).json()["repeated"] is True


def _only_file(finance: Finance) -> Any:
    (file,) = finance.staff.data("{ bankFiles(filter: {direction: IN}) { nodes { id status } } }")["bankFiles"]["nodes"]
    return file


def test_a_bank_that_speaks_of_a_batch_means_the_one_that_has_its_payouts(finance: Finance) -> None:
    finance.rail.busy = 1
    payout = finance.approved(1_000)
    finance.tick()
    finance.tick(minutes=10)
    batch = finance.batch()  # of the same payout, and so with the key of the first one
    finance.hand_over(batch["id"])
    key = finance.world.read(lambda tx: batches.get(tx, batch["id"])).key
    assert finance.state(f"no {key} 0")["applied"] == 1
    assert finance.payout(payout)["status"] == "REJECTED"


def test_a_statement_for_nobody_is_not_found(finance: Finance) -> None:
    assert finance.post(b"took one 1", instance="nobody").status_code == 404


def test_a_statement_that_is_too_large_is_not_read(finance: Finance) -> None:
    for many in (1, 2, 1_048_576):
        refusal = finance.post(b"x" * (8 * 1_048_576 + many))
        assert (refusal.status_code, refusal.json()["errors"][0]["extensions"]["code"]) == (413, "BODY_TOO_LARGE")


def test_of_those_who_may_not_nothing_is_read(finance: Finance) -> None:
    creator = finance.creator() and (finance.world.people["nova"].user_id or "")
    for who, status in (("", 401), (creator, 403)):
        head = f"POST /bank-files/bank HTTP/1.1\r\nhost: x\r\ncontent-type: {TYPE}\r\ncontent-length: 8000000\r\n"
        signed = f"authorization: Bearer {who}\r\n" if who else ""
        address = urlsplit(finance.served.url)
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=PATIENCE_S) as raw:
            raw.sendall((head + signed + "\r\n").encode())  # and never a byte of the body
            assert raw.recv(1_000).split()[1] == str(status).encode()


def test_a_statement_that_broke_its_plugin_is_read_when_it_comes_again(finance: Finance) -> None:
    assert finance.post(b"crash").status_code == 500
    (file,) = finance.staff.data("{ bankFiles { nodes { status } } }")["bankFiles"]["nodes"]
    assert file["status"] == "RECEIVED"
    assert finance.post(b"crash").json()["errors"][0]["extensions"]["code"] == "STATEMENT_PLUGIN_FAULT"


def test_another_amount_is_looked_at_by_people(finance: Finance) -> None:
    payout, _ = exported(finance)
    finance.state(f"paid {finance.key_of(payout)} 999")
    shown = finance.payout(payout)
    assert (shown["status"], shown["review"]) == ("UNKNOWN", "AMOUNT_MISMATCH")
    assert finance.balance()["inPayout"] == "1000"


def test_a_file_that_comes_out_differently_is_an_alarm_and_never_a_second_file(finance: Finance) -> None:
    _, batch = exported(finance)
    finance.rail.salt = "another day"
    stored = finance.world.read(lambda tx: batches.get(tx, batch["id"]))
    late = replace(stored, answer_due_at=finance.world.clock() + timedelta(minutes=5))
    finance.world.run(send.hand_over(finance.world.tools, late))
    shown = finance.batch()
    assert (shown["alarm"], shown["files"][0]["sha256"]) == ("FILE_DIFFERS", batch["files"][0]["sha256"])
    assert len(shown["files"]) == 1
    assert [kind for kind, _ in finance.told(batch["id"])] == ["payout_batch.file_differs"]
    assert finance.hand_over(batch["id"])["errors"][0]["code"] == "BATCH_ALARM"


def test_the_same_file_made_again_is_kept_once(finance: Finance) -> None:
    _, batch = exported(finance)
    stored = finance.world.read(lambda tx: batches.get(tx, batch["id"]))
    late = replace(stored, answer_due_at=finance.world.clock() + timedelta(minutes=5))
    finance.world.run(send.hand_over(finance.world.tools, late))
    shown = finance.batch()
    assert (shown["alarm"], len(shown["files"]), shown["status"]) == (None, 1, "EXPORTED")


def test_a_payout_is_followed_by_whom_it_concerns(finance: Finance) -> None:
    payout, _ = exported(finance)
    finance.world.write(lambda _: None)
    events = """query($id: ID!) { payoutEvents(filter: {payoutIds: [$id]}) { nodes { id
      ... on PayoutStatusChangedEvent { previousStatus status payoutRevision payout { id status } } } } }"""
    found = finance.creator().data(events, id=payout)["payoutEvents"]["nodes"]
    assert [each["status"] for each in found] == ["REQUESTED", "APPROVED", "SUBMITTING"]
    assert found[-1]["payout"] == {"id": payout, "status": "SUBMITTING"}
    assert finance.staff.data(events, id=payout)["payoutEvents"]["nodes"] == found
    assert finance.creator("vega").data(events, id=payout)["payoutEvents"]["nodes"] == []
    live = "subscription($id: ID!) { payoutEvents(filter: {payoutIds: [$id]}) { status } }"
    with finance.creator().events(live, id=payout) as stream:
        finance.state(f"paid {finance.key_of(payout)} 1000")
        finance.world.write(lambda _: None)
        told = stream.next()
    assert told is not None
    assert told.data["data"]["payoutEvents"]["status"] == "PAID"


def test_staff_see_how_a_provider_is(finance: Finance) -> None:
    health = """{ providerHealth { code plugin kind state openBreakers openCount unresolvedCount lastSuccessAt
      lastFailureAt lastWebhookAt } }"""
    exported(finance)
    (shown,) = finance.staff.data(health)["providerHealth"]
    assert (shown["code"], shown["kind"], shown["state"], shown["openBreakers"]) == ("bank", "PAYOUT", "active", [])
    assert (shown["openCount"], shown["unresolvedCount"], shown["lastWebhookAt"]) == (1, 0, None)
    assert finance.creator().code(health) == "FORBIDDEN"


def test_what_is_paid_is_looked_at_until_it_cannot_come_back(finance: Finance) -> None:
    payout, _ = exported(finance)
    finance.state(f"paid {finance.key_of(payout)} 1000")
    looks = []
    for _ in range(10):
        finance.tick(days=7, seconds=1)
        looks.append(finance.world.read(lambda tx: _look_at(tx, payout)) is not None)
    assert looks == [True] * 8 + [False] * 2  # the last one is when the 60 days of the rail are over
    finance.state(f"back {finance.key_of(payout)} 1000")  # and a bank is believed even then
    assert finance.payout(payout)["status"] == "RETURNED"


def _look_at(tx: Tx, payout_id: str) -> datetime | None:
    ((due,),) = tx.all(LOOK_AT, id=payout_id)
    return due
