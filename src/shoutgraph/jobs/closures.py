"""Accounts that close are carried to their end, step by step."""

from datetime import datetime
from typing import Final

from shoutgraph.domain.users import Viewer
from shoutgraph.services.campaigns import change as campaigns
from shoutgraph.services.orders import advance, timers, wait
from shoutgraph.services.payouts import request as payouts
from shoutgraph.services.privacy import settle
from shoutgraph.services.topups import withdraw
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Looks at what is due; says how much it was."""
    return await settle.run_due(tools, HANDS)


async def _withdraw(tools: Tools, owner: Viewer, asked_at: datetime) -> frozenset[str]:
    return await withdraw.settle(tools, owner, asked_at=asked_at, reverse_orders=timers.reverse_orders)


HANDS: Final = settle.Hands(
    end=advance.advance,
    leave=wait.leave,
    quit_market=(campaigns.end_all, wait.dismiss),
    withdraw=_withdraw,
    pay_out=payouts.settle,
)
