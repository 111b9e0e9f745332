"""Gifts through the front door: bought coins only, a feed that names the giver, thanks, ranks, and who sees what."""

from typing import Any

import pytest
from tests.api.cast import VIEWERS, Cast
from tests.api.deployment import absent_of

GIFT = """gift { id quantity price fee earning message liveSession giverName thankedAt thanks
  sticker { key } creator { handle } } replayed"""
EVENT = "cursor giftId kind price gift { id giverName message thanks }"
STREAM = f"subscription ($of: ID, $after: String) {{ giftEvents(creatorId: $of, after: $after) {{ {EVENT} }} }}"
PAGE = f"""query ($of: ID, $after: String) {{ giftEvents(creatorId: $of, after: $after, first: 100) {{
  nodes {{ ... on GiftChangedEvent {{ {EVENT} }} }} pageInfo {{ endCursor hasNextPage }} }} }}"""
RANKING = """query ($of: ID!, $span: GiftSpan!) { giftRanking(creatorId: $of, span: $span) {
  nodes { rank coins giftCount giverName mine } } }"""

STATEMENTS = {True: 18, False: 16}
"""Statements of giftSend, by whether the database is embedded: one to know the fan, the others keep the promise."""


def give(cast: Cast, who: str = "fan", **changes: object) -> dict[str, Any]:
    sent: dict[str, Any] = cast.deployment.do(who, "giftSend", GIFT, **(cast.present() | changes))["gift"]
    return sent


def page(cast: Cast, who: str, **variables: object) -> dict[str, Any]:
    cast.deployment.settle_journal()
    found: dict[str, Any] = cast.deployment.ask(who, PAGE, **variables)["giftEvents"]
    return found


def end(cast: Cast) -> str:
    """The end of the journal."""
    nobody = absent_of(cast.ids["creator_profile"])
    return str(page(cast, "admin", of=nobody)["pageInfo"]["endCursor"])


def test_a_gift_is_paid_in_bought_coins_and_is_in_the_statement(cast: Cast) -> None:
    to = cast.deployment
    before = to.ask("other_fan", "{ wallet { available promo } }")["wallet"]
    sent = give(cast, "other_fan", quantity=10, expectedPrice="10", message="Encore!", liveSession="live-7")
    assert sent | {"id": ""} == {
        "id": "",
        "quantity": 10,
        "price": "10",
        "fee": "3",
        "earning": "7",
        "message": "Encore!",
        "liveSession": "live-7",
        "giverName": "Other_Fan",
        "thankedAt": None,
        "thanks": None,
        "sticker": {"key": "rose"},
        "creator": {"handle": "creator"},
    }
    shape = "available promo statement(first: 2) { nodes { kind coins giftId gift { message } } }"
    after = to.ask("other_fan", f"{{ wallet {{ {shape} }} }}")["wallet"]
    assert int(after["available"]) == int(before["available"]) - 10
    assert after["promo"] == before["promo"], "granted coins stay"
    lines = after["statement"]["nodes"]
    assert {(line["kind"], line["giftId"], line["gift"]["message"]) for line in lines} == {
        ("gift", sent["id"], "Encore!")
    }
    assert sorted(line["coins"] for line in lines) == ["-3", "-7"]
    items = to.ask("creator", "{ earnings { items(first: 1) { nodes { kind subjectId fee { coins } } } } }")
    assert items["earnings"]["items"]["nodes"] == [{"kind": "GIFT", "subjectId": sent["id"], "fee": {"coins": "3"}}]


def test_a_repeated_gift_is_told_as_such_and_paid_once(cast: Cast) -> None:
    given = cast.deployment.with_key("giftSend", cast.present())
    first, again = (cast.deployment.do("fan", "giftSend", GIFT, **given) for _ in range(2))
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["gift"]["id"] == again["gift"]["id"]


def test_refusals_say_what_is_wrong(cast: Cast) -> None:
    to = cast.deployment

    def refused(who: str = "fan", **changes: object) -> tuple[str, list[str] | None]:
        refusal = to.refuse(who, "giftSend", **(cast.present() | changes))
        return refusal["code"], refusal["path"]

    assert refused("creator") == ("OWN_GIFT", ["input", "creatorId"])
    assert refused(expectedPrice="2") == ("PRICE_CHANGED", ["input", "expectedPrice"])
    assert refused(quantity=100) == ("OUT_OF_RANGE", ["input", "quantity"])
    largest = to.ask("fan", "{ giftCatalogue { giftMax stickers { id price } } }")["giftCatalogue"]["stickers"][-1]
    assert largest["price"] == "44999"
    assert refused("other_creator", stickerId=largest["id"], expectedPrice="44999") == ("INSUFFICIENT_COINS", None)
    over = {"stickerId": largest["id"], "quantity": 3, "expectedPrice": str(3 * 44_999)}
    assert refused(**over) == ("GIFT_COINS", ["input", "quantity"])


def test_a_creator_who_takes_no_gifts_gets_none(cast: Cast) -> None:
    to = cast.deployment
    switched = to.do("other_creator", "creatorUpdate", "creator { takesGifts }", takesGifts=False)
    assert switched["creator"] == {"takesGifts": False}
    refusal = to.refuse("fan", "giftSend", **(cast.present() | {"creatorId": cast.ids["other_creator_profile"]}))
    assert (refusal["__typename"], refusal["code"]) == ("CreatorUnavailableError", "GIFTS_OFF")
    to.do("other_creator", "creatorUpdate", "creator { takesGifts }", takesGifts=True)
    give(cast, creatorId=cast.ids["other_creator_profile"])


