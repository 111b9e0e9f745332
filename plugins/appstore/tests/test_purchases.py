"""Money and buyers, as transactions name them."""

from uuid import UUID

import pytest
from appstoreserverlibrary.models.JWSTransactionDecodedPayload import JWSTransactionDecodedPayload as Transaction
from appstoreserverlibrary.models.RevocationType import RevocationType

from shoutgraph.sdk import Money, Settled, Unknown
from shoutgraph_appstore import buyers, purchases

AT_MS = 1_790_000_000_000


def bought(price: int | None = 4_990, currency: str = "EUR", **more: object) -> Transaction:
    said = {"transactionId": "2000000123456789", "quantity": 1, "purchaseDate": AT_MS, **more}
    return Transaction(price=price, currency=currency, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("price", "currency", "minor"),
    [(4_990, "EUR", 499), (160_000, "JPY", 160), (4_995, "KWD", 4_995), (0, "EUR", 0), (10, "USD", 1)],
)
def test_a_price_in_thousandths_is_exact(price: int, currency: str, minor: int) -> None:
    seen = purchases.outcome_of(bought(price, currency))
    assert isinstance(seen, Settled)
    assert seen.totals.settled == Money(minor, currency)
    assert seen.totals.refunded.minor == 0
    assert seen.at.timestamp() * 1000 == AT_MS


@pytest.mark.parametrize(("price", "currency"), [(4_995, "EUR"), (160_500, "JPY"), (-10, "EUR"), (10**19, "EUR")])
def test_a_price_that_would_have_to_be_rounded_is_unknown(price: int, currency: str) -> None:
    seen = purchases.outcome_of(bought(price, currency))
    assert isinstance(seen, Unknown)
    assert seen.reason == purchases.UNREADABLE


@pytest.mark.parametrize("lacking", ["transactionId", "price", "currency", "purchaseDate"])
def test_a_transaction_that_lacks_something_is_unknown(lacking: str) -> None:
    said = {"price": 4_990, "currency": "EUR", lacking: None}
    assert isinstance(purchases.outcome_of(bought(**said)), Unknown)  # type: ignore[arg-type]


def test_several_bought_at_once_are_shown_with_the_price_of_all() -> None:
    seen = purchases.outcome_of(bought(9_980, quantity=2))
    assert isinstance(seen, Settled)
    assert seen.totals.settled == Money(998, "EUR")


@pytest.mark.parametrize(
    ("percentage", "kind", "minor"),
    [
        (None, None, 499),
        (100_000, RevocationType.REFUND_FULL, 499),
        (40_000, RevocationType.REFUND_PRORATED, 200),  # 199.6
        (15, RevocationType.REFUND_PRORATED, 1),
        (200_000, RevocationType.REFUND_PRORATED, 499),
        (100_000, RevocationType.FAMILY_REVOKE, 0),
    ],
)
def test_what_was_given_back_is_rounded_up(percentage: int | None, kind: RevocationType | None, minor: int) -> None:
    said = {"revocationDate": AT_MS, "revocationPercentage": percentage, "revocationType": kind}
    seen = purchases.outcome_of(bought(**said))  # type: ignore[arg-type]
    assert isinstance(seen, Settled)
    assert (seen.totals.settled.minor, seen.totals.refunded.minor) == (499, minor)


def test_a_buyers_token_is_the_same_for_ever() -> None:
    token = buyers.account_token("user_01h2xcejqtf2nbrexx3vqjhp41")
    assert token == UUID("d532cd32-11da-5319-beac-ae63dfd23906")
    assert buyers.is_of(str(token).upper(), "user_01h2xcejqtf2nbrexx3vqjhp41")


@pytest.mark.parametrize("token", [None, "", "not a UUID", "00000000-0000-0000-0000-000000000000"])
def test_a_receipt_of_nobody_is_nobodys(token: str | None) -> None:
    assert not buyers.is_of(token, "user_01h2xcejqtf2nbrexx3vqjhp41")
