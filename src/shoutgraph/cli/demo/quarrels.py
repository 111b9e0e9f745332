"""The chapter of quarrels: a voice note, a redo that ends well, a sample, and a dispute that is split."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from shoutgraph.cli.demo.people import Person, StoryError
from shoutgraph.cli.demo.telling import coins
from shoutgraph.cli.demo.upload import upload
from shoutgraph.files import sample

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

PRICE: Final = 250
BACK: Final = 100
STARS: Final = 5
FILM_S: Final = 2
NOTE_S: Final = 2
MUST_SAY: Final = ("You are ready, Grace", "Greet her cat")
ORDER: Final = "order { id revision status price refunded split { earning } }"
PLACE: Final = "query Place($id: ID!) { node(id: $id) { ... on Video { status } ... on Attachment { status medium } } }"
TOLD: Final = """query Told($id: ID!) { order(id: $id) { checklist { key text ticked } deliveryNote
  redoItem { text } voiceNote { durationMilliseconds open { url } } statements { side text missing }
  evidence { medium side } } }"""
RATED: Final = """query Rated($handle: String!) { creator(by: {handle: $handle}) {
  rating { count averageHundredths } } }"""
PROFILE: Final = """query Profile($handle: String!) { creator(by: {handle: $handle}) {
  samples { nodes { durationMilliseconds watch { url } } } } }"""


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    film, sound = story.folder / "greeting.mp4", story.folder / "grace.m4a"
    sample.make_sample_video(film, seconds=FILM_S, text="You are ready!")
    sample.make_sample_sound(sound, seconds=NOTE_S)
    terms = {"occasion": "PEP_TALK", "title": "A greeting", "durationMaxSeconds": 30, "deliveryDays": 3}
    offer = story.creator.run("offerCreate", "offer { id }", **terms, price=str(PRICE))["offer"]["id"]
    order = _redone(story, _ordered(story, offer, sound), film)
    _show(story, order)
    _split(story, offer, film, sound)


def _ordered(story: "Story", offer: str, sound: Path) -> dict[str, Any]:
    """A draft with a voice note, submitted and let through."""
    fan, creator = story.fan, story.creator
    brief = {
        "occasion": "PEP_TALK",
        "recipientName": "Grace",
        "instructions": "Grace defends her thesis tomorrow.",
        "mustSay": list(MUST_SAY),
        "language": "en",
        "visibility": "PUBLIC",
    }
    wish = {"offerId": offer, "expectedPrice": str(PRICE), "brief": brief}
    order = fan.do("orderDraft", ORDER, **wish)["order"]
    note = _attach(story, fan, order["id"], sound, "VOICE_NOTE")
    fan.do("orderVoiceNoteSet", ORDER, orderId=order["id"], attachmentId=note)
    order = fan.do("orderSubmit", ORDER, orderId=order["id"], expectedPrice=str(PRICE))["order"]
    story.moderator.do("orderScreenPass", ORDER, orderId=order["id"])
    creator.do("orderAccept", ORDER, orderId=order["id"])
    heard = creator.ask(TOLD, id=order["id"])["order"]["voiceNote"]
    if not story.http.get(heard["open"]["url"]).is_success:
        raise StoryError("the voice note cannot be heard")
    facts = f"{heard['durationMilliseconds'] / 1000:.1f} s of sound, inspected; the creator hears it by a signed link"
    story.tell.step(fan.name, "fan", "orders a greeting and says in a voice note how the name is said", facts)
    return dict(order)


def _redone(story: "Story", order: dict[str, Any], film: Path) -> dict[str, Any]:
    """A video that lacks something, a redo that names it, and a second video that has it."""
    fan, creator, tell = story.fan, story.creator, story.tell
    _deliver(story, order["id"], film, tickedKeys=["must-1"], note="I forgot the cat.")
    told = fan.ask(TOLD, id=order["id"])["order"]
    ticked = ", ".join(f"{'x' if item['ticked'] else '-'} {item['text']}" for item in told["checklist"])
    tell.step(creator.name, "creator", "delivers with the checklist ticked, and a note for what is not", ticked)
    asked = {"ground": "MUST_SAY_MISSING", "itemKey": "must-2", "note": "The cat was not greeted."}
    fan.do("orderRedoRequest", ORDER, orderId=order["id"], **asked)
    missing = fan.ask(TOLD, id=order["id"])["order"]["redoItem"]["text"]
    tell.step(fan.name, "fan", f"asks for a redo: '{missing}' is missing", "the second video has it")
    _deliver(story, order["id"], film, tickedKeys=["must-1", "must-2"])
    return _rated(story, order)


def _rated(story: "Story", order: dict[str, Any]) -> dict[str, Any]:
    """Stars and an opinion, which also complete the order, and the creator's answer."""
    fan, creator = story.fan, story.creator
    said = {"orderId": order["id"], "stars": STARS, "opinion": "She laughed, and then she passed."}
    made = fan.do("orderRate", f"rating {{ id opinion }} {ORDER}", **said)
    given = {"ratingId": made["rating"]["id"], "text": "Tell her the cat helped."}
    reply = creator.do("ratingReply", "rating { reply }", **given)["rating"]["reply"]
    known = fan.ask(RATED, handle=story.handle)["creator"]["rating"]
    if (known["count"], known["averageHundredths"]) != (1, STARS * 100):
        raise StoryError("the profile counts other stars")
    what = f"rates it {STARS} of 5 [dim]->[/] [bold]{made['order']['status']}[/]"
    story.tell.step(fan.name, "fan", what, f"'{made['rating']['opinion']}' {creator.name}: '{reply}'")
    return dict(made["order"])


