"""The rules of the rollout: one order of conditions, shares that only grow, and people spread evenly."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings, strategies as st

from shoutgraph.domain import features, ids
from shoutgraph.domain.features import GUEST, Feature, Person, Reason, Rule, Terms

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULE = Rule("feature_1", 1, Feature.GIFTS, "", Terms(), 0, "admin", "a test", NOW)
SHARES = (0, 1, 100, 1_000, 2_500, 5_000, 9_000, 9_999, 10_000)
PEOPLE = 20_000

keys = st.builds(ids.encode, st.just(ids.USER), st.binary(min_size=16, max_size=16))


def off(terms: Terms, person: Person = GUEST, *, listed: bool | None = None, now: datetime = NOW) -> Reason | None:
    return features.off(replace(RULE, terms=terms), person, listed=listed, now=now)


def test_the_conditions_hold_together_and_the_first_one_names_the_reason() -> None:
    later, germany = NOW + timedelta(seconds=1), Person("user_1", "DE")
    everything = Terms(enabled=False, share_bps=0, countries_on=("FR",), countries_off=("DE",), starts_at=later)
    assert off(everything, germany, listed=True) is Reason.SWITCHED_OFF
    assert off(replace(everything, enabled=True), germany, listed=True) is None
    assert off(replace(everything, enabled=True), germany, listed=False) is Reason.LIST
    assert off(replace(everything, enabled=True), germany) is Reason.SCHEDULE
    assert off(replace(everything, enabled=True), germany, now=later) is Reason.COUNTRY
    assert off(Terms(share_bps=0), germany) is Reason.PERCENTAGE
    assert off(Terms(), germany) is None
    assert off(Terms(starts_at=NOW, ends_at=later)) is None
    assert off(Terms(starts_at=NOW, ends_at=later), now=later) is Reason.SCHEDULE


def test_a_guest_has_what_everybody_has_and_no_part_of_a_share() -> None:
    assert off(Terms(), GUEST) is None
    assert off(Terms(share_bps=9_999), GUEST) is Reason.PERCENTAGE
    assert off(Terms(countries_on=("DE",)), GUEST) is Reason.COUNTRY
    assert off(Terms(countries_on=("DE", "ZZ")), GUEST) is None


@settings(max_examples=100)
@given(keys, st.lists(st.integers(0, 10_000), min_size=2, max_size=6))
def test_whoever_is_in_stays_in_when_the_share_is_raised(user_id: str, shares: list[int]) -> None:
    found = [off(Terms(share_bps=share), Person(user_id)) for share in sorted(shares)]
    assert all(not (before is None and after is not None) for before, after in pairwise(found))
    assert off(Terms(share_bps=10_000), Person(user_id)) is None
    assert off(Terms(share_bps=0), Person(user_id)) is Reason.PERCENTAGE


def test_a_share_has_as_many_people_as_it_says_and_others_for_each_feature() -> None:
    people = [ids.encode(ids.USER, number.to_bytes(16)) for number in range(PEOPLE)]
    buckets = {feature: [features.bucket(feature, "", user_id) for user_id in people] for feature in Feature}
    for of_feature in buckets.values():
        for share in SHARES:
            found, p = sum(bucket < share for bucket in of_feature), share / 10_000
            bound = 5 * (PEOPLE * p * (1 - p)) ** 0.5  # five standard deviations; the people are always the same
            assert abs(found - PEOPLE * p) <= bound, share
    both = sum(a < 5_000 and b < 5_000 for a, b in zip(*list(buckets.values())[:2], strict=True))
    assert abs(both - PEOPLE / 4) < 5 * (PEOPLE * 3 / 16) ** 0.5
    assert features.bucket(Feature.TOPUPS, "stripe", people[1]) != features.bucket(Feature.TOPUPS, "", people[1])
