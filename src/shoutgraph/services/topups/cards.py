"""Gift cards: bought coins under a code. Whatever ends a card but its redemption gives them back to the same lots.

Whoever changes a card holds it before the wallets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.domain import (
    accounts,
    card_issues,
    cards as rules,
    errors,
    ids,
    journal,
    ledger,
    pages,
    postings,
    promotions,
    spending,
    wallets,
)
from shoutgraph.domain.cards import NO_WORDS, Card, CardState, Words
from shoutgraph.domain.features import Feature
from shoutgraph.domain.ledger import Lot
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.postings import Books
from shoutgraph.domain.requests import Request
from shoutgraph.domain.topups import booking
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.topups import codes
from shoutgraph.storage import (
    card_purchases as purchases,
    cards as rows,
    features,
    journal as journal_rows,
    ledger as ledger_rows,
    policies,
    promotions as attempts,
    spending as guards,
    turns,
    users,
    wallets as wallet_rows,
    withholding,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, in_its_turn, once

EXPIRE_MAX: Final = 100
"""The most cards that one unit of work lets lapse."""
CHANGED: Final = "gift_card.changed"
CODED: Final = "gift_card.code_made"


@dataclass(frozen=True, slots=True)
class Bought:
    """A card, and its code where it was only now made: it is not kept, so nobody can show it later."""

    card: Card
    code: str | None = None

    @property
    def id(self) -> str:
        """The card's id."""
        return self.card.id


async def buy(tools: Tools, viewer: Viewer, request: Request, *, coins: int, words: Words = NO_WORDS) -> Done[Bought]:
    """Sets bought coins aside under a code, which is shown now and never again; a lost one's card can be cancelled.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: the message or the name breaks a rule (an `ExceptionGroup` where both do).
        LimitExceededError: the coins are outside of the limits, or too many cards are open.
        InsufficientCoinsError: the wallet holds too few bought coins.
        WalletLockedError: the account or the wallet is locked.
        BuyingPausedError: the caller pauses buying, or has excluded themselves.
        FeatureUnavailableError: buying coins is off for the caller.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    buyer_id = viewer.require_user()
    rules.check_words(words)
    code, words = promotions.code_from(tools.new_secret()), rules.tidied(words)

    def work(tx: Tx) -> Bought:
        features.require(tx, Feature.TOPUPS, buyer_id)
        policy, user = policies.current(tx), users.get(tx, buyer_id)
        user.check_open()
        spending.check_open(guards.get(tx, buyer_id), tx.now)
        open_cards = len(rows.list_of_open(tx, buyer_id)) + purchases.count_of_waiting(tx, buyer_id)
        rules.check_coins(coins, open_cards=open_cards, policy=policy, path=("input", "coins"))
        lots = ledger_rows.list_of_spendable_lots(tx, accounts.paid(buyer_id).code)
        wallets.check_unlocked(wallet_rows.find_lock(tx, buyer_id))
        free = sum(lot.remaining for lot in lots)
        if free < coins:
            raise errors.InsufficientCoinsError(required_coins=coins, available_coins=free)
        card = Card(
            id=tools.new_id(ids.GIFT_CARD),
            buyer_id=buyer_id,
            coins=coins,
            digest=rules.digest_of(code),
            hint=code[-rules.HINT_CHARS :],
            state=CardState.OPEN,
            taken=ledger.take(lots, coins),
            created_at=tx.now,
            expires_at=rules.expiry(user.country, policy, tx.now),
            message=words.message,
            recipient_name=words.recipient_name,
        )
        ledger_rows.post(tx, postings.card_bought(user_id=buyer_id, ref=card.id, taken=card.taken))
        rows.insert(tx, card)
        tell(tools, tx, card)
        return Bought(card, code)

    return await once(tools, request, work, lambda tx, card_id: Bought(rows.get(tx, card_id)))


async def redeem(tools: Tools, viewer: Viewer, request: Request, code: str) -> Done[Card]:
    """Gives the coins of a card to whoever has its code, once; what they owe is paid first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: the code is of no card that can be redeemed, whatever the reason; or of one whose time has not
            come.
        LimitExceededError: too many codes were tried.
        WalletLockedError: the account is locked.
        FeatureUnavailableError: buying coins is off for the caller; the code stays good.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()
    await codes.attempt(tools, user_id, code, request)
    text = promotions.normal(code) or ""

    def work(tx: Tx) -> Card:
        features.require(tx, Feature.TOPUPS, user_id)
        users.get(tx, user_id).check_open()
        card = rules.check_redeemable(rows.find_by_code(tx, rules.digest_of(text)), now=tx.now)
        _hand_over(tools, tx, card, user_id)
        ended = replace(card, state=CardState.REDEEMED, redeemed_by=user_id, ended_at=tx.now)
        rows.end(tx, ended)
        attempts.forgive_attempt(tx, user_id)
        tell(tools, tx, ended)
        _repay_debt(tx, user_id, ended)
        return ended

    return await once(tools, request, work, rows.get)


