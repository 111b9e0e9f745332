"""Videos through their use-cases: parts, crashes, checks that happen once, and what is thrown away."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.files import clips
from tests.files.clips import Clip
from tests.services.world import World, new_id

from shoutgraph.domain import errors, ids, media
from shoutgraph.domain.media import OpenUpload, RejectionCode, Video, VideoLimits, VideoState
from shoutgraph.domain.users import ANONYMOUS, Scope, Viewer
from shoutgraph.files import links
from shoutgraph.files.store import FileKind
from shoutgraph.services.media import check, upload, watch
from shoutgraph.services.media.upload import Part
from shoutgraph.storage import media as videos
from shoutgraph.storage.statements import Statement

LIMITS = VideoLimits(duration_max_s=3, size_bytes_max=1_000_000)
CREATOR = Viewer(
    user_id=ids.UserId(new_id(ids.USER)), creator_id=ids.CreatorId(new_id(ids.CREATOR)), principal="user:nova"
)
ORDER = ids.OrderId(new_id(ids.ORDER))


def opened(world: World, data: bytes, *, order_id: ids.OrderId = ORDER, limits: VideoLimits = LIMITS) -> Video:
    wish = OpenUpload(order_id, len(data), "video/mp4", limits)
    assert CREATOR.creator_id is not None
    video = media.open_upload(ids.VideoId(new_id(ids.VIDEO)), CREATOR.creator_id, wish, now=world.clock())
    world.write(lambda tx: videos.insert(tx, video))
    return video


def token_of(world: World, video: Video) -> str:
    return world.tools.links.upload(video.id, CREATOR, expires_at=video.expires_at).url.partition("token=")[2]


async def body_of(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 10_000):
        yield data[at : at + 10_000]


async def send(world: World, video: Video, data: bytes, *, offset: int = 0, part: Part | None = None) -> int:
    part = part or Part(offset, len(data))
    done = await upload.receive(world.tools, video.id, token_of(world, video), part, body_of(data))
    return done.offset


def now(world: World, video: Video) -> Video:
    return world.read(lambda tx: videos.get(tx, video.id))


def uploaded(world: World, data: bytes, **more: VideoLimits) -> Video:
    video = opened(world, data, **more)  # type: ignore[arg-type]
    world.run(send(world, video, data))
    return video


def ready(world: World) -> Video:
    video = uploaded(world, clips.plain())
    world.run(check.check(world.tools, video.id))
    return now(world, video)


def rejection(world: World, video: Video) -> RejectionCode:
    found = now(world, video).rejection
    assert found is not None, "the video is rejected"
    return found.code


def kept(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "files").rglob("*") if path.is_file())


def test_a_file_in_parts_becomes_a_ready_video(world: World) -> None:
    data = clips.plain()
    video = opened(world, data)
    assert world.run(send(world, video, data[:50_000])) == 50_000
    assert now(world, video).state is VideoState.UPLOADING
    assert world.run(send(world, video, data[50_000:], offset=50_000)) == len(data)
    assert now(world, video).state is VideoState.CHECKING
    assert world.run(check.check_pending(world.tools)) == 1
    done = now(world, video)
    assert done.state is VideoState.READY
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    assert done.facts is not None
    assert (done.facts.video_codec, done.facts.duration_ms) == ("h264", 2_000)
    assert world.run(world.tools.files.size_bytes(FileKind.POSTER, video.id))
    assert world.run(check.check_pending(world.tools)) == 0


def test_what_a_phone_says_about_the_place_is_gone_before_anybody_watches(world: World, tmp_path: Path) -> None:
    data = clips.make(Clip("mov", metadata=(("location", "+48.8584+002.2945/"),)))
    video = uploaded(world, data)
    world.run(check.check(world.tools, video.id))
    kept_bytes = (tmp_path / "files" / "videos" / video.id).read_bytes()
    assert b"+48.8584" in data
    assert b"+48.8584" not in kept_bytes
    assert now(world, video).sha256 == hashlib.sha256(kept_bytes).hexdigest()


def test_many_checks_of_one_video_inspect_it_once(world: World) -> None:
    video = uploaded(world, clips.plain())

    async def many() -> None:
        await asyncio.gather(*(check.check(world.tools, video.id) for _ in range(10)))

    world.run(many())
    assert now(world, video).state is VideoState.READY
    count = Statement(lambda: videos._T.select().with_only_columns(videos._T.c.checks_count))
    assert world.read(lambda tx: tx.all(count)) == [(1,)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"text with the name of a film", RejectionCode.NOT_A_VIDEO),
        (clips.plain()[:60_000], RejectionCode.TRUNCATED),
        (clips.make(Clip(seconds=5, audio=None)), RejectionCode.TOO_LONG),
        (clips.make(Clip(seconds=0.5, audio=None)), RejectionCode.TOO_SHORT),
        (clips.make(Clip(video="mpeg4")), RejectionCode.CODEC_NOT_ACCEPTED),
    ],
)
def test_a_bad_file_is_rejected_with_its_reason_and_its_bytes_go(
    world: World, tmp_path: Path, data: bytes, code: RejectionCode
) -> None:
    video = uploaded(world, data)
    world.run(check.check_pending(world.tools))
    assert rejection(world, video) is code
    assert kept(tmp_path) == []
    with pytest.raises(errors.MediaRejectedError) as refusal:
        world.run(upload.progress(world.tools, video.id, token_of(world, video)))
    assert refusal.value.code == code


def test_a_crash_between_the_last_byte_and_its_note_is_mended_when_the_client_asks(world: World) -> None:
    data = clips.plain()
    video = opened(world, data)
    world.run(write_behind(world, video, data))
    done = world.run(upload.progress(world.tools, video.id, token_of(world, video)))
    assert done.offset == len(data)
    assert done.video.state is VideoState.CHECKING


def test_a_crash_between_the_last_byte_and_its_note_is_mended_by_the_sweep(world: World) -> None:
    data = clips.plain()
    video, half = opened(world, data), opened(world, data)
    world.run(write_behind(world, video, data))
    world.run(write_behind(world, half, data[:-1]))
    assert world.run(upload.sweep(world.tools)) == 1
    assert now(world, video).state is VideoState.CHECKING
    assert now(world, half).state is VideoState.UPLOADING
    assert world.run(upload.sweep(world.tools)) == 0


async def write_behind(world: World, video: Video, data: bytes) -> None:
    """Bytes that are durable, without the note that a crash kept from being written."""
    async with world.tools.files.receive(video.id) as receiver:
        await receiver.write(data)
        await receiver.keep()


def test_a_check_that_a_crash_cut_short_is_taken_over_when_its_lease_ends(world: World) -> None:
    video = uploaded(world, clips.plain())
    assert world.write(lambda tx: videos.UPLOADS.claim(tx, video.id)) == 1
    assert world.run(check.check_pending(world.tools)) == 0
    world.clock.move(seconds=int(media.CHECK_LEASE.total_seconds()) + 1)
    assert world.run(check.check_pending(world.tools)) == 1
    assert now(world, video).state is VideoState.READY


def test_a_video_whose_check_always_fails_is_rejected_in_the_end(world: World, tmp_path: Path) -> None:
    video = uploaded(world, clips.plain())
    next((tmp_path / "files" / "videos").iterdir()).unlink()
    for _ in range(media.CHECK_ATTEMPTS_MAX):
        assert now(world, video).state is VideoState.CHECKING
        world.run(check.check_pending(world.tools))
        world.clock.move(minutes=5)
    assert rejection(world, video) is RejectionCode.CHECK_FAILED


def test_a_check_that_breaks_holds_up_none_beside_it(world: World, tmp_path: Path) -> None:
    broken = uploaded(world, clips.plain())
    (path,) = (tmp_path / "files" / "videos").iterdir()
    sound = uploaded(world, clips.plain())
    path.unlink()
    path.mkdir()  # no disk fault that a check knows
    assert world.run(check.check_pending(world.tools)) == 1
    assert [now(world, each).state for each in (broken, sound)] == [VideoState.CHECKING, VideoState.READY]


def test_an_upload_that_nobody_finishes_goes_when_its_time_is_over(world: World, tmp_path: Path) -> None:
    data = clips.plain()
    video = opened(world, data)
    world.run(send(world, video, data[:1_000]))
    assert world.run(upload.sweep(world.tools)) == 0
    world.clock.move(days=1)
    assert world.run(check.check_pending(world.tools)) == 2
    assert rejection(world, video) is RejectionCode.UPLOAD_EXPIRED
    assert world.run(check.check_pending(world.tools)) == 0
    assert kept(tmp_path) == []


def test_the_last_byte_in_time_counts_even_if_its_note_comes_late(world: World) -> None:
    data = clips.plain()
    video = opened(world, data)
    world.run(write_behind(world, video, data))
    world.clock.move(days=2)
    assert world.run(upload.sweep(world.tools)) == 1
    assert now(world, video).state is VideoState.CHECKING


def test_a_cancelled_upload_is_gone_and_a_repeat_changes_nothing(world: World, tmp_path: Path) -> None:
    data = clips.plain()
    video = opened(world, data)
    world.run(send(world, video, data[:1_000]))
    for _ in range(2):
        world.run(upload.cancel(world.tools, video.id, token_of(world, video)))
    assert rejection(world, video) is RejectionCode.UPLOAD_CANCELLED
    assert kept(tmp_path) == []
    with pytest.raises(errors.MediaRejectedError):
        world.run(send(world, video, data[1_000:], offset=1_000))
    assert kept(tmp_path) == []


def test_a_complete_upload_is_not_cancelled(world: World) -> None:
    video = uploaded(world, clips.plain())
    with pytest.raises(errors.ValidationError) as refusal:
        world.run(upload.cancel(world.tools, video.id, token_of(world, video)))
    assert refusal.value.code == "UPLOAD_COMPLETE"


def test_an_upload_cancelled_while_it_is_written_ends_and_its_bytes_go(world: World, tmp_path: Path) -> None:
    data = clips.plain()
    video = opened(world, data)

    async def story() -> None:
        async def slow() -> AsyncIterator[bytes]:
            yield data[:1_000]
            await upload.cancel(world.tools, video.id, token_of(world, video))
            yield data[1_000:]

        with pytest.raises(errors.MediaRejectedError) as refusal:
            await upload.receive(world.tools, video.id, token_of(world, video), Part(0, len(data)), slow())
        assert refusal.value.code == RejectionCode.UPLOAD_CANCELLED

    world.run(story())
    assert kept(tmp_path) == []
    assert world.run(check.check_pending(world.tools)) == 0


def test_a_cancelled_upload_stays_gone_when_a_late_part_comes(world: World, tmp_path: Path) -> None:
    data = clips.plain()
    video = opened(world, data)

    async def story() -> None:
        async def late() -> AsyncIterator[bytes]:
            yield data

        receiving = upload.receive(world.tools, video.id, token_of(world, video), Part(0, len(data)), late())
        results = await asyncio.gather(
            receiving, upload.cancel(world.tools, video.id, token_of(world, video)), return_exceptions=True
        )
        assert isinstance(results[0], errors.MediaRejectedError | errors.ValidationError), "rejected, or not its turn"

    world.run(story())
    world.run(check.check_pending(world.tools))
    assert kept(tmp_path) == []


def test_what_is_being_written_is_not_removed_and_not_waited_for(world: World) -> None:
    video = opened(world, b"x" * 10)

    async def story() -> None:
        async with world.tools.files.receive(video.id):
            await upload.cancel(world.tools, video.id, token_of(world, video))
            assert await check.check_pending(world.tools) == 0
        assert await check.check_pending(world.tools) == 1

    world.run(story())


@pytest.mark.parametrize(
    ("part", "data", "code"),
    [
        (Part(1, 10), b"0123456789", "UPLOAD_OFFSET"),
        (Part(0, 101), b"x" * 101, "UPLOAD_TOO_LONG"),
        (Part(0, None), b"x" * 101, "UPLOAD_TOO_LONG"),
        (Part(0, 2**70), b"x", "UPLOAD_TOO_LONG"),
    ],
)
def test_a_part_that_does_not_fit_leaves_nothing_behind(world: World, part: Part, data: bytes, code: str) -> None:
    video = opened(world, b"x" * 100)
    with pytest.raises(errors.ValidationError) as refusal:
        world.run(send(world, video, data, part=part))
    assert refusal.value.code == code
    assert world.run(upload.progress(world.tools, video.id, token_of(world, video))).offset == 0


def test_a_part_that_stops_early_is_kept_as_far_as_it_came(world: World) -> None:
    video = opened(world, b"x" * 100)
    assert world.run(send(world, video, b"x" * 30, part=Part(0, 50))) == 30


def test_an_order_has_a_few_unfinished_uploads_at_most(world: World) -> None:
    for _ in range(media.UPLOADS_PER_ORDER_MAX):
        first = opened(world, b"x")
    with pytest.raises(errors.LimitExceededError) as refusal:
        opened(world, b"x")
    assert refusal.value.code == "UPLOADS_OPEN"
    opened(world, b"x", order_id=ids.OrderId(new_id(ids.ORDER)))
    world.run(upload.cancel(world.tools, first.id, token_of(world, first)))
    opened(world, b"x")


def test_a_creator_finds_the_upload_again_and_nobody_else_does(world: World) -> None:
    video = opened(world, b"x")
    link = world.run(upload.find(world.tools, CREATOR, video.id))
    assert link.expires_at == video.expires_at
    stranger = replace(CREATOR, creator_id=ids.CreatorId(new_id(ids.CREATOR)))
    for viewer in (stranger, replace(CREATOR, creator_id=None), ANONYMOUS):
        with pytest.raises(errors.NotFoundError):
            world.run(upload.find(world.tools, viewer, video.id))
    moderator = Viewer(scopes=frozenset({Scope.MODERATION}), principal="staff")
    assert world.read(lambda tx: videos.get_visible(tx, video.id, moderator)) == video


def test_only_a_ready_video_is_read(world: World) -> None:
    def watched(video: Video) -> watch.Download:
        link = world.tools.links.video(video.id, CREATOR, now=world.clock())
        token = link.url.partition("token=")[2]
        return world.run(watch.find_download(world.tools, FileKind.VIDEO, video.id, token))

    for unready in (opened(world, clips.plain()), uploaded(world, clips.plain())):
        with pytest.raises(errors.NotFoundError):
            watched(unready)
    found = watched(ready(world))
    assert found.size_bytes == len(clips.plain())
    assert found.seconds_left == 600


def test_a_taken_down_video_is_read_no_more_and_its_bytes_go(world: World, tmp_path: Path) -> None:
    video = ready(world)
    taken = media.reject(video, media.Rejection(RejectionCode.TAKEN_DOWN, "Gone."), now=world.clock())
    world.write(lambda tx: videos.save(tx, taken, was=VideoState.READY))
    token = world.tools.links.video(video.id, CREATOR, now=world.clock()).url.partition("token=")[2]
    with pytest.raises(errors.NotFoundError):
        world.run(watch.find_download(world.tools, FileKind.VIDEO, video.id, token))
    world.run(check.check_pending(world.tools))
    assert kept(tmp_path) == []


def test_the_token_of_one_video_moves_no_other(world: World) -> None:
    mine, other = opened(world, b"x"), opened(world, b"x")
    with pytest.raises(errors.ForbiddenError):
        world.run(upload.progress(world.tools, other.id, token_of(world, mine)))
    with pytest.raises(errors.ForbiddenError):
        world.run(upload.cancel(world.tools, other.id, token_of(world, mine)))
    assert links.upload_path(other.id) not in world.tools.links.upload(mine.id, CREATOR, expires_at=mine.expires_at).url


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sha256": "0" * 64}, "digest"),
        ({"order_id": "order_x"}, "stays its order"),
        ({"size_bytes": 5}, "stays its order"),
        ({"state": VideoState.UPLOADING}, "goes from"),
        ({"state": VideoState.CHECKING}, "goes from"),
        ({"state": VideoState.REJECTED}, "video_rejection"),
        ({"container": None}, "video_facts"),
        ({"width_px": 0}, "video_facts"),
    ],
)
def test_the_database_refuses_what_no_use_case_does(world: World, change: dict[str, object], says: str) -> None:
    video = ready(world)
    attack = Statement(lambda: videos._T.update().where(videos._T.c.id == video.id).values(change))
    with pytest.raises(errors.InvariantError, match=says):
        world.write(lambda tx: tx.run(attack))
    assert now(world, video) == video
