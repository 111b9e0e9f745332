"""Spending guards: limits that people set for themselves, pauses, self-exclusion, and what nobody may exceed.

Windows roll: the last 24 hours and the last 7 days. Lowering a limit acts at once, raising it after a time to think it
over. What a window holds is what was ordered and given in it less what came back, and what was bought in it less what
was paid back; a late success of a purchase that had failed counts from when it was begun. Units: coins, or minor units
of the currency that the limits name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from shoutgraph.domain import ages, clock, errors, ids, money
from shoutgraph.domain.ages import Deed
from shoutgraph.domain.checks import Checks, tidy
from shoutgraph.domain.policies import Pairs, Policy, Velocity

MINUTE, HOUR, DAY, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
SPANS: Final[Mapping[str, timedelta]] = MappingProxyType({"day": DAY, "week": WEEK})
PAUSE_DAYS_MAX: Final = 30
EXCLUSION_DAYS_MIN: Final = 183
"""Six months."""
EXCLUSION_DAYS_MAX: Final = 1_830
REVIEWS_MAX: Final = 100
"""The most people whose purchases wait that are listed at once."""
REASON_CHARS_MAX: Final = 500
COINS: Final = "coins"
REVIEWED: Final = "TOPUP_REVIEW"
"""The code of a purchase that waits for somebody's look."""
HISTORY_MAX: Final = 1_000
"""Purchases that are looked through for the time at which there is room again."""

Spent = Iterable[tuple[datetime, int]]
"""When something was spent and how much, the oldest first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a person spends at most; None is no limit of their own."""

    day_coins: int | None = None
    week_coins: int | None = None
    day_minor: int | None = None
    week_minor: int | None = None
    currency: str | None = None

    def __post_init__(self) -> None:
        has_money = self.day_minor is not None or self.week_minor is not None
        assert has_money == (self.currency is not None), "money is of a currency"


NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Guard:
    """How a person guards themselves. `following` takes the place of `limits` at `following_at`.

    `review_at` is since when their purchases wait for somebody's look, `cleared_at` when somebody looked last: what was
    bought before then counts no more towards how fast they buy.
    """

    user_id: ids.UserId
    revision: int
    limits: Limits = NO_LIMITS
    following: Limits | None = None
    following_at: datetime | None = None
    paused_until: datetime | None = None
    excluded_until: datetime | None = None
    review_at: datetime | None = None
    review_code: str | None = None
    cleared_at: datetime | None = None

    @property
    def id(self) -> str:
        """Whose it is: one for each person."""
        return self.user_id


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person who spends coins has spent, and how they guard themselves."""

    guard: Guard
    country: str
    born_on: date | None
    day_coins: int
    week_coins: int
    day_gift_coins: int
    hour_orders: int
    minute_gifts: int
    locked: bool = False
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bought:
    """What a person bought of one currency, and how often they tried."""

    day_minor: int
    week_minor: int
    day_tries: int
    day_fast_minor: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase that is about to be made. Units: minor units of the currency."""

    minor: int
    currency: str


def new(user_id: ids.UserId) -> Guard:
    """The guard of somebody who never set any."""
    return Guard(user_id, 0)


def in_force(guard: Guard, now: datetime) -> Limits:
    """The limits that count now."""
    if guard.following is not None and guard.following_at is not None and guard.following_at <= now:
        return guard.following
    return guard.limits


def pending(guard: Guard, now: datetime) -> tuple[Limits, datetime] | None:
    """The limits that will count later, and when."""
    if guard.following is None or guard.following_at is None or guard.following_at <= now:
        return None
    return guard.following, guard.following_at


def set_limits(guard: Guard, wish: Limits, *, now: datetime, policy: Policy) -> Guard:
    """The guard with other limits: each that is lower acts at once, the others after a time to think it over.

    Money in another currency is neither lower nor higher, so the limit that was stays until then.
    """
    was = in_force(guard, now)
    coins = {name: _lower(getattr(was, name), getattr(wish, name)) for name in ("day_coins", "week_coins")}
    if was.currency is None or was.currency == wish.currency:
        amounts = {name: _lower(getattr(was, name), getattr(wish, name)) for name in ("day_minor", "week_minor")}
        currency = wish.currency if was.currency is None else was.currency
    else:
        amounts, currency = {"day_minor": was.day_minor, "week_minor": was.week_minor}, was.currency
    at_once = Limits(**coins, **amounts, currency=currency)
    later = None if at_once == wish else wish
    at = None if later is None else now + timedelta(seconds=policy.limit_raise_s)
    return replace(guard, revision=guard.revision + 1, limits=at_once, following=later, following_at=at)


def pause(guard: Guard, days: int, *, now: datetime) -> Guard:
    """The guard of somebody who buys nothing for some days; it can be made longer, not shorter.

    Raises:
        ValidationError: it is for too few or too many days, or shorter than the one that runs.
    """
    until = _until(days, 1, PAUSE_DAYS_MAX, now)
    _check_longer(guard.paused_until, until, now)
    return replace(guard, revision=guard.revision + 1, paused_until=until)


