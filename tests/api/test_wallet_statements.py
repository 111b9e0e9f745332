"""Statements that a person can read: in words, along a key that never loses its place, and as a file that adds up."""

import csv
import io
from typing import Any

import httpx
import pytest
from tests.api.cast import Cast
from tests.api.harness import PATIENCE_S
from tests.api.test_statements import check_plans, plan_of
from tests.storage.databases import Kind
from typer.testing import CliRunner

from shoutgraph.cli.commands import main
from shoutgraph.domain import statements
from shoutgraph.storage import journal
from shoutgraph.storage.tx import Tx

LINES = """query ($first: Int, $after: String, $last: Int, $before: String) { wallet {
  statement(first: $first, after: $after, last: $last, before: $before) {
  nodes { kind code words coin coins balance ref orderId topUpId lots { coins topUpId worth { minorUnits currency } } }
  pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } }"""
EARNED = """{ earnings { pending { coins } available { coins } statement(first: 100) {
  nodes { kind code words part coins balance orderId giftId payoutId } } } }"""
FILE = "query ($since: DateTime) { walletStatementExport(movedSince: $since) { url expiresAt } }"


def page(cast: Cast, **asked: object) -> Any:
    return cast.deployment.ask("fan", LINES, **asked)["wallet"]["statement"]


def fetched(url: str) -> list[dict[str, str]]:
    answer = httpx.get(url, timeout=PATIENCE_S)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8"))))


def test_every_page_in_both_directions_tells_the_same_lines_though_more_are_written(cast: Cast) -> None:
    whole = page(cast, first=100)["nodes"]
    assert len(whole) > 12
    forth, after = [], None
    while True:
        found = page(cast, first=3, after=after)
        forth += found["nodes"]
        after = found["pageInfo"]["endCursor"]
        if len(forth) == 6:
            cast.gift()  # newer lines do not come between
        if not found["pageInfo"]["hasNextPage"] or len(forth) >= len(whole):
            break
    assert forth[: len(whole)] == whole
    back, before = [], after
    while len(back) < len(forth):
        found = page(cast, last=4, before=before)
        back = found["nodes"] + back
        before = found["pageInfo"]["startCursor"]
        if not found["pageInfo"]["hasPreviousPage"]:
            break
    assert back[-len(forth) + 1 :] == forth[:-1], "backward, the lines before it"
    assert (len(back), back[0]["kind"]) == (len(forth), "gift"), "and what was written since"


def test_a_line_says_what_it_was_and_what_its_coins_had_cost(cast: Cast) -> None:
    order = cast.order("COMPLETED")
    cast.deployment.do("finance", "orderRefund", "adjustment { id }", orderId=order["id"], coins="100", reason="LATE")
    refund, *_ = page(cast, first=3)["nodes"]
    assert (refund["words"], refund["orderId"]) == ("Order refunded", order["id"])
    assert refund["code"] in {"PAID_ORDER_REFUNDED", "PROMO_ORDER_REFUNDED"}
    for line in page(cast, first=100)["nodes"]:
        assert sum(int(part["coins"]) for part in line["lots"]) == (0 if line["coin"] == "DEBT" else int(line["coins"]))
        assert line["words"]
        assert line["topUpId"] or line["kind"] != "topup.succeeded"


@pytest.mark.parametrize(("size", "key"), [("first", "after"), ("last", "before")])
def test_a_statement_is_read_along_its_key_and_never_sorted(cast: Cast, size: str, key: str) -> None:
    to = cast.deployment
    asked = {size: 5, key: page(cast, first=3)["pageInfo"]["endCursor"]}
    _, statements = to.counted("fan", LINES, **asked)
    assert len(statements) <= 10, statements
    if to.place.kind is Kind.SQLITE:
        check_plans(to)
        (sql,) = [sql for sql in to.statements if "UNION ALL" in sql]
        plan = plan_of(to, sql)
        assert not [line for line in plan if "ORDER BY" in line], plan
        assert sum("account_id=? AND version" in line for line in plan) == 3, plan


