"""Buying coins: the intent is stored first, the provider is asked while no unit of work is open, then its answer.

A crash in between leaves a top-up whose answer is overdue; the looks take it up from there.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from shoutgraph import sdk
from shoutgraph.domain import errors, ids, money, packages
from shoutgraph.domain.packages import Market, Platform
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.requests import Request
from shoutgraph.domain.topups.topup import Payload, Source, Status, Submission, Terms, Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.services.topups import apply, sights, ways
from shoutgraph.services.topups.desk import ReverseOrders
from shoutgraph.services.topups.submit import ANSWER_DUE, submit
from shoutgraph.storage import packages as package_rows, policies, topups, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

URL_CHARS_MAX: Final = 2_000
HOOKS_PATH: Final = "/hooks"
DESCRIPTOR: Final = "Coins"
LOCALE: Final = "en"
LOCALE_CHARS_MIN: Final = 2
LOCALE_CHARS_MAX: Final = 35
COINS_PATH: Final = ("input", "buy", "coins")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a fan wants to buy: a package or exactly so many coins, where and through whom. Units: coins."""

    package_id: str | None
    coins: int | None
    currency: str
    platform: Platform
    provider_code: str
    return_url: str
    country: str | None = None
    cancel_url: str | None = None
    locale: str = LOCALE


