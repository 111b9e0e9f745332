"""What orders are refused for, and how their lists are paged, filtered and sorted; through GraphQL only."""

from datetime import timedelta
from typing import Any, Final

import pytest
from tests.api.cast import BRIEF, PRICE, WORDS, Cast

SIZE: Final = 5
ORDERS: Final = """query ($role: OrderRole!, $first: Int, $after: String, $last: Int, $before: String,
  $filter: OrderFilterInput, $sort: OrderSortInput) {
  orders(role: $role, first: $first, after: $after, last: $last, before: $before, filter: $filter, sort: $sort) {
    nodes { id updatedAt } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

BAD_BRIEF: Final = BRIEF | {
    "recipientName": " ",
    "instructions": "x" * 301,
    "language": "klingon!",
    "mustSay": ["a"] * 6,
}
REFUSED: Final[tuple[tuple[str, dict[str, object], dict[str, object]], ...]] = (
    (
        "another price",
        {"expectedPrice": "251"},
        {"code": "PRICE_CHANGED", "path": ["input", "expectedPrice"], "currentPrice": "250"},
    ),
    (
        "no express here",
        {"offerId": "plain", "express": True},
        {"code": "EXPRESS_NOT_OFFERED", "path": ["input", "express"]},
    ),
    ("one's own offer", {"offerId": "other_fan_offer"}, {"code": "OWN_OFFER", "path": ["input", "offerId"]}),
    ("off sale", {"offerId": "creator_spare_offer"}, {"code": "OFFER_INACTIVE"}),
    ("of one who takes none", {"offerId": "resting_offer"}, {"code": "CREATOR_CLOSED"}),
    ("on a break", {"offerId": "napping_offer"}, {"code": "CREATOR_PAUSED"}),
    ("too dear", {"offerId": "dear", "expectedPrice": "99999"}, {"code": "INSUFFICIENT_COINS", "required": "99999"}),
)


@pytest.mark.parametrize(
    ("place", "mutation", "given", "code", "field"),
    [
        ("DISPUTED", "orderDisputeSplit", {"backCoins": "0", **WORDS}, "SPLIT_SHARE", "backCoins"),
        ("DISPUTED", "orderDisputeSplit", {"backCoins": str(PRICE), **WORDS}, "SPLIT_SHARE", "backCoins"),
        ("IN_PRODUCTION", "orderExtensionOffer", {"seconds": 0}, "EXTENSION_LENGTH", "seconds"),
        ("IN_PRODUCTION", "orderExtensionOffer", {"seconds": 604_801}, "EXTENSION_LENGTH", "seconds"),
        ("AWAITING_ACCEPTANCE", "orderDecline", {"reason": "SAFETY", "note": " "}, "EMPTY", "note"),
        ("AWAITING_ACCEPTANCE", "orderDecline", {"reason": "SAFETY", "note": "x" * 1_001}, "TOO_LONG", "note"),
        ("AWAITING_ACCEPTANCE", "orderDecline", {"reason": "x" * 65}, "TOO_LONG", "reason"),
        ("DISPUTED", "orderDisputeAnswer", {"text": ""}, "EMPTY", "text"),
        (
            "IN_PRODUCTION",
            "orderUploadCreate",
            {"sizeBytes": "0", "mediaType": "video/mp4"},
            "INVALID_SIZE",
            "sizeBytes",
        ),
        (
            "IN_PRODUCTION",
            "orderUploadCreate",
            {"sizeBytes": "1", "mediaType": "text/plain"},
            "CONTAINER_NOT_ACCEPTED",
            "mediaType",
        ),
        (
            "IN_PRODUCTION",
            "orderUploadCreate",
            {"sizeBytes": "600000000", "mediaType": "video/mp4"},
            "TOO_LARGE",
            "sizeBytes",
        ),
    ],
)
def test_a_move_that_breaks_a_rule_says_which_field_did(
    cast: Cast, place: str, mutation: str, given: dict[str, object], code: str, field: str
) -> None:
    who = "moderator" if mutation == "orderDisputeSplit" else "creator"
    refused = cast.deployment.refuse(who, mutation, orderId=cast.shelf(place)["id"], **given)
    assert (refused["code"], refused["path"]) == (code, ["input", field])


@pytest.fixture(scope="module")
def shop(cast: Cast) -> Cast:
    """The cast, with offers that cannot be had."""
    to = cast.deployment
    cast.ids["plain"] = cast.offer("creator", expressSurcharge=None)
    cast.ids["dear"] = cast.offer("other_creator", price="99999")
    cast.ids["other_fan_offer"] = cast.offer("other_creator")
    to.register("napping")
    cast.profile("napping", "napping")
    cast.ids["napping_offer"] = cast.offer("napping")
    tomorrow = to.app.tools.clock() + timedelta(days=1)
    to.do("napping", "creatorPause", "creator { id }", until=tomorrow.isoformat())
    return cast


@pytest.mark.parametrize("mutation", ["orderPlace", "orderDraft"])
@pytest.mark.parametrize(("why", "changes", "refusal"), REFUSED, ids=[each[0] for each in REFUSED])
def test_an_order_that_cannot_be_had_says_why(
    shop: Cast, why: str, changes: dict[str, object], refusal: dict[str, object], mutation: str
) -> None:
    if why == "too dear" and mutation == "orderDraft":
        return
    offer = changes.get("offerId")
    given = shop.wish(**changes | ({"offerId": shop.ids[str(offer)]} if offer else {}))
    found = shop.deployment.refuse("other_creator" if why == "one's own offer" else "fan", mutation, **given)
    assert refusal.items() <= found.items()


def test_everything_wrong_with_a_brief_is_said_at_once(cast: Cast) -> None:
    answer = cast.deployment.submit("fan", "orderPlace", "order { id }", **cast.wish(brief=BAD_BRIEF))
    found = {(error["code"], ".".join(error["path"])) for error in answer.value["errors"]}
    assert answer.value["order"] is None
    assert found == {
        ("EMPTY", "input.brief.recipientName"),
        ("TOO_LONG", "input.brief.instructions"),
        ("INVALID_LANGUAGE", "input.brief.language"),
        ("TOO_MANY", "input.brief.mustSay"),
    }


def test_a_video_of_another_order_is_like_none(cast: Cast) -> None:
    to, order = cast.deployment, cast.shelf("IN_PRODUCTION")
    other = cast.video(str(cast.order("IN_PRODUCTION")["id"]))
    absent = "video_" + "0" * 26
    found = [to.refuse("creator", "orderDeliver", orderId=order["id"], videoId=video) for video in (other, absent)]
    assert found[0] == found[1]
    assert (found[0]["code"], found[0]["path"]) == ("NOT_FOUND", ["input", "videoId"])


def test_a_video_that_is_not_uploaded_is_not_delivered(cast: Cast) -> None:
    to, order = cast.deployment, cast.order("IN_PRODUCTION")
    given = {"orderId": order["id"], "sizeBytes": "1000", "mediaType": "video/mp4"}
    target = to.do("creator", "orderUploadCreate", "target { videoId }", **given)["target"]
    refused = to.refuse("creator", "orderDeliver", orderId=order["id"], videoId=target["videoId"])
    assert (refused["__typename"], refused["path"]) == ("MediaRejectedError", ["input", "videoId"])


def test_a_key_that_is_none_stops_the_request(cast: Cast) -> None:
    for key in ("short", "x" * 65, "with a blank in it", "ümlaut-ümlaut-ümlaut"):
        answer = cast.deployment.submit("fan", "orderPlace", "order { id }", **cast.wish(), idempotencyKey=key)
        assert answer.code == "BAD_USER_INPUT"
        assert answer.value is None


@pytest.fixture(scope="module")
def placed(cast: Cast) -> list[str]:
    """A new fan's orders, the newest first."""
    to = cast.deployment
    to.register("reader")
    made = [to.do("reader", "orderDraft", "order { id }", **cast.wish())["order"]["id"] for _ in range(SIZE)]
    return list(reversed(made))