def exclude(guard: Guard, days: int, *, now: datetime) -> Guard:
    """The guard of somebody who excludes themselves; it can be made longer, not shorter.

    Raises:
        ValidationError: it is for too few or too many days, or shorter than the one that runs.
    """
    until = _until(days, EXCLUSION_DAYS_MIN, EXCLUSION_DAYS_MAX, now)
    _check_longer(guard.excluded_until, until, now)
    return replace(guard, revision=guard.revision + 1, excluded_until=until)


def check_limits(limits: Limits) -> None:
    """Refuses limits that are no amounts, or a week's that is below the day's.

    Raises:
        ValidationError: one is wrong (an `ExceptionGroup` where several are).
    """
    checks = Checks()
    for name in ("day_coins", "week_coins", "day_minor", "week_minor"):
        amount = getattr(limits, name)
        if amount is not None:
            checks.between(_NAMES[name], amount, 0, money.AMOUNT_MAX)
    for day, week in (("day_coins", "week_coins"), ("day_minor", "week_minor")):
        low, high = getattr(limits, day), getattr(limits, week)
        if low is not None and high is not None and high < low:
            checks.add(_NAMES[week], "A week's limit is not below the day's.", "OUT_OF_RANGE")
    checks.settle()


def check_open(guard: Guard, now: datetime) -> None:
    """Refuses somebody who pauses or has excluded themselves.

    Raises:
        BuyingPausedError: they do, and until when.
    """
    _check_over(guard.excluded_until, now, "You excluded yourself", "SELF_EXCLUDED")
    _check_over(guard.paused_until, now, "You paused buying", "COOL_OFF")


def check_spending(
    standing: Standing, coins: int, deed: Deed, *, now: datetime, policy: Policy, history: Callable[[datetime], Spent]
) -> None:
    """Refuses coins that somebody may not spend now: their age, a pause, too fast, or beyond a limit.

    Args:
        history: what was spent since a time, looked up only where it is refused.

    Raises:
        AgeRestrictedError: they are too young.
        BuyingPausedError: they pause, or excluded themselves.
        LimitExceededError: they are too fast, or it is beyond a limit of their own or of the country.
    """
    check_open(standing.guard, now)
    ages.check(standing.born_on, country=standing.country, deed=deed, today=now.date(), policy=policy)
    if deed is Deed.ORDER:
        _check_fast(standing.hour_orders, policy.orders_hour_max, "ORDERS_HOUR", HOUR)
    else:
        _check_fast(standing.minute_gifts, policy.gifts_minute_max, "GIFTS_MINUTE", MINUTE)
    limits = in_force(standing.guard, now)
    most, of = policy.spending_max, standing.country
    asked = _Asked(coins, {"day": standing.day_coins, "week": standing.week_coins}, f"{COINS} a", now, history)
    _check_cap(asked, limits.day_coins, "day", "SPENDING_DAY")
    _check_cap(asked, limits.week_coins, "week", "SPENDING_WEEK")
    _check_cap(asked, _most(most, of, "day", COINS), "day", "COUNTRY_SPENDING_DAY")
    _check_cap(asked, _most(most, of, "week", COINS), "week", "COUNTRY_SPENDING_WEEK")


def check_purchase(
    standing: Standing,
    bought: Bought,
    wish: Purchase,
    *,
    now: datetime,
    policy: Policy,
    history: Callable[[datetime], Spent],
) -> None:
    """Refuses a purchase of coins that somebody may not make now.

    Raises:
        AgeRestrictedError: they are too young.
        BuyingPausedError: they pause, or excluded themselves.
        LimitExceededError: they are too fast or wait for somebody's look, or it is beyond a limit of their own or of
            their country, or in another currency than theirs.
    """
    check_open(standing.guard, now)
    ages.check(standing.born_on, country=standing.country, deed=Deed.BUY, today=now.date(), policy=policy)
    _check_pace(standing.guard, bought, wish, policy)
    limits = in_force(standing.guard, now)
    if limits.currency not in {None, wish.currency}:
        msg = f"Your limits are in {limits.currency}: buy in it, or set limits in {wish.currency}."
        raise errors.LimitExceededError(msg, code="TOPUP_CURRENCY", limit=0)
    most, of, unit = policy.spending_max, standing.country, wish.currency
    spent = {"day": bought.day_minor, "week": bought.week_minor}
    asked = _Asked(wish.minor, spent, f"minor units of {unit} a", now, history)
    _check_cap(asked, limits.day_minor, "day", "TOPUP_DAY")
    _check_cap(asked, limits.week_minor, "week", "TOPUP_WEEK")
    _check_cap(asked, _most(most, of, "day", unit), "day", "COUNTRY_TOPUP_DAY")
    _check_cap(asked, _most(most, of, "week", unit), "week", "COUNTRY_TOPUP_WEEK")


