"""Ratings through GraphQL only: given once, changed in time, replied to, hidden and restored, and counted exactly."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from tests.api.cast import Cast
from tests.api.deployment import TOKEN_TTL, Deployment, absent_of, open_deployment
from tests.storage.databases import Place

from shoutgraph.storage import creators, ledger_proof, personal, ratings

DAY_S: Final = 86_400
SHAPE: Final = """replayed rating { id revision stars opinion reply hidden ratedAt editedAt editableUntil repliedAt
  replyEditableUntil orderId }"""
SUMMARY: Final = """query ($id: ID!) { creator(by: {id: $id}) { rating {
  sum count averageHundredths histogram { stars count } } } }"""
WORDS: Final[Mapping[str, object]] = {"reason": "ABUSE", "note": "It names a private person."}
PAGE: Final = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String, $sort: RatingSortInput) {
  ratings(of: {id: $id}, first: $first, after: $after, last: $last, before: $before, sort: $sort) {
    nodes { id stars opinion orderId } totalCount { value }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


@pytest.fixture(scope="module")
def stage(module_place: Place) -> Iterator[Cast]:
    """A marketplace of its own, because its time is moved; at the end its books and its counts are proven."""
    with open_deployment(module_place) as deployment:
        cast = Cast(deployment)
        cast.introduce()
        yield cast
        books = ledger_proof.Books("EUR", 100)
        assert deployment.read(lambda tx: ledger_proof.verify(tx, books=books)) == []


def rate(stage: Cast, stars: int = 5, place: str = "DELIVERED", **given: object) -> Any:
    """A new order of the fan's, rated."""
    order = stage.order(place)
    return stage.deployment.do("fan", "orderRate", SHAPE, orderId=order["id"], stars=stars, **given)["rating"]


def summary_of(stage: Cast) -> Any:
    """How the creator is rated."""
    return stage.deployment.ask("anonymous", SUMMARY, id=stage.ids["creator_profile"])["creator"]["rating"]


def counts_of(stage: Cast) -> list[int]:
    return [bucket["count"] for bucket in summary_of(stage)["histogram"]]


def walk(stage: Cast, sort: Mapping[str, str]) -> tuple[list[Any], str]:
    """Every rating of the creator's in this order, two at a time, and the last cursor."""
    found: list[Any] = []
    after, more = None, True
    while more:
        given = {"id": stage.ids["creator_profile"], "first": 2, "after": after, "sort": sort}
        page = stage.deployment.ask("anonymous", PAGE, **given)["ratings"]
        found += page["nodes"]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return found, str(after)


def travel(stage: Cast, *, days: int) -> None:
    stage.deployment.do("admin", "testClockAdvance", "now", seconds=days * DAY_S)
    stage.deployment.settle()


def transitions_of(stage: Cast, order_id: str) -> list[tuple[str, str]]:
    """What the journal says of an order."""
    stage.deployment.settle_journal()
    document = """query ($ids: [ID!]) { orderEvents(first: 100, filter: {orderIds: $ids}) { nodes {
      ... on OrderStatusChangedEvent { transition actor orderRevision } } } }"""
    events = stage.deployment.ask("service", document, ids=[order_id])["orderEvents"]["nodes"]
    assert [event["orderRevision"] for event in events] == list(range(1, len(events) + 1))
    return [(event["transition"], event["actor"]) for event in events]


