"""Placing orders: a draft that costs nothing, and the submit that holds the price."""

from dataclasses import dataclass, replace
from typing import Final

from shoutgraph.domain import (
    accounts,
    campaigns,
    capacity,
    creators,
    errors,
    ids,
    ledger,
    postings,
    quotes,
    spending,
    wallets,
)
from shoutgraph.domain.ages import Deed
from shoutgraph.domain.campaigns import Campaign, Piece
from shoutgraph.domain.creators import Offer
from shoutgraph.domain.orders import machine, order as order_values
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Brief, Order, Terms, Usage
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.policies import Policy, Screening
from shoutgraph.domain.postings import Held
from shoutgraph.domain.requests import Request
from shoutgraph.domain.spending import Standing
from shoutgraph.domain.users import Viewer, locked_out
from shoutgraph.services.orders import advance, lines
from shoutgraph.services.orders.advance import Did
from shoutgraph.storage import (
    campaigns as campaign_rows,
    features,
    ledger as ledger_rows,
    ordering,
    orders,
    spending as spending_rows,
    users,
)
from shoutgraph.storage.ordering import Sale, Stand
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once


@dataclass(frozen=True, slots=True)
class Wish:
    """What a fan wants: an offer, perhaps in a campaign, a brief, and the price they saw. Units: coins."""

    offer_id: str
    brief: Brief
    expected_price_coins: int
    express: bool = False
    campaign_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Drafted:
    """An order as it would be placed now, and the campaign that it would be in."""

    order: Order
    campaign: Campaign | None


@dataclass(frozen=True, slots=True)
class _Purse:
    """What a fan may spend, whose wallet is held, and where they stand since it is."""

    promo_lots: tuple[ledger.Lot, ...]
    paid_lots: tuple[ledger.Lot, ...]
    stand: Stand


_SUBMIT: Final = Command("submit", Actor.FAN)


async def draft(tools: Tools, viewer: Viewer, request: Request, wish: Wish) -> Done[Order]:
    """Keeps a wish as a draft; nothing is paid and the creator sees nothing.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: there is no such offer, or no such campaign of its creator.
        ValidationError: the brief breaks a limit (an `ExceptionGroup` where several fields do), or the offer has no
            express delivery or serves no businesses.
        FeatureUnavailableError: shoutouts are off for the fan, or for the creator.
        PriceChangedError: the price is no longer the one the fan saw.
        CreatorUnavailableError: the offer is not for sale now, or the creator is at capacity.
        CampaignUnavailableError: the campaign does not take this order.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    fan_id = viewer.require_user()
    order_values.check_brief(wish.brief)

    def work(tx: Tx) -> Order:
        sale = _sale(tx, fan_id, wish.offer_id)
        stand = ordering.stand(tx, sale, fan_id)
        order = _drafted(tx, wish, sale, stand, ids.OrderId(tools.new_id(ids.ORDER))).order
        orders.insert(tx, order, wish.brief)
        advance.keep(tools, tx, order, sale.policy, did=Did("draft", Actor.FAN, before=None))
        return order

    return await once(tools, request, work, orders.get)


async def place(tools: Tools, viewer: Viewer, request: Request, wish: Wish) -> Done[Order]:
    """Drafts and submits in one step: the price goes to escrow.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: there is no such offer, or no such campaign of its creator.
        ValidationError: the brief breaks a limit (an `ExceptionGroup` where several fields do), or the offer has no
            express delivery or serves no businesses.
        FeatureUnavailableError: shoutouts are off for the fan, or for the creator.
        PriceChangedError: the price is no longer the one the fan saw.
        CreatorUnavailableError: the offer is not for sale now, or the creator is at capacity.
        CampaignUnavailableError: the campaign does not take this order.
        InsufficientCoinsError: the wallet holds too few coins.
        WalletLockedError: the wallet is locked after a charge-back.
        AgeRestrictedError: the fan is too young to order, or did not say how old they are.
        BuyingPausedError: the fan pauses buying, or has excluded themselves.
        LimitExceededError: it is beyond a limit of the fan's own or of their country, or too fast after others.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    fan_id = viewer.require_user()
    order_values.check_brief(wish.brief)
    order_id = ids.OrderId(tools.new_id(ids.ORDER))

    def work(tx: Tx) -> Order:
        sale = _sale(tx, fan_id, wish.offer_id)
        policy, purse = sale.policy, _open_purse(tx, fan_id, sale)
        drafted = _drafted(tx, wish, sale, purse.stand, order_id)
        fresh = replace(drafted.order, revision=0)  # a revision is an event, and this is the first
        order = _paid(tx, fresh, policy, purse)
        orders.insert(tx, order, wish.brief)
        advance.keep(tools, tx, order, policy, did=Did("submit", Actor.FAN, before=None, posted="order.placed"))
        lines.ordered(tools, tx, purse.stand.places.mine, order)
        _number(tx, order, drafted.campaign)
        return _screened(tools, tx, order, policy)

    def foresee(tx: Tx) -> None:  # in the order in which things are held
        ordering.foresee_sale(tx, wish.offer_id)
        ledger_rows.foresee_spendable_lots(tx, accounts.promo(fan_id).code, accounts.paid(fan_id).code)
        ordering.foresee_stand(tx, wish.offer_id, fan_id)
        if wish.campaign_id is not None:
            campaign_rows.foresee(tx, wish.campaign_id)

    return await once(tools, request, work, orders.get, foresee=foresee, made=order_id)