async def cancel(tools: Tools, viewer: Viewer, request: Request, card_id: str) -> Done[Card]:
    """Cancels one's own open card; its coins go back to the lots that they came from, and pay what is owed first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: there is no such card of this person.
        ValidationError: the text is no card's id, or the card has ended.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    buyer_id = viewer.require_user()
    ids.parse(ids.GIFT_CARD, card_id, path=("input", "giftCardId"))

    def work(tx: Tx) -> Card:
        card = rows.get(tx, card_id)
        rules.check_open(card, buyer_id)
        return _ended(tools, tx, card, CardState.CANCELLED)

    return await once(tools, request, work, rows.get)


async def give_code(tools: Tools, viewer: Viewer, request: Request, card_id: str) -> Done[Bought]:
    """Makes a new code for one's own open card, which is shown now and never again; an older one is good no more.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: there is no such card of this person.
        ValidationError: the text is no card's id, or the card has ended.
        WalletLockedError: the account or the wallet is locked.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    buyer_id = viewer.require_user()
    ids.parse(ids.GIFT_CARD, card_id, path=("input", "giftCardId"))
    code = promotions.code_from(tools.new_secret())

    def work(tx: Tx) -> Bought:
        users.get(tx, buyer_id).check_open()
        card = rows.get(tx, card_id)
        rules.check_open(card, buyer_id)
        wallets.check_unlocked(wallet_rows.find_lock(tx, buyer_id))
        coded = replace(card, digest=rules.digest_of(code), hint=code[-rules.HINT_CHARS :])
        rows.set_code(tx, coded)
        tell(tools, tx, coded, kind=CODED)
        return Bought(coded, code)

    return await once(tools, request, work, lambda tx, of: Bought(rows.get(tx, of)))


async def void(tools: Tools, viewer: Viewer, request: Request, card_id: str, *, reason: str) -> Done[Card]:
    """Calls an open card back, whoever made it; bought coins are the buyer's again, granted ones end.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such card.
        ValidationError: the text is no card's id, the reason is empty or too long, or the card has ended.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    ids.parse(ids.GIFT_CARD, card_id, path=("input", "giftCardId"))
    card_issues.check_reason(reason)

    def work(tx: Tx) -> Card:
        card = rows.get(tx, card_id)
        rules.check_still_open(card)
        return _ended(tools, tx, card, CardState.VOIDED)

    return await once(tools, request, work, rows.get)


async def expire_due(tools: Tools) -> int:
    """Lets cards lapse whose time has come: their coins go back to the buyers; says how many.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """

    def find(tx: Tx, size: int) -> Sequence[Card]:
        return rows.list_of_due(tx, limit=size) if turns.take(tx, "gift cards") else ()

    def work(tx: Tx, due: Sequence[Card]) -> int:
        for card in due:
            _ended(tools, tx, card, CardState.EXPIRED)
        return len(due)

    return await in_its_turn(tools, "expiry of", find, work, limit=EXPIRE_MAX, name=lambda card: card.id)


async def list_of_redeemable_since(tools: Tools, of: Sequence[Card]) -> list[datetime]:
    """From when on codes of cards that the viewer may see are good: the beginning, or some time after payment."""
    found = await tools.store.read(lambda tx: rows.list_of_payments(tx, [card.id for card in of]))

    def since(card: Card) -> datetime:
        paid_at, body = found.get(card.id, (card.created_at, None))
        wait = timedelta(seconds=policies.read_newest(body).card_wait_s)
        return max(card.created_at, paid_at + wait)

    return [since(card) for card in of]


async def page(tools: Tools, viewer: Viewer, args: PageArgs) -> Page[Card]:
    """A page of the cards that the viewer bought, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
    """
    buyer_id = viewer.require_user()
    found = await tools.store.read(lambda tx: rows.list_of_page(tx, args, buyer_id=buyer_id))
    return pages.cut(found, args, scope=scope_of(buyer_id), key_of=lambda card: (card.id,))


async def page_of_issue(tools: Tools, viewer: Viewer, issue_id: str, args: PageArgs) -> Page[Card]:
    """A page of the cards that two people issued together, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: rows.list_of_page(tx, args, issue_id=issue_id))
    return pages.cut(found, args, scope=scope_of(issue_id), key_of=lambda card: (card.id,))


