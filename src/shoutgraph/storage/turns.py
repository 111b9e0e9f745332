"""Turns: of several workers one does a thing now, and the others need not wait for it.

Only for what is right if two do it at once, and then a waste. A turn ends with the unit of work that takes it. An
embedded database has one writer, whose turn it always is.
"""

import hashlib
from typing import Final

import sqlalchemy as sa

from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_KEY_BYTES: Final = 8
_TRY: Final = Statement[tuple[bool]](
    lambda: sa.select(sa.func.pg_try_advisory_xact_lock(sa.bindparam("key", type_=sa.BigInteger())))
)


def take(tx: Tx, name: str) -> bool:
    """Whether it is this worker's turn."""
    if not tx.shared:
        return True
    digest = hashlib.sha256(f"shoutgraph turn {name}".encode()).digest()
    row = tx.one(_TRY, key=int.from_bytes(digest[:_KEY_BYTES], signed=True))
    assert row is not None, "a function has an answer"
    return row[0]