def test_a_file_adds_up_from_its_opening_to_its_closing_balance(cast: Cast) -> None:
    to = cast.deployment
    wallet = to.ask("fan", "{ wallet { available promo debt } }")["wallet"]
    lines = fetched(to.ask("fan", FILE)["walletStatementExport"]["url"])
    check_sums(lines, {"PAID": wallet["available"], "PROMO": wallet["promo"], "DEBT": wallet["debt"]})
    dates = [line["date"] for line in lines if line["coins"]]
    middle = dates[len(dates) // 2]
    rest = fetched(to.ask("fan", FILE, since=middle)["walletStatementExport"]["url"])
    check_sums(rest, {"PAID": wallet["available"], "PROMO": wallet["promo"], "DEBT": wallet["debt"]})
    assert [line for line in rest if line["coins"]] == [
        line for line in lines if line["coins"] and line["date"] >= middle
    ]
    earned = to.ask("creator", EARNED)["earnings"]
    file = to.ask("creator", "{ earningsStatementExport { url } }")["earningsStatementExport"]["url"]
    of_creator = fetched(file)
    check_sums(of_creator, {"PENDING": earned["pending"]["coins"], "AVAILABLE": earned["available"]["coins"]})
    shown = [(each["code"], each["coins"], each["balance"]) for each in reversed(earned["statement"]["nodes"])]
    assert [(each["code"], each["coins"], each["balance"]) for each in of_creator if each["coins"]][
        -len(shown) :
    ] == shown
    assert {"PENDING_ORDER_CLOSED", "AVAILABLE_PAYOUT_REQUESTED"} <= {each["code"] for each in of_creator}


def check_sums(lines: list[dict[str, str]], wanted: dict[str, str]) -> None:
    for account, balance in wanted.items():
        own = [line for line in lines if line["account"] == account]
        assert (own[0]["code"], own[-1]["code"]) == ("OPENING", "CLOSING")
        moved = sum(int(line["coins"]) for line in own if line["coins"])
        assert int(own[0]["balance"]) + moved == int(own[-1]["balance"]) == int(balance), account


def test_a_link_opens_one_statement_for_some_minutes_and_is_told_of(cast: Cast) -> None:
    to = cast.deployment
    url = to.ask("fan", FILE)["walletStatementExport"]["url"]
    other = url.replace(cast.ids["fan"], cast.ids["other_fan"])
    for wrong in (other, url[:-3], url.split("?", maxsplit=1)[0]):
        answer = httpx.get(wrong, timeout=PATIENCE_S)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (403, "LINK_INVALID")
    fetched(url)
    to.settle_journal()
    told = to.read(lambda tx: _told(tx, cast.ids["wallet"]))
    assert told[-1] == ("statement.exported", cast.ids["fan"])


def _told(tx: Tx, topic: str) -> list[tuple[str, object]]:
    return [(e.type, e.body.get("by")) for e in journal.list_of_topic(tx, topic, after=0, limit=1_000)]


@pytest.mark.sqlite_only
def test_the_command_line_writes_the_same_file(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    to = cast.deployment
    monkeypatch.setenv("SHOUTGRAPH_DATABASE_URL", f"sqlite:///{to.app.settings.database_path}")
    wanted = httpx.get(to.ask("fan", FILE)["walletStatementExport"]["url"], timeout=PATIENCE_S).text
    asked = ["wallets", "statement", cast.ids["fan"], "--data-dir", str(to.place.folder)]
    said = CliRunner().invoke(main, [*asked, "--csv"])
    assert said.exit_code == 0, said.output
    assert said.stdout.replace("\r\n", "\n") == wanted.replace("\r\n", "\n")
    told = CliRunner().invoke(main, asked)
    assert (told.exit_code, "Order placed" in told.stdout) == (0, True), told.output
    wrong = CliRunner().invoke(main, ["wallets", "earnings", cast.ids["fan"], "--data-dir", str(to.place.folder)])
    assert wrong.exit_code == 1


def test_a_cell_that_a_spreadsheet_would_compute_is_a_text() -> None:
    assert [statements.cell(each) for each in ("=1+1", "+1", "-1", "@x", -5, 'say "hi", Bo', None)] == [
        *("'=1+1", "'+1", "'-1", "'@x", "-5", '"say ""hi"", Bo"', ""),
    ]
