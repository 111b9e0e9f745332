"""Payouts in another currency: nobody gets more than the exact quotient, and a return restores everything."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given, settings, strategies as st

from shoutgraph.domain import accounts, exchanges, ids, ledger, legs, packages, payout_postings
from shoutgraph.domain.ledger import Transfer
from shoutgraph.domain.money import BPS, Money
from shoutgraph.domain.packages import Rate

PAYOUT, CREATOR = ids.PayoutId("payout_1"), ids.CreatorId("creator_1")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RATIO = st.integers(1, packages.RATIO_MAX)


def sums(*transfers: Transfer) -> Counter[str]:
    """What each account holds, where that is something."""
    held: Counter[str] = Counter()
    for move in (move for transfer in transfers for move in transfer.postings):
        held[move.debit.code] -= move.amount
        held[move.credit.code] += move.amount
    return Counter({code: units for code, units in held.items() if units})


@settings(max_examples=150)
@given(
    gross=st.integers(1, exchanges.GROSS_MAX_MINOR),
    numerator=RATIO,
    denominator=RATIO,
    spread_bps=st.integers(0, BPS - 1),
    step=st.sampled_from([1, 10, 100]),
)
def test_any_payout_is_worth_no_more_than_the_quotient_and_a_return_restores_all(
    gross: int, numerator: int, denominator: int, spread_bps: int, step: int
) -> None:
    rate = Rate("JPY", "USD", 7, numerator, denominator)
    made = exchanges.exchange(Money(gross, "USD"), rate, spread_bps=spread_bps, step_minor=step)
    exact = Fraction(gross * 100 * denominator, numerator) * Fraction(BPS - spread_bps, BPS)
    assert 0 <= made.amount_minor <= exact
    assert made.amount_minor % step == 0
    lost = Fraction(100 * denominator, numerator)  # by rounding the spread up; then one minor unit, or one step
    assert exact - made.amount_minor < lost + step
    assert made.amount_minor * numerator < 2**63 > (gross - made.spread_minor) * 100 * denominator
    if not 0 < made.amount_minor <= exchanges.AMOUNT_MAX_MINOR:
        return  # refused
    books = legs.Books("USD", 100)
    terms = {"payout_id": PAYOUT, "coins": gross, "instance": "bank", "exchange": made}
    paid = payout_postings.paid(books, **terms)  # type: ignore[arg-type]
    back = payout_postings.returned(books, creator_id=CREATOR, **terms)  # type: ignore[arg-type]
    for transfer in (paid, back):
        assert all(move.debit.asset == move.credit.asset and move.amount > 0 for move in transfer.postings)
    left = sums(paid)
    assert left["liab:coins:USD"] == -gross * 100
    assert left["fx:USD"] + left["rev:payout:USD"] == gross * 100
    assert left["cash:psp:bank:JPY"] == made.amount_minor * 100 == -left["fx:JPY"]
    available = accounts.available(CREATOR)
    asked = payout_postings.requested(payout_id=PAYOUT, creator_id=CREATOR, coins=gross)
    assert sums(asked, paid, back) == {}
    assert sums(asked, paid)[available.code] == -gross
    assert available.floor is ledger.Floor.CREDIT


def test_a_quote_holds_for_the_rates_that_held_since() -> None:
    times = {1: -90, 2: -20, 3: -5, 4: -5, 5: 10}  # minutes; of two at once the newer one holds
    rates = [
        Rate("JPY", "USD", version, 1, 1, effective_from=NOON + timedelta(minutes=minutes))
        for version, minutes in times.items()
    ]
    for minutes, versions in ((0, [4]), (4, [4]), (5, [4, 3, 2]), (19, [4, 3, 2]), (20, [4, 3, 2, 1])):
        since = NOON - timedelta(minutes=minutes)
        assert [each.version for each in exchanges.held_since(rates, since=since, now=NOON)] == versions
    assert exchanges.held_since(rates[:1], since=NOON - timedelta(days=9), now=NOON) == rates[:1]
