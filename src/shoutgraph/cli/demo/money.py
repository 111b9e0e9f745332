"""The chapter of codes and rates: a promo code, a card that somebody else redeems, and a rate for tomorrow."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shoutgraph.cli.demo.people import StoryError
from shoutgraph.cli.demo.telling import coins

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story


NEWEST: Final = """query Newest {
  exchangeRates(currency: "USD", first: 1) { nodes { version numerator denominator } } }"""
HOLDS: Final = """query Holds($at: DateTime!) { exchangeRate(currency: "USD", at: $at) { version } }"""


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    fan, creator, finance, tell = story.fan, story.creator, story.finance, story.tell
    offered = {"label": "A treat", "kind": "GRANT", "amount": "50", "codeCount": 1, "usesMax": "1", "reason": "A demo"}
    made = finance.do("promoCreate", "promotion { id } codes", **offered)
    tell.step(finance.name, "finance", "makes a promo code for 50 coins, good once", made["codes"][0])
    granted = fan.do("promoCodeRedeem", "coins expiresAt", promoCode=made["codes"][0])
    if granted["coins"] != "50":
        raise StoryError("the code granted other coins")
    tell.step(
        fan.name, "fan", f"redeems it and has {coins(granted['coins'])}, granted", f"until {granted['expiresAt'][:10]}"
    )
    card = fan.do("giftCardBuy", "giftCard { id coins } code", coins="70", message="For you")
    tell.step(fan.name, "fan", f"sets {coins(card['giftCard']['coins'])} aside as a gift card", card["code"])
    redeemed = creator.do("giftCardRedeem", "giftCard { status message }", code=card["code"])["giftCard"]
    if redeemed["status"] != "REDEEMED":
        raise StoryError("the card was not redeemed")
    tell.step(creator.name, "creator", "redeems it, and has them at the price that was paid", redeemed["message"])
    _buy_card(story)
    _give_away(story)
    _rate(story)


def _buy_card(story: "Story") -> None:
    fan, creator = story.fan, story.creator
    wanted = {"buy": {"coins": "70"}, "currency": "EUR", "providerCode": "sandbox", "returnUrl": story.url}
    shape = "topUp { id nextAction { ... on RedirectAction { url } } }"
    topup = fan.do("topUpCreate", shape, asGiftCard={"recipientName": creator.name}, **wanted)["topUp"]
    story.pay(topup["nextAction"]["url"])
    look = "query T($id: ID!) { node(id: $id) { ... on TopUp { status giftCard { card { id } } } } }"
    paid: Any = story.until(lambda: fan.ask(look, id=topup["id"])["node"], lambda node: bool(node["status"] == "PAID"))
    made = fan.do("giftCardCode", "code", giftCardId=paid["giftCard"]["card"]["id"])
    story.tell.step(fan.name, "fan", f"pays for a card of {coins(70)}, and asks for its code", made["code"])
    redeemed = creator.do("giftCardRedeem", "giftCard { status origin }", code=made["code"])["giftCard"]
    if redeemed != {"status": "REDEEMED", "origin": "PURCHASE"}:
        raise StoryError("the card that was paid for was not redeemed")


def _give_away(story: "Story") -> None:
    at = datetime.fromisoformat(story.fan.ask("{ serverTime }")["serverTime"])
    until = (at + timedelta(days=30)).isoformat()
    given = {"coins": "25", "cardCount": 3, "expiresAt": until, "reason": "A fair", "caseReference": "CASE-7"}
    proposed = story.finance.do("giftCardIssuePropose", "giftCardIssue { id }", **given)["giftCardIssue"]
    story.tell.step(story.finance.name, "finance", f"proposes to give 3 cards of {coins(25)} away; none is made yet")
    made = story.admin.do("giftCardIssueConfirm", "csv", giftCardIssueId=proposed["id"])
    rows = made["csv"].splitlines()
    story.tell.step(story.admin.name, "platform", "confirms it, and is shown the codes, once", rows[1].split(",")[1])
    reason = {"giftCardIssueId": proposed["id"], "reason": "The fair is off"}
    story.finance.do("giftCardIssueVoid", "giftCardIssue { status }", **reason)
    story.tell.step(story.finance.name, "finance", "calls them back: nobody had redeemed one")


def _rate(story: "Story") -> None:
    """A rate for tomorrow: what holds until then, and what from then on."""
    finance, tell = story.finance, story.tell
    now = datetime.fromisoformat(finance.ask("{ serverTime }")["serverTime"])
    later = (now + timedelta(days=1)).isoformat()
    (newest,) = finance.ask(NEWEST)["exchangeRates"]["nodes"]
    given = {"currency": "USD", "expectedVersion": newest["version"], "source": "A bank", "observedAt": now.isoformat()}
    given |= {"numerator": str(int(newest["numerator"]) * 101), "denominator": str(int(newest["denominator"]) * 100)}
    made = finance.do("priceRatePublish", "rate { version }", **given, effectiveAt=later)["rate"]
    holds = [finance.ask(HOLDS, at=at)["exchangeRate"]["version"] for at in (now.isoformat(), later)]
    if holds != [newest["version"], made["version"]]:
        raise StoryError("another rate holds than was published for its time")
    words = f"version {holds[0]} until {later[:16]}, then version {holds[1]}"
    tell.step(finance.name, "finance", "publishes what a dollar is worth from tomorrow on", words)