def _show(story: "Story", order: dict[str, Any]) -> None:
    """The fan agreed, so the creator shows the video to everybody, once its copy with the watermark is made."""
    story.creator.do("samplePublish", "sample { status }", orderId=order["id"])

    def look() -> Any:  # noqa: ANN401 - JSON
        return story.fan.ask(PROFILE, handle=story.handle)["creator"]["samples"]["nodes"]

    (shown,) = story.until(look, lambda nodes: len(nodes) == 1)
    if not story.http.get(shown["watch"]["url"]).is_success:
        raise StoryError("the sample cannot be watched")
    story.tell.step(
        story.creator.name, "creator", "shows the video on the profile, as the fan agreed", "1 sample, with a watermark"
    )


def _split(story: "Story", offer: str, film: Path, sound: Path) -> None:
    """A dispute with evidence of one side and an answer of the other, settled in the middle."""
    fan, creator, moderator = story.fan, story.creator, story.moderator
    brief = {"occasion": "PEP_TALK", "recipientName": "Kim", "instructions": "Kim sings tonight.", "language": "en"}
    order = fan.do("orderPlace", ORDER, offerId=offer, expectedPrice=str(PRICE), brief=brief)["order"]
    moderator.do("orderScreenPass", ORDER, orderId=order["id"])
    creator.do("orderAccept", ORDER, orderId=order["id"])
    _deliver(story, order["id"], film)
    proof = _attach(story, fan, order["id"], sound, "EVIDENCE")
    said = {"reason": "QUALITY", "note": "It hums, as this recording shows.", "attachmentIds": [proof]}
    fan.do("orderDisputeOpen", ORDER, orderId=order["id"], **said)
    creator.do("orderDisputeAnswer", ORDER, orderId=order["id"], text="It hums a little, and the song is whole.")
    told = moderator.ask(TOLD, id=order["id"])["order"]
    facts = f"{len(told['statements'])} statements, {len(told['evidence'])} piece of evidence"
    decided = {"backCoins": str(BACK), "reason": "SHARED", "note": "The song is there, and so is the hum."}
    split = moderator.do("orderDisputeSplit", ORDER, orderId=order["id"], **decided)["order"]
    if (split["status"], split["refunded"]) != ("SPLIT", str(BACK)):
        raise StoryError("the dispute was not split")
    words = f"{coins(BACK)} of {coins(PRICE)} back to the lots they came from, the rest is shared as always"
    story.tell.step(moderator.name, "moderator", "hears both sides of a dispute, and splits the price", facts, words)


def _deliver(story: "Story", order_id: str, film: Path, **ticks: object) -> None:
    given = {"orderId": order_id, "sizeBytes": str(film.stat().st_size), "mediaType": "video/mp4"}
    target = story.creator.do("orderUploadCreate", "target { videoId url }", **given)["target"]
    upload(story.http, target["url"], film)
    _wait(story, story.creator, target["videoId"])
    story.creator.do("orderDeliver", ORDER, orderId=order_id, videoId=target["videoId"], **ticks)
    story.moderator.do("orderReviewPass", ORDER, orderId=order_id)


def _attach(story: "Story", person: Person, order_id: str, file: Path, purpose: str) -> str:
    given = {"orderId": order_id, "purpose": purpose, "sizeBytes": str(file.stat().st_size), "mediaType": "audio/mp4"}
    target = person.do("orderAttachmentCreate", "target { attachment { id } url }", **given)["target"]
    upload(story.http, target["url"], file)
    attachment_id = str(target["attachment"]["id"])
    _wait(story, person, attachment_id)
    return attachment_id


def _wait(story: "Story", person: Person, file_id: str) -> None:
    checked = story.until(
        lambda: person.ask(PLACE, id=file_id)["node"], lambda node: node["status"] in {"READY", "REJECTED"}
    )
    if checked["status"] != "READY":
        raise StoryError("a file was refused")
