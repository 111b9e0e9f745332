"""Samples through the front door: shown while the fan agrees, in the creator's order, and nothing but the film."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.api.cast import BRIEF, SHAPE, WORDS, Cast

from shoutgraph.domain.ids import UserId
from shoutgraph.services.orders import show
from shoutgraph.storage import journal, orders, personal, samples
from shoutgraph.storage.tx import Tx

PROFILE = """query ($id: ID!, $after: String) { creator(by: {id: $id}) { samples(first: 2, after: $after) {
  nodes { id } pageInfo { hasNextPage endCursor } } } }"""


def shown_by(cast: Cast, creator_id: str) -> list[str]:
    """What a guest finds on a profile, page by page."""
    found: list[str] = []
    after: str | None = None
    while True:
        page: Any = cast.deployment.ask("anonymous", PROFILE, id=creator_id, after=after)["creator"]["samples"]
        found += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def publish(cast: Cast, order_id: str) -> str:
    made = cast.deployment.do("creator", "samplePublish", "sample { id status } replayed", orderId=order_id)
    assert made["sample"]["status"] == "SHOWN"
    return str(made["sample"]["id"])


def test_a_video_shows_as_long_as_its_fan_agrees(cast: Cast) -> None:
    to, creator_id = cast.deployment, cast.ids["creator_profile"]
    wish = cast.wish(brief=BRIEF | {"visibility": "PUBLIC"})
    order = to.do("fan", "orderPlace", SHAPE, **wish)["order"]
    early = to.refuse("creator", "samplePublish", orderId=order["id"])
    assert (early["code"], early["state"]) == ("ORDER_STATE", "SCREENING")
    for mutation in ("orderScreenPass", "orderAccept", "orderDeliver", "orderReviewPass", "orderConfirm"):
        cast.move(mutation, order)
    private = cast.order("COMPLETED")
    assert to.refuse("creator", "samplePublish", orderId=private["id"])["code"] == "NO_CONSENT"
    sample = publish(cast, order["id"])
    assert publish(cast, order["id"]) == sample, "it shows already"
    assert shown_by(cast, creator_id)[-1] == sample
    shape = "query ($id: ID!) { node(id: $id) { ... on Sample { status watch { url } } } }"
    film = to.ask("anonymous", shape, id=sample)["node"]
    assert film["status"] == "SHOWN"
    assert httpx.get(film["watch"]["url"]).status_code == 404, "nobody filmed here, but the link is good"
    given = {"orderId": order["id"], "visibility": "PRIVATE"}
    taken_back = to.do(
        "fan", "orderVisibilitySet", "order { revision brief { visibility } sample { status } }", **given
    )
    assert taken_back["order"]["brief"]["visibility"] == "PRIVATE"
    assert taken_back["order"]["sample"]["status"] == "WITHDRAWN"
    assert sample not in shown_by(cast, creator_id)
    assert to.ask("anonymous", shape, id=sample)["node"] is None
    assert to.refuse("creator", "samplePublish", orderId=order["id"])["code"] == "NO_CONSENT"
    to.do("fan", "orderVisibilitySet", SHAPE, **given | {"visibility": "PUBLIC"})
    assert publish(cast, order["id"]) == sample
    document = """query ($ids: [ID!]) { orderEvents(first: 100, filter: {orderIds: $ids}) { nodes {
      ... on OrderStatusChangedEvent { transition } } } }"""
    cast.deployment.settle_journal()
    told = to.ask("service", document, ids=[order["id"]])["orderEvents"]["nodes"]
    steps = [event["transition"] for event in told][-4:]
    assert steps == ["publish_sample", "set_visibility", "set_visibility", "publish_sample"]


def test_samples_are_arranged_withdrawn_and_taken_down(cast: Cast) -> None:
    to, creator_id = cast.deployment, cast.ids["creator_profile"]
    one, two = cast.sample(), cast.sample()
    before = [each for each in shown_by(cast, creator_id) if each not in {one, two}]
    to.do("creator", "samplesArrange", "samples { id }", sampleIds=[two, one])
    assert shown_by(cast, creator_id) == [two, one, *before]
    to.settle_journal()
    written = to.read(lambda tx: journal.list_of_topic(tx, creator_id, after=0, limit=1_000))
    arranged = [line.body for line in written if line.type == show.ARRANGED]
    assert arranged[-1] == {"creator": creator_id, "samples": [two, one, *before]}
    assert to.refuse("creator", "samplesArrange", sampleIds=[two, two])["code"] == "REPEATED"
    to.do("creator", "sampleWithdraw", "sample { status }", sampleId=one)
    gone = to.do("moderator", "sampleTakeDown", "sample { status reason note }", sampleId=two, **WORDS)["sample"]
    assert gone == {"status": "TAKEN_DOWN", **WORDS}
    assert shown_by(cast, creator_id) == before
    assert to.refuse("creator", "samplesArrange", sampleIds=[two])["code"] == "NOT_FOUND"
    order_id = to.read(lambda tx: samples.order_of(tx, two))
    assert to.refuse("creator", "samplePublish", orderId=order_id)["code"] == "SAMPLE_TAKEN_DOWN"


def test_the_database_shows_nothing_without_consent(cast: Cast) -> None:
    private, public = cast.order("COMPLETED")["id"], cast.public()["id"]
    publish(cast, public)

    def show(tx: Tx) -> None:
        found = samples.list_of_orders(tx, [public])[public]
        named = {name: getattr(found, name) for name in found.__slots__}
        order = orders.get(tx, private)
        samples.insert(tx, type(found)(**named | {"id": f"{found.id[:-1]}0", "order_id": order.id}))

    def forget(tx: Tx) -> None:
        at = next(at for at, held in enumerate(personal.HELD) if held.table == "brief")
        personal.erase_some(tx, user_id=cast.ids["fan"], at=at)

    for misdeed, words in ((show, "whose fan agrees"), (forget, "before its fan's consent")):
        with pytest.raises(Exception, match=words):
            cast.deployment.write(misdeed)


def test_who_leaves_takes_their_words_along_and_what_shows_of_their_orders(cast: Cast) -> None:
    to = cast.deployment
    leaver = to.register("leaver")
    cast.buy("leaver", coins=700)
    order = to.do("leaver", "orderPlace", SHAPE, **cast.wish(brief=BRIEF | {"visibility": "PUBLIC"}))["order"]
    for mutation in ("orderScreenPass", "orderAccept", "orderDeliver", "orderReviewPass"):
        cast.move(mutation, order)
    evidence = cast.attachment(order["id"], "nobody else")
    to.do("leaver", "orderDisputeOpen", SHAPE, orderId=order["id"], attachmentIds=[evidence], **WORDS)
    cast.move("orderDisputeAnswer", order)
    cast.move("orderDisputeRelease", order)
    sample = publish(cast, order["id"])
    told = {name: list(rows) for name, rows in to.read(lambda tx: [*_held(tx, leaver)])}
    assert {name: len(told[name]) for name in ("brief", "dispute_statement", "attachment", "sample")} == {
        "brief": 1,
        "dispute_statement": 1,
        "attachment": 1,
        "sample": 1,
    }
    to.write(lambda tx: samples.erase_of_user(tx, leaver))
    for at in range(len(personal.HELD)):
        to.write(lambda tx, at=at: personal.erase_some(tx, user_id=leaver, at=at))
    shape = "brief { instructions } checklist { text } statements { side } sample { status }"
    document = f"query ($id: ID!) {{ order(id: $id) {{ {shape} }} }}"
    assert to.ask("creator", document, id=order["id"])["order"] == {
        "brief": None,
        "checklist": [],
        "statements": [{"side": "CREATOR"}],
        "sample": {"status": "WITHDRAWN"},
    }, "what the other side said stays"
    assert sample not in shown_by(cast, cast.ids["creator_profile"])


def _held(tx: Tx, user_id: str) -> Iterator[tuple[str, list[Any]]]:
    for name, rows in personal.tell(tx, UserId(user_id)):
        yield name, list(rows)
