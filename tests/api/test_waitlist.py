"""Waiting for a place through the front door: refused, in line, offered, ordered, and told to both sides alone."""

from typing import Any

from tests.api.cast import PRICE, Cast

ENTRY = "entry { id revision state position offeredUntil fanName creator { handle } offer { id } }"
MINE = "{ viewer { waitlistEntries { id state position offeredUntil } } }"
CAPACITY = "query ($id: ID!) { creator(by: {id: $id}) { capacity { open max kept waiting free } } }"
LINE = "{ waitlist(first: 10) { nodes { fanName state position } } }"
STREAM = "subscription ($after: String) { waitlistEvents(after: $after) { %s } }"
EVENT = "cursor previousState state offeredUntil waitlistEntry { id position }"
PAGE = f"""query ($after: String) {{ waitlistEvents(after: $after, first: 100) {{
  nodes {{ ... on WaitlistChangedEvent {{ {EVENT} }} }} pageInfo {{ endCursor }} }} }}"""


def page(cast: Cast, who: str, after: str | None = None) -> dict[str, Any]:
    cast.deployment.settle_journal()
    found: dict[str, Any] = cast.deployment.ask(who, PAGE, after=after)["waitlistEvents"]
    return found


def test_who_waits_is_offered_the_next_place_and_orders(cast: Cast) -> None:
    to = cast.deployment
    profile, offer = furnish(cast)
    wish = cast.wish(offerId=offer)
    first = to.do("fan", "orderPlace", "order { id revision }", **wish)["order"]
    refusal = to.refuse("other_fan", "orderPlace", **wish)
    assert (refusal["__typename"], refusal["code"]) == ("CreatorUnavailableError", "AT_CAPACITY")
    after = page(cast, "admin")["pageInfo"]["endCursor"]
    joined, second = stand_in_line(cast, offer)
    full = {"open": 1, "max": 1, "kept": 0, "waiting": 2, "free": 0}
    assert to.ask("anonymous", CAPACITY, id=profile)["creator"]["capacity"] == full
    with to.socket("busy") as socket:
        socket.subscribe("feed", STREAM % EVENT, after=after)
        to.do("fan", "orderCancel", "order { id }", orderId=first["id"])
        to.settle()
        live = [socket.next("feed")["data"]["waitlistEvents"] for _ in range(3)]
        assert [event["state"] for event in live] == ["WAITING", "WAITING", "OFFERED"]
        (mine,) = [each for each in to.ask("other_fan", MINE)["viewer"]["waitlistEntries"] if each["id"] == joined]
        assert (mine["state"], mine["position"]) == ("OFFERED", None)
        assert mine["offeredUntil"] == live[2]["offeredUntil"]
        assert to.refuse("fan", "orderPlace", **wish)["code"] == "AT_CAPACITY"
        assert to.refuse("other_fan", "orderPlace", **(wish | {"expectedPrice": "1"}))["code"] == "PRICE_CHANGED"
        assert to.do("other_fan", "orderPlace", "order { price }", **wish)["order"]["price"] == str(PRICE)
        live.append(socket.next("feed")["data"]["waitlistEvents"])
    assert (live[3]["state"], live[3]["waitlistEntry"]["id"]) == ("ORDERED", joined)
    seen = {who: [each["state"] for each in page(cast, who, after)["nodes"]] for who in ("other_fan", "busy", "fan")}
    assert seen == {"other_fan": ["WAITING", "OFFERED", "ORDERED"], "busy": [each["state"] for each in live], "fan": []}
    left = to.do("other_creator", "waitlistLeave", ENTRY, waitlistEntryId=second)["entry"]
    assert (left["state"], left["revision"], left["position"]) == ("LEFT", 2, None)
    assert to.ask("anonymous", CAPACITY, id=profile)["creator"]["capacity"] == full | {"waiting": 0}


def furnish(cast: Cast) -> tuple[str, str]:
    """A creator who takes one order at a time: the profile and the offer."""
    cast.deployment.register("busy")
    profile, offer = cast.profile("busy", "busy"), cast.offer("busy")
    cast.deployment.do("busy", "creatorUpdate", "creator { id }", openOrdersMax=1)
    return profile, offer


def stand_in_line(cast: Cast, offer: str) -> tuple[str, str]:
    """Two fans join the line, one of them twice; gives their entries."""
    to = cast.deployment
    joined = to.do("other_fan", "waitlistJoin", ENTRY, offerId=offer)["entry"]
    assert joined == {
        "id": joined["id"],
        "revision": 1,
        "state": "WAITING",
        "position": 1,
        "offeredUntil": None,
        "fanName": "Other_Fan",
        "creator": {"handle": "busy"},
        "offer": {"id": offer},
    }
    assert to.do("other_fan", "waitlistJoin", ENTRY, offerId=offer)["entry"] == joined
    second = to.do("other_creator", "waitlistJoin", ENTRY, offerId=offer)["entry"]
    assert to.ask("busy", LINE)["waitlist"]["nodes"] == [
        {"fanName": "Other_Fan", "state": "WAITING", "position": 1},
        {"fanName": "Other_Creator", "state": "WAITING", "position": 2},
    ]
    return joined["id"], second["id"]
