"""Looks at money that nobody has spoken about, and at webhooks that a crash left behind."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain.topups.polling import Due
from shoutgraph.services import notices
from shoutgraph.services.notices import Handlers
from shoutgraph.services.orders import timers
from shoutgraph.services.payouts import look as payout_looks, notice as payout_notices, onboard
from shoutgraph.services.topups import look as topup_looks, notice as topup_notices, refund_looks
from shoutgraph.tools import Tools, side_by_side

ROUND_MAX: Final = 50
"""The most top-ups, and the most payouts, of one round."""

LOOKS_AT_ONCE: Final = 8
"""The most top-ups that are looked at together."""

HANDLERS: Final[Handlers] = {
    sdk.NoticeKind.TOPUP: partial(topup_notices.notified, reverse_orders=timers.reverse_orders),
    sdk.NoticeKind.PAYOUT: payout_notices.notified,
    sdk.NoticeKind.RECIPIENT: onboard.notified,
}


async def tick(tools: Tools) -> int:
    """Takes up what is due; says how much it was."""
    done = await look_at_topups(tools)
    done += await refund_looks.look_due(tools, reverse_orders=timers.reverse_orders)
    done += await payout_looks.look_due(tools, limit=ROUND_MAX)
    done += await onboard.look_due(tools, limit=LOOKS_AT_ONCE)
    return done + await notices.replay(tools, HANDLERS)


async def look_at_topups(tools: Tools) -> int:
    """Looks at some of the top-ups that are due; says how many it could.

    So many are leased at a time as are looked at together: none waits for its look while its lease runs out.
    """
    done = 0
    for _ in range(0, ROUND_MAX, LOOKS_AT_ONCE):
        claimed = await topup_looks.claim(tools, limit=LOOKS_AT_ONCE, reverse_orders=timers.reverse_orders)
        done += await _look_at_each(claimed, tools)
        if len(claimed) < LOOKS_AT_ONCE:
            break
    return done


async def _look_at_each(claimed: Sequence[Due], tools: Tools) -> int:
    look = partial(topup_looks.look, tools, reverse_orders=timers.reverse_orders)
    return len(await side_by_side("look at", claimed, look, name=lambda each: each.topup.id))
