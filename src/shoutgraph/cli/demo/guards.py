"""The chapter of guards: a fan's own limit refuses and says when there is room again; raising it takes a day."""

import uuid
from typing import TYPE_CHECKING, Final

from shoutgraph.cli.demo.people import Person, StoryError
from shoutgraph.cli.demo.telling import coins

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

GIVE: Final = """mutation Give($input: GiftSendInput!) { giftSend(input: $input) { errors {
  ... on UserError { code message } ... on LimitExceededError { limit spent remaining resetsAt } } } }"""
LIMIT: Final = "100"
SET: Final = "guard { limits { dayCoins } pending { at limits { dayCoins } } }"


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    fan, tell = story.register("Ben", "fan"), story.tell
    made = fan.do("spendingLimitsSet", SET, dayCoins=LIMIT)["guard"]
    tell.step(
        fan.name,
        "fan",
        "sets a limit for orders and gifts, in force at once",
        f"{coins(made['limits']['dayCoins'])} a day",
    )
    said = _refused(story, fan)
    words = f"{said['code']}: {said['message']}"
    tell.step(
        fan.name, "fan", f"cannot give {coins(said['price'])}, with {coins(said['remaining'])} left of the limit", words
    )
    guard = fan.do("spendingLimitsSet", SET)["guard"]
    if guard["pending"] is None or guard["limits"]["dayCoins"] != LIMIT:
        raise StoryError("a limit was raised at once")
    tell.step(
        fan.name,
        "fan",
        "takes the limit away, which counts only after a day",
        f"from {guard['pending']['at'][:16].replace('T', ' ')}",
    )


def _refused(story: "Story", fan: Person) -> dict[str, str]:
    """The refusal of a gift."""
    creator_id = story.creator.ask("{ viewer { creator { id } } }")["viewer"]["creator"]["id"]
    sold = fan.ask("{ giftCatalogue { stickers { id price } } }")["giftCatalogue"]["stickers"]
    dear = max(sold, key=lambda sticker: int(sticker["price"]))
    given = {"creatorId": creator_id, "stickerId": dear["id"], "expectedPrice": dear["price"]}
    answer = fan.ask(GIVE, input={"idempotencyKey": str(uuid.uuid1()), **given})["giftSend"]["errors"]
    if not answer or answer[0]["code"] != "SPENDING_DAY":
        raise StoryError("the limit was passed")
    refusal: dict[str, str] = answer[0] | {"price": dear["price"]}
    return refusal
