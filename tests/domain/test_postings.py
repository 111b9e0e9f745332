"""Every transfer that exists keeps the laws of the books, whatever its amounts; and tables of what each one moves."""

import inspect
from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st
from tests.domain.transfers import (
    BPS,
    BUILDERS,
    COINS,
    CREATOR,
    EUR,
    FAN,
    FEE,
    ORDER,
    PAID,
    PAR,
    PAYOUT,
    back_of,
    cash,
    check_laws,
    effects,
    held,
    less,
    lot,
)

from shoutgraph.domain import accounts, fees, ledger, maturing, payout_postings, postings
from shoutgraph.domain.ledger import LotMove, Transfer
from shoutgraph.domain.postings import Back, Cash, Held


def test_every_transfer_is_covered_here():
    built = {
        f"{prefix}{name}"
        for prefix, module in (("", postings), ("", maturing), ("payout_", payout_postings))
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and inspect.signature(function).return_annotation is Transfer
    }
    assert set(BUILDERS) == built


@pytest.mark.no_cover
@pytest.mark.parametrize("name", BUILDERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_transfer_keeps_the_laws_of_the_books(name: str, data: st.DataObject):
    transfer = data.draw(st.composite(BUILDERS[name])())
    check_laws(transfer)


@pytest.mark.no_cover
@settings(max_examples=200, deadline=None)
@given(it=held(), bps=BPS, data=st.data())
def test_an_order_that_ends_pays_out_exactly_what_it_held(it: Held, bps: int, data: st.DataObject):
    placed = effects(postings.order_placed(it))
    back, _ = data.draw(st.composite(back_of)(it))
    taken = sum(move.coins for move in it.paid_lots[:1])
    rest = it.promo_lots + it.paid_lots[1:]
    for ended in (
        postings.order_returned(it, reason="declined"),
        postings.order_reversed(it, dispute_ref="d", reversed_coins=taken, given=rest),
        postings.order_completed(EUR, it, creator_id=CREATOR, fee_bps=bps, given=back),
    ):
        assert (ended.kind, ended.ref) == ("order.closed", it.order_id), "all endings share one name"
        for escrow in (accounts.escrow(ORDER).code, accounts.promo_escrow(ORDER).code):
            assert effects(ended)[escrow] == -placed[escrow]


@pytest.mark.no_cover
@settings(max_examples=200, deadline=None)
@given(it=held(), bps=BPS, data=st.data())
def test_refunding_all_of_an_order_in_parts_undoes_its_completion(it: Held, bps: int, data: st.DataObject):
    total: Counter[str] = effects(postings.order_placed(it))
    total.update(effects(postings.order_completed(EUR, it, creator_id=CREATOR, fee_bps=bps)))
    price, done = it.paid_coins + it.promo_coins, 0
    left = it
    while done < price:
        coins = data.draw(st.integers(1, price - done))
        coins = max(coins, (price - done) // 3)  # so that it ends soon
        parts = fees.refund(
            coins=coins, refunded_coins=done, paid_coins=it.paid_coins, promo_coins=it.promo_coins, fee_bps=bps
        )
        lots = postings.returned_lots(left, promo_coins=parts.promo_coins, paid_coins=parts.paid_coins)
        total.update(
            effects(postings.order_refunded(EUR, left, ref=str(done), creator_id=CREATOR, parts=parts, given=lots))
        )
        assert total[accounts.pending(CREATOR).code] >= 0, "a creator never gives back more than the order earned"
        assert total[FEE] >= 0
        left = less(left, lots)
        done += coins
    assert {code: amount for code, amount in total.items() if amount} == {}


@settings(max_examples=100, deadline=None)
@given(coins=COINS, money=cash())
def test_a_topup_that_is_refunded_leaves_nothing_behind(coins: int, money: Cash):
    total = effects(postings.topup_succeeded(EUR, ref="t", cash=money, lot=lot("paid_0", coins), bonus=None))
    total.update(effects(postings.refund_requested(user_id=FAN, ref="r", taken=(LotMove("paid_0", -coins),))))
    total.update(effects(postings.refund_succeeded(EUR, ref="r", coins=coins, cash=money)))
    assert {code: amount for code, amount in total.items() if amount} == {}


@settings(max_examples=100, deadline=None)
@given(coins=COINS, owed=COINS, money=cash(), spent=st.booleans())
def test_a_refund_that_came_back_leaves_what_was_there_before(coins: int, owed: int, money: Cash, *, spent: bool):
    taken, given_back = (LotMove("paid_0", -coins),), (LotMove("paid_0", coins),)
    if spent:
        total = effects(postings.dispute_opened(EUR, user_id=FAN, ref="r", taken=taken, owed_coins=owed, cash=money))
        total.update(effects(postings.dispute_lost(EUR, ref="r", coins=coins + owed, cash=money)))
    else:
        owed, total = 0, effects(postings.refund_requested(user_id=FAN, ref="r", taken=taken))
        total.update(effects(postings.refund_succeeded(EUR, ref="r", coins=coins, cash=money)))
    back = Back(owed, given_back)
    total.update(effects(postings.refund_reversed(EUR, user_id=FAN, ref="r:1", back=back, cash=money)))
    assert {code: amount for code, amount in total.items() if amount} == {}


@settings(max_examples=100, deadline=None)
@given(coins=COINS, owed=COINS, money=cash(), won=st.booleans())
def test_a_dispute_that_is_decided_leaves_nothing_in_its_accounts(coins: int, owed: int, money: Cash, *, won: bool):
    taken = (LotMove("paid_0", -coins),)
    total = effects(postings.dispute_opened(EUR, user_id=FAN, ref="d", taken=taken, owed_coins=owed, cash=money))
    if won:
        back = Back(owed, (LotMove("paid_0", coins),))
        total.update(effects(postings.dispute_won(EUR, user_id=FAN, ref="d", back=back, cash=money)))
        assert {code: amount for code, amount in total.items() if amount} == {}
    else:
        total.update(effects(postings.dispute_lost(EUR, ref="d", coins=coins + owed, cash=money)))
        assert total[accounts.holding("dispute", "d").code] == 0
        assert total[accounts.disputed_money("d", money.currency).code] == 0


LOT_100 = lot("paid_0", 100)
TABLE: dict[str, tuple[Transfer, dict[str, int]]] = {
    "a pack at par": (
        postings.topup_succeeded(EUR, ref="t", cash=Cash("s", "EUR", 15_000, 15_000), lot=LOT_100, bonus=None),
        {"mint": -100, PAID.code: 100, "cash:psp:s:EUR": -15_000, "liab:coins:EUR": 15_000},
    ),
    "a pack at a discount": (
        postings.topup_succeeded(EUR, ref="t", cash=Cash("s", "EUR", 12_000, 12_000), lot=LOT_100, bonus=None),
        {
            "mint": -100,
            PAID.code: 100,
            "cash:psp:s:EUR": -12_000,
            "liab:coins:EUR": 15_000,
            "rev:packs:EUR": -3_000,
        },
    ),
    "a pack in another currency at a premium": (
        postings.topup_succeeded(EUR, ref="t", cash=Cash("s", "JPY", 300_000, 18_000), lot=LOT_100, bonus=None),
        {
            "mint": -100,
            PAID.code: 100,
            "cash:psp:s:JPY": -300_000,
            "fx:JPY": 300_000,
            "fx:EUR": -18_000,
            "liab:coins:EUR": 15_000,
            "rev:packs:EUR": 3_000,
        },
    ),
    "its refund": (
        postings.refund_succeeded(EUR, ref="r", coins=100, cash=Cash("s", "JPY", 300_000, 18_000)),
        {
            "refund:r": -100,
            "mint": 100,
            "cash:psp:s:JPY": 300_000,
            "fx:JPY": -300_000,
            "fx:EUR": 18_000,
            "liab:coins:EUR": -15_000,
            "rev:packs:EUR": -3_000,
        },
    ),
    "an order of both kinds of coin": (
        postings.order_completed(EUR, Held(ORDER, FAN, 70, 30), creator_id=CREATOR, fee_bps=3_333),
        {
            accounts.escrow(ORDER).code: -70,
            accounts.promo_escrow(ORDER).code: -30,
            "pmint": 30,
            "creator:star:pending": 67,
            FEE: 24,
            "mint": -21,
            "exp:marketing:EUR": -21 * PAR,
            "liab:coins:EUR": 21 * PAR,
            accounts.cap_mint(ORDER).code: -100,
            f"cap:{ORDER}": 100,
        },
    ),
    "a payout": (
        payout_postings.paid(EUR, payout_id=PAYOUT, coins=10, instance="s"),
        {"payout:payout_1": -10, "mint": 10, "liab:coins:EUR": -1_500, "cash:psp:s:EUR": 1_500},
    ),
    "a lost dispute of a discounted pack": (
        postings.dispute_lost(EUR, ref="d", coins=100, cash=Cash("s", "EUR", 12_000, 12_000)),
        {
            "dispute:d": -100,
            "mint": 100,
            "disp:d:EUR": 12_000,
            "liab:coins:EUR": -15_000,
            "rev:packs:EUR": 3_000,
        },
    ),
    "a charge-back of less than the orders held": (
        postings.dispute_opened(
            EUR,
            user_id=FAN,
            ref="d",
            taken=(LotMove("paid_0", 4),),
            owed_coins=0,
            cash=Cash("s", "EUR", 100, 100),
        ),
        {"dispute:d": -4, PAID.code: 4, "disp:d:EUR": -100, "cash:psp:s:EUR": 100},
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_books_say_what_the_table_says(name: str):
    transfer, expected = TABLE[name]
    assert dict(effects(transfer)) == expected


def test_money_in_the_book_currency_is_worth_itself():
    odd = Cash("s", "EUR", 15_000, 14_999)
    with pytest.raises(AssertionError, match="worth itself"):
        postings.topup_succeeded(EUR, ref="t", cash=odd, lot=LOT_100, bonus=None)
    with pytest.raises(AssertionError, match="worth itself"):
        postings.refund_succeeded(EUR, ref="r", coins=100, cash=odd)


def test_order_of_lots_is_that_of_granted_coins_first():
    it = Held(ORDER, FAN, 2, 1, (LotMove("paid_0", 2, ORDER),), (LotMove("promo_0", 1, ORDER),))
    assert postings.order_placed(it).lot_moves == (LotMove("promo_0", -1, ORDER), LotMove("paid_0", -2, ORDER))
    assert postings.returned_lots(it, promo_coins=1, paid_coins=2) == it.promo_lots + it.paid_lots
    assert ledger.give_back(it.paid_lots, 0) == ()
