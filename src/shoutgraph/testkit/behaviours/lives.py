"""Pieces of business with everything that happens to them, and the webhooks that tell of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from shoutgraph.sdk import Money, Notice, RawWebhook, TopUpCaps
from shoutgraph.testkit.kinds import PayoutTrial, RedeemTrial
from shoutgraph.testkit.trials import Deal, Trial
from shoutgraph.testkit.upstreams import Act
from shoutgraph.testkit.verdicts import require, where_supported


@dataclass(frozen=True, slots=True)
class Life:
    """A piece of business, the provider's ref of it, and the webhooks."""

    deal: Deal
    ref: str
    raws: Sequence[RawWebhook]

    def is_about(self, notice: Notice) -> bool:
        """Whether a notice is about this piece of business."""
        return notice.target.ref == self.ref or notice.target.operation_id == self.deal.operation_id


async def short(trial: Trial) -> Life:
    """Something was paid, and told."""
    deal, ref = await trial.begun()
    if isinstance(trial, RedeemTrial):
        with where_supported(trial.notes):
            await trial.act(Act.REFUND, ref, await _whole(trial, ref))
    else:
        await trial.act(Act.PAY, ref)
    raws = await trial.deliveries()
    require(raws, "the simulator tells nobody that something was paid")
    return Life(deal, ref, raws)


async def full(trial: Trial) -> Life:
    """Everything happened that the provider knows of, and all of it was told."""
    if isinstance(trial, RedeemTrial):
        return await short(trial)
    deal, ref = await trial.begun()
    await trial.act(Act.PAY, ref)
    if isinstance(trial, PayoutTrial):
        with where_supported(trial.notes):
            await trial.act(Act.RETURN, ref)
    else:
        await _disturbed(trial, deal, ref)
    return Life(deal, ref, await trial.deliveries())


async def _disturbed(trial: Trial, deal: Deal, ref: str) -> None:
    with where_supported(trial.notes):
        await trial.act(Act.REFUND, ref, Money(max(1, deal.amount.minor // 4), deal.amount.currency))
    caps = trial.plugin.caps
    if isinstance(caps, TopUpCaps) and caps.disputes:
        with where_supported(trial.notes):
            await trial.act(Act.DISPUTE, ref)
            await trial.act(Act.WIN, ref)


async def _whole(trial: Trial, ref: str) -> Money | None:
    found = {each.ref: each.amount for each in await trial.objects()}
    return found.get(ref)
