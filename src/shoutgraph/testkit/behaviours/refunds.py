"""R01, R02: what went back, by our wish or by that of others, adds up."""

from typing import Final

from shoutgraph.sdk import Declined, Money, NotExecuted, Pending, Refunds, Settled, Totals
from shoutgraph.testkit import registry
from shoutgraph.testkit.kinds import RedeemTrial, TopUpTrial
from shoutgraph.testkit.registry import Behaviour
from shoutgraph.testkit.trials import Deal
from shoutgraph.testkit.upstreams import Act
from shoutgraph.testkit.verdicts import Skipped, declared, require, where_supported

PARTS: Final = 4
"""Into how many parts a payment is cut."""


async def totals_of(trial: TopUpTrial, deal: Deal, ref: str) -> Totals:
    """What a look shows of a payment that was made."""
    seen = await trial.look(deal, ref)
    require(isinstance(seen, Settled), f"a payment that was made is shown as {seen}")
    assert isinstance(seen, Settled), "as was just required"
    return seen.totals


async def require_refunded(
    trial: TopUpTrial, deal: Deal, ref: str, minor: int, after: str, *, came_back: int = 0
) -> None:
    """A look shows that so much was refunded, what of it came back, and the settled amount untouched."""
    totals = await totals_of(trial, deal, ref)
    told = f"after {after} a look shows {totals.refunded.minor} refunded of {totals.settled.minor}"
    require(totals.refunded.minor == minor, f"{told}, and not {minor}")
    failed = _failed(totals)
    require(failed == came_back, f"{told}, of which refunds_failed is {failed}, and not {came_back}")
    require(totals.settled.minor == deal.amount.minor, f"{told}, and {deal.amount.minor} were settled")


async def our_refunds(trial: TopUpTrial) -> None:
    """R01."""
    caps = trial.guarded(trial.providers).caps
    declared(caps.refunds in {Refunds.FULL, Refunds.PARTIAL}, f"caps.refunds is {caps.refunds}")
    deal, ref = await trial.paid()
    if caps.refunds is Refunds.FULL:
        await _refund(trial, deal, ref, deal.amount, "one")
        await require_refunded(trial, deal, ref, deal.amount.minor, "a refund of all of it")
        await _refund(trial, deal, ref, deal.amount, "one")
        await require_refunded(trial, deal, ref, deal.amount.minor, "the same refund twice")
        with where_supported(trial.notes):
            await trial.act(Act.FAIL_REFUND, ref)
            whole = deal.amount.minor
            await require_refunded(trial, deal, ref, whole, "a refund that failed after it was done", came_back=whole)
        return
    part = _part(deal.amount)
    await _refund(trial, deal, ref, part, "one")
    await require_refunded(trial, deal, ref, part.minor, "a refund of a part")
    await _refund(trial, deal, ref, part, "one")
    await require_refunded(trial, deal, ref, part.minor, "the same refund twice")
    await _refund(trial, deal, ref, part, "two")
    await require_refunded(trial, deal, ref, 2 * part.minor, "a second refund")
    outcome = await trial.refund(deal, ref, deal.amount, key=f"refund_over_{deal.key}")
    told = f"a refund of more than is left gave {outcome}, and is refused: NotExecuted or Declined"
    require(isinstance(outcome, NotExecuted | Declined), told)
    await require_refunded(trial, deal, ref, 2 * part.minor, "a refund that was refused")
    with where_supported(trial.notes):
        await _failed_later(trial, deal, ref, part)
    with where_supported(trial.notes):
        await _failed_refund(trial, deal, ref, part)


async def _failed_later(trial: TopUpTrial, deal: Deal, ref: str, part: Money) -> None:
    """What was refunded stays refunded, what came back is told beside it, and can be refunded again."""
    await trial.act(Act.FAIL_REFUND, ref)
    what = "a refund that failed after it was done"
    await require_refunded(trial, deal, ref, 2 * part.minor, what, came_back=part.minor)
    await _refund(trial, deal, ref, part, "three")
    what = "another refund of what came back"
    await require_refunded(trial, deal, ref, 3 * part.minor, what, came_back=part.minor)


