"""Looking at refunds again: what a crash left unsent or unanswered, and what nobody knows the end of.

A look is leased. It looks at the payment, whose totals say whether money went back, and sends the same request with the
same key once more where the provider's window still lets us.
"""

from datetime import timedelta
from functools import partial
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain.topups import refund as rules
from shoutgraph.domain.topups.refund import DueRefund, Refund, RefundState
from shoutgraph.domain.topups.topup import Source
from shoutgraph.plugins.topups import TopUps
from shoutgraph.services.topups import apply, refund as asking, set_aside, sights
from shoutgraph.services.topups.desk import ReverseOrders
from shoutgraph.services.topups.refund import ANSWER_DUE, TIMEOUT
from shoutgraph.services.topups.submit import call_of, target_of
from shoutgraph.storage import refunds, topups
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools, side_by_side

LOOK: Final = timedelta(seconds=60)
"""What a look takes at the very most: a review or a look, and to send the same request again."""

LEASE: Final = 2 * LOOK
AT_ONCE: Final = 8
"""The most refunds that are looked at together."""
MISSING_PAUSE: Final = timedelta(hours=1)
"""The pause before the next look where the provider's plugin is not there."""


async def look_due(tools: Tools, *, reverse_orders: ReverseOrders) -> int:
    """Looks at some of the refunds that are due; gives how many it could."""
    claimed = await tools.store.write(lambda tx: refunds.claim_due(tx, lease=LEASE, limit=AT_ONCE))
    take = partial(look, tools, reverse_orders=reverse_orders)
    return len(await side_by_side("look at", claimed, take, name=lambda each: each.refund.id))


async def look(tools: Tools, claimed: DueRefund, *, reverse_orders: ReverseOrders) -> Refund:
    """Looks at one leased refund, and says when to look next; leaves it alone if the lease is nearly over."""
    refund, way = claimed.refund, tools.providers.topups.get(claimed.refund.instance)
    if not claimed.lease.leaves(LOOK, now=tools.clock()):
        return refund
    if way is None:
        await tools.store.write(
            lambda tx: refunds.schedule(
                tx, refund.id, look_at=tx.now + MISSING_PAUSE, looks=claimed.looks, lease=claimed.lease
            )
        )
        return refund
    if refund.state is RefundState.REQUESTED:
        refund = await asking.go_on(tools, refund, reverse_orders=reverse_orders)
    elif refund.sent:
        refund = await _look(tools, way, refund, reverse_orders)
    looks = 0 if refund.state is not claimed.refund.state else claimed.looks + 1

    def work(tx: Tx) -> Refund:
        now_is = refunds.get(tx, refund.id)
        look_at = rules.next_look(now_is, looks=looks, now=tx.now)
        refunds.schedule(tx, refund.id, look_at=look_at, looks=looks, lease=claimed.lease)
        return now_is

    return await tools.store.write(work)


async def _look(tools: Tools, way: TopUps, refund: Refund, reverse_orders: ReverseOrders) -> Refund:
    topup = await tools.store.read(lambda tx: topups.get(tx, refund.topup_id))
    asked_at = tools.clock()
    seen: sdk.Observation = await way.fetch(target_of(topup), call_of(topup))
    promise = way.caps.idempotency

    def work(tx: Tx) -> tuple[Refund, bool]:
        desk = apply.open_desk(tools, tx, reverse_orders)
        observation = sights.observation_of(seen, at=asked_at)
        apply.observed(desk, topups.get(tx, topup.id), observation, Source.LOOK)
        before = refunds.get(tx, refund.id)
        after = rules.overdue(rules.lost_answer(before, now=tx.now), now=tx.now)
        window = None if promise is None else promise.window
        again = rules.may_resend(after, window=window, timeout=TIMEOUT, now=tx.now)
        if again:
            after = rules.sending(after, now=tx.now, answer_due_at=tx.now + ANSWER_DUE)
        return set_aside.keep(desk, before, after), again

    after, again = await tools.store.write(work)
    return await asking.send(tools, after, reverse_orders=reverse_orders) if again else after
