"""Earnings: each coin in one place, first in first out, and wallets' ids."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from shoutgraph.domain import earnings, errors, ids, wallets
from shoutgraph.domain.earnings import Earning, EarningKind, EarningState, Part

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def earning(name: str = "earning_a", coins: int = 700) -> Earning:
    return Earning(
        id=name,
        creator_id=ids.CreatorId("creator_01040g2081040g2081040g2081"),
        kind=EarningKind.ORDER,
        subject_id="order_01040g2081040g2081040g2081",
        coins=coins,
        fee_coins=300,
        earned_at=T0,
        matures_at=T0 + timedelta(days=7),
    )


def ripe(name: str = "earning_a", coins: int = 700) -> Earning:
    return earnings.matured(earning(name, coins), now=T0)


def test_the_oldest_earnings_are_paid_out_first() -> None:
    parts = earnings.allocate([ripe("a", 700), ripe("b", 300), ripe("c", 5)], 800)
    assert parts == (Part("a", 700), Part("b", 100))


def test_a_payout_beyond_the_earnings_is_impossible() -> None:
    with pytest.raises(AssertionError):
        earnings.allocate([ripe("a", 700)], 701)
    with pytest.raises(AssertionError):
        earnings.allocate([earning()], 1)


def test_an_earning_is_paid_when_all_of_it_is() -> None:
    out = earnings.sent(ripe(), 700)
    assert (out.state, out.remaining_coins) == (EarningState.AVAILABLE, 0)
    paid = earnings.paid(out, 700)
    assert (paid.state, paid.paid_coins) == (EarningState.PAID, 700)
    back = earnings.returned(paid, 700)
    assert (back.state, back.remaining_coins) == (EarningState.AVAILABLE, 700)


def test_a_refund_in_the_hold_takes_the_earning_back() -> None:
    some = earnings.taken_back(earning(), 100)
    assert (some.state, some.remaining_coins) == (EarningState.PENDING, 600)
    assert earnings.taken_back(some, 600).state is EarningState.REVERSED
    with pytest.raises(AssertionError):
        earnings.taken_back(ripe(), 1)


@given(st.lists(st.sampled_from(["send", "give back", "pay", "return"]), max_size=20), st.integers(1, 700))
def test_every_coin_of_an_earning_is_in_one_place(moves: list[str], coins: int) -> None:
    steps = {
        "send": (earnings.sent, lambda e: e.remaining_coins),
        "give back": (earnings.given_back, lambda e: e.in_payout_coins),
        "pay": (earnings.paid, lambda e: e.in_payout_coins),
        "return": (earnings.returned, lambda e: e.paid_coins),
    }
    now = ripe()
    for move in moves:
        step, there = steps[move]
        if there(now) >= coins:
            now = step(now, coins)
        assert now.remaining_coins + now.in_payout_coins + now.paid_coins + now.reversed_coins == now.coins
        assert (now.state is EarningState.PAID) == (now.paid_coins == now.coins)


KEPT = st.tuples(st.integers(1, 50), st.integers(0, 10_000), st.integers(0, 50))


@given(st.lists(KEPT, max_size=6), st.integers(1, 200))
def test_what_is_taken_back_comes_from_what_is_free_then_from_the_reserve_and_the_rest_is_owed(
    kept: list[tuple[int, int, int]], coins: int
) -> None:
    before = []
    for at, (earned, bps, out) in enumerate(kept):
        one = earnings.reserved(ripe(str(at), earned), bps=bps, until=T0)
        before.append(earnings.sent(one, min(out, one.free_coins)))
    free, reserved = (sum(getattr(one, name) for one in before) for name in ("free_coins", "reserved_coins"))
    changed, drawn = earnings.draw([earning("pending"), *before], coins)
    assert drawn.available_coins == min(coins, free)
    assert drawn.reserve_coins == min(coins - drawn.available_coins, reserved)
    assert drawn.available_coins + drawn.reserve_coins + drawn.owed_coins == coins
    after = {one.id: one for one in before} | {one.id: one for one in changed}
    assert sum(one.free_coins for one in after.values()) == free - drawn.available_coins
    assert sum(one.reserved_coins for one in after.values()) == reserved - drawn.reserve_coins
    assert (
        sum(earnings.released(one).free_coins for one in after.values()) == free + reserved - coins + drawn.owed_coins
    )
    assert [one.in_payout_coins for one in after.values()] == [one.in_payout_coins for one in before]


def test_a_wallet_has_the_suffix_of_its_user() -> None:
    user_id = ids.UserId("user_01040g2081040g2081040g2081")
    wallet_id = wallets.id_of(user_id)
    assert wallet_id == "wallet_01040g2081040g2081040g2081"
    assert wallets.user_of(wallet_id, path=("id",)) == user_id
    with pytest.raises(errors.ValidationError):
        wallets.user_of(user_id, path=("id",))


def test_a_locked_wallet_moves_nothing() -> None:
    wallets.check_unlocked(None)
    lock = wallets.Lock(wallets.LockReason.DISPUTE, ids.TopupId("topup_01040g2081040g2081040g2081"), T0)
    with pytest.raises(errors.WalletLockedError):
        wallets.check_unlocked(lock)
