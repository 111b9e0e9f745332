"""What happens to the real books when coins are put under a code, and when money in other currencies is valued anew."""

from dataclasses import replace

from tests.storage.books import Books
from tests.storage.facts import BOOK, Outcome

from shoutgraph.domain import accounts, cards, errors, ids, ledger, packages, postings
from shoutgraph.domain.ledger import Lot, LotMove
from shoutgraph.domain.topups import booking
from shoutgraph.storage import ledger as rows, wallets
from shoutgraph.storage.tx import Tx


def buy_card(books: Books, tx: Tx, ref: str, user: str, coins: int) -> Outcome:
    user_id = ids.UserId(user)
    lots = rows.list_of_spendable_lots(tx, accounts.paid(user_id).code)
    there = sum(lot.remaining for lot in lots)
    if there < coins:
        raise errors.InsufficientCoinsError(required_coins=coins, available_coins=there)
    taken = ledger.take(lots, coins)
    books.cards[ref] = (user, taken)
    return books.post(tx, postings.card_bought(user_id=user_id, ref=ref, taken=taken))


def redeem_card(books: Books, tx: Tx, ref: str, user: str) -> Outcome:
    if _ended(tx, ref):
        return Outcome.ENDED
    user_id, (buyer, taken) = ids.UserId(user), books.cards[ref]
    card = cards.Card(
        id=ref,
        buyer_id=ids.UserId(buyer),
        coins=-sum(move.coins for move in taken),
        digest=b"",
        hint="",
        state=cards.CardState.OPEN,
        taken=taken,
        created_at=tx.now,
    )
    new_ids = [f"{ref}:{at:02}" for at in range(len(taken))]
    lots = cards.redeemed_lots(card, _sources(tx, taken), new_ids, by=user_id, now=tx.now)
    said = books.post(tx, postings.card_redeemed(user_id=user_id, ref=ref, lots=lots))
    rows.close(tx, accounts.holding(cards.HOLDING, ref).code)
    books.repay(tx, user, f"card:{ref}")
    return said


def return_card(books: Books, tx: Tx, ref: str) -> Outcome:
    if _ended(tx, ref):
        return Outcome.ENDED
    said = _give_back(books, tx, ref)
    books.repay(tx, books.cards[ref][0], f"card:{ref}")
    return said


def revalue(books: Books, tx: Tx, ref: str, rates: dict[str, int]) -> Outcome:
    gain = rows.balance_coins(tx, accounts.money_account("fx", BOOK).code)
    for currency, numerator in rates.items():
        held = rows.balance_coins(tx, accounts.money_account("fx", currency).code)
        gain += packages.worth_units(held, packages.Rate(currency, BOOK, 1, numerator, 1))
    if not gain:
        return Outcome.NOTHING
    return books.post(tx, postings.fx_revalued(currency=BOOK, ref=ref, gain_units=gain))


def revoke(books: Books, tx: Tx, user: str, own: list[Lot]) -> None:
    own_ids = {lot.id for lot in own}
    for ref, (buyer, taken) in sorted(books.cards.items()):
        if buyer == user and own_ids & {move.lot_id for move in taken} and not _ended(tx, ref):
            _give_back(books, tx, ref)


def _give_back(books: Books, tx: Tx, ref: str) -> Outcome:
    user, taken = books.cards[ref]
    lots = _sources(tx, taken)
    room = wallets.rooms(tx, [lot.id for lot in lots], ending=accounts.holding(cards.HOLDING, ref).code)
    home, fresh = booking.way_home(taken, room), None
    if home.fresh_coins:
        fresh = replace(lots[0], id=f"fresh_{ref}", granted=home.fresh_coins, remaining=home.fresh_coins)
    said = books.post(tx, postings.card_returned(user_id=ids.UserId(user), ref=ref, given=home.given, fresh=fresh))
    rows.close(tx, accounts.holding(cards.HOLDING, ref).code)
    return said


def _ended(tx: Tx, ref: str) -> bool:
    return any(rows.find_transfer(tx, kind, ref) for kind in ("card.redeemed", "card.returned"))


def _sources(tx: Tx, taken: tuple[LotMove, ...]) -> list[Lot]:
    return [lot for move in taken if (lot := rows.find_lot(tx, move.lot_id)) is not None]
