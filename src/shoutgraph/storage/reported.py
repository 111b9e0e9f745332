"""Whose content is that somebody reports: nobody reports what they do not see."""

from shoutgraph.domain import attachments as attachment_rules, errors, ids, samples as sample_rules
from shoutgraph.domain.reports import SubjectKind
from shoutgraph.domain.users import Viewer
from shoutgraph.storage import attachments, creators, gifts, media, orders, ratings, samples
from shoutgraph.storage.tx import Tx


def owner_of(tx: Tx, viewer: Viewer, kind: SubjectKind, subject_id: str) -> ids.UserId:
    """Whose the content is that this viewer reports.

    Raises:
        NotFoundError: there is none that this viewer may see.
    """
    try:
        found = _owner(tx, viewer, kind, subject_id)
    except errors.NotFoundError:
        found = None
    if found is None:
        raise errors.NotFoundError("There is nothing of this id to report.", path=("input", "subjectId"))
    return found


def _owner(tx: Tx, viewer: Viewer, kind: SubjectKind, subject_id: str) -> ids.UserId | None:
    """Whose the content is, None where the viewer may not see it."""
    match kind:
        case SubjectKind.CREATOR:
            return creators.get(tx, subject_id).user_id
        case SubjectKind.RATING:
            rating = ratings.list_visible(tx, [subject_id], viewer)[0]
            return None if rating is None else rating.fan_id
        case SubjectKind.SAMPLE:
            sample = samples.list_of_ids(tx, [subject_id]).get(subject_id)
            seen = sample is not None and sample_rules.visible(sample, viewer)
            return creators.get(tx, sample.creator_id).user_id if sample is not None and seen else None
        case SubjectKind.GIFT:
            gift = gifts.list_visible(tx, [subject_id], viewer)[0]
            return None if gift is None else gift.user_id
        case _:
            return _owner_of_order(tx, viewer, kind, subject_id)


def _owner_of_order(tx: Tx, viewer: Viewer, kind: SubjectKind, subject_id: str) -> ids.UserId | None:
    """As `_owner`, of what only the sides of an order see. An order is about the other side."""
    if kind is SubjectKind.VIDEO:
        video = media.get(tx, ids.VideoId(subject_id))
        orders.get_visible(tx, video.order_id, viewer)
        return creators.get(tx, video.creator_id).user_id
    if kind is SubjectKind.ATTACHMENT:
        file = attachments.list_of_ids(tx, [subject_id]).get(subject_id)
        of = None if file is None else orders.get_visible(tx, file.order_id, viewer)
        return file.uploader_id if file is not None and attachment_rules.visible(file, of, viewer) else None
    order = orders.get_visible(tx, subject_id, viewer)
    return creators.get(tx, order.creator_id).user_id if order.fan_id == viewer.user_id else order.fan_id
