"""What decisions about reports do to orders and what belongs to them, in the unit of work that keeps the decision.

What is removed can be put back as long as an appeal may succeed; the bytes of files stay until then.
"""

from dataclasses import replace
from typing import Final

from shoutgraph.domain import clock, errors, media, samples as sample_rules
from shoutgraph.domain.media import VideoState
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import NOTE_CHARS_MAX, Order, Visibility
from shoutgraph.domain.orders.rating import Decision
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.reports import Action, Reasons, Report
from shoutgraph.domain.samples import Sample, SampleState
from shoutgraph.domain.users import Viewer
from shoutgraph.services.orders import advance, rate
from shoutgraph.storage import attachments, creators, media as videos, orders, policies, reports, samples
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

REASON: Final = "REPORT"
ASKED: Final = ("input", "reportId")
REMOVED: Final = "remove_{}"
RESTORED: Final = "restore_{}"
"""What the journal calls it, with what it was done to."""


def cancel(tools: Tools, tx: Tx, _viewer: Viewer, report: Report, reasons: Reasons) -> None:
    """Ends an order; its coins go back where they came from.

    Raises:
        OrderStateError: it has ended.
    """
    order = orders.get(tx, report.subject_id)
    note = reasons.facts[:NOTE_CHARS_MAX]
    advance.advance(tools, tx, order, Command("platform_cancel", Actor.STAFF, reason=REASON, note=note))


def hide(tools: Tools, tx: Tx, viewer: Viewer, report: Report, reasons: Reasons) -> None:
    """Hides a rating, which then does not count."""
    _decide(tools, tx, viewer, report, reasons, hidden=True)


def restore(tools: Tools, tx: Tx, viewer: Viewer, report: Report, reasons: Reasons) -> None:
    """Shows a rating again."""
    _decide(tools, tx, viewer, report, reasons, hidden=False)


def hide_brief(tools: Tools, tx: Tx, _viewer: Viewer, report: Report, _reasons: Reasons) -> None:
    """Hides the brief of an order from all but its fan.

    Raises:
        ValidationError: it was erased, or the report is about the creator, who wrote none.
    """
    _hide_brief(tools, tx, report, hidden=True)


def show_brief(tools: Tools, tx: Tx, _viewer: Viewer, report: Report, _reasons: Reasons) -> None:
    """Shows the brief of an order again, if it is there still."""
    _hide_brief(tools, tx, report, hidden=False)


def remove_video(tools: Tools, tx: Tx, _viewer: Viewer, report: Report, reasons: Reasons) -> None:
    """Takes a video down; what another report removed already stays as it is, and the decision stands for it too.

    Raises:
        MediaRejectedError: it is not ready, or was taken down otherwise.
    """
    order = orders.get(tx, videos.list_of_ids(tx, [report.subject_id])[report.subject_id].order_id)
    before = videos.get(tx, report.subject_id)
    if media.is_down(before) and reports.stands(tx, report, Action.CONTENT_REMOVED):
        return
    video = media.take_down(before, note=_note(reasons), now=tx.now, path=ASKED)
    videos.save(tx, video, was=VideoState.READY)
    _tell(tools, tx, order, REMOVED, report)


def restore_video(tools: Tools, tx: Tx, _viewer: Viewer, report: Report, _reasons: Reasons) -> None:
    """Makes a video watchable again."""
    order = orders.get(tx, videos.list_of_ids(tx, [report.subject_id])[report.subject_id].order_id)
    before = videos.get(tx, report.subject_id)
    after = media.put_back(before, now=tx.now)
    if after is not before:
        videos.save(tx, after, was=VideoState.REJECTED)
        _tell(tools, tx, order, RESTORED, report)


