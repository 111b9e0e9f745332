"""The chapter of a creator abroad: quoted and paid in yen at a pinned rate; what comes back is exactly what left."""

from typing import TYPE_CHECKING, Any, Final

from shoutgraph.cli.demo.people import Person, StoryError
from shoutgraph.cli.demo.telling import coins, money

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

WEEK_S: Final = 7 * 24 * 3_600
BOUGHT: Final = 4_000
ENCORES: Final = 8
AMOUNT: Final = "{ minorUnits currency exponent }"
QUOTE: Final = f"""query Quote($coins: Coins!, $to: ID!) {{ payoutQuote(coins: $coins, recipientId: $to) {{
  amount {AMOUNT} sent {AMOUNT} exchange {{ spreadBasisPoints spread {AMOUNT} rate {{ numerator denominator }} }}
  exchangeHoldsUntil }} }}"""
RETURNED: Final = 22
"""The sandbox pays such an amount, modulo 100, and then it comes back; see its README."""
PAID: Final = 50
"""Such an amount, modulo 100, is simply paid."""
SMALLEST: Final = 1_000
"""Coins of the smallest payout."""
RATES: Final = (6_123, 6_200, 6_150)
"""Hundredths of a cent for 100 yen, one version after the other."""


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    creator, tell = story.creator, story.tell
    to = _open(story)
    _publish(story, RATES[0])
    quote = _quote(creator, SMALLEST, to)
    terms = f"{money(quote['amount'])} less {money(quote['exchange']['spread'])}, at 61.23 cents for 100 yen"
    tell.step(
        creator.name,
        "creator",
        f"has an account in yen, and asks what {coins(SMALLEST)} come to: {money(quote['sent'])}",
        f"{terms}; the quote holds until {quote['exchangeHoldsUntil'][11:16]}",
    )
    sent = _pay(story, to, PAID, "PAID", at=0)
    done = story.earnings()
    tell.step(creator.name, "creator", f"is paid {money(sent)} as quoted, though the rate has changed since", done)
    back = _pay(story, to, RETURNED, "RETURNED", at=1)
    if story.earnings() != done:
        raise StoryError("what came back is not what left")
    tell.step("sandbox", "platform", f"pays {money(back)}, which comes back: not a coin is lost", done)


def _open(story: "Story") -> str:
    """A fan gives, the hold ends, and there is an account in yen."""
    fan, creator = story.register("Kei", "fan"), story.creator
    purchase = {"currency": "EUR", "providerCode": "sandbox", "returnUrl": f"{story.url}/graphql"}
    shape = "topUp { id nextAction { ... on RedirectAction { url } } }"
    made = fan.do("topUpCreate", shape, buy={"coins": str(BOUGHT)}, **purchase)["topUp"]
    story.pay(made["nextAction"]["url"])
    look = "query T($id: ID!) { node(id: $id) { ... on TopUp { status } } }"
    story.until(lambda: fan.ask(look, id=made["id"])["node"]["status"], lambda status: bool(status == "PAID"))
    creator_id = creator.ask("{ viewer { creator { id } } }")["viewer"]["creator"]["id"]
    stickers = fan.ask("{ giftCatalogue { stickers { id key price } } }")["giftCatalogue"]["stickers"]
    encore = next(each for each in stickers if each["key"] == "encore")
    given = {"creatorId": creator_id, "stickerId": encore["id"], "expectedPrice": str(ENCORES * int(encore["price"]))}
    fan.do("giftSend", "gift { id }", quantity=ENCORES, **given)
    account = {"label": "Nova's account in Tokyo", "ref": "JP-SANDBOX-0000001", "currency": "JPY"}
    recipient = creator.do("payoutRecipientCreate", "recipient { id }", providerCode="sandbox-payouts", **account)
    story.admin.run("testClockAdvance", "now", seconds=WEEK_S + 60)
    story.until(story.earnings_now, lambda earnings: int(earnings["available"]) > 2 * SMALLEST)
    to: str = recipient["recipient"]["id"]
    return to


def _publish(story: "Story", numerator: int) -> None:
    newest = story.finance.ask('{ exchangeRates(currency: "JPY", first: 1) { nodes { version } } }')["exchangeRates"][
        "nodes"
    ]
    read = {"source": "a bank", "observedAt": "2026-01-02T08:00:00Z", "confirmJump": True}
    rate = {"currency": "JPY", "numerator": str(numerator), "denominator": "100"}
    version = newest[0]["version"] if newest else 0
    story.finance.do("priceRatePublish", "rate { version }", expectedVersion=version, **rate, **read)


def _pay(story: "Story", to: str, ending: int, status: str, *, at: int) -> dict[str, Any]:
    """Asks for the first amount that ends so, at one rate although the next one is there already."""
    rate = RATES[at]
    amount = next(each for each in range(SMALLEST, 2 * SMALLEST) if _yen(each, rate) % 100 == ending)
    quote = _quote(story.creator, amount, to)["sent"]
    _publish(story, RATES[at + 1])
    asked = {"coins": str(amount), "recipientId": to, "expectedAmountMinorUnits": quote["minorUnits"]}
    payout = story.creator.do("payoutRequest", f"payout {{ id amount {AMOUNT} }}", **asked)["payout"]
    if payout["amount"] != quote:
        raise StoryError("what was quoted is not what is paid")
    story.finance.do("payoutApprove", "payout { status }", payoutId=payout["id"])
    look = "query P($id: ID!) { node(id: $id) { ... on Payout { status } } }"
    story.until(lambda: story.creator.ask(look, id=payout["id"])["node"]["status"], lambda found: bool(found == status))
    sent: dict[str, Any] = payout["amount"]
    return sent


def _yen(amount: int, rate: int) -> int:
    """What coins come to: a cent each, less one in a hundred, rounded up; the rest at the rate, rounded down."""
    return (amount + -amount // 100) * 100 * 100 // rate


def _quote(creator: Person, amount: int, to: str) -> dict[str, Any]:
    quote: dict[str, Any] = creator.ask(QUOTE, coins=str(amount), to=to)["payoutQuote"]
    return quote
