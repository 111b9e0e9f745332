"""Authenticity: what was delivered is known by its bytes and by its manifest, and nothing else is."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.files import clips
from tests.services.test_media import body_of
from tests.services.test_orders import Scene
from tests.services.world import World

from shoutgraph.domain import errors, ids, media
from shoutgraph.domain.authenticity import MANIFEST_CHARS_MAX, Finding, MarkState, Variant, Verdict
from shoutgraph.domain.media import RejectionCode
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.policies import Policy
from shoutgraph.files import signing
from shoutgraph.files.store import FileKind, InspectionError
from shoutgraph.jobs import authenticity as job, runner
from shoutgraph.services import authenticity, creators
from shoutgraph.services.media import check, upload, watch
from shoutgraph.services.media.upload import Part
from shoutgraph.services.orders import deliver
from shoutgraph.services.orders.deliver import File
from shoutgraph.services.orders.moves import Turn
from shoutgraph.storage import authenticity as rows, media as videos, policies
from shoutgraph.tools import Tools

JOBS = {"authenticity": job.tick}


@pytest.fixture
def scene(world: World, tmp_path: Path) -> Scene:
    world.tools = replace(
        world.tools, manifests=signing.open_signer(tmp_path / "keys.json"), public_url="https://x.example"
    )
    return Scene(world)


def delivered(scene: Scene, data: bytes) -> tuple[Order, str]:
    """An order whose real video passed review."""
    world = scene.world
    order = scene.lead_to(State.IN_PRODUCTION)
    file, request = File(len(data), "video/mp4"), world.request("orderUploadCreate", scene.creator)
    done, link = world.run(deliver.open_upload(world.tools, scene.creator, request, order.id, file))
    token = link.url.partition("token=")[2]
    world.run(upload.receive(world.tools, done.value.id, token, Part(0, len(data)), body_of(data)))
    world.run(check.check_pending(world.tools))
    request = world.request("orderDeliver", scene.creator)
    world.run(deliver.deliver(world.tools, scene.creator, request, Turn(order.id), done.value.id))
    return scene.do(world.order(order), "review_pass", Actor.MODERATOR), done.value.id


def ask(scene: Scene, sha256: str | None = None, manifest: str | None = None, tools: Tools | None = None) -> Finding:
    return scene.world.run(authenticity.verify(tools or scene.world.tools, sha256=sha256, manifest=manifest))[0]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def settle(scene: Scene) -> int:
    return scene.world.run(runner.settle(scene.world.tools, JOBS))


def manifest(scene: Scene, video_id: str) -> str:
    return scene.world.run(authenticity.list_manifests(scene.world.tools, [video_id]))[video_id].text


def test_a_delivered_video_is_known_by_its_bytes_its_copy_and_its_manifest_until_it_is_taken_down(
    scene: Scene, tmp_path: Path
) -> None:
    world, data = scene.world, clips.plain()
    assert ask(scene, digest(data)) == Finding(Verdict.UNKNOWN, compared=True)
    order, video_id = delivered(scene, data)
    assert ask(scene, digest(data)).verdict is Verdict.UNKNOWN
    assert settle(scene) > 0
    assert settle(scene) == 0
    original = ask(scene, digest(data).upper())
    assert (original.verdict, original.variant, original.creator_id) == (Verdict.AUTHENTIC, Variant.ORIGINAL, None)
    copy = (tmp_path / "files" / FileKind.COPY / video_id).read_bytes()
    assert ask(scene, digest(copy)).variant is Variant.WATERMARKED
    assert (tmp_path / "files" / FileKind.VIDEO / video_id).read_bytes() == data

    text = manifest(scene, video_id)
    assert manifest(scene, video_id) == text
    assert order.id not in text
    assert ask(scene, manifest=f" {text}\n") == Finding(Verdict.AUTHENTIC, compared=False, day=original.day)
    for held, variant in ((data, Variant.ORIGINAL), (copy, Variant.WATERMARKED)):
        assert ask(scene, digest(held), text) == replace(original, variant=variant)
    assert ask(scene, digest(b"x"), text).verdict is Verdict.OTHER_FILE

    world.run(creators.update(world.tools, scene.creator, {"named_in_proofs": True}, expected_revision=None))
    assert ask(scene, digest(data)).creator_id == scene.profile.id

    video = world.read(lambda tx: videos.get(tx, video_id))
    taken = media.reject(video, media.Rejection(RejectionCode.TAKEN_DOWN, "Gone."), now=world.clock())
    world.write(lambda tx: videos.save(tx, taken, was=video.state))
    for held in (digest(data), digest(copy), None):
        finding = ask(scene, held, text)
        assert (finding.verdict, finding.creator_id) == (Verdict.REVOKED, None)
    world.run(check.check_pending(world.tools))
    assert not any(path.is_file() for path in (tmp_path / "files").rglob("*"))


@pytest.mark.sqlite_only
def test_a_copy_is_watched_by_a_link_of_its_own(scene: Scene, tmp_path: Path) -> None:
    world = scene.world
    _, video_id = delivered(scene, clips.plain())
    settle(scene)
    links = world.run(authenticity.list_copies(world.tools, scene.fan, [video_id]))[video_id]
    assert links.watch is not None
    token = links.watch.url.partition("token=")[2]
    found = world.run(watch.find_download(world.tools, FileKind.COPY, video_id, token))
    assert found.size_bytes == (tmp_path / "files" / FileKind.COPY / video_id).stat().st_size
    with pytest.raises(errors.ForbiddenError):
        world.run(watch.find_download(world.tools, FileKind.VIDEO, video_id, token))


@pytest.mark.sqlite_only
def test_no_file_with_another_byte_is_authentic_and_no_text_but_the_manifest(scene: Scene, tmp_path: Path) -> None:
    data = clips.plain()
    _, video_id = delivered(scene, data)
    settle(scene)
    text = manifest(scene, video_id)

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.integers(0, len(data) - 1), st.integers(1, 255), st.integers(0, len(text) - 1), st.characters())
    def change(at: int, by: int, letter: int, other: str) -> None:
        changed = bytearray(data)
        changed[at] ^= by
        assert ask(scene, digest(bytes(changed))).verdict is Verdict.UNKNOWN
        assert ask(scene, digest(bytes(changed)), text).verdict is Verdict.OTHER_FILE
        forged = text[:letter] + other + text[letter + 1 :]
        verdict = ask(scene, manifest=forged).verdict
        assert verdict is Verdict.FORGED_SIGNATURE or signing_of(scene, forged) == signing_of(scene, text)

    change()
    stranger = replace(scene.world.tools, manifests=signing.open_signer(tmp_path / "theirs.json"))
    assert ask(scene, manifest=text, tools=stranger).verdict is Verdict.FORGED_SIGNATURE
    assert ask(scene, manifest=text, tools=replace(stranger, manifests=None)).verdict is Verdict.FORGED_SIGNATURE
    for wrong in ({"sha256": "xyz"}, {}, {"manifest": "x" * (MANIFEST_CHARS_MAX + 1)}):
        with pytest.raises(errors.ValidationError):
            ask(scene, **wrong)


def signing_of(scene: Scene, text: str) -> bytes | None:
    """What a text proves: another last letter of base64 may be the same bytes."""
    assert scene.world.tools.manifests is not None
    try:
        return scene.world.tools.manifests.prove(text.strip())
    except ValueError:
        return None


@pytest.mark.sqlite_only
def test_what_another_key_of_ours_signed_is_nothing_of_ours_and_a_new_key_leaves_old_manifests_good(
    scene: Scene, tmp_path: Path
) -> None:
    world = scene.world
    _, video_id = delivered(scene, clips.plain())
    settle(scene)
    old, signer = manifest(scene, video_id), world.tools.manifests
    assert signer is not None
    made = signing.open_signer(tmp_path / "keys.json").prove(old)
    other = made.replace(ids.MANIFEST.encode() + b"_", ids.MANIFEST.encode() + b"_0")[:-1] + b"}"
    assert ask(scene, manifest=signer.sign(other)).verdict is not Verdict.AUTHENTIC
    unknown = made.replace(b'"sha256":"', b'"sha256":"0')[:-1]
    assert ask(scene, manifest=signer.sign(unknown)).verdict is Verdict.FORGED_SIGNATURE
    kid = signing.renew(tmp_path / "keys.json")
    world.tools = replace(world.tools, manifests=signing.open_signer(tmp_path / "keys.json"))
    assert ask(scene, manifest=old).verdict is Verdict.AUTHENTIC
    new = manifest(scene, video_id)
    assert new != old
    assert world.tools.manifests is not None
    assert next(key["kid"] for key in world.tools.manifests.public["keys"]) == kid  # type: ignore[index]
    assert ask(scene, manifest=new).verdict is Verdict.AUTHENTIC


@pytest.mark.sqlite_only
def test_a_copy_is_tried_again_until_it_is_given_up_and_none_is_made_where_they_are_off(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = scene.world
    _, video_id = delivered(scene, clips.plain())
    tried = 0

    async def mark(*_: object) -> Any:
        nonlocal tried
        tried += 1
        await asyncio.sleep(0)
        raise InspectionError("no process could be started")

    monkeypatch.setattr(type(world.tools.files), "mark", mark)

    def state() -> MarkState:
        return world.read(lambda tx: rows.get(tx, video_id)).mark

    for attempt in (1, 2, 3):
        settle(scene)
        assert tried == attempt
        assert state() is (MarkState.WAITING if attempt < 3 else MarkState.FAILED)
        world.clock.move(minutes=26)
    settle(scene)
    assert tried == 3
    assert ask(scene, digest(clips.plain())).verdict is Verdict.AUTHENTIC
    world.write(lambda tx: policies.insert(tx, Policy(version=2, watermark="")))
    world.give_coins(scene.fan, 1_000)
    scene.do(world.order(scene.lead_to(State.DELIVERED)), "confirm", Actor.FAN)
    assert settle(scene) > 0
    assert tried == 3
