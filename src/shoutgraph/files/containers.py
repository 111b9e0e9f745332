"""Tells what a file claims to be by its first bytes, and whether its outermost boxes are whole.

No library guesses: only a file that says what it is, by one of a few names, is handed to the demuxer of that name, so
that playlists and other formats which name further files are never opened.
"""

import io
import re
from typing import Final

from shoutgraph.domain import errors, media

HEAD_BYTES: Final = 4_096
BOXES_MAX: Final = 200_000
"""Fragmented files have two boxes for each fragment."""

DEMUXERS: Final = {
    media.Container.MP4: "mov",
    media.Container.MOV: "mov",
    media.Container.WEBM: "matroska",
    media.Container.OGG: "ogg",
    media.Container.MP3: "mp3",
    media.Container.JPEG: "jpeg_pipe",
    media.Container.PNG: "png_pipe",
    media.Container.WEBP: "webp_pipe",
}

_BOX_HEAD_BYTES: Final = 8
_LARGE_BOX: Final = 1
_LAST_BOX: Final = 0
_QUICKTIME_FIRST: Final = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""QuickTime files from before `ftyp` begin with one of these."""
_EBML: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT: Final = b"\x18\x53\x80\x67"
_WEBM_DOC_TYPE: Final = re.compile(rb"\x42\x82[\x00-\xff]{1,8}?webm")
_OTHER_VIDEO: Final = re.compile(
    rb"(?s)RIFF.{4}AVI |FLV\x01|OggS|\x30\x26\xb2\x75|\x00\x00\x01[\xb3\xba]|\x47.{187}\x47|\x1a\x45\xdf\xa3"
)


_ATTACHED: Final = {
    rb"\xff\xd8\xff": media.Container.JPEG,
    rb"\x89PNG\r\n\x1a\n": media.Container.PNG,
    rb"RIFF.{4}WEBP": media.Container.WEBP,
    rb"OggS": media.Container.OGG,
    rb"ID3|\xff[\xf2\xf3\xfa\xfb]": media.Container.MP3,
}


def sniff(file: io.RawIOBase) -> media.Container:
    """The container that the file's first bytes name, if it is accepted and whole.

    Raises:
        MediaRejectedError: it is no video, a container that is not accepted, or it ends too early.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES) or b""
    kind = head[4:8]
    if kind == b"ftyp" or kind in _QUICKTIME_FIRST:
        _require_whole(file)
        return media.Container.MP4 if kind == b"ftyp" and head[8:12] != b"qt  " else media.Container.MOV
    if head.startswith(_EBML) and _WEBM_DOC_TYPE.search(head[:64]):
        _require_whole_segment(file, head)
        return media.Container.WEBM
    if _OTHER_VIDEO.match(head):
        names = ", ".join(media.MEDIA_TYPES)
        msg = f"This file format is not accepted; accepted are {names}."
        raise errors.MediaRejectedError(msg, code=media.RejectionCode.CONTAINER_NOT_ACCEPTED)
    raise errors.MediaRejectedError("This file is not a video.", code=media.RejectionCode.NOT_A_VIDEO)


def sniff_any(file: io.RawIOBase) -> media.Container:
    """The format that the first bytes of a picture, a sound or a video name, if it is accepted and whole.

    Raises:
        MediaRejectedError: it is none of them, is not accepted, or ends too early.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES) or b""
    for first, kind in _ATTACHED.items():
        if re.match(first, head, re.DOTALL):
            return kind
    return sniff(file)


def _require_whole(file: io.RawIOBase) -> None:
    """Walks the outermost boxes: each ends inside the file, and one of them is the index."""
    size_bytes = file.seek(0, io.SEEK_END)
    at = 0
    has_index = False
    for _ in range(BOXES_MAX):
        file.seek(at)
        head = file.read(_BOX_HEAD_BYTES * 2) or b""
        length, kind = int.from_bytes(head[:4]), head[4:8]
        if length == _LARGE_BOX:
            length = int.from_bytes(head[8:16])
        if length == _LAST_BOX:
            length = size_bytes - at
        if len(kind) < len(b"moov") or length < _BOX_HEAD_BYTES:
            break
        at += length
        has_index = has_index or kind == b"moov"
        if at > size_bytes:
            missing = at - size_bytes
            raise _truncated(f"The file ends {missing:,} bytes too early.")
    if not has_index:
        raise _truncated("The file has no index, so it was not written to its end.")


def _require_whole_segment(file: io.RawIOBase, head: bytes) -> None:
    """WebM is one header and one segment; a recorder that streams leaves the segment's size unknown."""
    header_bytes, at = _vint(head, len(_EBML))
    at += header_bytes or 0
    if head[at : at + len(_SEGMENT)] != _SEGMENT:
        return
    segment_bytes, at = _vint(head, at + len(_SEGMENT))
    missing = 0 if segment_bytes is None else at + segment_bytes - file.seek(0, io.SEEK_END)
    if missing > 0:
        raise _truncated(f"The file ends {missing:,} bytes too early.")


def _vint(data: bytes, at: int) -> tuple[int | None, int]:
    """A number of EBML's variable width (None where it says unknown), and where it ends. Source: RFC 8794 section 4."""
    first = data[at] if at < len(data) else 0
    width = 9 - first.bit_length()
    number = int.from_bytes(data[at : at + width]) & ((1 << 7 * width) - 1)
    unknown = number == (1 << 7 * width) - 1
    return (None if unknown else number), at + width


def _truncated(msg: str) -> errors.MediaRejectedError:
    return errors.MediaRejectedError(msg, code=media.RejectionCode.TRUNCATED)