def test_the_feed_tells_the_creator_and_the_giver_and_no_stranger(cast: Cast) -> None:
    to, creator = cast.deployment, cast.ids["creator_profile"]
    after = end(cast)
    everyone = [who for who in VIEWERS if who not in {"anonymous", "service"}]
    with to.socket("creator") as socket, to.clients["fan"].events(STREAM, after=after) as stream:
        socket.subscribe("feed", STREAM, of=creator, after=after)
        mine = give(cast, message="For you")["id"]
        theirs = give(cast, "other_fan", creatorId=cast.ids["other_creator_profile"])["id"]
        to.do("creator", "giftThank", "gifts { id }", giftIds=[mine], message="You are kind")
        live = [socket.next("feed")["data"]["giftEvents"] for _ in range(2)]
        sent = [stream.next() for _ in range(2)]
    assert [(event["kind"], event["giftId"]) for event in live] == [("SENT", mine), ("THANKED", mine)]
    assert live[0]["gift"]["giverName"] == "Fan", "the creator can thank them by name"
    assert live[0]["gift"]["message"] == "For you"
    told = [event.data["data"]["giftEvents"] for event in sent if event is not None]
    assert (told[1]["kind"], told[1]["gift"]["thanks"]) == ("THANKED", "You are kind")
    seen = {who: [event["giftId"] for event in page(cast, who, after=after)["nodes"]] for who in everyone}
    assert seen == {
        "fan": [mine, mine],
        "other_fan": [theirs],
        "creator": [mine, mine],
        "other_creator": [theirs],
        "moderator": [mine, theirs, mine],
        "finance": [mine, theirs, mine],
        "admin": [mine, theirs, mine],
    }
    assert [each["giftId"] for each in page(cast, "admin", of=creator, after=after)["nodes"]] == [mine, mine]
    assert page(cast, "other_fan", of=creator, after=after)["nodes"] == []


def test_a_feed_goes_on_from_a_cursor(cast: Cast) -> None:
    after = end(cast)
    ids = [give(cast)["id"] for _ in range(3)]
    nodes = page(cast, "creator", of=cast.ids["creator_profile"], after=after)["nodes"]
    with cast.deployment.socket("creator") as socket:
        socket.subscribe("feed", STREAM, after=nodes[0]["cursor"])
        assert [socket.next("feed")["data"]["giftEvents"]["giftId"] for _ in range(2)] == ids[1:]


def test_a_gift_takes_the_same_few_statements_each_time(cast: Cast) -> None:
    to, found = cast.deployment, []
    for _ in range(5):
        to.ask("fan", "{ __typename }")
        to.statements.clear()
        to.do("fan", "giftSend", "gift { id }", **cast.present())
        found.append(len(to.statements_read()))
    assert min(found) == STATEMENTS[to.app.settings.embedded], "whatever a job ran beside it"


def test_many_gifts_are_thanked_for_at_once_and_others_not(cast: Cast) -> None:
    to = cast.deployment
    mine = [give(cast)["id"] for _ in range(3)]
    theirs = give(cast, creatorId=cast.ids["other_creator_profile"])["id"]
    refusal = to.refuse("creator", "giftThank", giftIds=[*mine, theirs])
    assert (refusal["code"], refusal["path"]) == ("NOT_FOUND", ["input", "giftIds"])
    thanked = to.do("creator", "giftThank", "gifts { id thanks thankedAt }", giftIds=mine)["gifts"]
    assert [gift["id"] for gift in thanked] == mine
    assert all(gift["thankedAt"] and gift["thanks"] is None for gift in thanked)
    again = to.do("creator", "giftThank", "gifts { thanks thankedAt }", giftIds=mine, message="Late")["gifts"]
    assert [gift["thankedAt"] for gift in again] == [gift["thankedAt"] for gift in thanked]


@pytest.mark.parametrize("span", ["DAY", "WEEK", "ALL"])
def test_the_ranking_names_fans_to_the_creator_and_strangers_see_numbers(cast: Cast, span: str) -> None:
    to, creator = cast.deployment, cast.ids["creator_profile"]
    give(cast)
    give(cast, "other_fan", quantity=50, expectedPrice="50")
    seen = {}
    for who in VIEWERS:
        nodes = to.ask(who, RANKING, of=creator, span=span)["giftRanking"]["nodes"]
        coins = [int(node["coins"]) for node in nodes]
        assert coins == sorted(coins, reverse=True)
        assert nodes[0]["rank"] == 1
        seen[who] = [(node["giverName"], node["mine"]) for node in nodes if node["giverName"] or node["mine"]]
    both = [("Other_Fan", False), ("Fan", False)]
    for who in ("creator", "moderator", "finance", "admin"):
        assert [each for each in seen[who] if each in both] == sorted(both, key=seen[who].index)
    assert seen["fan"] == [("Fan", True)]
    assert seen["other_fan"] == [("Other_Fan", True)]
    assert seen["anonymous"] == seen["service"] == []
    assert set(seen["other_creator"]) <= {("Other_Creator", True)}, "who gave sees themselves, and nobody else"
