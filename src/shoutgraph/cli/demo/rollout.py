"""The chapter of the rollout: gifts for a few people first, and answers to why things are as they are."""

from typing import TYPE_CHECKING

from shoutgraph.cli.demo.people import Person, StoryError

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

STATES = "{ viewer { user { id } features { feature provider on reason } } }"
ORDER = "{ orders(role: FAN, first: 1) { nodes { id } } }"
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
    tell.step(admin.name, "platform", "has gifts on for an empty share of all people", "off: PERCENTAGE")
    few = {"shareBasisPoints": 0, "allowUserIds": people, "reason": "The first testers"}
    admin.do("featureRuleSet", "rule { version }", feature="GIFTS", **few)
    if _gifts(fan) is not None:
        raise StoryError("gifts are off for a tester")
    tell.step(admin.name, "platform", "lets the fan and the creator try them first", "on at once, without a restart")
    admin.do("featureRuleRemove", "feature", feature="GIFTS", reason="For everyone")
    changes = admin.ask("{ featureChanges(first: 3) { nodes { reason } } }")["featureChanges"]["nodes"]
    tell.step(admin.name, "platform", "switches gifts on for all", " <- ".join(each["reason"] for each in changes))
    order = fan.ask(ORDER)["orders"]["nodes"][0]["id"]
    why = fan.ask(WHY, id=order)["explainRefund"]
    tell.step(fan.name, "fan", f"asks where the coins of the order went: {why['rule']}", " ".join(why["words"][1:]))
    hold = story.creator.ask(HOLD)["explainPayoutHold"][0]
    tell.step(story.creator.name, "creator", f"asks what can be paid out: {hold['rule']}", " ".join(hold["words"][:2]))


def _gifts(person: Person) -> str | None:
    """Why gifts are off for somebody, None where they are on."""
    states = person.ask(STATES)["viewer"]["features"]
    reason: str | None = next(state["reason"] for state in states if state["feature"] == "GIFTS")
    return reason
