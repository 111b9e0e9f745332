"""Voice notes and evidence through the front door: real bytes, real checks, and who hears and sees them."""

import io
from fractions import Fraction
from typing import Any

import av
import httpx
from av.codec.context import CodecContext
from av.video.frame import VideoFrame
from tests.api.cast import PRICE, SHAPE, WORDS, Cast
from tests.files.clips import Clip, make

NODE = "query ($id: ID!) { node(id: $id) { ... on Attachment { status medium rejection { code } } } }"
FILE = "id side medium mediaType durationMilliseconds open { url } preview { url }"


def picture(width: int = 64, height: int = 48) -> bytes:
    """A photograph that says where it was taken."""
    frame = VideoFrame(width, height, "rgb24").reformat(width, height, "yuvj420p")
    frame.pts = 0
    encoder = CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"  # type: ignore[attr-defined]
    encoder.time_base = Fraction(1, 1)
    encode: Any = encoder.encode  # type: ignore[attr-defined]
    jpeg = b"".join(bytes(packet) for packet in [*encode(frame), *encode(None)])
    place = b"Exif\x00\x00 52.5200 N 13.4050 E"
    return jpeg[:2] + b"\xff\xe1" + (len(place) + 2).to_bytes(2) + place + jpeg[2:]


def send(cast: Cast, who: str, order_id: str, data: bytes, **kind: str) -> tuple[str, Any]:
    """Uploads a file in one part; gives its id and what became of it."""
    given = {"orderId": order_id, "sizeBytes": str(len(data)), **kind}
    made = cast.deployment.do(who, "orderAttachmentCreate", "target { attachment { id } url }", **given)["target"]
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert httpx.patch(made["url"], content=data, headers=headers).status_code == 204
    attachment_id = str(made["attachment"]["id"])
    while (found := cast.deployment.ask(who, NODE, id=attachment_id)["node"])["status"] in {"UPLOADING", "CHECKING"}:
        cast.deployment.settle()
    return attachment_id, found


def order_of(cast: Cast, order_id: str, shape: str, who: str) -> Any:
    return cast.deployment.ask(who, f"query ($id: ID!) {{ order(id: $id) {{ {shape} }} }}", id=order_id)["order"]


def test_a_name_is_said_in_a_voice_note_that_the_creator_hears(cast: Cast) -> None:
    to, draft = cast.deployment, cast.order("DRAFT")
    sound = {"purpose": "VOICE_NOTE", "mediaType": "audio/ogg"}
    too_long = make(Clip(container="ogg", video=None, audio="libopus", seconds=32))
    for data, code in ((too_long, "TOO_LONG"), (make(), "CONTAINER_NOT_ACCEPTED"), (b"OggS" * 300, "NOT_PLAYABLE")):
        _, found = send(cast, "fan", draft["id"], data, **sound)
        assert (found["status"], found["rejection"]["code"]) == ("REJECTED", code)
    for kind in ({"mediaType": "image/jpeg"}, {"sizeBytes": "9000000"}):
        given = {"orderId": draft["id"], "sizeBytes": "10", **sound} | kind
        assert to.refuse("fan", "orderAttachmentCreate", **given)["__typename"] == "MediaRejectedError"
    data = make(Clip(container="ogg", video=None, audio="libopus"))
    note, found = send(cast, "fan", draft["id"], data, **sound)
    assert (found["status"], found["medium"]) == ("READY", "SOUND")
    set_to = {"orderId": draft["id"], "expectedRevision": draft["revision"], "attachmentId": note}
    done = to.do("fan", "orderVoiceNoteSet", SHAPE, **set_to)["order"]
    assert done["revision"] == draft["revision"] + 1
    to.do("fan", "orderSubmit", SHAPE, orderId=draft["id"], expectedPrice=str(PRICE))
    heard = order_of(cast, draft["id"], f"voiceNote {{ {FILE} }}", "creator")["voiceNote"]
    assert (heard["id"], heard["mediaType"], heard["preview"]) == (note, "audio/ogg", None)
    part = httpx.get(heard["open"]["url"], headers={"range": "bytes=0-99"})
    assert (part.status_code, part.content, part.headers["content-type"]) == (206, data[:100], "audio/ogg")
    cast.move("orderScreenPass", draft)
    late = to.refuse("fan", "orderVoiceNoteSet", orderId=draft["id"], attachmentId=None)
    assert (late["code"], late["state"]) == ("ORDER_STATE", "AWAITING_ACCEPTANCE")
    assert (
        to.refuse("fan", "orderAttachmentCreate", orderId=draft["id"], sizeBytes="9", **sound)["code"] == "ORDER_STATE"
    )


