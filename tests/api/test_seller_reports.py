"""Yearly seller reports: every figure is what the books say, to the coin, and the file tells the same."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.api.cast import PRICE, Cast
from tests.api.deployment import Place, open_deployment
from typer.testing import CliRunner

from shoutgraph.cli.commands import main
from shoutgraph.domain import accounts, ids, seller_reports as rules
from shoutgraph.domain.packages import Rate
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.seller_reports import Outcome, Quarter
from shoutgraph.storage import ledger_proof
from shoutgraph.storage.tx import Tx

AMOUNTS = ["gross", "fee", "compensation", "refunded", "refundedFee", "paidOut", "returned"]
FIGURES = "number orderCount giftCount payoutCount " + " ".join(
    f"{name} {{ coins money {{ minorUnits }} }}" for name in AMOUNTS
)
SHAPE = f"""creatorId year country reportable outcome rule {{ name saleCount bothNeeded source }}
  total {{ {FIGURES} }} quarters {{ {FIGURES} }} taxProfile {{ legalName taxNumber }}"""
PAGE = f"""query ($year: Int!, $first: Int, $after: String, $everyone: Boolean) {{
  sellerReport(year: $year, first: $first, after: $after, everyone: $everyone) {{
  nodes {{ {SHAPE} }} pageInfo {{ endCursor hasNextPage }} }} }}"""
BRIEF = """query ($year: Int!) { sellerReport(year: $year, first: 100, everyone: true) {
  nodes { creatorId outcome total { gross { coins } } } } }"""
OWN = f"query ($year: Int!) {{ viewer {{ creator {{ sellerReport(year: $year) {{ {SHAPE} }} }} }} }}"
OTHERS = "query ($id: ID!) { creator(by: {id: $id}) { sellerReport(year: 2026) { reportable } } }"
LEDGER = """SELECT t.kind, SUM(CASE WHEN p.credit_id = a.id THEN p.amount ELSE 0 END),
  SUM(CASE WHEN p.debit_id = a.id THEN p.amount ELSE 0 END)
  FROM account a JOIN posting p ON a.id IN (p.debit_id, p.credit_id) JOIN transfer t ON t.id = p.transfer_id
  WHERE a.code IN ('{0}', '{1}') GROUP BY t.kind"""


PAID = """SELECT COALESCE(SUM(p.amount), 0) FROM payout o JOIN transfer t ON t.kind = 'payout.paid' AND t.ref = o.id
  JOIN posting p ON p.transfer_id = t.id AND p.asset = 'COIN' WHERE o.creator_id = '{0}'"""


def moved(cast: Cast, creator_id: str) -> dict[str, tuple[int, int]]:
    """What came into a creator's earnings and went out of them, by kind of transfer, as the ledger has it."""
    own = ids.CreatorId(creator_id)
    sql = LEDGER.format(accounts.pending(own).code, accounts.available(own).code)

    def query(tx: Tx) -> list[Any]:
        return list(tx._connection.execute(sql).fetchall())

    return {kind: (int(came), int(went)) for kind, came, went in cast.deployment.read(query)}


def paid(cast: Cast, creator_id: str) -> int:
    """What was paid out to a creator, as the ledger has it."""
    sql = PAID.format(creator_id)
    return cast.deployment.read(lambda tx: int(tx._connection.execute(sql).fetchall()[0][0]))


@pytest.fixture(scope="module")
def cast(module_place: Place) -> Iterator[Cast]:
    """A marketplace of its own, so that nothing holds back what is paid; at the end its books balance."""
    with open_deployment(module_place) as deployment:
        cast = Cast(deployment)
        cast.introduce()
        yield cast
        assert deployment.read(lambda tx: ledger_proof.verify(tx, books=ledger_proof.Books("EUR", 100))) == []


def pay(cast: Cast) -> None:
    """Pays some of the creator's earnings out."""
    to, recipient = cast.deployment, cast.ids["creator_recipient"]
    to.settle()  # what was earned matures
    asked = to.do("creator", "payoutRequest", "payout { id }", coins="50", recipientId=recipient)["payout"]["id"]
    to.do("finance", "payoutApprove", "payout { status }", payoutId=asked)
    for _ in range(30):
        to.settle()
        if paid(cast, cast.ids["creator_profile"]):
            return
        to.do("admin", "testClockAdvance", "now", seconds=600)


def this_year(cast: Cast) -> int:
    return cast.deployment.app.tools.clock().year


def coins(figures: Any, name: str) -> int:
    return int(figures[name]["coins"])


def test_a_report_is_what_the_books_say_to_the_coin(cast: Cast) -> None:
    to, creator = cast.deployment, cast.ids["creator_profile"]
    year = this_year(cast)
    order = cast.order("COMPLETED")
    cast.gift()
    to.do("finance", "orderRefund", "adjustment { id }", orderId=order["id"], coins="101", reason="QUALITY")
    pay(cast)
    own = to.ask("creator", OWN, year=year)["viewer"]["creator"]["sellerReport"]
    whole, books = own["total"], moved(cast, creator)
    net = coins(whole, "gross") - coins(whole, "fee")
    assert net == books["order.closed"][0] + books["gift"][0]
    assert coins(whole, "refunded") - coins(whole, "refundedFee") == books["order.refunded"][1]
    assert coins(whole, "compensation") == books.get("creator.compensated", (0, 0))[0]
    assert coins(whole, "paidOut") == paid(cast, creator) > 0
    assert coins(whole, "gross") >= PRICE
    for name in AMOUNTS:
        assert coins(whole, name) == sum(coins(each, name) for each in own["quarters"])
    assert [each["number"] for each in own["quarters"]] == [1, 2, 3, 4]
    assert (own["country"], own["rule"]["name"]) == ("DE", "DAC7")
    assert own["reportable"] == (own["outcome"] != "BELOW")
    assert own["taxProfile"]["taxNumber"] == "36574261809"


