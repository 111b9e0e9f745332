"""Shares of a price: the parts always sum to the whole, and many small refunds take what one large one would."""

from fractions import Fraction
from itertools import pairwise
from math import floor

import pytest
from hypothesis import example, given, settings, strategies as st

from shoutgraph.domain import fees, money
from shoutgraph.domain.fees import Refund, Split
from shoutgraph.domain.policies import Policy

MANY = settings(max_examples=1_000, deadline=None)
PRICE_MAX = 1_000_000
PRICES = st.one_of(st.integers(1, 40), st.integers(1, PRICE_MAX), st.just(PRICE_MAX))
BPS = st.one_of(st.integers(0, money.BPS), st.sampled_from([0, 1, 2_999, 3_000, 3_333, 9_999, money.BPS]))


@st.composite
def mixes(draw: st.DrawFn) -> tuple[int, int]:
    """A price as paid and granted coins."""
    price = draw(PRICES)
    promo = draw(st.one_of(st.integers(0, price), st.sampled_from([0, 1, price - 1, price])))
    return price - promo, promo


@st.composite
def cuts(draw: st.DrawFn) -> tuple[int, int, list[int]]:
    """A price as paid and granted coins, and refunds that use it up."""
    paid, promo = draw(mixes())
    price = paid + promo
    edges = sorted({0, price, *draw(st.lists(st.integers(0, price), max_size=12))})
    return paid, promo, [after - before for before, after in pairwise(edges)]


@pytest.mark.parametrize(
    ("paid", "promo", "bps", "expected"),
    [
        (1_000, 0, 3_000, Split(fee_coins=300, fee_paid_coins=300, fee_promo_coins=0, earning_coins=700)),
        (0, 1_000, 3_000, Split(fee_coins=300, fee_paid_coins=0, fee_promo_coins=300, earning_coins=700)),
        (700, 300, 3_000, Split(fee_coins=300, fee_paid_coins=210, fee_promo_coins=90, earning_coins=700)),
        (2, 1, 5_000, Split(fee_coins=1, fee_paid_coins=1, fee_promo_coins=0, earning_coins=2)),
        (1, 0, 9_999, Split(fee_coins=0, fee_paid_coins=0, fee_promo_coins=0, earning_coins=1)),
        (3, 4, 10_000, Split(fee_coins=7, fee_paid_coins=3, fee_promo_coins=4, earning_coins=0)),
        (3, 4, 0, Split(fee_coins=0, fee_paid_coins=0, fee_promo_coins=0, earning_coins=7)),
        (0, 0, 3_000, Split(fee_coins=0, fee_paid_coins=0, fee_promo_coins=0, earning_coins=0)),
    ],
)
def test_a_price_is_split_as_the_table_says(paid: int, promo: int, bps: int, expected: Split):
    assert fees.split(paid_coins=paid, promo_coins=promo, fee_bps=bps) == expected


@pytest.mark.no_cover
@MANY
@given(mix=mixes(), bps=BPS)
@example(mix=(0, PRICE_MAX), bps=money.BPS)
@example(mix=(PRICE_MAX, 0), bps=money.BPS)
@example(mix=(1, PRICE_MAX - 1), bps=1)
def test_the_parts_of_a_price_sum_to_it(mix: tuple[int, int], bps: int):
    paid, promo = mix
    parts = fees.split(paid_coins=paid, promo_coins=promo, fee_bps=bps)
    assert parts.fee_coins + parts.earning_coins == paid + promo
    assert parts.fee_paid_coins + parts.fee_promo_coins == parts.fee_coins
    assert 0 <= parts.fee_paid_coins <= paid
    assert 0 <= parts.fee_promo_coins <= promo
    assert parts.fee_coins == floor(Fraction((paid + promo) * bps, money.BPS))
    assert abs(parts.fee_promo_coins - Fraction(parts.fee_coins * promo, paid + promo)) < 1


