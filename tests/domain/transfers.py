"""Makes every transfer that exists with drawn amounts, and checks the laws of the books on one."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from shoutgraph.domain import accounts, corrections, exchanges, fees, ids, maturing, payout_postings, postings
from shoutgraph.domain.earnings import Drawn
from shoutgraph.domain.ledger import COIN, Account, Floor, Lot, LotMove, Transfer
from shoutgraph.domain.money import Money
from shoutgraph.domain.packages import Rate
from shoutgraph.domain.postings import Back, Books, Cash, Held

T0 = datetime(2026, 1, 1, tzinfo=UTC)
FAN = ids.UserId("fan")
CREATOR = ids.CreatorId("star")
ORDER = ids.OrderId("order_01040g2081040g2081040g2081")
PAYOUT = ids.PayoutId("payout_1")
PAR = 150
EUR = Books("EUR", PAR)
PAID, PROMO = accounts.paid(FAN), accounts.promo(FAN)
FEE = accounts.fee(ORDER).code

COINS = st.one_of(st.integers(1, 9), st.integers(1, 10**6))
BPS = st.sampled_from([0, 1, 2_999, 3_000, 9_999, 10_000])
Draw = st.DrawFn


def lot(lot_id: str, coins: int, wallet: Account = PAID) -> Lot:
    return Lot(
        id=lot_id,
        account=wallet.code,
        user_id=FAN,
        topup_id=None,
        granted=coins,
        remaining=coins,
        price_minor=0,
        currency=None,
        country=None,
        granted_at=T0,
    )


def parts_of(total: int, draw: Draw, prefix: str, sign: int = 1, order_id: ids.OrderId | None = None):
    """A number of coins as moves of up to three lots."""
    edges = sorted({0, total, *draw(st.lists(st.integers(0, total), max_size=2))})
    return tuple(LotMove(f"{prefix}_{at}", sign * (b - a), order_id) for at, (a, b) in enumerate(pairwise(edges)))


@st.composite
def cash(draw: Draw, currency: str | None = None) -> Cash:
    """Money of a payment, in the book currency or another."""
    chosen = currency or draw(st.sampled_from(["EUR", "USD", "JPY"]))
    units = 100 * draw(st.integers(1, 10**6))
    return Cash("sandbox", chosen, units, units if chosen == "EUR" else draw(st.integers(0, 10**8)))


@st.composite
def held(draw: Draw) -> Held:
    """What an order holds: paid coins, granted coins, or both."""
    paid, promo = draw(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).filter(any))
    return Held(
        ORDER, FAN, paid, promo, parts_of(paid, draw, "paid", 1, ORDER), parts_of(promo, draw, "promo", 1, ORDER)
    )


def topup_succeeded(draw: Draw) -> Transfer:
    bonus = draw(st.none() | COINS.map(lambda coins: lot("promo_0", coins, PROMO)))
    return postings.topup_succeeded(EUR, ref="t", cash=draw(cash()), lot=lot("paid_0", draw(COINS)), bonus=bonus)


def promo_granted(draw: Draw) -> Transfer:
    return postings.promo_granted(ref="g", lot=lot("promo_0", draw(COINS), PROMO))


def promo_expired(draw: Draw) -> Transfer:
    return postings.promo_expired(user_id=FAN, ref="promo_0:1", take=LotMove("promo_0", -draw(COINS)))


def debt_repaid(draw: Draw) -> Transfer:
    return postings.debt_repaid(EUR, user_id=FAN, ref="d", taken=parts_of(draw(COINS), draw, "paid", -1))


def provider_fee(draw: Draw) -> Transfer:
    return postings.provider_fee(ref="f", instance="sandbox", currency="USD", units=100 * draw(COINS))


def refund_requested(draw: Draw) -> Transfer:
    return postings.refund_requested(user_id=FAN, ref="r", taken=parts_of(draw(COINS), draw, "paid", -1))


def refund_succeeded(draw: Draw) -> Transfer:
    return postings.refund_succeeded(EUR, ref="r", coins=draw(COINS), cash=draw(cash()))


def refund_reversed(draw: Draw) -> Transfer:
    given_back = parts_of(draw(COINS | st.just(0)), draw, "paid")
    fresh = draw(st.none() | COINS.map(lambda coins: lot("paid_9", coins)))
    back = Back(draw(COINS | st.just(0)), given_back, fresh)
    return postings.refund_reversed(EUR, user_id=FAN, ref="r:5", back=back, cash=draw(cash()))


def refund_failed(draw: Draw) -> Transfer:
    return postings.refund_failed(user_id=FAN, ref="r", given=parts_of(draw(COINS), draw, "paid"))


def dispute_opened(draw: Draw) -> Transfer:
    sign = draw(st.sampled_from([1, -1]))
    taken = parts_of(draw(COINS | st.just(0)), draw, "paid", sign)
    owed = draw(COINS | st.just(0))
    return postings.dispute_opened(EUR, user_id=FAN, ref="d", taken=taken, owed_coins=owed, cash=draw(cash()))


def dispute_lost(draw: Draw) -> Transfer:
    return postings.dispute_lost(EUR, ref="d", coins=draw(COINS | st.just(0)), cash=draw(cash()))


def dispute_won(draw: Draw) -> Transfer:
    given_back = parts_of(draw(COINS | st.just(0)), draw, "paid")
    fresh = draw(st.none() | COINS.map(lambda coins: lot("paid_9", coins)))
    back = Back(draw(COINS | st.just(0)), given_back, fresh)
    return postings.dispute_won(EUR, user_id=FAN, ref="d", back=back, cash=draw(cash()))


def debt_written_off(draw: Draw) -> Transfer:
    return postings.debt_written_off(EUR, user_id=FAN, ref="w", coins=draw(COINS))


def order_placed(draw: Draw) -> Transfer:
    return postings.order_placed(draw(held()))


def order_returned(draw: Draw) -> Transfer:
    return postings.order_returned(draw(held()), reason="declined")


def order_reversed(draw: Draw) -> Transfer:
    it = draw(held())
    taken = it.paid_lots[:1]
    coins = sum(move.coins for move in taken)
    given_back = it.promo_lots + it.paid_lots[1:]
    return postings.order_reversed(it, dispute_ref="d", reversed_coins=coins, given=given_back)


def back_of(draw: Draw, it: Held, *, least: int = 0) -> tuple[tuple[LotMove, ...], int]:
    coins = draw(st.integers(least, it.paid_coins + it.promo_coins))
    promo, paid = fees.share_back(coins=coins, paid_coins=it.paid_coins, promo_coins=it.promo_coins)
    return postings.returned_lots(it, promo_coins=promo, paid_coins=paid), promo


def order_completed(draw: Draw) -> Transfer:
    it = draw(held())
    given_back, _ = back_of(draw, it)
    return postings.order_completed(EUR, it, creator_id=CREATOR, fee_bps=draw(BPS), given=given_back)


def surcharge_returned(draw: Draw) -> Transfer:
    it = draw(held())
    given_back, promo = back_of(draw, it, least=1)
    return postings.surcharge_returned(it, given=given_back, promo_coins=promo)


def creator_compensated(draw: Draw) -> Transfer:
    return postings.creator_compensated(EUR, order_id=ORDER, creator_id=CREATOR, coins=draw(COINS))


def order_refunded(draw: Draw) -> Transfer:
    it, bps = draw(held()), draw(BPS)
    coins = draw(st.integers(1, it.paid_coins + it.promo_coins))
    parts = fees.refund(
        coins=coins, refunded_coins=0, paid_coins=it.paid_coins, promo_coins=it.promo_coins, fee_bps=bps
    )
    lots = postings.returned_lots(it, promo_coins=parts.promo_coins, paid_coins=parts.paid_coins)
    return postings.order_refunded(EUR, it, ref="r", creator_id=CREATOR, parts=parts, given=lots)


def order_taken_back(draw: Draw) -> Transfer:
    it, bps = draw(held()), draw(BPS)
    coins = draw(st.integers(1, it.paid_coins + it.promo_coins))
    parts = fees.refund(
        coins=coins, refunded_coins=0, paid_coins=it.paid_coins, promo_coins=it.promo_coins, fee_bps=bps
    )
    wanted = coins - parts.fee_paid_coins - parts.fee_promo_coins
    one, other = sorted(draw(st.integers(0, wanted)) for _ in range(2))
    taken = maturing.TakenBack(CREATOR, ids.UserId("owner"), Drawn(one, other - one, wanted - other))
    lots = postings.returned_lots(it, promo_coins=parts.promo_coins, paid_coins=parts.paid_coins)
    return maturing.order_taken_back(EUR, it, ref="r", taken=taken, parts=parts, given=lots)


def debt_withheld(draw: Draw) -> Transfer:
    return maturing.debt_withheld(EUR, ref="e", creator_id=CREATOR, user_id=FAN, coins=draw(COINS))


def goodwill(draw: Draw) -> Transfer:
    it = draw(held())
    promo, paid = fees.share_back(
        coins=draw(st.integers(1, it.paid_coins + it.promo_coins)), paid_coins=it.paid_coins, promo_coins=it.promo_coins
    )
    lots = postings.returned_lots(it, promo_coins=promo, paid_coins=paid)
    return postings.goodwill(EUR, it, ref="g", paid_coins=paid, promo_coins=promo, given=lots)


def earnings_matured(draw: Draw) -> Transfer:
    return maturing.earnings_matured(ref="e", creator_id=CREATOR, coins=draw(COINS))


def payout_requested(draw: Draw) -> Transfer:
    return payout_postings.requested(payout_id=PAYOUT, creator_id=CREATOR, coins=draw(COINS))


def breakage(draw: Draw) -> Transfer:
    take = LotMove("paid_0", -draw(COINS))
    return postings.breakage(EUR, user_id=FAN, take=take, unclaimed=draw(st.booleans()))


def breakage_returned(draw: Draw) -> Transfer:
    return postings.breakage_returned(EUR, ref="l", fresh=lot("paid_9", draw(COINS)), unclaimed=draw(st.booleans()))


def ledger_adjusted(draw: Draw) -> Transfer:
    coins = draw(COINS)
    legs = (
        corrections.Leg("mint", f"user:user_{'0' * 26}:debt", coins),
        corrections.Leg("exp:chargeback:EUR", "recv:users:EUR", coins * PAR),
    )
    correction = corrections.Correction(
        id=corrections.CorrectionId("c"),
        state=corrections.CorrectionState.DONE,
        reason="r",
        case_reference="c",
        par_units=PAR,
        leg_count=2,
        proposed_by="ada",
        proposed_at=T0,
        legs=legs,
    )
    return corrections.transfer_of(correction, EUR)


def leaving(draw: Draw) -> dict[str, Any]:
    """A payout in the book currency, or in another."""
    coins, rate = 2 * draw(COINS), Rate("JPY", "EUR", 1, 61, draw(st.integers(1, 9)))
    exchange = exchanges.exchange(Money(coins * PAR // 100, "EUR"), rate, spread_bps=draw(BPS) * 9 // 10)
    foreign = draw(st.booleans())
    return {"payout_id": PAYOUT, "coins": coins, "instance": "sandbox", "exchange": exchange if foreign else None}


def payout_paid(draw: Draw) -> Transfer:
    return payout_postings.paid(EUR, **leaving(draw))


def payout_failed(draw: Draw) -> Transfer:
    return payout_postings.failed(payout_id=PAYOUT, creator_id=CREATOR, coins=draw(COINS))


def payout_returned(draw: Draw) -> Transfer:
    return payout_postings.returned(EUR, creator_id=CREATOR, **leaving(draw))


def earnings_reserved(draw: Draw) -> Transfer:
    return maturing.earnings_reserved(ref="e", creator_id=CREATOR, coins=draw(COINS))


def earnings_released(draw: Draw) -> Transfer:
    return maturing.earnings_released(ref="e", creator_id=CREATOR, coins=draw(COINS))


def fx_revalued(draw: Draw) -> Transfer:
    gain = draw(COINS) * draw(st.sampled_from([-1, 1]))
    return postings.fx_revalued(currency="EUR", ref="2026-01-01", gain_units=gain)


def card_bought(draw: Draw) -> Transfer:
    taken = parts_of(draw(COINS), draw, "paid", -1)
    return postings.card_bought(user_id=FAN, ref="c", taken=taken)


def card_redeemed(draw: Draw) -> Transfer:
    lots = tuple(lot(f"paid_{at}", coins) for at, coins in enumerate(draw(st.lists(COINS, min_size=1, max_size=3))))
    return postings.card_redeemed(user_id=FAN, ref="c", lots=lots)


def card_returned(draw: Draw) -> Transfer:
    given, fresh = (
        parts_of(draw(COINS), draw, "paid"),
        draw(st.none() | COINS.map(lambda coins: lot("paid_fresh", coins))),
    )
    return postings.card_returned(user_id=FAN, ref="c", given=given, fresh=fresh)


def fee_swept(draw: Draw) -> Transfer:
    return postings.fee_swept(EUR, stripe=draw(st.integers(0, 15)), ref="s", coins=draw(COINS))


def gift_sent(draw: Draw) -> Transfer:
    taken = parts_of(draw(COINS), draw, "paid", -1)
    fee = draw(st.integers(0, -sum(move.coins for move in taken)))
    return postings.gift_sent(ref="g", user_id=FAN, creator_id=CREATOR, fee_coins=fee, taken=taken)


def provider_settled(draw: Draw) -> Transfer:
    return postings.provider_settled(ref="s", instance="sandbox", currency="USD", units=100 * draw(COINS))


BUILDERS: dict[str, Callable[[Draw], Transfer]] = {
    builder.__name__: builder
    for builder in (
        topup_succeeded,
        promo_granted,
        promo_expired,
        debt_repaid,
        provider_fee,
        refund_requested,
        refund_succeeded,
        refund_failed,
        refund_reversed,
        dispute_opened,
        dispute_lost,
        dispute_won,
        debt_written_off,
        fx_revalued,
        card_bought,
        card_redeemed,
        card_returned,
        order_placed,
        order_returned,
        order_reversed,
        order_completed,
        surcharge_returned,
        creator_compensated,
        order_refunded,
        order_taken_back,
        debt_withheld,
        goodwill,
        earnings_matured,
        earnings_reserved,
        earnings_released,
        payout_requested,
        payout_paid,
        payout_failed,
        payout_returned,
        fee_swept,
        gift_sent,
        provider_settled,
        breakage,
        breakage_returned,
        ledger_adjusted,
    )
}


def effects(transfer: Transfer) -> Counter[str]:
    """What each account gains (credits less debits)."""
    gained: Counter[str] = Counter()
    for posting in transfer.postings:
        gained[posting.debit.code] -= posting.amount
        gained[posting.credit.code] += posting.amount
    return Counter({code: amount for code, amount in gained.items() if amount})


def check_laws(transfer: Transfer) -> None:
    gained = effects(transfer)
    coin_accounts = {
        account.code: account
        for posting in transfer.postings
        for account in (posting.debit, posting.credit)
        if account.asset == COIN
    }
    coins_held = sum(gained[code] for code, account in coin_accounts.items() if account.floor is Floor.CREDIT)
    owed = sum(gained[code] for code, account in coin_accounts.items() if account.floor is Floor.DEBIT)
    assert coins_held + owed == -gained["mint"], "coins are made and ended by the mint alone"
    assert gained["liab:coins:EUR"] == PAR * coins_held, "every coin is owed at par"
    assert gained["recv:users:EUR"] == PAR * owed, "every coin owed to us is a receivable at par"
    moved: Counter[str] = Counter()
    for move in transfer.lot_moves:
        moved[move.lot_id.split("_")[0]] += move.coins
    for grant in transfer.lot_grants:
        moved[grant.id.split("_")[0]] += grant.granted
    assert gained[PAID.code] == moved["paid"], "a wallet's balance moves as its lots do"
    assert gained[PROMO.code] == moved["promo"]
    escrow = gained[accounts.escrow(ORDER).code] + gained[accounts.promo_escrow(ORDER).code]
    if transfer.kind == "order.closed":
        assert escrow < 0, "an ending empties the escrow"


def less(it: Held, lots: tuple[LotMove, ...]) -> Held:
    """What an order still holds after some went back."""
    back: Counter[str] = Counter()
    for move in lots:
        back[move.lot_id] += move.coins

    def rest(moves: tuple[LotMove, ...]) -> tuple[LotMove, ...]:
        return tuple(
            replace(move, coins=move.coins - back[move.lot_id]) for move in moves if move.coins > back[move.lot_id]
        )

    paid, promo = rest(it.paid_lots), rest(it.promo_lots)
    return replace(
        it,
        paid_coins=sum(move.coins for move in paid),
        promo_coins=sum(move.coins for move in promo),
        paid_lots=paid,
        promo_lots=promo,
    )
