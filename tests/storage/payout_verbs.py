"""What happens to the real books when earnings are paid out, also in the currency of the creator's own account."""

from tests.storage import suspense_verbs
from tests.storage.books import EUR, Books
from tests.storage.facts import BOOK, PAR, Outcome, Payout

from shoutgraph.domain import accounts, exchanges, ids, payout_postings
from shoutgraph.domain.exchanges import Exchange
from shoutgraph.domain.money import BOOK_UNITS_PER_MINOR, Money
from shoutgraph.domain.packages import Rate
from shoutgraph.domain.payouts import Payout as Asked
from shoutgraph.domain.recipients import Recipient, RecipientState
from shoutgraph.storage import exchanges as exchange_rows, ledger as rows, payouts, rates, recipients
from shoutgraph.storage.tx import Tx


def publish_rate(_books: Books, tx: Tx, currency: str, version: int, numerator: int, denominator: int) -> Outcome:
    rates.insert(tx, [Rate(currency, BOOK, version, numerator, denominator)])
    return Outcome.DONE


def ask_payout(books: Books, tx: Tx, payout: Payout) -> Outcome:
    exchange = None
    if payout.currency != BOOK:
        rate = rates.find_in_force(tx, payout.currency, BOOK)
        assert rate is not None, "every currency has a rate"
        gross = Money(payout.coins * PAR // BOOK_UNITS_PER_MINOR, BOOK)
        exchange = exchanges.exchange(gross, rate, spread_bps=payout.spread_bps)
        if not exchange.amount_minor:
            return Outcome.NOTHING
    asked = payout_postings.requested(
        payout_id=ids.PayoutId(payout.id), creator_id=ids.CreatorId(payout.creator), coins=payout.coins
    )
    said = books.post(tx, asked)
    if exchange is not None:
        _agree(tx, payout, exchange)
    return said


def payout_paid(books: Books, tx: Tx, payout: Payout) -> Outcome:
    paid = payout_postings.paid(
        EUR,
        payout_id=ids.PayoutId(payout.id),
        coins=payout.coins,
        instance=payout.instance,
        exchange=_agreed(tx, payout),
    )
    said = _finished(tx, payout, books.post(tx, paid))
    if said is Outcome.DONE:
        suspense_verbs.clear(books, tx, payout.instance, payout.id)
    return said


def payout_failed(books: Books, tx: Tx, payout: Payout) -> Outcome:
    failed = payout_postings.failed(
        payout_id=ids.PayoutId(payout.id), creator_id=ids.CreatorId(payout.creator), coins=payout.coins
    )
    return _finished(tx, payout, books.post(tx, failed))


def payout_returned(books: Books, tx: Tx, payout: Payout) -> Outcome:
    """Money that came back was paid before, even where nobody told us."""
    payout_paid(books, tx, payout)
    returned = payout_postings.returned(
        EUR,
        payout_id=ids.PayoutId(payout.id),
        creator_id=ids.CreatorId(payout.creator),
        coins=payout.coins,
        instance=payout.instance,
        exchange=_agreed(tx, payout),
    )
    return books.post(tx, returned)


def _agree(tx: Tx, payout: Payout, exchange: Exchange) -> None:
    """Keeps at what it is exchanged, for good: the law compares it with what is posted later."""
    creator_id, recipient_id = ids.CreatorId(payout.creator), f"recipient_{payout.id}"
    recipient = Recipient(recipient_id, creator_id, payout.instance, "Bank", "DE00", RecipientState.READY, tx.now)
    recipients.insert(tx, recipient)
    asked = Asked(
        id=ids.PayoutId(payout.id),
        revision=1,
        creator_id=creator_id,
        recipient_id=recipient_id,
        instance=payout.instance,
        coins=payout.coins,
        amount_minor=exchange.amount_minor,
        currency=payout.currency,
        key=payout.id,
        created_at=tx.now,
        updated_at=tx.now,
    )
    payouts.insert(tx, asked, ())
    exchange_rows.insert(tx, asked.id, exchange)


def _agreed(tx: Tx, payout: Payout) -> Exchange | None:
    return None if payout.currency == BOOK else exchange_rows.find(tx, ids.PayoutId(payout.id))


def _finished(tx: Tx, payout: Payout, said: Outcome) -> Outcome:
    if said is Outcome.DONE:
        rows.close(tx, accounts.holding("payout", payout.id).code)
    return said