def test_rating_a_delivered_video_completes_its_order_and_pays_its_creator(stage: Cast) -> None:
    to = stage.deployment
    to.settle()
    earned = "{ earnings { pending { coins } available { coins } } }"
    before = to.ask("creator", earned)["earnings"]
    order, counted = stage.order("DELIVERED"), counts_of(stage)
    shape = f"order {{ status closeReason revision rating {{ id }} }} {SHAPE}"
    key = to.key()
    given = {
        "orderId": order["id"],
        "stars": 4,
        "opinion": "  Sung with heart \U0001f3b6, café  ",
        "idempotencyKey": key,
    }
    stale = to.refuse("fan", "orderRate", **given | {"idempotencyKey": to.key(), "expectedRevision": 1})
    assert (stale["code"], stale["currentRevision"]) == ("STALE_REVISION", order["revision"])
    done = to.do("fan", "orderRate", shape, **given, expectedRevision=order["revision"])
    assert done["order"]["status"] == "COMPLETED"
    assert done["order"]["closeReason"] == "confirm"
    assert done["order"]["revision"] == order["revision"] + 2
    assert done["order"]["rating"] == {"id": done["rating"]["id"]}
    rating = done["rating"]
    assert (rating["stars"], rating["opinion"]) == (4, "Sung with heart \U0001f3b6, café")
    assert (rating["revision"], rating["hidden"], rating["reply"]) == (1, False, None)
    again = to.do("fan", "orderRate", shape, **given, expectedRevision=order["revision"])
    assert again == done | {"replayed": True}
    assert counts_of(stage) == [*counted[:3], counted[3] + 1, counted[4]]
    other = to.refuse("fan", "orderRate", **given | {"stars": 5})
    assert other["code"] == "IDEMPOTENCY_KEY_REUSED"
    refused = to.refuse("fan", "orderRate", orderId=order["id"], stars=5)
    assert (refused["code"], refused["state"], refused["path"]) == ("ALREADY_RATED", "COMPLETED", ["input", "orderId"])
    assert transitions_of(stage, order["id"])[-2:] == [("confirm", "FAN"), ("rate", "FAN")]
    to.settle()
    after = to.ask("creator", earned)["earnings"]
    gained = sum(int(after[kind]["coins"]) - int(before[kind]["coins"]) for kind in after)
    assert gained == 175, "250 coins less the fee, as by orderConfirm"


def test_a_completed_order_is_only_rated(stage: Cast) -> None:
    order = stage.order("COMPLETED")
    done = stage.deployment.do("fan", "orderRate", f"order {{ revision }} {SHAPE}", orderId=order["id"], stars=1)
    assert done["order"]["revision"] == order["revision"] + 1
    assert done["rating"]["opinion"] is None


@pytest.mark.parametrize("place", ["DRAFT", "SCREENING", "IN_PRODUCTION", "IN_REVIEW", "DISPUTED", "SPLIT", "REFUNDED"])
def test_what_was_not_delivered_is_not_rated(stage: Cast, place: str) -> None:
    order, before = stage.order(place), summary_of(stage)
    refused = stage.deployment.refuse("fan", "orderRate", orderId=order["id"], stars=5)
    assert (refused["code"], refused["state"]) == ("ORDER_STATE", place)
    assert summary_of(stage) == before


def test_stars_and_words_have_bounds(stage: Cast) -> None:
    to, order = stage.deployment, stage.shelf("DELIVERED")
    for stars in (0, 6, -1, 2**31 - 1):
        refused = to.refuse("fan", "orderRate", orderId=order["id"], stars=stars)
        assert (refused["code"], refused["path"]) == ("OUT_OF_RANGE", ["input", "stars"])
    for opinion, code in (("x" * 1_001, "TOO_LONG"), ("a\0b", "INVALID_TEXT"), ("\u202eabc", "INVALID_TEXT")):
        refused = to.refuse("fan", "orderRate", orderId=order["id"], stars=5, opinion=opinion)
        assert (refused["code"], refused["path"]) == (code, ["input", "opinion"])
    both = to.submit("fan", "orderRate", "rating { id }", orderId=order["id"], stars=9, opinion="x" * 1_001)
    assert [error["code"] for error in both.value["errors"]] == ["OUT_OF_RANGE", "TOO_LONG"]
    widest = "\U0001f3b6" * 1_000
    given = {"orderId": order["id"], "stars": 5, "opinion": widest}
    assert to.do("fan", "orderRate", SHAPE, **given)["rating"]["opinion"] == widest
    assert rate(stage, opinion=" \n ")["opinion"] is None


def test_only_its_fan_rates_an_order_and_only_its_creator_replies(stage: Cast) -> None:
    to, order = stage.deployment, stage.order("DELIVERED")
    assert to.refuse("creator", "orderRate", orderId=order["id"], stars=5)["code"] == "FORBIDDEN"
    assert to.refuse("other_fan", "orderRate", orderId=order["id"], stars=5)["code"] == "NOT_FOUND"
    rating = to.do("fan", "orderRate", SHAPE, orderId=order["id"], stars=5)["rating"]
    for who, code in (("fan", "NOT_A_CREATOR"), ("other_fan", "NOT_A_CREATOR"), ("other_creator", "NOT_FOUND")):
        assert to.refuse(who, "ratingReply", ratingId=rating["id"], text="Hm.")["code"] == code
    assert to.refuse("creator", "ratingUpdate", ratingId=rating["id"], stars=1)["code"] == "FORBIDDEN"
    assert to.refuse("other_fan", "ratingUpdate", ratingId=rating["id"], stars=1)["code"] == "NOT_FOUND"


