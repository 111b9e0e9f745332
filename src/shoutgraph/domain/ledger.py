"""The ledger's words: accounts, postings, transfers and lots.

A posting moves an amount of one asset from a debit account to a credit account, so that an imbalance cannot be
written down. A transfer is all the postings of one event, named once and for ever by `(kind, ref)`. Lots are the
coins of one origin inside a wallet: spent first-in-first-out and refunded to where they came from.
Source: docs/adr/0003-ledger.md. The database enforces the floors, the lots and the tie between an order's state
and its escrow; this module only builds what is posted.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final

from shoutgraph.domain import ids, money

COIN: Final = "COIN"
PROMO: Final = "PROMO"
CAP: Final = "CAP"

FEE_STRIPES: Final = 16
"""Accounts of a kind that every order meets, so that no single row is hot; an order always uses the same one."""


class Floor(IntEnum):
    """Which side of an account may not fall below the other."""

    CREDIT = 1
    FREE = 0
    DEBIT = -1


@dataclass(frozen=True, slots=True)
class Account:
    """A name in the ledger with its asset and floor.

    `order_id` is set on escrow accounts only; `wallet` on those whose balance equals the sum of their lots.
    """

    code: str
    asset: str
    floor: Floor
    order_id: ids.OrderId | None = None
    wallet: bool = False


@dataclass(frozen=True, slots=True)
class Posting:
    """One debit-credit move. Units: the asset's own (coins; book units for money)."""

    debit: Account
    credit: Account
    amount: int
    reason: str

    def __post_init__(self) -> None:
        assert self.debit.asset == self.credit.asset, "a posting moves one asset"
        assert 0 < self.amount <= money.AMOUNT_MAX, "a posting moves a positive, bounded amount"
        assert self.debit.code != self.credit.code, "a posting has two sides"


@dataclass(frozen=True, slots=True)
class Lot:
    """Coins of one origin in one wallet. Units: coins; `price_minor` is what `granted` coins cost together."""

    id: str
    account: str
    user_id: ids.UserId
    topup_id: ids.TopupId | None
    granted: int
    remaining: int
    price_minor: int
    currency: str | None
    country: str | None
    granted_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LotMove:
    """Coins taken from a lot (negative) or given back to it (positive), for an order where one is named."""

    lot_id: str
    coins: int
    order_id: ids.OrderId | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """The moves of one event. `(kind, ref)` happens once: a repeat changes nothing, another content is a conflict."""

    kind: str
    ref: str
    postings: tuple[Posting, ...]
    lot_moves: tuple[LotMove, ...] = ()
    lot_grants: tuple[Lot, ...] = ()

    def __post_init__(self) -> None:
        assert self.postings, "a transfer moves something"

    def digest(self) -> bytes:
        """SHA-256 of the content, so that a repeat with other content is seen."""
        parts = [self.kind, self.ref]
        for posting in self.postings:
            parts += [posting.debit.code, posting.credit.code, posting.debit.asset, str(posting.amount)]
        return hashlib.sha256("\x1f".join(parts).encode()).digest()


def take(lots: Iterable[Lot], coins: int, *, order_id: ids.OrderId | None = None) -> tuple[LotMove, ...]:
    """Takes coins from lots in the order given (oldest first). The lots must hold enough."""
    moves: list[LotMove] = []
    missing = coins
    for lot in lots:
        if missing == 0:
            break
        taken = min(lot.remaining, missing)
        if taken:
            moves.append(LotMove(lot.id, -taken, order_id))
            missing -= taken
    assert missing == 0, "the lots hold as many coins as the wallet's balance"
    return tuple(moves)


def hold(lots: Iterable[Lot], coins: int, *, order_id: ids.OrderId) -> tuple[LotMove, ...]:
    """What an order takes from each lot, as positive moves."""
    return tuple(LotMove(move.lot_id, -move.coins, order_id) for move in take(lots, coins))


def give_back(held: Sequence[LotMove], coins: int) -> tuple[LotMove, ...]:
    """Gives coins back to the lots an order took them from, the last taken first.

    Args:
        held: what the order still holds of each lot, as positive coins, in the order taken.
    """
    moves: list[LotMove] = []
    missing = coins
    for hold in reversed(held):
        if missing == 0:
            break
        given = min(hold.coins, missing)
        if given:
            moves.append(LotMove(hold.lot_id, given, hold.order_id))
            missing -= given
    assert missing == 0, "an order returns at most what it holds"
    return tuple(moves)