def test_both_sides_of_a_dispute_show_what_they_say(cast: Cast) -> None:
    to, order = cast.deployment, cast.order("DELIVERED")
    photo = picture()
    shot, _ = send(cast, "fan", order["id"], photo, purpose="EVIDENCE", mediaType="image/jpeg")
    hidden = order_of(cast, order["id"], "evidence { id }", "creator")
    assert hidden == {"evidence": []}, "it is part of nothing yet"
    assert to.ask("creator", NODE, id=shot)["node"] is None
    opened = {"orderId": order["id"], "attachmentIds": [shot], **WORDS}
    to.do("fan", "orderDisputeOpen", SHAPE, **opened)
    film, _ = send(cast, "creator", order["id"], make(), purpose="EVIDENCE", mediaType="video/mp4")
    answer = {"orderId": order["id"], "text": "See for yourself.", "attachmentIds": [film]}
    for changes, code in (
        ({"attachmentIds": [shot]}, "NOT_FOUND"),
        ({"attachmentIds": [film, film]}, "EVIDENCE_COUNT"),
    ):
        assert to.refuse("creator", "orderDisputeAnswer", **answer | changes)["code"] == code
    to.do("creator", "orderDisputeAnswer", SHAPE, **answer)
    assert to.refuse("creator", "orderDisputeAnswer", **answer)["code"] == "ATTACHMENT_USED"
    for who in ("fan", "creator", "moderator"):
        found = order_of(cast, order["id"], f"statements {{ revision text }} evidence {{ usedRevision {FILE} }}", who)
        said = {each["revision"]: each["text"] for each in found["statements"]}
        assert [(each["medium"], said[each["usedRevision"]]) for each in found["evidence"]] == [
            ("PICTURE", WORDS["note"]),
            ("VIDEO", "See for yourself."),
        ]
        shown = httpx.get(found["evidence"][0]["open"]["url"])
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
        assert b"52.5200" not in shown.content, "nothing the camera wrote gets out"
        with av.open(io.BytesIO(shown.content)) as drawn:
            assert (drawn.streams.video[0].width, drawn.streams.video[0].height) == (64, 48)
    assert order_of(cast, order["id"], "evidence { id }", "service") == {"evidence": []}
    original = found["evidence"][0]["open"]["url"].replace("/poster", "")
    assert httpx.get(original).status_code == 403


def test_a_side_adds_only_so_much_and_only_while_it_has_something_to_show(cast: Cast) -> None:
    to, order = cast.deployment, cast.order("DISPUTED")
    wish = {"orderId": order["id"], "purpose": "EVIDENCE", "sizeBytes": "10", "mediaType": "image/png"}
    for _ in range(10):
        to.do("fan", "orderAttachmentCreate", "target { url }", **wish)
    full = to.refuse("fan", "orderAttachmentCreate", **wish)
    assert (full["code"], full["limit"]) == ("ATTACHMENTS_MAX", "10")
    to.do("creator", "orderAttachmentCreate", "target { url }", **wish)
    early = to.refuse("creator", "orderAttachmentCreate", **wish | {"orderId": cast.ids["IN_PRODUCTION"]})
    assert early["code"] == "ORDER_STATE"