def test_a_rating_is_changed_in_time_and_counts_as_it_stands(stage: Cast) -> None:
    to = stage.deployment
    rating, counted = rate(stage, 2, opinion="Meh."), counts_of(stage)
    key = to.key()
    stale = to.refuse("fan", "ratingUpdate", ratingId=rating["id"], stars=5, expectedRevision=2)
    assert (stale["code"], stale["currentRevision"]) == ("STALE_REVISION", 1)
    given = {"ratingId": rating["id"], "stars": 5, "expectedRevision": 1, "idempotencyKey": key}
    done = to.do("fan", "ratingUpdate", SHAPE, **given)
    assert (done["rating"]["stars"], done["rating"]["opinion"], done["rating"]["revision"]) == (5, None, 2)
    assert done["rating"]["editedAt"] is not None
    assert to.do("fan", "ratingUpdate", SHAPE, **given) == done | {"replayed": True}
    assert counts_of(stage) == [counted[0], counted[1] - 1, counted[2], counted[3], counted[4] + 1]
    same = to.do("fan", "ratingUpdate", SHAPE, ratingId=rating["id"], stars=5)["rating"]
    assert same["revision"] == 2, "the same again is no change"
    assert transitions_of(stage, rating["orderId"])[-1] == ("rating_update", "FAN")
    travel(stage, days=15)
    late = to.refuse("fan", "ratingUpdate", ratingId=rating["id"], stars=1)
    assert (late["code"], late["path"]) == ("RATING_WINDOW", ["input", "ratingId"])


def test_an_order_is_rated_in_time(stage: Cast) -> None:
    order = stage.order("COMPLETED")
    travel(stage, days=91)
    late = stage.deployment.refuse("fan", "orderRate", orderId=order["id"], stars=5)
    assert (late["code"], late["state"]) == ("WINDOW_CLOSED", "COMPLETED")


def test_the_creator_replies_once_and_may_put_it_right(stage: Cast) -> None:
    to, rating = stage.deployment, rate(stage, 3)
    assert to.refuse("creator", "ratingReply", ratingId=rating["id"], text="  ")["code"] == "EMPTY"
    assert to.refuse("creator", "ratingReply", ratingId=rating["id"], text="x" * 1_001)["code"] == "TOO_LONG"
    first = to.do("creator", "ratingReply", SHAPE, ratingId=rating["id"], text="Danke schön!")["rating"]
    assert (first["reply"], first["revision"]) == ("Danke schön!", 2)
    second = to.do("creator", "ratingReply", SHAPE, ratingId=rating["id"], text="Thank you!")["rating"]
    assert (second["reply"], second["revision"]) == ("Thank you!", 3)
    assert (second["repliedAt"], second["replyEditableUntil"]) == (first["repliedAt"], first["replyEditableUntil"])
    assert transitions_of(stage, rating["orderId"])[-2:] == [("rating_reply", "CREATOR")] * 2
    travel(stage, days=15)
    late = to.refuse("creator", "ratingReply", ratingId=rating["id"], text="Too late.")
    assert late["code"] == "RATING_WINDOW"