def check_reason(reason: str) -> str:
    """The reason of a decision, as it is kept.

    Raises:
        ValidationError: it is empty, too long, or no plain text.
    """
    kept = tidy(reason)
    checks = Checks()
    checks.text("reason", kept, chars_max=REASON_CHARS_MAX, lines=True)
    checks.settle()
    return kept


def waits(guard: Guard, code: str, now: datetime) -> Guard:
    """The guard of somebody whose purchases wait for a look from now on."""
    return replace(guard, revision=guard.revision + 1, review_at=now, review_code=code)


def cleared(guard: Guard, now: datetime) -> Guard:
    """The guard after somebody looked and let them buy again.

    Raises:
        ValidationError: nothing waited.
    """
    if guard.review_at is None:
        msg = "No purchase of this user waits for a look."
        raise errors.ValidationError(msg, code="NOT_IN_REVIEW", path=("input", "userId"))
    return replace(guard, revision=guard.revision + 1, review_at=None, review_code=None, cleared_at=now)


def _check_pace(guard: Guard, bought: Bought, wish: Purchase, policy: Policy) -> None:
    money_max = dict(policy.topup_day_money).get(wish.currency)
    if guard.review_at is not None:
        raise _under_review(bought.day_tries)
    over = bought.day_tries >= policy.topups_day_max
    rich = money_max is not None and bought.day_fast_minor + wish.minor > money_max
    if not over and not rich:
        return
    if policy.topup_velocity is Velocity.REVIEW:
        raise _under_review(bought.day_tries)
    if over:
        _check_fast(bought.day_tries, policy.topups_day_max, "TOPUPS_DAY", DAY)
    assert money_max is not None, "only a limit is passed"
    msg = f"Purchases of a day come to {money_max:,} minor units of {wish.currency} at most."
    raise errors.LimitExceededError(
        msg,
        code="TOPUPS_DAY_MONEY",
        limit=money_max,
        spent=bought.day_fast_minor,
        retry_after_s=int(DAY.total_seconds()),
    )


def _under_review(tries: int) -> errors.LimitExceededError:
    msg = "Somebody looks at your purchases first; you can buy again when they have."
    return errors.LimitExceededError(msg, code=REVIEWED, limit=tries)


def _check_fast(count: int, most: int, code: str, span: timedelta) -> None:
    if count >= most:
        msg = f"{most:,} of these are allowed {_SPAN_WORDS[span]}."
        raise errors.LimitExceededError(
            msg, code=code, limit=most, spent=count, retry_after_s=int(span.total_seconds())
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody wants to spend now, beside what they spent, by span."""

    amount: int
    spent: Mapping[str, int]
    unit: str
    now: datetime
    history: Callable[[datetime], Spent]


def _check_cap(asked: _Asked, limit: int | None, span: str, code: str) -> None:
    spent, length = asked.spent[span], SPANS[span]
    if limit is None or spent + asked.amount <= limit:
        return
    history = asked.history(asked.now - length)
    at = room_at(history, spent=spent, amount=asked.amount, limit=limit, span=length)
    words = f"At most {limit:,} {asked.unit} {span}, and {spent:,} are spent."
    raise errors.LimitExceededError(
        words if at is None else f"{words} There is room for it again at {clock.to_text(at)}.",
        code=code,
        limit=limit,
        spent=spent,
        resets_at=None if at is None else at.isoformat(),
    )


def _check_over(until: datetime | None, now: datetime, words: str, code: str) -> None:
    if until is not None and until > now:
        raise errors.BuyingPausedError(f"{words} until {clock.to_text(until)}.", code=code, until=until.isoformat())


def room_at(history: Spent, *, spent: int, amount: int, limit: int, span: timedelta) -> datetime | None:
    """When so much has left the window that the amount fits; None where it never does."""
    if amount > limit:
        return None
    left = spent
    for at, each in history:
        left -= each
        if left + amount <= limit:
            return at + span
    return None


def _lower(was: int | None, wish: int | None) -> int | None:
    given = [each for each in (was, wish) if each is not None]
    return min(given, default=None)


def _most(given: Pairs, country: str, span: str, unit: str) -> int | None:
    found = dict(given)
    return found.get(f"{country}.{span}.{unit}", found.get(f"{ages.ANYWHERE}.{span}.{unit}"))


def _until(days: int, low: int, high: int, now: datetime) -> datetime:
    checks = Checks()
    checks.between("days", days, low, high)
    checks.settle()
    return now + timedelta(days=days)


def _check_longer(was: datetime | None, until: datetime, now: datetime) -> None:
    if was is not None and was > max(until, now):
        msg = f"It runs until {clock.to_text(was)}, and can only be made longer."
        raise errors.ValidationError(msg, code="ONLY_LONGER", path=("input", "days"))


_NAMES: Final = {"day_coins": "dayCoins", "week_coins": "weekCoins", "day_minor": "dayMoney", "week_minor": "weekMoney"}
_SPAN_WORDS: Final = {MINUTE: "a minute", HOUR: "an hour", DAY: "a day"}
