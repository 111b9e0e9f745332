"""The chapter of the rollout: gifts for a few people first, and answers to why things are as they are."""

from typing import TYPE_CHECKING

from shoutgraph.cli.demo.people import Person, StoryError

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

STATES = "{ viewer { user { id } features { feature provider on reason } } }"
ORDERS = """{ open: orders(role: FAN, first: 1) { nodes { id } }
  split: orders(role: FAN, first: 1, filter: {status: [SPLIT]}) { nodes { id } } }"""
PRICE = """query Price($offer: ID!) {
  explainPrice(offerId: $offer, country: "DE", currency: "EUR", express: true) { rule words } }"""
DUE = "query Due($id: ID!) { explainDeadline(orderId: $id) { rule words } }"
WHY = "query Why($id: ID!) { explainRefund(orderId: $id) { rule words } }"
HOLD = "{ explainPayoutHold { rule words } }"


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    admin, fan, tell = story.admin, story.fan, story.tell
    people = [person.ask(STATES)["viewer"]["user"]["id"] for person in (fan, story.creator)]
    admin.do("featureRuleSet", "rule { version }", feature="GIFTS", shareBasisPoints=0, reason="Not yet")
    if _gifts(fan) != "PERCENTAGE":
        raise StoryError("gifts are on for somebody of nobody")
    tell.step(admin.name, "platform", "switches gifts on for 0 % of all people", "off for Ada: PERCENTAGE")
    few = {"shareBasisPoints": 0, "allowUserIds": people, "reason": "The first testers"}
    admin.do("featureRuleSet", "rule { version }", feature="GIFTS", **few)
    if _gifts(fan) is not None:
        raise StoryError("gifts are off for a tester")
    tell.step(admin.name, "platform", "lets Ada and Nova try them first", "on for them at once, without a restart")
    admin.do("featureRuleRemove", "feature", feature="GIFTS", reason="For everyone")
    changes = admin.ask("{ featureChanges(first: 3) { nodes { reason } } }")["featureChanges"]["nodes"]
    tell.step(admin.name, "platform", "switches gifts on for all", " <- ".join(each["reason"] for each in changes))
    _explain(story)


def _explain(story: "Story") -> None:
    """Rule, source and reason of what people ask most, in words."""
    fan, tell = story.fan, story.tell
    priced = fan.ask(PRICE, offer=story.offer_id)["explainPrice"]
    tell.step(fan.name, "fan", f"asks why the song costs what it does: {priced['rule']}", " ".join(priced["words"]))
    orders = fan.ask(ORDERS)
    due = fan.ask(DUE, id=orders["open"]["nodes"][0]["id"])["explainDeadline"]
    tell.step(fan.name, "fan", f"asks what her open order waits for: {due['rule']}", " ".join(due["words"]))
    why = fan.ask(WHY, id=orders["split"]["nodes"][0]["id"])["explainRefund"]
    tell.step(fan.name, "fan", f"asks where the coins of the dispute went: {why['rule']}", " ".join(why["words"][1:]))
    hold = story.creator.ask(HOLD)["explainPayoutHold"][0]
    tell.step(story.creator.name, "creator", f"asks what can be paid out: {hold['rule']}", " ".join(hold["words"][:2]))


def _gifts(person: Person) -> str | None:
    """Why gifts are off for somebody, None where they are on."""
    states = person.ask(STATES)["viewer"]["features"]
    reason: str | None = next(state["reason"] for state in states if state["feature"] == "GIFTS")
    return reason
