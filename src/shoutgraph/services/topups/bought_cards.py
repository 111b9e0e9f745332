"""Gift cards that are bought with money: a top-up like any other, whose coins go under a code in the same unit of work.

The lot is that of the top-up, so whatever takes money back finds the card by it. Where the buyer's account or wallet is
locked by then, or they owe coins, there is no card: the coins stay in the wallet, and pay what is owed.
"""

from collections.abc import Sequence
from dataclasses import replace

from shoutgraph.domain import accounts, cards as rules, errors, ids, postings, wallets
from shoutgraph.domain.cards import Card, CardState, Origin, Purchase, PurchaseState, Words
from shoutgraph.domain.ledger import Lot, LotMove
from shoutgraph.domain.topups.topup import Terms, Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.services.topups import cards
from shoutgraph.services.topups.desk import Desk
from shoutgraph.storage import (
    card_purchases as rows,
    cards as card_rows,
    ledger as ledger_rows,
    policies,
    users,
    wallets as wallet_rows,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


def check(tx: Tx, buyer_id: ids.UserId, terms: Terms) -> None:
    """Refuses a purchase that cannot become a card. The buyer is held, so nobody else buys for them beside.

    Raises:
        LimitExceededError: the coins are outside of the limits of a card, or too many cards are open.
        ValidationError: coins are owed.
        WalletLockedError: the wallet is locked.
    """
    wallets.check_unlocked(wallet_rows.find_lock(tx, buyer_id))
    rules.check_no_debt(wallet_rows.balances(tx, buyer_id).debt_coins)
    open_cards = len(card_rows.list_of_open(tx, buyer_id)) + rows.count_of_waiting(tx, buyer_id)
    path = ("input", "buy")
    rules.check_coins(terms.coins, open_cards=open_cards, policy=policies.current(tx), path=path)


def reserve(tx: Tx, topup: Topup, words: Words | None) -> None:
    """Keeps that a new top-up is for a card, where it is, and what its buyer says with it."""
    if words is None:
        return
    kept = rules.tidied(words)
    rows.insert(tx, Purchase(topup.id, topup.user_id, tx.now, kept.message, kept.recipient_name))


def go_on(tx: Tx, topup: Topup, following: Topup) -> None:
    """The top-up that goes on in the place of another is for the same card."""
    wanted = rows.find(tx, topup.id) if topup.terms.as_card else None
    if wanted is not None:
        rows.insert(tx, replace(wanted, topup_id=following.id, created_at=tx.now))


def issue(desk: Desk, topup: Topup, lot: Lot) -> None:
    """Makes the card of a top-up that is being credited; its wallet is held. Nobody knows its code yet."""
    if not topup.terms.as_card:
        return
    tx, wanted = desk.tx, rows.find(desk.tx, topup.id)
    assert wanted is not None, "a top-up for a card says what card"
    user = users.find(tx, topup.user_id)
    assert user is not None, "whoever buys is there"
    kept = rules.why_kept(
        account_open=not user.locked and user.closed_at is None,
        wallet_open=wallet_rows.find_lock(tx, user.id) is None,
        debt_coins=wallet_rows.balances(tx, user.id).debt_coins,
    )
    decided = replace(wanted, decided_at=tx.now)
    if kept is not None:
        rows.decide(tx, replace(decided, state=PurchaseState.KEPT, kept=kept))
        return
    card_id = desk.tools.new_id(ids.GIFT_CARD)
    card = Card(
        id=card_id,
        buyer_id=user.id,
        coins=lot.granted,
        digest=rules.no_code(card_id),
        hint="",
        state=CardState.OPEN,
        taken=(LotMove(lot.id, -lot.granted),),
        created_at=tx.now,
        expires_at=rules.expiry(user.country, policies.current(tx), tx.now),
        message=wanted.message,
        origin=Origin.PURCHASE,
        topup_id=topup.id,
        recipient_name=wanted.recipient_name,
    )
    ledger_rows.post(tx, postings.card_bought(user_id=user.id, ref=card.id, taken=card.taken))
    card_rows.insert(tx, card)
    rows.decide(tx, replace(decided, state=PurchaseState.ISSUED, card_id=card.id))
    cards.tell(desk.tools, tx, card)


def call_back(desk: Desk, topup: Topup) -> Card | None:
    """Ends the open card of a top-up whose money is to go back, so that its coins can; gives the card.

    Whoever does holds the top-up.
    """
    card = card_rows.find_of_topup(desk.tx, topup.id) if topup.terms.as_card else None
    if card is None or card.state is not CardState.OPEN:
        return None
    return cards.give_back(desk.tools, desk.tx, card, CardState.REVOKED)


def counted(tx: Tx, topup: Topup, lots: Sequence[Lot]) -> tuple[Lot, ...]:
    """Lots of a top-up as if its open card were called back."""
    card = card_rows.find_of_topup(tx, topup.id) if topup.terms.as_card else None
    under = {} if card is None or card.state is not CardState.OPEN else {m.lot_id: -m.coins for m in card.taken}
    return tuple(replace(lot, remaining=lot.remaining + under.get(lot.id, 0)) for lot in lots)


def why_not_a_part(tx: Tx, topup: Topup, coins: int) -> str | None:
    """The code of why so many coins of a purchase cannot go back, if they are a part of what is under its open card."""
    card = card_rows.find_of_topup(tx, topup.id) if topup.terms.as_card else None
    if card is None or card.state is not CardState.OPEN:
        return None
    mine = accounts.paid(topup.user_id).code
    paid = [lot for lot in ledger_rows.list_of_lots_of_topup(tx, topup.id) if lot.account == mine]
    left = sum(lot.remaining for lot in counted(tx, topup, paid))
    try:
        rules.check_whole(card, coins=coins, left_coins=left)
    except errors.ValidationError as refused:
        return refused.code
    return None


async def list_of_topups(
    tools: Tools, viewer: Viewer, of: Sequence[Topup]
) -> list[tuple[Purchase, Card | None] | None]:
    """The cards that purchases which the viewer may see are for, None where they are for the wallet."""
    if not of:
        return []
    found = await tools.store.read(lambda tx: rows.list_of(tx, [topup.id for topup in of]))
    made = [each.card_id for each in found if each is not None and each.card_id is not None]
    shown = dict(zip(made, await cards.list_by_id(tools, viewer, made), strict=True)) if made else {}
    return [None if each is None else (each, shown.get(each.card_id or "")) for each in found]
