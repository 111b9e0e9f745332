"""Amounts, languages and states, as Mollie writes them."""

from typing import Any

import pytest

from shoutgraph.sdk import Declined, Money, NeedsAction, Pending, Settled, Totals, Unknown
from shoutgraph_mollie import amounts, languages, reading
from shoutgraph_mollie.shapes import PaymentShape


def eur(value: str) -> dict[str, str]:
    return {"value": value, "currency": "EUR"}


def payment(status: str = "paid", **more: object) -> PaymentShape:
    said: dict[str, Any] = {
        "resource": "payment",
        "id": "tr_5B8cwPMGnU6qLbRvo7qEZo",
        "status": status,
        "amount": eur("10.00"),
        "created_at": "2026-11-20T12:00:00Z",
        "paid_at": "2026-11-20T12:05:00Z" if status == "paid" else None,
        **more,
    }
    return PaymentShape.model_validate(said, strict=False)


def refund(status: str, value: str) -> dict[str, Any]:
    return {"id": "re_1", "status": status, "amount": eur(value), "payment_id": "tr_5B8cwPMGnU6qLbRvo7qEZo"}


def totals_of(shape: PaymentShape) -> Totals:
    seen = reading.outcome_of(shape)
    assert isinstance(seen, Settled)
    return seen.totals


@pytest.mark.parametrize(
    ("money", "value"),
    [
        (Money(1000, "EUR"), "10.00"),
        (Money(5, "EUR"), "0.05"),
        (Money(123_456_789, "USD"), "1234567.89"),
        (Money(1000, "JPY"), "1000"),
        (Money(1000, "ISK"), "1000"),
        (Money(1005, "HUF"), "10.05"),
    ],
)
def test_an_amount_is_exact_in_both_directions(money: Money, value: str) -> None:
    assert amounts.value_of(money) == value
    assert amounts.money_of(value, money.currency) == money


@pytest.mark.parametrize(
    ("value", "currency"),
    [
        ("10", "EUR"),
        ("10.0", "EUR"),
        ("10.005", "EUR"),
        ("1000.00", "JPY"),
        ("-1.00", "EUR"),
        ("1e3", "JPY"),
        ("", "EUR"),
        (" 1.00", "EUR"),
        ("1,00", "EUR"),
        ("\u0661.\u0660\u0660", "EUR"),
        ("1.00", "euro"),
        ("9" * 16, "JPY"),
    ],
)
def test_an_amount_with_other_decimals_is_none(value: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"decimals|ISO"):
        amounts.money_of(value, currency)


@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        ("en", "en_US"),
        ("en-GB", "en_GB"),
        ("de-AT", "de_AT"),
        ("de-LU", "de_DE"),
        ("pt-BR", "pt_PT"),
        ("no", "nb_NO"),
        ("nl_BE", "nl_BE"),
        ("zh-Hant-TW", None),
        ("", None),
    ],
)
def test_the_page_speaks_the_fans_language_or_chooses(tag: str, locale: str | None) -> None:
    assert languages.locale_of(tag) == locale


def test_only_money_that_arrived_back_counts_as_refunded() -> None:
    refunds = [refund(status, "1.00") for status in ("queued", "pending", "processing")]
    seen = totals_of(payment(embedded={"refunds": [*refunds, refund("refunded", "2.50"), refund("refunded", "0.01")]}))
    assert (seen.settled, seen.refunded) == (Money(1000, "EUR"), Money(251, "EUR"))


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_came_to_nothing_counts_as_done_and_as_come_back(status: str) -> None:
    seen = totals_of(payment(embedded={"refunds": [refund(status, "1.00"), refund("refunded", "2.50")]}))
    assert (seen.refunded, seen.refunds_failed) == (Money(350, "EUR"), Money(100, "EUR"))


def test_a_chargeback_is_disputed_until_it_is_reversed() -> None:
    taken = {"id": "chb_1", "amount": eur("10.00"), "reversed_at": None}
    seen = totals_of(payment(embedded={"chargebacks": [taken]}))
    assert (seen.disputed.minor, seen.disputes_won, seen.disputes_lost) == (1000, Money(0, "EUR"), None)
    seen = totals_of(payment(embedded={"chargebacks": [{**taken, "reversed_at": "2026-11-21T00:00:00Z"}, taken]}))
    assert (seen.disputed.minor, seen.disputes_won) == (2000, Money(1000, "EUR"))


def test_money_that_went_back_unseen_is_not_overlooked() -> None:
    ref = "tr_5B8cwPMGnU6qLbRvo7qEZo"
    assert reading.outcome_of(payment(amount_refunded=eur("1.00"))) == Unknown("refunds_not_shown", ref=ref)
    assert reading.outcome_of(payment(amount_charged_back=eur("1.00"))) == Unknown("refunds_not_shown", ref=ref)
    half = payment(amount_refunded=eur("1.00"), embedded={"chargebacks": []})
    assert reading.outcome_of(half) == Unknown("refunds_not_shown", ref=ref)
    less = payment(amount_refunded=eur("2.00"), embedded={"refunds": [refund("refunded", "1.00")]})
    assert reading.outcome_of(less) == Unknown("refunds_not_shown", ref=ref)
    none = payment(amount_charged_back=eur("10.00"), embedded={"chargebacks": []})
    assert reading.outcome_of(none) == Unknown("refunds_not_shown", ref=ref)
    assert totals_of(payment(amount_refunded=eur("0.00"))).refunded.minor == 0


def test_every_state_has_a_meaning() -> None:
    page = {"checkout": {"href": "https://www.mollie.com/checkout/1"}}
    seen = reading.outcome_of(payment("open", links=page, expires_at="2026-11-20T13:00:00Z"))
    assert isinstance(seen, NeedsAction)
    assert seen.expires_at.hour == 13
    until = reading.outcome_of(payment("open", links=page))
    assert isinstance(until, NeedsAction)
    assert until.expires_at.minute == 15
    for status in ("open", "pending", "authorized"):
        assert isinstance(reading.outcome_of(payment(status)), Pending)
    for status in ("canceled", "expired", "failed"):
        assert reading.outcome_of(payment(status)) == Declined("tr_5B8cwPMGnU6qLbRvo7qEZo", status, retryable=True)


@pytest.mark.parametrize(
    "shape",
    [
        payment("something new"),
        payment(paid_at=None),
        payment(amount={"value": "10.000", "currency": "EUR"}),
        payment(embedded={"refunds": [{**refund("refunded", "1.00"), "amount": {"value": "1.00", "currency": "USD"}}]}),
    ],
)
def test_what_cannot_be_read_is_unknown(shape: PaymentShape) -> None:
    seen = reading.outcome_of(shape)
    assert isinstance(seen, Unknown)
    assert seen.reason == "unreadable"