async def create(
    tools: Tools, viewer: Viewer, request: Request, wish: Wish, *, reverse_orders: ReverseOrders
) -> Done[Topup]:
    """Starts a purchase; the same key starts it once, however often it is sent.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: a URL or the locale is none, or the package, the coins or the country do not fit.
        NotFoundError: coins are not sold there, or there is no such package.
        LimitExceededError: fewer or more coins than the policy allows.
        WalletLockedError: the account is closed to purchases.
        ProviderUnavailableError: the provider cannot take this now; nothing was charged.
        ProviderDeclinedError: the provider refused the payment.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()
    _check_words(wish)

    def work(tx: Tx) -> Topup:
        topup = _new(tools, tx, user_id, wish)
        topups.insert(tx, topup, look_at=topup.answer_due_at)
        apply.tell(tools, tx, topup, None)
        return topup

    done = await once(tools, request, work, topups.get)
    if done.replayed:
        return Done(_accepted(done.value, replayed=True), replayed=True)
    outcome = await submit(tools, done.value)

    def answer(tx: Tx) -> Topup:
        desk = apply.open_desk(tools, tx, reverse_orders)
        observation = sights.observation_of(outcome, at=tx.now)
        after = apply.observed(desk, topups.get(tx, done.value.id), observation, Source.ANSWER)
        apply.look_again(tx, after, looks=0)
        return after

    return Done(_accepted(await tools.store.write(answer), replayed=False))


def _accepted(topup: Topup, *, replayed: bool) -> Topup:
    """The top-up, or the refusal that its provider answered with."""
    if topup.status is not Status.FAILED or topup.declined_code is None:
        return topup
    refusal: errors.ShoutgraphError
    if topup.submission is Submission.NOT_EXECUTED:
        msg = f"The provider cannot take this payment now ({topup.declined_code}). Nothing was charged."
        refusal = errors.ProviderUnavailableError(msg, path=("input", "providerCode"))
    else:
        refusal = errors.ProviderDeclinedError(decline_code=topup.declined_code, retryable=topup.retryable)
    refusal.replayed = replayed
    raise refusal


def _new(tools: Tools, tx: Tx, user_id: ids.UserId, wish: Wish) -> Topup:
    user = users.get(tx, user_id)
    if user.locked:
        raise errors.WalletLockedError
    policy = policies.current(tx)
    market = Market(_country(wish, user.country), wish.currency, wish.platform)
    terms = _terms(tx, wish, market, policy)
    price = sdk.Money(terms.price_minor, terms.currency)
    way = tools.providers.topups.get(wish.provider_code)
    if way is None or not ways.suits(way.caps, market, price):
        msg = "This provider does not take this payment; ask topUpProviders which do."
        raise errors.ProviderUnavailableError(msg, path=("input", "providerCode"))
    return Topup(
        id=ids.TopupId(tools.new_id(ids.TOPUP)),
        revision=1,
        user_id=user_id,
        instance=wish.provider_code,
        terms=terms,
        payload=Payload(
            locale=wish.locale,
            return_url=wish.return_url,
            cancel_url=wish.cancel_url or wish.return_url,
            webhook_url=f"{tools.public_url}{HOOKS_PATH}/{wish.provider_code}",
            descriptor=DESCRIPTOR,
        ),
        created_at=tx.now,
        updated_at=tx.now,
        first_sent_at=tx.now,
        answer_due_at=tx.now + ANSWER_DUE,
    )


def _terms(tx: Tx, wish: Wish, market: Market, policy: Policy) -> Terms:
    if wish.package_id is not None:
        package = next((each for each in package_rows.list_of_market(tx, market) if each.id == wish.package_id), None)
        if package is None:
            path = ("input", "buy", "packageId")
            raise errors.NotFoundError("This package is not on sale there.", path=path)
        coins, bonus, price, rate = package.coins, package.bonus_coins, package.price, package.rate
    else:
        unit = package_rows.find_unit_price(tx, market)
        if unit is None:
            msg = "Coins are not sold in this country, currency and platform."
            raise errors.NotFoundError(msg, path=("input", "country"))
        exact = _exact(unit, wish.coins or 0)
        coins, bonus, price, rate = exact.coins, 0, exact.price, unit.rate
    _check_coins(coins, policy)
    assert rate.book_currency == policy.book_currency, "coins are sold at rates of the book currency"
    return Terms(
        package_id=wish.package_id,
        coins=coins,
        bonus_coins=bonus,
        price_minor=price.minor,
        currency=price.currency,
        book_units=_book_units(price, rate),
        country=market.country,
        platform=market.platform,
    )


def _exact(unit: packages.UnitPrice, coins: int) -> packages.ExactPrice:
    try:
        return packages.price_of(unit, coins)
    except errors.ValidationError as refused:
        raise errors.ValidationError(refused.message, code=refused.code, path=COINS_PATH) from None


def _book_units(price: money.Money, rate: packages.Rate) -> int:
    """What the price is worth in the books: itself in the book currency, else at the rate it is sold at."""
    if price.currency == rate.book_currency:
        return price.minor * money.BOOK_UNITS_PER_MINOR
    return packages.book_units(price, rate)


def _country(wish: Wish, known: str) -> str:
    """Where the fan is: what we know goes before what they say, since prices differ by country."""
    if wish.country is None:
        return known
    if known not in {wish.country, packages.ANYWHERE}:
        msg = "This is not the country of your account."
        raise errors.ValidationError(msg, code="OTHER_COUNTRY", path=("input", "country"))
    return wish.country


def _check_coins(coins: int, policy: Policy) -> None:
    path = COINS_PATH
    if coins < policy.topup_min_coins:
        msg = f"At least {policy.topup_min_coins} coins are bought at once."
        raise errors.LimitExceededError(msg, code="TOPUP_MIN", limit=policy.topup_min_coins, path=path)
    if coins > policy.topup_max_coins:
        msg = f"At most {policy.topup_max_coins} coins are bought at once."
        raise errors.LimitExceededError(msg, code="TOPUP_MAX", limit=policy.topup_max_coins, path=path)


def _check_words(wish: Wish) -> None:
    if not LOCALE_CHARS_MIN <= len(wish.locale) <= LOCALE_CHARS_MAX or not wish.locale.isprintable():
        msg = "locale is a BCP 47 tag such as 'en'."
        raise errors.ValidationError(msg, code="INVALID_LANGUAGE", path=("input", "locale"))
    for name, url in (("returnUrl", wish.return_url), ("cancelUrl", wish.cancel_url)):
        if url is None:
            continue
        if not _is_web_address(url):
            msg = f"{name} is an http or https URL of at most {URL_CHARS_MAX} characters."
            raise errors.ValidationError(msg, code="INVALID_URL", path=("input", name))


def _is_web_address(text: str) -> bool:
    """Whether a browser can be sent there, and nobody is fooled by what stands in it."""
    if len(text) > URL_CHARS_MAX or not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
