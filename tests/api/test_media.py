"""Uploads by tus and videos behind signed links, over HTTP as strangers send it."""

import base64
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from tests.files import clips
from tests.services.world import World, new_id, open_world
from tests.storage.databases import Place

from shoutgraph.api import media as api, tus
from shoutgraph.api.drain import Drain
from shoutgraph.api.server import build_server
from shoutgraph.cli.demo.server import free_port
from shoutgraph.domain import ids, media
from shoutgraph.domain.media import OpenUpload, RejectionCode, Video, VideoLimits, VideoState
from shoutgraph.domain.users import Viewer
from shoutgraph.files import links
from shoutgraph.storage import media as videos

PATIENCE_S = 10.0
START_S = 60.0
LIMITS = VideoLimits(duration_max_s=3, size_bytes_max=10_000_000)
CREATOR = Viewer(
    user_id=ids.UserId(new_id(ids.USER)), creator_id=ids.CreatorId(new_id(ids.CREATOR)), principal="user:nova"
)
TUS = {"Tus-Resumable": "1.0.0"}


def until(true: Callable[[], bool]) -> None:
    """Waits for something, not for ever."""
    deadline = time.monotonic() + PATIENCE_S
    while not true() and time.monotonic() < deadline:
        time.sleep(0.005)


@dataclass
class Site:
    """A running server, and the tools behind it."""

    world: World
    port: int
    end: Callable[[], None] = field(default=lambda: None)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE_S)

    def open(self, data: bytes) -> Video:
        return opened(self.world, data)

    def target(self, video: Video) -> str:
        return upload_target(self.world, video)

    def patch(self, target: str, data: Any, offset: int = 0, **headers: str) -> httpx.Response:
        fixed = {**TUS, "Upload-Offset": str(offset), "Content-Type": tus.PART_TYPE}
        return self.http.patch(target, content=data, headers={**fixed, **headers})

    def now(self, video: Video) -> Video:
        return self.world.read(lambda tx: videos.get(tx, video.id))

    def ready(self, data: bytes) -> Video:
        video = self.open(data)
        assert self.patch(self.target(video), data).status_code == 204
        self.wait(video)
        return self.now(video)

    def wait(self, video: Video) -> None:
        """Waits until a video is judged."""
        until(lambda: self.now(video).state is not VideoState.CHECKING)

    def watch(self, video: Video, *, poster: bool = False) -> str:
        sign = self.world.tools.links.poster if poster else self.world.tools.links.video
        return sign(video.id, CREATOR, now=self.world.clock()).url.removeprefix("http://127.0.0.1")


def opened(world: World, data: bytes) -> Video:
    order_id = ids.OrderId(new_id(ids.ORDER))
    assert CREATOR.creator_id is not None
    wish = OpenUpload(order_id, len(data), "video/mp4", LIMITS)
    video = media.open_upload(ids.VideoId(new_id(ids.VIDEO)), CREATOR.creator_id, wish, now=world.clock())
    world.write(lambda tx: videos.insert(tx, video))
    return video


def upload_target(world: World, video: Video) -> str:
    link = world.tools.links.upload(video.id, CREATOR, expires_at=video.expires_at)
    return link.url.removeprefix("http://127.0.0.1")


@contextmanager
def serving(world: World) -> Iterator[Site]:
    drain = Drain()
    app = Starlette(routes=api.routes(world.tools, drain), max_body_size=65_536)
    server = build_server(app, drain, signals=False)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    site = Site(world, server.port, end=server.end)
    try:
        yield site
    finally:
        site.http.close()
        server.end()
        thread.join(PATIENCE_S)


@pytest.fixture(scope="module")
def site(module_place: Place) -> Iterator[Site]:
    with open_world(module_place) as world, serving(world) as site:
        yield site