def test_finance_reads_everybodys_report_page_by_page(cast: Cast) -> None:
    to, creator, year = cast.deployment, cast.ids["creator_profile"], this_year(cast)
    own = to.ask("creator", OWN, year=year)["viewer"]["creator"]["sellerReport"]
    found, after = [], None
    while after is not None or not found:
        page = to.ask("finance", PAGE, year=year, first=1, after=after)["sellerReport"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
    assert own in found
    assert [each["creatorId"] for each in found] == sorted({each["creatorId"] for each in found})
    assert to.ask("finance", PAGE, year=year + 1)["sellerReport"]["nodes"] == []
    everyone = to.ask("finance", BRIEF, year=year + 1)["sellerReport"]["nodes"]
    assert {each["outcome"] for each in everyone} <= {"BELOW", "NO_LAW"}
    assert len(everyone) > len(found)
    assert to.answer("other_creator", OTHERS, id=creator).code == "FORBIDDEN"
    assert to.answer("finance", PAGE, year=1).code == "BAD_USER_INPUT"


@pytest.mark.sqlite_only
def test_the_file_tells_the_same_and_no_cell_is_computed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    to = cast.deployment
    short = BRIEF.replace(", everyone: true", "")
    wanted = to.ask("finance", short, year=this_year(cast))["sellerReport"]["nodes"]
    monkeypatch.setenv("SHOUTGRAPH_DATABASE_URL", f"sqlite:///{to.app.settings.database_path}")
    asked = ["payouts", "seller-report", str(this_year(cast)), "--data-dir", str(to.place.folder)]
    said = CliRunner().invoke(main, asked)
    assert said.exit_code == 0, said.output
    lines = list(csv.DictReader(io.StringIO(said.stdout)))
    years = [line for line in lines if line["quarter"] == "0"]
    assert len(lines) == 5 * len(wanted)
    assert [(each["creator"], each["gross_coins"], each["outcome"]) for each in years] == [
        (each["creatorId"], each["total"]["gross"]["coins"], each["outcome"]) for each in wanted
    ]
    told = CliRunner().invoke(main, [*asked, "--json"])
    assert [json.loads(line)["gross_coins"] for line in told.stdout.splitlines()] == [
        coins(each["total"], "gross") for each in wanted
    ]
    assert CliRunner().invoke(main, ["payouts", "seller-report", "1", *asked[3:]]).exit_code == 1


def test_the_thresholds_decide_by_country_and_year() -> None:
    par = replace(FIRST, book_currency="EUR", par_units=100)
    small = Quarter(0, orders=20, gifts=9, gross_coins=300_000, fee_coins=100_000)
    goods = replace(par, seller_thresholds=(("DAC7.amount", 200_000), ("DAC7.sales", 30)))
    dac7, american = rules.law_of("DE", 2026, policy=goods), rules.law_of("US", 2026, policy=par)
    services, british = (rules.law_of(country, 2026, policy=par) for country in ("DE", "GB"))
    assert [rules.law_of(*known, policy=par) for known in (("DE", 2022), ("JP", 2026))] == [None, None]
    assert rules.judge(None, small, policy=par, rate=None).outcome is Outcome.NO_LAW
    cases = (
        (services, Quarter(0), None, Outcome.BELOW),
        (services, Quarter(0, orders=1), None, Outcome.SALES),
        (british, Quarter(0, gross_coins=1), Rate("GBP", "EUR", 1, 115, 1), Outcome.AMOUNT),
        (dac7, small, None, Outcome.BELOW),
        (dac7, replace(small, gifts=10), None, Outcome.SALES),
        (dac7, replace(small, gross_coins=300_001), None, Outcome.AMOUNT),
        (dac7, replace(small, gross_coins=300_001, refunded_coins=2, refunded_fee_coins=1), None, Outcome.BELOW),
        (dac7, replace(small, gifts=10, gross_coins=300_001), None, Outcome.SALES_AND_AMOUNT),
        (american, replace(small, gross_coins=9_000_000), None, Outcome.BELOW),
        (american, replace(small, gifts=181, gross_coins=9_000_000), None, Outcome.NOT_COMPARED),
        (american, replace(small, gifts=181, gross_coins=1), Rate("USD", "EUR", 1, 90, 1), Outcome.BELOW),
        (american, replace(small, gifts=181, gross_coins=1_800_000), Rate("USD", "EUR", 1, 90, 1), Outcome.BELOW),
        (
            american,
            replace(small, gifts=181, gross_coins=1_800_001),
            Rate("USD", "EUR", 1, 90, 1),
            Outcome.SALES_AND_AMOUNT,
        ),
    )
    for law, whole, rate, outcome in cases:
        found = rules.judge(law, whole, policy=par, rate=rate)
        assert (found.outcome, found.reportable) == (outcome, outcome is not Outcome.BELOW), whole
