"""Orders as people live them, through GraphQL only: every mutation works once, is refused once and repeats once."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from tests.api.cast import BRIEF, EXPRESS, PRICE, STEPS, Cast
from tests.api.deployment import open_deployment
from tests.storage.databases import Place

from shoutgraph.files import sample
from shoutgraph.storage import ledger_proof

HOUR_S: Final = 3_600
ORDER: Final = "order { id revision status closeReason reason note redo redoGround frozen refunded }"
STAYS: Final[Mapping[str, str]] = {
    "orderExtensionOffer": "DELIVERED",
    "orderDisputeAnswer": "DELIVERED",
    "orderVoiceNoteSet": "DELIVERED",
}
"""Mutations that can be taken again, and a place where they cannot."""

AGAIN: Final[Mapping[str, str]] = {"orderExtensionAgree": "NO_EXTENSION_OFFER"}
"""Why a mutation is refused the second time, where it is not for the state alone."""

SETTLED: Final = frozenset({"orderVisibilitySet"})
"""Mutations that say how something shall be: said again, in any state, they change nothing."""

GIVEN_BACK: Final = (
    ("AWAITING_ACCEPTANCE", "orderDecline"),
    ("AWAITING_ACCEPTANCE", "orderCancel"),
    ("SCREENING", "orderScreenReject"),
    ("IN_PRODUCTION", "orderWithdraw"),
    ("IN_REVIEW", "orderReviewReject"),
    ("DISPUTED", "orderDisputeRefund"),
    ("IN_PRODUCTION", "orderPlatformCancel"),
    ("REDO_REQUESTED", "orderRedoConcede"),
)
"""Endings for the fan."""

LEFT_ALONE: Final = (
    ("DRAFT", "CANCELLED", "abandon"),
    ("SCREENING", "CANCELLED", "screening_timeout"),
    ("AWAITING_ACCEPTANCE", "EXPIRED", "accept_timeout"),
    ("IN_PRODUCTION", "EXPIRED", "deliver_timeout"),
    ("IN_PRODUCTION FROZEN", "IN_PRODUCTION", None),
    ("IN_REVIEW", "CANCELLED", "review_overdue"),
    ("CHANGES_REQUIRED", "EXPIRED", "deliver_timeout"),
    ("DELIVERED", "COMPLETED", "auto_complete"),
    ("REDO_REQUESTED", "REFUNDED", "redo_timeout"),
    ("IN_REVIEW AGAIN", "DISPUTED", None),
    ("DISPUTED", "REFUNDED", "dispute_refund"),
    ("DISPUTED CONTESTED", "COMPLETED", "dispute_release"),
    ("DISPUTED ANSWERED", "REFUNDED", "dispute_overdue"),
)
"""What becomes of an order that nobody touches for a month."""


@pytest.fixture(scope="module")
def stage(module_place: Place) -> Iterator[Cast]:
    """A marketplace of its own, because its time is moved; at the end its books balance."""
    with open_deployment(module_place) as deployment:
        cast = Cast(deployment)
        cast.introduce()
        yield cast
        books = ledger_proof.Books("EUR", 100)
        assert deployment.read(lambda tx: ledger_proof.verify(tx, books=books)) == []


def travel(stage: Cast, *, hours: int) -> None:
    """Moves time ahead; the jobs do what is due."""
    stage.deployment.do("admin", "testClockAdvance", "now", seconds=hours * HOUR_S)
    stage.deployment.settle()


def order_of(stage: Cast, order_id: str, shape: str = "status closeReason", who: str = "admin") -> Any:
    """An order as it is now."""
    return stage.deployment.ask(who, f"query ($id: ID!) {{ order(id: $id) {{ {shape} }} }}", id=order_id)["order"]


def wallet_of(stage: Cast, who: str = "fan") -> Any:
    """Coins to spend and held, and what is left of each lot."""
    document = "{ wallet { available promo held lots(first: 100) { nodes { id remaining } } } }"
    return stage.deployment.ask(who, document)["wallet"]


def earned_by(stage: Cast, who: str = "creator") -> int:
    """What a creator may have paid out. Units: coins."""
    stage.deployment.settle()
    return int(stage.deployment.ask(who, "{ earnings { available { coins } } }")["earnings"]["available"]["coins"])


def transitions_of(stage: Cast, order_id: str) -> list[tuple[str, str | None, str]]:
    """What the journal says of an order: transition, state before, state after."""
    document = """query ($ids: [ID!]) { orderEvents(first: 100, filter: {orderIds: $ids}) { nodes {
      ... on OrderStatusChangedEvent { transition previousStatus status orderRevision } } } }"""
    events = stage.deployment.ask("service", document, ids=[order_id])["orderEvents"]["nodes"]
    revisions = [event["orderRevision"] for event in events]
    assert revisions == list(range(1, len(events) + 1)), "each event is one revision"
    return [(event["transition"], event["previousStatus"], event["status"]) for event in events]


@pytest.mark.parametrize("mutation", STEPS)
def test_a_mutation_works_once_is_refused_once_and_repeats_once(stage: Cast, mutation: str) -> None:
    to, step = stage.deployment, STEPS[mutation]
    before = stage.order(step.source)
    if mutation == "orderReviewGiveUp":
        travel(stage, hours=73)
    given = stage.given(mutation, before)
    if mutation != "orderSubmit":
        stale = to.refuse(step.who, mutation, **given, expectedRevision=before["revision"] + 1)
        assert (stale["code"], stale["path"]) == ("STALE_REVISION", ["input", "expectedRevision"])
        assert stale["currentRevision"] == before["revision"]
        given["expectedRevision"] = before["revision"]
    given["idempotencyKey"] = to.key()
    shape = f"replayed {ORDER}"
    done = to.do(step.who, mutation, shape, **given)
    assert (done["replayed"], done["order"]["status"]) == (False, step.target.split()[0])
    assert done["order"]["revision"] == before["revision"] + 1
    again = to.do(step.who, mutation, shape, **given)
    assert again == done | {"replayed": True}
    other = to.refuse(step.who, mutation, **given | {"orderId": stage.ids["IN_PRODUCTION"]})
    assert (other["code"], other["path"]) == ("IDEMPOTENCY_KEY_REUSED", ["input", "idempotencyKey"])
    where = stage.order(STAYS[mutation]) if mutation in STAYS else done["order"]
    fresh = {name: value for name, value in given.items() if name not in {"idempotencyKey", "expectedRevision"}}
    if mutation in SETTLED:
        assert to.do(step.who, mutation, shape, **fresh) == done
        return
    refused = to.refuse(step.who, mutation, **fresh | {"orderId": where["id"]})
    assert (refused["code"], refused["path"]) == (AGAIN.get(mutation, "ORDER_STATE"), ["input", "orderId"])
    assert refused["state"] == where["status"]


@pytest.mark.parametrize("mutation", ["orderDraft", "orderPlace"])
def test_an_order_is_written_down_once_refused_once_and_repeated_once(stage: Cast, mutation: str) -> None:
    to, key = stage.deployment, stage.deployment.key()
    done = to.do("fan", mutation, f"replayed {ORDER}", **stage.wish(), idempotencyKey=key)
    assert (done["replayed"], done["order"]["revision"]) == (False, 1)
    assert to.do("fan", mutation, f"replayed {ORDER}", **stage.wish(), idempotencyKey=key) == done | {"replayed": True}
    other = to.refuse("fan", mutation, **stage.wish(express=True, expectedPrice="300"), idempotencyKey=key)
    assert (other["code"], other["path"]) == ("IDEMPOTENCY_KEY_REUSED", ["input", "idempotencyKey"])
    dear = to.refuse("fan", mutation, **stage.wish(expectedPrice="249"))
    assert (dear["code"], dear["path"], dear["currentPrice"]) == ("PRICE_CHANGED", ["input", "expectedPrice"], "250")


def test_a_refusal_repeats_as_it_was_even_if_it_would_work_now(stage: Cast) -> None:
    to, key = stage.deployment, stage.deployment.key()
    order = stage.order("SCREENING")
    early = to.submit("creator", "orderAccept", "replayed order { id }", orderId=order["id"], idempotencyKey=key).value
    stage.move("orderScreenPass", order)
    late = to.submit("creator", "orderAccept", "replayed order { id }", orderId=order["id"], idempotencyKey=key).value
    assert (early["replayed"], late["replayed"]) == (False, True)
    assert late["errors"] == early["errors"]
    assert late["errors"][0]["state"] == "SCREENING"


def test_a_video_is_ordered_filmed_watched_and_paid(stage: Cast, tmp_path: Path) -> None:
    to, before, earned = stage.deployment, wallet_of(stage), earned_by(stage)
    wish = stage.wish(express=True, expectedPrice=str(PRICE + EXPRESS))
    placed = to.do("fan", "orderPlace", "order { id price expressSurcharge promoCoins split { fee earning } }", **wish)
    order = placed["order"]
    assert (order["price"], order["expressSurcharge"]) == (str(PRICE + EXPRESS), str(EXPRESS))
    assert int(wallet_of(stage)["held"]) == int(before["held"]) + PRICE + EXPRESS
    shown = order_of(stage, order["id"], "brief { recipientName mustSay mustNotSay } fanName", "creator")
    assert shown == {"brief": {name: BRIEF[name] for name in shown["brief"]}, "fanName": "Fan"}
    stage.move("orderScreenPass", order)
    stage.move("orderAccept", order)
    video_id = upload(stage, order["id"], tmp_path / "film.mp4")
    to.do("creator", "orderDeliver", ORDER, orderId=order["id"], videoId=video_id, tickedKeys=["must-1"])
    assert order_of(stage, order["id"], "video { id }", "fan") == {"video": None}, "nobody has seen it yet"
    stage.move("orderReviewPass", order)
    video = order_of(stage, order["id"], "video { sizeBytes watch { url } poster { url } }", "fan")["video"]
    part = httpx.get(video["watch"]["url"], headers={"range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)
    assert part.headers["content-range"] == f"bytes 0-99/{video['sizeBytes']}"
    assert httpx.get(video["poster"]["url"]).headers["content-type"].startswith("image/")
    done = stage.move("orderConfirm", order)
    assert done["status"] == "COMPLETED"
    assert wallet_of(stage)["held"] == before["held"]
    assert earned_by(stage) == earned + int(order["split"]["earning"])
    assert transitions_of(stage, order["id"]) == [
        ("submit", None, "SCREENING"),
        ("screen_pass", "SCREENING", "AWAITING_ACCEPTANCE"),
        ("accept", "AWAITING_ACCEPTANCE", "IN_PRODUCTION"),
        ("upload", "IN_PRODUCTION", "IN_REVIEW"),
        ("review_pass", "IN_REVIEW", "DELIVERED"),
        ("confirm", "DELIVERED", "COMPLETED"),
    ]


def upload(stage: Cast, order_id: str, film: Path) -> str:
    """Films a second and uploads it in two parts; gives the video once it passed its checks."""
    sample.make_sample_video(film, seconds=1)
    data = film.read_bytes()
    given = {"orderId": order_id, "sizeBytes": str(len(data)), "mediaType": "video/mp4"}
    target = stage.deployment.do("creator", "orderUploadCreate", "target { videoId url }", **given)["target"]
    half = len(data) // 2
    for start, part in ((0, data[:half]), (half, data[half:])):
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(start)}
        headers["Content-Type"] = "application/offset+octet-stream"
        assert httpx.patch(target["url"], content=part, headers=headers).status_code == 204
    document = "query ($id: ID!) { node(id: $id) { ... on Video { status rejection { code } } } }"
    stage.until("creator", document, node=target["videoId"], wanted="READY")
    return str(target["videoId"])


@pytest.mark.parametrize(("place", "mutation"), GIVEN_BACK)
def test_an_order_that_ends_for_the_fan_gives_each_lot_its_coins_back(stage: Cast, place: str, mutation: str) -> None:
    before, earned = wallet_of(stage), earned_by(stage)
    order = stage.order(place)
    assert int(wallet_of(stage)["held"]) == int(before["held"]) + PRICE
    stage.move(mutation, order)
    assert wallet_of(stage) == before
    assert earned_by(stage) == earned
    ended = order_of(stage, order["id"], "refunded closedAt deadlines { dueAt } availableTransitions")
    assert (ended["refunded"], ended["deadlines"], ended["availableTransitions"]) == (str(PRICE), [], [])
    assert ended["closedAt"] is not None


def test_a_redo_is_filmed_once_more_and_asked_for_only_once(stage: Cast) -> None:
    order = stage.order("IN_REVIEW AGAIN")
    stage.move("orderReviewPass", order)
    seen = order_of(stage, order["id"], "redo redoGround note availableTransitions", "fan")
    assert (seen["redo"], seen["redoGround"]) == (True, "WRONG_NAME")
    assert "request_redo" not in seen["availableTransitions"]
    given = stage.given("orderRedoRequest", order)
    refused = stage.deployment.refuse("fan", "orderRedoRequest", **given)
    assert (refused["code"], refused["state"]) == ("ORDER_STATE", "DELIVERED")
    assert stage.move("orderConfirm", order)["status"] == "COMPLETED"


def test_a_dispute_that_is_split_pays_both_sides(stage: Cast) -> None:
    before, earned = wallet_of(stage), earned_by(stage)
    order = stage.order("DISPUTED ANSWERED")
    given = {"orderId": order["id"], "backCoins": "100", "reason": "SHARED", "note": "Half of it was good."}
    done = stage.deployment.do("moderator", "orderDisputeSplit", ORDER, **given)["order"]
    assert (done["status"], done["refunded"], done["reason"]) == ("SPLIT", "100", "SHARED")
    after = wallet_of(stage)
    spendable = [int(wallet["available"]) + int(wallet["promo"]) for wallet in (before, after)]
    assert spendable[0] - spendable[1] == PRICE - 100
    assert after["held"] == before["held"]
    assert earned_by(stage) - earned == (PRICE - 100) * 70 // 100
    said = order_of(stage, order["id"], "statements { side text } note", "fan")
    spoken = [(each["side"], each["text"]) for each in said["statements"]]
    assert spoken == [("FAN", "This is why."), ("CREATOR", "It is her name.")]
    assert said["note"] == "Half of it was good."


def test_a_frozen_order_stands_still_until_it_is_let_go(stage: Cast) -> None:
    order = stage.order("IN_PRODUCTION FROZEN")
    assert order_of(stage, order["id"], "frozen deadlines { dueAt }") == {"frozen": True, "deadlines": []}
    refused = stage.deployment.refuse("creator", "orderDeliver", **stage.given("orderDeliver", order))
    assert (refused["code"], refused["state"]) == ("FROZEN", "IN_PRODUCTION")
    travel(stage, hours=24 * 30)
    assert order_of(stage, order["id"])["status"] == "IN_PRODUCTION"
    stage.move("orderUnfreeze", order)
    (deadline,) = order_of(stage, order["id"], "deadlines { transition remainingSeconds returnsCoins }")["deadlines"]
    assert (deadline["transition"], deadline["returnsCoins"]) == ("deliver_timeout", True)
    assert deadline["remainingSeconds"] == pytest.approx(7 * 24 * HOUR_S, abs=60)
    travel(stage, hours=24 * 7 + 1)
    ended = order_of(stage, order["id"], "status closeReason refunded")
    assert ended == {"status": "EXPIRED", "closeReason": "deliver_timeout", "refunded": str(PRICE)}


def test_every_order_that_is_left_alone_comes_to_an_end(stage: Cast) -> None:
    orders = {place: stage.order(place)["id"] for place, _, _ in LEFT_ALONE}
    due = {place: order_of(stage, order_id, "deadlines { transition }") for place, order_id in orders.items()}
    for place, _, reason in LEFT_ALONE:
        names = {deadline["transition"] for deadline in due[place]["deadlines"]}
        assert reason is None or reason in names, f"{place}: the API says what will happen"
    travel(stage, hours=24 * 31)
    found = {place: order_of(stage, order_id) for place, order_id in orders.items()}
    assert found == {place: {"status": status, "closeReason": reason} for place, status, reason in LEFT_ALONE}
    travel(stage, hours=24 * 15)
    decided = order_of(stage, orders["IN_REVIEW AGAIN"])
    assert decided == {"status": "REFUNDED", "closeReason": "dispute_overdue"}
    stage.move("orderUnfreeze", {"id": orders["IN_PRODUCTION FROZEN"]})