async def submit(
    tools: Tools, viewer: Viewer, request: Request, order_id: str, expected_price_coins: int
) -> Done[Order]:
    """Submits a draft under the policy and price of now: the price goes to escrow.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: there is no such order of this fan, or its offer or its campaign is gone.
        OrderStateError: it was submitted before.
        FeatureUnavailableError: shoutouts are off for the fan, or for the creator.
        PriceChangedError: the price is no longer the one the fan saw.
        CreatorUnavailableError: the offer is not for sale now, or the creator is at capacity.
        CampaignUnavailableError: the campaign does not take this order.
        InsufficientCoinsError: the wallet holds too few coins.
        WalletLockedError: the wallet is locked after a charge-back.
        AgeRestrictedError: the fan is too young to order, or did not say how old they are.
        BuyingPausedError: the fan pauses buying, or has excluded themselves.
        LimitExceededError: it is beyond a limit of the fan's own or of their country, or too fast after others.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    fan_id = viewer.require_user()

    def work(tx: Tx) -> Order:
        order = orders.get(tx, order_id)
        if order.fan_id != fan_id:
            raise errors.NotFoundError("There is no such order.", path=("input", "orderId"))
        machine.check_start(order, _SUBMIT)
        sale = _sale(tx, fan_id, order.offer_id)
        policy, purse = sale.policy, _open_purse(tx, fan_id, sale)
        _check_for_sale(tx, sale, purse.stand)
        terms = _terms(sale.offer, policy, express=order.terms.express, business=_for_business(tx, order))
        campaign = _campaign(tx, order.terms.campaign_id, sale.offer, fan_id)
        terms = terms if campaign is None else campaigns.apply(campaign, terms, sale.offer)
        _check_price(terms.price_coins, expected_price_coins)
        order = replace(order, terms=terms, price_coins=terms.price_coins)
        paid = _paid(tx, order, policy, purse)
        advance.keep(tools, tx, paid, policy, did=Did("submit", Actor.FAN, before=order, posted="order.placed"))
        lines.ordered(tools, tx, purse.stand.places.mine, paid)
        _number(tx, paid, campaign)
        return _screened(tools, tx, paid, policy)

    return await once(tools, request, work, orders.get)


def _sale(tx: Tx, fan_id: ids.UserId, offer_id: str) -> Sale:
    """What is sold, to a fan for whom no rule says that it is not. The offer and its creator are held."""
    sale = ordering.find_sale(tx, offer_id, fan_id)
    if sale is None or sale.ruled:
        features.require_to_order(tx, fan_id, offer_id)
    if sale is None:
        raise errors.NotFoundError("There is no such offer.", path=("input", "offerId"))
    return sale


def _open_purse(tx: Tx, fan_id: ids.UserId, sale: Sale) -> _Purse:
    """Holds the wallet; what nobody else can change from now on is read after it."""
    promo = accounts.promo(fan_id).code
    lots = ledger_rows.list_of_spendable_lots(tx, promo, accounts.paid(fan_id).code)
    of_promo = tuple(lot for lot in lots if lot.account == promo)
    return _Purse(of_promo, tuple(lot for lot in lots if lot.account != promo), ordering.stand(tx, sale, fan_id))


def _drafted(tx: Tx, wish: Wish, sale: Sale, stand: Stand, order_id: ids.OrderId) -> _Drafted:
    fan_id, offer, creator, policy = stand.fan_id, sale.offer, sale.creator, sale.policy
    if creator.user_id == fan_id:
        raise errors.ValidationError("You cannot order from yourself.", code="OWN_OFFER", path=("input", "offerId"))
    _check_for_sale(tx, sale, stand)
    terms = _terms(offer, policy, express=wish.express, business=wish.brief.usage is Usage.BUSINESS)
    campaign = _campaign(tx, wish.campaign_id, offer, fan_id)
    terms = terms if campaign is None else campaigns.apply(campaign, terms, offer)
    _check_price(terms.price_coins, wish.expected_price_coins)
    order = Order(
        id=order_id,
        revision=1,
        state=State.DRAFT,
        fan_id=fan_id,
        creator_id=creator.id,
        offer_id=offer.id,
        terms=terms,
        price_coins=terms.price_coins,
        promo_coins=0,
        created_at=tx.now,
        updated_at=tx.now,
        state_at=tx.now,
    )
    return _Drafted(order, campaign)


def _paid(tx: Tx, draft: Order, policy: Policy, purse: _Purse) -> Order:
    """The order submitted, its price in escrow."""
    submitted = machine.move(draft, _SUBMIT, policy=policy, now=tx.now).after
    return replace(submitted, promo_coins=_hold(tx, draft, policy, purse))


def _screened(tools: Tools, tx: Tx, order: Order, policy: Policy) -> Order:
    if policy.screening is Screening.AUTOMATIC:
        return advance.advance(tools, tx, order, Command("screen_pass", Actor.POLICY))
    return order


def _hold(tx: Tx, order: Order, policy: Policy, purse: _Purse) -> int:
    """Moves the price to escrow, granted coins first; gives how many of them were granted."""
    wallets.check_unlocked(purse.stand.lock)
    _check_guards(tx, order, policy, purse.stand.standing)
    promo_free = sum(lot.remaining for lot in purse.promo_lots)
    paid_free = sum(lot.remaining for lot in purse.paid_lots)
    if promo_free + paid_free < order.price_coins:
        raise errors.InsufficientCoinsError(required_coins=order.price_coins, available_coins=promo_free + paid_free)
    promo = min(promo_free, order.price_coins)
    paid = order.price_coins - promo
    held = Held(
        order_id=order.id,
        fan_id=order.fan_id,
        paid_coins=paid,
        promo_coins=promo,
        paid_lots=ledger.hold(purse.paid_lots, paid, order_id=order.id),
        promo_lots=ledger.hold(purse.promo_lots, promo, order_id=order.id),
    )
    ledger_rows.post(tx, postings.order_placed(held), first=True)
    return promo


def _check_guards(tx: Tx, order: Order, policy: Policy, standing: Standing) -> None:
    """Whether the fan may spend this now. The wallet is held, so nobody else spends of it beside."""
    fan_id = order.fan_id
    if standing.locked or standing.closed_at is not None:
        raise locked_out(locked=standing.locked)
    spending.check_spending(
        standing,
        order.price_coins,
        Deed.ORDER,
        now=tx.now,
        policy=policy,
        history=lambda since: spending_rows.list_of_spent(tx, fan_id, since=since),
    )


def _campaign(tx: Tx, campaign_id: str | None, offer: Offer, fan_id: ids.UserId) -> Campaign | None:
    """The campaign that an order is to be in, whose creator is held; the fan's country is read only where it counts."""
    if campaign_id is None:
        return None
    campaign = campaign_rows.get(tx, campaign_id)
    fan = users.find(tx, fan_id) if campaign.countries else None
    campaigns.check_order(campaign, offer, country=None if fan is None else fan.country, now=tx.now)
    return campaign


