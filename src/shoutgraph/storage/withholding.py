"""What is owed is paid by what comes in: by bought coins before they are spent, by earnings before they are paid out.

Earnings pay as they become available: matured, released, or back from a payout. Who waited for the next ones to mature
could wait for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shoutgraph.domain import accounts, earnings as rules, ids, maturing, postings
from shoutgraph.domain.earnings import Earning
from shoutgraph.domain.ledger import take
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.postings import Books
from shoutgraph.storage import creators, ledger, wallets
from shoutgraph.storage.tx import Tx


@dataclass(slots=True)
class Debt:
    """What a creator owes as a person, counted down as their earnings pay it. Units: coins."""

    user_id: ids.UserId
    coins: int


def repay(tx: Tx, user_id: ids.UserId, books: Books, *, ref: str) -> int:
    """Lets the bought coins of a wallet that is held pay what its owner owes; says how many did.

    Args:
        ref: what the coins came with; it pays once.
    """
    owed = wallets.balances(tx, user_id).debt_coins
    lots = ledger.list_of_spendable_lots(tx, accounts.paid(user_id).code) if owed else ()
    coins = min(owed, sum(lot.remaining for lot in lots))
    if coins:
        ledger.post(tx, postings.debt_repaid(books, user_id=user_id, ref=ref, taken=take(lots, coins)))
    return coins


def debts_of(tx: Tx, creator_ids: Iterable[ids.CreatorId]) -> dict[str, Debt]:
    """What these creators owe; who owes has their wallet held, so that nobody else repays it too.

    Whoever asks holds the earnings that are to pay.
    """
    names = sorted(set(creator_ids))
    found = creators.list_of(tx, names) if names else []
    owners = {each.id: each.user_id for each in found if each is not None}
    owed = dict(zip(owners, wallets.list_of_balances(tx, list(owners.values())), strict=True)) if owners else {}
    debtors = sorted(accounts.paid(owners[each]).code for each, balance in owed.items() if balance.debt_coins)
    if not debtors:
        return {}
    ledger.hold_wallets(tx, *debtors)
    held = wallets.list_of_balances(tx, list(owners.values()))
    return {
        creator_id: Debt(user_id, balance.debt_coins)
        for (creator_id, user_id), balance in zip(owners.items(), held, strict=True)
    }


def withhold(
    tx: Tx, debt: Debt | None, fresh: Sequence[tuple[Earning, int]], policy: Policy, *, ref: str
) -> list[Earning]:
    """The earnings of one creator, less what they paid of the debt with the coins that have just become available.

    Args:
        fresh: each earning as it is now, and how many of its coins are available again.
        ref: what the coins came with; it pays once.
    """
    if debt is None or not debt.coins:
        return [earning for earning, _ in fresh]
    kept, owed = [], debt.coins
    for earning, coins in fresh:
        taken = min(owed, coins)
        owed -= taken
        kept.append(rules.withheld(earning, taken) if taken else earning)
    paid, debt.coins = debt.coins - owed, owed
    if paid:
        books, creator_id = Books(policy.book_currency, policy.par_units), fresh[0][0].creator_id
        transfer = maturing.debt_withheld(books, ref=ref, creator_id=creator_id, user_id=debt.user_id, coins=paid)
        ledger.post(tx, transfer)
    return kept
