"""Which tables there are, which of their columns are written, and how rows are read and written without their types.

What one driver reads the other writes: both kinds of database keep text, whole numbers and bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlmodel import SQLModel

from shoutgraph.storage import (
    adjustments,
    ages,
    api_keys,
    attachments,
    audit,
    authenticity,
    bank_files,
    buckets,
    campaigns,
    card_issues,
    card_purchases,
    cards,
    closures,
    columns,
    corrections,
    creators,
    cuts,
    deadlines,
    debts,
    deliveries,
    disputes,
    dormancy,
    earnings,
    endpoints,
    epochs,
    exchanges,
    features,
    folds,
    gifts,
    journal,
    lapses,
    ledger,
    media,
    news,
    notices,
    orders,
    packages,
    payout_holds,
    payouts,
    policies,
    price_lists,
    privacy,
    promotions,
    rates,
    ratings,
    receipts,
    recipients,
    refunds,
    reports,
    reputation,
    requests,
    reserves,
    resolutions,
    revaluations,
    reversals,
    samples,
    spending,
    stickers,
    strays,
    suspense,
    sweeps,
    taken_back,
    tax,
    topups,
    users,
    waitlist,
    waivers,
    wallets,
)
from shoutgraph.storage.moving.sides import Side
from shoutgraph.storage.statements import Statement

ROOMS: Final = (
    adjustments,
    ages,
    api_keys,
    attachments,
    audit,
    authenticity,
    bank_files,
    buckets,
    card_issues,
    card_purchases,
    cards,
    campaigns,
    closures,
    corrections,
    creators,
    cuts,
    deadlines,
    debts,
    deliveries,
    disputes,
    dormancy,
    earnings,
    endpoints,
    epochs,
    exchanges,
    features,
    folds,
    gifts,
    journal,
    lapses,
    ledger,
    media,
    news,
    notices,
    orders,
    packages,
    payout_holds,
    payouts,
    policies,
    price_lists,
    promotions,
    privacy,
    rates,
    ratings,
    receipts,
    recipients,
    refunds,
    reports,
    reputation,
    requests,
    reserves,
    resolutions,
    revaluations,
    reversals,
    samples,
    spending,
    stickers,
    strays,
    suspense,
    sweeps,
    taken_back,
    tax,
    topups,
    users,
    waitlist,
    waivers,
    wallets,
)
"""Whoever has tables: they are known once their room is imported."""

CHUNK_ROWS: Final = 1_000

BORN: Final[Mapping[str, Mapping[str, object]]] = {
    "card_issue": {"state": "PROPOSED", "decided_by": None, "decided_at": None, "booked": None},
    "card_purchase": {"state": "WAITING", "card_id": None, "kept": None, "decided_at": None},
    "gift_card": {"state": "OPEN", "redeemed_by": None, "ended_at": None},
    "ledger_adjustment": {"state": "PROPOSED", "decided_by": None, "decided_at": None, "booked": None},
    "earning": {"state": "PENDING", "in_payout_coins": 0, "paid_coins": 0, "reserved_coins": 0},
    "topup": {"credited": 0, "settled_minor": 0, "reversed_minor": 0},
    "payout": {"state": "REQUESTED"},
    "rating": {"hidden": 0},
    "suspense_line": {
        "state": "OPEN",
        "revision": 1,
        "account": None,
        "reason": None,
        "proposed_by": None,
        "proposed_at": None,
        "decided_by": None,
        "ended_at": None,
        "alerted_at": None,
        "closed": None,
    },
    "lapse": {"returned_at": None, "fresh_lot_id": None, "returned": None},
    "refund": {"state": "REQUESTED"},
    "sample": {"state": "WITHDRAWN", "reason": None, "note": None, "decided_by": None},
    "payout_recipient": {"removed_at": None},
}
"""What a row has to say when it is new; what it says now is written once everything is there."""
COUNTED: Final[Mapping[str, Mapping[str, object]]] = {"promo_code": {"uses": 0}, "promotion": {"uses": 0}}
"""What a row has to say when it is new, and guards count on from there."""
ARISING: Final[Mapping[str, frozenset[str]]] = {
    "account": frozenset({"debits", "credits", "version", "last_posting", "closed"}),
    "lot": frozenset({"remaining", "last_move"}),
}
"""Columns that follow from other rows."""
ONLY_EMBEDDED: Final = frozenset({"order_ok", "wallet_ok"})
WRITTEN_BY_GUARDS: Final = ONLY_EMBEDDED | {"entry", "gift_total", "lapse_total", "rating_tally"}
REPLAYED: Final = frozenset({"account", "transfer", "posting", "lot", "lot_move", "orders"})
"""Tables that are written in the order in which things happened."""
SEEDED: Final = frozenset({"asset"})
"""Tables in which a new database has rows."""
FIRST: Final = ("ledger_adjustment",)
"""Tables that the guards of the books look at."""
LAST: Final = ("epoch", "fold", "reputation")
"""Tables whose guards look at others that nothing else binds them to."""

T = TypeVar("T")


def of(side: Side) -> list[sa.Table]:
    """Every table of a database, those that others name first."""
    found = [table for table in SQLModel.metadata.sorted_tables if not (side.server and table.name in ONLY_EMBEDDED)]
    return [each for each in found if each.name not in LAST] + [each for each in found if each.name in LAST]


def named(name: str) -> sa.Table:
    """The table of this name."""
    return SQLModel.metadata.tables[name]


def written(table: sa.Table) -> list[str]:
    """The columns that a move writes: neither those that the database computes, nor those that follow from others."""
    return [name for name in kept(table) if name not in ARISING.get(table.name, ())]


def kept(table: sa.Table) -> list[str]:
    """The columns that hold something of their own: a database computes the others."""
    return [column.name for column in table.c if column.computed is None]


def select(table: sa.Table, names: Sequence[str]) -> Statement[Any]:
    """Reads all rows in the order of their keys."""
    return Statement[Any](lambda: _query(table, names))


def select_after(table: sa.Table, names: Sequence[str]) -> Statement[Any]:
    """Reads rows by number after `after`, `size` at most."""
    return Statement[Any](
        lambda: (
            _query(table, names)
            .where(sa.column("id") > sa.bindparam("after", type_=columns.Integer))
            .limit(sa.bindparam("size", type_=columns.Integer))
        )
    )


def select_of(table: sa.Table, names: Sequence[str], key: str) -> Statement[Any]:
    """Reads the rows whose column `key` is one of `wanted`."""
    column = sa.column(key, table.c[key].type)
    return Statement[Any](lambda: _query(table, names).where(columns.any_of(column, "wanted")))


def select_one(table: sa.Table) -> Statement[Any]:
    """Finds whether there is any row."""
    return Statement[Any](lambda: sa.select(sa.literal_column("1")).select_from(table).limit(1))


def key_of(table: sa.Table) -> str:
    """The one column that names a row."""
    (key,) = table.primary_key.columns.keys()
    return str(key)


def insert(table: sa.Table, names: Sequence[str]) -> Statement[Any]:
    """Writes a row."""
    return Statement[Any](lambda: sa.insert(_plain(table, names)).values({name: sa.bindparam(name) for name in names}))


def update(table: sa.Table, names: Sequence[str]) -> Statement[Any]:
    """Writes columns of the row whose key is `of`; the values are `to_` and the column."""
    key = key_of(table)
    plain = _plain(table, [key, *names])
    values: dict[str, Any] = {name: sa.bindparam(f"to_{name}") for name in names}
    return Statement[Any](lambda: sa.update(plain).where(plain.c[key] == sa.bindparam("of")).values(values))


def chunks(rows: Iterator[T]) -> Iterator[list[T]]:
    """Several rows at a time."""
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk


def _plain(table: sa.Table, names: Sequence[str]) -> sa.TableClause:
    return sa.table(table.name, *(sa.column(name) for name in names))


def _query(table: sa.Table, names: Sequence[str]) -> sa.Select[Any]:
    keys: list[sa.ColumnElement[Any]] = [sa.column(column.name) for column in table.primary_key]
    return sa.select(*_plain(table, names).c).order_by(*keys)
