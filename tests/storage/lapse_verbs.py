"""What happens to the real books when bought coins lapse, and when they come back."""

from datetime import timedelta

from tests.storage.books import EUR, Books
from tests.storage.facts import T0, Outcome

from shoutgraph.domain import accounts, dormancy as rules, ids, policies
from shoutgraph.domain.dormancy import Dormancy, DormancyId, Lapse
from shoutgraph.domain.lapse_rules import LapseOutcome, Rule
from shoutgraph.domain.ledger import Lot
from shoutgraph.domain.users import User
from shoutgraph.storage import dormancy, lapses, lapsing, ledger as rows, policies as published, users
from shoutgraph.storage.tx import Tx

NOTICE = timedelta(days=14)


def let_lapse(books: Books, tx: Tx, ref: str, user: str, to: str) -> Outcome:
    """The notice is over as soon as it is given: how long one runs is no matter of the books."""
    user_id = ids.UserId(user)
    free = rows.list_of_spendable_lots(tx, accounts.paid(user_id).code)
    before = lapses.ever_lapsed(tx, [lot.id for lot in free])
    lots = [lot for lot in free if lot.id not in before]
    if not lots:
        return Outcome.NOTHING
    outcome = LapseOutcome.INCOME if to.startswith("rev:") else LapseOutcome.UNCLAIMED
    notice = Dormancy(
        id=DormancyId(ref),
        user_id=user_id,
        rule=Rule("DE", outcome, 6, NOTICE.days),
        policy_version=policies.FIRST.version,
        inactive_since=T0 - NOTICE,
        noticed_at=tx.now,
        lapses_at=tx.now + NOTICE,
        coins=sum(lot.remaining for lot in lots),
    )
    _know(tx, user_id)
    dormancy.insert(tx, notice)
    for lot in lots:
        lapse = rules.lapse_of(notice, lot, now=notice.lapses_at)
        books.post(tx, rules.breakage(EUR, lapse))
        lapses.insert(tx, lapse)
    dormancy.end(tx, rules.lapsed(notice, now=notice.lapses_at))
    return Outcome.DONE


def reclaim(books: Books, tx: Tx, ref: str, user: str) -> Outcome:
    found = lapses.list_unclaimed(tx, user)
    if not found:
        return Outcome.NOTHING
    rules.check_reclaimable(found, lapsing.held_units(tx, EUR), EUR)
    _give_back(books, tx, found)
    books.repay(tx, user, f"reclaim:{ref}")
    return Outcome.DONE


def undo(books: Books, tx: Tx, own: list[Lot]) -> None:
    """What lapsed of these lots is their owner's again."""
    _give_back(books, tx, lapsing.list_returnable(tx, EUR, [lot.id for lot in own]))


def _give_back(books: Books, tx: Tx, found: list[Lapse]) -> None:
    for lapse in found:
        lot, name = rows.find_lot(tx, lapse.lot_id), f"back_{lapse.lot_id}"
        assert lot is not None, "it lapsed"
        lapsing.give_back(tx, lambda _, name=name: name, EUR, [lapse])  # type: ignore[misc]
        done = rules.returned(EUR, lapse, rules.fresh_lot(lot, lapse, name, now=tx.now))
        books.posted[done.kind, done.ref] = done


def _know(tx: Tx, user_id: ids.UserId) -> None:
    """What a notice names besides: its owner, and the rules that it was given by."""
    if users.find(tx, user_id) is None:
        users.insert(tx, User(user_id, 1, "Nova", "DE", locked=False, created_at=T0))
    if published.current(tx) is policies.FIRST:
        published.insert(tx, policies.FIRST)
