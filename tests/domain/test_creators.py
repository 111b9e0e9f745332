"""Profiles, offers and what they cost: rules by tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shoutgraph.domain import creators, errors, fees, ids, quotes
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import Creator, Offer, OfferTerms, Profile
from shoutgraph.domain.orders.order import Occasion
from shoutgraph.domain.policies import DAY_S, FIRST

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROFILE = Profile(
    handle="mira.kestrel",
    name="Mira Kestrel",
    country="DE",
    categories=(Category.MUSICIAN,),
    languages=("de", "en-GB", "zh-Hant"),
)
TERMS = OfferTerms(Occasion.BIRTHDAY, "A song", 1000, 60, 7, 200)


def creator(**changes: Any) -> Creator:
    values = {name: getattr(PROFILE, name) for name in Profile.__slots__} | changes
    creator_id, user_id = ids.CreatorId("creator_1"), ids.UserId("user_1")
    return creators.register(Profile(**values), creator_id=creator_id, user_id=user_id, policy=FIRST, now=NOW)


def offer(**changes: Any) -> Offer:
    values = {name: getattr(TERMS, name) for name in OfferTerms.__slots__} | changes
    offer_id, creator_id = ids.OfferId("offer_1"), ids.CreatorId("creator_1")
    return creators.offer(OfferTerms(**values), offer_id=offer_id, creator_id=creator_id, policy=FIRST, now=NOW)


def test_a_new_creator_is_open_and_sells_nothing() -> None:
    new = creator()
    assert (new.revision, new.open, new.featured, new.price_from_coins, new.rating_hundredths) == (
        1,
        True,
        False,
        None,
        None,
    )
    assert new.profile == PROFILE


def test_what_people_type_is_tidied() -> None:
    new = creator(handle=" @Mira.Kestrel ", name="  Cafe\u0301 ", bio="\n two\nlines ")
    assert (new.handle, new.name, new.bio) == ("mira.kestrel", "Café", "two\nlines")


@pytest.mark.parametrize(
    ("field", "value", "path", "code"),
    [
        ("handle", "x", "handle", "INVALID_HANDLE"),
        ("handle", "x" * 31, "handle", "INVALID_HANDLE"),
        ("handle", "mira kestrel", "handle", "INVALID_HANDLE"),
        ("handle", "mïra", "handle", "INVALID_HANDLE"),
        ("handle", ".mira", "handle", "INVALID_HANDLE"),
        ("handle", "mira.", "handle", "INVALID_HANDLE"),
        ("handle", "mi..ra", "handle", "INVALID_HANDLE"),
        ("handle", "Support", "handle", "HANDLE_RESERVED"),
        ("name", " ", "name", "EMPTY"),
        ("name", "x" * 61, "name", "TOO_LONG"),
        ("name", "Mi\x00ra", "name", "INVALID_TEXT"),
        ("name", "Mi\ud800ra", "name", "INVALID_TEXT"),
        ("name", "Mi\nra", "name", "INVALID_TEXT"),
        ("bio", "x" * 1001, "bio", "TOO_LONG"),
        ("country", "de", "country", "INVALID_COUNTRY"),
        ("country", "ZZ", "country", "INVALID_COUNTRY"),
        ("categories", (), "categories", "TOO_FEW"),
        ("categories", (Category.CHEF, Category.CHEF), "categories", "REPEATED"),
        ("categories", tuple(Category)[:6], "categories", "TOO_MANY"),
        ("languages", (), "languages", "TOO_FEW"),
        ("languages", ("german",), "languages", "INVALID_LANGUAGE"),
        ("languages", ("de|en",), "languages", "INVALID_LANGUAGE"),
        ("avatar_url", "http://example.org/a.png", "avatarUrl", "INVALID_URL"),
        ("avatar_url", "https://", "avatarUrl", "INVALID_URL"),
        ("avatar_url", "https://me:secret@example.org/a.png", "avatarUrl", "INVALID_URL"),
        ("avatar_url", "https://[", "avatarUrl", "INVALID_URL"),
        ("avatar_url", "javascript:alert(1)", "avatarUrl", "INVALID_URL"),
        ("avatar_url", "https://example.org/" + "x" * 500, "avatarUrl", "INVALID_URL"),
        ("open_orders_max", 0, "openOrdersMax", "OUT_OF_RANGE"),
        ("open_orders_max", 51, "openOrdersMax", "OUT_OF_RANGE"),
    ],
)
def test_a_bad_field_of_a_profile_is_refused_by_name(field: str, value: object, path: str, code: str) -> None:
    with pytest.raises(errors.ValidationError) as caught:
        creator(**{field: value})
    assert (caught.value.path, caught.value.code) == (("input", path), code)


def test_several_bad_fields_are_refused_at_once() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        creator(handle="!", name="", country="Germany")
    refusals = caught.value.exceptions
    assert all(isinstance(refusal, errors.ValidationError) for refusal in refusals)
    assert [refusal.path[1] for refusal in refusals] == ["handle", "name", "country"]  # type: ignore[attr-defined]


def test_an_update_changes_only_what_is_given() -> None:
    was = creator(avatar_url="https://example.org/a.png", open_orders_max=5)
    now = creators.update(was, {"name": "Mira", "avatar_url": None}, policy=FIRST)
    assert (now.revision, now.name, now.avatar_url, now.open_orders_max) == (2, "Mira", None, 5)


def test_a_creator_on_a_break_takes_orders_when_it_is_over() -> None:
    until = NOW + timedelta(days=3)
    paused = creators.pause(creator(), until=until, now=NOW)
    assert (paused.open, paused.paused_until, paused.revision) == (True, until, 2)
    assert not paused.takes_orders(until - timedelta(microseconds=1))
    assert paused.takes_orders(until)
    with pytest.raises(errors.CreatorUnavailableError) as caught:
        creators.check_takes_orders(paused, now=NOW)
    assert caught.value.code == "CREATOR_PAUSED"
    assert creators.reopen(paused).takes_orders(NOW)


def test_a_closed_creator_takes_no_orders_until_reopened() -> None:
    closed = creators.pause(creator(), until=None, now=NOW)
    assert not closed.takes_orders(NOW + timedelta(days=3650))
    with pytest.raises(errors.CreatorUnavailableError) as caught:
        creators.check_takes_orders(closed, now=NOW)
    assert caught.value.code == "CREATOR_CLOSED"
    creators.check_takes_orders(creators.reopen(closed), now=NOW)


def test_what_is_so_already_is_no_new_revision() -> None:
    new = creator()
    assert creators.reopen(new) is new
    assert creators.feature(new, featured=False) is new
    closed = creators.pause(new, until=None, now=NOW)
    assert creators.pause(closed, until=None, now=NOW) is closed
    active = offer()
    assert creators.switch_offer(active, active=True) is active


@pytest.mark.parametrize("until", [NOW, NOW - timedelta(days=1), NOW + timedelta(days=367)])
def test_a_break_ends_within_a_year(until: datetime) -> None:
    with pytest.raises(errors.ValidationError):
        creators.pause(creator(), until=until, now=NOW)


@pytest.mark.parametrize(
    ("field", "value", "path", "code"),
    [
        ("title", "", "title", "EMPTY"),
        ("title", "x" * 81, "title", "TOO_LONG"),
        ("price_coins", 249, "price", "OUT_OF_RANGE"),
        ("price_coins", 100_001, "price", "OUT_OF_RANGE"),
        ("duration_max_s", 4, "durationMaxSeconds", "OUT_OF_RANGE"),
        ("duration_max_s", 601, "durationMaxSeconds", "OUT_OF_RANGE"),
        ("delivery_days", 0, "deliveryDays", "OUT_OF_RANGE"),
        ("delivery_days", 8, "deliveryDays", "OUT_OF_RANGE"),
        ("express_coins", 0, "expressSurcharge", "OUT_OF_RANGE"),
        ("express_coins", 100_001, "expressSurcharge", "OUT_OF_RANGE"),
    ],
)
def test_a_bad_field_of_an_offer_is_refused_by_name(field: str, value: object, path: str, code: str) -> None:
    with pytest.raises(errors.ValidationError) as caught:
        offer(**{field: value})
    assert (caught.value.path, caught.value.code) == (("input", path), code)


def test_the_limits_of_the_policy_can_be_charged() -> None:
    assert offer(price_coins=250).price_coins == 250
    assert offer(price_coins=100_000).price_coins == 100_000


def test_an_offer_that_changes_keeps_the_rest() -> None:
    changed = creators.change_offer(offer(), {"price_coins": 1500, "express_coins": None}, policy=FIRST)
    assert (changed.revision, changed.price_coins, changed.express_coins, changed.title) == (2, 1500, None, "A song")


def test_a_quote_is_the_price_and_the_surcharge() -> None:
    assert quotes.quote_coins(offer(), express=False).total_coins == 1000
    fast = quotes.quote_coins(offer(), express=True)
    assert (fast.base_coins, fast.express_coins, fast.total_coins) == (1000, 200, 1200)
    assert creators.delivery_s(offer(), FIRST, express=True) == FIRST.express_s
    assert creators.delivery_s(offer(delivery_days=3), FIRST, express=False) == 3 * DAY_S


def test_express_that_is_not_offered_is_refused() -> None:
    with pytest.raises(errors.ValidationError) as caught:
        quotes.quote_coins(offer(express_coins=None), express=True)
    assert caught.value.code == "EXPRESS_NOT_OFFERED"


def test_the_split_of_a_quote_is_whole() -> None:
    parts = quotes.split(quotes.quote_coins(offer(), express=True), fee_bps=FIRST.fee_bps)
    assert parts == fees.split(paid_coins=1200, promo_coins=0, fee_bps=3000)
    assert parts.fee_coins + parts.earning_coins == 1200


@pytest.mark.parametrize(
    ("stars", "average"),
    [([], None), ([5], 500), ([4, 5], 450), ([5, 5, 4], 467), ([1, 1, 2], 133), ([1] * 7 + [2], 113)],
)
def test_an_average_is_in_hundredths_half_rounded_up(stars: list[int], average: int | None) -> None:
    rated = creator()
    summed = type(rated)(
        **{name: getattr(rated, name) for name in Creator.__slots__}
        | {"rating_sum": sum(stars), "rating_count": len(stars)}
    )
    assert summed.rating_hundredths == average


@given(st.text(max_size=80))
def test_every_name_has_a_short_key_to_sort_by(name: str) -> None:
    assert len(creators.sort_name(name)) <= creators.SORT_CHARS_MAX


def test_names_sort_without_accents() -> None:
    names = ["Zoe", "Émile", "emil", "Ångström", "anna"]
    assert sorted(names, key=creators.sort_name) == ["Ångström", "anna", "emil", "Émile", "Zoe"]
