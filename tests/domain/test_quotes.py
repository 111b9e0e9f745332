"""What an offer costs a viewer: coins they have, coins they lack, money that buys those."""

from dataclasses import replace

import pytest
from tests.domain.test_creators import creator, offer
from tests.domain.test_packages import UNIT

from shoutgraph.domain import errors, quotes
from shoutgraph.domain.policies import DAY_S, FIRST
from shoutgraph.domain.quotes import Quote


def quoted(balance: int = 0, *, express: bool = False, sold: bool = True) -> Quote:
    unit = UNIT if sold else None
    return quotes.quote(
        quotes.Sold(offer(), creator()), express=express, policy=FIRST, balance_coins=balance, unit=unit
    )


@pytest.mark.parametrize(
    ("balance", "missing", "topup"), [(0, 1000, 1000), (400, 600, 600), (990, 10, 35), (1000, 0, None), (5000, 0, None)]
)
def test_a_quote_names_what_the_wallet_lacks(balance: int, missing: int, topup: int | None) -> None:
    found = quoted(balance)
    assert found.missing_coins == missing
    assert (None if found.topup is None else found.topup.coins) == topup


def test_a_quote_names_the_money_that_buys_the_total() -> None:
    found = quoted(express=True)
    assert found.exact is not None
    assert (found.exact.coins, found.exact.price.minor) == (1200, 1886)  # 1200 * 11 / 7 = 1885.7
    assert (found.accept_s, found.delivery_s) == (FIRST.accept_s, FIRST.express_s)
    assert quoted().delivery_s == 7 * DAY_S


def test_where_coins_are_not_sold_a_quote_has_no_money() -> None:
    assert (quoted(sold=False).exact, quoted(sold=False).topup) == (None, None)
    few = quotes.quote(
        quotes.Sold(offer(), creator()), express=False, policy=FIRST, balance_coins=0, unit=replace(UNIT, coins_max=999)
    )
    assert (few.exact, few.topup) == (None, None)


@pytest.mark.parametrize(("coins", "words"), [(1, "1 coin"), (250, "250 coins")])
def test_another_price_is_said_in_words(coins: int, words: str) -> None:
    assert str(errors.PriceChangedError(current_price_coins=coins)) == f"The price is now {words}."
    assert f"needs {words}," in str(errors.InsufficientCoinsError(required_coins=coins, available_coins=0))
