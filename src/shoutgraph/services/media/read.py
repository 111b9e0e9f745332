"""Reading videos: what became of an upload, for its creator and for moderators."""

from collections.abc import Sequence

from shoutgraph.domain.media import Video
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import media as storage
from shoutgraph.tools import Tools


async def list_visible(tools: Tools, viewer: Viewer, video_ids: Sequence[str]) -> list[Video | None]:
    """Videos by id in the order asked, None where there is none that this viewer uploaded or moderates."""
    found = await tools.store.read(lambda tx: storage.list_of_ids(tx, video_ids))
    return [video if (video := found.get(each)) and _mine(video, viewer) else None for each in video_ids]


def _mine(video: Video, viewer: Viewer) -> bool:
    return viewer.has(Scope.MODERATION) or (viewer.creator_id is not None and video.creator_id == viewer.creator_id)
