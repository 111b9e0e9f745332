"""The ledger in the database: `post` is the only way in, and everything else reads."""

from shoutgraph.storage.ledger.names import number_of
from shoutgraph.storage.ledger.posting import close, extend_lot, post
from shoutgraph.storage.ledger.reading import (
    LOTS_MAX,
    balance_coins,
    balances,
    find_lot,
    find_transfer,
    foresee_spendable_lots,
    hold_wallets,
    list_of_balances,
    list_of_entries,
    list_of_expired_lots,
    list_of_held_lots,
    list_of_lots_of_topup,
    list_of_spendable_lots,
)

__all__ = [
    "LOTS_MAX",
    "balance_coins",
    "balances",
    "close",
    "extend_lot",
    "find_lot",
    "find_transfer",
    "foresee_spendable_lots",
    "hold_wallets",
    "list_of_balances",
    "list_of_entries",
    "list_of_expired_lots",
    "list_of_held_lots",
    "list_of_lots_of_topup",
    "list_of_spendable_lots",
    "number_of",
    "post",
]
