"""Which room an uploaded file belongs to: videos and attachments have tables of their own and one life."""

from typing import Any, Final

from shoutgraph.domain import ids
from shoutgraph.storage import attachments, media
from shoutgraph.storage.uploads import Uploads

ALL: Final[tuple[Uploads[Any], ...]] = (media.UPLOADS, attachments.UPLOADS)
"""Every room that has files."""


def of(upload_id: str) -> Uploads[Any]:
    """The room of a file, by its id."""
    return attachments.UPLOADS if ids.prefix_of(upload_id) == ids.ATTACHMENT else media.UPLOADS