def _number(tx: Tx, order: Order, campaign: Campaign | None) -> None:
    """Gives an order that was paid its number in the campaign; the database gives no number above the limit."""
    if campaign is not None:
        campaign_rows.insert_piece(tx, Piece(order.id, campaign.id, campaign.orders_count + 1, tx.now))


def _for_business(tx: Tx, order: Order) -> bool:
    brief = orders.find_brief(tx, order.id)
    return brief is not None and brief.usage is Usage.BUSINESS


def _terms(offer: Offer, policy: Policy, *, express: bool, business: bool) -> Terms:
    price = quotes.quote_coins(offer, express=express, business=business)
    return Terms(
        policy_version=policy.version,
        fee_bps=policy.fee_bps,
        base_coins=price.base_coins,
        express_coins=price.express_coins,
        duration_max_s=offer.duration_max_s,
        delivery_s=creators.delivery_s(offer, policy, express=express),
        business_coins=price.business_coins,
    )


def _check_for_sale(tx: Tx, sale: Sale, stand: Stand) -> None:
    if not sale.offer.active:
        raise errors.CreatorUnavailableError("This offer is not for sale now.", code="OFFER_INACTIVE")
    creators.check_takes_orders(sale.creator, now=tx.now)
    capacity.check_place(sale.creator, stand.places, sale.policy)


def _check_price(price_coins: int, expected_price_coins: int) -> None:
    if price_coins != expected_price_coins:
        raise errors.PriceChangedError(current_price_coins=price_coins)
