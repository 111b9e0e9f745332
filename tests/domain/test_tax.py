"""Tax numbers by country, masks, and limits that are set: pure rules."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from shoutgraph.domain import ages, errors, ids, spending, tax
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.spending import Limits
from shoutgraph.domain.tax import SellerKind, Wish

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NOVA = ids.CreatorId("creator_nova")
WISH = Wish(SellerKind.PERSON, "Nova", "1 Example Street", "DE", "36 574 261 809", "1990-01-01", None, certified=True)


@pytest.mark.parametrize(
    ("country", "text", "kept"),
    [
        ("DE", "36 574 261 809", "36574261809"),
        ("DE", "36 574 261", None),
        ("US", "536-90-4399", "536904399"),
        ("GB", "1955839661", "1955839661"),
        ("FR", "0701987765493", "0701987765493"),
        ("JP", "581-30-1234", None),
        ("KE", "A123456789Z", "A123456789Z"),
        ("KE", "none", None),
    ],
)
def test_a_tax_number_has_the_form_of_its_country(country: str, text: str, kept: str | None) -> None:
    assert tax.tax_id(country, text) == kept


def test_every_number_that_is_named_is_one_that_the_library_knows() -> None:
    for country in tax.ID_KINDS:
        assert tax.tax_id(country, "no number") is None


def test_what_is_wrong_is_said_and_what_is_right_is_hidden() -> None:
    profile = tax.certify(WISH, creator_id=NOVA, version=1, now=NOW)
    assert "365" not in repr(profile) + repr(WISH)
    assert tax.masked(profile.tax_id) == "•" * 9 + "09"
    company = replace(WISH, kind=SellerKind.COMPANY, birth_date=None)
    for wish, code in (
        (replace(WISH, tax_id="1"), "TAX_ID"),
        (replace(WISH, certified=False), "NOT_CERTIFIED"),
        (replace(WISH, birth_date=None), "VALIDATION"),
        (company, "VALIDATION"),
    ):
        with pytest.raises(errors.ValidationError) as refused:
            tax.certify(wish, creator_id=NOVA, version=1, now=NOW)
        assert refused.value.code == code
        assert "365" not in str(refused.value)
    assert tax.certify(replace(company, registration="HRB 1"), creator_id=NOVA, version=2, now=NOW).born_on is None


Step = tuple[int | None, int | None, int]
AMOUNTS = st.none() | st.integers(0, 50)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, st.integers(0, 40)), max_size=8))
def test_no_limit_counts_that_is_higher_than_one_set_within_a_day(steps: list[Step]) -> None:
    """Whatever is set when: what counts now is never above what anybody agreed to a day ago and did not raise since."""
    guard, now, said = spending.new(ids.UserId("user_a")), NOW, [(NOW - timedelta(days=9), Limits())]
    for day, week, hours in steps:
        now += timedelta(hours=hours)
        wish = Limits(day_coins=day, week_coins=week)
        guard = spending.set_limits(guard, wish, now=now, policy=FIRST)
        said.append((now, wish))
        recent = [limits for at, limits in said if at > now - timedelta(days=1)]
        force = spending.in_force(guard, now)
        for name in ("day_coins", "week_coins"):
            lowest = min((v for each in recent if (v := getattr(each, name)) is not None), default=None)
            assert lowest is None or (getattr(force, name) is not None and getattr(force, name) <= lowest)
    later = now + timedelta(days=1, seconds=1)
    assert spending.in_force(guard, later) == said[-1][1] or not steps


def test_birthdays_are_counted_by_the_day() -> None:
    born = datetime(2008, 2, 29, tzinfo=UTC).date()
    assert ages.years(born, datetime(2026, 2, 28, tzinfo=UTC).date()) == 17
    assert ages.years(born, datetime(2026, 3, 1, tzinfo=UTC).date()) == 18
    given_ages = (("*", 18), ("DE.earn", 16), ("KR", 19))
    assert ages.least(given_ages, "KR", ages.Deed.BUY) == 19
    assert ages.least(given_ages, "DE", ages.Deed.EARN) == 16
    assert ages.least(given_ages, "DE", ages.Deed.BUY) == 18
