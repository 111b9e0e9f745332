"""Replays the books: postings and lot moves in the order in which they happened, some at a time.

Each part is kept by itself, since a database that changes one row very often in one transaction gets slower each time.
At its end every law holds: a part ends where no transfer is half written, and an order whose escrow is still full is
live until its money has left. So a move that was cut goes on where it was. Source: docs/adr/0018-moving.md.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from shoutgraph.domain.orders import states
from shoutgraph.storage.moving import tables
from shoutgraph.storage.moving.numbers import Numbered
from shoutgraph.storage.moving.sides import Side
from shoutgraph.storage.statements import Statement

PART_POSTINGS: Final = 2_000
STRETCHES_MAX: Final = 1_000
"""So often is a part made longer until it holds whole transfers."""
WAITING: Final = "SCREENING"
"""What an order is said to be while its escrow is full and it has ended in truth."""

LIVE: Final = frozenset(state.value for state in states.LIVE)

Values = dict[str, Any]


class Replay:
    """What one move has replayed so far. `held` is what escrows hold, by order."""

    def __init__(self, source: Side, target: Side) -> None:
        self._source = source
        self._target = target
        self._numbered = {name: Numbered(target, name) for name in ("posting", "lot_move")}
        self._held: dict[str, int] = dict(target.session.raw.execute(_HELD).fetchall())
        self._after: int = target.session.raw.execute(_NEWEST).fetchall()[0][0]

    def parts(self) -> Iterator[int]:
        """Writes part after part; gives the number of postings of each, once it is kept."""
        while postings := self._next():
            with self._target.transaction():
                self._write(postings)
            self._after = postings[-1]["id"]
            yield len(postings)

    def _next(self) -> list[Values]:
        """The next postings that make whole transfers."""
        found = self._read(_POSTINGS_AFTER, "posting", after=self._after, size=PART_POSTINGS)
        for _ in range(STRETCHES_MAX):
            if not found:
                break
            wanted = sorted({posting["transfer_id"] for posting in found})
            ends = max(row[0] for row in self._source.tx.all(_POSTINGS_OF, wanted=wanted))
            if ends <= found[-1]["id"]:
                break
            found += self._read(_POSTINGS_AFTER, "posting", after=found[-1]["id"], size=ends - found[-1]["id"])
        return found

    def _write(self, postings: Sequence[Values]) -> None:
        wanted = sorted({posting["transfer_id"] for posting in postings})
        escrows = self._escrows(postings)
        self._add("transfer", self._read(_TRANSFERS_OF, "transfer", wanted=wanted))
        touched = self._move(postings, {escrow["id"]: escrow["order_id"] for escrow in escrows})
        self._keep_orders(touched)
        known = self._known(_ACCOUNT_IDS, [escrow["id"] for escrow in escrows])
        self._add("account", [escrow for escrow in escrows if escrow["id"] not in known])
        self._numbered["posting"].write(postings)
        self._numbered["lot_move"].write(self._read(_MOVES_OF, "lot_move", wanted=wanted))

    def _escrows(self, postings: Sequence[Values]) -> list[Values]:
        """The escrow accounts that these postings name."""
        named = sorted({posting[side] for posting in postings for side in ("debit_id", "credit_id")})
        return [each for each in self._read(_ACCOUNTS_OF, "account", wanted=named) if each["order_id"] is not None]

    def _move(self, postings: Sequence[Values], order_of: dict[int, str]) -> list[str]:
        """Follows what escrows hold; gives the orders whose escrow moved."""
        for posting in postings:
            for side, sign in (("debit_id", -1), ("credit_id", 1)):
                order_id = order_of.get(posting[side])
                if order_id is not None:
                    self._held[order_id] = self._held.get(order_id, 0) + sign * posting["amount"]
        return sorted(set(order_of.values()))

    def _keep_orders(self, touched: Sequence[str]) -> None:
        """Writes orders so that each agrees with its escrow at the end of this part."""
        known = self._known(_ORDER_IDS, touched)
        new, changed = [], []
        for order in self._read(_ORDERS_OF, "orders", wanted=list(touched)):
            held = self._held[order["id"]]
            if not held:
                del self._held[order["id"]]
            now = order | _meanwhile(order, held)
            if order["id"] not in known:
                new.append(now)
            else:
                changed.append({"of": order["id"], **{f"to_{name}": now[name] for name in _EVOLVING}})
        self._add("orders", new)
        if changed:
            self._target.tx.many(_EVOLVE, changed)

    def _add(self, table: str, rows: Sequence[Values]) -> None:
        names = tables.written(tables.named(table))
        if rows:
            self._target.tx.many(_INSERT[table], [{name: row[name] for name in names} for row in rows])

    def _known(self, statement: Statement[Any], wanted: Sequence[object]) -> set[object]:
        return {row[0] for row in self._target.tx.all(statement, wanted=list(wanted))}

    def _read(self, statement: Statement[Any], table: str, **params: object) -> list[Values]:
        names = tables.written(tables.named(table))
        return [dict(zip(names, row, strict=True)) for row in self._source.tx.all(statement, **params)]


def _meanwhile(order: Values, held: int) -> Values:
    """How an order is written whose escrow holds this now."""
    live = order["state"] in LIVE
    if held == (order["price_coins"] if live else 0):
        return {}
    if live:
        return {"price_coins": held}  # it fell later, while the order went on
    return {"state": WAITING, "price_coins": held, "revision": 1}


def _of(table: str, key: str, *names: str) -> Statement[Any]:
    return tables.select_of(tables.named(table), names or tables.written(tables.named(table)), key)


_EVOLVING: Final = ("state", "price_coins", "revision")
_EVOLVE: Final = tables.update(tables.named("orders"), _EVOLVING)
_INSERT: Final = {
    name: tables.insert(tables.named(name), tables.written(tables.named(name)))
    for name in ("transfer", "account", "orders")
}
_POSTINGS_AFTER: Final = tables.select_after(tables.named("posting"), tables.written(tables.named("posting")))
_POSTINGS_OF: Final = _of("posting", "transfer_id", "id")
_TRANSFERS_OF: Final = _of("transfer", "id")
_MOVES_OF: Final = _of("lot_move", "transfer_id")
_ACCOUNTS_OF: Final = _of("account", "id")
_ORDERS_OF: Final = _of("orders", "id")
_ACCOUNT_IDS: Final = _of("account", "id", "id")
_ORDER_IDS: Final = _of("orders", "id", "id")
_HELD: Final = (
    "SELECT order_id, sum(credits - debits) FROM account WHERE order_id IS NOT NULL"
    " GROUP BY order_id HAVING sum(credits - debits) <> 0"
)
_NEWEST: Final = "SELECT coalesce(max(id), 0) FROM posting"
