"""What is agreed when coins are bought: how many, at which price, and what that is worth in the books."""

from typing import Final

from shoutgraph.domain import errors, money, packages
from shoutgraph.domain.packages import Market, Package
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.topups.topup import Terms
from shoutgraph.storage import packages as package_rows, rates as rate_rows
from shoutgraph.storage.tx import Tx

COINS_PATH: Final = ("input", "buy", "coins")
COUNTRY_PATH: Final = ("input", "country")


def of_package(tx: Tx, package: Package, market: Market, policy: Policy) -> Terms:
    """The terms of a package; the market is the buyer's, which may be one without prices of its own."""
    assert package.rate.book_currency == policy.book_currency, "coins are sold at rates of the book currency"
    rate = _newest(tx, package.rate)
    return Terms(
        package_id=package.id,
        coins=package.coins,
        bonus_coins=package.bonus_coins,
        price_minor=package.price.minor,
        currency=package.price.currency,
        book_units=_book_units(package.price, rate),
        country=market.country,
        platform=market.platform,
        price_id=package.id,
        rate_version=rate.version,
        spread_bps=rate.spread_bps,
        bonus_s=policy.bonus_life_s if package.bonus_coins else None,
    )


def of_coins(tx: Tx, coins: int, market: Market, policy: Policy) -> Terms:
    """The terms of exactly so many coins.

    Raises:
        NotFoundError: coins are not sold there.
        ValidationError: fewer or more coins than are sold at once.
    """
    unit = package_rows.find_unit_price(tx, market)
    if unit is None:
        msg = "Coins are not sold in this country, currency and platform."
        raise errors.NotFoundError(msg, path=COUNTRY_PATH)
    exact = _exact(unit, coins)
    assert unit.rate.book_currency == policy.book_currency, "coins are sold at rates of the book currency"
    rate = _newest(tx, unit.rate)
    return Terms(
        package_id=None,
        coins=exact.coins,
        bonus_coins=0,
        price_minor=exact.price.minor,
        currency=exact.price.currency,
        book_units=_book_units(exact.price, rate),
        country=market.country,
        platform=market.platform,
        price_id=unit.id,
        rate_version=rate.version,
        spread_bps=rate.spread_bps,
    )


def country_of(said: str | None, known: str) -> str:
    """Where the fan is: what we know goes before what they say, since prices differ by country.

    Raises:
        ValidationError: the two differ.
    """
    if said is None:
        return known
    if known not in {said, packages.ANYWHERE}:
        msg = "This is not the country of your account."
        raise errors.ValidationError(msg, code="OTHER_COUNTRY", path=COUNTRY_PATH)
    return said


def check_coins(coins: int, policy: Policy) -> None:
    """Refuses a purchase that is too small or too large.

    Raises:
        LimitExceededError: it is.
    """
    if coins < policy.topup_min_coins:
        msg = f"At least {policy.topup_min_coins} coins are bought at once."
        raise errors.LimitExceededError(msg, code="TOPUP_MIN", limit=policy.topup_min_coins, path=COINS_PATH)
    if coins > policy.topup_max_coins:
        msg = f"At most {policy.topup_max_coins} coins are bought at once."
        raise errors.LimitExceededError(msg, code="TOPUP_MAX", limit=policy.topup_max_coins, path=COINS_PATH)


def check_repays(agreed: Terms, owed_coins: int, policy: Policy) -> None:
    """Refuses an account that closes to buy more than it owes, or than the fewest that are sold; it is given nothing.

    Raises:
        LimitExceededError: it does.
    """
    most = max(owed_coins, policy.topup_min_coins)
    if agreed.coins > most or agreed.bonus_coins:
        msg = f"This account is closing: it buys the {owed_coins} coins that it owes, {most} at most, and no free ones."
        raise errors.LimitExceededError(msg, code="CLOSING_DEBT", limit=most, path=COINS_PATH)


def _exact(unit: packages.UnitPrice, coins: int) -> packages.ExactPrice:
    try:
        return packages.price_of(unit, coins)
    except errors.ValidationError as refused:
        raise errors.ValidationError(refused.message, code=refused.code, path=COINS_PATH) from None


def _newest(tx: Tx, rate: packages.Rate) -> packages.Rate:
    """What the currency is worth now; its price may have been published at an older rate."""
    if rate.currency == rate.book_currency:
        return rate
    return rate_rows.find_in_force(tx, rate.currency, rate.book_currency) or rate


def _book_units(price: money.Money, rate: packages.Rate) -> int:
    """What the price is worth in the books: itself in the book currency, else at the rate it is sold at."""
    if price.currency == rate.book_currency:
        return price.minor * money.BOOK_UNITS_PER_MINOR
    return packages.book_units(price, rate)