def refusal(response: httpx.Response, status: int) -> str:
    """The code of a refusal with this status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    [error] = response.json()["errors"]
    assert error["message"].endswith(".")
    return str(error["extensions"]["code"])


def test_options_says_what_is_spoken(site: Site) -> None:
    answer = site.http.options("/uploads/any")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "checksum,expiration,termination"
    assert "sha1" in answer.headers["tus-checksum-algorithm"].split(",")
    assert int(answer.headers["tus-max-size"]) == media.SIZE_BYTES_MAX


def test_an_upload_in_parts_ends_in_a_ready_video(site: Site) -> None:
    data = clips.plain()
    video = site.open(data)
    target = site.target(video)
    head = site.http.head(target, headers=TUS)
    assert (head.status_code, head.headers["upload-offset"], head.headers["upload-length"]) == (
        200,
        "0",
        str(len(data)),
    )
    assert head.headers["cache-control"] == "no-store"
    assert head.headers["tus-resumable"] == "1.0.0"
    for at in range(0, len(data), 40_000):
        part = data[at : at + 40_000]
        done = site.patch(target, part, at)
        assert done.status_code == 204
        assert done.headers["upload-offset"] == str(at + len(part))
        assert done.headers["upload-expires"].endswith(" GMT")
        assert done.headers["tus-resumable"] == "1.0.0"
    head = site.http.head(target, headers=TUS)
    assert head.headers["upload-offset"] == head.headers["upload-length"]
    site.wait(video)
    assert site.now(video).state is VideoState.READY
    assert site.now(video).sha256 == hashlib.sha256(data).hexdigest()


def test_a_body_larger_than_the_applications_own_limit_is_taken(site: Site) -> None:
    data = clips.plain()
    assert len(data) > 65_536
    assert site.ready(data).state is VideoState.READY


def test_a_repeat_after_the_last_byte_changes_nothing(site: Site) -> None:
    data = clips.plain()
    video = site.ready(data)
    assert site.patch(site.target(video), b"", len(data)).status_code == 204
    assert refusal(site.patch(site.target(video), b"x", len(data)), 413) == "UPLOAD_TOO_LONG"
    assert refusal(site.patch(site.target(video), data), 409) == "UPLOAD_OFFSET"
    assert site.now(video) == video


def test_post_can_stand_for_the_methods_that_proxies_do_not_know(site: Site) -> None:
    video = site.open(b"x" * 10)
    headers = {**TUS, "X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0", "Content-Type": tus.PART_TYPE}
    assert site.http.post(site.target(video), content=b"x" * 4, headers=headers).headers["upload-offset"] == "4"
    headers = {**TUS, "X-HTTP-Method-Override": "DELETE"}
    assert site.http.post(site.target(video), headers=headers).status_code == 204
    assert site.http.head(site.target(video), headers=TUS).status_code == 410


def test_a_cancelled_upload_is_gone(site: Site) -> None:
    video = site.open(b"x" * 10)
    target = site.target(video)
    assert site.http.delete(target, headers=TUS).status_code == 204
    assert site.http.delete(target, headers=TUS).status_code == 204
    assert refusal(site.patch(target, b"x"), 410) == RejectionCode.UPLOAD_CANCELLED


@pytest.mark.parametrize("version", ["", "0.2.2", "1.0.1", "2.0.0"])
def test_another_version_of_the_protocol_is_refused(site: Site, version: str) -> None:
    target = site.target(site.open(b"x" * 10))
    answer = site.patch(target, b"x", **{"Tus-Resumable": version})
    assert refusal(answer, 412) == "TUS_VERSION"
    assert site.http.head(target, headers={"Tus-Resumable": version}).status_code == 412


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Upload-Offset": "5"}, 409, "UPLOAD_OFFSET"),
        ({"Upload-Offset": "9" * 16}, 409, "UPLOAD_OFFSET"),
        ({"Upload-Offset": "9" * 5_000}, 400, "INVALID_HEADER"),
        ({"Upload-Offset": "-1"}, 400, "INVALID_HEADER"),
        ({"Upload-Offset": "1e1"}, 400, "INVALID_HEADER"),
        ({"Upload-Offset": "0x0"}, 400, "INVALID_HEADER"),
        ({"Upload-Offset": ""}, 400, "INVALID_HEADER"),
        ({"Upload-Offset": "0, 0"}, 400, "INVALID_HEADER"),
        ({"Content-Type": "application/octet-stream"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"Content-Type": "application/json"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"Content-Type": ""}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"Upload-Checksum": "md5 AAAA"}, 400, "CHECKSUM_ALGORITHM"),
        ({"Upload-Checksum": ""}, 400, "CHECKSUM_ALGORITHM"),
        ({"Upload-Checksum": "sha1"}, 400, "INVALID_HEADER"),
        ({"Upload-Checksum": "sha1 !!!"}, 400, "INVALID_HEADER"),
        ({"Upload-Checksum": "sha1 QUJD"}, 400, "INVALID_HEADER"),
        ({"Upload-Checksum": "sha1 " + "A" * 28}, 400, "INVALID_HEADER"),
        ({"Upload-Checksum": f"sha1 {base64.b64encode(bytes(20)).decode()}"}, 460, "UPLOAD_CHECKSUM"),
    ],
)
def test_a_part_with_a_wrong_header_is_refused(site: Site, headers: dict[str, str], status: int, code: str) -> None:
    target = site.target(site.open(b"x" * 10))
    assert refusal(site.patch(target, b"01234", **headers), status) == code
    assert site.http.head(target, headers=TUS).headers["upload-offset"] == "0"


def test_two_offsets_are_none(site: Site) -> None:
    target = site.target(site.open(b"x" * 10))
    headers = [("Tus-Resumable", "1.0.0"), ("Content-Type", tus.PART_TYPE), ("Upload-Offset", "0")]
    assert refusal(site.http.patch(target, content=b"x", headers=headers[:2]), 400) == "INVALID_HEADER"
    twice = [*headers, ("Upload-Offset", "0")]
    assert refusal(site.http.patch(target, content=b"x", headers=twice), 400) == "INVALID_HEADER"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_part_with_its_checksum_is_taken(site: Site, algorithm: str) -> None:
    target = site.target(site.open(b"x" * 10))
    digest = base64.b64encode(hashlib.new(algorithm, b"01234").digest()).decode()
    answer = site.patch(target, b"01234", **{"Upload-Checksum": f"{algorithm} {digest}"})
    assert answer.headers["upload-offset"] == "5"


def test_more_bytes_than_declared_are_refused_before_they_are_read(site: Site) -> None:
    target = site.target(site.open(b"x" * 10))
    assert refusal(site.patch(target, b"x" * 2_000_000), 413) == "UPLOAD_TOO_LONG"


def test_more_bytes_than_declared_are_refused_in_a_body_without_length(site: Site) -> None:
    target = site.target(site.open(b"x" * 10))

    def endless() -> Iterator[bytes]:
        for _ in range(10):
            yield b"x" * 3

    assert refusal(site.patch(target, endless()), 413) == "UPLOAD_TOO_LONG"
    assert site.http.head(target, headers=TUS).headers["upload-offset"] == "0"


def test_a_second_writer_is_refused_while_the_first_writes(site: Site) -> None:
    video = site.open(b"x" * 100_000)
    target = site.target(video)
    began, go_on = threading.Event(), threading.Event()
    answers: list[httpx.Response] = []

    def slow() -> Iterator[bytes]:
        yield b"x" * 1_000
        began.set()
        go_on.wait(PATIENCE_S)
        yield b"x" * 99_000

    first = threading.Thread(target=lambda: answers.append(site.patch(target, slow())))
    first.start()
    assert began.wait(PATIENCE_S)
    busy = meanwhile(site, video, target)
    go_on.set()
    first.join(PATIENCE_S)
    assert refusal(busy, 423) == "UPLOAD_BUSY"
    assert busy.headers["retry-after"] == "2"
    assert answers[0].status_code == 204


def meanwhile(site: Site, video: Video, target: str) -> httpx.Response:
    """The answer to another part, sent once the first has the file."""
    until(lambda: held(video) != [])
    return site.patch(target, b"")


def head_of_patch(target: str, length: int) -> bytes:
    return (
        f"PATCH {target} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        f"Content-Type: {tus.PART_TYPE}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def test_a_client_that_falls_silent_is_told_to_resume(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tus, "IDLE_S", 0.1)
    target = site.target(site.open(b"x" * 100))
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE_S) as connection:
        connection.sendall(head_of_patch(target, 100) + b"x" * 10)
        answer = connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"connection: close" in answer.lower()
    assert offset_of(site, target) == 10


def test_a_part_that_a_drain_meets_is_kept_as_far_as_it_came(place: Place) -> None:
    with open_world(place) as world:
        with serving(world) as site:
            video = site.open(b"x" * 100)
            target = site.target(video)
            with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE_S) as connection:
                connection.sendall(head_of_patch(target, 100) + b"x" * 10)
                assert meanwhile(site, video, target).status_code == 423, "the part is on its way"
                site.end()
                answer = connection.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: " in answer.lower()
        with serving(world) as site:
            assert offset_of(site, target) == 10


def padded(count: int) -> bytes:
    """A film with so many bytes more that no player looks at."""
    return clips.plain() + (count + 8).to_bytes(4) + b"free" + os.urandom(count)


def test_a_client_that_goes_away_resumes_where_its_bytes_end(site: Site) -> None:
    data = padded(3_000_000)
    video = site.open(data)
    target = site.target(video)
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        connection.sendall(head_of_patch(target, len(data)) + data[:2_000_000])
        while offset_of(site, target) < 1_000_000:
            time.sleep(0.005)
    answer = site.patch(target, b"", offset_of(site, target))
    while answer.status_code in {409, 423}:  # the server has not noticed yet
        answer = site.patch(target, b"", offset_of(site, target))
    offset = offset_of(site, target)
    assert 1_000_000 <= offset <= 2_000_000
    assert site.patch(target, data[offset:], offset).status_code == 204
    site.wait(video)
    assert site.now(video).sha256 == hashlib.sha256(data).hexdigest()


def offset_of(site: Site, target: str) -> int:
    return int(site.http.head(target, headers=TUS).headers["upload-offset"])


def answers(port: int) -> bool:
    with suppress(httpx.ConnectError):
        httpx.options(f"http://127.0.0.1:{port}/uploads/any")
        return True
    return False


@contextmanager
def killed_server(place: Place) -> Iterator[str]:
    """A server in a process of its own that is killed when the block ends."""
    port = free_port()
    given = [place.kind, str(place.folder), str(port)]
    process = subprocess.Popen([sys.executable, "-m", "tests.api.media_server", *given])
    deadline = time.monotonic() + START_S
    while not answers(port):
        assert time.monotonic() < deadline, "the server took too long to start"
        assert process.poll() is None, "the server did not start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)


def slowly(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), 100_000):
        yield data[at : at + 100_000]
        time.sleep(0.01)


def test_a_killed_server_keeps_every_acknowledged_byte_and_the_upload_goes_on(place: Place) -> None:
    data = padded(4_000_000)
    with open_world(place) as world:
        video = opened(world, data)
        target = upload_target(world, video)
    with killed_server(place) as url:
        acknowledged = break_off(url + target, data)
    with open_world(place) as world, serving(world) as site:
        offset = int(site.http.head(target, headers=TUS).headers["upload-offset"])
        assert acknowledged <= offset < len(data)
        assert site.patch(target, data[offset:], offset).status_code == 204
        site.wait(video)
        done = site.now(video)
        assert done.state is VideoState.READY
        assert done.sha256 == hashlib.sha256(data).hexdigest()


def break_off(target: str, data: bytes) -> int:
    """Sends one part that is acknowledged and begins another that never ends; says how much was acknowledged."""
    headers = {**TUS, "Content-Type": tus.PART_TYPE}
    done = httpx.patch(target, content=data[:500_000], headers={**headers, "Upload-Offset": "0"})
    acknowledged = int(done.headers["upload-offset"])

    def go_on() -> None:
        with suppress(httpx.HTTPError):
            more = {**headers, "Upload-Offset": str(acknowledged)}
            httpx.patch(target, content=slowly(data[acknowledged:]), headers=more)

    threading.Thread(target=go_on, daemon=True).start()
    time.sleep(0.2)
    return acknowledged


def test_a_video_that_is_none_is_answered_with_its_reason(site: Site) -> None:
    for data, code in ((b"not a film", RejectionCode.NOT_A_VIDEO), (clips.plain()[:-500], RejectionCode.TRUNCATED)):
        video = site.ready(data)
        assert video.state is VideoState.REJECTED
        assert refusal(site.patch(site.target(video), b"x", len(data)), 410) == code
        assert refusal(site.http.get(site.watch(video)), 404) == "NOT_FOUND"


@pytest.mark.parametrize(
    "path",
    [
        "/uploads/%2e%2e",
        "/uploads/video_" + "0" * 26,
        "/uploads/%00",
        "/uploads/%ff%fe",
        "/uploads/" + "a" * 5_000,
        "/uploads/video_01m817w1sve7s8q03q2a7qhqpy?token=%00",
        "/uploads/x?token=" + "9" * 5_000,
        "/media/..%5c..%5cetc?token=1.AA.AA",
        "/media/x/poster?token=%F0%9F%92%A9",
        "/media/video_01m817w1sve7s8q03q2a7qhqpy",
        "/media/video_01m817w1sve7s8q03q2a7qhqpy/poster",
    ],
)
def test_nothing_is_found_without_a_link_that_we_signed(site: Site, path: str) -> None:
    if path.startswith("/media"):
        assert refusal(site.http.get(path), 403) == "LINK_INVALID"
    else:
        assert refusal(site.patch(path, b"x"), 403) == "LINK_INVALID"
        assert refusal(site.http.delete(path, headers=TUS), 403) == "LINK_INVALID"


@pytest.mark.parametrize("path", ["/uploads/..%2f..%2fetc%2fpasswd", "/media/..%2f..%2fetc%2fpasswd", "/media/a/b/c"])
def test_a_path_with_more_steps_leads_nowhere(site: Site, path: str) -> None:
    assert site.http.get(path).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "TRACE"])
def test_an_upload_target_knows_its_methods(site: Site, method: str) -> None:
    answer = site.http.request(method, site.target(site.open(b"x")), headers=TUS)
    assert refusal(answer, 405) == "METHOD_NOT_ALLOWED"
    assert answer.headers["allow"] == "OPTIONS, HEAD, PATCH, DELETE"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_video_is_only_read(site: Site, method: str) -> None:
    answer = site.http.request(method, "/media/x")
    assert refusal(answer, 405) == "METHOD_NOT_ALLOWED"
    assert answer.headers["allow"] == "GET, HEAD"


def test_an_expired_link_opens_nothing(place: Place) -> None:
    with open_world(place) as world, serving(world) as site:
        data = clips.plain()
        video = site.ready(data)
        target, watch = site.target(video), site.watch(video)
        assert site.http.get(watch).status_code == 200
        world.clock.move(seconds=600)
        assert refusal(site.http.get(watch), 403) == "LINK_EXPIRED"
        world.clock.move(days=1)
        assert refusal(site.patch(target, b"", len(data)), 403) == "LINK_EXPIRED"


@pytest.fixture(scope="module")
def film(site: Site) -> Video:
    return site.ready(clips.plain())


def test_a_video_is_served_as_a_video_and_as_nothing_else(site: Site, film: Video) -> None:
    answer = site.http.get(site.watch(film))
    assert answer.status_code == 200
    assert answer.content == clips.plain()
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(clips.plain()))
    assert answer.headers["content-disposition"] == f'inline; filename="{film.id}.mp4"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "private, max-age=600"
    assert answer.headers["etag"] == f'"{film.sha256}"'


def test_a_video_can_be_downloaded(site: Site, film: Video) -> None:
    answer = site.http.get(site.watch(film) + "&download")
    assert answer.headers["content-disposition"] == f'attachment; filename="{film.id}.mp4"'


def test_head_is_get_without_a_body(site: Site, film: Video) -> None:
    got, head = site.http.get(site.watch(film)), site.http.head(site.watch(film))
    assert head.content == b""
    for answer in (got, head):
        del answer.headers["date"]
    assert head.headers == got.headers


def test_a_poster_is_served_as_a_picture(site: Site, film: Video) -> None:
    answer = site.http.get(site.watch(film, poster=True))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8\xff")
    assert answer.headers["etag"] != f'"{film.sha256}"'


def test_a_link_to_the_poster_does_not_open_the_video(site: Site, film: Video) -> None:
    token = site.watch(film, poster=True).partition("?")[2]
    assert refusal(site.http.get(f"{links.video_path(film.id)}?{token}"), 403) == "LINK_INVALID"


SIZE = len(clips.plain())


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, SIZE),
        ("bytes=-100", SIZE - 100, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
        (f"bytes=10-{10**17}", 10, SIZE),
        ("Bytes= 5-6", 5, 7),
    ],
)
def test_a_range_is_answered_with_its_bytes(site: Site, film: Video, header: str, start: int, end: int) -> None:
    answer = site.http.get(site.watch(film), headers={"Range": header})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(end - start)
    assert answer.content == clips.plain()[start:end]
    head = site.http.head(site.watch(film), headers={"Range": header})
    assert (head.status_code, head.headers["content-range"]) == (206, answer.headers["content-range"])


@pytest.mark.parametrize(
    "header",
    [
        "bytes=5-4",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=0-1,5-6",
        "bytes=" + ",".join(["0-1"] * 5_000),
        "items=0-1",
        "bytes 0-1",
        "bytes=--1",
        "bytes=0-1-2",
        f"bytes=0-{10**40}",
        "bytes=0x0-0x5",
        "",
    ],
)
def test_a_range_that_we_do_not_speak_gives_the_whole_file(site: Site, film: Video, header: str) -> None:
    answer = site.http.get(site.watch(film), headers={"Range": header})
    assert answer.status_code == 200
    assert len(answer.content) == SIZE


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0", f"bytes={10**17}-"])
def test_a_range_after_the_end_cannot_be_satisfied(site: Site, film: Video, header: str) -> None:
    answer = site.http.get(site.watch(film), headers={"Range": header})
    assert refusal(answer, 416) == "RANGE_NOT_SATISFIABLE"
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


def test_a_range_of_another_version_gives_the_whole_file(site: Site, film: Video) -> None:
    headers = {"Range": "bytes=0-9", "If-Range": f'"{film.sha256}"'}
    assert site.http.get(site.watch(film), headers=headers).status_code == 206
    for other in ('"other"', f'W/"{film.sha256}"', "Mon, 01 Mar 2027 12:00:00 GMT", "*"):
        headers["If-Range"] = other
        assert site.http.get(site.watch(film), headers=headers).status_code == 200


def test_a_version_that_the_client_has_is_not_sent_again(site: Site, film: Video) -> None:
    for known in (f'"{film.sha256}"', f'W/"{film.sha256}", "x"', "*"):
        answer = site.http.get(site.watch(film), headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == f'"{film.sha256}"'
    assert site.http.get(site.watch(film), headers={"If-None-Match": '"x"'}).status_code == 200


def test_a_viewer_who_stops_watching_leaves_no_file_open(site: Site) -> None:
    video = site.ready(padded(9_000_000))
    for _ in range(5):
        with site.http.stream("GET", site.watch(video)) as answer:
            next(answer.iter_raw())
    until(lambda: held(video) == [])
    assert held(video) == []


def held(video: Video) -> list[str]:
    """The open files of this process that belong to a video."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(descriptor.readlink()))
    return [name for name in found if video.id in name]