def test_a_fee_always_leaves_the_creator_something():
    highest = Policy(version=1, fee_bps=money.BPS - 1)
    for price in (1, 2, 9_999, 10_000, 10_001, PRICE_MAX):
        parts = fees.split(paid_coins=price, promo_coins=0, fee_bps=highest.fee_bps)
        assert parts.earning_coins > 0, "else there is nothing to earn, to compensate or to mature"
    with pytest.raises(AssertionError, match="leaves the creator something"):
        Policy(version=1, fee_bps=money.BPS)


def test_the_parts_of_every_small_price_sum_to_it():
    for price in range(1, 60):
        for promo in range(price + 1):
            for bps in range(0, money.BPS + 1, 625):
                parts = fees.split(paid_coins=price - promo, promo_coins=promo, fee_bps=bps)
                assert 0 <= parts.fee_paid_coins <= price - promo
                assert 0 <= parts.fee_promo_coins <= promo
                assert parts.fee_paid_coins + parts.fee_promo_coins + parts.earning_coins == price


@pytest.mark.no_cover
@MANY
@given(mix=mixes(), data=st.data())
def test_a_share_that_goes_back_is_pro_rata_and_never_more_than_was_held(mix: tuple[int, int], data: st.DataObject):
    paid, promo = mix
    coins = data.draw(st.integers(0, paid + promo))
    back_promo, back_paid = fees.share_back(coins=coins, paid_coins=paid, promo_coins=promo)
    assert back_promo + back_paid == coins
    assert 0 <= back_promo <= promo
    assert 0 <= back_paid <= paid
    assert back_promo == floor(Fraction(coins * promo, paid + promo))


def test_nothing_goes_back_from_nothing():
    assert fees.share_back(coins=0, paid_coins=0, promo_coins=0) == (0, 0)


@pytest.mark.parametrize("coins", [-1, 11])
def test_no_more_than_the_price_goes_back(coins: int):
    with pytest.raises(AssertionError, match="at most the price"):
        fees.share_back(coins=coins, paid_coins=6, promo_coins=4)


@pytest.mark.no_cover
@MANY
@given(cut=cuts(), bps=BPS)
@example(cut=(10, 0, [1] * 10), bps=3_000)
@example(cut=(5, 5, [1] * 10), bps=3_000)
def test_many_refunds_take_exactly_what_the_order_was_split_into(cut: tuple[int, int, list[int]], bps: int):
    paid, promo, refunds = cut
    parts = fees.split(paid_coins=paid, promo_coins=promo, fee_bps=bps)
    done, taken = 0, Refund(0, 0, 0, 0)
    for coins in refunds:
        part = fees.refund(coins=coins, refunded_coins=done, paid_coins=paid, promo_coins=promo, fee_bps=bps)
        assert part.paid_coins + part.promo_coins == coins
        assert 0 <= part.fee_paid_coins <= part.paid_coins
        assert 0 <= part.fee_promo_coins <= part.promo_coins
        taken = Refund(
            taken.paid_coins + part.paid_coins,
            taken.fee_paid_coins + part.fee_paid_coins,
            taken.promo_coins + part.promo_coins,
            taken.fee_promo_coins + part.fee_promo_coins,
        )
        earned_back = taken.paid_coins + taken.promo_coins - taken.fee_paid_coins - taken.fee_promo_coins
        assert earned_back <= parts.earning_coins, "never more than the order earned"
        done += coins
    assert taken == Refund(paid, parts.fee_paid_coins, promo, parts.fee_promo_coins)


def test_ten_refunds_of_a_coin_take_the_fee_too():
    taken = [
        fees.refund(coins=1, refunded_coins=done, paid_coins=10, promo_coins=0, fee_bps=3_000) for done in range(10)
    ]
    assert sum(part.fee_paid_coins for part in taken) == 3
    assert sum(part.paid_coins - part.fee_paid_coins for part in taken) == 7


def test_no_refund_goes_beyond_the_price():
    with pytest.raises(AssertionError, match="at most the price"):
        fees.refund(coins=2, refunded_coins=9, paid_coins=10, promo_coins=0, fee_bps=3_000)
