"""M08 to M10: amounts are exact, nobody makes them fit, and what is not declared is never asked for."""

from collections.abc import Sequence
from typing import Final

from shoutgraph.sdk import Money, NotExecuted, Paid, Refunds, Settled, TopUpCaps
from shoutgraph.testkit import amounts, registry
from shoutgraph.testkit.kinds import PayoutTrial, RedeemTrial, TopUpTrial
from shoutgraph.testkit.registry import Behaviour
from shoutgraph.testkit.trials import Deal, Outcome, Trial
from shoutgraph.testkit.upstreams import Act, Seen
from shoutgraph.testkit.verdicts import require, where_supported

NO_CURRENCY: Final = "XTS"
"""ISO 4217's code for tests, which nobody pays in."""

NO_COUNTRY: Final = "ZZ"
CODE_CHARS: Final = 3
COUNTRY_CHARS: Final = 2


async def exact_amounts(trial: Trial) -> None:
    """M08."""
    if isinstance(trial, RedeemTrial):
        deal, ref = await trial.paid()
        await _require_settled(trial, deal, ref, _asked_for(await trial.objects(), ref))
        return
    caps = trial.plugin.caps
    for code in amounts.round_trips(caps):
        for money in {amounts.fair(caps, code), amounts.odd(caps, code)}:
            deal, ref = await trial.begun(await trial.deal(money))
            found = _asked_for(await trial.objects(), ref)
            require(found == money, f"{money} was asked for, and the provider understood {found}")
            await trial.act(Act.PAY, ref)
            await _require_settled(trial, deal, ref, money)
        for what, money in amounts.impossible(caps, code).items():
            await _require_refused(trial, await trial.deal(money), f"{money}, which is {what},")


def _asked_for(objects: Sequence[Seen], ref: str) -> Money | None:
    found = {each.ref: each.amount for each in objects} | {each.reference: each.amount for each in objects}
    return found.get(ref)


async def _require_settled(trial: Trial, deal: Deal, ref: str, money: Money | None) -> None:
    seen = await trial.look(deal, ref)
    require(money_of(seen) == money, f"{money} was paid, and a look shows {seen}")


def money_of(seen: Outcome) -> Money | None:
    """What was paid, where something was."""
    if isinstance(seen, Settled):
        return seen.totals.settled
    return seen.amount if isinstance(seen, Paid) else None


async def _require_refused(trial: Trial, deal: Deal, what: str) -> None:
    asked = len(trial.proxy.asked)
    outcome = await trial.send(deal)
    require(isinstance(outcome, NotExecuted), f"{what} gave {outcome}, and is NotExecuted")
    require(len(trial.proxy.asked) == asked, f"{what} was sent to the provider")


async def unchanged_money(trial: Trial) -> None:
    """M09."""
    other = Money(trial.fair().minor + amounts.ROUND, trial.fair().currency)
    await _require_unchanged(trial, Act.PAY_OTHER_AMOUNT, other)
    with where_supported(trial.notes):
        await _require_unchanged(trial, Act.PAY_OTHER_CURRENCY, Money(trial.fair().minor, _another(trial)))


async def _require_unchanged(trial: Trial, verb: Act, other: Money) -> None:
    deal, ref = await trial.begun()
    await trial.act(verb, ref, other)
    by_file = isinstance(trial, PayoutTrial) and trial.by_file
    seen = await (trial.look(deal, ref) if by_file else trial.look_straight(deal, ref))
    require(money_of(seen) == other, f"{other} arrived where {deal.amount} was asked for, and the plugin shows {seen}")


def _another(trial: Trial) -> str:
    own = trial.fair().currency
    return min(trial.plugin.caps.currencies - {own}, default="USD" if own != "USD" else "EUR")


async def undeclared_never_asked(trial: Trial) -> None:
    """M10."""
    _require_sound_caps(trial)
    caps = trial.plugin.caps
    if isinstance(trial, RedeemTrial):
        await _no_refund(trial)
        return
    await _require_refused(trial, await trial.deal(Money(trial.fair().minor, NO_CURRENCY)), "an undeclared currency")
    if isinstance(caps, TopUpCaps) and isinstance(trial, TopUpTrial):
        if caps.countries is not None:
            asked = len(trial.proxy.asked)
            request = trial.request(await trial.deal(), country=NO_COUNTRY)
            outcome = await trial.guarded(trial.providers).create(request)
            require(isinstance(outcome, NotExecuted), f"an undeclared country gave {outcome}, and is NotExecuted")
            require(len(trial.proxy.asked) == asked, "a payment from an undeclared country was sent")
        await _no_refund(trial)


async def _no_refund(trial: TopUpTrial) -> None:
    if trial.guarded(trial.providers).caps.refunds not in {Refunds.NONE, Refunds.EXTERNAL}:
        return
    deal, ref = await trial.paid()
    asked = len(trial.proxy.asked)
    outcome = await trial.refund(deal, ref, deal.amount, key="refund_undeclared")
    require(isinstance(outcome, NotExecuted), f"an undeclared refund gave {outcome}, and is NotExecuted")
    require(len(trial.proxy.asked) == asked, "an undeclared refund was sent")


def _require_sound_caps(trial: Trial) -> None:
    """What the host compares with is written as it compares."""
    caps = trial.plugin.caps
    require(caps.currencies, "no currency is declared")
    for code in caps.currencies | caps.limits.keys() | caps.exponents.keys() | caps.granularity.keys():
        require(_is_code(code, CODE_CHARS), f"{code!r} is no ISO 4217 code")
    for code, (smallest, largest) in caps.limits.items():
        require(0 < smallest <= largest, f"the limits of {code} contradict each other")
    for code, fine in caps.granularity.items():
        require(fine > 0, f"the granularity of {code} is not positive")
    if isinstance(caps, TopUpCaps) and caps.countries is not None:
        require(caps.countries, "no country is declared; None means everywhere")
        for code in caps.countries:
            require(_is_code(code, COUNTRY_CHARS), f"{code!r} is no ISO 3166 code")


def _is_code(code: str, chars: int) -> bool:
    return len(code) == chars and code.isascii() and code.isalpha() and code.isupper()


BEHAVIOURS: Final = (
    Behaviour("M08", "Amounts arrive exactly as they were asked for", registry.ALL, exact_amounts),
    Behaviour("M09", "Another amount or currency is shown as it is", registry.SENDS, unchanged_money),
    Behaviour("M10", "What is not declared is never asked for", registry.ALL, undeclared_never_asked),
)
