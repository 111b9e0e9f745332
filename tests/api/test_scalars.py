"""The scalars: what goes in, what comes out, and what is refused, as a literal and as a variable."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st
from tests.api.harness import Client

from shoutgraph.api.graphql import scalars

FIELDS = {"coins": "Coins", "big": "BigInt", "at": "DateTime", "currency": "CurrencyCode", "key": "IdempotencyKey"}


def there_and_back(client: Client, field: str, value: object) -> object:
    """Sends a value as a variable and as a literal, which must come back alike."""
    query = f"query ($v: {FIELDS[field]}) {{ scalars({field}: $v) {{ {field} }} }}"
    by_variable = client.data(query, v=value)["scalars"][field]
    by_literal = client.data(f"{{ scalars({field}: {json.dumps(value)}) {{ {field} }} }}")["scalars"][field]
    assert by_variable == by_literal
    return by_variable


@pytest.mark.parametrize(
    ("field", "value", "back"),
    [
        ("coins", "1500", "1500"),
        ("coins", 1500, "1500"),
        ("coins", 0, "0"),
        ("coins", "9223372036854775807", "9223372036854775807"),
        ("coins", 9223372036854775807, "9223372036854775807"),
        ("big", "-9223372036854775808", "-9223372036854775808"),
        ("big", -1, "-1"),
        ("at", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z"),
        ("at", "2026-01-31T12:00:00.123456789+05:30", "2026-01-31T06:30:00.123Z"),
        ("at", "2026-01-31t12:00:00z", "2026-01-31T12:00:00.000Z"),
        ("at", None, None),
        ("currency", "EUR", "EUR"),
        ("key", "0123456789abcdef", "0123456789abcdef"),
        ("key", "!" * 64, "!" * 64),
    ],
)
def test_a_value_goes_there_and_back(client: Client, field: str, value: object, back: object) -> None:
    assert there_and_back(client, field, value) == back


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("coins", -1),
        ("coins", "-1"),
        ("coins", 1.0),
        ("coins", "1.0"),
        ("coins", "1e3"),
        ("coins", "01"),
        ("coins", " 1"),
        ("coins", "+1"),
        ("coins", ""),
        ("coins", "\u0661\u0662"),
        ("coins", True),
        ("coins", "9223372036854775808"),
        ("coins", 9223372036854775808),
        ("coins", {"a": 1}),
        ("coins", [1]),
        ("big", "-9223372036854775809"),
        ("big", "NaN"),
        ("at", "2026-01-31T12:00:00"),
        ("at", "2026-01-31"),
        ("at", "2026-W05-6T12:00:00Z"),
        ("at", "2026-02-30T12:00:00Z"),
        ("at", "2026-01-31 12:00:00Z"),
        ("at", "0001-01-01T00:00:00+23:59"),
        ("at", "2026-01-31T12:00:60Z"),
        ("at", 1769860800),
        ("currency", "eur"),
        ("currency", "EURO"),
        ("currency", "XYZ"),
        ("currency", 978),
        ("key", "short"),
        ("key", "x" * 65),
        ("key", "with a space inside"),
        ("key", "0123456789abcde\u00e9"),
        ("key", 1234567890123456),
    ],
)
def test_another_value_is_refused(client: Client, field: str, value: object) -> None:
    query = f"query ($v: {FIELDS[field]}) {{ scalars({field}: $v) {{ {field} }} }}"
    assert client.code(query, v=value) == "BAD_USER_INPUT"
    literal = json.dumps(value) if not isinstance(value, dict) else "{a: 1}"
    assert client.code(f"{{ scalars({field}: {literal}) {{ {field} }} }}") == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize("value", [2**63, str(2**63), "9" * 500, str(-(2**63) - 1), "-1" + "0" * 19, "-1" + "0" * 500])
def test_how_large_a_number_may_be_is_said(client: Client, value: object) -> None:
    (error,) = client.post("query ($v: BigInt!) { scalars(big: $v) { big } }", v=value).json()["errors"]
    assert "a whole number from -9223372036854775808 to 9223372036854775807" in error["message"]


def test_who_forgets_the_quotes_is_told(client: Client) -> None:
    (error,) = client.post("{ scalars(currency: EUR) { currency } }").json()["errors"]
    assert error["message"] == "CurrencyCode cannot be written as EUR. Put it in quotes."


@given(st.integers(scalars.INT64_MIN, scalars.INT64_MAX))
def test_every_number_of_64_bits_survives_as_text(number: int) -> None:
    assert scalars.parse_whole(scalars.print_whole(number)) == number


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 30)), st.integers(-1439, 1439))  # noqa: DTZ001
def test_every_instant_survives_to_the_millisecond(at: datetime, minutes: int) -> None:
    instant = at.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = scalars.print_instant(instant)
    assert len(text) == len("2026-01-31T12:00:00.000Z")
    back = scalars.parse_instant(text)
    assert back.tzinfo is UTC
    assert timedelta(0) <= instant - back < timedelta(milliseconds=1)


@pytest.mark.parametrize("value", [2**63, 1.0, "1", True, None])
def test_a_wrong_value_of_ours_is_never_printed_as_a_number(value: object) -> None:
    with pytest.raises(TypeError):
        scalars.print_whole(value)


def test_a_naive_instant_of_ours_is_never_printed() -> None:
    with pytest.raises(TypeError):
        scalars.print_instant(datetime(2026, 1, 31))  # noqa: DTZ001
