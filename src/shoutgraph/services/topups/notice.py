"""What a provider tells of a top-up by webhook."""

from typing import Final

from shoutgraph import sdk
from shoutgraph.domain.topups.topup import Source
from shoutgraph.plugins import agreement
from shoutgraph.services.topups import apply, sights
from shoutgraph.services.topups.desk import ReverseOrders
from shoutgraph.storage import topups
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

NO_LOOKS: Final = 0
LISTED: Final = "listed"
"""The name of a notice that we made ourselves of what a provider lists."""


def notified(tools: Tools, tx: Tx, instance: str, notice: sdk.Notice, *, reverse_orders: ReverseOrders) -> bool:
    """Applies a proven notice in the unit of work that claims it; a hint only asks for a look.

    Gives False if no top-up of this instance is meant.
    """
    target = notice.target
    topup = topups.find_by_target(tx, instance=instance, topup_id=target.operation_id, ref=target.ref)
    if topup is None:
        return False
    if notice.observation is None:
        topups.look_soon(tx, topup.id)
        return True
    outcome = notice.observation
    if isinstance(outcome, sdk.Paid | sdk.Returned | sdk.Rejected | sdk.Ready | sdk.Restricted):
        return False
    asked = sdk.Money(topup.terms.price_minor, topup.terms.currency)
    observation = sights.observation_of(agreement.topup(outcome, asked), at=min(notice.occurred_at or tx.now, tx.now))
    desk = apply.open_desk(tools, tx, reverse_orders)
    after = apply.observed(desk, topup, observation, Source.NOTICE)
    if after.status is not topup.status:
        apply.look_again(tx, after, looks=NO_LOOKS)
    return True


def listed(tools: Tools, tx: Tx, instance: str, found: sdk.Listed, *, reverse_orders: ReverseOrders) -> bool:
    """Applies what a provider lists; gives False if it is no top-up of ours."""
    notice = sdk.Notice(LISTED, found.target, sdk.NoticeKind.TOPUP, found.observation)
    return notified(tools, tx, instance, notice, reverse_orders=reverse_orders)
