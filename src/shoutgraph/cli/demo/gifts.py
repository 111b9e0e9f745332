"""The chapter of gifts: the fan gives, the creator sees who it was and says thanks, and a ranking adds up."""

from typing import TYPE_CHECKING

from shoutgraph.cli.demo.people import StoryError
from shoutgraph.cli.demo.telling import coins

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

FEED = """query Feed($creator: ID!) { giftEvents(creatorId: $creator) {
  nodes { ... on GiftChangedEvent { kind gift { id giverName message } } } } }"""
RANKING = """query Ranking($creator: ID!) { giftRanking(creatorId: $creator, span: WEEK, first: 3) {
  nodes { rank coins giverName } } }"""


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    fan, creator, tell = story.fan, story.creator, story.tell
    creator_id = creator.ask("{ viewer { creator { id } } }")["viewer"]["creator"]["id"]
    found = fan.ask("{ giftCatalogue { stickers { id key name price } } }")["giftCatalogue"]["stickers"]
    encore = next(each for each in found if each["key"] == "encore")
    given = {"creatorId": creator_id, "stickerId": encore["id"], "expectedPrice": encore["price"]}
    gift = fan.do("giftSend", "gift { id price fee earning }", **given, message="Grace cried. Thank you!")["gift"]
    parts = f"creator {coins(gift['earning'])}, platform {coins(gift['fee'])}"
    tell.step(fan.name, "fan", f"gives '{encore['name']}' for {coins(gift['price'])}, of {len(found)} stickers", parts)
    told = creator.ask(FEED, creator=creator_id)["giftEvents"]["nodes"][-1]
    if (told["kind"], told["gift"]["id"]) != ("SENT", gift["id"]):
        raise StoryError("the feed does not tell of the gift")
    thanked = creator.run("giftThank", "gifts { thankedAt }", giftIds=[gift["id"]], message="You made my day.")
    if thanked["gifts"][0]["thankedAt"] is None:
        raise StoryError("the gift was not thanked for")
    words = f"{told['gift']['giverName']}: {told['gift']['message']}"
    tell.step(creator.name, "creator", "sees in the feed who it was, and says thanks", words)
    ranked = creator.ask(RANKING, creator=creator_id)["giftRanking"]["nodes"]
    places = ", ".join(f"{each['rank']}. {each['giverName']}, {coins(each['coins'])}" for each in ranked)
    tell.step(creator.name, "creator", "reads who gave the most this week", places)