async def list_by_id(tools: Tools, viewer: Viewer, card_ids: Sequence[str]) -> list[Card | None]:
    """Cards by id, None where there is none that this viewer bought, redeemed, or may see as finance."""
    found = await tools.store.read(lambda tx: rows.list_of(tx, card_ids))

    def visible(card: Card) -> bool:
        own = viewer.user_id is not None and viewer.user_id in {card.buyer_id, card.redeemed_by}
        return own or viewer.has(Scope.FINANCE_READ)

    return [card if card is not None and visible(card) else None for card in found]


def scope_of(whose: str | None) -> str:
    """Names the list of somebody's cards, or of an issue, so that a cursor of another one is refused."""
    return pages.scope_of("gift cards", whose)


def held_of(tx: Tx, topup: Topup) -> list[Card]:
    """The open cards that hold coins of a top-up; they are held from now on."""
    own = {lot.id for lot in ledger_rows.list_of_lots_of_topup(tx, topup.id)}
    return [card for card in rows.list_of_open(tx, topup.user_id) if own & {move.lot_id for move in card.taken}]


def give_back(tools: Tools, tx: Tx, card: Card, state: CardState) -> Card:
    """Ends a card whose coins return: bought ones to the buyer, granted ones to where they came from."""
    if card.buyer_id is None:
        ledger_rows.post(tx, card_issues.returned(card))
    else:
        _return(tools, tx, card, card.buyer_id)
    ended = replace(card, state=state, ended_at=tx.now)
    rows.end(tx, ended)
    tell(tools, tx, ended)
    return ended


def _return(tools: Tools, tx: Tx, card: Card, buyer_id: ids.UserId) -> None:
    """To the lots that they came from, and what finds no room there to a new one of the first's price."""
    ledger_rows.hold_wallets(tx, accounts.paid(buyer_id).code)
    holding, lot_ids = accounts.holding(rules.HOLDING, card.id).code, [move.lot_id for move in card.taken]
    home = booking.way_home(card.taken, wallet_rows.rooms(tx, lot_ids, ending=holding))
    like = ledger_rows.find_lot(tx, lot_ids[0]) if home.fresh_coins else None
    fresh = None if like is None else _fresh(tools, like, home.fresh_coins)
    ledger_rows.post(tx, postings.card_returned(user_id=buyer_id, ref=card.id, given=home.given, fresh=fresh))
    _close(tx, card)


def _hand_over(tools: Tools, tx: Tx, card: Card, user_id: ids.UserId) -> None:
    """Moves the coins of a card to whoever has its code, as lots of the same price, or as granted ones."""
    if card.issue_id is not None:
        ledger_rows.hold_wallets(tx, accounts.promo(user_id).code)
        new_id, policy = tools.new_id(ids.LOT), policies.current(tx)
        granted = card_issues.granted_lot(card, new_id, by=user_id, policy=policy, now=tx.now)
        ledger_rows.post(tx, card_issues.redeemed(card, granted))
        return
    ledger_rows.hold_wallets(tx, accounts.paid(user_id).code)
    sources = [lot for move in card.taken if (lot := ledger_rows.find_lot(tx, move.lot_id)) is not None]
    wait = timedelta(seconds=policies.in_force_at(tx, card.created_at).card_wait_s)
    rules.check_waited(sources, wait=wait, now=tx.now)
    fresh = rules.redeemed_lots(card, sources, [tools.new_id(ids.LOT) for _ in card.taken], by=user_id, now=tx.now)
    ledger_rows.post(tx, postings.card_redeemed(user_id=user_id, ref=card.id, lots=fresh))
    _close(tx, card)


def _ended(tools: Tools, tx: Tx, card: Card, state: CardState) -> Card:
    """Ends a card, and lets what came back pay what its buyer owes before it can be spent."""
    ended = give_back(tools, tx, card, state)
    if ended.buyer_id is not None:
        _repay_debt(tx, ended.buyer_id, ended)
    return ended


def _fresh(tools: Tools, like: Lot, coins: int) -> Lot:
    price_minor = like.price_minor * coins // like.granted
    return replace(like, id=tools.new_id(ids.LOT), granted=coins, remaining=coins, price_minor=price_minor)


def _repay_debt(tx: Tx, user_id: ids.UserId, card: Card) -> None:
    policy = policies.current(tx)
    withholding.repay(tx, user_id, Books(policy.book_currency, policy.par_units), ref=card.id)


def _close(tx: Tx, card: Card) -> None:
    ledger_rows.close(tx, accounts.holding(rules.HOLDING, card.id).code)


def tell(tools: Tools, tx: Tx, card: Card, *, kind: str = CHANGED) -> None:
    """Writes a line of a card's story."""
    body: journal.Body = {
        "user": card.buyer_id,
        "state": card.state.value,
        "coins": card.coins,
        "origin": card.origin.value,
        "topup": card.topup_id,
        "issue": card.issue_id,
    }
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=card.id, type=kind, body=body)
    journal_rows.append(tx, event)
