"""Buying coins: the intent is stored first, the provider is asked while no unit of work is open, then its answer.

A crash in between leaves a top-up whose answer is overdue; the looks take it up from there.
"""

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from shoutgraph import sdk
from shoutgraph.domain import cards as card_rules, errors, ids, journal, spending
from shoutgraph.domain.closures import ClosureState
from shoutgraph.domain.features import WHOLE, Feature, Reason
from shoutgraph.domain.packages import Market, Platform
from shoutgraph.domain.requests import Request
from shoutgraph.domain.spending import Purchase
from shoutgraph.domain.topups import machine, withdrawal
from shoutgraph.domain.topups.topup import Payload, Source, Status, Submission, Terms, Topup
from shoutgraph.domain.topups.withdrawal import Consents, Waiver
from shoutgraph.domain.users import User, Viewer
from shoutgraph.services.topups import apply, bought_cards, codes, sights, terms, ways
from shoutgraph.services.topups.desk import ReverseOrders
from shoutgraph.services.topups.submit import ANSWER_DUE, submit
from shoutgraph.storage import (
    closures,
    features,
    journal as journal_rows,
    packages as package_rows,
    policies,
    spending as spending_rows,
    topups,
    users,
    waivers,
    wallets,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

URL_CHARS_MAX: Final = 2_000
HOOKS_PATH: Final = "/hooks"
PROVIDER_PATH: Final = ("input", "providerCode")
DESCRIPTOR: Final = "Coins"
LOCALE: Final = "en"
LOCALE_CHARS_MIN: Final = 2
LOCALE_CHARS_MAX: Final = 35

ATTEMPTS_MAX: Final = 3
"""How many providers are asked for one purchase, one after the other."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a fan wants to buy: a package or exactly so many coins, where and through whom. Units: coins.

    Without a `provider_code` the routes choose, and go on to the next provider while each proves that it did nothing.
    With `as_card` the coins go under the code of a gift card, which is made when they are paid.
    """

    package_id: str | None
    coins: int | None
    currency: str
    platform: Platform
    provider_code: str | None
    return_url: str
    country: str | None = None
    cancel_url: str | None = None
    locale: str = LOCALE
    expected_minor: int | None = None
    promo_code: str | None = None
    consents: Consents | None = None
    as_card: card_rules.Words | None = None


async def create(
    tools: Tools, viewer: Viewer, request: Request, wish: Wish, *, reverse_orders: ReverseOrders
) -> Done[Topup]:
    """Starts a purchase; the same key starts it once, however often it is sent.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: a URL or the locale is none, the package, the coins or the country do not fit, a consent is
            missing, or a card is wanted while coins are owed (an `ExceptionGroup` where several parts are wrong).
        NotFoundError: coins are not sold there, or there is no such package.
        MoneyPriceChangedError: the price is no longer the one that the fan saw.
        FeatureUnavailableError: buying coins is off for the caller, or through the provider that they chose.
        LimitExceededError: fewer or more coins than the policy allows, for a gift card, too, or too many of them; more
            than an account owes that closes; beyond a limit of the fan's own or of their country, or too fast after
            others: then it may wait for somebody's look (`TOPUP_REVIEW`); or too many codes were tried.
        WalletLockedError: the account is closed to purchases; for a gift card, the wallet is locked.
        AgeRestrictedError: the fan is too young to buy, or did not say how old they are.
        BuyingPausedError: the fan pauses buying, or has excluded themselves.
        ProviderUnavailableError: the provider cannot take this now; nothing was charged.
        ProviderDeclinedError: the provider refused the payment.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()
    _check_words(wish)
    await codes.attempt(tools, user_id, wish.promo_code, request)
    choices = await _choices(tools, user_id, wish)

    def work(tx: Tx) -> Topup:
        topup = _new(tools, tx, user_id, wish, choices)
        _open(tools, tx, topup)
        codes.reserve(tools, tx, topup, wish.promo_code)
        bought_cards.reserve(tx, topup, wish.as_card)
        if wish.consents is not None:
            _waive(tx, topup, wish.consents)
        return topup

    try:
        done = await once(tools, request, work, _latest)
    except errors.LimitExceededError as refusal:
        if refusal.code == spending.REVIEWED and not refusal.replayed:
            await tools.store.write(lambda tx: _wait_for_review(tools, tx, user_id))
        raise
    topup = done.value
    if done.replayed:
        return Done(_accepted(topup, replayed=True), replayed=True)
    rest = choices[choices.index(topup.instance) + 1 :]
    for following in (*rest, None):
        outcome = await submit(tools, topup)
        asked, topup = topup, await _answered(tools, topup, outcome, following, reverse_orders)
        if topup.id == asked.id:
            break
    return Done(_accepted(topup, replayed=False))


async def _answered(
    tools: Tools, topup: Topup, outcome: sdk.TopUpOutcome, following: str | None, reverse_orders: ReverseOrders
) -> Topup:
    """The top-up after its answer, or the one that goes on in its place: stored together, so that none is lost.

    Only a proof that nothing happened lets another provider be asked. Source: docs/adr/0019-routing.md.
    """

    def work(tx: Tx) -> Topup:
        desk = apply.open_desk(tools, tx, reverse_orders)
        before = topups.get(tx, topup.id)
        observation = sights.observation_of(outcome, at=tx.now)
        after = apply.observed(desk, before, observation, Source.ANSWER)
        apply.look_again(tx, after, looks=0)
        if following is None or not machine.may_go_on(before, after):
            return after
        if following in features.providers_off(tx, Feature.TOPUPS, after.user_id):
            return after
        again = machine.elsewhere(
            after,
            ids.TopupId(tools.new_id(ids.TOPUP)),
            instance=following,
            webhook_url=f"{tools.public_url}{HOOKS_PATH}/{following}",
            now=tx.now,
        )
        again = replace(again, answer_due_at=tx.now + ANSWER_DUE)
        _open(tools, tx, again)
        codes.go_on(tx, after, again)
        bought_cards.go_on(tx, after, again)
        waiver = waivers.find(tx, after.id)
        if waiver is not None:
            waivers.insert(tx, replace(waiver, topup_id=again.id))
        return again

    return await tools.store.write(work)


def _open(tools: Tools, tx: Tx, topup: Topup) -> None:
    topups.insert(tx, topup, look_at=topup.answer_due_at)
    apply.tell(tools, tx, topup, None)


def _wait_for_review(tools: Tools, tx: Tx, user_id: ids.UserId) -> None:
    """From now on their purchases wait for somebody's look; a crash before it leaves the next attempt to say so."""
    users.hold(tx, user_id)
    guard = spending_rows.get(tx, user_id)
    if guard.review_at is None:
        waiting = spending.waits(guard, spending.REVIEWED, tx.now)
        spending_rows.save(tx, waiting)
        body: journal.Body = {"user": user_id, "revision": waiting.revision, "code": spending.REVIEWED}
        journal_rows.append(tx, journal.NewEvent(tools.new_id(ids.EVENT), user_id, "spending.review_asked", body))


def _waive(tx: Tx, topup: Topup, consents: Consents) -> None:
    """Keeps what the buyer consented to, when, and under which words."""
    version = policies.current(tx).version
    waivers.insert(tx, Waiver(topup.id, topup.user_id, consents.text_version, version, tx.now, tx.now))


def _latest(tx: Tx, topup_id: str) -> Topup:
    """The top-up of a purchase that was asked for last: the first one, or what went on in its place."""
    topup = topups.get(tx, topup_id)
    for _ in range(ATTEMPTS_MAX):
        following = topups.find_by_followed(tx, topup.id)
        if following is None:
            break
        topup = following
    return topup


def _accepted(topup: Topup, *, replayed: bool) -> Topup:
    """The top-up, or the refusal that its provider answered with."""
    if topup.status is not Status.FAILED or topup.declined_code is None:
        return topup
    refusal: errors.ShoutgraphError
    if topup.submission is Submission.NOT_EXECUTED:
        msg = f"The provider cannot take this payment now ({topup.declined_code}). Nothing was charged."
        refusal = errors.ProviderUnavailableError(msg, path=PROVIDER_PATH)
    else:
        refusal = errors.ProviderDeclinedError(decline_code=topup.declined_code, retryable=topup.retryable)
    refusal.replayed = replayed
    raise refusal


async def _choices(tools: Tools, user_id: ids.UserId, wish: Wish) -> tuple[str, ...]:
    """Who may be asked, in this order: the one that the fan chose, or else whom the routes and plugins say.

    Plugins are asked here and not in the unit of work. A wish that is refused there has no price, and no choices.
    """
    if wish.provider_code is not None:
        return (wish.provider_code,)

    def agreed(tx: Tx) -> tuple[Terms, dict[str, Reason]] | None:
        try:
            return _agreed(tx, user_id, wish), features.providers_off(tx, Feature.TOPUPS, user_id)
        except errors.ShoutgraphError:
            return None

    found = await tools.store.read(agreed)
    if found is None:
        return ()
    terms_found, off = found
    return ways.on(ways.chosen(tools, user_id, _market(terms_found), _price(terms_found)), off)[:ATTEMPTS_MAX]


def _new(tools: Tools, tx: Tx, user_id: ids.UserId, wish: Wish, choices: tuple[str, ...]) -> Topup:
    provider = wish.provider_code or WHOLE
    path = PROVIDER_PATH if provider else None
    off = features.require(tx, Feature.TOPUPS, user_id, provider=provider, path=path)
    agreed = _agreed(tx, user_id, wish)
    _check_guards(tx, user_id, Purchase(agreed.price_minor, agreed.currency))
    if wish.as_card is not None:
        bought_cards.check(tx, user_id, agreed)
        agreed = replace(agreed, as_card=True)
    fitting = ways.on(ways.routed(tools, user_id, _market(agreed), _price(agreed)), off)
    instance = next((each for each in choices if each in fitting), None)
    if instance is None:
        msg = "No provider takes this payment." if wish.provider_code is None else "This provider does not take it."
        msg = f"{msg} Ask topUpProviders which do."
        raise errors.ProviderUnavailableError(msg, path=PROVIDER_PATH)
    return Topup(
        id=ids.TopupId(tools.new_id(ids.TOPUP)),
        revision=1,
        user_id=user_id,
        instance=instance,
        terms=agreed,
        payload=Payload(
            locale=wish.locale,
            return_url=wish.return_url,
            cancel_url=wish.cancel_url or wish.return_url,
            webhook_url=f"{tools.public_url}{HOOKS_PATH}/{instance}",
            descriptor=DESCRIPTOR,
        ),
        created_at=tx.now,
        updated_at=tx.now,
        first_sent_at=tx.now,
        answer_due_at=tx.now + ANSWER_DUE,
    )


def _check_guards(tx: Tx, user_id: ids.UserId, wish: Purchase) -> None:
    """Whether the user may buy this now. The user is held, so nobody else buys for them beside."""
    standing = spending_rows.standing(tx, user_id)
    spending.check_purchase(
        standing,
        spending_rows.bought(tx, user_id, wish.currency, cleared_at=standing.guard.cleared_at),
        wish,
        now=tx.now,
        policy=policies.current(tx),
        history=lambda since: spending_rows.list_of_bought(tx, user_id, wish.currency, since=since),
    )


def _agreed(tx: Tx, user_id: ids.UserId, wish: Wish) -> Terms:
    user = users.get(tx, user_id)
    owed = _owed(tx, user, wish)
    if not owed:
        user.check_open()
    policy = policies.current(tx)
    market = Market(terms.country_of(wish.country, user.country), wish.currency, wish.platform)
    if wish.package_id is None:
        agreed = terms.of_coins(tx, wish.coins or 0, market, policy)
    else:
        package = next((each for each in package_rows.list_of_market(tx, market) if each.id == wish.package_id), None)
        if package is None:
            raise _gone(tx, wish.package_id, market)
        agreed = terms.of_package(tx, package, market, policy)
    terms.check_coins(agreed.coins, policy)
    if wish.promo_code is not None:
        agreed = codes.applied(tx, user, agreed, wish.promo_code)
    if owed:
        terms.check_repays(agreed, owed, policy)
    withdrawal.check_waived(withdrawal.rule_of(policy, market.country), waived=wish.consents is not None)
    if wish.expected_minor not in {None, agreed.price_minor}:
        raise errors.MoneyPriceChangedError(current_minor=agreed.price_minor, currency=agreed.currency)
    return agreed


def _owed(tx: Tx, user: User, wish: Wish) -> int:
    """What an account owes that closes: so much it may still buy, for its own wallet. Units: coins."""
    if user.closed_at is None or user.locked or wish.as_card is not None:
        return 0
    closure = closures.find(tx, user.id)
    if closure is None or closure.state is not ClosureState.CLOSING:
        return 0
    return wallets.balances(tx, user.id).debt_coins


def _gone(tx: Tx, package_id: str, market: Market) -> errors.ShoutgraphError:
    """Why a package cannot be bought: it was never sold there, or as many coins have another price now."""
    (known,) = package_rows.list_of(tx, [package_id])
    on_sale = package_rows.list_of_market(tx, market) if known is not None else ()
    for package in on_sale:
        if known is not None and (package.coins, package.price.currency) == (known.coins, known.price.currency):
            return errors.MoneyPriceChangedError(current_minor=package.price.minor, currency=package.price.currency)
    return errors.NotFoundError("This package is not on sale there.", path=("input", "buy", "packageId"))


def _market(agreed: Terms) -> Market:
    return Market(agreed.country, agreed.currency, agreed.platform)


def _price(agreed: Terms) -> sdk.Money:
    return sdk.Money(agreed.price_minor, agreed.currency)


def _check_words(wish: Wish) -> None:
    if wish.consents is not None:
        withdrawal.check_consents(wish.consents)
    if wish.as_card is not None:
        card_rules.check_words(wish.as_card, "asGiftCard")
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