async def _failed_refund(trial: TopUpTrial, deal: Deal, ref: str, part: Money) -> None:
    """A refund that was never done is in no total; or it is in both: refunded, and come back."""
    before = await totals_of(trial, deal, ref)
    await trial.act(Act.HOLD_REFUND, ref)
    outcome = await trial.refund(deal, ref, part, key=f"refund_held_{deal.key}")
    told = f"a refund that is not decided gave {outcome}"
    require(isinstance(outcome, Pending), f"{told}, and is Pending")
    what = "a refund that is not decided"
    await require_refunded(trial, deal, ref, before.refunded.minor, what, came_back=_failed(before))
    await trial.act(Act.FAIL_REFUND, ref)
    totals = await totals_of(trial, deal, ref)
    counted = totals.refunded.minor - before.refunded.minor
    told = f"after a refund that failed in the end a look shows {counted} more refunded"
    require(counted in {0, part.minor}, f"{told}, and not 0")
    came_back = _failed(totals) - _failed(before)
    require(came_back == counted, f"{told}, of which {came_back} came back")


def _failed(totals: Totals) -> int:
    return 0 if totals.refunds_failed is None else totals.refunds_failed.minor


async def _refund(trial: TopUpTrial, deal: Deal, ref: str, amount: Money, name: str) -> None:
    outcome = await trial.refund(deal, ref, amount, key=f"refund_{name}_{deal.key}")
    require(isinstance(outcome, Settled | Pending), f"a refund of {amount} of {deal.amount} gave {outcome}")


def _part(amount: Money) -> Money:
    return Money(max(1, amount.minor // PARTS), amount.currency)


async def refunds_of_others(trial: TopUpTrial) -> None:
    """R02."""
    caps = trial.guarded(trial.providers).caps
    tried_count = 0
    with where_supported(trial.notes):
        await _refunded_there(trial)
        tried_count += 1
    with where_supported(trial.notes):
        await _came_back(trial)
    if not caps.disputes:
        trial.notes.append("caps.disputes is not declared")
    for end in (Act.WIN, Act.LOSE) if caps.disputes else ():
        with where_supported(trial.notes):  # not every provider says how a dispute ended
            await _disputed(trial, end)
            tried_count += 1
    if not tried_count:
        raise Skipped("; ".join(trial.notes))


async def _refunded_there(trial: TopUpTrial) -> None:
    deal, ref = await trial.paid()
    whole = (await totals_of(trial, deal, ref)).settled
    part = whole if isinstance(trial, RedeemTrial) else _part(whole)
    await trial.act(Act.REFUND, ref, part)
    refunded = (await totals_of(trial, deal, ref)).refunded
    require(refunded == part, f"{part} was refunded at the provider, and a look shows {refunded}")


async def _came_back(trial: TopUpTrial) -> None:
    deal, ref = await trial.paid()
    whole = (await totals_of(trial, deal, ref)).settled
    part = whole if isinstance(trial, RedeemTrial) else _part(whole)
    await trial.act(Act.REFUND, ref, part)
    await trial.act(Act.FAIL_REFUND, ref)
    totals = await totals_of(trial, deal, ref)
    shown = (totals.refunded, totals.refunds_failed)
    told = f"{part} was refunded at the provider and came back, and a look shows refunded and refunds_failed {shown}"
    require(shown == (part, part), told)


async def _disputed(trial: TopUpTrial, end: Act) -> None:
    deal, ref = await trial.paid()
    before = await totals_of(trial, deal, ref)
    await trial.act(Act.DISPUTE, ref)
    open_ = await totals_of(trial, deal, ref)
    require(before.disputed.minor == 0 and open_.disputed.minor > 0, f"an open dispute is shown as {open_}")
    decided = [each.minor for each in (open_.disputes_won, open_.disputes_lost) if each is not None]
    require(not any(decided), f"an open dispute is shown as decided: {open_}")
    await trial.act(end, ref)
    totals = await totals_of(trial, deal, ref)
    won, lost = (0 if each is None else each.minor for each in (totals.disputes_won, totals.disputes_lost))
    wanted = (open_.disputed.minor, 0) if end is Act.WIN else (0, open_.disputed.minor)
    require(totals.disputed == open_.disputed, f"a decided dispute changed what was ever disputed: {totals}")
    require((won, lost) == wanted, f"{end}: won {won} and lost {lost}, and not {wanted}")


BEHAVIOURS: Final = (
    Behaviour("R01", "Refunds add up, and never to more than was paid", registry.TOPUP, our_refunds),
    Behaviour("R02", "Refunds and disputes of others are in the totals", registry.IN, refunds_of_others),
)
