"""The chapter of capacity: a fan waits for the only place, is offered it and orders; a campaign has its own split."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shoutgraph.cli.demo.people import Person, StoryError
from shoutgraph.cli.demo.telling import coins

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

PRICE: Final = 250
BRIEF: Final = {
    "occasion": "PEP_TALK",
    "recipientName": "Linus",
    "instructions": "He runs his first marathon on Sunday.",
    "language": "en",
}
PLACE: Final = """mutation Place($input: OrderPlaceInput!) { orderPlace(input: $input) { order { id }
  errors { ... on UserError { code } ... on CreatorUnavailableError { waiting } } } }"""
LINE: Final = "{ viewer { waitlistEntries { state position offeredUntil } } }"
PLACED: Final = (
    "order { id price split { fee earning } campaign { number listPrice feeBasisPoints campaign { name } } }"
)
WEEK: Final = timedelta(days=7)


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    lumi, bea = story.register("Lumi", "creator"), story.register("Bea", "fan")
    offer_id = _open(lumi)
    for fan in (story.fan, bea):
        _buy(story, fan)
    wish = {"offerId": offer_id, "brief": BRIEF, "expectedPrice": str(PRICE)}
    first = story.fan.do("orderPlace", "order { id }", **wish)["order"]
    _wait(story, bea, wish)
    story.fan.do("orderCancel", "order { id }", orderId=first["id"])
    _take(story, bea, wish)
    _campaign(story, lumi, offer_id)


def _open(lumi: Person) -> str:
    given = {"country": "DE", "categories": ["COMEDIAN"], "languages": ["en"], "openOrdersMax": 1}
    lumi.run("creatorRegister", "creator { id }", handle="lumi.laughs", name="Lumi Berg", **given)
    terms = {"occasion": "PEP_TALK", "title": "A minute of courage", "price": str(PRICE), "durationMaxSeconds": 60}
    offer: str = lumi.run("offerCreate", "offer { id }", deliveryDays=3, **terms)["offer"]["id"]
    return offer


def _buy(story: "Story", fan: Person) -> None:
    purchase = {"currency": "EUR", "providerCode": "sandbox", "returnUrl": f"{story.url}/graphql"}
    shape = "topUp { id nextAction { ... on RedirectAction { url } } }"
    made = fan.do("topUpCreate", shape, buy={"coins": str(2 * PRICE)}, **purchase)["topUp"]
    story.pay(made["nextAction"]["url"])
    look = "query T($id: ID!) { node(id: $id) { ... on TopUp { status } } }"
    story.until(lambda: fan.ask(look, id=made["id"])["node"]["status"], lambda status: bool(status == "PAID"))


def _wait(story: "Story", bea: Person, wish: dict[str, Any]) -> None:
    tried = bea.ask(PLACE, input=wish | {"idempotencyKey": "the-only-place-of-lumi"})["orderPlace"]["errors"][0]
    if tried["code"] != "AT_CAPACITY":
        raise StoryError("the only place was taken twice")
    entry = bea.run("waitlistJoin", "entry { state position }", offerId=wish["offerId"])["entry"]
    told = f"{tried['code']}; now {entry['state']} as number {entry['position']}, and nothing is paid"
    story.tell.step(bea.name, "fan", f"asks Lumi, who takes one order at a time and has {story.fan.name}'s", told)


def _take(story: "Story", bea: Person, wish: dict[str, Any]) -> None:
    def look() -> dict[str, Any]:
        entry: dict[str, Any] = bea.ask(LINE)["viewer"]["waitlistEntries"][0]
        return entry

    offered = story.until(look, lambda entry: bool(entry["state"] == "OFFERED"))
    until = datetime.fromisoformat(offered["offeredUntil"])
    story.tell.step(
        "clock",
        "platform",
        f"offers {bea.name} the place that {story.fan.name} gave up",
        f"hers until {until:%d %B %H:%M} UTC",
    )
    placed = bea.do("orderPlace", "order { id price }", **wish)["order"]
    if bea.ask(LINE)["viewer"]["waitlistEntries"]:
        raise StoryError("who ordered still waits")
    story.tell.step(bea.name, "fan", "orders, and is out of the line", f"{coins(placed['price'])} in escrow")


def _campaign(story: "Story", lumi: Person, offer_id: str) -> None:
    now = datetime.fromisoformat(lumi.ask("{ serverTime }")["serverTime"])
    plan = {"name": "Marathon week", "endsAt": (now + WEEK).isoformat(), "offerIds": [offer_id], "ordersMax": 10}
    terms = {"discountBasisPoints": 2_000, "feeBasisPoints": 1_000}
    made = lumi.do("campaignCreate", "campaign { id state }", **plan, **terms)["campaign"]
    approved = story.finance.run("campaignApprove", "campaign { state }", campaignId=made["id"])["campaign"]
    told = f"{made['state']}, then {approved['state']}: finance approved the platform's share of 10 %"
    story.tell.step(lumi.name, "creator", "plans a campaign: a fifth off, ten orders, a fee of its own", told)
    lumi.run("creatorUpdate", "creator { id }", openOrdersMax=5)
    price = PRICE * 4 // 5
    wish = {"offerId": offer_id, "brief": BRIEF, "expectedPrice": str(price), "campaignId": made["id"]}
    order = story.fan.do("orderPlace", PLACED, **wish)["order"]
    parts, within = order["split"], order["campaign"]
    facts = (
        f"{coins(order['price'])} instead of {within['listPrice']}: creator {parts['earning']}, platform {parts['fee']}"
    )
    story.tell.step(story.fan.name, "fan", f"orders number {within['number']} of '{within['campaign']['name']}'", facts)
