"""What is owed is paid by what comes in: by bought coins before they are spent, by earnings before they are paid out.

Earnings pay as they become available: matured, released, or back from a payout; those that were available before pay
in the next round of the jobs. Who waited for the next ones to mature could wait for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from shoutgraph.domain import accounts, earnings as rules, ids, ledger as values, maturing, postings
from shoutgraph.domain.earnings import Earning
from shoutgraph.domain.ledger import take
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.postings import Books
from shoutgraph.storage import columns, creators, ledger, wallets
from shoutgraph.storage.columns import Integer, Text
from shoutgraph.storage.creators import CreatorRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_CREATOR: Final = columns.table_of(CreatorRow)
_ACCOUNT: Final = sa.table(
    "account",
    *(sa.column(name, Integer) for name in ("id", "floor", "debits", "credits")),
    *(sa.column(name, Text) for name in ("code", "asset")),
)
_BEFORE, _AFTER = accounts.debt(ids.UserId("?")).code.split("?")
_FRONT, _BACK = accounts.available(ids.CreatorId("?")).code.split("?")


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


def list_of_owing(tx: Tx, *, limit: int) -> list[tuple[ids.CreatorId, int]]:
    """Some creators who owe coins and have earnings available, by id, and how many they owe."""
    return [(ids.CreatorId(creator_id), coins) for creator_id, coins in tx.all(_OWING, size=limit)]


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
        at_par, creator_id = Books(policy.book_currency, policy.par_units), fresh[0][0].creator_id
        transfer = maturing.debt_withheld(at_par, ref=ref, creator_id=creator_id, user_id=debt.user_id, coins=paid)
        ledger.post(tx, transfer)
    return kept


def _owing() -> sa.ClauseElement:
    debt, free = _ACCOUNT.alias("debt"), _ACCOUNT.alias("free")
    start, rest = len(_BEFORE) + 1, len(_BEFORE) + len(_AFTER)
    owner = sa.func.substr(debt.c.code, start, sa.func.length(debt.c.code) - rest, type_=Text)
    code = sa.literal_column(f"'{_FRONT}'", Text) + _CREATOR.c.id + sa.literal_column(f"'{_BACK}'", Text)
    return (
        sa.select(_CREATOR.c.id, debt.c.debits - debt.c.credits)
        .select_from(debt)
        .join(_CREATOR, _CREATOR.c.user_id == owner)
        .join(free, free.c.code == code)
        .where(
            debt.c.asset == sa.literal_column(f"'{values.COIN}'"),
            debt.c.floor == sa.literal_column("-1"),
            debt.c.debits > debt.c.credits,
            free.c.credits > free.c.debits,
        )
        .order_by(_CREATOR.c.id)
        .limit(sa.bindparam("size"))
    )


_OWING: Final = Statement[tuple[str, int]](_owing)
