"""What people can trust: a creator's figures, and videos that are proven, through the front door only."""

import hashlib
from typing import Any, Final

import httpx
import pytest
from tests.api.cast import Cast
from tests.files import clips

from shoutgraph.services import reputation

REPUTATION: Final = """query ($id: ID!) { creator(by: {id: $id}) { reputation { countedSince new sampleMinCount
  responseTimeSeconds requestCount badges acceptance { shareBasisPoints count sampleCount }
  onTime { shareBasisPoints count sampleCount } completion { shareBasisPoints sampleCount } redo { count } } } }"""
LISTED: Final = """query ($max: Int, $badge: ReputationBadge) { creators(first: 20, sort: {field: RESPONSE_TIME},
  filter: {responseTimeMaxSeconds: $max, badge: $badge}) { nodes { handle } totalCount { value } } }"""
VIDEO: Final = """query ($id: ID!) { order(id: $id) { id video { id sha256 watch { url } manifest { id text }
  watermarked { status sha256 watch { url } poster { url } } } } }"""
VERIFY: Final = """query ($sha256: String, $manifest: String) { verifyVideo(sha256: $sha256, manifest: $manifest) {
  verdict compared variant deliveredAt creator { handle } } }"""
UPLOADED: Final = "query ($id: ID!) { node(id: $id) { ... on Video { status } } }"
TICKED: Final = ["must-1", "not-1"]
TUS: Final = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}


def known(cast: Cast) -> Any:
    found = cast.deployment.ask("anonymous", REPUTATION, id=cast.ids["creator_profile"])
    return found["creator"]["reputation"]


def listed(cast: Cast, **given: object) -> list[str]:
    page = cast.deployment.ask("anonymous", LISTED, **given)["creators"]
    assert page["totalCount"]["value"] == len(page["nodes"])
    return [each["handle"] for each in page["nodes"]]


def test_what_a_creator_did_shows_on_their_profile_and_sorts_and_filters_them(cast: Cast) -> None:
    cast.deployment.settle()
    before = known(cast)
    for place in ("COMPLETED",) * 4 + ("DECLINED",):
        cast.order(place)
    assert known(cast) == before
    cast.deployment.settle()
    found = known(cast)
    assert found["new"] is False
    assert found["requestCount"] == before["requestCount"] + 5
    assert found["acceptance"]["count"] == before["acceptance"]["count"] + 4
    assert found["acceptance"]["sampleCount"] == found["requestCount"]
    assert found["onTime"]["shareBasisPoints"] == 10_000
    assert found["badges"] == ["FAST_RESPONDER", "ALWAYS_ON_TIME"]
    everyone, answering = listed(cast), listed(cast, max=2**31 - 1)
    assert everyone[: len(answering)] == answering
    assert len(everyone) > len(answering)
    assert "creator" in listed(cast, max=found["responseTimeSeconds"])
    assert "creator" in listed(cast, badge="ALWAYS_ON_TIME")
    assert "creator" not in listed(cast, badge="TOP_RATED")
    assert cast.deployment.read(reputation.prove).wrong == ()


def filmed(cast: Cast, data: bytes) -> str:
    """A new order whose real video waits for the fan."""
    to, order_id = cast.deployment, cast.order("IN_PRODUCTION")["id"]
    given = {"orderId": order_id, "sizeBytes": str(len(data)), "mediaType": "video/mp4"}
    target = to.do("creator", "orderUploadCreate", "target { videoId url }", **given)["target"]
    assert httpx.patch(target["url"], content=data, headers=TUS).status_code == 204
    cast.until("creator", UPLOADED, node=target["videoId"], wanted="READY")
    to.do("creator", "orderDeliver", "order { id }", orderId=order_id, videoId=target["videoId"], tickedKeys=TICKED)
    to.do("moderator", "orderReviewPass", "order { id }", orderId=order_id)
    return str(order_id)


def verdict(cast: Cast, **given: object) -> Any:
    return cast.deployment.ask("anonymous", VERIFY, **given)["verifyVideo"]


@pytest.fixture(scope="module")
def order_id(cast: Cast) -> str:
    """A delivered order, whose copy is made."""
    made = filmed(cast, clips.plain())
    cast.deployment.settle()
    return made


def video_of(cast: Cast, order_id: str, who: str = "fan") -> Any:
    return cast.deployment.ask(who, VIDEO, id=order_id)["order"]["video"]


