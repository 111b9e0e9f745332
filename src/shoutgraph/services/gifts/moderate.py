"""What decisions about reports do to gifts, in the unit of work that keeps the decision: the gift itself stays."""

from shoutgraph.domain.reports import Reasons, Report
from shoutgraph.domain.users import Viewer
from shoutgraph.services.gifts import telling
from shoutgraph.storage import creators, gifts as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


def hide(tools: Tools, tx: Tx, _viewer: Viewer, report: Report, _reasons: Reasons) -> None:
    """Hides the message of a gift; its coins stay where they are."""
    _decide(tools, tx, report, hidden=True)


def restore(tools: Tools, tx: Tx, _viewer: Viewer, report: Report, _reasons: Reasons) -> None:
    """Shows the message of a gift again."""
    _decide(tools, tx, report, hidden=False)


def _decide(tools: Tools, tx: Tx, report: Report, *, hidden: bool) -> None:
    gift = rows.get(tx, report.subject_id)
    creators.hold(tx, gift.creator_id)
    rows.hide(tx, gift.id, hidden=hidden)
    telling.tell(tools, tx, gift, telling.HIDDEN if hidden else telling.RESTORED)
