"""Orders as the ledger sees them, whatever other columns the table has."""

import sqlalchemy as sa

from shoutgraph.storage import columns, sqlite
from shoutgraph.storage.ledger.tables import AssetRow
from shoutgraph.storage.orders import OrderRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_T = columns.table_of(OrderRow)
_ASSET = columns.table_of(AssetRow)
SCALES = Statement[tuple[str, int]](lambda: sa.select(_ASSET.c.code, _ASSET.c.scale))

_FILLED = {
    column.name: "0" if column.type.compile(sqlite.DIALECT) == "INTEGER" else "'x'"
    for column in _T.c
    if not column.nullable
}


def insert(tx: Tx, order_id: str, *, state: str, price_coins: int) -> None:
    values = _FILLED | {"id": f"'{order_id}'", "state": f"'{state}'", "price_coins": str(price_coins), "revision": "1"}
    literal = {name: sa.literal_column(value) for name, value in values.items()}
    tx.run(Statement(lambda: sa.insert(_T).values(literal)))


def save(tx: Tx, order_id: str, *, state: str, revision: int) -> None:
    change = {"state": sa.literal_column(f"'{state}'"), "revision": sa.literal_column(str(revision))}
    tx.run(Statement(lambda: sa.update(_T).where(_T.c.id == order_id).values(change)))
