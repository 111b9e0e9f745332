"""The ledger's words: postings that cannot be unbalanced, and lots taken in order and given back in reverse."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from shoutgraph.domain import accounts, ids, ledger, money
from shoutgraph.domain.ledger import Account, Floor, Lot, LotMove, Posting, Transfer

T0 = datetime(2026, 1, 1, tzinfo=UTC)
FAN = ids.UserId("user_01040g2081040g2081040g2081")
ORDER = ids.OrderId("order_01040g2081040g2081040g2081")
PAID, MINT = accounts.paid(FAN), accounts.MINT
PROMO = accounts.promo(FAN)

REMAINING = st.lists(st.integers(0, 30), max_size=8)


def lots_of(remaining: list[int]) -> list[Lot]:
    return [
        Lot(
            id=f"lot_{at}",
            account=PAID.code,
            user_id=FAN,
            topup_id=None,
            granted=50,
            remaining=coins,
            price_minor=0,
            currency=None,
            country=None,
            granted_at=T0,
        )
        for at, coins in enumerate(remaining)
    ]


def coins_one_by_one(remaining: list[int]) -> list[str]:
    """The lot of each single coin, in order."""
    return [f"lot_{at}" for at, coins in enumerate(remaining) for _ in range(coins)]


def counted(coins: list[str]) -> dict[str, int]:
    return {lot_id: coins.count(lot_id) for lot_id in dict.fromkeys(coins)}


@settings(deadline=None)
@given(remaining=REMAINING, data=st.data())
def test_coins_are_taken_from_the_oldest_lots_first(remaining: list[int], data: st.DataObject):
    coins = data.draw(st.integers(0, sum(remaining)))
    moves = ledger.take(lots_of(remaining), coins, order_id=ORDER)
    assert {move.lot_id: -move.coins for move in moves} == counted(coins_one_by_one(remaining)[:coins])
    assert [move.lot_id for move in moves] == sorted({move.lot_id for move in moves})
    assert all(move.coins < 0 and move.order_id == ORDER for move in moves)


@settings(deadline=None)
@given(remaining=REMAINING, data=st.data())
def test_an_order_holds_what_it_takes(remaining: list[int], data: st.DataObject):
    coins = data.draw(st.integers(0, sum(remaining)))
    held = ledger.hold(lots_of(remaining), coins, order_id=ORDER)
    taken = ledger.take(lots_of(remaining), coins, order_id=ORDER)
    assert held == tuple(replace(move, coins=-move.coins) for move in taken)


@settings(deadline=None)
@given(remaining=REMAINING, data=st.data())
def test_what_was_taken_last_goes_back_first(remaining: list[int], data: st.DataObject):
    coins = data.draw(st.integers(0, sum(remaining)))
    held = ledger.hold(lots_of(remaining), coins, order_id=ORDER)
    back = data.draw(st.integers(0, coins))
    given_back = ledger.give_back(held, back)
    singles = coins_one_by_one(remaining)[:coins]
    assert {move.lot_id: move.coins for move in given_back} == counted(singles[coins - back :])
    assert all(move.coins > 0 and move.order_id == ORDER for move in given_back)


@settings(deadline=None)
@given(remaining=REMAINING, data=st.data())
def test_returns_in_parts_end_where_one_return_does(remaining: list[int], data: st.DataObject):
    coins = data.draw(st.integers(0, sum(remaining)))
    held = ledger.hold(lots_of(remaining), coins, order_id=ORDER)
    left = {move.lot_id: move.coins for move in held}
    missing = coins
    while missing:
        part = data.draw(st.integers(1, missing))
        holds = [LotMove(lot_id, still, ORDER) for lot_id, still in left.items()]
        for move in ledger.give_back(holds, part):
            left[move.lot_id] -= move.coins
        missing -= part
    assert set(left.values()) <= {0}


@pytest.mark.parametrize("remaining", [[], [0], [3, 0, 6]])
def test_lots_never_give_more_than_they_hold(remaining: list[int]):
    with pytest.raises(AssertionError, match="as many coins as the wallet's balance"):
        ledger.take(lots_of(remaining), sum(remaining) + 1)


def test_an_order_never_gives_back_more_than_it_holds():
    held = ledger.hold(lots_of([3, 6]), 5, order_id=ORDER)
    with pytest.raises(AssertionError, match="at most what it holds"):
        ledger.give_back(held, 6)


@pytest.mark.parametrize("amount", [0, -1, money.AMOUNT_MAX + 1])
def test_a_posting_moves_a_positive_bounded_amount(amount: int):
    with pytest.raises(AssertionError, match="positive, bounded"):
        Posting(MINT, PAID, amount, "x")


def test_a_posting_moves_one_asset():
    with pytest.raises(AssertionError, match="one asset"):
        Posting(MINT, PROMO, 1, "x")


def test_a_posting_has_two_sides():
    with pytest.raises(AssertionError, match="two sides"):
        Posting(PAID, PAID, 1, "x")


def test_a_transfer_moves_something():
    with pytest.raises(AssertionError, match="moves something"):
        Transfer("x", "1", ())


def test_the_same_transfer_has_the_same_digest():
    one, again = (Transfer("x", "1", (Posting(MINT, PAID, 5, reason),)) for reason in ("why", "why"))
    assert one.digest() == again.digest()
    assert len(one.digest()) == 32


def changed(kind: str = "x", ref: str = "1", **posting: Any) -> Transfer:
    values: dict[str, Any] = {"debit": MINT, "credit": PAID, "amount": 5, "reason": "r"}
    return Transfer(kind, ref, (Posting(**(values | posting)),))


@pytest.mark.parametrize(
    "other",
    [
        changed(kind="y"),
        changed(ref="2"),
        changed(kind="x1", ref=""),
        changed(amount=6),
        changed(debit=PAID, credit=MINT),
        changed(debit=accounts.paid(ids.UserId("user_01040g2081040g2081040g2082"))),
        changed(debit=Account("mint", "PROMO", Floor.FREE), credit=PROMO),
        Transfer("x", "1", (*changed().postings, *changed().postings)),
    ],
)
def test_another_content_has_another_digest(other: Transfer):
    assert other.digest() != changed().digest()


def test_every_account_of_the_chart_has_a_name_of_its_own():
    user, creator, topup = str(FAN), "creator_01040g2081040g2081040g2081", "topup_01040g2081040g2081040g2081"
    chart = [
        accounts.MINT,
        accounts.PROMO_MINT,
        *(accounts.cap_mint_stripe(stripe) for stripe in range(ledger.FEE_STRIPES)),
        accounts.paid(FAN),
        accounts.promo(FAN),
        accounts.debt(FAN),
        accounts.escrow(ORDER),
        accounts.promo_escrow(ORDER),
        accounts.refund_cap(ORDER),
        accounts.pending(ids.CreatorId(creator)),
        accounts.available(ids.CreatorId(creator)),
        *(accounts.fee_stripe(stripe) for stripe in range(ledger.FEE_STRIPES)),
        *(accounts.holding(kind, topup) for kind in ("payout", "refund", "dispute")),
        *(accounts.money_account(name, "EUR") for name in ("exp:psp", "fx", "rev:fees", "cash:transit")),
        accounts.provider_cash("sandbox", "EUR"),
        accounts.provider_cash("sandbox", "USD"),
        accounts.coin_liability("EUR"),
        accounts.receivable("EUR"),
        accounts.disputed_money(user, "EUR"),
    ]
    assert len({account.code for account in chart}) == len(chart)


def test_only_escrow_is_tied_to_an_order_and_only_wallets_to_lots():
    assert accounts.escrow(ORDER).order_id == accounts.promo_escrow(ORDER).order_id == ORDER
    assert accounts.paid(FAN).wallet
    assert accounts.promo(FAN).wallet
    assert accounts.refund_cap(ORDER).order_id is None
    assert not accounts.debt(FAN).wallet


@settings(deadline=None)
@given(uuid_bytes=st.binary(min_size=16, max_size=16))
def test_an_order_always_uses_the_same_fee_account(uuid_bytes: bytes):
    order_id = ids.encode(ids.ORDER, uuid_bytes)
    account = accounts.fee(order_id)
    assert account == accounts.fee(order_id)
    assert account in {accounts.fee_stripe(stripe) for stripe in range(ledger.FEE_STRIPES)}


def test_orders_use_all_fee_accounts():
    used = {accounts.fee(ids.encode(ids.ORDER, number.to_bytes(16))).code for number in range(400)}
    assert len(used) == ledger.FEE_STRIPES


def test_refund_caps_come_from_as_many_accounts_of_which_the_oldest_is_one():
    used = {accounts.cap_mint(ids.encode(ids.ORDER, number.to_bytes(16))) for number in range(400)}
    assert used == {accounts.cap_mint_stripe(stripe) for stripe in range(ledger.FEE_STRIPES)}
    assert accounts.CAP_MINT in used