def remove_attachment(tools: Tools, tx: Tx, _viewer: Viewer, report: Report, reasons: Reasons) -> None:
    """Takes a file of a side down, as `remove_video` does.

    Raises:
        MediaRejectedError: it is not ready, or was taken down otherwise.
    """
    order = orders.get(tx, attachments.list_of_ids(tx, [report.subject_id])[report.subject_id].order_id)
    before = attachments.get(tx, report.subject_id)
    if media.is_down(before) and reports.stands(tx, report, Action.CONTENT_REMOVED):
        return
    attachment = media.take_down(before, note=_note(reasons), now=tx.now, path=ASKED)
    attachments.save(tx, attachment, was=VideoState.READY)
    _tell(tools, tx, order, REMOVED, report)


def restore_attachment(tools: Tools, tx: Tx, _viewer: Viewer, report: Report, _reasons: Reasons) -> None:
    """Puts a file of a side back."""
    order = orders.get(tx, attachments.list_of_ids(tx, [report.subject_id])[report.subject_id].order_id)
    before = attachments.get(tx, report.subject_id)
    after = media.put_back(before, now=tx.now)
    if after is not before:
        attachments.save(tx, after, was=VideoState.REJECTED)
        _tell(tools, tx, order, RESTORED, report)


def remove_sample(tools: Tools, tx: Tx, viewer: Viewer, report: Report, reasons: Reasons) -> None:
    """Takes a sample off its profile; the video itself stays its order's."""
    order, sample = _sample(tx, report)
    by = viewer.principal
    after = sample_rules.take_down(sample, reason=REASON, note=_note(reasons), by=by, now=tx.now)
    if after is not sample:
        samples.save(tx, after)
        _tell(tools, tx, order, REMOVED, report)


def restore_sample(tools: Tools, tx: Tx, _viewer: Viewer, report: Report, _reasons: Reasons) -> None:
    """Shows a sample again where its fan still agrees and the profile has room; else its creator may publish it."""
    order, sample = _sample(tx, report)
    creators.hold(tx, sample.creator_id)
    brief = orders.find_brief(tx, order.id)
    agreed = brief is not None and brief.visibility is Visibility.PUBLIC
    room = samples.count_shown(tx, sample.creator_id) < policies.current(tx).samples_max
    after = sample_rules.put_back(sample, shows=agreed and room, now=tx.now)
    if after.state is not SampleState.TAKEN_DOWN and after is not sample:
        samples.save(tx, after)
        _tell(tools, tx, order, RESTORED, report)


def _sample(tx: Tx, report: Report) -> tuple[Order, Sample]:
    order = orders.get(tx, samples.order_of(tx, report.subject_id))
    sample = samples.find_by_order(tx, order.id)
    assert sample is not None, "a sample that has an order is there"
    return order, sample


def _hide_brief(tools: Tools, tx: Tx, report: Report, *, hidden: bool) -> None:
    order = orders.get(tx, report.subject_id)
    brief = orders.find_brief(tx, order.id)
    if hidden and (brief is None or order.fan_id != report.affected_id):
        msg = "There is no brief of theirs to remove."
        raise errors.ValidationError(msg, code="ACTION_UNFIT", path=("input", "action"))
    if brief is not None and brief.hidden is not hidden:
        orders.save_brief(tx, order.id, replace(brief, hidden=hidden))
        _tell(tools, tx, order, REMOVED if hidden else RESTORED, report)


def _decide(tools: Tools, tx: Tx, viewer: Viewer, report: Report, reasons: Reasons, *, hidden: bool) -> None:
    statement = Decision(hidden=hidden, reason=REASON, note=_note(reasons), by=viewer.principal, at=clock.EPOCH)
    rate.decide_about(tools, tx, viewer, report.subject_id, statement)


def _tell(tools: Tools, tx: Tx, order: Order, did: str, report: Report) -> None:
    advance.note(tools, tx, order, did.format(report.kind.value.lower()), Actor.MODERATOR)


def _note(reasons: Reasons) -> str:
    return reasons.facts[:NOTE_CHARS_MAX]
