"""Who bought: the app gives each purchase a token that names the fan, and a receipt is good for that fan only.

The token is the UUID, version 5, of the fan's `customer_ref` (the user's id, as the API shows it) in `NAMESPACE`. The
app computes it in the same way and passes it as `Product.PurchaseOption.appAccountToken(_:)`.
Source: RFC 9562, section 5.5.
"""

from typing import Final
from uuid import UUID, uuid5

NAMESPACE: Final = UUID("2ebe93af-8dcf-469f-acab-28064c6ea093")
"""Fixed for ever: another one would make every receipt somebody else's."""


def account_token(customer_ref: str) -> UUID:
    """The token of a fan's purchases."""
    return uuid5(NAMESPACE, customer_ref)


def is_of(token: str | None, customer_ref: str) -> bool:
    """Whether a receipt's token is the fan's; a receipt without one is nobody's."""
    try:
        return token is not None and UUID(token) == account_token(customer_ref)
    except ValueError:
        return False
