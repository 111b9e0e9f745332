"""Resumable uploads by the tus protocol 1.0.0, with its extensions checksum, expiration and termination.

Uploads are opened by a mutation, not by the protocol's creation extension. Source: https://tus.io/protocols/resumable-upload
"""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from typing import Final

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shoutgraph.api.drain import Drain
from shoutgraph.domain import errors, media
from shoutgraph.files.store import Checksum
from shoutgraph.services.media import check, upload
from shoutgraph.tools import Tools

VERSION: Final = "1.0.0"
PART_TYPE: Final = "application/offset+octet-stream"
DIGEST_BYTES: Final = {"sha1": 20, "sha256": 32}
"""The checksums that a part may carry; the protocol asks for the first."""
IDLE_S: Final = 30
"""A client that sends nothing for so long has gone."""
PART_S_MAX: Final = 3_600
"""A part that takes longer is kept as far as it came; the client resumes."""

METHODS: Final = ("HEAD", "PATCH", "DELETE")
ALLOWED: Final = ", ".join(("OPTIONS", *METHODS))
SENT_HEADERS: Final = ("tus-resumable", "upload-checksum", "upload-offset", "x-http-method-override")
"""What a front end of another origin must be allowed to send (CORS)."""
ALWAYS: Final = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
CAPABILITIES: Final = {
    "Tus-Version": VERSION,
    "Tus-Extension": "checksum,expiration,termination",
    "Tus-Checksum-Algorithm": ",".join(DIGEST_BYTES),
    "Tus-Max-Size": str(media.SIZE_BYTES_MAX),
}
EXPOSED_HEADERS: Final = (
    "Location",
    "Tus-Checksum-Algorithm",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Resumable",
    "Tus-Version",
    "Upload-Expires",
    "Upload-Length",
    "Upload-Offset",
)
"""What a front end of another origin must be allowed to read (CORS)."""

_NUMBER: Final = re.compile(r"[0-9]{1,16}", re.ASCII)


async def answer(tools: Tools, drain: Drain, request: Request) -> Response:
    """Answers one request to an upload target; a part that a drain meets is kept as far as it came.

    Raises:
        ValidationError: the method, a header or the version is not of the protocol.
        ShoutgraphError: what `services.media.upload` refuses.
    """
    method = request.method
    if method == "POST":  # the protocol's way around proxies that know neither PATCH nor DELETE
        method = request.headers.get("x-http-method-override", method).upper()
    if method == "OPTIONS":
        return Response(status_code=204, headers=CAPABILITIES)
    if method not in ALLOWED.split(", "):
        raise errors.ValidationError(f"An upload target knows {ALLOWED}.", code="METHOD_NOT_ALLOWED")
    if request.headers.get("tus-resumable") != VERSION:
        raise errors.ValidationError(f"The header Tus-Resumable must be {VERSION}.", code="TUS_VERSION")
    if method == "HEAD":
        return await _head(tools, request)
    return await (_patch(tools, drain, request) if method == "PATCH" else _delete(tools, request))


async def _head(tools: Tools, request: Request) -> Response:
    progress = await upload.progress(tools, *_target(request))
    return Response(
        headers=_progress_headers(progress) | {"Upload-Length": str(progress.video.size_bytes)},
        background=_check_of(tools, progress),
    )


async def _patch(tools: Tools, drain: Drain, request: Request) -> Response:
    part = _part_of(request)
    progress = await upload.receive(tools, *_target(request), part, _body_of(request, drain))
    if part.length is not None and progress.offset < part.offset + part.length:
        raise errors.ValidationError("The part stopped early; resume at the new offset.", code="UPLOAD_INTERRUPTED")
    return Response(status_code=204, headers=_progress_headers(progress), background=_check_of(tools, progress))


async def _delete(tools: Tools, request: Request) -> Response:
    await upload.cancel(tools, *_target(request))
    return Response(status_code=204)


def _target(request: Request) -> tuple[str, str | None]:
    return request.path_params["video_id"], request.query_params.get("token")


def _part_of(request: Request) -> upload.Part:
    content_type = request.headers.get("content-type", "").strip().lower()
    if content_type != PART_TYPE:
        raise errors.ValidationError(f"A part is sent as {PART_TYPE}.", code="UNSUPPORTED_MEDIA_TYPE")
    offset = _number_of(request, "Upload-Offset")
    if offset is None:
        raise errors.ValidationError("The header Upload-Offset is missing.", code="INVALID_HEADER")
    return upload.Part(offset, _number_of(request, "Content-Length"), _checksum_of(request))


def _number_of(request: Request, name: str) -> int | None:
    values = request.headers.getlist(name)
    if not values:
        return None
    if len(values) > 1 or not _NUMBER.fullmatch(values[0]):
        raise errors.ValidationError(f"The header {name} is one number of bytes.", code="INVALID_HEADER")
    return int(values[0])


def _checksum_of(request: Request) -> Checksum | None:
    header = request.headers.get("upload-checksum")
    if header is None:
        return None
    algorithm, _, text = header.partition(" ")
    if algorithm not in DIGEST_BYTES:
        known = " and ".join(DIGEST_BYTES)
        raise errors.ValidationError(f"Known checksums are {known}.", code="CHECKSUM_ALGORITHM")
    try:
        digest = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        digest = b""
    if len(digest) != DIGEST_BYTES[algorithm]:
        msg = f"The header Upload-Checksum holds no {algorithm} in base64."
        raise errors.ValidationError(msg, code="INVALID_HEADER")
    return Checksum(algorithm, digest)


async def _body_of(request: Request, drain: Drain) -> AsyncGenerator[bytes, None]:
    """The body as far as it comes: a client that goes away or falls silent, or a drain, only ends it."""
    stream = request.stream()
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + PART_S_MAX
    while loop.time() < give_up_at and not drain.started:
        data = await _next_of(stream, drain)
        if data is None:
            return
        yield data


async def _next_of(stream: AsyncIterator[bytes], drain: Drain) -> bytes | None:
    """What comes next, or None where nothing comes any more."""
    try:
        async with asyncio.timeout(IDLE_S) as patience:
            with drain.calling(partial(patience.reschedule, 0)):
                return await anext(stream, None)
    except (ClientDisconnect, TimeoutError):
        return None


def _progress_headers(progress: upload.Progress) -> dict[str, str]:
    return {
        "Upload-Offset": str(progress.offset),
        "Upload-Expires": _http_date(progress.video.expires_at),
    }


def _http_date(at: datetime) -> str:
    return format_datetime(at, usegmt=True)


def _check_of(tools: Tools, progress: upload.Progress) -> BackgroundTask | None:
    """Checks a complete file at once; if this process dies before it is done, the jobs take it up."""
    if progress.video.state is not media.VideoState.CHECKING:
        return None
    return BackgroundTask(check.check, tools, progress.video.id)
