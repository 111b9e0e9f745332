"""A user's coins as they see them: what is free, what is held, what is owed, and whether it is locked.

Units: coins. The balances come from the ledger; only the lock is the wallet's own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids

RETURNED_LIFE: Final = timedelta(days=7)
"""How long coins live that come back to a lot which has lapsed."""


class LockReason(StrEnum):
    """Why a wallet is locked."""

    DISPUTE = "DISPUTE"
    REFUND_OF_SPENT_COINS = "REFUND_OF_SPENT_COINS"


class Coin(StrEnum):
    """The kinds of coins in a wallet; debt counts below zero."""

    PAID = "PAID"
    PROMO = "PROMO"
    DEBT = "DEBT"


@dataclass(frozen=True, slots=True)
class Lock:
    """What locked a wallet, and when."""

    reason: LockReason
    topup_id: ids.TopupId
    at: datetime


@dataclass(frozen=True, slots=True)
class Wallet:
    """A user's coins. `available_coins` are paid coins, `held_coins` wait in the escrow of open orders."""

    id: str
    user_id: ids.UserId
    available_coins: int
    promo_coins: int
    held_coins: int
    debt_coins: int
    lock: Lock | None = None


def id_of(user_id: str) -> str:
    """The id of a user's wallet: the user's own suffix under the wallet's prefix."""
    return f"{ids.WALLET}_{user_id.removeprefix(ids.USER + '_')}"


def user_of(wallet_id: str, *, path: tuple[str, ...]) -> ids.UserId:
    """The user whose wallet this is.

    Raises:
        ValidationError: the text is not the id of a wallet.
    """
    ids.parse(ids.WALLET, wallet_id, path=path)
    return ids.UserId(f"{ids.USER}_{wallet_id.removeprefix(ids.WALLET + '_')}")


def check_unlocked(lock: Lock | None) -> None:
    """Refuses to move coins or earnings of a locked wallet.

    Raises:
        WalletLockedError: a payment was reversed, and nobody has unlocked the wallet since.
    """
    if lock is not None:
        raise errors.WalletLockedError
