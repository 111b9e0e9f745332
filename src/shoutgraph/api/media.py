"""The routes of videos: uploads by the tus protocol, and videos and posters behind signed links with ranges.

Every refusal is JSON, `{"errors": [{"message", "extensions": {"code"}}]}`, with a status that says the same.
"""

import errno
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from shoutgraph.api import ranges, tus
from shoutgraph.api.drain import Drain
from shoutgraph.domain import errors, media
from shoutgraph.files.links import MEDIA_PATH, UPLOADS_PATH
from shoutgraph.files.store import FileKind
from shoutgraph.services.media import watch
from shoutgraph.tools import Tools

SAFE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
}
"""A browser plays these files and does nothing else with them; the link stays out of `Referer`."""

STATUS: Final = {
    "METHOD_NOT_ALLOWED": 405,
    "STORAGE_FULL": 507,
    "TUS_VERSION": 412,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "UPLOAD_BUSY": 423,
    "UPLOAD_CHECKSUM": 460,
    "UPLOAD_COMPLETE": 409,
    "UPLOAD_INTERRUPTED": 503,
    "UPLOAD_OFFSET": 409,
    "UPLOAD_TOO_LONG": 413,
}
"""The status of the codes that need one of their own; the rest follows the kind of refusal, else it is 400."""

STATUS_OF_KIND: Final[dict[type[errors.ShoutgraphError], int]] = {
    errors.ForbiddenError: 403,
    errors.MediaRejectedError: 410,
    errors.NotFoundError: 404,
    errors.OverloadedError: 503,
}
ETAGS: Final = {
    FileKind.VIDEO: "",
    FileKind.POSTER: "-poster",
    FileKind.COPY: "-copy",
    FileKind.COPY_POSTER: "-copy-poster",
}
"""What follows the digest of the original in the tag of each file that is made of it."""
RETRIED: Final = frozenset({423, 503, 507})
RETRY_AFTER_S: Final = 2
DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

Handle = Callable[[Request], Awaitable[Response]]


def routes(tools: Tools, drain: Drain) -> list[Route]:
    """The routes of uploads, videos and posters."""
    uploads = Endpoint(partial(tus.answer, tools, drain), allowed=tus.ALLOWED, headers=tus.ALWAYS)
    video = Endpoint(partial(_watch, tools, FileKind.VIDEO))
    poster = Endpoint(partial(_watch, tools, FileKind.POSTER))
    copy = Endpoint(partial(_watch, tools, FileKind.COPY))
    copy_poster = Endpoint(partial(_watch, tools, FileKind.COPY_POSTER))
    return [
        Route(f"{UPLOADS_PATH}/{{video_id}}", uploads, max_body_size=media.SIZE_BYTES_MAX),
        Route(f"{MEDIA_PATH}/{{video_id}}", video),
        Route(f"{MEDIA_PATH}/{{video_id}}/poster", poster),
        Route(f"{MEDIA_PATH}/{{video_id}}/watermarked", copy),
        Route(f"{MEDIA_PATH}/{{video_id}}/watermarked/poster", copy_poster),
    ]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An ASGI app that takes every method and turns refusals into coded answers."""

    handle: Handle
    allowed: str = "GET, HEAD"
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        response = await self._response_to(request)
        for name, value in {**SAFE_HEADERS, **self.headers}.items():
            response.headers[name] = value
        if request.method == "HEAD":
            response.body = b""
        try:
            await response(scope, receive, send)
        except ClientDisconnect:
            return
        finally:
            await _close(response)

    async def _response_to(self, request: Request) -> Response:
        try:
            return await self.handle(request)
        except ranges.RangeNotSatisfiableError as error:
            response = _refused("RANGE_NOT_SATISFIABLE", f"The file has {error.size:,} bytes.", 416)
            response.headers["Content-Range"] = f"bytes */{error.size}"
        except errors.ShoutgraphError as refusal:
            status = STATUS.get(refusal.code) or STATUS_OF_KIND.get(type(refusal), 400)
            response = _refused(refusal.code, refusal.message, status)
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            response = _refused("STORAGE_FULL", "There is no room for more bytes now.", STATUS["STORAGE_FULL"])
        if response.status_code == STATUS["METHOD_NOT_ALLOWED"]:
            response.headers["Allow"] = self.allowed
        if request.method not in {"GET", "HEAD"}:
            response.headers["Connection"] = "close"  # nobody reads the rest of the body
        return response


def _refused(code: str, message: str, status: int) -> Response:
    body = {"errors": [{"message": message, "extensions": {"code": code}}]}
    headers = {"Cache-Control": "no-store"}
    if status in RETRIED:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return JSONResponse(body, status, headers)


async def _watch(tools: Tools, kind: FileKind, request: Request) -> Response:
    if request.method not in {"GET", "HEAD"}:
        raise errors.ValidationError("A video is read by GET or HEAD.", code="METHOD_NOT_ALLOWED")
    video_id, token = request.path_params["video_id"], request.query_params.get("token")
    download = await watch.find_download(tools, kind, video_id, token)
    headers = _headers_of(download, attached="download" in request.query_params)
    if ranges.is_known(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers={name: headers[name] for name in ("ETag", "Cache-Control")})
    header = request.headers.get("range") if ranges.is_same(request.headers.get("if-range"), headers["ETag"]) else None
    span = ranges.span_of(header, size=download.size_bytes)
    if span is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{download.size_bytes}"
    sent = span or ranges.Span(0, download.size_bytes)
    headers["Content-Length"] = str(sent.length)
    status = 200 if span is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(watch.read(tools, download, start=sent.start, end=sent.end), status, headers)


def _headers_of(download: watch.Download, *, attached: bool) -> dict[str, str]:
    video = download.video
    assert video.facts is not None, "a video that is READY has been measured"
    assert video.sha256 is not None, "a video that is READY has a digest"
    kind = download.kind
    shown: Mapping[FileKind, tuple[str, str]] = {
        FileKind.VIDEO: (video.media_type, video.facts.container.value),
        FileKind.COPY: (media.MEDIA_TYPES[media.Container.MP4], media.Container.MP4.value),
    }
    media_type, suffix = shown.get(kind, (media.POSTER_TYPE, "jpg"))
    disposition = "attachment" if attached else "inline"
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": f"private, max-age={download.seconds_left}",
        "Content-Disposition": f'{disposition}; filename="{video.id}.{suffix}"',
        "Content-Type": media_type,
        "ETag": f'"{video.sha256}{ETAGS[kind]}"',
    }


async def _close(response: Response) -> None:
    """Closes the file of a response that ended before its last byte."""
    if isinstance(response, StreamingResponse) and isinstance(response.body_iterator, AsyncGenerator):
        await response.body_iterator.aclose()
