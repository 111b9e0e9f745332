"""What decisions about reports do to orders and ratings, in the unit of work that keeps the decision."""

from typing import Final

from shoutgraph.domain import clock
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import NOTE_CHARS_MAX
from shoutgraph.domain.orders.rating import Decision
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.reports import Reasons, Report
from shoutgraph.domain.users import Viewer
from shoutgraph.services.orders import advance, rate
from shoutgraph.storage import orders
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

REASON: Final = "REPORT"


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


def _decide(tools: Tools, tx: Tx, viewer: Viewer, report: Report, reasons: Reasons, *, hidden: bool) -> None:
    note = reasons.facts[:NOTE_CHARS_MAX]
    statement = Decision(hidden=hidden, reason=REASON, note=note, by=viewer.principal, at=clock.EPOCH)
    rate.decide_about(tools, tx, viewer, report.subject_id, statement)
