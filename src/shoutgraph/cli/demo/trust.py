"""The chapter of trust: what a creator is known for, a copy to show in public, and a video that is proven."""

import hashlib
import time
from typing import TYPE_CHECKING, Any, Final

from shoutgraph.cli.demo.people import StoryError

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

PATIENCE_S: Final = 60.0
LOOK_S: Final = 0.2
KNOWN: Final = """query Known($handle: String!) { creator(by: {handle: $handle}) { reputation { new sampleMinCount
  acceptance { count sampleCount } onTime { count sampleCount } completion { count sampleCount } badges } } }"""
DELIVERED: Final = """{ orders(first: 5) { nodes { video { sha256 watch { url } manifest { id text }
  watermarked { status sha256 watch { url } } } } } }"""
VERIFY: Final = """query Verify($sha256: String, $manifest: String) {
  verifyVideo(sha256: $sha256, manifest: $manifest) { verdict variant deliveredAt creator { name } } }"""


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    fan, creator, tell = story.fan, story.creator, story.tell
    creator.run("creatorUpdate", "creator { namedInProofs }", namedInProofs=True)
    known = fan.ask(KNOWN, handle=story.handle)["creator"]["reputation"]
    rates = ("acceptance", "onTime", "completion")
    counted = {name: f"{known[name]['count']} of {known[name]['sampleCount']}" for name in rates}
    figures = f"accepted {counted['acceptance']}, on time {counted['onTime']}, completed {counted['completion']}"
    told = f"{figures}; new until {known['sampleMinCount']} requests were answered"
    tell.step(fan.name, "fan", f"reads what {creator.name} is known for, counted from the journal", told)
    video = _delivered(story)
    copy = story.http.get(video["watermarked"]["watch"]["url"]).content
    size = f"{len(copy):,} bytes, sound as it was; the original stays as it is"
    tell.step(fan.name, "fan", "takes a copy with a watermark to show in public", size)
    original = story.http.get(video["watch"]["url"]).content
    manifest = video["manifest"]["text"]
    found = [_verdict(story, data, manifest) for data in (original, copy)]
    if [each["verdict"] for each in found] != ["AUTHENTIC", "AUTHENTIC"]:
        raise StoryError("a delivered video was not found to be authentic")
    first = found[0]
    words = (
        f"{first['verdict']}, {first['variant'].lower()}, {first['deliveredAt'][:10]}, by {first['creator']['name']}"
    )
    tell.step("A stranger", "tool", "asks verifyVideo about the file and its manifest", words)
    changed = bytearray(original)
    changed[len(changed) // 2] ^= 1
    verdicts = [
        _verdict(story, bytes(changed), None)["verdict"],
        _verdict(story, bytes(changed), manifest)["verdict"],
        _verdict(story, original, manifest[:-8] + "AAAAAAAA")["verdict"],
    ]
    if verdicts != ["UNKNOWN", "OTHER_FILE", "FORGED_SIGNATURE"]:
        raise StoryError(f"a forgery was not seen: {verdicts}")
    tell.step("A forger", "tool", "changes one byte of the video, then its manifest", ", ".join(verdicts))


def _delivered(story: "Story") -> Any:  # noqa: ANN401 - JSON
    """The delivered video, once its copy is made."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = [each["video"] for each in story.fan.ask(DELIVERED)["orders"]["nodes"] if each["video"] is not None]
        if found and (found[0]["watermarked"] or {}).get("status") == "READY":
            return found[0]
        time.sleep(LOOK_S)
    raise StoryError("the copy with the watermark was not made in time")


def _verdict(story: "Story", data: bytes, manifest: str | None) -> Any:  # noqa: ANN401 - JSON
    sha256 = hashlib.sha256(data).hexdigest()
    asked = {"query": VERIFY, "variables": {"sha256": sha256, "manifest": manifest}}
    return story.http.post("/graphql", json=asked).json()["data"]["verifyVideo"]