def test_a_delivered_video_has_a_copy_to_show_and_stays_as_it_is(cast: Cast, order_id: str) -> None:
    video = video_of(cast, order_id)
    assert video["watermarked"]["status"] == "READY"
    seen = {video_of(cast, order_id, who)["manifest"]["text"] for who in ("fan", "creator", "moderator")}
    assert seen == {video["manifest"]["text"]}
    copy = httpx.get(video["watermarked"]["watch"]["url"])
    assert (copy.status_code, copy.headers["content-type"]) == (200, "video/mp4")
    assert hashlib.sha256(copy.content).hexdigest() == video["watermarked"]["sha256"]
    assert httpx.get(video["watermarked"]["poster"]["url"]).content.startswith(b"\xff\xd8\xff")
    assert httpx.get(video["watch"]["url"]).content == clips.plain()
    crossed = video["watermarked"]["watch"]["url"].replace("/watermarked", "")
    assert httpx.get(crossed).status_code == 403


def test_a_real_video_is_proven_to_strangers(cast: Cast, order_id: str) -> None:
    to, video = cast.deployment, video_of(cast, order_id)
    sha256, text = hashlib.sha256(clips.plain()).hexdigest(), video["manifest"]["text"]
    found = verdict(cast, sha256=sha256, manifest=text)
    assert (found["verdict"], found["variant"], found["creator"]) == ("AUTHENTIC", "ORIGINAL", None)
    assert found["deliveredAt"].endswith("T00:00:00.000Z")
    assert order_id not in str(found)
    to.do("creator", "creatorUpdate", "creator { namedInProofs }", namedInProofs=True)
    assert verdict(cast, sha256=video["watermarked"]["sha256"])["creator"] == {"handle": "creator"}
    assert verdict(cast, manifest=text)["compared"] is False
    assert verdict(cast, sha256="f" * 64)["verdict"] == "UNKNOWN"
    assert verdict(cast, sha256="f" * 64, manifest=text)["verdict"] == "OTHER_FILE"
    assert verdict(cast, manifest=text[:-6] + "AAAAAA")["verdict"] == "FORGED_SIGNATURE"
    for wrong, code in (({}, "REQUIRED"), ({"sha256": "x"}, "INVALID_DIGEST"), ({"manifest": "x" * 5_000}, "TOO_LONG")):
        assert to.answer("anonymous", VERIFY, **wrong).body["errors"][0]["extensions"]["reason"] == code
    keys = httpx.get(f"{to.served.url}/.well-known/video-keys.json")
    assert keys.headers["access-control-allow-origin"] == "*"
    assert [sorted(key) for key in keys.json()["keys"]] == [["alg", "crv", "kid", "kty", "use", "x"]]


def test_what_shows_on_a_profile_has_the_watermark(cast: Cast, order_id: str) -> None:
    to = cast.deployment
    to.do("fan", "orderConfirm", "order { id }", orderId=order_id)
    to.do("fan", "orderVisibilitySet", "order { id }", orderId=order_id, visibility="PUBLIC")
    sample = to.do("creator", "samplePublish", "sample { watch { url } poster { url } }", orderId=order_id)["sample"]
    assert "/watermarked?" in sample["watch"]["url"]
    assert "/watermarked/poster?" in sample["poster"]["url"]
    shown = httpx.get(sample["watch"]["url"]).content
    assert hashlib.sha256(shown).hexdigest() == video_of(cast, order_id)["watermarked"]["sha256"]


def test_a_video_that_is_taken_down_is_nobodys_to_watch_and_is_revoked(cast: Cast, order_id: str) -> None:
    to, video = cast.deployment, video_of(cast, order_id)
    words = {"videoId": video["id"], "reason": "IMPERSONATION", "note": "It was somebody else."}
    shape = "replayed video { status watch { url } rejection { code message } }"
    once = {"idempotencyKey": to.key(), **words}
    taken = to.do("moderator", "videoTakeDown", shape, **once)
    rejection = {"code": "TAKEN_DOWN", "message": words["note"]}
    assert taken["video"] == {"status": "REJECTED", "watch": None, "rejection": rejection}
    assert to.do("moderator", "videoTakeDown", shape, **once) == taken | {"replayed": True}
    assert to.refuse("moderator", "videoTakeDown", **words)["code"] == "TAKEN_DOWN"
    for given in ({"sha256": video["sha256"]}, {"manifest": video["manifest"]["text"]}):
        gone = verdict(cast, **given)
        assert (gone["verdict"], gone["creator"]) == ("REVOKED", None)
    after = video_of(cast, order_id)
    assert (after["watch"], after["manifest"], after["watermarked"]) == (None, None, None)
    assert httpx.get(video["watermarked"]["watch"]["url"]).status_code == 404
