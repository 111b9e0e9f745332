"""How much a creator is paid at once, in a day, a week and 30 days. Units: coins."""

from dataclasses import dataclass

from shoutgraph.domain import errors, money
from shoutgraph.domain.policies import Policy


@dataclass(frozen=True, slots=True)
class Requested:
    """What a creator asked for in the last day, 7 days and 30 days, and was not refused. Units: coins."""

    day_coins: int
    week_coins: int = 0
    month_coins: int = 0


def check_request(coins: int, *, available_coins: int, requested: Requested, policy: Policy) -> None:
    """Refuses a payout beyond the limits.

    Raises:
        LimitExceededError: it is below the minimum, or a limit of a day, a week or 30 days would be passed.
        InsufficientCoinsError: less is available.
        ValidationError: the coins are not worth a whole number of minor units.
    """
    path = ("input", "coins")
    if coins < policy.payout_min_coins:
        msg = f"A payout is of at least {policy.payout_min_coins} coins."
        raise errors.LimitExceededError(msg, code="PAYOUT_MIN", limit=policy.payout_min_coins, path=path)
    _check_span(coins, requested.day_coins, policy.payout_day_coins, "a day", "PAYOUT_DAY")
    _check_span(coins, requested.week_coins, policy.payout_week_coins, "a week", "PAYOUT_WEEK")
    _check_span(coins, requested.month_coins, policy.payout_month_coins, "in 30 days", "PAYOUT_MONTH")
    if coins > available_coins:
        raise errors.InsufficientCoinsError(required_coins=coins, available_coins=available_coins)
    if coins * policy.par_units % money.BOOK_UNITS_PER_MINOR:
        msg = "These coins are not worth a whole number of minor units; choose another amount."
        raise errors.ValidationError(msg, code="PAYOUT_NOT_WHOLE", path=path)


def left(requested: Requested, policy: Policy) -> int:
    """How much more may be asked for now. Units: coins."""
    day = policy.payout_day_coins - requested.day_coins
    week = policy.payout_week_coins - requested.week_coins
    return max(0, min(day, week, policy.payout_month_coins - requested.month_coins))


def _check_span(coins: int, spent: int, limit: int, span: str, code: str) -> None:
    if spent + coins > limit:
        msg = f"At most {limit} coins {span} are paid out."
        raise errors.LimitExceededError(msg, code=code, limit=limit, spent=spent, path=("input", "coins"))
