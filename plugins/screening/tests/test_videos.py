"""Videos: dark ones go back, short and unreadable ones are a person's, and fine ones pass if the rules say so."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from shoutgraph.sdk import OrderVideo, Verdict
from shoutgraph_screening import videos

pytestmark = pytest.mark.anyio

RULES = "[videos]\nduration_min_s = 2\nblack_share_max = 0.5\npass = {passes}\n"
FRAMES = 40


def filmed(path: Path, *, black: int) -> OrderVideo:
    """Ten frames a second, of which the first are black."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 160
        stream.codec_context.gop_size = 1
        for at in range(FRAMES):
            frame = av.VideoFrame(160, 160, "gray")
            frame.planes[0].update(bytes([0 if at < black else 160]) * frame.planes[0].buffer_size)
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return OrderVideo("order_1", path, FRAMES / 10, 160, 160, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize(
    ("black", "passes", "verdict"),
    [
        (0, "true", Verdict.ALLOW),
        (10, "true", Verdict.ALLOW),
        (30, "true", Verdict.DENY),
        (FRAMES, "false", Verdict.DENY),
        (0, "false", Verdict.HOLD),
    ],
)
async def test_a_dark_video_goes_back(
    black: int,
    passes: str,
    verdict: Verdict,
    screen: Callable[..., object],
    rules: Callable[[str], None],
    tmp_path: Path,
) -> None:
    rules(RULES.format(passes=passes))
    assert await screen(filmed(tmp_path / "video.mp4", black=black)) is verdict  # type: ignore[misc]


async def test_what_cannot_be_looked_at_is_a_persons(
    screen: Callable[..., object], rules: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(RULES.format(passes="true"))
    fine = filmed(tmp_path / "video.mp4", black=0)
    (tmp_path / "broken.mp4").write_bytes(b"not a video")
    for broken in (tmp_path / "broken.mp4", tmp_path / "gone.mp4"):
        video = OrderVideo("order_1", broken, 4.0, 160, 160, fine.sha256)
        assert await screen(video) is Verdict.HOLD  # type: ignore[misc]
    short = OrderVideo("order_1", fine.path, 1.0, 160, 160, fine.sha256)
    assert await screen(short) is Verdict.HOLD  # type: ignore[misc]
    monkeypatch.setattr(videos, "LOOK_TIMEOUT_S", 0.0)
    assert await screen(fine) is Verdict.HOLD  # type: ignore[misc]