def test_a_hidden_rating_does_not_show_and_does_not_count_until_it_is_restored(stage: Cast) -> None:
    to, node = (
        stage.deployment,
        "query ($id: ID!) { node(id: $id) { ... on Rating { hidden decisions { hidden note } } } }",
    )
    rating, counted = rate(stage, 1, opinion="Rude words."), summary_of(stage)
    key = to.key()
    given = {"ratingId": rating["id"], **WORDS, "idempotencyKey": key, "expectedRevision": 1}
    done = to.do("moderator", "ratingHide", SHAPE, **given)
    assert (done["rating"]["hidden"], done["rating"]["revision"]) == (True, 2)
    assert to.do("moderator", "ratingHide", SHAPE, **given) == done | {"replayed": True}
    hidden = summary_of(stage)
    assert (hidden["count"], hidden["sum"]) == (counted["count"] - 1, counted["sum"] - 1)
    assert hidden["histogram"][0]["count"] == counted["histogram"][0]["count"] - 1
    said = [{"hidden": True, "note": WORDS["note"]}]
    for who in ("fan", "creator", "moderator"):
        assert to.ask(who, node, id=rating["id"])["node"] == {"hidden": True, "decisions": said}
    for who in ("anonymous", "other_fan", "other_creator"):
        assert to.ask(who, node, id=rating["id"])["node"] is None
    shown = to.ask("fan", PAGE, id=stage.ids["creator_profile"], first=100)["ratings"]["nodes"]
    assert rating["id"] not in {each["id"] for each in shown}
    only = "query ($id: ID!) { ratings(of: {id: $id}, first: 100, hidden: true) { nodes { id } totalCount { value } } }"
    listed = to.ask("moderator", only, id=stage.ids["creator_profile"])["ratings"]
    assert rating["id"] in {each["id"] for each in listed["nodes"]}
    assert listed["totalCount"] == {"value": len(listed["nodes"])}
    for who, mutation, more in (
        ("fan", "ratingUpdate", {"stars": 5}),
        ("creator", "ratingReply", {"text": "No."}),
        ("moderator", "ratingHide", WORDS),
    ):
        assert to.refuse(who, mutation, ratingId=rating["id"], **more)["code"] == "RATING_STATE"
    back = to.do("moderator", "ratingRestore", SHAPE, ratingId=rating["id"], reason="APPEAL", note="It was a quote.")
    assert back["rating"]["hidden"] is False
    assert summary_of(stage) == counted
    decided = to.ask("fan", node, id=rating["id"])["node"]["decisions"]
    assert decided == [*said, {"hidden": False, "note": "It was a quote."}]
    assert to.ask("anonymous", node, id=rating["id"])["node"] == {"hidden": False, "decisions": []}
    assert to.refuse("moderator", "ratingRestore", ratingId=rating["id"], **WORDS)["code"] == "RATING_STATE"
    names = [name for name, _ in transitions_of(stage, rating["orderId"])]
    assert names[-2:] == ["rating_hide", "rating_restore"]
    for words in ({"reason": "", "note": "x"}, {"reason": "ABUSE", "note": " "}):
        assert to.refuse("moderator", "ratingHide", ratingId=rating["id"], **words)["code"] == "EMPTY"


def test_ratings_are_read_in_pages_along_both_sorts(stage: Cast) -> None:
    to, of = stage.deployment, stage.ids["creator_profile"]
    for stars in (1, 5, 3, 5, 2):
        rate(stage, stars)
    everything = to.ask("anonymous", PAGE, id=of, first=100)["ratings"]
    assert everything["totalCount"] == {"value": summary_of(stage)["count"]} == {"value": len(everything["nodes"])}
    assert {node["orderId"] for node in everything["nodes"]} == {None}, "whose order it was is the two sides' affair"
    expected = {
        "NEWEST": sorted(everything["nodes"], key=lambda node: node["id"], reverse=True),
        "STARS": sorted(everything["nodes"], key=lambda node: (node["stars"], node["id"]), reverse=True),
    }
    for field, wanted in expected.items():
        for direction, nodes in (("DESC", wanted), ("ASC", wanted[::-1])):
            sort = {"field": field, "direction": direction}
            found, after = walk(stage, sort)
            assert found == nodes
            last = to.ask("anonymous", PAGE, id=of, last=2, before=after, sort=sort)["ratings"]["nodes"]
            assert last == nodes[-3:-1]
    foreign = to.answer("anonymous", PAGE, id=of, first=2, after=after, sort={"field": "NEWEST", "direction": "DESC"})
    assert foreign.body["errors"][0]["extensions"]["reason"] == "INVALID_CURSOR"
    by_handle = '{ ratings(of: {handle: "@Creator"}, first: 100) { nodes { id } } }'
    assert len(to.ask("anonymous", by_handle)["ratings"]["nodes"]) == len(everything["nodes"])
    for by in ('{handle: "nobody"}', f'{{id: "{absent_of(of)}"}}'):
        assert to.answer("anonymous", f"{{ ratings(of: {by}) {{ nodes {{ id }} }} }}").code == "NOT_FOUND"


def test_the_average_is_exact_and_rounded_by_its_rule(stage: Cast) -> None:
    found = summary_of(stage)
    total = sum(bucket["stars"] * bucket["count"] for bucket in found["histogram"])
    assert (found["sum"], found["count"]) == (total, sum(bucket["count"] for bucket in found["histogram"]))
    assert found["averageHundredths"] == (200 * total + found["count"]) // (2 * found["count"])
    nobody = stage.deployment.ask("anonymous", SUMMARY, id=stage.ids["other_creator_profile"])["creator"]["rating"]
    assert (nobody["sum"], nobody["count"], nobody["averageHundredths"]) == (0, 0, None)
    assert [bucket["count"] for bucket in nobody["histogram"]] == [0] * 5


