"""Withdrawals to the cent: however a purchase goes back, part by part, it is all of the money and all of the bonus."""

from dataclasses import replace

from hypothesis import given, settings, strategies as st
from tests.domain.test_topups import TERMS, topup as made

from shoutgraph.domain.topups import withdrawal
from shoutgraph.domain.topups.parts import EMPTY
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.topups.withdrawal import Used


def bought(coins: int, minor: int, bonus: int) -> Topup:
    terms = replace(TERMS, coins=coins, price_minor=minor, book_units=minor * 100, bonus_coins=bonus)
    return made(terms=terms)


@settings(max_examples=150, deadline=None)
@given(
    coins=st.integers(1, 5_000),
    minor=st.integers(1, 8_000),
    bonus=st.integers(0, 700),
    parts=st.lists(st.integers(1, 900), max_size=6),
)
def test_parts_sum_to_the_whole_and_are_never_more(coins: int, minor: int, bonus: int, parts: list[int]) -> None:
    topup, so_far = bought(coins, minor, bonus), Used(EMPTY, coins, 0, bonus, 0, 0)
    for asked in [*parts, coins]:
        most = withdrawal.withdrawable(topup, so_far)
        assert most == so_far.left_coins, "nothing was used"
        wanted = min(asked, most)
        part, taken = withdrawal.part_of(topup, so_far, wanted) if wanted else (EMPTY, 0)
        assert 0 <= part.coins <= wanted
        assert part.coins * minor <= (part.minor + 1) * coins, "no coin goes for less than it cost, but for a cent"
        gone = so_far.gone.plus(part)
        so_far = Used(gone, coins - gone.coins, 0, so_far.bonus_left_coins - taken, 0, so_far.bonus_gone_coins + taken)
    assert so_far.gone.minor == minor
    assert (so_far.left_coins, so_far.bonus_left_coins) == (0, 0)


@settings(max_examples=150, deadline=None)
@given(coins=st.integers(1, 5_000), bonus=st.integers(1, 700), spent=st.integers(0, 5_000), used=st.integers(0, 700))
def test_nobody_keeps_more_of_a_bonus_than_of_its_purchase(coins: int, bonus: int, spent: int, used: int) -> None:
    spent, used = min(spent, coins), min(used, bonus)
    topup = bought(coins, coins, bonus)
    so_far = Used(EMPTY, coins - spent, spent, bonus - used, used, 0)
    most = withdrawal.withdrawable(topup, so_far)
    part, taken = withdrawal.part_of(topup, so_far, most) if most else (EMPTY, 0)
    assert used * coins <= bonus * (coins - part.coins), "what was used of the bonus belongs to coins that were kept"
    kept_bonus = bonus - taken
    assert not part.coins or kept_bonus * coins <= bonus * (coins - part.coins)
