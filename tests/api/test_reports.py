"""Reports through the front door: filed, decided with reasons that both sides read, appealed once, and undone."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.api.cast import Cast
from tests.api.deployment import Deployment

from shoutgraph.domain.users import SYSTEM
from shoutgraph.services.privacy import erase
from shoutgraph.storage import orders

REPORT = """report { id status appealedBy explanation appeal
  decisions { action upheld basis rule facts automated redress appealUntil } }"""
MINE = f"{{ reports(first: 1) {{ nodes {{ {REPORT.removeprefix('report { ').removesuffix(' }')} }} }} }}"
SAID = {"ground": "HARASSMENT", "explanation": "It insults me.", "goodFaith": True}
WHY = {"basis": "TERMS", "rule": "section 4", "facts": "It calls the creator names."}
WRONG = {"basis": "TERMS", "rule": "section 4", "facts": "It does not."}
LOCKED = "query ($id: ID!) { node(id: $id) { ... on User { locked } } }"


def let_in_another(to: Deployment) -> None:
    """Another moderator."""
    if "second" not in to.clients:
        to.staff("second", "moderator")


def hidden(to: Deployment, rating_id: str) -> bool:
    found = to.ask("admin", "query ($id: ID!) { node(id: $id) { ... on Rating { hidden } } }", id=rating_id)
    return bool(found["node"]["hidden"])


def appealed(to: Deployment, report: str) -> None:
    """The other side appeals, once."""
    to.do("fan", "reportAppeal", REPORT, reportId=report, text="I said it kindly.")
    assert to.refuse("creator", "reportAppeal", reportId=report, text="No.")["code"] == "REPORT_STATE"
    assert newest(to, "creator")["appeal"] is None


def newest(to: Deployment, who: str) -> dict[str, object]:
    (found,) = to.ask(who, MINE)["reports"]["nodes"]
    return dict(found)


def test_a_rating_is_reported_hidden_with_reasons_and_shown_again_after_an_appeal(cast: Cast) -> None:
    to, rating = cast.deployment, cast.rated()["rating"]["id"]
    let_in_another(to)
    key = to.with_key("reportFile", {"subjectId": rating, **SAID})
    filed = to.do("creator", "reportFile", f"replayed {REPORT}", **key)
    again = to.do("creator", "reportFile", f"replayed {REPORT}", **key)
    assert (filed["replayed"], again["replayed"]) == (False, True)
    report = filed["report"]["id"]
    assert to.refuse("fan", "reportAppeal", reportId=report, text="No.")["__typename"] == "NotFoundError"
    waiting = to.ask("moderator", "{ reports(everyone: true, status: OPEN, first: 1) { nodes { id explanation } } }")
    assert waiting["reports"]["nodes"] == [{"id": report, "explanation": SAID["explanation"]}]
    verdict = {"reportId": report, "action": "CONTENT_REMOVED", **WHY}
    assert to.refuse("moderator", "reportDecide", **(verdict | {"action": "ORDER_CANCELLED"}))["code"] == "ACTION_UNFIT"
    to.do("moderator", "reportDecide", REPORT, **verdict)
    assert to.refuse("second", "reportDecide", **verdict)["code"] == "REPORT_STATE"
    assert hidden(to, rating)
    reporter, affected = newest(to, "creator"), newest(to, "fan")
    assert reporter["decisions"] == affected["decisions"], "both sides read the same reasons"
    [told] = affected["decisions"]  # type: ignore[misc]
    assert (told["facts"], told["automated"], told["upheld"]) == (WHY["facts"], False, True)
    assert told["appealUntil"] is not None and "reportAppeal" in told["redress"]  # noqa: PT018 - one thing
    assert (reporter["explanation"], affected["explanation"]) == (SAID["explanation"], None)
    appealed(to, report)
    second = {"reportId": report, "upheld": False, **WRONG}
    assert to.refuse("moderator", "reportAppealDecide", **second)["code"] == "SAME_PERSON"
    final = to.do("second", "reportAppealDecide", REPORT, **second)["report"]
    assert (final["status"], [each["upheld"] for each in final["decisions"]]) == ("FINAL", [True, False])
    shown = to.ask("admin", "query ($id: ID!) { node(id: $id) { ... on Rating { hidden } } }", id=rating)
    assert shown["node"]["hidden"] is False
    trail = to.ask(
        "admin", '{ auditTrail(filter: {action: "reportDecide"}, first: 1) { nodes { reason changes { field } } } }'
    )
    assert WHY["facts"] in trail["auditTrail"]["nodes"][0]["reason"]


def test_who_is_restricted_orders_no_more_until_an_appeal_frees_them(cast: Cast) -> None:
    to = cast.deployment
    let_in_another(to)
    user = to.register("rude")
    cast.buy("rude", coins=700)
    order = to.do("rude", "orderPlace", "order { id }", **cast.wish())["order"]["id"]
    to.do("moderator", "orderScreenPass", "order { id }", orderId=order)
    said = SAID | {"ground": "HATE"}
    report = to.do("creator", "reportFile", REPORT, subjectId=order, **said)["report"]["id"]
    to.do("moderator", "reportDecide", REPORT, reportId=report, action="USER_RESTRICTED", **WHY)
    assert to.ask("admin", LOCKED, id=user)["node"]["locked"] is True
    assert to.refuse("rude", "orderPlace", **cast.wish())["__typename"] == "WalletLockedError"
    to.do("rude", "reportAppeal", REPORT, reportId=report, text="I was not.")
    to.do("second", "reportAppealDecide", REPORT, reportId=report, upheld=False, **WRONG)
    assert to.ask("admin", LOCKED, id=user)["node"]["locked"] is False
    to.do("rude", "orderPlace", "order { id }", **cast.wish())
    other = to.do("creator", "reportFile", REPORT, subjectId=order, **said)["report"]["id"]
    to.do("moderator", "reportDecide", REPORT, reportId=other, action="ORDER_CANCELLED", **WHY)
    assert to.ask("rude", "query ($id: ID!) { order(id: $id) { status } }", id=order)["order"]["status"] == "CANCELLED"


def decided(to: Deployment, reporter: str, subject: str, action: str) -> str:
    """Content is reported, and something is done about it."""
    report = to.do(reporter, "reportFile", REPORT, subjectId=subject, **SAID)["report"]["id"]
    to.do("moderator", "reportDecide", REPORT, reportId=report, action=action, **WHY)
    return str(report)


def reversed_(to: Deployment, affected: str, report: str) -> None:
    """An appeal succeeds."""
    let_in_another(to)
    to.do(affected, "reportAppeal", REPORT, reportId=report, text="It was not so.")
    to.do("second", "reportAppealDecide", REPORT, reportId=report, upheld=False, **WRONG)


def test_what_two_decisions_did_the_reversal_of_one_does_not_undo(cast: Cast) -> None:
    to, who = cast.deployment, "twice_reported"
    user = to.register(who)
    creator = cast.profile(who, "twice.reported")
    cast.offer(who)
    state = "Creator { open takesOrders }"
    to.do(who, "creatorPause", "creator { id }")  # who is off already is taken off, too
    removals = [decided(to, reporter, creator, "CONTENT_REMOVED") for reporter in ("fan", "other_fan")]
    bans = [decided(to, reporter, creator, "USER_RESTRICTED") for reporter in ("fan", "other_fan")]
    tomorrow = (to.app.tools.clock() + timedelta(days=1)).isoformat()
    for removal, ban in zip(removals, bans, strict=True):
        for mutation, given in {"creatorOpen": {}, "creatorPause": {"until": tomorrow}}.items():
            refusal = to.refuse(who, mutation, **given)
            assert (refusal["__typename"], refusal["code"]) == ("ForbiddenError", "PROFILE_REMOVED")
        to.do(who, "creatorPause", "creator { id }")
        assert node(to, who, creator, state) == {"open": False, "takesOrders": False}
        assert to.ask("admin", LOCKED, id=user)["node"]["locked"] is True
        reversed_(to, who, removal)
        reversed_(to, who, ban)
    assert node(to, who, creator, state) == {"open": True, "takesOrders": True}
    assert to.ask("admin", LOCKED, id=user)["node"]["locked"] is False
    to.do(who, "creatorPause", "creator { id }", until=tomorrow)


def test_nothing_of_somebody_who_left_comes_back_by_an_appeal(cast: Cast) -> None:
    to, who = cast.deployment, "reported_and_gone"
    user = to.register(who)
    creator = cast.profile(who, "reported.and.gone")
    offer = cast.offer(who)
    report = decided(to, "fan", creator, "CONTENT_REMOVED")
    to.do(who, "reportAppeal", REPORT, reportId=report, text="It was not so.")
    to.run(erase.erase_now(to.app.tools, SYSTEM, user))
    let_in_another(to)
    to.do("second", "reportAppealDecide", REPORT, reportId=report, upheld=False, **WRONG)
    assert node(to, "fan", creator, "Creator { open takesGifts }") == {"open": False, "takesGifts": False}
    assert to.refuse("fan", "giftSend", **(cast.present() | {"creatorId": creator}))["code"] == "GIFTS_OFF"
    assert to.refuse("fan", "orderPlace", **cast.wish(offerId=offer))["__typename"] == "CreatorUnavailableError"


STREAM = "subscription ($after: String) { reportEvents(after: $after) { cursor reportId status report { status } } }"
FEED = """query ($after: String) { reportEvents(after: $after, first: 500) {
  nodes { ... on ReportChangedEvent { reportId kind status revision } } pageInfo { endCursor } } }"""


def feed(to: Deployment, who: str, after: str | None = None) -> tuple[list[dict[str, Any]], str]:
    """What the feed of reports tells somebody after a cursor, and the next one."""
    found = to.ask(who, FEED, after=after)["reportEvents"]
    return found["nodes"], found["pageInfo"]["endCursor"]


def node(to: Deployment, who: str, thing: str, shape: str) -> Any:
    return to.ask(who, f"query ($id: ID!) {{ node(id: $id) {{ ... on {shape} }} }}", id=thing)["node"]


def gift_with_words(cast: Cast) -> str:
    given = {**cast.present(), "message": "Rude."}
    return str(cast.deployment.do("fan", "giftSend", "gift { id }", **given)["gift"]["id"])


def subjects(cast: Cast) -> Iterator[tuple[str, str, str, str, Any]]:
    """Who reports what, who looks at it how, and what they see before it is removed."""
    told = cast.told()
    video = cast.order("COMPLETED")
    film = cast.deployment.read(lambda tx: orders.get(tx, video["id"]).passed_video_id)
    assert film is not None
    yield "fan", str(film), "creator", "Video { status }", {"status": "READY"}
    yield "other_fan", told["sample"], "anonymous", "Sample { status }", {"status": "SHOWN"}
    evidence = "Attachment { status }"
    yield "creator", told["attachment"], "creator", evidence, {"status": "READY"}
    words = {"message": "Rude.", "messageHidden": False}
    yield "creator", gift_with_words(cast), "creator", "Gift { message messageHidden }", words
    brief = "Order { brief { recipientName } }"
    order = cast.order("IN_PRODUCTION")["id"]
    yield "creator", order, "creator", brief, node(cast.deployment, "creator", order, brief)


def test_whatever_is_reported_is_removed_and_comes_back_by_an_appeal(cast: Cast) -> None:
    to = cast.deployment
    let_in_another(to)
    after = feed(to, "moderator")[1]
    filed: list[str] = []
    for reporter, subject, reader, shape, before in subjects(cast):
        assert node(to, reader, subject, shape) == before
        report = to.do(reporter, "reportFile", REPORT, subjectId=subject, **SAID)["report"]["id"]
        filed.append(report)
        to.do("moderator", "reportDecide", REPORT, reportId=report, action="CONTENT_REMOVED", **WHY)
        removed = node(to, reader, subject, shape)
        assert removed in (None, *REMOVED), removed
        to.settle()  # the job that discards bytes leaves them as long as an appeal may succeed
        to.do(reporter, "reportAppeal", REPORT, reportId=report, text="It was not so bad.")
        to.do("second", "reportAppealDecide", REPORT, reportId=report, upheld=False, **WRONG)
        assert node(to, reader, subject, shape) == before
    told, _ = feed(to, "moderator", after)
    assert [each["status"] for each in told if each["reportId"] == filed[0]] == [
        "OPEN", "DECIDED", "APPEALED", "FINAL",
    ]  # fmt: skip
    assert {each["reportId"] for each in told} == set(filed)
    assert {each["reportId"] for each in feed(to, "other_fan", after)[0]} == {filed[1]}
    affected = [each for each in feed(to, "fan", after)[0] if each["reportId"] == filed[3]]
    assert [each["status"] for each in affected] == ["DECIDED", "APPEALED", "FINAL"], "told from the decision on"
    assert feed(to, "other_creator", after)[0] == []
    with to.socket("moderator") as socket:
        socket.subscribe("feed", STREAM, after=after)
        live = socket.next("feed")["data"]["reportEvents"]
        assert (live["reportId"], live["status"], live["report"]["status"]) == (filed[0], "OPEN", "FINAL")


REMOVED = (
    {"status": "REJECTED"},
    {"status": "TAKEN_DOWN"},
    {"message": None, "messageHidden": True},
    {"brief": None},
)


def test_only_briefs_of_the_other_side_are_removed_and_not_twice(cast: Cast) -> None:
    to, order = cast.deployment, cast.order("COMPLETED")
    report = to.do("fan", "reportFile", REPORT, subjectId=order["id"], **SAID)["report"]["id"]
    verdict = {"reportId": report, "action": "CONTENT_REMOVED", **WHY}
    assert to.refuse("moderator", "reportDecide", **verdict)["code"] == "ACTION_UNFIT", "the creator wrote no brief"
    film = to.read(lambda tx: orders.get(tx, order["id"]).passed_video_id)
    given = {"videoId": str(film), "reason": "RULES", "note": "No."}
    to.do("moderator", "videoTakeDown", "video { status }", **given)
    report = to.do("fan", "reportFile", REPORT, subjectId=film, **SAID)["report"]["id"]
    refusal = to.refuse("moderator", "reportDecide", **(verdict | {"reportId": report}))
    assert (refusal["__typename"], refusal["code"]) == ("MediaRejectedError", "TAKEN_DOWN")


def test_a_second_report_of_what_was_removed_is_decided_too_and_it_comes_back_with_the_last(cast: Cast) -> None:
    to = cast.deployment
    let_in_another(to)
    order = cast.order("COMPLETED")
    film = str(to.read(lambda tx: orders.get(tx, order["id"]).passed_video_id))
    first, second = (decided(to, "fan", film, "CONTENT_REMOVED") for _ in range(2))
    for report, status in ((first, "REJECTED"), (second, "READY")):
        reversed_(to, "creator", report)
        assert node(to, "creator", film, "Video { status }") == {"status": status}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"explanation": " "}, "EMPTY"),
        ({"goodFaith": False}, "NOT_CONFIRMED"),
        ({"subjectId": "user_01m817w1sve7s8q03q2a7qhqpy"}, "INVALID_ID"),
    ],
)
def test_what_cannot_be_reported_is_refused(cast: Cast, changes: dict[str, object], code: str) -> None:
    given = {"subjectId": cast.ids["creator_profile"], **SAID} | changes
    assert cast.deployment.refuse("fan", "reportFile", **given)["code"] == code