def test_the_catalogue_filters_and_sorts_by_what_fans_said(stage: Cast) -> None:
    to, mine = stage.deployment, summary_of(stage)["averageHundredths"]
    document = """query ($min: Int) { creators(first: 10, filter: {ratingMin: $min}, sort: {field: RATING}) {
      nodes { handle } } }"""
    everybody = [each["handle"] for each in to.ask("fan", document)["creators"]["nodes"]]
    assert everybody == ["creator", "resting", "other_creator"], "whom nobody rated comes last, the newest first"
    assert [each["handle"] for each in to.ask("fan", document, min=mine)["creators"]["nodes"]] == ["creator"]
    assert to.ask("fan", document, min=mine + 1)["creators"]["nodes"] == []


def blank(to: Deployment, user_id: str, column: str) -> int:
    """Erases what somebody said in ratings, as the erasure of a person does; says how many rows it touched."""
    at = next(at for at, held in enumerate(personal.HELD) if held.table == "rating_words" and column in held.blank)
    return to.write(lambda tx: personal.erase_some(tx, user_id=user_id, at=at))


def test_the_words_are_erased_and_the_counts_stay(stage: Cast) -> None:
    to, rating, counted = stage.deployment, rate(stage, 5, opinion="Call me under 555-0100."), summary_of(stage)
    to.do("creator", "ratingReply", SHAPE, ratingId=rating["id"], text="I will.")
    assert blank(to, stage.ids["fan"], "opinion") > 0
    node = "query ($id: ID!) { node(id: $id) { ... on Rating { stars opinion reply } } }"
    assert to.ask("anonymous", node, id=rating["id"])["node"] == {"stars": 5, "opinion": None, "reply": "I will."}
    assert blank(to, stage.ids["creator"], "reply") > 0
    assert to.ask("anonymous", node, id=rating["id"])["node"]["reply"] is None
    assert summary_of(stage) == counted


def test_a_rating_is_told_to_its_two_sides_and_to_those_who_read_all(stage: Cast) -> None:
    to = stage.deployment
    rating = rate(stage, 4)
    to.do("creator", "ratingReply", SHAPE, ratingId=rating["id"], text="Thanks.")
    to.do("moderator", "ratingHide", SHAPE, ratingId=rating["id"], **WORDS)
    to.settle_journal()
    document = """query ($ids: [ID!]) { ratingEvents(first: 100, filter: {ratingIds: $ids}) { nodes {
      ... on RatingChangedEvent { transition actor ratingRevision stars hidden rating { id } } } } }"""
    told = [
        ("rate", "FAN", 1, 4, False),
        ("rating_reply", "CREATOR", 2, 4, False),
        ("rating_hide", "MODERATOR", 3, 4, True),
    ]
    for who in ("fan", "creator", "moderator", "service"):
        nodes = to.ask(who, document, ids=[rating["id"]])["ratingEvents"]["nodes"]
        names = ("transition", "actor", "ratingRevision", "stars", "hidden")
        assert [tuple(node[name] for name in names) for node in nodes] == told, who
        assert {node["rating"]["id"] for node in nodes} == {rating["id"]}
    for who in ("other_fan", "other_creator"):
        assert to.ask(who, document, ids=[rating["id"]])["ratingEvents"]["nodes"] == []
    newest = to.ask("creator", "{ ratingEvents(first: 500) { pageInfo { endCursor } } }")["ratingEvents"]
    stream = "subscription ($after: String) { ratingEvents(after: $after) { ... on RatingChangedEvent { ratingId } } }"
    with to.socket("creator") as socket:
        socket.subscribe("mine", stream, after=newest["pageInfo"]["endCursor"])
        new = rate(stage, 5)
        assert socket.next("mine")["data"]["ratingEvents"] == {"ratingId": new["id"]}


def test_staff_do_not_moderate_what_they_are_a_side_of(stage: Cast) -> None:
    to, rating = stage.deployment, rate(stage, 2)
    token = to.app.issuer.issue(stage.ids["fan"], role="moderator", ttl=TOKEN_TTL)
    to.let_in("fan_moderates", token)
    refused = to.refuse("fan_moderates", "ratingHide", ratingId=rating["id"], **WORDS)
    assert (refused["__typename"], refused["code"]) == ("ForbiddenError", "OWN_ORDER")


def test_no_unit_of_work_counts_by_itself(stage: Cast) -> None:
    rate(stage, 5)
    creator_id = stage.ids["creator_profile"]
    found = stage.deployment.read(lambda tx: (creators.get(tx, creator_id), ratings.list_of_tallies(tx, [creator_id])))
    assert (found[0].rating_sum, found[0].rating_count) == (found[1][0].sum, found[1][0].count)
