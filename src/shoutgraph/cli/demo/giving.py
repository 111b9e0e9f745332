"""The chapter of what is given back: a fan withdraws, two people give goodwill, and a statement says it all."""

from typing import TYPE_CHECKING, Any, Final

from shoutgraph.cli.demo.people import StoryError
from shoutgraph.cli.demo.telling import coins, money

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

MONEY: Final = "{ minorUnits currency exponent }"
LINES_TOLD: Final = 5
TOPUP: Final = """query TopUp($id: ID!) { node(id: $id) { ... on TopUp { status withdrawals { status } } } }"""
QUOTE: Final = f"""query Quote($id: ID!) {{ topUpWithdrawalQuote(topUpId: $id) {{
  available coins until amount {MONEY} }} }}"""
DONE: Final = """{ orders(first: 1, filter: {status: [COMPLETED]}, sort: {field: CREATED_AT, direction: ASC}) {
  nodes { id } } }"""
STATEMENT: Final = """query Statement($size: Int!) { wallet { statement(first: $size) {
  nodes { words coin coins balance } } } walletStatementExport { url } }"""


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    _withdraw(story)
    _be_kind(story)
    _correct(story)
    _read_statement(story)


def _withdraw(story: "Story") -> None:
    fan = story.fan
    wanted = {"buy": {"coins": "700"}, "currency": "EUR", "providerCode": "sandbox", "returnUrl": story.url}
    shape = "topUp { id nextAction { ... on RedirectAction { url } } }"
    topup = fan.do("topUpCreate", shape, **wanted)["topUp"]
    story.pay(topup["nextAction"]["url"])

    def look() -> Any:  # noqa: ANN401 - JSON
        return fan.ask(TOPUP, id=topup["id"])["node"]

    story.until(look, lambda node: node["status"] == "PAID")
    quote = fan.ask(QUOTE, id=topup["id"])["topUpWithdrawalQuote"]
    if not quote["available"]:
        raise StoryError("what was just bought cannot be withdrawn")
    fan.do("topUpWithdraw", "withdrawal { id }", topUpId=topup["id"])
    story.until(look, lambda node: node["withdrawals"][0]["status"] == "SUCCEEDED")
    what = f"buys {coins(700)}, thinks again, and withdraws; that goes until {quote['until'][:10]}"
    story.tell.step(fan.name, "fan", what, f"{coins(quote['coins'])} back as {money(quote['amount'])}, by the provider")


def _be_kind(story: "Story") -> None:
    (order,) = story.fan.ask(DONE)["orders"]["nodes"]
    given = {"orderId": order["id"], "coins": "500", "reason": "COURTESY", "note": "Her first order."}
    proposed = story.finance.do("orderGoodwillPropose", "adjustment { id }", **given)["adjustment"]
    story.tell.step(story.finance.name, "finance", f"proposes goodwill of {coins(500)}; nothing moves yet")
    shape = "adjustment { status coins paidCoins promoCoins creatorCoins }"
    done = story.admin.do("orderGoodwillApprove", shape, adjustmentId=proposed["id"])["adjustment"]
    if done["status"] != "DONE":
        raise StoryError("the goodwill was not given")
    parts = f"{coins(done['paidCoins'])} bought, {done['promoCoins']} granted; the creator loses {done['creatorCoins']}"
    story.tell.step(story.admin.name, "platform", "approves it, as the second person", parts)


def _correct(story: "Story") -> None:
    leg = {"debit": "exp:psp:EUR", "credit": "cash:bank:EUR", "amount": "1200"}
    given = {"reason": "A fee that the bank took.", "caseReference": "CASE-1", "legs": [leg]}
    proposed = story.finance.do("ledgerAdjustPropose", "ledgerAdjustment { id }", **given)["ledgerAdjustment"]
    story.tell.step(story.finance.name, "finance", "proposes to book a fee that the bank took; nothing moves yet")
    shape, of = "ledgerAdjustment { status legs { debit credit } }", proposed["id"]
    done = story.admin.do("ledgerAdjustConfirm", shape, ledgerAdjustmentId=of)["ledgerAdjustment"]
    if done["status"] != "DONE":
        raise StoryError("the books were not corrected")
    story.tell.step(story.admin.name, "platform", "confirms it, as the second person", "in the books at once")


def _read_statement(story: "Story") -> None:
    told = story.fan.ask(STATEMENT, size=LINES_TOLD)
    lines = [
        (line["words"], f"{int(line['coins']):+,}", f"{int(line['balance']):,} {line['coin']}")
        for line in told["wallet"]["statement"]["nodes"]
    ]
    file = story.http.get(told["walletStatementExport"]["url"])
    rows = file.text.splitlines()
    if file.status_code != 200 or not rows[-1].startswith(","):  # noqa: PLR2004 - HTTP's own number
        raise StoryError("the statement is no file that ends with a closing balance")
    story.tell.step(story.fan.name, "fan", f"reads the statement, and fetches it as a file of {len(rows)} rows")
    story.tell.table("The newest of the statement", ("what", "coins", "balance"), lines)
