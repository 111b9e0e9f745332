"""Outcomes refuse to be made wrongly, and totals do not depend on the order in which they are seen."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from shoutgraph.sdk import (
    Call,
    ClientSecret,
    Declined,
    Money,
    NeedsAction,
    NotExecuted,
    Paid,
    PayoutBatch,
    PayoutItem,
    Pending,
    QuoteRequest,
    Redemption,
    Redirect,
    Returned,
    Settled,
    Totals,
    Unknown,
    joined,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 -- this is what is refused
EUR = Money(100, "EUR")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Settled("", Totals.of(EUR), AT),
        lambda: Settled("ref", EUR, AT),
        lambda: Settled("ref", Totals.of(EUR), NAIVE),
        lambda: Settled(None, Totals.of(EUR), AT),
        lambda: Pending("ref", 5),
        lambda: Pending("ref", timedelta(1), NAIVE),
        lambda: NeedsAction("ref", "https://pay.test", AT),
        lambda: Declined("ref", ""),
        lambda: NotExecuted(None),
        lambda: Unknown(""),
        lambda: Paid("ref", 100, AT),
        lambda: Returned("ref", EUR, "code", "yesterday"),
        lambda: Redirect("javascript:alert(1)"),
        lambda: Totals(EUR, Money(0, "USD"), Money(0, "EUR")),
        lambda: Totals(EUR, Money(-1, "EUR"), Money(0, "EUR")),
        lambda: Unknown("x" * 3000),
    ],
)
def test_an_outcome_with_a_wrong_value_cannot_be_made(make: Callable[[], object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        make()


amounts = st.integers(0, 10**9).map(lambda minor: Money(minor, "EUR"))
maybe = st.none() | amounts
totals = st.builds(Totals, amounts, amounts, amounts, maybe, maybe, maybe, maybe)


@given(st.lists(totals, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_totals_seen_in_any_order_and_repeatedly_join_to_the_same(seen: list[Totals], rnd: object) -> None:
    def fold(each: list[Totals]) -> Totals:
        result = each[0]
        for one in each[1:]:
            result = joined(result, one)
        return result

    shuffled = [*seen, *seen]
    rnd.shuffle(shuffled)
    assert fold(shuffled) == fold(seen)


def test_totals_of_two_currencies_do_not_join() -> None:
    with pytest.raises(ValueError, match="two currencies"):
        joined(Totals.of(EUR), Totals.of(Money(1, "USD")))


def test_what_is_secret_or_personal_is_not_written_out() -> None:
    call = Call("payout_1", "key_1", timedelta(1))
    told = [
        NeedsAction("ref", ClientSecret("hush", "pk_1"), AT),
        Redemption(call, "hush", "user_1", "coins"),
        PayoutBatch(call, (PayoutItem("payout_1", EUR, "hush", "Earnings"),)),
        QuoteRequest(call, EUR, "hush"),
    ]
    assert "hush" not in repr(told)
