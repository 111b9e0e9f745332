"""I01: receipts of a store."""

from typing import Final

from shoutgraph.sdk import OTHER_PRODUCT, Declined, NotExecuted, Settled, Unknown
from shoutgraph.testkit import registry
from shoutgraph.testkit.kinds import RedeemTrial
from shoutgraph.testkit.registry import Behaviour
from shoutgraph.testkit.trials import ref_of
from shoutgraph.testkit.upstreams import NotSupported, Receipt
from shoutgraph.testkit.verdicts import require


async def receipts(trial: RedeemTrial) -> None:
    """I01."""
    deal = await trial.deal()
    first = await trial.send(deal)
    require(isinstance(first, Settled), f"a genuine receipt gave {first}, and is Settled")
    again = await trial.send(deal)
    require(ref_of(again) == ref_of(first), f"the same receipt twice gave {first}, and then {again}")
    for kind in Receipt:
        if kind is Receipt.GENUINE:
            continue
        try:
            forged = await trial.purchase(kind)
        except NotSupported as missing:
            trial.notes.append(str(missing))
            continue
        outcome = await trial.send(forged)
        told = f"a receipt that is {kind} gave {outcome}, and is refused: Declined or NotExecuted"
        require(not isinstance(outcome, Settled) and not isinstance(outcome, Unknown), told)
        require(isinstance(outcome, Declined | NotExecuted), told)
        told = f"a receipt that is {kind} gave {outcome}: a refusal names no purchase, or takes it from its buyer"
        require(ref_of(outcome) is None, told)
        said = kind is not Receipt.OTHER_PRODUCT or (isinstance(outcome, Declined) and outcome.code == OTHER_PRODUCT)
        require(said, f"a receipt of another product gave {outcome}, and is Declined({OTHER_PRODUCT!r})")


BEHAVIOURS: Final = (
    Behaviour("I01", "A receipt counts once, and only a genuine one of this buyer", registry.REDEEM, receipts),
)
