"""The chart of accounts: every name in the ledger, with its asset and floor.

Source: docs/adr/0003-ledger.md. Money accounts carry book units: one hundredth of a minor unit.
"""

import zlib

from shoutgraph.domain import ids, ledger
from shoutgraph.domain.ledger import CAP, COIN, PROMO, Account, Floor

MINT = Account("mint", COIN, Floor.FREE)
PROMO_MINT = Account("pmint", PROMO, Floor.DEBIT)
CAP_MINT = Account("capmint", CAP, Floor.DEBIT)


def paid(user_id: ids.UserId) -> Account:
    """A user's paid coins, free to spend."""
    return Account(f"user:{user_id}:paid", COIN, Floor.CREDIT, wallet=True)


def promo(user_id: ids.UserId) -> Account:
    """A user's granted coins, spendable on orders only."""
    return Account(f"user:{user_id}:promo", PROMO, Floor.CREDIT, wallet=True)


def debt(user_id: ids.UserId) -> Account:
    """Coins a user owes after a charge-back."""
    return Account(f"user:{user_id}:debt", COIN, Floor.DEBIT)


def escrow(order_id: ids.OrderId) -> Account:
    """The paid coins an open order holds."""
    return Account(f"order:{order_id}:coin", COIN, Floor.CREDIT, order_id=order_id)


def promo_escrow(order_id: ids.OrderId) -> Account:
    """The granted coins an open order holds."""
    return Account(f"order:{order_id}:promo", PROMO, Floor.CREDIT, order_id=order_id)


def refund_cap(order_id: ids.OrderId) -> Account:
    """Caps what may ever be refunded of a completed order."""
    return Account(f"cap:{order_id}", CAP, Floor.CREDIT)


def cap_mint(order_id: str) -> Account:
    """Where an order's refund cap comes from and ends: always the same of several, so that no row is met by all."""
    return cap_mint_stripe(_stripe(order_id))


def cap_mint_stripe(stripe: int) -> Account:
    """One of the accounts that caps come from.

    The first is older than the others. Their floor is free, since orders may end here whose cap came from the first;
    caps are never below zero, so all of these together are never above.
    """
    return Account(f"{CAP_MINT.code}:{stripe}", CAP, Floor.FREE) if stripe else CAP_MINT


def pending(creator_id: ids.CreatorId) -> Account:
    """Earnings of a creator inside the hold."""
    return Account(f"creator:{creator_id}:pending", COIN, Floor.CREDIT)


def available(creator_id: ids.CreatorId) -> Account:
    """Earnings of a creator that may be paid out."""
    return Account(f"creator:{creator_id}:avail", COIN, Floor.CREDIT)


def reserve(creator_id: ids.CreatorId) -> Account:
    """Earnings of a creator that have matured and are kept back for a while all the same; no payout reaches them."""
    return Account(f"creator:{creator_id}:reserve", COIN, Floor.CREDIT)


def fee(order_id: str) -> Account:
    """The platform fee stripe of an order: always the same one, so that a fee refund finds its coins."""
    return fee_stripe(_stripe(order_id))


def fee_stripe(stripe: int) -> Account:
    """One of the platform's fee accounts."""
    return Account(f"fee:{stripe}", COIN, Floor.CREDIT)


def _stripe(order_id: str) -> int:
    return zlib.crc32(order_id.encode()) % ledger.FEE_STRIPES


def holding(kind: str, object_id: str) -> Account:
    """Coins set aside for one payout, refund or dispute; zero and closed when it ends."""
    return Account(f"{kind}:{object_id}", COIN, Floor.CREDIT)


def promo_holding(kind: str, object_id: str) -> Account:
    """Granted coins set aside with those of a purchase; zero and closed when it ends."""
    return Account(f"{kind}:{object_id}:promo", PROMO, Floor.CREDIT)


def money_account(name: str, currency: str, floor: Floor = Floor.FREE) -> Account:
    """An account of the cash books, such as `exp:marketing` or `liab:coins`."""
    return Account(f"{name}:{currency}", currency, floor)


def provider_cash(instance: str, currency: str) -> Account:
    """Our money at a provider."""
    return money_account(f"cash:psp:{instance}", currency)


def suspense(instance: str, currency: str) -> Account:
    """What moved at a provider and no transfer explains yet."""
    return money_account(f"suspense:{instance}", currency)


def coin_liability(currency: str) -> Account:
    """Par value of all coins held, which the platform owes."""
    return money_account("liab:coins", currency, Floor.CREDIT)


def receivable(currency: str) -> Account:
    """Par value of all coins that users owe."""
    return money_account("recv:users", currency, Floor.DEBIT)


def unclaimed(currency: str) -> Account:
    """What lapsed coins were worth that is kept for their owners."""
    return money_account("liab:unclaimed", currency, Floor.CREDIT)


def disputed_money(dispute_id: str, currency: str) -> Account:
    """Money a provider took back for an open dispute."""
    return money_account(f"disp:{dispute_id}", currency, Floor.DEBIT)
