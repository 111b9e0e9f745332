"""The real books behind one door: each verb is a unit of work on a migrated database, as services write it."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import count
from typing import Any, Final

import sqlalchemy as sa
from tests.storage import databases
from tests.storage.databases import Clock, Place
from tests.storage.facts import BOOK, PAR, Outcome

from shoutgraph.domain import accounts, clock, errors, ids, ledger, postings
from shoutgraph.domain.ledger import LotMove, Transfer
from shoutgraph.domain.money import BOOK_UNITS_PER_MINOR
from shoutgraph.domain.proof import Law
from shoutgraph.domain.topups.booking import Dispute
from shoutgraph.storage import ledger as rows, ledger_proof
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

EUR: Final = postings.Books(BOOK, PAR)
GRACE: Final = timedelta(days=7)
"""How long granted coins live on that come back after they lapsed."""

Work = Callable[[Tx], Outcome]

_WORDS: Final = {
    "no_overdraft": Outcome.OVERDRAFT,
    "no_overcredit": Outcome.OVERCREDIT,
    "FOREIGN KEY constraint failed": Outcome.UNTIED,
    "violates foreign key constraint": Outcome.UNTIED,
    "and its escrow holds": Outcome.UNTIED,
    "and its lots": Outcome.UNTIED,
    "is closed for ever": Outcome.NOT_ZERO,
    "lot_remaining": Outcome.EMPTY_LOT,
    "gives back to a lot at most": Outcome.FOREIGN_COINS,
    "an order that has ended stays ended": Outcome.OVER,
    "closed_is_zero": Outcome.NOT_ZERO,
    "with another asset, floor or tie": Outcome.OTHER_ACCOUNT,
    "to an account that does not exist": Outcome.NO_ACCOUNT,
    "there is no open account": Outcome.NO_ACCOUNT,
    "expires when it was said to, or later": Outcome.EARLIER,
    "a lot is opened once": Outcome.SECOND_LOT,
    "lot_pkey": Outcome.SECOND_LOT,
}
_CODES: Final = {
    "ACCOUNT_NOT_ADJUSTABLE": Outcome.NO_PLACE,
    "SECOND_PERSON": Outcome.SAME_PERSON,
    "SUSPENSE_STATE": Outcome.OTHERWISE,
}

_ACCOUNTS = Statement[tuple[str, int, int]](lambda: sa.text("SELECT code, credits - debits, closed FROM account"))
_LOTS = Statement[tuple[str, int, int]](
    lambda: sa.text("SELECT id, remaining, expires_at FROM lot WHERE remaining <> 0")
)
_TRANSFERS = Statement[tuple[str, str]](lambda: sa.text("SELECT kind, ref FROM transfer"))
_ORDERS = Statement[tuple[str, str, int]](lambda: sa.text("SELECT id, state, price_coins FROM orders"))
_LINES = Statement[tuple[str, str, int]](lambda: sa.text("SELECT id, state, amount_minor FROM suspense_line"))


class Books:
    """One database with one writer. `taken`, `disputes` and `cards` are what services keep in tables of their own."""

    def __init__(self, place: Place, clock: Clock) -> None:
        self.clock = clock
        self.posted: dict[tuple[str, str], Transfer] = {}
        self.taken: dict[str, tuple[LotMove, ...]] = {}
        self.bonuses: dict[str, tuple[LotMove, ...]] = {}
        self.disputes: dict[str, Dispute] = {}
        self.cards: dict[str, tuple[str, tuple[LotMove, ...]]] = {}
        self._events = count()
        self._loop = asyncio.new_event_loop()
        self._place = place
        self._store = databases.opened(place.database(), clock, readers=1)

    def close(self) -> None:
        self._store.close()
        self._loop.close()
        self._place.drop()

    def run(self, work: Work) -> Outcome:
        """One unit of work, from BEGIN to COMMIT."""
        try:
            return self._store.write_now(work)
        except (errors.ShoutgraphError, errors.InvariantError) as error:
            return word_of(error)

    def race(self, works: Iterable[Work]) -> list[Outcome]:
        """Several units of work at once; those that meet in the queue share a COMMIT."""

        async def all_at_once() -> list[Any]:
            return await asyncio.gather(*(self._store.write(work) for work in works), return_exceptions=True)

        said = self._loop.run_until_complete(all_at_once())
        return [each if isinstance(each, Outcome) else word_of(each) for each in said]

    def read(self, query: Callable[[Tx], Any]) -> Any:
        return self._store.read_now(query)

    def look(self, *, laws: bool = True) -> dict[str, Any]:
        """Everything that the auditor knows too, and what is wrong by the laws of the books, in one snapshot."""

        def query(tx: Tx) -> dict[str, Any]:
            found = tx.all(_ACCOUNTS)
            wrong = ledger_proof.verify(tx, books=EUR) if laws else []
            return {  # cards are kept here, and not in their table
                "balances": {code: balance for code, balance, _ in found if balance},
                "closed": {code for code, _, closed in found if closed},
                "lots": {lot_id: (left, until and clock.from_micros(until)) for lot_id, left, until in tx.all(_LOTS)},
                "transfers": set(tx.all(_TRANSFERS)),
                "orders": {order_id: (state, price) for order_id, state, price in tx.all(_ORDERS)},
                "lines": {line_id: (state, minor * BOOK_UNITS_PER_MINOR) for line_id, state, minor in tx.all(_LINES)},
                "violations": [each for each in wrong if each.law is not Law.CARDS],
            }

        return self.read(query)

    def post(self, tx: Tx, transfer: Transfer) -> Outcome:
        if not rows.post(tx, transfer):
            return Outcome.AGAIN
        self.posted[transfer.kind, transfer.ref] = transfer
        return Outcome.DONE

    def event_id(self) -> str:
        return f"event_{next(self._events):026}"

    def repay(self, tx: Tx, user: str, ref: str) -> None:
        """What a user owes is paid by whatever coins came."""
        user_id = ids.UserId(user)
        owed = -rows.balance_coins(tx, accounts.debt(user_id).code)
        lots = rows.list_of_spendable_lots(tx, accounts.paid(user_id).code)
        coins = min(owed, sum(lot.remaining for lot in lots))
        if coins:
            self.post(tx, postings.debt_repaid(EUR, user_id=user_id, ref=ref, taken=ledger.take(lots, coins)))

    def live_on(self, tx: Tx, given: Iterable[LotMove]) -> None:
        """Granted coins that come back after they lapsed get a few days more."""
        for move in given:
            lot = rows.find_lot(tx, move.lot_id)
            if lot is not None and lot.expires_at is not None and lot.expires_at <= self.clock.now:
                rows.extend_lot(tx, lot.id, self.clock.now + GRACE)


def word_of(error: Exception) -> Outcome:
    """The outcome that a refusal or a broken law stands for; anything else is a bug and is raised."""
    match error:
        case errors.LedgerConflictError():
            return Outcome.CONFLICT
        case errors.StaleRevisionError():
            return Outcome.STALE
        case errors.InsufficientCoinsError():
            return Outcome.TOO_FEW
        case errors.ForbiddenError() | errors.ValidationError() if error.code in _CODES:
            return _CODES[error.code]
        case errors.InvariantError():
            for text, word in _WORDS.items():
                if text in str(error):
                    return word
    raise error
