"""Signed links: who holds one may do one thing with one path until a time, without a cookie or a header.

The token is `expiry.viewer.mac`; the mac is HMAC-SHA-256 over what the link allows, its path, its expiry and the
viewer, each with its length, so that no two links share the signed bytes. Source: docs/adr/0010-media.md.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import clock, errors, ids, users

KEY_BYTES_MIN: Final = 32
TOKEN_CHARS_MAX: Final = 512
VIEWER_CHARS_MAX: Final = 256
SECOND: Final = timedelta(seconds=1)

UPLOADS_PATH: Final = "/uploads"
MEDIA_PATH: Final = "/media"
BANK_FILES_PATH: Final = "/bank-files"
EXPORTS_PATH: Final = "/exports"


class Access(StrEnum):
    """What a link allows: the class of HTTP methods that it is good for."""

    READ = "READ"
    UPLOAD = "UPLOAD"


@dataclass(frozen=True, slots=True)
class Link:
    """An address that works until it expires."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Links:
    """Signs links and checks them.

    Args:
        key: at least 32 secret bytes, the same in every process of a deployment.
        old_keys: keys that still check but no longer sign, while a key is being replaced.
        public_url: what comes before the path, without a slash at its end.
        read_s: how long a link to a video or poster works. Units: seconds.
    """

    key: bytes = field(repr=False)
    public_url: str = ""
    read_s: int = 600
    old_keys: tuple[bytes, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if any(len(key) < KEY_BYTES_MIN for key in (self.key, *self.old_keys)):
            raise ValueError(f"a key for links has at least {KEY_BYTES_MIN} bytes")

    def upload(self, video_id: ids.VideoId, viewer: users.Viewer, *, expires_at: datetime) -> Link:
        """The address that takes the bytes of a video."""
        return self._sign(Access.UPLOAD, upload_path(video_id), viewer, expires_at)

    def video(self, video_id: ids.VideoId, viewer: users.Viewer, *, now: datetime) -> Link:
        """The address from which this viewer may watch a video."""
        return self._sign(Access.READ, video_path(video_id), viewer, now + self.read_s * SECOND)

    def poster(self, video_id: ids.VideoId, viewer: users.Viewer, *, now: datetime) -> Link:
        """The address of a video's poster for this viewer."""
        return self._sign(Access.READ, poster_path(video_id), viewer, now + self.read_s * SECOND)

    def copy(self, video_id: ids.VideoId, viewer: users.Viewer, *, now: datetime) -> Link:
        """The address of a video's copy with a watermark for this viewer."""
        return self._sign(Access.READ, copy_path(video_id), viewer, now + self.read_s * SECOND)

    def copy_poster(self, video_id: ids.VideoId, viewer: users.Viewer, *, now: datetime) -> Link:
        """The address of that copy's poster for this viewer."""
        return self._sign(Access.READ, copy_poster_path(video_id), viewer, now + self.read_s * SECOND)

    def bank_file(self, file_id: str, viewer: users.Viewer, *, expires_at: datetime) -> Link:
        """The address from which this viewer may fetch a file of a bank."""
        return self._sign(Access.READ, bank_file_path(file_id), viewer, expires_at)

    def export(self, export_id: str, viewer: users.Viewer, *, expires_at: datetime) -> Link:
        """The address from which this viewer may fetch what is kept about them."""
        return self._sign(Access.READ, export_path(export_id), viewer, expires_at)

    def require_bank_file(self, file_id: str, token: str | None, *, now: datetime) -> str:
        """Whom the link to a file of a bank was signed for, if it is good now.

        Raises:
            ForbiddenError: there is no token, it was not signed by us for this, or it has expired.
        """
        self.require(Access.READ, bank_file_path(file_id), token, now=now)
        return _unbase64((token or "").split(".")[1]).decode(errors="replace")

    def statement(self, path: str, viewer: users.Viewer, *, expires_at: datetime) -> Link:
        """The address from which this viewer may fetch a statement as a file."""
        return self._sign(Access.READ, f"{EXPORTS_PATH}/{path}", viewer, expires_at)

    def require_statement(self, path: str, token: str | None, *, now: datetime) -> str:
        """Whom the link to a statement was signed for, if it is good now.

        Raises:
            ForbiddenError: there is no token, it was not signed by us for this, or it has expired.
        """
        self.require(Access.READ, f"{EXPORTS_PATH}/{path}", token, now=now)
        return _unbase64((token or "").split(".")[1]).decode(errors="replace")

    def require(self, access: Access, path: str, token: str | None, *, now: datetime) -> datetime:
        """When the link expires, if it allows this access to this path now.

        Raises:
            ForbiddenError: there is no token, it was not signed by us for this, or it has expired.
        """
        refusal = errors.ForbiddenError("This link is not valid. Ask for a new one.", code="LINK_INVALID")
        if token is None or len(token) > TOKEN_CHARS_MAX or not token.isascii():
            raise refusal
        expires_text, _, rest = token.partition(".")
        viewer_text, _, mac_text = rest.partition(".")
        try:
            mac = _unbase64(mac_text)
            viewer = _unbase64(viewer_text)
        except (ValueError, binascii.Error):
            raise refusal from None
        signed = _signed(access, path, expires_text, viewer)
        known = [hmac.compare_digest(_mac(key, signed), mac) for key in (self.key, *self.old_keys)]
        if not any(known):
            raise refusal
        expires_at = clock.EPOCH + int(expires_text) * SECOND
        if now >= expires_at:
            msg = "This link has expired. Ask for a new one."
            raise errors.ForbiddenError(msg, code="LINK_EXPIRED")
        return expires_at

    def _sign(self, access: Access, path: str, viewer: users.Viewer, expires_at: datetime) -> Link:
        expires_text = str((expires_at - clock.EPOCH) // SECOND)
        who = (viewer.user_id or viewer.principal)[:VIEWER_CHARS_MAX].encode()
        mac = _mac(self.key, _signed(access, path, expires_text, who))
        token = f"{expires_text}.{_base64(who)}.{_base64(mac)}"
        return Link(f"{self.public_url}{path}?token={token}", clock.EPOCH + int(expires_text) * SECOND)


def upload_path(video_id: str) -> str:
    """Where the bytes of a video go."""
    return f"{UPLOADS_PATH}/{video_id}"


def video_path(video_id: str) -> str:
    """Where a video is watched."""
    return f"{MEDIA_PATH}/{video_id}"


def poster_path(video_id: str) -> str:
    """Where the poster of a video is."""
    return f"{MEDIA_PATH}/{video_id}/poster"


def copy_path(video_id: str) -> str:
    """Where the copy of a video with a watermark is watched."""
    return f"{MEDIA_PATH}/{video_id}/watermarked"


def copy_poster_path(video_id: str) -> str:
    """Where the poster of that copy is."""
    return f"{MEDIA_PATH}/{video_id}/watermarked/poster"


def bank_file_path(file_id: str) -> str:
    """Where a file of a bank is fetched."""
    return f"{BANK_FILES_PATH}/{file_id}"


def export_path(export_id: str) -> str:
    """Where a person fetches what is kept about them."""
    return f"{EXPORTS_PATH}/{export_id}"


def _signed(access: Access, path: str, expires_text: str, viewer: bytes) -> bytes:
    parts = (b"shoutgraph link 1", access.encode(), path.encode(), expires_text.encode(), viewer)
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def _mac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, hashlib.sha256)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
