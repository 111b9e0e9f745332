"""Sending gifts: paid coins of the fan become an earning of the creator, less the fee, in one transfer."""

from dataclasses import dataclass
from datetime import timedelta

from shoutgraph.domain import accounts, errors, fees, gifts as rules, ids, ledger, postings, spending, wallets
from shoutgraph.domain.ages import Deed
from shoutgraph.domain.checks import tidy
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.earnings import Earning, EarningKind
from shoutgraph.domain.features import Feature
from shoutgraph.domain.gifts import Gift, Sticker
from shoutgraph.domain.ledger import LotMove
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Viewer
from shoutgraph.services.gifts import telling
from shoutgraph.storage import (
    creators,
    earnings,
    features,
    gifts as rows,
    ledger as ledger_rows,
    policies,
    spending as spending_rows,
    stickers,
    users,
    wallets as wallet_rows,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once


@dataclass(frozen=True, slots=True)
class Wish:
    """What a fan wants to give: so many of a sticker, at the price they saw. Units: coins."""

    creator_id: str
    sticker_id: str
    expected_price_coins: int
    quantity: int = 1
    message: str | None = None
    live_session: str | None = None


async def send(tools: Tools, viewer: Viewer, request: Request, wish: Wish) -> Done[Gift]:
    """Sends a gift. Only bought coins are given: granted ones are never taken for it.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: there is no such creator, or the sticker is given no more.
        ValidationError: a field breaks a rule, or the creator is the fan (an `ExceptionGroup` where several fields do).
        FeatureUnavailableError: gifts are off for the fan, or for the creator.
        CreatorUnavailableError: the creator takes no gifts.
        PriceChangedError: the price is no longer the one the fan saw.
        LimitExceededError: it is more than may be given at once or in a day, beyond a limit of the fan's own or of
            their country, or too fast after others.
        InsufficientCoinsError: the wallet holds too few bought coins.
        WalletLockedError: the account or the wallet is locked.
        AgeRestrictedError: the fan is too young to give, or did not say how old they are.
        BuyingPausedError: the fan pauses buying, or has excluded themselves.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    fan_id = viewer.require_user()

    def work(tx: Tx) -> Gift:
        policy = policies.current(tx)
        features.require_with_creator(tx, Feature.GIFTS, fan_id, wish.creator_id)
        message = None if wish.message is None else tidy(wish.message) or None
        rules.check_wish(quantity=wish.quantity, message=message, live_session=wish.live_session, policy=policy)
        sticker, creator = _sticker(tx, wish), _taker(tx, fan_id, wish)
        coins = sticker.coins * wish.quantity
        if coins != wish.expected_price_coins:
            raise errors.PriceChangedError(current_price_coins=coins)
        taken = _take(tx, fan_id, coins, policy)
        fee_coins = fees.split(paid_coins=coins, promo_coins=0, fee_bps=policy.gift_fee_bps).fee_coins
        gift = Gift(
            id=ids.GiftId(tools.new_id(ids.GIFT)),
            creator_id=creator.id,
            user_id=fan_id,
            sticker_id=sticker.id,
            earning_id=tools.new_id(ids.EARNING),
            quantity=wish.quantity,
            coins=coins,
            fee_coins=fee_coins,
            message=message,
            live_session=wish.live_session,
            sent_at=tx.now,
        )
        _keep(tx, gift, taken, policy)
        telling.tell(tools, tx, gift, telling.SENT)
        return gift

    return await once(tools, request, work, rows.get, foresee=lambda tx: _foresee(tx, fan_id, wish))


def _foresee(tx: Tx, fan_id: ids.UserId, wish: Wish) -> None:
    """Asks ahead what sending asks, in the order in which things are held."""
    policies.foresee_current(tx)
    features.foresee_with_creator(tx, Feature.GIFTS, fan_id, wish.creator_id)
    stickers.foresee_current(tx, wish.sticker_id)
    users.foresee(tx, fan_id)
    creators.foresee(tx, wish.creator_id)
    ledger_rows.foresee_spendable_lots(tx, accounts.paid(fan_id).code)
    wallet_rows.foresee_lock(tx, fan_id)
    spending_rows.foresee_standing(tx, fan_id)


def _sticker(tx: Tx, wish: Wish) -> Sticker:
    sticker = stickers.find_current(tx, wish.sticker_id)
    if sticker is None:
        raise errors.NotFoundError("There is no such sticker now.", path=("input", "stickerId"))
    return sticker


def _taker(tx: Tx, fan_id: ids.UserId, wish: Wish) -> Creator:
    """Whom the fan may give to; both are held."""
    users.get(tx, fan_id).check_open()
    creator = creators.get(tx, wish.creator_id)
    rules.check_taken(creator, fan_id)
    return creator


def _take(tx: Tx, fan_id: ids.UserId, coins: int, policy: Policy) -> tuple[LotMove, ...]:
    """The lots that pay, once nobody else can spend from this wallet."""
    lots = ledger_rows.list_of_spendable_lots(tx, accounts.paid(fan_id).code)
    wallets.check_unlocked(wallet_rows.find_lock(tx, fan_id))
    standing = spending_rows.standing(tx, fan_id)
    rules.check_limits(coins, given_coins=standing.day_gift_coins, policy=policy)
    spending.check_spending(
        standing,
        coins,
        Deed.GIFT,
        now=tx.now,
        policy=policy,
        history=lambda since: spending_rows.list_of_spent(tx, fan_id, since=since),
    )
    free = sum(lot.remaining for lot in lots)
    if free < coins:
        raise errors.InsufficientCoinsError(required_coins=coins, available_coins=free)
    return ledger.take(lots, coins)


def _keep(tx: Tx, gift: Gift, taken: tuple[LotMove, ...], policy: Policy) -> None:
    sent = postings.gift_sent(
        ref=gift.id, user_id=gift.user_id, creator_id=gift.creator_id, fee_coins=gift.fee_coins, taken=taken
    )
    ledger_rows.post(tx, sent, first=True)
    earning = Earning(
        id=gift.earning_id,
        creator_id=gift.creator_id,
        kind=EarningKind.GIFT,
        subject_id=gift.id,
        coins=gift.earning_coins,
        fee_coins=gift.fee_coins,
        earned_at=tx.now,
        matures_at=tx.now + timedelta(seconds=policy.earnings_hold_s),
    )
    earnings.insert(tx, earning)
    rows.insert(tx, gift)
