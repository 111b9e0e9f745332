"""The rules of ratings: who may still say what, and how averages are counted."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shoutgraph.domain import errors, ids
from shoutgraph.domain.orders import rating as rules
from shoutgraph.domain.orders.order import Order, Terms
from shoutgraph.domain.orders.rating import STARS, Given, Rating, Tally
from shoutgraph.domain.orders.states import TERMINAL, State
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.users import ANONYMOUS, Scope, Viewer

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FAN, CREATOR = ids.UserId("user_fan"), ids.CreatorId("creator_1")
ORDER = Order(
    id=ids.OrderId("order_1"),
    revision=7,
    state=State.COMPLETED,
    fan_id=FAN,
    creator_id=CREATOR,
    offer_id=ids.OfferId("offer_1"),
    terms=Terms(1, 3_000, 250, 0, 60, 86_400),
    price_coins=250,
    promo_coins=0,
    created_at=NOW,
    updated_at=NOW,
    state_at=NOW,
    closed_at=NOW,
)
SECOND = timedelta(seconds=1)


def rated(**changes: Any) -> Rating:
    made = rules.rate(ORDER, Given(3, "So."), rating_id="rating_1", policy=FIRST, now=NOW)
    return replace(made, **changes)


@pytest.mark.parametrize("state", [state for state in State if state is not State.COMPLETED])
def test_only_a_completed_order_is_rated(state: State) -> None:
    order = replace(ORDER, state=state, closed_at=NOW if state in TERMINAL else None)
    with pytest.raises(errors.OrderStateError) as caught:
        rules.rate(order, Given(3), rating_id="rating_1", policy=FIRST, now=NOW)
    assert (caught.value.code, caught.value.state) == ("ORDER_STATE", state)


def test_windows_include_their_last_moment() -> None:
    last = NOW + timedelta(seconds=FIRST.rating_s)
    rules.rate(ORDER, Given(3), rating_id="rating_1", policy=FIRST, now=last)
    with pytest.raises(errors.OrderStateError, match="over"):
        rules.rate(ORDER, Given(3), rating_id="rating_1", policy=FIRST, now=last + SECOND)
    rating = rated()
    assert rating.editable_until == NOW + timedelta(seconds=FIRST.rating_edit_s)
    assert rules.update(rating, Given(4), now=rating.editable_until).stars == 4
    with pytest.raises(errors.ValidationError, match="over"):
        rules.update(rating, Given(4), now=rating.editable_until + SECOND)


def test_the_window_of_a_reply_begins_with_the_first_and_does_not_move() -> None:
    first = rules.reply(rated(), "Thanks.", policy=FIRST, now=NOW + SECOND)
    again = rules.reply(first, "Thank you.", policy=FIRST, now=NOW + 9 * SECOND)
    assert (again.replied_at, again.reply_editable_until) == (first.replied_at, first.reply_editable_until)
    assert again.revision == 3
    assert rules.reply(again, "Thank you.", policy=FIRST, now=NOW + 9 * SECOND) is again
    until = first.reply_editable_until
    assert until is not None
    with pytest.raises(errors.ValidationError) as caught:
        rules.reply(again, "Late.", policy=FIRST, now=until + SECOND)
    assert caught.value.code == "RATING_WINDOW"


def test_a_hidden_rating_stands_still_until_it_is_restored() -> None:
    hidden = rules.decide(rated(), hidden=True, decisions=0, now=NOW)
    for change in (
        lambda: rules.update(hidden, Given(5), now=NOW),
        lambda: rules.reply(hidden, "No.", policy=FIRST, now=NOW),
        lambda: rules.decide(hidden, hidden=True, decisions=1, now=NOW),
        lambda: rules.decide(hidden, hidden=False, decisions=rules.DECISIONS_MAX, now=NOW),
    ):
        with pytest.raises(errors.ValidationError) as caught:
            change()
        assert caught.value.code == "RATING_STATE"
    assert rules.decide(hidden, hidden=False, decisions=1, now=NOW) == replace(rated(), revision=3)


def test_who_sees_a_hidden_rating() -> None:
    hidden = rated(hidden=True)
    fan, creator = Viewer(FAN, principal="fan"), Viewer(ids.UserId("user_2"), CREATOR, principal="creator")
    staff = [Viewer(scopes=frozenset({scope}), principal="staff") for scope in (Scope.MODERATION, Scope.ORDERS_READ)]
    for viewer in (fan, creator, *staff):
        assert rules.visible(hidden, viewer)
    other = Viewer(ids.UserId("user_3"), ids.CreatorId("creator_3"), principal="other")
    finance = Viewer(scopes=frozenset({Scope.FINANCE_READ}), principal="finance")
    for viewer in (ANONYMOUS, other, finance):
        assert not rules.visible(hidden, viewer)
        assert rules.visible(rated(), viewer)


@given(st.text(max_size=1_200))
def test_an_opinion_is_kept_tidied_or_refused(text: str) -> None:
    kept = None
    with contextlib.suppress(errors.ValidationError):
        kept = rules.check_given(Given(1, text)).opinion
    assert kept is None or (0 < len(kept) <= rules.OPINION_CHARS_MAX and kept == kept.strip())
    assert rules.check_given(Given(1, kept)).opinion == kept


@given(st.lists(st.sampled_from(list(STARS)), max_size=50))
def test_a_tally_is_the_exact_average_of_its_ratings(stars: list[int]) -> None:
    tally = Tally(tuple(stars.count(each) for each in STARS))
    assert (tally.sum, tally.count) == (sum(stars), len(stars))
    if stars:
        assert Fraction(tally.sum, tally.count) == Fraction(sum(stars), len(stars))