def page(cast: Cast, who: str = "reader", **arguments: Any) -> Any:
    return cast.deployment.ask(who, ORDERS, **{"role": "FAN", **arguments})["orders"]


def ids_of(found: Any) -> list[str]:
    assert [edge["node"]["id"] for edge in found["edges"]] == [node["id"] for node in found["nodes"]]
    return [node["id"] for node in found["nodes"]]


@pytest.mark.parametrize("sort", [None, "CREATED_AT", "UPDATED_AT"])
@pytest.mark.parametrize("direction", ["DESC", "ASC"])
def test_pages_lead_through_the_whole_list_in_both_directions(
    cast: Cast, placed: list[str], sort: str | None, direction: str
) -> None:
    wanted = placed if direction == "DESC" or sort is None else placed[::-1]
    order = {} if sort is None else {"sort": {"field": sort, "direction": direction}}
    seen, after, flags = [], None, []
    for _ in range(3):
        found = page(cast, first=2, after=after, **order)
        seen += ids_of(found)
        after = found["pageInfo"]["endCursor"]
        flags.append((found["pageInfo"]["hasPreviousPage"], found["pageInfo"]["hasNextPage"]))
    assert seen == wanted
    assert flags == [(False, True), (True, True), (True, False)]
    back, before = [], None
    for _ in range(3):
        found = page(cast, last=2, before=before, **order)
        back = ids_of(found) + back
        before = found["pageInfo"]["startCursor"]
    assert back == wanted
    assert page(cast, first=0, **order)["nodes"] == []


