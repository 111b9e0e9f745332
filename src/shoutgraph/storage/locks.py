"""What is held where no one row stands above many: an advisory lock of PostgreSQL, until the unit of work ends.

An embedded database has one writer, so nobody is beside it and nothing is held.
"""

from enum import IntEnum
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.storage.statements import Hold, Statement
from shoutgraph.storage.tx import Tx


class Lock(IntEnum):
    """The number of each lock; all processes of a database say the same."""

    FEATURE_RULES = 0x4645_4154_5552
    STICKERS = 0x5354_4943_4B45
    PRICES = 0x5052_4943_4553
    CARD_BUDGET = 0x5348_4F55_5443_4152
    ENDPOINTS = 0x454E_4450_4F49


def hold(tx: Tx, lock: Lock) -> None:
    """Lets one unit of work at a time decide, so that of two at once the second one sees what the first one did."""
    if tx.hold is not Hold.NO:
        tx.one(_HOLD, number=int(lock))


_HOLD: Final = Statement[Any](
    lambda: sa.select(sa.func.pg_advisory_xact_lock(sa.bindparam("number", type_=sa.BigInteger())))
)
