"""Magic amounts: the last two digits of an amount in minor units choose what happens to it."""

from enum import IntEnum

MODULUS = 100


class Magic(IntEnum):
    """The last two digits with a meaning; every other payment waits for its page, every other payout is paid."""

    DECLINE = 1
    NEEDS_ACTION = 2
    PENDING_THEN_PAID = 3
    LOST_RESPONSE = 4
    SLOW = 5
    LATE_SUCCESS = 6
    DISPUTE = 7
    PARTIAL = 8
    WRONG_AMOUNT = 9
    REORDERED_WEBHOOKS = 10
    PAYOUT_REJECT = 21
    PAYOUT_RETURN = 22
    PAYOUT_SILENT = 23


def of(amount: int) -> Magic | None:
    """The meaning of an amount, or None. Units: minor units."""
    try:
        return Magic(amount % MODULUS)
    except ValueError:
        return None