def test_a_list_keeps_what_its_filter_says(cast: Cast, placed: list[str]) -> None:
    to = cast.deployment
    to.do("reader", "orderAbandon", "order { id }", orderId=placed[2])
    assert ids_of(page(cast, filter={"status": ["CANCELLED"]})) == [placed[2]]
    assert ids_of(page(cast, filter={"status": ["DRAFT"]})) == [each for each in placed if each != placed[2]]
    assert ids_of(page(cast, filter={"status": ["COMPLETED"]})) == []
    newest = page(cast, first=1, sort={"field": "UPDATED_AT", "direction": "DESC"})["nodes"][0]
    assert newest["id"] == placed[2]
    now = to.ask("reader", "{ serverTime }")["serverTime"]
    assert ids_of(page(cast, filter={"updatedSince": now})) == []
    assert len(ids_of(page(cast, filter={"updatedSince": "2020-01-01T00:00:00Z", "status": ["DRAFT"]}))) == SIZE - 1


def test_a_cursor_of_another_list_is_refused(cast: Cast, placed: list[str]) -> None:
    to, cursor = cast.deployment, page(cast, first=1)["edges"][0]["cursor"]
    others: list[tuple[str, dict[str, Any]]] = [
        ("reader", {"after": cursor, "filter": {"status": ["DRAFT"]}}),
        ("reader", {"after": cursor, "sort": {"field": "UPDATED_AT", "direction": "DESC"}}),
        ("reader", {"after": cursor, "sort": {"field": "CREATED_AT", "direction": "ASC"}}),
        ("creator", {"after": cursor, "role": "CREATOR"}),
        ("admin", {"before": cursor, "role": "ANYONE"}),
        ("reader", {"after": "bm90aGluZw"}),
    ]
    for who, arguments in others:
        details = to.answer(who, ORDERS, **{"role": "FAN", **arguments}).body["errors"][0]["extensions"]
        name = "before" if "before" in arguments else "after"
        assert (details["code"], details["reason"]) == ("BAD_USER_INPUT", "INVALID_CURSOR"), arguments
        assert details["argument"] == [name]
    assert ids_of(page(cast, first=9, after=cursor, sort={"field": "CREATED_AT", "direction": "DESC"})) == placed[1:]
    for field in (
        "topUps(first: 1, after: $after)",
        "creators(first: 1, after: $after)",
        "orderEvents(first: 1, after: $after)",
    ):
        document = f"query ($after: String) {{ {field} {{ pageInfo {{ endCursor }} }} }}"
        answer = to.answer("reader", document, after=cursor)
        assert answer.body["errors"][0]["extensions"]["reason"] == "INVALID_CURSOR", field


@pytest.mark.parametrize(
    ("arguments", "reason", "argument"),
    [
        ({"first": 101}, "PAGE_SIZE", "first"),
        ({"first": -1}, "PAGE_SIZE", "first"),
        ({"last": 101}, "PAGE_SIZE", "last"),
        ({"first": 1, "last": 1}, "PAGE_ARGUMENTS", "last"),
        ({"first": 1, "before": "x"}, "PAGE_ARGUMENTS", "last"),
    ],
)
def test_page_arguments_that_make_no_sense_are_refused(
    cast: Cast, placed: list[str], arguments: dict[str, object], reason: str, argument: str
) -> None:
    assert placed
    details = cast.deployment.answer("reader", ORDERS, role="FAN", **arguments).body["errors"][0]["extensions"]
    assert (details["code"], details["reason"], details["argument"]) == ("BAD_USER_INPUT", reason, [argument])


def test_the_queue_gives_the_longest_waiting_first(cast: Cast) -> None:
    document = """query ($after: String) { moderationQueue(queue: SCREENING, first: 2, after: $after) {
      nodes { id submittedAt status } pageInfo { endCursor hasNextPage } } }"""
    cast.order("SCREENING")
    seen, after, more = [], None, True
    while more:
        found = cast.deployment.ask("moderator", document, after=after)["moderationQueue"]
        seen += found["nodes"]
        after, more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
    assert {order["status"] for order in seen} == {"SCREENING"}
    assert [order["submittedAt"] for order in seen] == sorted(order["submittedAt"] for order in seen)
    assert len({order["id"] for order in seen}) == len(seen)
